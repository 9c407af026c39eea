"""The model: when light is made of a transmission, how long it lasts, what is refused, and that nothing is changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g3plc import events as ev
from g3plc.core import flow
from led_gateway import state as limits
from led_gateway.effects import render
from led_gateway.model import Collected, Follow, Forget, Stands, State, Tick, dark, reduce
from led_gateway.show import Show

sys.path.append(str(Path(__file__).resolve().parent))

import light_cases as cases

BOARD = cases.small_board()
AT = cases.AT


def after(timed: list[cases.Timed], state: State | None = None) -> State:
    state = dark(BOARD) if state is None else state
    for t_ms, input_ in timed:
        state = reduce(state, input_, t_ms)
    return state


def lights(state: State) -> list[limits.Light]:
    return list(state.lights.values())


# -- when


def test_a_broadcast_is_light_at_its_end() -> None:
    state = after([cases.start(AT, 0, 1, flow.RREQ, cases.BROADCAST)])
    assert not lights(state)
    state = after([cases.end(AT + 160, 0, 1)], state)
    assert [one.start_ms for one in lights(state)] == [AT + 160]


def test_a_unicast_is_light_when_its_ack_is_known() -> None:
    state = after([cases.start(AT, 0, 1, flow.GET_REQUEST, 3), cases.end(AT + 160, 0, 1)])
    assert not lights(state)
    for result, outcome in (("ack", limits.ACKED), ("nack", limits.LOST), ("missed", limits.LOST)):
        state_then = after([(AT + 300, ev.Ack(cases.us(AT + 300), 0, 3, 1, result))], state)
        assert [(one.start_ms, one.outcome) for one in lights(state_then)] == [(AT + 300, outcome)]


def test_a_frame_whose_ack_was_lost_has_arrived() -> None:
    heard = (AT + 160, ev.RxOk(cases.us(AT + 160), 3, 0, 1, 8000, 80))
    missed = (AT + 300, ev.Ack(cases.us(AT + 300), 0, 3, 1, "missed"))
    state = after([cases.start(AT, 0, 1, flow.GET_REQUEST, 3), cases.end(AT + 160, 0, 1), heard, missed])
    assert [one.outcome for one in lights(state)] == [limits.ARRIVED]


def test_without_an_ack_event_the_wait_runs_out() -> None:
    state = after([cases.start(AT, 0, 1, flow.GET_REQUEST, 3), cases.end(AT + 160, 0, 1)])
    assert state.due_ms < AT + 2000
    early = reduce(state, Tick(), state.due_ms - 1)
    assert not lights(early)
    late = reduce(state, Tick(), state.due_ms)
    assert [one.outcome for one in lights(late)] == [limits.LOST] and not late.pending


def test_a_sender_that_vanished_is_forgotten() -> None:
    state = reduce(after([cases.start(AT, 0, 1, flow.GET_REQUEST, 3)]), Tick(), AT + 60_000)
    assert not state.pending and not lights(state)


def test_acks_are_no_light_of_their_own() -> None:
    ack = ev.TxStart(1, 3, 2, b"", 0, 63, 2, 15_000, 0, 0, flow.ACK, 0)
    state = after([(AT, ack), cases.end(AT, 3, 2)])
    assert not lights(state) and state.refused == 0


# -- how long


@pytest.mark.parametrize(
    ("permille", "duration_us", "travel_ms"),
    [(250, 40_000, 400), (250, 195_000, 780), (100, 40_000, 400), (100, 80_000, 800), (1000, 195_000, 400),
     (8000, 195_000, 400)],
)  # fmt: skip
def test_light_time(permille: int, duration_us: int, travel_ms: int) -> None:
    state = reduce(dark(BOARD), ev.Clock(0, -1, 1, permille), 0)
    state = after(cases.sent(AT, 0, 1, flow.RREQ, cases.BROADCAST, duration_us=duration_us), state)
    assert [one.travel_ms for one in lights(state)] == [travel_ms]


def test_light_time_is_fixed_when_it_is_reduced() -> None:
    state = after(cases.sent(AT, 0, 1, flow.RREQ, cases.BROADCAST, duration_us=195_000))
    before = lights(state)
    assert lights(reduce(state, ev.Clock(0, -1, 2, 8000), AT)) == before


def test_in_a_pause_the_last_speed_counts() -> None:
    state = after([(0, ev.Clock(0, -1, 1, 100)), (10, ev.Clock(0, -1, 2, 0))])
    assert state.permille == 0
    state = after(cases.sent(AT, 0, 1, flow.RREQ, cases.BROADCAST, duration_us=80_000), state)
    assert [one.travel_ms for one in lights(state)] == [800]


def test_time_that_stands_still_shows_the_same_and_a_step_goes_as_far_as_its_light() -> None:
    show = Show(BOARD)
    for t_ms, input_ in [*cases.powered(), (0, ev.Clock(0, -1, 1, 0))]:
        show.take(input_, t_ms)
    for t_ms in range(0, AT, 25):
        show.frame(t_ms)
    for _, input_ in cases.sent(AT, 0, 1, flow.GET_REQUEST, 3):
        show.take(input_, AT)
    assert AT + 400 <= show.until_ms <= AT + 1000
    still = [show.frame(AT) for _ in range(12)]
    assert len(set(still[6:])) == 1
    over = show.until_ms
    moved = {show.frame(t_ms) for t_ms in range(AT, over, 25)}
    assert len(moved) > 10
    for t_ms in range(over, over + 1500, 25):
        last = show.frame(t_ms)
    assert show.frame(over + 1500) == last


# -- heat


def flood(count: int, t_ms: int = AT) -> list[cases.Timed]:
    return [timed for n in range(count) for timed in cases.sent(t_ms, n % 4, n, flow.RREQ, cases.BROADCAST)]


def heat(state: State, t_ms: int) -> int:
    from led_gateway.effects import heat_share

    return heat_share(state, t_ms)


def test_six_waves_are_drawn_and_seven_are_heat() -> None:
    assert heat(after(flood(6)), AT + 400) == 0
    state = after(flood(7))
    assert [heat(state, AT + part) for part in (0, 500, 1000)] == [0, 128, 256]


def test_heat_ends_after_two_seconds_of_three_or_fewer() -> None:
    state = after(flood(7))
    calm = AT + 400
    assert heat(state, calm + 1999) == 256
    assert heat(state, calm + 2500) == 128
    assert heat(state, calm + 3000) == 0


def test_four_waves_keep_heat_and_three_do_not() -> None:
    for count, hot in ((4, True), (3, False)):
        state = after(flood(7))
        for t_ms in range(AT + 400, AT + 8000, 400):
            state = after(flood(count, t_ms), state)
        assert (heat(state, AT + 8000) > 0) == hot


def test_heat_that_comes_back_goes_on_from_where_it_was() -> None:
    state = after(flood(7))
    again = AT + 400 + 2000 + 500
    before = heat(state, again)
    state = after(flood(7, again), state)
    assert heat(state, again) == before == 128
    assert heat(state, again + 500) == 256


# -- what stands


def test_status_and_events_say_the_same() -> None:
    by_event = after([*cases.powered(), cases.route(AT, 0, 3, 1), cases.route(AT, 1, 3, 3)])
    by_status = after([(0, Stands(station, True, True)) for station in range(4)])
    by_status = after([(AT, Stands(0, True, True, ((3, 1, 2),))), (AT, Stands(1, True, True, ((3, 3, 1),)))], by_status)
    late = AT + 5000
    pictures = [render(reduce(state, Tick(), late), late) for state in (by_event, by_status)]
    lit = [{led for led in range(BOARD.leds) if any(octets[3 * led : 3 * led + 3])} for octets in pictures]
    assert lit[0] == lit[1] and len(lit[0]) > 20


def test_the_same_status_again_changes_nothing() -> None:
    state = after([(0, Stands(0, True, True, ((3, 1, 2),)))])
    again = reduce(state, Stands(0, True, True, ((3, 1, 2),)), 10)
    assert again.routes == state.routes and again.ground is state.ground


def test_a_station_that_is_gone_is_dark_and_has_no_routes() -> None:
    state = after(
        [*cases.powered(), cases.route(AT, 0, 3, 1), (AT, Stands(0, False, False)), (AT, Stands(2, False, False))]
    )
    assert not state.routes[0] and not state.leaves[2].joined and state.leaves[1].joined


def test_a_new_run_forgets_all_but_speed_and_follow() -> None:
    state = after([*cases.powered(), (0, Follow(2)), (0, ev.Clock(0, -1, 1, 2000)), *flood(7)])
    fresh = reduce(state, Forget(), AT)
    assert (fresh.permille, fresh.follow) == (2000, 2)
    assert not fresh.lights and not any(leaf.joined for leaf in fresh.leaves) and not any(fresh.heat)


def test_follow_picks_sessions_by_their_tags() -> None:
    tag = 0 << 40 | 77 << 8 | flow.GET_REQUEST
    state = after([*cases.powered(), (AT, Follow(3))])
    state = reduce(state, ev.ApduSent(cases.us(AT), 0, 3, 16, 1, b"\xc0", flow.GET_REQUEST, tag, 1), AT)
    for frame, one in ((1, tag), (2, tag + 256)):
        sent = ev.TxStart(cases.us(AT), 0, frame, b"", 0, 63, 1, 40_000, 1, 0, flow.GET_REQUEST, one)
        state = after([(AT, sent), cases.end(AT, 0, frame), (AT, ev.Ack(cases.us(AT), 0, 1, frame, "ack"))], state)
    assert [one.frame for one in lights(state)] == [1]


# -- nothing is changed, nothing is raised, nothing grows

station = st.integers(-1, 5)
small = st.integers(0, 5)
kinds = st.sampled_from(sorted(flow.KIND_NAMES))
words = st.sampled_from(
    ["ack", "nack", "missed", "begin", "end", "down", "cut", "link", "cable", "1-3", "16", "99", ""]
)
events = st.one_of(
    st.builds(ev.TxStart, small, station, small, st.just(b""), small, small, st.integers(0, 3),
              st.integers(-1, 200_000), st.one_of(station, st.just(0xFFFF)), small, kinds, small),
    st.builds(ev.TxEnd, small, station, small),
    st.builds(ev.RxOk, small, station, station, small, small, small),
    st.builds(ev.RxLost, small, station, station, small, small, small, words, st.sampled_from(["noise", "collision"]),
              station, small),
    st.builds(ev.Ack, small, station, station, small, words),
    st.builds(ev.ApduSent, small, station, station, small, small, st.just(b""), kinds, small, small),
    st.builds(ev.SessionClosed, small, station, station, small),
    st.builds(ev.SessionAborted, small, station, station, small, words),
    st.builds(ev.ReadDone, small, station, station, st.just(b""), small, words, words, small, small, small, small),
    st.builds(ev.ReadFailed, small, station, station, st.just(b""), small, words, words, small, small),
    st.builds(ev.Collection, small, station, st.sampled_from(["started", "progress", "finished"]), small, small, small),
    st.builds(ev.RouteSet, small, station, station, station, small, small, small, small, st.integers(0, 10**9)),
    st.builds(ev.RouteLost, small, station, station, station, st.sampled_from(["rerr", "no ack", "aged"])),
    st.builds(ev.RepairEnd, small, station, station, small),
    st.builds(ev.Fault, small, station, small, st.sampled_from(["link", "cable", "noise"]), words, words, small, words,
              small),
    st.builds(ev.Power, small, station, st.integers(0, 1), small),
    st.builds(ev.Clock, small, station, small, st.integers(-5, 9000)),
    st.builds(ev.Defer, small, station, small, small),
    st.builds(Follow, station),
    st.builds(Stands, station, st.booleans(), st.booleans(), st.tuples(st.tuples(station, station, small))),
    st.builds(Forget),
    st.builds(Tick),
)  # fmt: skip
"""Anything at all, on few stations and frame numbers, so that the events meet each other."""


def copied(value: Any) -> Any:
    """What a state holds, apart from the identity of its pictures and the board."""
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if isinstance(value, list):
        return list(value)
    return value


def snapshot(state: State) -> dict[str, Any]:
    return {name: copied(getattr(state, name)) for name in state._fields if name not in ("board", "ground")}


@given(st.lists(st.tuples(st.integers(0, 300), events), max_size=60))
@settings(max_examples=150, deadline=None)
def test_reduce_and_render_change_nothing(steps: list[tuple[int, Any]]) -> None:
    state, t_ms = dark(BOARD), 0
    for wait_ms, input_ in steps:
        t_ms += wait_ms
        before = snapshot(state)
        fresh = reduce(state, input_, t_ms)
        octets = render(fresh, t_ms)
        assert len(octets) == 3 * BOARD.leds
        assert snapshot(state) == before
        assert snapshot(reduce(state, input_, t_ms)) == snapshot(fresh)
        assert render(fresh._replace(ground=limits.Ground()), t_ms) == octets
        state = fresh


@given(st.lists(st.tuples(st.integers(0, 40), events), max_size=200), st.sampled_from(["safe", "calm"]))
@settings(max_examples=60, deadline=None)
def test_a_state_is_bounded(steps: list[tuple[int, Any]], theme: str) -> None:
    state, t_ms = dark(BOARD), 0
    for wait_ms, input_ in steps:
        t_ms += wait_ms
        state = reduce(state, input_, t_ms)
    render(state, t_ms, theme)
    assert len(state.pending) <= limits.MOST_PENDING and len(state.lights) <= limits.MOST_LIGHTS
    assert len(state.bursts) <= limits.MOST_BURSTS and len(state.flows) <= limits.MOST_FLOWS
    assert len(state.faults) <= limits.MOST_FAULTS and len(state.broken) <= limits.MOST_BROKEN


def test_a_flood_of_one_kind_is_bounded_too() -> None:
    state = after([*cases.powered(), (AT, Follow(3))])
    for n in range(3000):
        state = reduce(state, cases.start(AT, n % 4, n, flow.GET_REQUEST, (n + 1) % 4)[1], AT)
        state = reduce(state, cases.route(AT, n % 4, n % 60_000, (n + 1) % 4)[1], AT)
        state = reduce(state, cases.fault(AT, n, "cable", "16", "cut")[1], AT)
        state = reduce(state, ev.ApduSent(0, 0, 3, 1, 1, b"", flow.OTHER, n, 0), AT)
    assert len(state.pending) == limits.MOST_PENDING and len(state.flows) == limits.MOST_FLOWS
    assert len(state.faults) == limits.MOST_FAULTS
    assert all(len(table) <= limits.MOST_ROUTES for table in state.routes)
    assert state.refused == 0


BAD: list[object] = [
    cases.start(0, 4, 1, flow.RREQ, cases.BROADCAST)[1],
    cases.start(0, -1, 1, flow.RREQ, cases.BROADCAST)[1],
    cases.start(0, 0, 1, flow.GET_REQUEST, 77)[1],
    cases.start(0, 1, 1, flow.GET_REQUEST, 1)[1],
    cases.start(0, 0, 1, flow.RREQ, cases.BROADCAST, duration_us=0)[1],
    cases.start(0, 0, 1, flow.RREQ, cases.BROADCAST, duration_us=-5)[1],
    cases.start(0, 0, 1, flow.RREQ, cases.BROADCAST, duration_us=10**15)[1],
    cases.start(0, 0, 1, flow.RREQ, cases.BROADCAST, attempt=-1)[1],
    ev.TxStart(0, "a", 1, b"", 0, 63, 0, 1, 1, 0, 1, 0),  # type: ignore[arg-type]
    ev.TxStart(0, 0, None, b"", 0, 63, 0, 1, 1, 0, 1, 0),  # type: ignore[arg-type]
    ev.TxStart(-1, 0, 1, b"", 0, 63, 0, 1, 1, 0, 1, 0),
    ev.TxEnd(0, 99, 1),
    ev.TxEnd(0, "x", 1),  # type: ignore[arg-type]
    ev.TxEnd(0, 0, []),  # type: ignore[arg-type]
    ev.RxOk(0, 9, 0, 1, 1, 1),
    ev.RxLost(0, 0, 88, 1, 1, 1, "header", "collision", -4, 1),
    ev.Ack(0, -3, 0, 1, "ack"),
    ev.Power(0, 50, 1, 1),
    ev.Power(0, 1, "on", 1),  # type: ignore[arg-type]
    ev.RouteSet(0, 0, 3, 17, 1, 1, 0, 1, 5),
    ev.RouteLost(0, 0, 3, -2, "rerr"),
    ev.ReadDone(0, 0, 9, b"", 2, "1", "Wh", 1, 1, 1, 1),
    ev.ApduSent(0, 0, 9, 1, 1, b"", 1, 1, 1),
    ev.Clock(0, -1, 1, -250),
    ev.Clock(0, -1, 1, 10**9),
    ev.Fault(0, 0, 1, "cable", "31", "cut", 0, "begin", 0),
    ev.Fault(0, 0, 1, "cable", "0", "cut", 0, "begin", 0),
    ev.Fault(0, 0, 1, "cable", "-4", "cut", 0, "begin", 0),
    ev.Fault(0, 0, 1, "link", "1-9", "down", 0, "begin", 0),
    ev.Fault(0, 0, 1, "link", "1-1", "down", 0, "begin", 0),
    ev.Fault(0, 0, 1, "link", "one-two", "down", 0, "begin", 0),
    ev.Fault(0, 0, 1, "link", "1-2", "down", 0, "perhaps", 0),
    ev.Defer(0, 99, 1, 1),
    ev.Segment(0, 0, 0, "x", 1, 1),  # type: ignore[arg-type]
    Follow(9),
    Follow("3"),  # type: ignore[arg-type]
    Stands(7, True, True),
    Stands(1, True, True, ((9, 0, 1),)),
    Stands(1, True, True, ((0, 1, 1),)),
    Stands(1, True, True, ("abc",)),  # type: ignore[arg-type]
    Stands(1, True, True, None),  # type: ignore[arg-type]
    "no event",
    None,
    17,
]


@pytest.mark.parametrize("bad", BAD, ids=[f"{n}-{type(bad).__name__}" for n, bad in enumerate(BAD)])
def test_what_makes_no_sense_is_counted_and_seen_nowhere(bad: Any) -> None:
    show = Show(BOARD)
    for t_ms, input_ in cases.powered():
        show.take(input_, t_ms)
    for t_ms in range(0, AT, 25):
        before = show.frame(t_ms)
    show.take(bad, AT)
    assert show.refused == 1
    assert {show.frame(t_ms) for t_ms in range(AT, AT + 1000, 25)} == {before}


def test_a_collection_that_began_before_anybody_looked() -> None:
    state = reduce(dark(BOARD), Collected(True, (1, 2), (3,)), 0)
    assert [state.leaves[meter].rest for meter in (1, 2, 3)] == [
        limits.READ,
        limits.READ,
        limits.FAILED,
    ] and state.collecting
    later = reduce(state, Stands(1, True, True, ()), 10)
    assert later.leaves[1].joined and later.leaves[1].rest == limits.READ
    for wrong in ((4000,), (-1,), ("3",)):
        refused = reduce(state, Collected(True, wrong, ()), 0)  # type: ignore[arg-type]
        assert refused.refused == state.refused + 1 and refused.leaves == state.leaves
