"""The firmware as it is against a real mosquitto, with the real umqtt: what is sent is what the strip is given."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from emulation.grid.feeder import Feeder
from emulation.scenario import loads
from g3plc.events import Event
from gridglow.simulate import run
from led_gateway.board import Board
from led_gateway.frame import KEY, Frame, encode
from led_gateway.frame_writer import FrameWriter, to_grb
from led_gateway.replay import Replay
from led_gateway.show import Show

pytestmark = pytest.mark.live

BACK_S = 5.0


def key(pixels: bytes, sequence: int = 0, stamp_ms: int = 0, session: int = 1) -> bytes:
    leds = len(pixels) // 3
    return encode(Frame(KEY, session, sequence, stamp_ms & 0xFFFF, sequence, leds, ((0, pixels),)))


class Sender:
    """A gateway's sending half: pictures of R G B at a pace, through the gateway's own writer."""

    def __init__(self, desk: Any, leds: int, session: int = 77) -> None:
        self._desk = desk
        self._writer = FrameWriter(session, leds)
        self._began = time.monotonic()

    def show(self, rgb: bytes) -> None:
        for message in self._writer.write(rgb, int((time.monotonic() - self._began) * 1000)):
            topic = "led/frame" if message.part is None else f"led/frame/{message.part}"
            self._desk.publish(topic, message.payload, message.retain)

    def show_all(self, pictures: list[bytes], every_s: float = 0.025) -> None:
        began = time.monotonic()
        for n, rgb in enumerate(pictures):
            time.sleep(max(0.0, began + n * every_s - time.monotonic()))
            self.show(rgb)


def pictures(leds: int, count: int) -> list[bytes]:
    """Some that are mostly dark with moving runs, and some of noise."""
    rng = random.Random(leds)
    made = []
    for n in range(count):
        rgb = bytearray(3 * leds)
        for _ in range(6):
            at = rng.randrange(leds - 4)
            rgb[3 * at : 3 * at + 12] = rng.randbytes(12)
        made.append(rng.randbytes(3 * leds) if n % 20 == 7 else bytes(rgb))
    return made


def test_what_the_strip_is_given_is_what_was_sent_pixel_for_pixel(bench: Any, within: Any) -> None:
    board = bench.board(411)
    bench.online()
    sent = pictures(411, 80)
    Sender(bench.desk, 411).show_all(sent)
    wanted = [to_grb(rgb) for rgb in sent]
    within(2, lambda: board.shows(wanted[-1]), "the last picture")
    got = [drawn for drawn in board.drawn() if drawn.octets in wanted]
    places = [wanted.index(drawn.octets) for drawn in got]
    assert places == sorted(places), "in order"
    assert len(got) >= 76, "a busy machine may be late now and then"
    gaps = sorted(b.time_s - a.time_s for a, b in pairwise(got[1:]))
    assert 0.015 < gaps[len(gaps) // 2] < 0.035, "at the pace of the sender"


TRAFFIC = """
title = "A route is found"
feeder = "board"
profile = "demo"
seed = 1
start = 2026-11-23T01:00:00Z
speed = 1.0
limit = 6

[[job]]
at = 1
do = "discover"
station = 17
"""


class Kept:
    """An observer that keeps all events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, events: Sequence[Event]) -> None:
        self.events += events

    def close(self) -> None:
        """Nothing to let go of."""


def test_real_traffic_is_drawn_as_the_renderer_made_it(bench: Any, within: Any) -> None:
    """Three seconds from the search for a route on: events, renderer, gateway's writer, broker, firmware, strip."""
    kept = Kept()
    run(loads(TRAFFIC, "traffic.toml", None), observers=[kept])
    show = Show(Board(Feeder.load("board")))
    replay = Replay(show, kept.events, 1000)
    rendered = []
    for t_ms in range(900, 3900, 25):
        replay.advance(t_ms)
        rendered.append(show.frame(t_ms))
    assert len(set(rendered)) > 60, "there is something to be seen"
    board = bench.board(411, SUPPLY_MA=3000)
    bench.online()
    Sender(bench.desk, 411).show_all(rendered)
    wanted = [to_grb(rgb) for rgb in rendered]
    within(2, lambda: board.shows(wanted[-1]), "the last picture")
    drawn = [one.octets for one in board.drawn()]
    begin = next(i for i, octets in enumerate(drawn) if octets == wanted[0])
    at, missed = 0, 0
    for octets in drawn[begin:]:
        place = next((i for i in range(at, len(wanted)) if wanted[i] == octets), None)
        assert place is not None, "nothing that was not rendered, and in order"
        missed += sum(wanted[i] != wanted[at] for i in range(at + 1, place))
        at = place
    assert missed <= 6, "a busy machine may be late now and then"


def test_several_boards_show_their_slices(bench: Any, within: Any) -> None:
    """One has the picture's LEDs exactly, one fewer, one more, one a piece out of the middle."""
    exact, fewer, more = (bench.board(leds, BOARD_ID=f"b{leds}") for leds in (411, 300, 420))
    piece = bench.board(50, BOARD_ID="piece", FIRST_LED=100)
    rgb = pictures(411, 1)[0]
    grb = to_grb(rgb)
    for name in ("b411", "b300", "b420", "piece"):
        bench.online(name)
    bench.desk.publish("led/frame", key(grb), retain=True)
    within(3, lambda: exact.shows(grb), "all")
    within(3, lambda: fewer.shows(grb[:900]), "what fits")
    within(3, lambda: more.shows(grb + bytes(27)), "all, and dark LEDs")
    within(3, lambda: piece.shows(grb[300:450]), "the piece")

    def said(name: str) -> Any:
        status = bench.desk.last(f"board/{name}/status")
        return status["leds_shown"] and (status["led_count"], status["leds_shown"], status["message"])

    assert within(3, lambda: said("b300"), "it says so") == (
        300,
        300,
        "pictures of 411 LEDs, this strip is LEDs 0 to 299",
    )
    assert within(3, lambda: said("b420"), "it says so")[:2] == (420, 411)
    assert within(3, lambda: said("piece"), "it says so")[2] == "pictures of 411 LEDs, this strip is LEDs 100 to 149"


def test_a_big_picture_comes_in_parts(bench: Any, within: Any) -> None:
    board = bench.board(400, FIRST_LED=1200)
    bench.online()
    bench.desk.publish("led/config", json.dumps({"session": 77, "leds": 2000, "parts": 2}), retain=True)
    sender = Sender(bench.desk, 2000)
    sent = pictures(2000, 12)
    time.sleep(0.3)
    sender.show_all(sent)
    within(2, lambda: board.shows(to_grb(sent[-1])[3600:4800]), "the last picture's middle")


def test_bad_messages_are_counted_and_never_shown(bench: Any, within: Any) -> None:
    board = bench.board(60)
    bench.online()
    good, junk = bytes([1, 2, 3]) * 60, random.Random(3)
    bench.desk.publish("led/frame", key(good), retain=True)
    within(3, lambda: board.shows(good), "the good one")
    before = len(board.drawn())
    whole = key(bytes([200]) * 180, sequence=1)
    bad = [b"\x01", whole[:-1], whole + b"\0", b"{}", bytes(300_000), junk.randbytes(70_000), junk.randbytes(4_400)]
    for payload in bad + [junk.randbytes(junk.randrange(200)) for _ in range(200)]:
        bench.desk.publish("led/frame", payload or b"?")
    for text in ("{", "[]", '{"parts": "x"}', "{}", "\0" * 50_000):
        bench.desk.publish("led/config", text, retain=True)
    bench.desk.publish("led/frame", b"")
    better = bytes([3, 2, 1]) * 60
    bench.desk.publish("led/frame", key(better, sequence=2))
    within(4, lambda: board.shows(better), "the next good one")
    assert {drawn.octets for drawn in board.drawn(before)} <= {good, better}
    assert board.console.count("broker:") == 1, "the connection stood through it all"
    board.control(0, False)
    within(3, lambda: not bench.desk.last("board/1/status")["online"], "a status is new")
    board.control(0, True)
    assert bench.online()["malformed"] == len(bad) + 200 + 5 + 1, "and the retained one once more"


@pytest.mark.parametrize("bomb", [b"[" * 1000, b"[" * 4000, b'{"a":' * 800, b'{"parts":' + b"9" * 4000 + b"}"])
def test_a_configuration_that_bursts_the_heap_is_no_configuration(bench: Any, within: Any, bomb: bytes) -> None:
    """Retained, it comes again with every connection."""
    bench.desk.publish("led/config", bomb, retain=True)
    board = bench.board(411)
    assert bench.online()["led_count"] == 411
    rgb = pictures(411, 1)[0]
    bench.desk.publish("led/frame", key(rgb))
    within(3, lambda: board.shows(rgb), "the picture")
    assert board.console.count("broker:") == 1, "the connection stands"


def test_messages_in_pieces_are_whole(bench: Any, within: Any) -> None:
    """Pieces of 100 octets, and after every 12 kB a pause of 0.4 s in the middle of a message."""
    board = bench.board(411, BROKER_PORT=bench.trickle(100, 12_000, 0.4).port)
    bench.online()
    sent = [bytes([n % 7 + 1]) * (3 * 411) for n in range(40)]
    Sender(bench.desk, 411).show_all(sent, every_s=0.05)
    within(3, lambda: board.shows(sent[-1]), "the last picture")
    drawn = [one.octets for one in board.drawn()]
    assert set(drawn[drawn.index(sent[0]) :]) <= set(sent), "no mixture of two"
    assert board.console.count("broker:") == 1, "the connection stood"


def test_the_broker_dies_and_comes_back(bench: Any, within: Any) -> None:
    board = bench.board(411)
    bench.online()
    sent = pictures(411, 30)
    sender = Sender(bench.desk, 411)
    sender.show_all(sent[:10])
    within(2, lambda: board.shows(to_grb(sent[9])), "before")
    died = len(board.drawn())
    bench.broker.kill()
    breath = within(5, lambda: board.drawn(died), "without frames for 3 s it breathes")
    assert breath[0].octets[3:6] == bytes([breath[0].octets[3]]) * 3
    assert breath[0].octets[:3] == bytes([30, 64, 0]), "the first LED says that the broker is missing"
    bench.broker.start()
    back = time.monotonic()
    within(10, lambda: bench.desk.up, "the test is connected")
    while not board.shows(to_grb(sent[20])):
        sender.show(sent[20])
        assert time.monotonic() - back < BACK_S, "back in time"
        time.sleep(0.025)
    sender.show_all(sent[21:])
    within(2, lambda: board.shows(to_grb(sent[29])), "and on it goes")


def test_a_broker_that_hangs_is_left_and_found_again(bench: Any, within: Any) -> None:
    board = bench.board(30)
    bench.online()
    bench.broker.freeze(True)
    within(9, lambda: "TIMEDOUT" in board.console or "110" in board.console, "its silence is noticed")
    bench.broker.freeze(False)
    woken = len(bench.desk.said)
    within(BACK_S, lambda: len(bench.desk.said) > woken and bench.desk.last("board/1/status")["online"], "back")


def test_status_last_will_and_the_wifi(bench: Any, within: Any) -> None:
    board = bench.board(30, SELF_TEST_S=0)
    status = bench.online()
    assert status["firmware"]
    assert (status["led_count"], status["order"], status["rssi"], status["message"]) == (30, "GRB", -57, "")
    assert status["heap_free"] > 10_000
    assert ["wifi", "pm", "0"] in board.journal
    board.control(0, False)
    within(3, lambda: bench.desk.last("board/1/status") == {"online": False}, "its last will")
    within(
        3, lambda: board.drawn()[-1].octets[:3] == bytes([0, 64, 22]), "the first LED says that the Wi-Fi is missing"
    )
    board.control(0, True)
    within(BACK_S, lambda: bench.desk.last("board/1/status")["online"], "back")
    board.kill()
    within(3, lambda: bench.desk.last("board/1/status") == {"online": False}, "its last will")


def test_a_flooding_broker_neither_stops_the_board_nor_its_watchdog(bench: Any, within: Any) -> None:
    board = bench.board(411, WATCHDOG_S=2)
    bench.online()
    sender, sent = Sender(bench.desk, 411), pictures(411, 600)
    sender.show_all(sent, every_s=0.002)
    sender.show(bytes([9]) * 1233)
    within(4, lambda: board.shows(bytes([9]) * 1233), "the last picture")
    seen = {to_grb(rgb) for rgb in sent}
    drawn = [one for one in board.drawn() if one.octets in seen]
    assert len(drawn) >= 30
    assert not any(line[0] == "bitten" for line in board.journal)
