"""What the gateway measures of itself: latency, frames a second, time per frame, lateness.

Latency is from the arrival of an event that settles an outcome to the publication of the first frame that differs
from the one before. Neighbour: `gateway`.
"""

from __future__ import annotations

from collections import Counter

_MOST_WAITING = 1000
_MOST_MS = 10_000


class Meter:
    """Fed by the gateway; times in seconds of the loop's clock."""

    __slots__ = ("_frames", "_late_s", "_latencies", "_octets", "_rendered", "_rendered_s", "_waiting", "frames",
                 "skipped")  # fmt: skip

    def __init__(self) -> None:
        self._waiting: list[float] = []
        self._latencies: Counter[int] = Counter()
        self._frames = 0
        self._octets = 0
        self._late_s = 0.0
        self._rendered = 0
        self._rendered_s = 0.0
        self.frames = 0
        self.skipped = 0

    def settled(self, came_s: float) -> None:
        """An event that settles an outcome came in and is in the show."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(came_s)

    def published(self, now_s: float) -> None:
        """A frame that shows something new went out."""
        self._frames += 1
        for came_s in self._waiting:
            self._latencies[min(int((now_s - came_s) * 1000), _MOST_MS)] += 1
        self._waiting.clear()

    def silent(self) -> None:
        """Nothing is published at the moment: what waits will not be seen."""
        self._waiting.clear()

    def rendered(self, seconds: float) -> None:
        """A frame was made."""
        self.frames += 1
        self._rendered += 1
        self._rendered_s += seconds

    def late(self, seconds: float) -> None:
        """A frame was begun so late."""
        self._late_s = max(self._late_s, seconds)

    @property
    def latencies(self) -> int:
        """How many were measured."""
        return self._latencies.total()

    def latency_ms(self, percent: int) -> int:
        """The nearest-rank percentile, rounded down to milliseconds; 0 before the first."""
        due = -(-self._latencies.total() * percent // 100)
        for ms in sorted(self._latencies):
            due -= self._latencies[ms]
            if due <= 0:
                return ms
        return 0

    def take_second(self, octets: int) -> tuple[int, int, int, int]:
        """Frames published, octets, worst lateness and mean time of a frame in us, since the last call.

        `octets` is the sum since the start.
        """
        frames, late_us = self._frames, int(self._late_s * 1e6)
        render_us = int(self._rendered_s / self._rendered * 1e6) if self._rendered else 0
        since, self._octets = max(0, octets - self._octets), octets
        self._frames = self._rendered = 0
        self._late_s = self._rendered_s = 0.0
        return frames, since, late_us, render_us
