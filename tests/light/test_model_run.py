"""A whole run as light: the scenario in which a link breaks in the middle of a reading and is healed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from emulation.observe.tap import Trace
from emulation.scenario import load
from g3plc import events as ev
from g3plc.core import flow
from g3plc.wire import loadng_msg, mac_frame
from gridglow.simulate import build
from led_gateway.board import Board
from led_gateway.forms import ERROR, SEARCH
from led_gateway.model import Follow, State
from led_gateway.show import Show

sys.path.append(str(Path(__file__).resolve().parent))

from test_safety_limits import check

PERMILLE = 250
SCENARIO = load("heal")
METER = 48
BYSTANDER = 5


class Recorder:
    def __init__(self) -> None:
        self.events: list[ev.Event] = []

    def observe(self, events: Sequence[ev.Event]) -> None:
        self.events.extend(events)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def events() -> list[ev.Event]:
    recorder = Recorder()
    trace = Trace([recorder])
    build(SCENARIO, 1, trace).run(None)
    trace.flush()
    return recorder.events


def played(show: Show, events: list[ev.Event]) -> Iterator[tuple[int, bytes, State]]:
    place = 0
    for t_ms in range(0, events[-1].t // PERMILLE + 4000, 25):
        while place < len(events) and events[place].t <= t_ms * PERMILLE:
            show.take(events[place], events[place].t // PERMILLE)
            place += 1
        yield t_ms, show.frame(t_ms), show.state


def test_nothing_of_a_run_is_refused_and_the_limits_are_kept(events: list[ev.Event]) -> None:
    show = Show(Board(SCENARIO.feeder))
    film = [(t_ms, octets) for t_ms, octets, _ in played(show, events)]
    assert show.refused == 0
    assert not show.state.pending
    # what moves is in the last third
    check(film[: len(film) // 6], 3000)
    check(film[len(film) * 3 // 4 :], 3000)


def test_the_link_is_seen_to_break_and_the_route_to_heal(events: list[ev.Event]) -> None:
    board = Board(SCENARIO.feeder)
    show = Show(board)
    broken = next(event for event in events if isinstance(event, ev.Fault))
    way = {led for route in _route(events, METER, broken.t) for led in board.path(*route).leds[1:-1]}
    last = {led for route in _route(events, METER, events[-1].t) for led in board.path(*route).leds[1:-1]}
    assert last - way, "it is healed another way"
    shots = {t_ms: octets for t_ms, octets, _ in played(show, events)}

    def lit(t_ms: int, leds: set[int]) -> int:
        octets = shots[t_ms - t_ms % 25]
        return sum(any(octets[3 * led : 3 * led + 3]) for led in leds)

    before = broken.t // PERMILLE - 2000
    assert lit(before, way) == len(way)
    assert lit(before, last - way) == 0
    assert lit(max(shots), last) == len(last)


def _route(events: list[ev.Event], meter: int, until_us: int) -> list[tuple[int, int]]:
    """The hops from the coordinator to a meter by the routing tables at that time."""
    tables: dict[int, int] = {}
    for event in events:
        if event.t > until_us:
            break
        if isinstance(event, ev.RouteSet) and event.destination == meter and event.bidirectional:
            tables[event.node] = event.next_hop
        elif isinstance(event, ev.RouteLost) and event.destination == meter:
            tables.pop(event.node, None)
    hops, here = [], 0
    while here != meter:
        hops.append((here, tables[here]))
        here = tables[here]
    return hops


def test_follow_draws_searches_and_errors_about_the_meter_and_nothing_about_another(events: list[ev.Event]) -> None:
    for station, wanted in ((METER, {SEARCH, ERROR}), (BYSTANDER, set())):
        show = Show(Board(SCENARIO.feeder))
        show.take(Follow(station), 0)
        seen = {key: light for _, _, state in played(show, events) for key, light in state.lights.items()}
        about = _about(events, station)
        assert wanted <= {light.form for light in seen.values()}
        for key, light in seen.items():
            assert station in (light.src, light.dst) or key in about


def _about(events: list[ev.Event], station: int) -> set[tuple[int, int]]:
    """Frames that belong to the station's datagrams or are about a route to it."""
    tags = {event.flow for event in events if isinstance(event, ev.ApduSent) and station in (event.node, event.peer)}
    found = set()
    for event in events:
        if not isinstance(event, ev.TxStart) or event.dt >= 2:
            continue
        if event.flow in tags or flow.flow_station(event.flow) == station:
            found.add((event.node, event.frame))
        elif flow.RREQ <= event.kind <= flow.RLCREP:
            message = loadng_msg.decode(mac_frame.decode(event.psdu).payload)
            names = ("originator", "destination", "unreachable")
            if station in [getattr(message, name, -1) for name in names]:
                found.add((event.node, event.frame))
    return found
