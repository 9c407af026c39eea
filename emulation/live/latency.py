"""How long frames are on their way through broker and loops: the 99th percentile of the last few hundred."""

from __future__ import annotations

_KEPT = 256
_EVERY = 32


class Latency:
    """Wall-clock latencies in microseconds. `high_us` starts at a cautious guess and follows what is measured."""

    __slots__ = ("_at", "_samples", "high_us")

    def __init__(self, guess_us: int = 3_000) -> None:
        self._samples: list[int] = []
        self._at = 0
        self.high_us = guess_us

    def add(self, latency_us: int) -> None:
        """One more measurement."""
        if len(self._samples) < _KEPT:
            self._samples.append(latency_us)
        else:
            self._samples[self._at % _KEPT] = latency_us
        self._at += 1
        if self._at % _EVERY == 0:
            ordered = sorted(self._samples)
            self.high_us = ordered[len(ordered) * 99 // 100]
