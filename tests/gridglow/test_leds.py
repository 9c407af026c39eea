"""`gridglow leds`: exact cells of a terminal for a known frame, with many colours, few and none; what the broker's
messages make of the screen; keys; a recorded run; bad input."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from typer.testing import CliRunner

from emulation.grid.fault import FaultOrder
from emulation.grid.feeder import Feeder
from emulation.live import event_map
from emulation.live.records import ClockRecord, FaultRecord
from emulation.live.topics import Topics
from g3plc import events as ev
from gridglow.cli import app
from gridglow.leds_colour import BACKGROUND, CABLE, SCREEN, UNLIT, letter
from gridglow.leds_keys import Keys, keys_of
from gridglow.leds_map import LedMap
from gridglow.leds_paint import Painter
from gridglow.leds_said import Readings, Said
from gridglow.leds_screen import BoardView, LedScreen, View
from gridglow.leds_watch import LedWatch
from gridglow.leds_words import legend
from led_gateway.board_record import BoardStatus
from led_gateway.config_record import LedConfig
from led_gateway.frame_writer import FrameWriter
from led_gateway.themes import THEMES

TINY = """gridglow-feeder 1
name: tiny
    0  0  -1  8  underground  -  0,0
    1  2   0  8  underground  -  160,0
    3  4   2  8  service      1  160,160
    5  6   2  8  overhead     2  320,0
"""
FEEDER = Feeder.loads(TINY)
BOARD = Feeder.load("board")
TOPICS = Topics(0x781D)
AMBER, WHITE = (255, 120, 0), (255, 255, 255)

Cell = tuple[str, tuple[int, int, int] | None, tuple[int, int, int] | None]


def console(columns: int, rows: int, colours: str | None = "truecolor") -> Console:
    return Console(
        width=columns, height=rows, file=io.StringIO(), force_terminal=True, color_system=colours,  # type: ignore[arg-type]
        legacy_windows=False, highlight=False,
    )  # fmt: skip


def frame(feeder: Feeder, **leds: tuple[int, int, int]) -> bytes:
    """R G B of each LED; leds as `led3=(r, g, b)`."""
    pixels = [leds.get(f"led{led}", (0, 0, 0)) for led in range(feeder.leds)]
    return bytes(part for pixel in pixels for part in pixel)


def cells(lines: list[list[Segment]]) -> list[list[Cell]]:
    found = []
    for line in lines:
        row: list[Cell] = []
        for text, style, _ in line:
            colours = [
                None if colour is None else tuple(colour.get_truecolor())
                for colour in ((style.color, style.bgcolor) if style else (None, None))
            ]
            row += [(letter, colours[0], colours[1]) for letter in text]  # type: ignore[misc]
        found.append(row)
    return found


def screen(feeder: Feeder, view: View, columns: int, rows: int, colours: str | None = "truecolor") -> list[list[Cell]]:
    terminal = console(columns, rows, colours)
    drawn = LedScreen(feeder)
    drawn.view = view
    return cells(terminal.render_lines(drawn, terminal.options.update(width=columns, height=rows), pad=False))[:rows]


def words(row: list[Cell]) -> str:
    return "".join(cell[0] for cell in row).rstrip()


# -- the picture


def test_the_exact_cells_of_a_small_board() -> None:
    """One LED a pixel, two pixels a character: a row of five LEDs, and two below the third."""
    tree = LedMap(FEEDER, 5, 3)
    assert tree.rows == 2
    assert tree.pixel_of == [0, 1, 2, 7, 12, 3, 4]
    picture = frame(FEEDER, led0=WHITE, led3=AMBER, led6=(10, 10, 10))
    amber = (255, SCREEN[120], UNLIT[2])
    dim = (max(SCREEN[10], UNLIT[0]), max(SCREEN[10], UNLIT[1]), max(SCREEN[10], UNLIT[2]))
    assert cells(list(tree.lines(picture))) == [
        [("▀", WHITE, BACKGROUND), ("▀", UNLIT, BACKGROUND), ("▀", UNLIT, amber), ("▀", UNLIT, BACKGROUND),
         ("▀", dim, BACKGROUND)],
        [(" ", BACKGROUND, BACKGROUND), (" ", BACKGROUND, BACKGROUND), ("▀", UNLIT, BACKGROUND),
         (" ", BACKGROUND, BACKGROUND), (" ", BACKGROUND, BACKGROUND)],
    ]  # fmt: skip


def test_cables_lie_between_and_take_a_share_of_the_light() -> None:
    tree = LedMap(FEEDER, 9, 9)
    row = cells(list(tree.lines(frame(FEEDER, led1=WHITE))))[0]
    lit = tuple(255 * 5 // 16 for _ in range(3))
    assert [cell[1] for cell in row] == [UNLIT, lit, WHITE, CABLE, UNLIT, CABLE, UNLIT, CABLE, UNLIT]


def test_on_one_pixel_the_brightest_is_seen() -> None:
    tree = LedMap(FEEDER, 3, 1)
    assert tree.pixel_of[1] == tree.pixel_of[2]
    for bright, dark in (("led1", "led2"), ("led2", "led1")):
        shown = tree.pixels(frame(FEEDER, **{bright: WHITE, dark: (9, 0, 0)}))
        assert shown[tree.pixel_of[1]] == WHITE


def test_a_frame_of_another_count_is_shown_as_far_as_it_fits() -> None:
    tree = LedMap(FEEDER, 5, 3)
    whole = frame(FEEDER, led0=WHITE)
    assert tree.pixels(whole + b"\xff" * 30) == tree.pixels(whole) == tree.pixels(whole[:3])
    assert tree.pixels(b"")[0] == UNLIT


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (200, 60), (40, 12), (20, 7)])
def test_every_size_is_filled_and_not_more(columns: int, rows: int) -> None:
    view = View(bytes(3 * BOARD.leds), 42_500_000, 250, 17, 48, legend=legend("safe"), said="word " * 60)
    shown = screen(BOARD, view, columns, rows)
    assert len(shown) == rows and all(len(row) == columns for row in shown)
    assert words(shown[-2]).startswith("00:00:42.5  0.25x")


def test_on_80_by_24_hardly_two_leds_share_a_pixel() -> None:
    assert len(set(LedMap(BOARD, 80, 21).pixel_of)) > 0.9 * BOARD.leds


def test_the_lines_below() -> None:
    view = View(
        bytes(3 * BOARD.leds), 42_512_000, 250, 17, 48, [BoardView("desk", True, 40, 411), BoardView("hall", False)],
        ["link 3-17 down"], "meter-3: something", legend=legend("safe"),
    )  # fmt: skip
    said, status, colours = map(words, screen(BOARD, view, 100, 30)[-3:])
    assert said == "meter-3: something"
    assert status == "00:00:42.5  0.25x  read 17 of 48  desk 40 fps  hall offline  link 3-17 down"
    assert colours == "● RREQ  ● RREP  ● request  ● answer  ● fault  ● read  ● joined"
    view.note, view.permille = "broker gone", 0
    said, status, _ = map(words, screen(BOARD, view, 100, 30)[-3:])
    assert said == "broker gone" and "  paused  " in status


def test_without_colours_letters_say_it() -> None:
    view = View(frame(FEEDER, led0=WHITE, led1=(0, 0, 20), led3=AMBER, led6=(255, 0, 90)), legend=legend("safe"))
    shown = [words(row) for row in screen(FEEDER, view, 20, 10, None)]
    picture = [row for row in shown[:7] if row]
    assert "".join(picture).translate(str.maketrans("", "", " ·")) == "OrXD"
    assert shown[-1].startswith("R RREQ")


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_has_a_legend(theme: str) -> None:
    said = legend(theme)
    assert len({colour for _, colour in said}) == len(said)
    assert {"read", "joined"} < {word for word, _ in said}


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((0, 40, 255), "R"), ((0, 150, 255), "R"), ((255, 120, 0), "D"), ((255, 200, 70), "D"), ((255, 0, 90), "X"),
     ((255, 255, 255), "O"), ((10, 10, 10), "o"), ((0, 255, 0), "O"), ((0, 2, 12), "r"), ((0, 0, 0), "")],
)  # fmt: skip
def test_letters(colour: tuple[int, int, int], expected: str) -> None:
    assert letter(*colour) == expected


def test_only_changed_lines_are_written() -> None:
    terminal, drawn = console(80, 24), LedScreen(BOARD)
    painter, file = Painter(terminal), terminal.file
    assert isinstance(file, io.StringIO)
    painter.paint(drawn)
    first = len(file.getvalue())
    painter.paint(drawn)
    assert len(file.getvalue()) == first
    drawn.view = View(said="something")
    painter.paint(drawn)
    assert "something" in file.getvalue()[first:] and len(file.getvalue()) - first < first / 10


def test_keys() -> None:
    assert keys_of("q \x1b[Cb\x1b[Dx") == ["q", " ", "right", "b", "left", "x"]
    with Keys() as keys:  # no terminal here
        assert not keys.there and keys.pressed() == []


# -- what is said


def test_a_weighty_sentence_stays_and_an_idle_one_does_not() -> None:
    said = Said()
    lost = ev.RouteLost(5, 47, 48, 44, "no ack")
    asked = ev.Rreq(6, 0, "sent", 65535, 0, 48, 1, 0, 0, 8, 0, "")
    said.take(lost, 1000)
    assert said.text == "meter-47: route to meter-48 via meter-44 is gone: the next hop does not answer"
    said.take(asked, 1500)
    assert said.text.startswith("meter-47")
    said.take(asked, 3500)
    assert said.text == "coordinator: RREQ for meter-48 sent, to everybody, sequence number 1"
    for idle in (ev.TxEnd(7, 0, 1), asked._replace(action="forwarded"), ev.Power(0, 3, 1, 1)):
        said.take(idle, 9000)
        assert said.text.startswith("coordinator")


def test_meters_read() -> None:
    readings = Readings()
    done = ev.ReadDone(1, 0, 7, bytes(6), 2, "1", "Wh", 1, 1, 10, 1)
    for event in (done, done, done._replace(meter=8)):
        readings.take(event)
    assert readings.read == 2
    readings.take(ev.Collection(2, 0, "started", 48, 0, 0))
    assert readings.read == 0
    readings.take(ev.Collection(3, 0, "progress", 48, 31, 0))
    assert readings.read == 31


# -- messages of a broker


CONFIG = LedConfig(7, FEEDER.leds, 40, "tiny", FEEDER.sha256, "safe", 3000, 1000)


def message(watch: LedWatch, rest: str, payload: bytes, now_ms: int = 1000) -> None:
    watch.take(TOPICS.prefix + rest, payload, now_ms)


def test_the_screen_of_a_broker() -> None:
    watch = LedWatch(TOPICS, CONFIG, FEEDER, 0)
    picture = frame(FEEDER, led2=AMBER)
    for sent in FrameWriter(7, FEEDER.leds).write(picture, 500):
        message(watch, "led/frame", sent.payload)
    message(watch, "clock", ClockRecord(9, 1, 10_000_000_000, 42_000_000, 250).encode())
    message(watch, "board/desk/status", BoardStatus(True, fps=39, led_count=7).encode())
    message(watch, "fault/3", FaultRecord(9, 3, FaultOrder("link", "1-2", "down"), 42_000_000, 0, "me").encode())
    event = ev.ReadDone(42_000_000, 0, 2, bytes(6), 2, "1", "Wh", 1, 1, 10, 1)
    message(watch, "event/0/ReadDone", event_map.encode(event))
    view = watch.view(1500, 12_000_000_000, True)
    assert view.frame == picture
    assert (view.t_us, view.permille, view.read, view.meters) == (42_500_000, 250, 1, 2)
    assert view.boards == [BoardView("desk", True, 39, 7)]
    assert view.faults == ["fault 3: link 1-2 down"]
    assert view.said.startswith("coordinator: meter-2 read") and not view.note
    message(watch, "board/desk/status", b'{"online": false}')
    message(watch, "fault/3", b"")
    view = watch.view(1500, 12_000_000_000, True)
    assert view.boards == [BoardView("desk", False, 0, 7)] and view.faults == []
    assert watch.refused == 0


def test_a_darkened_board_is_seen_at_full_brightness() -> None:
    watch = LedWatch(TOPICS, CONFIG, FEEDER, 0)
    for sent in FrameWriter(7, FEEDER.leds).write(frame(FEEDER, led2=(100, 50, 5)), 500):
        message(watch, "led/frame", sent.payload)
    message(watch, "led/config", LedConfig(7, 7, 40, "tiny", FEEDER.sha256, "safe", 3000, 500).encode())
    assert watch.view(1500, 0, True).frame == frame(FEEDER, led2=(200, 100, 10))


def test_what_is_out_of_order_is_said() -> None:
    watch = LedWatch(TOPICS, CONFIG, FEEDER, 0)
    assert watch.view(100, 0, True).note == ""
    assert watch.view(100, 0, False).note == "broker gone, waiting for it"
    assert "silent" in watch.view(3100, 0, True).note
    for sent in FrameWriter(7, 9).write(bytes(27), 500):
        message(watch, "led/frame", sent.payload)
    assert watch.view(1500, 0, True).note == "the frames are for 9 LEDs, the gateway's feeder has 7"


@given(
    st.sampled_from(["led/frame", "led/frame/0", "led/config", "clock", "fault/1", "board/x/status", "event/1/Rerr"]),
    st.binary(max_size=60) | st.dictionaries(st.sampled_from(["online", "run", "fps"]), st.integers()).map(
        lambda fields: json.dumps(fields).encode()),
)  # fmt: skip
def test_any_message(rest: str, payload: bytes) -> None:
    watch = LedWatch(TOPICS, CONFIG, FEEDER, 0)
    message(watch, rest, payload)
    watch.view(1500, 0, True)


def test_other_peoples_words_do_not_move_the_cursor() -> None:
    watch = LedWatch(TOPICS, CONFIG, FEEDER, 0)
    message(watch, "board/\x1b[2J/status", b'{"online": true}')
    assert watch.view(0, 0, True).boards == [BoardView("?[2J", True, 0, 0)]


# -- the command


@pytest.fixture(scope="module")
def row4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("row4") / "run"
    assert CliRunner().invoke(app, ["simulate", "row4", "-q", "--out", str(folder)]).exit_code == 0
    return folder


def call(*given: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in given], env={"COLUMNS": "100"})


def refused(result: Result, reason: str, code: int = 1) -> None:
    assert result.exit_code == code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("gridglow: ") and reason in lines[0], result.stderr


def test_one_picture_of_a_recorded_run(row4: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    result = call("leds", row4, "--from", "4", "--once")
    assert result.exit_code == 0 and "read" in result.stdout and "o" in result.stdout
    assert call("leds", row4, "--from", "4", "--svg", picture).exit_code == 0
    text = picture.read_text()
    assert "<svg" in text and "▀" in text and "joined" in text


def test_bad_input(row4: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(call("leds", tmp_path / "nowhere"), "nowhere: no such folder")
    refused(call("leds", tmp_path / "empty"), "no events.jsonl in it")
    refused(call("leds", row4), "here is no terminal: --once prints a picture", 2)
    refused(call("leds", ""), "a path cannot be empty", 2)
    refused(call("leds", row4, "--theme", "pink"), "--theme pink: unknown; allowed: safe, classic, mono, calm", 2)
    refused(call("leds", row4, "--speed", "0"), "--speed 0: allowed: 0.01 to 64 times real time", 2)
    refused(call("leds", row4, "--speed", "nan"), "--speed nan: allowed: 0.01 to 64 times real time", 2)
    refused(call("leds", row4, "--from", "1e300"), "--from 1e+300: the run ends at ", 2)
    refused(call("leds", row4, "--from", "inf", "--once"), "--from inf: the run ends at ", 2)
    refused(call("leds", "--theme", "mono"), "--theme is for a recorded run; a live light is set", 2)
    refused(call("leds", row4, "--follow", "9"), "--follow 9: the run has the stations 0 to 3", 2)
    refused(call("leds", row4, "--svg", tmp_path / "no" / "x.svg"), "x.svg: No such file")
    refused(call("leds", "--broker", "ftp://x"), "--broker", 2)
    refused(call("leds", "--broker", "mqtt://127.0.0.1:1"), "no broker at mqtt://127.0.0.1:1")
    refused(call("leds", "--feeder", "nowhere"), "--feeder nowhere: no such file", 2)
    refused(call("leds", "--pan", "xyz"), "pan", 2)
