"""What no input may make the strip do: flash, flash with much of it at once, flash red, draw more than its supply."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation.grid.feeder import Feeder
from g3plc import events as ev
from g3plc.core import flow
from led_gateway.board import Board
from led_gateway.model import Follow, Forget
from led_gateway.safety import MA_PER_CHANNEL, Limiter
from led_gateway.show import Show
from led_gateway.themes import THEMES

sys.path.append(str(Path(__file__).resolve().parent))

import itertools

from light_cases import CASES, frames, powered, small_board

FULL = 0.2126 + 0.7152 + 0.0722
TENTH = 0.1
SMALL = small_board()
BOARD = Board(Feeder.load("board"))

Film = list[tuple[int, bytes]]
"""(time in ms, frame)."""


def luminances(octets: bytes) -> list[float]:
    """Of each LED, as a share of full white."""
    red, green, blue = octets[0::3], octets[1::3], octets[2::3]
    return [(0.2126 * r + 0.7152 * g + 0.0722 * b) / 255 / FULL for r, g, b in zip(red, green, blue, strict=True)]


def swings(levels: list[tuple[int, float]]) -> list[int]:
    """When an LED has swung by a tenth or more, up or down, since it last turned; it was dark before."""
    extreme, rising, found = 0.0, False, []
    for t_ms, level in levels:
        if (extreme - level if rising else level - extreme) >= TENTH:
            rising, extreme = not rising, level
            found.append(t_ms)
        elif (level > extreme) == rising:
            extreme = level
    return found


def check(film: Film, supply_ma: int) -> None:
    """All limits, on the frames as they go out."""
    shown = [(t_ms, luminances(octets)) for t_ms, octets in film]
    leds = len(shown[0][1])
    for led in range(leds):
        times = swings([(t_ms, levels[led]) for t_ms, levels in shown])
        assert all(later - first > 1000 for first, later in zip(times, times[3:], strict=False)), f"LED {led}: {times}"
    big = [
        t_ms
        for (_, before), (t_ms, now) in itertools.pairwise(shown)
        if 4 * sum(abs(a - b) >= TENTH for a, b in zip(before, now, strict=True)) > leds
    ]
    assert all(later - first > 1000 for first, later in itertools.pairwise(big)), big
    for t_ms, octets in film:
        assert sum(octets) * MA_PER_CHANNEL / 255 <= supply_ma, t_ms


def limited(pictures: list[tuple[int, bytes]], supply_ma: int) -> Film:
    limiter = Limiter(len(pictures[0][1]) // 3)
    return [(t_ms, limiter.step(octets, t_ms, supply_ma)) for t_ms, octets in pictures]


# -- the limiter alone, against anything

LEDS = 12
any_led = st.sampled_from(
    [
        b"\0\0\0",
        b"\xff\xff\xff",
        b"\xff\0\0",
        b"\x80\x80\x80",
        b"\0\x28\xff",
        b"\xff\x78\0",
        b"\x20\x20\x20",
        b"\x55\x01\x33",
    ]
) | st.binary(min_size=3, max_size=3)
any_picture = st.lists(any_led, min_size=LEDS, max_size=LEDS).map(b"".join) | any_led.map(lambda led: led * LEDS)


@st.composite
def films(draw: st.DrawFn) -> Film:
    t_ms, found = 0, []
    for _ in range(draw(st.integers(1, 80))):
        t_ms += draw(st.sampled_from([17, 25, 25, 40, 200, 1, 900]))
        found.append((t_ms, draw(any_picture)))
    return found


@given(films(), st.sampled_from([60, 200, 720, 3000]))
@settings(max_examples=120, deadline=None)
def test_any_pictures_come_out_safe(wanted: Film, supply_ma: int) -> None:
    check(limited(wanted, supply_ma), supply_ma)


@given(any_picture, st.sampled_from([200, 3000]))
@settings(max_examples=60, deadline=None)
def test_a_picture_that_stays_is_reached(octets: bytes, supply_ma: int) -> None:
    film = limited([(t_ms, octets) for t_ms in range(0, 6000, 25)], supply_ma)
    total = sum(octets) * MA_PER_CHANNEL / 255
    if total <= supply_ma:
        assert film[-1][1] == octets
    else:
        share = supply_ma / total
        for value, wanted in zip(film[-1][1], octets, strict=True):
            assert abs(value - share * wanted) <= 2, "the picture is scaled, no LED is clipped"


def test_a_strobe_becomes_steady() -> None:
    wanted = [(25 * n, (b"\xff\xff\xff" if n // 2 % 2 else b"\0\0\0") * LEDS) for n in range(200)]
    film = limited(wanted, 10_000)
    check(film, 10_000)
    late = [luminances(octets)[0] for _, octets in film[100:]]
    assert sum(abs(a - b) >= TENTH for a, b in itertools.pairwise(late)) <= 10


def test_what_comes_too_often_is_dimmer_and_nothing_is_left_bright() -> None:
    amber, dark = b"\x80\x3c\0", b"\0\0\0"
    wanted = [(25 * n, (amber if n % 10 < 3 else dark) * 3 + dark * (LEDS - 3)) for n in range(160)]
    film = limited(wanted, 3000)
    check(film, 3000)
    levels = [luminances(octets)[0] for _, octets in film]
    pulses = [max(levels[at : at + 10]) for at in range(0, 160, 10)]
    assert min(pulses) > 0.05 and max(pulses) > 0.25
    assert all(min(levels[at + 6 : at + 10]) < 0.03 for at in range(0, 160, 10))


def test_saturated_red_comes_and_goes_slowly() -> None:
    wanted = [(25 * n, (b"\xff\0\0" if n // 4 % 2 else b"\0\0\0") * LEDS) for n in range(120)]
    for (t0, before), (t1, now) in zip((film := limited(wanted, 3000)), film[1:], strict=False):
        assert abs(now[0] - before[0]) <= 1 + 96 * (t1 - t0) // 1000
    wanted = [(25 * n, (b"\xff\0\0" if n // 2 % 2 else b"\xff\xff\xff") * LEDS) for n in range(120)]
    reds = [octets[0] > 4 * (octets[1] + octets[2]) and octets[0] > 16 for _, octets in limited(wanted, 3000)]
    assert sum(a != b for a, b in itertools.pairwise(reds)) <= 2


def test_a_smaller_supply_counts_at_once() -> None:
    limiter = Limiter(LEDS)
    for t_ms in range(0, 2000, 25):
        limiter.step(b"\xff\xff\xff" * LEDS, t_ms, 3000)
    octets = limiter.step(b"\xff\xff\xff" * LEDS, 2000, 100)
    assert sum(octets) * MA_PER_CHANNEL / 255 <= 100


@pytest.mark.parametrize("supply_ma", [0, -5])
def test_no_supply_is_dark(supply_ma: int) -> None:
    assert not any(limited([(0, b"\xff" * 36), (25, b"\xff" * 36)], supply_ma)[1][1])


def test_display_time_that_stands_still_is_no_way_round() -> None:
    limiter = Limiter(LEDS)
    wanted = [(b"\xff\xff\xff" if n % 2 else b"\0\0\0") * LEDS for n in range(400)]
    film = [(17 * n, limiter.step(octets, 0, 3000)) for n, octets in enumerate(wanted)]
    check(film, 3000)


# -- the whole show, against storms of events

STATIONS = len(BOARD.stations)
station = st.integers(0, STATIONS - 1)
frame = st.integers(0, 6)


@st.composite
def storm(draw: st.DrawFn) -> list[tuple[int, Any]]:
    """Events in bursts; whatever the network may say, and more."""
    found: list[tuple[int, Any]] = [(0, ev.Power(0, node, 1, 1)) for node in range(STATIONS)]
    t_ms = 0
    for _ in range(draw(st.integers(5, 60))):
        t_ms += draw(st.sampled_from([0, 0, 10, 25, 60, 400]))
        found += [(t_ms, one) for one in draw(_happening(t_ms * 250))]
    return found


def _happening(t_us: int) -> st.SearchStrategy[list[Any]]:
    kinds = st.sampled_from([flow.RREQ, flow.RREP, flow.RERR, flow.GET_REQUEST, flow.GET_RESPONSE, flow.SET_REQUEST])

    def sent(src: int, dst: int, number: int, kind: int, result: str, attempt: int) -> list[Any]:
        to = 0xFFFF if kind == flow.RREQ or src == dst else dst
        begun = ev.TxStart(t_us, src, number, b"", 0, 63, int(to != 0xFFFF), 40_000, to, attempt, kind, kind)
        return [begun, ev.TxEnd(t_us, src, number), ev.Ack(t_us, src, dst, number, result)]

    def clash(src: int, other: int, number: int, at: int) -> list[Any]:
        return [ev.RxLost(t_us, at, src, number, 7000, 20, "header", "collision", other, number)]

    results = st.sampled_from(["ack", "missed", "nack"])
    return st.one_of(
        st.builds(sent, station, station, frame, kinds, results, st.integers(0, 3)),
        st.builds(clash, station, station, frame, station),
        st.lists(st.builds(sent, station, station, frame, kinds, results, st.integers(0, 3)), max_size=20).map(
            lambda many: [one for some in many for one in some]
        ),
        st.builds(lambda action: [ev.Collection(t_us, 0, action, 48, 0, 0)], st.sampled_from(["started", "finished"])),
        st.just([ev.ReadDone(t_us, 0, meter, b"", 2, "1", "Wh", 1, 1, 1, 1) for meter in range(1, STATIONS)]),
        st.just([ev.Power(t_us, node, 0, 1) for node in range(STATIONS)]),
        st.just([ev.Power(t_us, node, 1, 2) for node in range(STATIONS)]),
        st.builds(lambda led: [ev.Fault(t_us, 0, led, "cable", str(led), "cut", 0, "begin", 0)], st.integers(1, 400)),
        st.builds(lambda led: [ev.Fault(t_us, 0, led, "cable", str(led), "cut", 0, "end", 0)], st.integers(1, 400)),
        st.builds(lambda one: [Follow(one)], st.integers(-1, STATIONS - 1)),
        st.just([Forget()]),
        st.sampled_from(list(THEMES)).map(lambda name: [name]),
    )


def shown(show: Show, happenings: list[tuple[int, Any]], until_ms: int) -> Iterator[tuple[int, bytes]]:
    waiting = list(reversed(happenings))
    for t_ms in range(0, until_ms, 25):
        while waiting and waiting[-1][0] <= t_ms:
            at_ms, input_ = waiting.pop()
            if isinstance(input_, str):
                show.theme = input_
            else:
                show.take(input_, at_ms)
        yield t_ms, show.frame(t_ms)


@given(storm(), st.sampled_from(list(THEMES)), st.sampled_from([1.0, 0.5]), st.sampled_from([500, 3000, 30_000]))
@settings(max_examples=12, deadline=None)
def test_no_storm_of_events_breaks_a_limit(
    happenings: list[tuple[int, Any]], theme: str, master: float, supply_ma: int
) -> None:
    show = Show(BOARD, theme, supply_ma, master)
    check(list(shown(show, happenings, happenings[-1][0] + 1500)), supply_ma)
    assert show.refused == 0


@pytest.mark.parametrize("theme", THEMES)
def test_the_golden_cases_keep_the_limits(theme: str) -> None:
    for case, (_, moments) in CASES.items():
        if max(moments) < 20_000:
            shots = tuple(range(0, max(moments) + 1, 25))
            check(list(frames(case, theme, shots).items()), 3000)


def test_a_full_board_of_white_is_scaled_to_the_supply() -> None:
    show = Show(SMALL, supply_ma=40, master=1.0)
    film = list(shown(show, powered(), 3000))
    check(film, 40)
    assert sum(film[-1][1]) * MA_PER_CHANNEL / 255 > 20
