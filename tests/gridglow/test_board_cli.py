"""`gridglow board ...`: the walk and its words, recordings played back, boards' status, a board's configuration."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from emulation.grid.feeder import Feeder, shipped_feeders
from emulation.live.topics import Topics
from gridglow import board_walk
from gridglow.board_record import Player
from gridglow.board_status import boards, messages, table
from gridglow.board_walk import AMBER, BLUE, WHITE, Step, branches, picture, sentence, walk
from gridglow.board_walk_run import Walker
from gridglow.cli import app
from led_gateway.board_record import BoardStatus
from led_gateway.frame_writer import FrameWriter
from led_gateway.recording import RecordingError, RecordingWriter

BOARD = Feeder.load("board")
TOPICS = Topics(0x781D)
MA_PER_CHANNEL = 20


def call(*given: object) -> Result:
    return CliRunner().invoke(app, ["board", *(str(word) for word in given)], env={"COLUMNS": "160"})


def refused(result: Result, reason: str, code: int = 1) -> None:
    assert result.exit_code == code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("gridglow: ") and reason in lines[0], result.stderr


# -- the walk


@pytest.mark.parametrize("name", shipped_feeders())
def test_branches_come_breadth_first(name: str) -> None:
    feeder = Feeder.load(name)
    found = branches(feeder)
    assert sorted(found, key=lambda branch: branch.first) == feeder.branches
    steps = {-1: -1}
    for branch in found:
        steps[branch.last] = steps[branch.parent] + 1  # KeyError: a branch before its parent
    outwards = [steps[branch.last] for branch in found]
    assert outwards == sorted(outwards)
    joined = [(steps[branch.last], [other.last for other in found].index(branch.parent)) for branch in found[1:]]
    assert joined == sorted(joined)  # and side by side in the order of what they hang on


def test_the_walk_goes_over_every_led_once() -> None:
    steps = walk(BOARD)
    assert sorted(step.led for step in steps if step.led >= 0) == list(range(BOARD.leds))
    assert sum(step.led < 0 for step in steps) == sum(branch.first < branch.last for branch in BOARD.branches)
    assert [step.number for step in steps] == sorted(step.number for step in steps)


def test_what_is_lit() -> None:
    step = next(step for step in walk(BOARD) if step.led == 22)
    rgb = picture(BOARD, step)
    lit = {led: tuple(rgb[3 * led : 3 * led + 3]) for led in range(BOARD.leds) if any(rgb[3 * led : 3 * led + 3])}
    assert lit == {0: AMBER, 20: BLUE, 21: BLUE, 22: WHITE, 23: BLUE, 24: BLUE}


@pytest.mark.parametrize("name", shipped_feeders())
def test_the_walk_needs_no_strong_supply(name: str) -> None:
    """Half an ampere: what any USB port gives to the one who has nothing else at the bench."""
    feeder = Feeder.load(name)
    for number, branch in enumerate(branches(feeder), 1):
        assert sum(picture(feeder, Step(number, branch, -1))) * MA_PER_CHANNEL / 255 < 500


def test_what_is_said() -> None:
    said = [sentence(BOARD, step) for step in walk(BOARD)]
    assert said[0] == "branch 1/105: LED 0 white; the coordinator; 3 branches begin there"
    assert "branch 3/105: LEDs 20-24 blue, 20 white, 0 amber; 2 branches begin there" in said
    assert "branch 3/105: LED 22 white, 3 of 5" in said
    assert said[-1] == "branch 105/105: LED 410 white, 3 of 3; ends at meter-48 on L3"
    assert max(map(len, said)) <= 80
    for station in range(1, BOARD.meters + 1):
        assert any(f"ends at meter-{station} on L" in line for line in said)


def test_keys() -> None:
    walker = Walker(walk(BOARD))

    def at(*keys: str) -> tuple[int, int]:
        for key in keys:
            walker.key(key)
        return walker.step.number, walker.step.led

    assert at() == (1, 0)
    assert at("b", "left", "p") == (1, 0)
    assert at(" ", "right") == (2, 1)
    assert at("\x7f") == (2, -1)
    assert at("n", "n", " ") == (4, walker.step.branch.first)
    assert at("p") == (3, -1)
    assert at(*"n" * 200) == (105, -1)
    assert at(*" " * 200) == (105, 410)
    assert not walker.over
    walker.on()
    assert walker.over
    walker = Walker(walk(BOARD))
    walker.key("x")
    assert not walker.over
    walker.key("q")
    assert walker.over


def test_a_walk_without_a_keyboard_over_ddp() -> None:
    """A line for each step; a WLED controller gets the pictures, and darkness at the end."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
        controller.bind(("127.0.0.1", 0))
        controller.settimeout(5)
        host = f"127.0.0.1:{controller.getsockname()[1]}"
        result = call("walk", "--feeder", "row4", "--led", "3", "--seconds", "0.2", "--ddp", host)
        assert result.exit_code == 0, result.output
        row4 = Feeder.load("row4")
        step = next(step for step in walk(row4) if step.led == 3)
        assert result.stdout == sentence(row4, step) + "\n"
        found = [controller.recv(2000)]
        controller.setblocking(False)
        while True:
            try:
                found.append(controller.recv(2000))
            except BlockingIOError:
                break
    assert found[0][10:] == board_walk.picture(row4, step)
    assert found[-1][10:] == bytes(3 * row4.leds)


def test_bad_options() -> None:
    refused(call("walk", "--led", "411"), "--led 411: feeder board has the LEDs 0 to 410", 2)
    refused(call("walk", "--branch", "106"), "--branch 106: feeder board has the branches 1 to 105", 2)
    refused(call("walk", "--led", "1", "--branch", "1"), "--led and --branch exclude each other", 2)
    refused(call("walk", "--feeder", "none"), "--feeder none: no such file", 2)
    refused(call("walk", "--ddp", "a b"), "--ddp 'a b': expected HOST", 2)
    refused(call("walk", "--broker", "http://x"), "--broker", 2)
    refused(call("walk", "--broker", "mqtt://127.0.0.1:1"), "no broker at mqtt://127.0.0.1:1")
    for command in (("status",), ("config",), ("record", "x.glow")):
        refused(call(*command, "--broker", "mqtt://127.0.0.1:1"), "no broker at mqtt://127.0.0.1:1")


def test_what_connections_log_is_not_on_the_screen() -> None:
    """One line, and not another one before it: the second would stand in the middle of a picture."""
    words = [sys.executable, "-c", "from gridglow.cli import main; main()", "board", "walk", "--ddp", "a..b"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "gridglow: --ddp a..b:4048 cannot be found: 'a..b' is no name of a host\n"


# -- recordings


PICTURES = [bytes([level] * 9) for level in (10, 20, 30)]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Three LEDs, three pictures, half a second between."""
    path = tmp_path / "loop.glow"
    gateway = FrameWriter(5, 3)
    with path.open("wb") as file:
        writer = RecordingWriter(file)
        for place, rgb in enumerate(PICTURES):
            for message in gateway.write(rgb, 500 * place):
                writer.put(500 * place, message.payload)
    return path


def test_pictures_are_played_at_their_times(recorded: Path) -> None:
    player = Player(recorded, False, 1.0)
    assert player.leds == 3
    assert [player.at(now) for now in (50.0, 50.4, 50.6, 50.9)] == [PICTURES[0], PICTURES[0], PICTURES[1], PICTURES[1]]
    assert not player.over
    assert player.at(51.0) == PICTURES[2] and player.over


def test_another_speed(recorded: Path) -> None:
    player = Player(recorded, False, 2.0)
    assert [player.at(now) for now in (0.0, 0.26, 0.51)] == PICTURES and player.over


def test_a_loop(recorded: Path) -> None:
    player = Player(recorded, True, 1.0)
    seen = [player.at(place * 0.125) for place in range(45)]
    assert not player.over
    changes = [rgb for rgb, before in zip(seen[1:], seen, strict=False) if rgb != before]
    assert changes == [PICTURES[(place + 1) % 3] for place in range(len(changes))] and len(changes) > 6


def test_files_that_cannot_be_played(tmp_path: Path, recorded: Path) -> None:
    cut = tmp_path / "cut.glow"
    cut.write_bytes(recorded.read_bytes()[:-1])
    text = tmp_path / "text"
    text.write_text("hello")
    refused(call("play", tmp_path / "none"), "none: No such file")
    refused(call("play", text), "text: no recording of led/frame")
    refused(call("play", tmp_path), "Is a directory")
    refused(call("play", cut, "--speed", "20", "--ddp", "127.0.0.1:9"), "cut.glow: octet")
    with pytest.raises(RecordingError):
        Player(text, False, 1.0)


def test_a_recording_is_played_to_a_controller(recorded: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
        controller.bind(("127.0.0.1", 0))
        controller.settimeout(5)
        result = call("play", recorded, "--speed", "10", "--ddp", f"127.0.0.1:{controller.getsockname()[1]}")
        assert result.exit_code == 0, result.output
        assert [controller.recv(100)[10:] for _ in PICTURES] == PICTURES


# -- status and configuration


def test_the_table_of_boards() -> None:
    status = BoardStatus(
        True, "1.0", "GRB", "411 LEDs in the frame, 300 here", 300, 411, 7, 40, 900, 3, 1, 0, 61_440, 50_000, 2100,
        3725, -61,
    )  # fmt: skip
    found = {
        TOPICS.prefix + "board/desk/status": status.encode(),
        TOPICS.prefix + "board/hall/status": b'{"online": false}',
        TOPICS.prefix + "board/bad/status": b"nonsense",
        TOPICS.prefix + "board/[red]x/status": BoardStatus(True, led_count=411, uptime_s=61).encode(),
        TOPICS.prefix + "led/config": b"{}",
    }
    assert [name for name, _ in boards(TOPICS, found)] == ["[red]x", "desk", "hall"]
    console = Console(width=80, file=io.StringIO())
    console.print(table(boards(TOPICS, found)))
    assert isinstance(console.file, io.StringIO)
    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
    assert lines[0] == "board state LEDs fps shown late dropped malformed heap gc ms dBm up"
    assert lines[1] == "[red]x online 411 0 0 0 0 0 0 kB 0.0 1:01 min"
    assert lines[2] == "desk online 411/300 40 900 3 1 0 60 kB 2.1 -61 1:02 h"
    assert lines[3] == "hall offline"
    assert messages(boards(TOPICS, found)) == ["desk: 411 LEDs in the frame, 300 here"]


def test_a_boards_configuration() -> None:
    result = call("config", "--feeder", "row4", "--id", "desk", "--broker", "mqtt://me:pw@10.0.0.5:1884", "--pin", "5")
    assert result.exit_code == 0, result.output
    values: dict[str, object] = {}
    exec(result.stdout, values)
    row4 = Feeder.load("row4")
    assert (values["BROKER"], values["BROKER_PORT"], values["BROKER_USER"]) == ("10.0.0.5", 1884, "me")
    assert (values["BOARD_ID"], values["LED_PIN"], values["LED_COUNT"]) == ("desk", 5, row4.leds)
    assert values["BRANCHES"] == tuple((branch.first, branch.last, branch.parent) for branch in row4.branches)


def test_configurations_that_cannot_be() -> None:
    refused(call("config", "--feeder", "row4", "--id", "a b"), "'a b' is no name of a board", 2)
    refused(call("config", "--feeder", "row4", "--order", "GBX"), "--order GBX: allowed: GRB", 2)
    refused(call("config", "--feeder", "row4", "--first", "129"), "feeder row4 has the LEDs 0 to 128", 2)
    refused(call("config", "--feeder", "row4", "--broker", "mqtts://x"), "TLS", 2)
