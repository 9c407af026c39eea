"""How far this process's wall clock is from the director's, measured through the broker.

A question carries our time, the answer the director's; the exchange with the shortest way there and back is believed.
An offset that could as well be the way itself counts as none. Neighbours: `host`, `records.SyncRecord`.
"""

from __future__ import annotations

import asyncio
from collections import deque

from emulation.live.records import SyncRecord

EVERY_S = 10.0
FIRST = 5
FIRST_EVERY_S = 0.3
"""The first few questions come quickly."""

_UNANSWERED = 3
"""After so many questions without an answer there is no director at present."""

_KEPT = 8
_SLACK_NS = 200_000


class Sync:
    """The last few exchanges. `offset_ns` is to be added to our wall clock."""

    __slots__ = ("_exchanges", "_now", "asked", "offset_ns")

    def __init__(self) -> None:
        self._exchanges: deque[tuple[int, int]] = deque(maxlen=_KEPT)
        self._now = asyncio.Event()
        self.asked = 0
        self.offset_ns = 0

    @property
    def settled(self) -> bool:
        """Whether the offset is known, or nobody is there to know it from."""
        return bool(self._exchanges) or self.asked > _UNANSWERED

    def hurry(self) -> None:
        """The next question is due now."""
        self._now.set()

    async def pause(self) -> None:
        """Until the next question is due."""
        try:
            async with asyncio.timeout(FIRST_EVERY_S if self.asked < FIRST else EVERY_S):
                await self._now.wait()
        except TimeoutError:
            pass
        self._now.clear()

    def question(self, wall_ns: int) -> bytes:
        """The payload of a question asked now."""
        self.asked += 1
        return SyncRecord(wall_ns).encode()

    def answered(self, answer: SyncRecord, wall_ns: int) -> None:
        """An answer came in; both times are of our own uncorrected wall clock."""
        way_ns = wall_ns - answer.sent_ns
        if not answer.director_ns or not 0 <= way_ns < 10_000_000_000:
            return
        self._exchanges.append((way_ns, answer.director_ns - answer.sent_ns - way_ns // 2))
        way_ns, offset_ns = min(self._exchanges)
        self.offset_ns = offset_ns if abs(offset_ns) > way_ns // 2 + _SLACK_NS else 0
