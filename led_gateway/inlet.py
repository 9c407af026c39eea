"""Between the broker and the work: bounded queues, so that a flood costs messages, which are counted, and nothing else.

Records (run, clock, faults, status) wait by topic, the newest in place of an older one, but for the clock's, of which
each counts; events in the order in which they came, the oldest of them dropped when there are too many. A turn works
for a few milliseconds at most; then the loop, with the frames that are due, gets its turn.
Neighbours: `gateway`, `traffic`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from emulation.live.rate import BoundedLog

MOST_EVENTS = 4000
MOST_RECORDS = 3000
PIECE_S = 0.003

Item = tuple[str, bytes, float]
"""Topic, payload, and when it came, in the loop's time."""


class Inlet:
    """`work(topic, payload, came_s)` is called for each message. `dropped` counts what a flood has cost."""

    __slots__ = ("_complaints", "_events", "_handle", "_loop", "_records", "_work", "dropped")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, work: Callable[[str, bytes, float], None], complaints: BoundedLog
    ) -> None:
        self._loop = loop
        self._work = work
        self._complaints = complaints
        self._events: deque[Item] = deque()
        self._records: dict[tuple[str, bytes], Item] = {}
        self._handle: asyncio.Handle | None = None
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Messages that wait."""
        return len(self._events) + len(self._records)

    def event(self, topic: str, payload: bytes, retained: bool = False) -> None:
        """One of a sequence that may have gaps."""
        if len(self._events) >= MOST_EVENTS:
            self._events.popleft()
            self._drop()
        self._events.append((topic, payload, self._loop.time()))
        self._arm()

    def record(self, topic: str, payload: bytes, retained: bool = False) -> None:
        """One of which only the newest counts."""
        self._put((topic, b""), topic, payload)

    def each(self, topic: str, payload: bytes, retained: bool = False) -> None:
        """One of a sequence that must not have gaps."""
        self._put((topic, payload), topic, payload)

    def _put(self, key: tuple[str, bytes], topic: str, payload: bytes) -> None:
        if key in self._records:
            del self._records[key]
            self.dropped += 1
        elif len(self._records) >= MOST_RECORDS:
            self._drop()
            return
        self._records[key] = (topic, payload, self._loop.time())
        self._arm()

    def close(self) -> None:
        """No more work."""
        if self._handle is not None:
            self._handle.cancel()

    def _drop(self) -> None:
        self.dropped += 1
        self._complaints.warning("a flood: messages are dropped, %d so far", self.dropped)

    def _arm(self) -> None:
        if self._handle is None:
            self._handle = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Work for a while; what is left waits for the next turn."""
        self._handle = None
        records, events, time = self._records, self._events, self._loop.time
        until = time() + PIECE_S
        while records or events:
            item = records.pop(next(iter(records))) if records else events.popleft()
            self._work(*item)
            if time() > until:
                break
        if records or events:
            self._arm()
