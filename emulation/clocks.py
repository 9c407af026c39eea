"""The clock of virtual time: a heap of callbacks, run as fast as the processor allows.

Entries are lists `[when, order, fn, arg, owner]`; the order of insertion settles ties, so that two runs with the same
calls are the same run. Cancelling blanks the entry where it lies; blank entries fall out when they come to the top.
Each life of a station sees the clock through a `StationClock`, so that switching it off takes its timers with it.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, TypeVar

from g3plc.core.errors import UsageError

A = TypeVar("A")

DAY_US = 86_400_000_000


class SimTimer(list[Any]):
    """An entry of the heap; its own handle."""

    __slots__ = ()

    def cancel(self) -> None:
        """Blank the entry: it will not run."""
        self[2] = None


class SimClock:
    """Integer microseconds of emulated time.

    `order` gives each entry its place among the callbacks due at the same time: from it comes the order of insertion.
    """

    def __init__(self, start_us: int = 0, order: Callable[[], int] | None = None) -> None:
        self.now = start_us
        self._heap: list[SimTimer] = []
        self._order = order or count(1).__next__

    def at(self, when: int, fn: Callable[[A], object], arg: A) -> SimTimer:
        """Run `fn(arg)` at `when`. UsageError if that is in the past."""
        if when < self.now:
            raise UsageError(f"timer at {when} us is before now, {self.now} us")
        timer = SimTimer((when, self._order(), fn, arg, self))
        heappush(self._heap, timer)
        return timer

    def after(self, delay: int, fn: Callable[[A], object], arg: A) -> SimTimer:
        """Run `fn(arg)` at `now + delay`."""
        return self.at(self.now + delay, fn, arg)

    def run_until(self, end: int) -> None:
        """Run every callback due up to and including `end`; the clock then stands at `end`."""
        heap = self._heap
        while heap and heap[0][0] <= end:
            when, _, fn, arg, _ = heappop(heap)
            if fn is not None:
                self.now = when
                fn(arg)
        self.now = max(self.now, end)

    def run(self, limit: int | None = None, stop: Callable[[], bool] | None = None) -> None:
        """Run until nothing is left, `stop()` says so, or the next callback is due after `limit`."""
        heap = self._heap
        while heap:
            if limit is not None and heap[0][0] > limit:
                return
            when, _, fn, arg, _ = heappop(heap)
            if fn is None:
                continue
            self.now = when
            fn(arg)
            if stop is not None and stop():
                return

    @property
    def pending(self) -> int:
        """Callbacks still to run. Blank entries are swept out on the way."""
        self._heap[:] = [entry for entry in self._heap if entry[2] is not None]
        heapify(self._heap)
        return len(self._heap)


class StationClock(SimClock):
    """One life of one station on a `SimClock`: the same clock, but what is asked for here belongs to this life.

    It shares the attributes of the other, all of them: `now` is read some forty times in a transmission.
    """

    def __init__(self, clock: SimClock) -> None:
        self.__dict__ = clock.__dict__

    def stop(self) -> None:
        """End this life: nothing that it asked for will run."""
        for entry in self._heap:
            if entry[4] is self:
                entry.cancel()
