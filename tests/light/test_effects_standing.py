"""What stands: faults, leaves, the root, heat, and what is left out for whom."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

from emulation.grid.feeder import Feeder
from g3plc import events as ev
from g3plc.core import flow
from led_gateway.board import Board
from led_gateway.effects import moving
from led_gateway.model import Follow, Tick, reduce
from led_gateway.show import Show
from led_gateway.themes import AMBER, MAGENTA

sys.path.append(str(Path(__file__).resolve().parent))

import light_cases as cases
from light_cases import hue, joined, picture

BOARD = cases.small_board()
LONG = Board(Feeder.load("row4"))
"""352 m of plain cable between stations: a comet has room."""
AT = cases.AT


# -- faults


def test_a_collision_is_five_leds_where_the_fronts_meet_and_stops_both() -> None:
    events, _ = cases.CASES["collision"]
    state = joined(events)
    way = BOARD.path(0, 3).leds
    beyond = {0: set(), 3: set()}
    alone = {src: joined(cases.sent(AT, src, 1, flow.RREQ, cases.BROADCAST)) for src in beyond}
    burst = next(iter(state.bursts.values()))
    assert len(burst.leds) == 5 and set(burst.leds) <= set(way)
    middle = burst.leds[0]
    fading = [picture(state, t_ms)[middle][0] for t_ms in range(burst.start_ms, burst.start_ms + 400, 20)]
    assert fading == sorted(fading, reverse=True) and fading[0] > 100
    for t_ms in range(burst.start_ms, AT + 400, 10):
        both, ones = picture(state, t_ms), {src: picture(one, t_ms) for src, one in alone.items()}
        for place, led in enumerate(way[1:-1], 1):
            near = 0 if place < way.index(middle) else 3
            if led not in burst.leds:
                assert both[led] == ones[near][led]
    assert picture(state, burst.start_ms + 400)[middle] == (0, 0, 0)


def test_a_cut_cable_is_dark_between_two_that_breathe() -> None:
    state = joined([cases.fault(AT, 1, "cable", "16", "cut")], cases.sent(AT, 0, 1, flow.RREQ, cases.BROADCAST))
    for t_ms in range(AT, AT + 3400, 50):
        colours = picture(state, t_ms)
        assert [colours[led] for led in (15, 16, 17)] == [(0, 0, 0)] * 3
        assert hue(colours[14]) == hue(colours[18]) == MAGENTA
        assert all(not any(colours[led]) for led in range(19, BOARD.leds) if led not in BOARD.station_at)
    breath = [picture(state, t_ms)[14][0] for t_ms in range(AT, AT + 3334)]
    assert max(breath) > 4 * min(breath)
    mended = reduce(state, cases.fault(AT + 5000, 1, "cable", "16", "cut", "end")[1], AT + 5000)
    assert not any(picture(mended, AT + 5000)[16])


def test_a_link_that_is_down_has_dim_magenta_ends() -> None:
    way = BOARD.path(1, 3).leds
    for events in (
        [cases.fault(AT, 1, "link", "1-3", "down")],
        [cases.route(AT, 1, 3, 3), cases.lost_route(AT, 1, 3, 3, "no ack")],
    ):
        colours = picture(reduce(joined(events), Tick(), AT + 2000), AT + 2000)
        lit = [led for led in range(1, BOARD.leds) if hue(colours[led]) == MAGENTA]
        assert lit == sorted((*way[1:3], *way[-3:-1]))


def test_a_link_that_was_given_up_is_marked_until_a_route_uses_it_again() -> None:
    broken = [cases.route(AT, 1, 3, 3), cases.lost_route(AT, 1, 3, 3, "no ack")]
    led = BOARD.path(1, 3).leds[1]
    assert hue(picture(joined(broken), AT + 100)[led]) == MAGENTA
    assert hue(picture(joined(broken, [cases.route(AT + 50, 1, 3, 3)]), AT + 100)[led]) != MAGENTA
    assert hue(picture(reduce(joined(broken), Tick(), AT + 9000), AT + 9000)[led]) is None


def test_weak_links_and_noise_are_no_marks() -> None:
    state = joined([cases.fault(AT, 1, "link", "1-3", "weak"), cases.fault(AT, 2, "noise", "3", "")])
    assert state.refused == 0 and picture(state, AT + 10) == picture(joined(), AT + 10)


# -- leaves and root


def leaf_of(*events: list[cases.Timed], t_ms: int, meter: int = 2) -> tuple[int, int, int]:
    return picture(joined(*events), t_ms)[BOARD.stations[meter]]


def test_leaves() -> None:
    started = [cases.collection(AT, "started")]
    t_ms = AT + 5000
    assert leaf_of(t_ms=t_ms) == (10, 10, 10)
    assert leaf_of([(AT, ev.Power(0, 2, 0, 1))], t_ms=t_ms) == (0, 0, 0)
    assert leaf_of(started, [cases.read(AT, 2)], t_ms=t_ms) == (90, 90, 90)
    assert hue(leaf_of(started, [cases.failed(AT, 2)], t_ms=t_ms)) == MAGENTA
    reading = [leaf_of([cases.opened(AT, 2)], t_ms=at)[0] for at in range(t_ms, t_ms + 2000, 10)]
    rising = [later > earlier for earlier, later in pairwise(reading) if later != earlier]
    turns = sum(a != b for a, b in pairwise(rising))
    assert turns <= 3 and max(reading) > 4 * min(reading)


def test_a_leaf_that_will_be_tried_again_pulses_twice_and_waits() -> None:
    aborted = (AT, ev.SessionAborted(0, 0, 2, 1, "time-out"))
    state = joined([cases.collection(AT, "started"), cases.opened(AT, 2), aborted])
    leaf = BOARD.stations[2]
    seen = [picture(state, t_ms)[leaf][0] for t_ms in range(AT + 2000, AT + 4000, 10)]
    bright = [value > 30 for value in seen]
    assert sum(here and not before for before, here in pairwise(bright)) == 2
    assert not any(bright[100:])


def test_a_new_collection_starts_with_every_meter_unread() -> None:
    first = [
        cases.collection(AT, "started"),
        cases.read(AT, 1),
        cases.failed(AT, 3),
        cases.collection(AT + 10, "finished"),
    ]
    shown = picture(joined(first), AT + 5000)
    assert shown[BOARD.stations[1]] == (90, 90, 90) and hue(shown[BOARD.stations[3]]) == MAGENTA
    fresh = picture(joined(first, [cases.collection(AT + 20, "started")]), AT + 5000)
    assert {fresh[BOARD.stations[meter]] for meter in (1, 2, 3)} == {(10, 10, 10)}


def test_the_root_is_steady() -> None:
    storm = [one for n in range(20) for one in cases.sent(AT + 30 * n, 0, n, flow.GET_REQUEST, 1)]
    state = joined(storm, [cases.fault(AT, 1, "link", "0-1", "down")])
    seen = [picture(state, t_ms)[0] for t_ms in range(AT, AT + 2000, 25)]
    assert all(r == g == b for r, g, b in seen)
    values = [r / 255 for r, _, _ in seen]
    assert max(values) - min(values) <= 0.085 and min(values) > 0.25


# -- follow, calm, classic, moving


def test_follow_draws_the_chosen_alone_and_dims_the_rest() -> None:
    mine = cases.sent(AT, 3, 1, flow.GET_RESPONSE, 0)
    other = cases.sent(AT, 0, 2, flow.GET_REQUEST, 1)
    follow = [(AT, Follow(3))]
    t_ms = AT + 200
    both, alone = picture(joined(follow, mine, other), t_ms), picture(joined(follow, mine), t_ms)
    assert both[1:] == alone[1:]
    shown = picture(joined(follow), t_ms)
    assert shown[BOARD.stations[3]] == (10, 10, 10)
    assert shown[BOARD.stations[1]][0] < 5
    marked = BOARD.parent_led[BOARD.stations[3]]
    assert len(set(shown[marked])) == 1 and shown[marked][0] > 50
    everything = joined(follow, [(AT, Follow(-1))], mine, other)
    assert picture(everything, t_ms) == picture(joined(mine, other), t_ms)


def test_follow_keeps_heat_away() -> None:
    flood = [one for n in range(20) for one in cases.sent(AT, n % 3, n, flow.RREQ, cases.BROADCAST)]
    assert not joined([(AT, Follow(3))], flood).hot


def test_in_calm_nothing_travels() -> None:
    state = joined(cases.sent(AT, 1, 1, flow.GET_REQUEST, 2), board=LONG)
    way = LONG.path(1, 2).leds[1:-1]
    peaks = set()
    for led in way:
        levels = [max(picture(state, t_ms, "calm")[led]) for t_ms in range(AT, AT + 1600, 20)]
        peaks.add(levels.index(max(levels)))
        steps = [abs(b - a) for a, b in pairwise(levels)]
        assert max(steps) <= 40
    assert max(peaks) - min(peaks) <= 5
    last = [max(picture(state, AT + 600, "calm")[led]) for led in way]
    assert last[len(last) * 3 // 4] > last[len(last) // 8]


def test_classic_has_a_red_root_and_green_leaves() -> None:
    colours = picture(joined(), AT, "classic")
    assert colours[0][0] > 50 and colours[0][1:] == (0, 0)
    assert colours[BOARD.stations[1]][1] > 5 and colours[BOARD.stations[1]][0] == 0


def test_heat_shows_where_the_air_is_busy_and_leaves_stay() -> None:
    flood = [
        one for n in range(8) for one in cases.sent(AT + 25 * n, 3, n, flow.RREQ, cases.BROADCAST, duration_us=20_000)
    ]
    state = joined([cases.collection(AT, "started"), cases.read(AT, 1)], flood)
    colours = picture(state, AT + 1200)
    assert {hue(colours[led]) for led in range(25, 29)} == {AMBER}
    assert colours[BOARD.stations[1]] == (90, 90, 90)
    assert colours[26][0] > colours[3][0]


def test_moving_says_when_nothing_moves() -> None:
    state = joined()
    assert moving(state, 500) and not moving(state, AT)
    state = joined(cases.sent(AT, 0, 1, flow.RREQ, cases.BROADCAST))
    assert moving(state, AT + 100) and not moving(state, AT + 2000)
    show = Show(BOARD)
    for t_ms, input_ in [*cases.powered(), cases.route(AT, 0, 3, 1)]:
        show.take(input_, t_ms)
    frames = []
    for t_ms in range(AT, AT + 20_000, 25):
        busy = show.busy(t_ms)
        frames.append((busy, show.frame(t_ms)))
    assert all(busy or octets == before for (_, before), (busy, octets) in pairwise(frames))
    assert sum(busy for busy, _ in frames) < 100
