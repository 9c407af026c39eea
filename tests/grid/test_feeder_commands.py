"""`gridglow feeder`: what a person types and reads."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from emulation.grid.feeder import Feeder
from gridglow.feeder_cli import app

run = CliRunner().invoke


def test_check_says_ok_with_counts():
    result = run(app, ["check", "board"])
    assert result.exit_code == 0
    assert result.stdout.startswith("OK  board: 48 meters · 411 LEDs · 3.28 km of cable · farthest meter 616 m")
    assert len(result.stdout.splitlines()) == 1


def test_check_refuses_in_one_line(tmp_path: Path):
    file = tmp_path / "bad.feeder"
    file.write_text("gridglow-feeder 1\nname: bad\n0 0 -1 8 lead - 0,0\n")
    result = run(app, ["check", str(file)])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"gridglow: {file}:3: unknown cable 'lead' (allowed: underground, overhead, service)\n"


def test_show_draws_and_writes_svg(tmp_path: Path):
    out = tmp_path / "map.svg"
    result = run(app, ["show", "board", "--svg", str(out)])
    assert result.exit_code == 0
    assert "48 meters · 411 LEDs" in result.stdout
    ElementTree.fromstring(out.read_text(encoding="utf-8"))


def test_generate_writes_a_file_that_loads(tmp_path: Path):
    out = tmp_path / "quarter.feeder"
    assert run(app, ["generate", "--meters", "30", "--seed", "7", "--out", str(out)]).exit_code == 0
    assert Feeder.load(out).meters == 30
    assert run(app, ["generate", "--meters", "30", "--seed", "7"]).stdout == out.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "/nowhere/at.all"],
        ["check", "\x1b[31m"],
        ["show", "nowhere"],
        ["show", "board", "--svg", "/nowhere/map.svg"],
        ["generate", "--meters", "0"],
        ["generate", "--meters", "5", "--seed", "-1"],
        ["generate", "--meters", "5", "--name", "No Good"],
        ["generate", "--meters", "5", "--out", "/nowhere/x.feeder"],
    ],
)
def test_errors_are_one_printable_line(arguments: list[str]):
    result = run(app, arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("gridglow: ")
    assert result.stderr.rstrip("\n").isprintable()
