"""What travels: each message's own motion, where waves end, how comets die, traces that come and go."""

from __future__ import annotations

import sys
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from emulation.grid.feeder import Feeder
from g3plc import events as ev
from g3plc.core import flow
from led_gateway.board import Board
from led_gateway.forms import FORMS, FRONT, GAP
from led_gateway.lightness import FULL, LIGHT
from led_gateway.model import State, Tick, reduce
from led_gateway.show import Show
from led_gateway.themes import BLUE, MAGENTA

sys.path.append(str(Path(__file__).resolve().parent))

import light_cases as cases
from light_cases import after, hue, joined, picture

BOARD = cases.small_board()
LONG = Board(Feeder.load("row4"))
"""352 m of plain cable between stations: a comet has room."""
AT = cases.AT
QUIET = AT - 1


# -- every type has its own motion, without colour

TYPES = {
    "RREQ": cases.sent(AT, 2, 1, flow.RREQ, cases.BROADCAST, duration_us=120_000),
    "RREP": cases.sent(AT, 2, 1, flow.RREP, 1, "silent", duration_us=120_000),
    "RERR": cases.sent(AT, 2, 1, flow.RERR, 1, "silent", duration_us=120_000),
    "request": cases.sent(AT, 2, 1, flow.GET_REQUEST, 1, "silent", duration_us=120_000),
    "SET or ACTION": cases.sent(AT, 2, 1, flow.SET_REQUEST, 1, "silent", duration_us=120_000),
    "response": cases.sent(AT, 2, 1, flow.GET_RESPONSE, 1, "silent", duration_us=120_000),
    "response, acknowledged": cases.sent(AT, 2, 1, flow.GET_RESPONSE, 1, duration_us=120_000),
    "request, lost": cases.sent(AT, 2, 1, flow.GET_REQUEST, 1, "lost", duration_us=120_000),
    "request, third try": cases.sent(AT, 2, 1, flow.GET_REQUEST, 1, "silent", attempt=2, duration_us=120_000),
    "other": cases.sent(AT, 2, 1, flow.TMR, 1, "silent", duration_us=120_000),
}


def arrived(timed: list[cases.Timed]) -> list[cases.Timed]:
    """A unicast that arrives, but nobody hears the acknowledgement: the comet alone."""
    t_ms, began = timed[0]
    assert isinstance(began, ev.TxStart)
    got = (t_ms, ev.RxOk(cases.us(t_ms), began.next_hop, began.node, began.frame, 8000, 80))
    return [*timed[:2], got, *timed[2:]]


def profile(timed: list[cases.Timed]) -> list[list[float]]:
    """Lightness of each LED over time in `mono`, limited and all, relative to the brightest."""
    show = Show(LONG, "mono")
    for t_ms, input_ in [*cases.powered(), *timed]:
        if t_ms < AT:
            show.take(input_, t_ms)
    for t_ms in range(0, AT, 25):
        show.frame(t_ms)
    for _, input_ in timed:
        show.take(input_, AT)
    shots = [show.frame(t_ms) for t_ms in range(AT, AT + 700, 25)]
    lit = [[max(octets[3 * led : 3 * led + 3]) ** (1 / 2.4) for led in range(1, LONG.leds)] for octets in shots]
    most = max(max(row) for row in lit)
    return [[value / most for value in row] for row in lit]


def test_every_type_has_its_own_motion_in_mono() -> None:
    made = {
        name: profile(arrived(timed) if name not in ("RREQ", "request, lost") else timed)
        for name, timed in TYPES.items()
    }
    for one, other in combinations(TYPES, 2):
        pairs = zip(made[one], made[other], strict=True)
        differing = sum(abs(a - b) > 0.25 for row, other_row in pairs for a, b in zip(row, other_row, strict=True))
        assert differing >= 8, f"{one} and {other} look alike: {differing}"


# -- waves


def test_brightness_falls_with_attenuation() -> None:
    state = joined(cases.sent(AT, 0, 1, flow.RREQ, cases.BROADCAST), board=LONG)
    best: dict[int, int] = {}
    for t_ms in range(AT, AT + 400):
        for led, colour in enumerate(picture(state, t_ms)):
            best[led] = max(best.get(led, 0), colour[2])
    reach = LONG.reach(0)
    for cell in reach.cells[1:]:
        led, level = cell & 0xFFFF, cell >> 16
        if led not in LONG.station_at:
            loss_db = LONG.a_max_cb * (255 - level) / 191
            exact = 255 * max(0.18, 1 - 0.75 * loss_db / LONG.a_max_cb) ** 2.4
            assert abs(best[led] - exact) <= 3, led
    lit = {led for led, value in best.items() if value and led not in LONG.station_at}
    assert lit == {cell & 0xFFFF for cell in reach.cells} - LONG.station_at.keys()


@pytest.mark.parametrize(("kind", "fronts"), [(flow.RREQ, 2), (flow.BEACON, 1)])
def test_fronts_are_four_leds_and_a_search_has_two(kind: int, fronts: int) -> None:
    state = joined(cases.sent(AT, 0, 1, kind, cases.BROADCAST, duration_us=195_000), board=LONG)
    light = next(iter(state.lights.values()))
    way = LONG.path(0, 3).leds
    seen = False
    for t_ms in range(AT + 200, AT + light.travel_ms // 2):
        colours = picture(state, t_ms)
        lit = [place for place, led in enumerate(way) if place and led not in LONG.station_at and colours[led][2] > 20]
        whole = [*range(lit[0], lit[0] + FRONT)]
        if fronts == 2:
            whole += [*range(lit[0] + FRONT + GAP, lit[0] + 2 * FRONT + GAP)]
        seen = seen or lit == whole
        assert len(lit) <= fronts * (FRONT + 1)
    assert seen


def test_waves_run_outwards_in_every_direction() -> None:
    state = joined(cases.sent(AT, 3, 1, flow.RREQ, cases.BROADCAST))
    farthest = []
    for t_ms in range(AT + 50, AT + 300, 50):
        colours = picture(state, t_ms)
        lit = [led for led in range(1, BOARD.leds) if colours[led][2] > 20 and led not in BOARD.station_at]
        farthest.append(max(BOARD.feeder.distance_leds(BOARD.stations[3], led) for led in lit))
    assert farthest == sorted(set(farthest))


def test_overlapping_lights_show_the_greater_not_the_sum() -> None:
    one = cases.sent(AT, 0, 1, flow.RREQ, cases.BROADCAST)
    other = cases.sent(AT, 3, 1, flow.RREQ, cases.BROADCAST)
    for t_ms in range(AT, AT + 400, 20):
        shots = [picture(joined(*some), t_ms) for some in ((one,), (other,), (one, other))]
        for led in set(range(1, BOARD.leds)) - BOARD.station_at.keys():
            assert shots[2][led] == max(shots[0][led], shots[1][led], key=sum)


# -- comets


def heads(state: State, way: tuple[int, ...], t_ms: int, theme: str = "safe") -> int | None:
    """The foremost bright LED of a comet on its way."""
    colours = picture(state, t_ms, theme)
    bright = [place for place, led in enumerate(way) if led not in LONG.station_at and max(colours[led]) > 150]
    return max(bright) if bright else None


def test_a_comet_runs_from_the_sender_to_the_addressee_over_its_light_time() -> None:
    state = joined(cases.sent(AT, 1, 1, flow.GET_REQUEST, 2, duration_us=195_000), board=LONG)
    way = LONG.path(1, 2).leds
    seen = [place for t_ms in range(AT, AT + 300, 25) if (place := heads(state, way, t_ms)) is not None]
    assert seen == sorted(seen) and seen[-1] > seen[0] + 5
    back = joined(cases.sent(AT, 2, 1, flow.GET_REQUEST, 1, duration_us=195_000), board=LONG)
    seen = [place for t_ms in range(AT, AT + 300, 25) if (place := heads(back, way, t_ms)) is not None]
    assert seen == sorted(seen, reverse=True)


def test_a_lost_comet_dies_before_the_node_and_the_leaf_turns_magenta() -> None:
    state = joined(cases.sent(AT, 1, 1, flow.GET_REQUEST, 2, "lost"), board=LONG)
    way = LONG.path(1, 2).leds
    for t_ms in range(AT, AT + 400, 10):
        for led in way[-8:-1]:
            # what is there is no brighter than the wave
            assert max(picture(state, t_ms)[led]) <= 255 * LIGHT[255 - 80] // FULL
    leaf = LONG.stations[2]
    fading = [picture(state, t_ms)[leaf] for t_ms in range(AT + 400, AT + 2400, 100)]
    assert hue(fading[0]) == MAGENTA
    assert [colour[0] for colour in fading] == sorted((colour[0] for colour in fading), reverse=True)
    assert picture(state, AT + 2400)[leaf] == picture(state, QUIET)[leaf]


def test_an_acknowledgement_is_a_spark_of_two_leds_at_the_receiver() -> None:
    acked = joined(cases.sent(AT, 1, 1, flow.GET_REQUEST, 2), board=LONG)
    bare = joined(arrived(cases.sent(AT, 1, 1, flow.GET_REQUEST, 2, "silent")), board=LONG)
    t_ms = AT + 420
    differing = [led for led in range(LONG.leds) if picture(acked, t_ms)[led] != picture(bare, t_ms)[led]]
    assert differing == sorted(LONG.path(1, 2).leds[-2:])
    assert {hue(picture(acked, t_ms)[led]) for led in differing} == {BLUE}


@pytest.mark.parametrize("attempt", [0, 1, 2, 3])
def test_a_repetition_has_as_many_marks_behind_it(attempt: int) -> None:
    from led_gateway.forms import REQUEST, comet

    shape = comet(REQUEST, attempt)[0][1:]
    behind = shape[len(FORMS[REQUEST].comet) :]
    assert sum(part > 0 for part in behind) == attempt
    assert all(not (here and there) for here, there in pairwise(behind))


def test_shapes() -> None:
    by_name = {form.name: form.comet for form in FORMS}
    lit = {name: "".join("#" if part else "." for part in comet) for name, comet in by_name.items()}
    assert lit["response"] == "##..####"
    assert len(by_name["reply"]) == 7 and lit["reply"] == "#######"
    full = {name: sum(part == 256 for part in comet) for name, comet in by_name.items()}
    assert full["command"] == 2 * full["request"]


def test_lbp_never_travels_and_the_leaf_fades_in() -> None:
    assert not after(cases.sent(AT, 3, 1, flow.LBP, 0)).lights
    state = after([(AT, ev.Power(0, 3, 1, 1))])
    leaf = BOARD.stations[3]
    rising = [picture(state, t_ms)[leaf] for t_ms in range(AT, AT + 1200, 100)]
    assert rising == sorted(rising) and rising[0] == (0, 0, 0) and rising[-1] == (10, 10, 10)


# -- routes


def test_a_reply_leaves_a_trace_and_an_error_erases_it() -> None:
    found = cases.sent(AT, 3, 1, flow.RREP, 1)
    routes = [cases.route(AT, 1, 3, 3)]
    way = BOARD.path(1, 3).leds[1:-1]
    state = reduce(joined(found, routes), Tick(), AT + 3000)
    traced = picture(state, AT + 3000)
    assert {hue(traced[led]) for led in way} == {BLUE}
    assert all(0.04 <= traced[led][2] / 255 <= 0.065 for led in way)

    later = AT + 4000
    error = cases.sent(later, 3, 2, flow.RERR, 1)
    state = joined(found, routes, error, [cases.lost_route(later, 1, 3, 3, "rerr")])
    middle = picture(state, later + 220)
    back = BOARD.path(3, 1).leds[1:-1]
    # behind the comet the trace is gone, before it it is still there
    assert not any(hue(middle[led]) == BLUE and middle[led][2] < 20 for led in back[:3])
    assert hue(middle[back[-1]]) == BLUE
    gone = picture(reduce(state, Tick(), later + 3000), later + 3000)
    assert all(gone[led] == (0, 0, 0) for led in way)


def test_traces_fade_with_the_life_of_the_route() -> None:
    state = joined([cases.route(AT, 1, 3, 3, life_s=100)])
    led = BOARD.path(1, 3).leds[3]
    seen = []
    for share in (0, 50, 90, 101):
        t_ms = AT + share * 4000 + 2000
        state = reduce(
            state, cases.start(t_ms, 0, share, flow.RREQ, cases.BROADCAST)[1]._replace(t=cases.us(t_ms)), t_ms
        )
        state = reduce(state, Tick(), t_ms + 1500)
        seen.append(picture(state, t_ms + 1500)[led][2])
    assert seen[0] > seen[1] > seen[2] > seen[3] == 0
