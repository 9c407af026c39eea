"""What is to be seen: each message's own motion, where waves end, how comets die, traces, faults, leaves, heat."""

from __future__ import annotations

import sys
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from emulation.grid.feeder import Feeder
from g3plc import events as ev
from g3plc.core import flow
from led_gateway.board import Board
from led_gateway.effects import moving, render
from led_gateway.forms import FORMS, FRONT, GAP
from led_gateway.lightness import FULL, LIGHT
from led_gateway.model import Follow, State, Tick, dark, reduce
from led_gateway.show import Show
from led_gateway.themes import AMBER, AZURE, BLUE, FULL_MASTER, MAGENTA, PALE, THEMES

sys.path.append(str(Path(__file__).resolve().parent))

import light_cases as cases

BOARD = cases.small_board()
LONG = Board(Feeder.load("row4"))
"""352 m of plain cable between stations: a comet has room."""
AT = cases.AT
QUIET = AT - 1


def after(timed: list[cases.Timed], board: Board = BOARD) -> State:
    state = dark(board)
    for t_ms, input_ in timed:
        state = reduce(state, input_, t_ms)
    return state


def picture(state: State, t_ms: int, theme: str = "safe", master: int = FULL_MASTER) -> list[tuple[int, int, int]]:
    octets = render(state, t_ms, theme, master)
    return [(octets[at], octets[at + 1], octets[at + 2]) for at in range(0, len(octets), 3)]


def joined(*timed: list[cases.Timed], board: Board = BOARD) -> State:
    return after([*cases.powered(), *(one for some in timed for one in some)], board)


def hue(colour: tuple[int, int, int]) -> int | None:
    """The ink a bright enough colour is made with."""
    for ink in (BLUE, AZURE, AMBER, PALE, MAGENTA):
        full = THEMES["safe"].palette[ink]
        drive = max(colour) / 255
        if drive > 0.05 and all(abs(part - drive * whole) <= 2 for part, whole in zip(colour, full, strict=True)):
            return ink
    return None


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
