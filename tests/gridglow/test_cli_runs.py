"""The commands as a person uses them: what they print, what they leave, how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emulation.observe.rebuild import rebuild
from gridglow.cli import app

Call = Callable[..., str]
FILES = {"summary.json", "readings.csv", "events.jsonl", "logs", "frames.pcapng", "sequence.mmd", "sequence.svg"}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command line in this process, in an empty folder, 100 columns wide; it has to end well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def called(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == 0, result.output
        assert result.stderr == ""
        return result.stdout

    return called


def test_simulate_night_shows_every_meter(call: Call, tmp_path: Path) -> None:
    shown = call("simulate", "night", "--out", "run")
    assert "48 of 48 meters read" in shown and "seed 1, profile demo" in shown
    digest = json.loads((tmp_path / "run" / "summary.json").read_text())["digest"]
    assert digest in shown.replace("\n", "")
    for meter in range(1, 49):
        assert re.search(rf"(^| ){meter} ●", shown, re.MULTILINE), meter
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    names = {path.stem for path in (tmp_path / "run" / "logs").iterdir()}
    assert names >= {"coordinator", *(f"meter-{number}" for number in range(1, 49))}


def test_simulate_then_verify(call: Call, tmp_path: Path) -> None:
    assert call("simulate", "row4", "--seed", "5", "--out", "deep/down/run", "-q") == ""
    digest = json.loads((tmp_path / "deep/down/run/summary.json").read_text())["digest"]
    assert call("verify", "deep/down/run") == f"OK  row4, seed 5: digest {digest} again\n"


def test_a_scenario_of_ones_own_is_verified_after_its_files_are_gone(call: Call, tmp_path: Path) -> None:
    feeder = Path(__file__).resolve().parents[2] / "emulation/grid/feeders/row4.feeder"
    (tmp_path / "street.feeder").write_text(feeder.read_text())
    (tmp_path / "mine.toml").write_text('feeder = "street.feeder"\n[[job]]\ndo = "collect"\n')
    assert "3 of 3 meters read" in call("simulate", "mine.toml", "--out", "run")
    (tmp_path / "street.feeder").unlink()
    (tmp_path / "mine.toml").unlink()
    assert call("verify", "run").startswith("OK  mine, seed 1: digest ")


def test_a_second_run_replaces_the_first(call: Call, tmp_path: Path) -> None:
    call("simulate", "night", "-q", "--out", "run")
    call("simulate", "row4", "-q", "--out", "run")
    assert not (tmp_path / "run" / "logs" / "meter-4.log").exists()
    assert call("verify", "run").startswith("OK  row4")


def test_psdu_captures(call: Call, tmp_path: Path) -> None:
    call("simulate", "row4", "-q", "--out", "run", "--psdu")
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES | {"frames-psdu.pcapng"}


def test_scenarios_and_their_titles(call: Call) -> None:
    lines = call("scenarios").splitlines()
    assert [line.split()[0] for line in lines] == [
        "heal", "meters500", "night", "night-g3", "read", "route", "row4", "sag",
    ]  # fmt: skip
    assert all(re.search(r"\((board|row4|meters500), profile (demo|g3|metering)\)$", line) for line in lines)


def test_failed_jobs_are_shown_with_the_reason(call: Call, tmp_path: Path) -> None:
    (tmp_path / "far.toml").write_text(
        'feeder = "row4"\n[collection]\ntries = 1\ntimeout = 1\nrounds = 1\n'
        '[[fault]]\nat = 0\nstation = 3\nword = "off"\n[[job]]\nat = 1\ndo = "collect"\n'
        '[[job]]\nat = 2\ndo = "read"\nstation = 3\n'
    )
    shown = call("simulate", "far.toml")
    assert "2 of 3 meters read" in shown and "meter-3 not read" in shown
    assert re.search(r"read meter-3 +failed", shown)


def test_a_run_that_hits_its_limit_says_what_it_left(call: Call, tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text(
        'feeder = "row4"\nlimit = 30\n[[fault]]\nat = 0\nstation = 3\nword = "off"\n'
        '[[job]]\nat = 1\ndo = "collect"\n[[job]]\nat = 40\ndo = "read"\nstation = 2\n'
    )
    shown = call("simulate", "short.toml", "--out", "run")
    assert re.search(r" 1 ●.* 2 ●.* 3 not read", shown) and "hops  meters" in shown
    assert "00:00:01.000  collect  not finished" in shown and "00:00:40.000  read meter-2  not started" in shown
    assert shown.count("the limit of 30 s was reached") == 2 and "meter-3 not read: the limit" in shown
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [entry["meter"] for entry in summary["failed"]] == ["meter-3"] and summary["limit_reached"] is True
    rebuild(tmp_path / "run" / "events.jsonl", tmp_path / "again")
    assert (tmp_path / "again" / "summary.json").read_text() == (tmp_path / "run" / "summary.json").read_text()


def test_a_collection_that_the_coordinator_leaves_says_so(call: Call, tmp_path: Path) -> None:
    (tmp_path / "cut.toml").write_text(
        'feeder = "board"\n[[fault]]\nat = 10\nstation = 0\nword = "reboot"\n[[job]]\nat = 1\ndo = "collect"\n'
    )
    shown = call("simulate", "cut.toml", "--out", "run")
    assert "00:00:10.000  collect  failed  the coordinator was switched off" in shown
    assert "48 not asked" in shown and "meters not read: not asked (the coordinator was switched off): " in shown
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert len(summary["failed"]) == 48 - summary["read"] > 0 and summary["limit_reached"] is False


def test_wireshark_prints_its_command(call: Call, tmp_path: Path) -> None:
    call("simulate", "row4", "-q", "--out", "run")
    shown = call("wireshark", "run", "--print")
    assert shown.startswith("wireshark ") and "run/frames.pcapng" in shown and "g3plc.lua" in shown
    (tmp_path / "run" / "frames.pcapng").unlink()
    call("wireshark", "run", "--print")
    assert (tmp_path / "run" / "frames.pcapng").is_file()


def test_feeder_commands(call: Call, tmp_path: Path) -> None:
    assert call("feeder", "check", "board").startswith("OK  board: 48 meters")
    assert "48 meters" in call("feeder", "show", "board")
    text = call("feeder", "generate", "--meters", "7", "--seed", "3")
    (tmp_path / "seven.feeder").write_text(text)
    assert "7 meters" in call("feeder", "check", "seven.feeder")
    assert "one.feeder: 1 meter, " in call("feeder", "generate", "--meters", "1", "--out", "one.feeder")
    (tmp_path / "mine.toml").write_text('feeder = "seven.feeder"\n[[job]]\ndo = "collect"\n')
    assert "7 of 7 meters read" in call("simulate", "mine.toml")


def test_link_prints_a_table(call: Call) -> None:
    shown = call("link")
    assert "D8PSK" in shown and "kbit/s" in shown


def test_help_of_every_command(call: Call) -> None:
    for command in ("simulate", "scenarios", "verify", "link", "feeder", "wireshark"):
        assert command in call("--help")
        assert "Usage: " in call(command, "--help")
