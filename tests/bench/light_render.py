"""The renderer: processor time of a frame, safety included, 40 times a second, of a recorded night and of 500 meters.

The events are those of a run; they are taken when they are due, and that is measured beside the frames.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from emulation.observe.tap import Trace
from emulation.scenario import Scenario, load
from g3plc.events import Clock, Event
from gridglow.simulate import build
from led_gateway.board import Board
from led_gateway.show import Show
from tests.bench.figure import Figure, percentile

SEED = 1
FRAME_MS = 25
NIGHT_MS, MANY_MS = 2.0, 8.0
NIGHT_PERMILLE, MANY_PERMILLE = 1000, 8000
MANY_FROM_S, MANY_UNTIL_S = 1200, 1680
"""Of the 500 meters' fifteen thousand seconds: routes stand, searches and readings are under way."""
_ROUTE_PERMILLE = 250


class Recorder:
    """Keeps the events of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, events: Sequence[Event]) -> None:
        """Keep the next events."""
        self.events.extend(events)

    def close(self) -> None:
        """Nothing to let go of."""


def figures() -> Iterator[Figure]:
    """The night at 1x, a route at a quarter of real time, the 500 meters at 8x."""
    yield from _of("night", NIGHT_PERMILLE, 0, 0, NIGHT_MS)
    yield from _of("route", _ROUTE_PERMILLE, 0, 0, NIGHT_MS)
    yield from _of("meters500", MANY_PERMILLE, MANY_FROM_S, MANY_UNTIL_S, MANY_MS)


def recorded(scenario: Scenario, until_s: int) -> list[Event]:
    """The events of a run, up to a second of it if that is not 0."""
    recorder = Recorder()
    if until_s:
        scenario = replace(scenario, limit_us=until_s * 1_000_000)
    trace = Trace([recorder])
    build(scenario, SEED, trace).run(None)
    trace.flush()
    return recorder.events


def _of(name: str, permille: int, from_s: int, until_s: int, target_ms: float) -> Iterator[Figure]:
    scenario = load(name)
    show = Show(Board(scenario.feeder))
    events = recorded(scenario, until_s)
    frames, taking, hot = _rendered(show, events, permille, from_s)
    where = f"{name}, {permille / 1000:g}x, {show.board.leds} LEDs, {len(frames)} frames, {hot} of them heat"
    yield Figure("light_render", "a frame, mean", sum(frames) / len(frames), "ms", where, target_ms)
    yield Figure("light_render", "a frame, p99", percentile(frames, 99), "ms", where, target_ms)
    yield Figure("light_render", "taking its events, mean", sum(taking) / len(taking), "ms", where)
    yield Figure("light_render", "taking its events, p99", percentile(taking, 99), "ms", where)


def _rendered(show: Show, events: Sequence[Event], permille: int, from_s: int) -> tuple[list[float], list[float], int]:
    """Milliseconds of each frame, of taking its events, and the frames of heat; `from_s` emulated seconds go before."""
    show.take(Clock(0, -1, 0, permille), 0)
    frames, taking, hot, place = [], [], 0, 0
    for t_ms in range(0, events[-1].t // permille, FRAME_MS):
        began = time.thread_time()
        while events[place].t <= t_ms * permille:
            show.take(events[place], events[place].t // permille)
            place += 1
        if t_ms * permille < from_s * 1_000_000:
            continue
        taken = time.thread_time()
        show.frame(t_ms)
        frames.append((time.thread_time() - taken) * 1000)
        taking.append((taken - began) * 1000)
        hot += show.heat
    return frames, taking, hot
