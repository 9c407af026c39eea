"""The trace: what stations note reaches the observers, in order, whatever an observer does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from emulation.clocks import SimClock
from emulation.observe.tap import BATCH_EVENTS, Trace
from g3plc.core.env import ignore
from g3plc.events import Defer, Event, TxEnd


class Kept:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.batches = 0
        self.closed = 0

    def observe(self, events: Sequence[Event]) -> None:
        self.events += events
        self.batches += 1

    def close(self) -> None:
        self.closed += 1


class Broken(Kept):
    def __init__(self, at: int, in_close: bool = False) -> None:
        super().__init__()
        self.at = at
        self.in_close = in_close

    def observe(self, events: Sequence[Event]) -> None:
        super().observe(events)
        if len(self.events) > self.at:
            raise OSError("disk full")

    def close(self) -> None:
        super().close()
        if self.in_close:
            raise ValueError("cannot close")


def test_with_nobody_watching_stations_get_the_empty_note() -> None:
    assert Trace().note_for(3, SimClock()) is ignore
    assert not Trace().watched


def test_an_event_carries_time_and_station_and_is_of_its_class() -> None:
    kept, clock = Kept(), SimClock(10**12)
    trace = Trace([kept])
    note = trace.note_for(17, clock)
    note(TxEnd, 5)
    clock.run_until(10**12 + 7)
    note(Defer, 2, 16)
    trace.flush()
    assert kept.events == [TxEnd(10**12, 17, 5), Defer(10**12 + 7, 17, 2, 16)]
    assert [type(event) for event in kept.events] == [TxEnd, Defer]


def test_events_come_in_batches_and_in_the_order_of_all_stations() -> None:
    kept, clock = Kept(), SimClock()
    trace = Trace([kept])
    notes = [trace.note_for(node, clock) for node in range(3)]
    for frame in range(2 * BATCH_EVENTS + 10):
        notes[frame % 3](TxEnd, frame)
    assert kept.batches == 2
    trace.close()
    assert [event[2] for event in kept.events] == list(range(2 * BATCH_EVENTS + 10))
    assert kept.closed == 1


def test_observers_see_the_same_events_in_their_order() -> None:
    seen: list[str] = []

    class Named(Kept):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def observe(self, events: Sequence[Event]) -> None:
            seen.append(self.name)

    trace = Trace([Named("first")])
    trace.attach(Named("second"))
    trace.note_for(0, SimClock())(TxEnd, 1)
    trace.flush()
    assert seen == ["first", "second"]


@pytest.mark.parametrize("in_close", [False, True])
def test_an_observer_that_raises_is_removed_and_reported_and_the_rest_go_on(in_close: bool) -> None:
    broken, kept = Broken(0, in_close), Kept()
    trace = Trace([broken, kept])
    note = trace.note_for(1, SimClock())
    note(TxEnd, 1)
    trace.flush()
    note(TxEnd, 2)
    trace.close()
    assert len(kept.events) == 2
    assert len(broken.events) == 1
    assert broken.closed == 1
    assert len(trace.failures) == 1 + in_close
    assert str(trace.failures[0]) == "Broken stopped watching: OSError: disk full"


def test_an_observer_that_fails_to_close_is_reported() -> None:
    trace = Trace([Broken(10, in_close=True)])
    trace.close()
    assert [str(failure) for failure in trace.failures] == ["Broken stopped watching: ValueError: cannot close"]
    trace.close()
    assert len(trace.failures) == 1
