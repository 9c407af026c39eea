"""The clock of a live process: emulated time is wall time times a speed that one director sets for all.

One heap of timers for all stations of the process; asyncio is asked to wake us for the earliest only. `now` is the due
time of the running callback, so that a late timer delays the wall and never the emulated network. A piece of work
lasts a millisecond at most: when behind, the loop gets its turn between callbacks, and after a stall of the machine it
first gets a few turns to read what has come in meanwhile.

The wall clock is read once and then followed by the loop's monotonic clock; `offset_ns` is added to agree with the
director's (`sync`). Entries are those of `emulation.clocks`: `[when, order, fn, arg, owner]`.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, Protocol, TypeVar

from emulation.clocks import SimTimer
from g3plc.core.errors import UsageError

A = TypeVar("A")

PIECE_S = 0.001
"""The loop gets its turn after so much work."""

STALL_S = 0.002
"""Woken later than this: the machine was busy elsewhere."""
_READING_TURNS = 8
_HELD_S = 0.0005
"""Between two looks at whether callbacks are still held back."""

_NS = 1_000_000_000
_MOST_PENDING = 16


class Handle(Protocol):
    """What a loop gives for a callback to come."""

    def cancel(self) -> None:
        """Forget it."""


class Loop(Protocol):
    """What is needed of an asyncio loop."""

    def time(self) -> float:
        """Monotonic seconds."""

    def call_at(self, when: float, callback: Callable[[], object], /) -> Handle:
        """Call once at `when`."""

    def call_soon(self, callback: Callable[[], object], /) -> Handle:
        """Call after what is ready now."""


class Pace:
    """From `wall_ns` on, emulated time is `emulated_us` + (wall - wall_ns) x permille / 1000."""

    __slots__ = ("emulated_us", "generation", "speed_permille", "wall_ns")

    def __init__(self, generation: int, wall_ns: int, emulated_us: int, speed_permille: int) -> None:
        self.generation = generation
        self.wall_ns = wall_ns
        self.emulated_us = emulated_us
        self.speed_permille = speed_permille

    def at(self, wall_ns: int) -> int:
        """Emulated time at a wall time; before its beginning it stands still."""
        elapsed = wall_ns - self.wall_ns
        return self.emulated_us + elapsed * self.speed_permille // 1_000_000 if elapsed > 0 else self.emulated_us

    def wall_of(self, emulated_us: int) -> int | None:
        """The wall time at which emulated time gets there; None if it never does."""
        ahead = emulated_us - self.emulated_us
        if ahead <= 0:
            return self.wall_ns
        return self.wall_ns - (-ahead * 1_000_000 // self.speed_permille) if self.speed_permille else None


class LoopClock:
    """See the module's text. It stands still until the first `set_pace`.

    `origin_ns`: wall time (UNIX) minus the loop's time. `on_turn` is called after each piece of work, `on_pace` with
    each pace that begins, `on_error` with what a callback raised that belongs to no station. `holds(when)` may keep
    callbacks due at `when` back for the moment.
    """

    def __init__(self, loop: Loop, origin_ns: int) -> None:
        self._loop = loop
        self._origin_ns = origin_ns
        self._heap: list[SimTimer] = []
        self._count = 0
        self._handle: Handle | None = None
        self._handle_at = 0.0
        self._pace: Pace | None = None
        self._coming: list[Pace] = []
        self._worst_us = 0
        self._running = False
        self._turns_left = 0
        self.now = 0
        self.offset_ns = 0
        self.on_turn: Callable[[], None] = _nothing
        self.on_pace: Callable[[Pace], None] = _ignore
        self.on_error: Callable[[Exception], None] = _raise
        self.holds: Callable[[int], bool] = _never

    # -- Clock

    def at(self, when: int, fn: Callable[[A], object], arg: A) -> SimTimer:
        """Run `fn(arg)` at `when`. UsageError if that is before `now`."""
        return self.push(when, fn, arg, None)

    def after(self, delay: int, fn: Callable[[A], object], arg: A) -> SimTimer:
        """Run `fn(arg)` at `now + delay`."""
        return self.push(self.now + delay, fn, arg, None)

    def soon(self, fn: Callable[[A], object], arg: A) -> SimTimer:
        """Run `fn(arg)` at the time that has been reached: for what comes from outside."""
        return self.push(self.reached, fn, arg, None)

    def push(self, when: int, fn: Callable[[A], object], arg: A, owner: StationClock | None) -> SimTimer:
        """`at`, on behalf of a station."""
        if when < self.now:
            raise UsageError(f"timer at {when} us is before now, {self.now} us")
        self._count += 1
        timer = SimTimer((when, self._count, fn, arg, owner))
        heappush(self._heap, timer)
        if not self._running and self._heap[0] is timer:
            self._arm()
        return timer

    # -- pace

    def wall_ns(self) -> int:
        """Wall time as the director has it, UNIX nanoseconds."""
        return self._origin_ns + self.offset_ns + int(self._loop.time() * _NS)

    def emulated(self) -> int:
        """Emulated time by the wall, in microseconds; it never goes back."""
        wall = self.wall_ns()
        while self._coming and self._coming[0].wall_ns <= wall:
            self._pace = self._coming.pop(0)
            self.on_pace(self._pace)
        return max(self.now, self._pace.at(wall)) if self._pace is not None else self.now

    @property
    def reached(self) -> int:
        """How far this process has come: the wall's time, or the earliest callback that is overdue."""
        emulated = self.emulated()
        heap = self._heap
        while heap and heap[0][2] is None:
            heappop(heap)
        return min(emulated, heap[0][0]) if heap else emulated

    @property
    def speed_permille(self) -> int:
        """The speed in force."""
        return self._pace.speed_permille if self._pace is not None else 0

    @property
    def generation(self) -> int:
        """Of the newest pace that is known; -1 before the first."""
        last = self._coming[-1] if self._coming else self._pace
        return last.generation if last is not None else -1

    def set_pace(self, pace: Pace) -> bool:
        """Take a pace on from its own stamp, in place of those that were to begin later. False: it is not new."""
        if pace.generation <= self.generation:
            return False
        self.emulated()
        self._coming = [coming for coming in self._coming if coming.wall_ns < pace.wall_ns][:_MOST_PENDING]
        if self._pace is None:
            self._pace = pace
            self.now = max(self.now, pace.emulated_us)
            self.on_pace(pace)
        else:
            self._coming.append(pace)
        self._arm()
        return True

    def set_offset(self, offset_ns: int) -> None:
        """Agree with the director's wall clock."""
        self.offset_ns = offset_ns
        self._arm()

    def take_lag_us(self) -> int:
        """How late, in wall time, callbacks ran at worst since the last call."""
        worst, self._worst_us = self._worst_us, 0
        return worst

    def reset(self) -> None:
        """A new run: forget all timers and the pace; time starts again."""
        for timer in self._heap:
            timer.cancel()
        self._heap.clear()
        self._pace = None
        self._coming.clear()
        self.now = 0
        self._arm()

    def drop(self, owner: StationClock) -> None:
        """Blank every callback of a station's life that has ended."""
        for timer in self._heap:
            if timer[4] is owner:
                timer.cancel()
        if not self._running:
            self._heap[:] = [timer for timer in self._heap if timer[2] is not None]
            heapify(self._heap)

    # -- running

    def _arm(self) -> None:
        """Have the loop wake us for the earliest callback or change of pace."""
        if self._running:
            return
        when = self._next_wake()
        if self._handle is not None:
            if when is not None and self._handle_at == when:
                return
            self._handle.cancel()
            self._handle = None
        if when is not None:
            self._handle_at = when
            self._handle = self._loop.call_at(when, self._wake)

    def _next_wake(self) -> float | None:
        heap = self._heap
        while heap and heap[0][2] is None:
            heappop(heap)
        wall = self._pace.wall_of(heap[0][0]) if heap and self._pace is not None else None
        if self._coming and (wall is None or self._coming[0].wall_ns < wall):
            wall = self._coming[0].wall_ns
        return None if wall is None else (wall - self._origin_ns - self.offset_ns) / _NS

    def _wake(self) -> None:
        """The loop has called: after a stall, let it read first."""
        loop = self._loop
        if self._handle_at and loop.time() - self._handle_at > STALL_S:
            self._turns_left = _READING_TURNS
        if self._turns_left:
            self._turns_left -= 1
            self._again(0.0)
        else:
            self._work(loop.time() + PIECE_S)

    def _again(self, after_s: float) -> None:
        """Have ourselves called again: soon, or after a while."""
        loop = self._loop
        self._handle_at = 0.0
        self._handle = loop.call_at(loop.time() + after_s, self._wake) if after_s else loop.call_soon(self._wake)

    def _work(self, until: float) -> None:
        """Run what is due, until that loop time at most."""
        self._handle = None
        loop, heap = self._loop, self._heap
        again: float | None = None
        self._running = True
        try:
            emulated = self.emulated()
            while heap:
                when = heap[0][0]
                if when > emulated:
                    emulated = self.emulated()
                    if when > emulated:
                        break
                if self.holds(when):
                    again = _HELD_S
                    break
                self._run(heappop(heap), emulated)
                if loop.time() > until:
                    again = 0.0
                    break
        finally:
            self._running = False
        self.on_turn()
        if again is None:
            self._arm()
        else:
            self._again(again)

    def _run(self, timer: SimTimer, emulated: int) -> None:
        when, _, fn, arg, owner = timer
        if fn is None:
            return
        self.now = when
        if self._pace is not None and self._pace.speed_permille:
            late_us = (emulated - when) * 1000 // self._pace.speed_permille
            if late_us > self._worst_us:
                self._worst_us = late_us
        try:
            fn(arg)
        except Exception as error:
            if owner is None:
                self.on_error(error)
            else:
                owner.on_error(error)


class StationClock:
    """One life of one station on a `LoopClock`. `on_error` is told what a callback of this life raised."""

    __slots__ = ("_clock", "_stopped", "on_error")

    def __init__(self, clock: LoopClock, on_error: Callable[[Exception], None]) -> None:
        self._clock = clock
        self._stopped = False
        self.on_error = on_error

    @property
    def now(self) -> int:
        """Emulated time in microseconds."""
        return self._clock.now

    def at(self, when: int, fn: Callable[[A], object], arg: A) -> SimTimer:
        """Run `fn(arg)` at `when`; never once this life is over."""
        if self._stopped:
            return SimTimer((when, 0, None, None, self))
        return self._clock.push(when, fn, arg, self)

    def after(self, delay: int, fn: Callable[[A], object], arg: A) -> SimTimer:
        """Run `fn(arg)` at `now + delay`; never once this life is over."""
        return self.at(self._clock.now + delay, fn, arg)

    def stop(self) -> None:
        """End this life: nothing that it asked for will run."""
        self._stopped = True
        self._clock.drop(self)


def _nothing() -> None:
    """Nobody listens."""


def _never(_: int) -> bool:
    """Nothing is held back."""
    return False


def _ignore(_: Any) -> None:
    """Nobody listens."""


def _raise(error: Exception) -> None:
    raise error
