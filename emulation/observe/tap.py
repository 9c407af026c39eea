"""The trace of a run: what the stations note goes to ordered observers, in batches.

A station's `Env.note` comes from `Trace.note_for`. Events pile up in a buffer and are handed on in batches, in the
order in which they were noted, so that an observer's cost per event is a loop iteration and not a call. With no
observer the stations get `ignore`, and a run that nobody watches pays one empty call per event.

Neighbours: `emulation.sim` and the live host own a Trace; every other file of this package is an observer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from g3plc.core.env import Clock, ignore
from g3plc.events import Event, TxEnd

BATCH_EVENTS = 4096
_PIECE_EVENTS = 512


def pieces(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """A batch in pieces, for observers that make text of it.

    The text of a whole batch is so large that the allocator takes memory for it from the system, page by page, and
    gives it back, each time: that costs a seventh of the making.
    """
    for start in range(0, len(events), _PIECE_EVENTS):
        yield events[start : start + _PIECE_EVENTS]


class Observer(Protocol):
    """Somebody who watches. Observers never change a run."""

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events, oldest first. The sequence must not be kept or changed."""

    def close(self) -> None:
        """The run is over, or the observer has failed: let go of files."""


class Failure:
    """An observer that was removed because it raised."""

    __slots__ = ("error", "observer")

    def __init__(self, observer: Observer, error: Exception) -> None:
        self.observer = observer
        self.error = error

    def __str__(self) -> str:
        return f"{type(self.observer).__name__} stopped watching: {type(self.error).__name__}: {self.error}"


class Trace:
    """Ordered observers and the buffer in front of them.

    Attach observers before stations are built: a station that was built while nobody watched stays unwatched.
    `failures` lists the observers that raised; they are removed, the others go on.
    """

    __slots__ = ("_buffer", "_observers", "failures")

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._buffer: list[Event] = []
        self._observers: list[Observer] = list(observers)
        self.failures: list[Failure] = []

    def attach(self, observer: Observer) -> None:
        """Let `observer` watch, after those that are already there."""
        self._observers.append(observer)

    @property
    def watched(self) -> bool:
        """Is there an observer?"""
        return bool(self._observers)

    def note_for(self, node: int, clock: Clock) -> Callable[..., None]:
        """Return the `note(kind, *fields)` of station `node`: it records `kind(clock.now, node, *fields)`."""
        if not self._observers:
            return ignore
        buffer = self._buffer
        append = buffer.append
        flush = self.flush
        # past the named tuple's own constructor, which would cost more than all the rest
        new: Callable[..., Any] = tuple.__new__

        def note(kind: type[Event], *fields: object) -> None:
            append(new(kind, (clock.now, node) + fields))
            # once a transmission is often enough: it is what all the other events are about
            if kind is TxEnd and len(buffer) >= BATCH_EVENTS:
                flush()

        return note

    def flush(self) -> None:
        """Hand on what has piled up. Hosts call it at the end of a run and, live, at every turn."""
        if not self._buffer:
            return
        batch = self._buffer[:]
        self._buffer.clear()
        for observer in tuple(self._observers):
            self._guarded(observer, observer.observe, batch)

    def close(self) -> None:
        """Hand on the rest and close every observer."""
        self.flush()
        for observer in tuple(self._observers):
            self._guarded(observer, observer.close)
        self._observers.clear()

    def _guarded(self, observer: Observer, call: Callable[..., None], *args: object) -> None:
        try:
            call(*args)
        except Exception as error:
            self.failures.append(Failure(observer, error))
            self._observers.remove(observer)
            if call != observer.close:
                self._let_go(observer)

    def _let_go(self, observer: Observer) -> None:
        try:
            observer.close()
        except Exception as error:
            self.failures.append(Failure(observer, error))
