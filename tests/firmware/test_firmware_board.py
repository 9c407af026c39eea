"""What the board does by itself: power limit, colours, buttons, watchdog, self-test, loop, settings."""

from __future__ import annotations

import time
from typing import Any

import pytest

from emulation.grid.feeder import Feeder
from gridglow.board_config import ConfigError, config_text
from led_gateway.frame import DELTA, KEY, Frame, encode
from led_gateway.recording import RecordingWriter

pytestmark = pytest.mark.live

SETTINGS = """
import gc, json
gc.threshold(8192)
from glow.settings import SettingsError, read
try:
    found = read()
    print(json.dumps([found.BROKER, found.BROKER_PORT, found.PREFIX, found.BOARD_ID, found.WIFI_SSID,
                      found.WIFI_PASSWORD, found.LED_COUNT, list(found.depths)]))
except SettingsError as error:
    print(json.dumps(str(error).split("\\n")))
"""


def key(pixels: bytes, sequence: int = 0) -> bytes:
    return encode(Frame(KEY, 1, sequence, 0, sequence, len(pixels) // 3, ((0, pixels),)))


def test_power_limit_brightness_and_order(bench: Any, within: Any) -> None:
    """White on 100 LEDs would take 6 A; a dim picture is not touched."""
    limited = bench.board(100, BOARD_ID="limited", SUPPLY_MA=500)
    dimmed = bench.board(100, BOARD_ID="dimmed", BRIGHTNESS=0.25, SUPPLY_MA=500, ORDER="BRG")
    for name in ("limited", "dimmed"):
        bench.online(name)
    bright = bytes([255, 128, 64]) * 50 + bytes([255, 255, 255]) * 50
    bench.desk.publish("led/frame", key(bright), retain=True)
    for board in (limited, dimmed):
        drawn = within(3, lambda board=board: [d for d in board.drawn() if d.octets[3] != d.octets[4]], "it")[-1].octets
        green, red, blue = (drawn[0], drawn[1], drawn[2]) if board is limited else (drawn[2], drawn[1], drawn[0])
        milliamperes = sum(drawn) * 20 / 255
        assert 440 < milliamperes <= 500, "as bright as the supply allows"
        assert max(drawn) == drawn[150] == green, "scaled as a whole"
        assert abs(red - green / 2) <= 1
        assert abs(blue - green / 4) <= 1
    dim = bytes([3, 2, 1]) * 100
    bench.desk.publish("led/frame", key(dim, 1))
    within(3, lambda: limited.shows(dim), "as it was sent")


def test_buttons(bench: Any, within: Any) -> None:
    board = bench.board(10, BUTTON_PINS=(25, 26))
    bench.online()

    def said() -> list[tuple[int, str]]:
        return [(p["button"], p["press"]) for _, topic, p in bench.desk.said if topic == "board/1/button"]

    board.control(25, True)
    time.sleep(0.2)
    assert not said(), "a short press is one when it is let go"
    board.control(25, False)
    within(1, lambda: said() == [(1, "short")], "a short press")
    board.control(26, True)
    within(2, lambda: said()[1:] == [(2, "long")], "a long press, while it is held")
    board.control(26, False)
    time.sleep(0.2)
    for _ in range(3):
        board.control(25, True)
        time.sleep(0.004)
        board.control(25, False)
        time.sleep(0.004)
    time.sleep(0.2)
    assert len(said()) <= 3, "bounces are at most one press"


def test_the_watchdog_is_fed_and_bites(bench: Any, within: Any) -> None:
    board = bench.board(10, WATCHDOG_S=2)
    bench.online()
    within(3, lambda: [line for line in board.journal if line[0] == "fed"], "fed")
    assert ["watchdog", "2000"] in board.journal
    board.freeze(True)
    time.sleep(2.2)
    board.freeze(False)
    assert board.ended() == 8
    board.control(63, True)
    board.start()
    within(6, lambda: "watchdog" in bench.desk.last("board/1/status").get("message", ""), "and says so afterwards")


def test_self_test_runs_from_the_root_to_the_leaves_and_the_loop_follows(bench: Any, within: Any) -> None:
    """A trunk of LEDs 0 to 3 with two branches, 4 to 9 and 10 to 19; then a recording of three pictures."""
    folder = bench.folder / "board0"
    folder.mkdir()
    pictures = [bytes([1, 0, 0]) * 20, bytes([0, 1, 0]) * 20, bytes([0, 1, 0]) * 19 + bytes(3)]
    with open(folder / "loop.glow", "wb") as file:
        recording = RecordingWriter(file)
        recording.put(0, key(pictures[0]))
        recording.put(200, key(pictures[1], 1))
        recording.put(400, encode(Frame(DELTA, 1, 2, 0, 1, 20, ((19, bytes(3)),))))
    board = bench.board(
        20, SELF_TEST_S=1, LOOP_FILE="loop.glow", BRANCHES=((0, 3, -1), (4, 9, 3), (10, 19, 3)), BROKER="192.0.2.1"
    )
    within(8, lambda: len([d for d in board.drawn() if d.octets == pictures[2]]) >= 2, "the loop, twice")
    drawn = [one.octets for one in board.drawn()]
    test = drawn[: drawn.index(pictures[0])]
    seen: list[int] = []
    for octets in test:
        lit = {channel for n in range(0, 60, 3) for channel in range(3) if octets[n + channel]}
        assert len(lit) <= 1
        seen += [channel for channel in lit if not seen or seen[-1] != channel]
        assert octets[12:30] == octets[30:48], "both branches at once"
    assert seen == [1, 0, 2], "red, green, blue"
    first = [min(i for i, octets in enumerate(test) if any(octets[3 * led : 3 * led + 3])) for led in range(4)]
    assert first == sorted(first)
    loop = drawn[len(test) :]
    assert [a for a, b in zip(loop, [None, *loop], strict=False) if a != b][:4] == [*pictures, pictures[0]]


def test_a_loop_that_is_none_is_said_and_left(bench: Any, within: Any) -> None:
    folder = bench.folder / "board0"
    folder.mkdir()
    (folder / "loop.glow").write_bytes(b"GLOWREC1" + bytes(5))
    board = bench.board(20, LOOP_FILE="loop.glow")
    assert bench.online()["message"] == "loop.glow: a bad record"
    within(2, lambda: board.drawn() and board.drawn()[-1].octets[30] > 0, "it breathes")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, ["there is no config.py: see README.md"]),
        ("LED_COUNT = ", ["config.py cannot be read: SyntaxError"]),
        ("WIFI_SSID = 'a'\nBROKER = 'b'\n", ["LED_COUNT = 0: allowed is 1 to 1440"]),
        (
            "LED_COUNT = 'many'\nORDR = 'RGB'\nBROKER_PORT = 70000\n",
            [
                "LED_COUNT = 'many': wanted is something like 0",
                "BROKER_PORT = 70000: allowed is 1 to 65535",
                "ORDR: no such setting",
            ],
        ),
        (
            "LED_COUNT = 4\nORDER = 'GGG'\nBOARD_ID = 'a/b'\nBUTTON_PINS = (1, 2, 3, 4)\nBRANCHES = ((3, 2, 1),)\n",
            ["WIFI_SSID is empty", "BROKER is empty", "BOARD_ID = 'a/b'", "ORDER = 'GGG'", "BUTTON_PINS", "BRANCHES"],
        ),
    ],
)
def test_wrong_settings_are_said_all_at_once(
    config: str | None, said: list[str], run_script: Any, tmp_path: Any
) -> None:
    if config is not None:
        (tmp_path / "config.py").write_text(config)
    found = run_script(SETTINGS, folder=tmp_path)
    assert len(found) == len(said)
    for line in said:
        assert any(one.startswith(line) for one in found), (line, found)


def test_wrong_settings_leave_the_board_at_its_console(bench: Any) -> None:
    board = bench.board(10, ORDER="XYZ")
    assert board.ended() == 0
    assert "ORDER = 'XYZ': allowed are GRB RGB" in board.console


def test_secrets_win_over_the_configuration(run_script: Any, tmp_path: Any) -> None:
    (tmp_path / "config.py").write_text(config_text("mqtt://broker.example", 0x781D, "1", 6, [], wifi_ssid="other"))
    (tmp_path / "secrets.py").write_text("WIFI_SSID = 'net'\nWIFI_PASSWORD = 'word'\n")
    assert run_script(SETTINGS, folder=tmp_path)[4:6] == ["net", "word"]


def test_a_configuration_for_the_running_broker_is_what_the_board_reads(run_script: Any, tmp_path: Any) -> None:
    feeder = Feeder.load("board")
    branches = [(branch.first, branch.last, branch.parent) for branch in feeder.branches]
    text = config_text(
        "mqtt://us%22er:p%5Cw@10.1.2.3:1999",
        0xBEEF,
        "hall-2",
        feeder.leds,
        branches,
        wifi_ssid='a "net"',
        wifi_password="ü\n",
    )
    (tmp_path / "config.py").write_text(text)
    broker, port, prefix, board_id, ssid, password, leds, depths = run_script(SETTINGS, folder=tmp_path)
    assert (broker, port, prefix, board_id) == ("10.1.2.3", 1999, "gridglow/1/beef", "hall-2")
    assert (ssid, password, leds) == ('a "net"', "ü\n", 411)
    assert depths == list(feeder.depth)


def test_the_example_is_the_configuration_of_the_shipped_feeder(firmware: Any) -> None:
    feeder = Feeder.load("board")
    branches = [(branch.first, branch.last, branch.parent) for branch in feeder.branches]
    text = config_text("mqtt://192.168.1.10:1883", 0x781D, "1", feeder.leds, branches)
    assert (firmware / "config.example.py").read_text() == text


@pytest.mark.parametrize(
    "wrong", [{"broker_url": "mqtts://a"}, {"board_id": "a/b"}, {"leds": 0}, {"leds": 1441}, {"order": "RGBW"}]
)
def test_configurations_that_no_board_could_use_are_refused(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"broker_url": "mqtt://a", "pan": 1, "board_id": "1", "leds": 4, "branches": []}
    with pytest.raises(ConfigError):
        config_text(**(right | wrong))
