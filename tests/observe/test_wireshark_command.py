"""`gridglow wireshark`: the command that it prints, and what it says when something is missing."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import JsonlWriter
from g3plc.events import Event
from gridglow.wireshark_cli import wireshark


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(wireshark)
    return app


@pytest.fixture
def run_folder(tmp_path: Path, facts: RunFacts, paper: list[Event]) -> Path:
    writer = JsonlWriter(tmp_path / "events.jsonl", facts)
    writer.observe(paper)
    writer.close()
    return tmp_path


@pytest.mark.parametrize(("option", "name"), [([], "frames.pcapng"), (["--psdu"], "frames-psdu.pcapng")])
def test_it_prints_a_command_for_a_capture_that_is_made_if_need_be(
    app: typer.Typer, run_folder: Path, option: list[str], name: str
) -> None:
    result = CliRunner().invoke(app, [str(run_folder), "--print", *option])
    assert result.exit_code == 0
    words = shlex.split(result.stdout)
    assert words[0] == "wireshark"
    assert words[-2:] == ["-r", str(run_folder / name)]
    assert (run_folder / name).stat().st_size > 1_000
    assert "6lowpan.rfc4944_short_address_format:TRUE" in words
    scripts = [word.removeprefix("lua_script:") for word in words if word.startswith("lua_script:")]
    assert [Path(script).name for script in scripts] == ["g3plc.lua", "cosem.lua"]
    assert all(Path(script).is_file() for script in scripts)


def test_without_wireshark_it_says_so_and_shows_the_command(
    app: typer.Typer, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(run_folder))
    result = CliRunner().invoke(app, [str(run_folder)])
    assert result.exit_code == 1
    assert "there is no wireshark on this machine" in result.output
    assert "frames.pcapng" in result.output


def test_it_runs_wireshark(app: typer.Typer, run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = run_folder / "wireshark"
    program.write_text('#!/bin/sh\necho "$@" > "$0.said"\nexit 3\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{run_folder}:/bin:/usr/bin")
    result = CliRunner().invoke(app, [str(run_folder)])
    assert result.exit_code == 3
    assert "frames.pcapng" in (run_folder / "wireshark.said").read_text()


def test_a_folder_without_a_run_is_refused(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path), "--print"])
    assert result.exit_code == 1
    assert "neither frames.pcapng nor events.jsonl" in result.output
    (tmp_path / "events.jsonl").write_text("nonsense\n")
    result = CliRunner().invoke(app, [str(tmp_path), "--print"])
    assert result.exit_code == 1
    assert "not the events of a run" in result.output
