"""All that a layer may touch besides its neighbours: a clock, random numbers, and the trace.

Time is an integer of emulated microseconds and comes only from `Clock`. Two hosts implement it: a heap of events
(virtual time) and asyncio (live). `Clock.now` is the due time of the callback that runs, never the moment at which
the machine got round to it, so that a late timer cannot shift the emulated network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

A = TypeVar("A")


class Timer(Protocol):
    """A pending callback."""

    def cancel(self) -> None:
        """Make sure that the callback does not run. Harmless after it has run, and when called twice."""


class Clock(Protocol):
    """Emulated time in integer microseconds. Callbacks due at the same time run in the order of their insertion."""

    @property
    def now(self) -> int:
        """Due time of the running callback, in microseconds."""

    def at(self, when: int, fn: Callable[[A], object], arg: A) -> Timer:
        """Run `fn(arg)` at `when` (microseconds, not before `now`)."""

    def after(self, delay: int, fn: Callable[[A], object], arg: A) -> Timer:
        """Run `fn(arg)` at `now + delay`."""


class Rng(Protocol):
    """A stream of random integers that belongs to one (seed, node, boot number, purpose)."""

    def below(self, n: int) -> int:
        """A uniform integer in 0..n-1, n >= 1."""


class Env:
    """What a station hands to each of its layers.

    `note(kind, *fields)` records the event `kind(now, node, *fields)`; with nobody watching it does nothing.
    `rng(purpose)` gives the stream of one purpose ("mac", "loadng", "app"); ask once and keep it.
    """

    __slots__ = ("clock", "node", "note", "rng")

    def __init__(
        self,
        node: int,
        clock: Clock,
        rng: Callable[[str], Rng],
        note: Callable[..., Any] | None = None,
    ) -> None:
        self.node = node
        self.clock = clock
        self.rng = rng
        self.note: Callable[..., Any] = note if note is not None else ignore


def ignore(*_fields: object) -> None:
    """The trace of a run that nobody watches."""
