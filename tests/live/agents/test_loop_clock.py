"""The live clock on a loop whose time is the test's."""

from __future__ import annotations

from typing import Any

import pytest

from emulation.live.clock import LoopClock, Pace, StationClock
from g3plc.core.errors import UsageError

ORIGIN = 1_795_000_000_000_000_000
SECOND = 1_000_000_000
FakeLoop = Any


@pytest.fixture
def clock(loop: FakeLoop) -> LoopClock:
    return LoopClock(loop, ORIGIN)


def wall(loop: FakeLoop, ahead: float = 0.0) -> int:
    return ORIGIN + int((loop.seconds + ahead) * SECOND)


def start(clock: LoopClock, loop: FakeLoop, permille: int = 1000, emulated_us: int = 0) -> None:
    assert clock.set_pace(Pace(1, wall(loop), emulated_us, permille))


def test_stands_still_without_a_pace(clock: LoopClock, loop: FakeLoop) -> None:
    ran: list[int] = []
    clock.at(5, ran.append, 1)
    loop.run(10)
    assert not ran and clock.emulated() == 0
    start(clock, loop)
    loop.run(0.001)
    assert ran == [1]


@pytest.mark.parametrize(("permille", "seconds"), [(1000, 2.0), (50, 40.0), (16_000, 0.125)])
def test_emulated_time_is_wall_time_times_speed(
    clock: LoopClock, loop: FakeLoop, permille: int, seconds: float
) -> None:
    start(clock, loop, permille)
    seen: list[tuple[int, float]] = []
    began = loop.seconds
    clock.at(2_000_000, lambda _: seen.append((clock.now, loop.seconds - began)), None)
    loop.run(seconds - 0.001)
    assert not seen
    loop.run(0.002)
    assert seen[0][0] == 2_000_000
    assert seen[0][1] == pytest.approx(seconds, abs=1e-4)


def test_now_is_the_due_time_however_late_the_callback(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    seen: list[int] = []

    def work(_: None) -> None:
        loop.seconds += 0.5
        clock.after(10, lambda _: seen.append(clock.now), None)

    clock.at(1000, work, None)
    loop.run(2)
    assert seen == [1010]
    assert clock.take_lag_us() >= 400_000
    assert clock.take_lag_us() == 0


def test_same_time_runs_in_the_order_of_insertion(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    ran: list[int] = []
    for number in range(20):
        clock.at(700, ran.append, number)
    clock.at(600, ran.append, -1)
    loop.run(1)
    assert ran == [-1, *range(20)]


def test_only_the_earliest_is_asked_of_the_loop(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    for when in range(1000, 0, -1):
        clock.at(when * 1000, lambda _: None, None)
    assert loop.pending == 1


def test_pause_and_change_take_effect_at_their_stamp(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    ran: list[float] = []
    began = loop.seconds
    clock.at(1_000_000, lambda _: ran.append(loop.seconds - began), None)
    clock.set_pace(Pace(2, wall(loop, 0.3), 300_000, 0))
    loop.run(5)
    assert not ran and clock.emulated() == 300_000
    clock.set_pace(Pace(3, wall(loop, 0.3), 300_000, 2000))
    loop.run(0.3)
    assert not ran
    loop.run(0.36)
    assert ran and ran[0] == pytest.approx(5.65, abs=1e-3)


def test_step_is_a_run_and_a_pause(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop, 0)
    ran: list[int] = []
    for when in (500, 1_000, 1_500):
        clock.at(when, ran.append, when)
    clock.set_pace(Pace(2, wall(loop, 0.1), 0, 1000))
    clock.set_pace(Pace(3, wall(loop, 0.101), 1000, 0))
    loop.run(10)
    assert ran == [500, 1000] and clock.emulated() == 1000


def test_old_generations_are_ignored(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    assert clock.set_pace(Pace(5, wall(loop), 0, 2000))
    assert not clock.set_pace(Pace(5, wall(loop), 0, 1000))
    assert not clock.set_pace(Pace(4, wall(loop), 0, 0))
    loop.run(1)
    assert clock.speed_permille == 2000 and clock.emulated() == 2_000_000


def test_newer_pace_replaces_those_to_come_after_it(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    clock.set_pace(Pace(2, wall(loop, 2), 2_000_000, 0))
    clock.set_pace(Pace(3, wall(loop, 1), 1_000_000, 4000))
    loop.run(3)
    assert clock.emulated() == 9_000_000


def test_time_never_goes_back(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    seen: list[int] = []
    clock.at(1_000_000, lambda _: seen.append(clock.now), None)
    loop.run(1)
    clock.set_pace(Pace(2, wall(loop), 10, 1000))
    clock.after(5, lambda _: seen.append(clock.now), None)
    assert clock.emulated() >= 1_000_000
    loop.run(2)
    assert seen == [1_000_000, 1_000_005]


def test_work_is_cut_into_pieces(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    turns: list[int] = []
    clock.on_turn = lambda: turns.append(1)

    def work(_: None) -> None:
        loop.seconds += 0.0004

    for _ in range(30):
        clock.at(1000, work, None)
    loop.run(1)
    assert len(turns) >= 10


def test_a_station_that_stops_takes_its_timers_along(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    ran: list[str] = []
    one = StationClock(clock, lambda error: None)
    other = StationClock(clock, lambda error: None)
    one.after(100, ran.append, "one")
    other.after(100, ran.append, "other")
    one.stop()
    one.after(200, ran.append, "one, after its end").cancel()
    loop.run(1)
    assert ran == ["other"]


def test_what_a_station_raises_is_its_own_affair(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    wrong: list[Exception] = []
    ran: list[str] = []
    one = StationClock(clock, wrong.append)
    one.at(50, lambda _: ran.append(1 // 0), None)  # type: ignore[arg-type]
    StationClock(clock, wrong.append).at(60, ran.append, "other")
    loop.run(1)
    assert ran == ["other"] and isinstance(wrong[0], ZeroDivisionError)


def test_the_past_is_refused_and_a_new_run_begins_at_its_own_time(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop, emulated_us=1000)
    ran: list[int] = []
    clock.soon(ran.append, 1)
    loop.run(0)
    with pytest.raises(UsageError):
        clock.at(0, ran.append, 2)
    clock.at(10_000_000, ran.append, 3)
    clock.reset()
    assert clock.generation == -1
    start(clock, loop, emulated_us=5)
    clock.at(6, ran.append, 4)
    loop.run(60)
    assert ran == [1, 4]


def test_reached_is_what_is_overdue(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    clock.at(1000, lambda _: None, None)
    loop.seconds += 1
    assert clock.reached == 1000 and clock.emulated() == 1_000_000
    loop.run(0)
    assert clock.reached == 1_000_000


def test_offset_to_the_director_shifts_the_wall(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    clock.set_offset(3_000_000)
    assert clock.emulated() == 3000


def test_a_clock_that_begins_later_waits_for_it(clock: LoopClock, loop: FakeLoop) -> None:
    ran: list[float] = []
    began = loop.seconds
    clock.set_pace(Pace(1, wall(loop, 0.3), 77, 1000))
    clock.at(78, lambda _: ran.append(loop.seconds - began), None)
    assert clock.emulated() == 77
    loop.run(1)
    assert ran[0] == pytest.approx(0.3, abs=1e-3)


def test_after_a_stall_what_came_in_is_read_first(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    order: list[str] = []
    clock.at(1000, order.append, "timer")
    loop.seconds += 0.1
    loop.call_soon(lambda: (order.append("read"), loop.call_soon(lambda: order.append("handled"))))
    loop.run(0.01)
    assert order == ["read", "handled", "timer"]


def test_callbacks_can_be_held_back(clock: LoopClock, loop: FakeLoop) -> None:
    start(clock, loop)
    ran: list[tuple[int, float]] = []
    began = loop.seconds
    clock.holds = lambda when: when >= 1000 and loop.seconds < began + 0.005
    for when in (500, 1000, 1500):
        clock.at(when, lambda _: ran.append((clock.now, loop.seconds - began)), None)
    loop.run(1)
    assert [now for now, _ in ran] == [500, 1000, 1500]
    assert ran[0][1] < 0.001 and 0.005 <= ran[1][1] < 0.006
