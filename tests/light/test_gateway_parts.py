"""The gateway's parts without a broker: queue, display time, settings, buttons, what a status is believed for."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.grid import fault
from emulation.live.command_line import OptionError
from emulation.live.rate import BoundedLog
from emulation.live.records import FaultRecord
from emulation.live.status_record import StatusRecord
from emulation.live.topics import PayloadError
from g3plc import events as ev
from led_gateway import boards
from led_gateway.board_record import BoardStatus, ButtonPress
from led_gateway.boards import Boards, Command, PressError, Situation
from led_gateway.command_line import ddp_hosts, options_of
from led_gateway.display_clock import DisplayClock
from led_gateway.gateway_status import GatewayStatus
from led_gateway.inlet import MOST_EVENTS, MOST_RECORDS, Inlet
from led_gateway.meter import Meter
from led_gateway.model import Stands
from led_gateway.settings import SettingError, Settings
from led_gateway.station_view import StationView
from led_gateway.themes import THEMES

# -- the queue


def through(fill: object) -> tuple[list[tuple[str, bytes]], int, list[int]]:
    """What comes out of an inlet that was filled in one go; what was dropped; how many had come out at each turn."""
    came: list[tuple[str, bytes]] = []
    turns: list[int] = []

    async def inside() -> int:
        loop = asyncio.get_running_loop()
        inlet = Inlet(
            loop, lambda topic, payload, at: came.append((topic, payload)), BoundedLog(logging.getLogger("t"))
        )
        fill(inlet)  # type: ignore[operator]
        while inlet.waiting:
            await asyncio.sleep(0)
            turns.append(len(came))
        inlet.close()
        return inlet.dropped

    return came, asyncio.run(inside()), turns


def test_events_keep_their_order_and_the_oldest_are_dropped() -> None:
    def fill(inlet: Inlet) -> None:
        for number in range(MOST_EVENTS + 500):
            inlet.event("e", number.to_bytes(4, "big"))

    came, dropped, _ = through(fill)
    assert dropped == 500
    assert [int.from_bytes(payload, "big") for _, payload in came] == list(range(500, MOST_EVENTS + 500))


def test_of_records_the_newest_counts_and_each_of_the_clocks() -> None:
    def fill(inlet: Inlet) -> None:
        for number in range(10):
            inlet.record("status/1", b"%d" % number)
            inlet.each("clock", b"%d" % number)
        inlet.event("e", b"")

    came, dropped, _ = through(fill)
    assert dropped == 9
    assert [payload for topic, payload in came if topic == "clock"] == [b"%d" % number for number in range(10)]
    assert ("status/1", b"9") in came and came[-1] == ("e", b"")


def test_records_are_bounded_too() -> None:
    came, dropped, _ = through(lambda inlet: [inlet.record(f"status/{n}", b"") for n in range(MOST_RECORDS + 7)])
    assert (len(came), dropped) == (MOST_RECORDS, 7)


def test_a_turn_ends_before_all_is_done() -> None:
    async def inside() -> int:
        turns = 0
        loop = asyncio.get_running_loop()

        def work(topic: str, payload: bytes, at: float) -> None:
            end = loop.time() + 0.001
            while loop.time() < end:
                pass

        inlet = Inlet(loop, work, BoundedLog(logging.getLogger("t")))
        for _ in range(30):
            inlet.event("e", b"")
        while inlet.waiting:
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(inside()) >= 5


# -- display time


def test_display_time_runs_stands_and_steps() -> None:
    clock = DisplayClock(1000.0)
    assert clock.advance(1100.0) == 100
    clock.pace(250, False)
    assert clock.advance(1200.0) == 200
    clock.released(900)
    clock.pace(0, False)
    assert clock.advance(5000.0) == 200
    clock.pace(250, True)
    assert clock.advance(5050.0) == 250
    clock.released(700)
    clock.pace(0, False)
    assert clock.advance(5100.0) == 300
    assert clock.advance(9000.0) == 700
    clock.released(800)
    assert clock.advance(9999.0) == 800
    clock.pace(1000, False)
    assert clock.advance(10_099.0) == 900
    clock.pace(0, False)
    clock.released(5000)
    assert clock.advance(20_000.0) == 900
    clock.idle()
    assert clock.advance(20_100.0) == 1000
    assert clock.advance(20_000.0) == 1000


# -- settings


@pytest.mark.parametrize(
    ("word", "text", "value"),
    [
        ("theme", "mono", "mono"), ("follow", "0", 0), ("follow", " 48\n", 48), ("follow", "off", None),
        ("brightness", "0", 0.0), ("brightness", "1.0", 1.0), ("brightness", ".25", 0.25),
        ("brightness", "0.333", 0.333),
        ("fps", "5", 5), ("fps", "60", 60), ("hold_s", "1", 1), ("hold_s", "3600", 3600), ("hold_s", "off", 0),
    ],
)  # fmt: skip
def test_settings(word: str, text: str, value: object) -> None:
    settings = Settings()
    settings.set(word.removesuffix("_s"), text.encode(), 49, 100.0)
    assert getattr(settings, word) == value
    if word == "hold_s":
        assert settings.hold_until_s == 100 + settings.hold_s


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("theme", ""), ("theme", "Safe"), ("follow", "49"), ("follow", "-1"), ("follow", "1.5"), ("follow", "\u0663"),
        ("brightness", "1.001"), ("brightness", "1e-3"), ("brightness", "-0"), ("brightness", "nan"),
        ("brightness", ""),
        ("brightness", "0.1234"), ("fps", "4"), ("fps", "61"), ("fps", "40.0"), ("hold", "0"), ("hold", "3601"),
        ("hold", "on"), ("colour", "red"), ("theme", "x" * 10_000),
    ],
)  # fmt: skip
def test_wrong_settings_change_nothing_and_say_what_is_allowed(word: str, text: str) -> None:
    settings = Settings()
    with pytest.raises(SettingError, match="; allowed: ") as refused:
        settings.set(word, text.encode(), 49, 0.0)
    assert settings == Settings()
    assert len(str(refused.value)) < 200 and str(refused.value).isascii()


@given(st.sampled_from(["theme", "follow", "brightness", "fps", "hold", "x"]), st.binary(max_size=100))
def test_any_octets_are_a_setting_or_refused(word: str, payload: bytes) -> None:
    try:
        Settings().set(word, payload, 49, 0.0)
    except SettingError as error:
        assert str(error).isascii()


def test_themes_come_in_turn() -> None:
    settings = Settings()
    seen = []
    for _ in THEMES:
        seen.append(settings.theme)
        settings.next_theme()
    assert sorted(seen) == sorted(THEMES)
    assert settings.theme == Settings().theme


# -- buttons

LINK = FaultRecord(1, 3, fault.parse("link", "3-17", "down", 49, 411), 0, 0, "x")
CUT = FaultRecord(1, 4, fault.parse("cable", "212", "cut", 49, 411), 0, 0, "x")
NOISE = FaultRecord(1, 5, fault.parse("noise", "17", "30", 49, 411), 0, 0, "x")


@pytest.mark.parametrize(
    ("button", "press", "situation", "expected"),
    [
        (1, "short", Situation(1000, 1000, None, []), [Command("collect", "")]),
        (1, "long", Situation(1000, 1000, None, []), []),
        (2, "short", Situation(1000, 1000, 48, []), [Command("link/route 48", "down for 30")]),
        (2, "long", Situation(1000, 1000, 48, []), []),
        (2, "long", Situation(0, 0, 5, [LINK, CUT, NOISE]), [Command("link/3-17", "up"), Command("cable/212", "mend")]),
        (3, "short", Situation(250, 250, None, []), [Command("speed", "0")]),
        (3, "short", Situation(0, 250, None, []), [Command("speed", "0.25")]),
        (3, "short", Situation(0, 16_000, None, []), [Command("speed", "16")]),
        (3, "short", Situation(0, 0, None, []), [Command("speed", "0.25")]),
        (3, "long", Situation(0, 0, None, []), [Command("reset", "")]),
    ],
)  # fmt: skip
def test_what_a_press_means(button: int, press: str, situation: Situation, expected: list[Command]) -> None:
    assert boards.commands(ButtonPress(button, press), situation) == expected


def test_a_route_that_is_not_there_cannot_be_broken() -> None:
    with pytest.raises(PressError, match="no route"):
        boards.commands(ButtonPress(2, "short"), Situation(1000, 1000, None, []))


def test_boards_are_bounded_and_an_offline_one_is_remembered() -> None:
    seen = Boards()
    for number in range(boards.MOST_BOARDS + 3):
        seen.status("t", f"b{number}", BoardStatus(True, late=number).encode())
    assert (len(seen.shown()), seen.refused) == (boards.MOST_BOARDS, 3)
    seen.status("t", "b7", b'{"online": false}')
    assert [(board["online"], board["late"]) for board in seen.shown() if board["id"] == "b7"] == [(False, 7)]
    seen.status("t", "b7", b"")
    assert len(seen.shown()) == boards.MOST_BOARDS - 1
    with pytest.raises(PayloadError):
        seen.status("t", "a b", b'{"online": true}')


def test_presses_bounce() -> None:
    seen, payload = Boards(), ButtonPress(1, "short").encode()
    pressed = [seen.press("t", "desk", payload, at) is not None for at in (5.0, 5.1, 5.19, 5.21, 5.3, 5.42)]
    assert pressed == [True, False, False, True, False, True]
    assert seen.press("t", "other", payload, 5.3) == ButtonPress(1, "short")


# -- what a status is believed for


def status(routes: list[list[int]], online: bool = True, run: int = 7, state: str = "on") -> bytes:
    return StatusRecord(online, "x", 3, state=state, run=run, routes=routes).encode()


def test_a_status_counts_at_once_when_nothing_is_known_and_else_when_it_is_steady() -> None:
    view, direct, around = StationView(), [[0, 0, 1]], [[0, 2, 2]]
    told = Stands(3, True, True, ((0, 0, 1),))
    assert view.status("t", 3, status(direct), 7) == (told, 0)
    assert view.status("t", 3, status(direct), 7) == (None, 0)
    view.touched(ev.RouteSet(5, 3, 0, 2, 9, 2, 0, 1, 99))
    assert view.status("t", 3, status(direct), 7) == (None, 0), "said before the event, perhaps"
    assert view.status("t", 3, status(around), 7) == (None, 0)
    assert view.status("t", 3, status(around), 7) == (Stands(3, True, True, ((0, 2, 2),)), 0)
    view.doubt_all()
    assert view.status("t", 3, status(direct), 7) == (told, 0)


def test_a_station_that_is_gone_is_gone_at_once() -> None:
    view, gone = StationView(), Stands(3, False, False, ())
    view.status("t", 3, status([[0, 0, 1]]), 7)
    assert view.status("t", 3, status([], online=False, run=0), 7) == (gone, 0)
    assert view.status("t", 3, status([], online=False, run=0), 7) == (None, 0)
    assert view.status("t", 3, status([[0, 0, 1]], run=8), 7) == (None, 1)
    assert view.status("t", 3, status([[0, 0, 1]], state="waiting"), 7) == (None, 0)


@pytest.mark.parametrize("routes", [5, [[1, 2]], [[1, 2, "3"]], [[1, 2, -1]], [None], [[1, 2, 3]] * 3000])
def test_routes_that_are_none(routes: object) -> None:
    payload = status([]).replace(
        b'"routes":[]', b'"routes":' + repr(routes).replace("'", '"').replace("None", "0").encode()
    )
    with pytest.raises(PayloadError):
        StationView().status("t", 3, payload, 7)


def test_the_farthest_meter_is_the_one_with_the_most_hops() -> None:
    view = StationView()
    assert view.farthest() is None
    record = StatusRecord(True, "x", 0, state="on", run=7, routes=[[5, 2, 2], [9, 2, 3], [7, 2, 3], [2, 2, 1]])
    view.status("t", 0, record.encode(), 7)
    assert view.farthest() == 9


# -- the rest


def test_of_two_gateways_the_earlier_one_stays_and_of_two_at_once_the_lower() -> None:
    early, late = GatewayStatus(True, "b", since_ms=1000), GatewayStatus(True, "a", since_ms=10_000)
    assert early.outranks(late) and not late.outranks(early)
    at_once = GatewayStatus(True, "a", since_ms=2000)
    assert at_once.outranks(early) and not early.outranks(at_once)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30))
def test_latency_percentiles(waits: list[float]) -> None:
    meter = Meter()
    for wait in waits:
        meter.settled(100.0)
        meter.published(100.0 + wait)
    ordered = sorted(int(((100.0 + wait) - 100.0) * 1000) for wait in waits)
    assert meter.latencies == len(waits)
    assert meter.latency_ms(100) == ordered[-1]
    assert meter.latency_ms(50) == ordered[(len(ordered) + 1) // 2 - 1]


def test_latency_counts_from_each_event_to_the_next_frame_and_not_through_a_silence() -> None:
    meter = Meter()
    assert meter.latency_ms(99) == 0
    meter.settled(1.0)
    meter.settled(1.25)
    meter.published(1.5)
    meter.settled(2.0)
    meter.silent()
    meter.published(9.0)
    assert (meter.latencies, meter.latency_ms(50), meter.latency_ms(100)) == (2, 250, 500)


def test_options() -> None:
    hosts = ddp_hosts(["wled.local"], "192.0.2.1:5000, b")
    assert [str(host) for host in hosts] == ["wled.local:4048", "192.0.2.1:5000", "b:4048"]
    options = options_of("mqtt://h", "781d", "row4", "info", "25", "calm", "0.3", 5000, hosts)
    assert (options.pan, options.supply_ma, options.settings) == (0x781D, 5000, Settings("calm", None, 0.3, 25))
    assert options.feeder is not None and options.feeder.name == "row4"


@pytest.mark.parametrize(
    "changed",
    [
        {"broker": "http://x"}, {"pan": "12345"}, {"feeder": "/no/such"}, {"level": "loud"}, {"fps": "4"}, {"fps": "²"},
        {"theme": "red"}, {"brightness": "2"}, {"supply_ma": 0},
    ],
)  # fmt: skip
def test_wrong_options_are_named(changed: dict[str, object]) -> None:
    words = {"broker": "mqtt://h", "pan": "781d", "feeder": "", "level": "info", "fps": "40", "theme": "safe",
             "brightness": "0.5", "supply_ma": 3000, "ddp": []}  # fmt: skip
    with pytest.raises(OptionError, match="--"):
        options_of(**{**words, **changed})  # type: ignore[arg-type]


def test_wrong_hosts_are_named() -> None:
    with pytest.raises(OptionError, match="--ddp 'host:0'"):
        ddp_hosts(["host:0"], "")


def test_the_page_names_every_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "led-gateway.md").read_text()
    for option in ("--broker", "--pan", "--feeder", "--fps", "--theme", "--brightness", "--supply", "--ddp"):
        assert f"`{option}" in page
    for name in GatewayStatus.__slots__:
        assert f"`{name}`" in page or name in (
            "online",
            "instance",
            "since_ms",
            "beat_ms",
            "run",
            "session",
            "leds",
            "events",
        )
