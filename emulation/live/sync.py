"""How far this process's wall clock is from the director's, measured through the broker.

A question carries our time, the answer the director's; the exchange with the shortest way there and back is believed.
An offset that could as well be the way itself counts as none. Neighbours: `host`, `records.SyncRecord`.
"""

from __future__ import annotations

from collections import deque

from emulation.live.records import SyncRecord

EVERY_S = 10.0
FIRST = 5
FIRST_EVERY_S = 0.3
"""The first few questions come quickly."""

_KEPT = 8
_SLACK_NS = 200_000


class Sync:
    """The last few exchanges. `offset_ns` is to be added to our wall clock."""

    __slots__ = ("_exchanges", "asked", "offset_ns")

    def __init__(self) -> None:
        self._exchanges: deque[tuple[int, int]] = deque(maxlen=_KEPT)
        self.asked = 0
        self.offset_ns = 0

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
