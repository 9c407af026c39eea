"""Joining the segments of a long MAC frame (G.9903 9.3, segment control).

At most one frame for each source, for a sender has one frame in the air at a time. Segment 0 always starts afresh,
since a sender that missed an ACK begins again from there, perhaps with other segment sizes. The receiver feeds it with
the frames that are not whole; the duplicate filter before it knows the frames that are complete.
"""

from __future__ import annotations

from g3plc.mac.constants import MAX_MSDU_OCTETS
from g3plc.wire.mac_frame import MacFrame

REFUSED, HELD, COMPLETE = range(3)
"""Out of order or too long: not to be acknowledged. Taken, more to come. The MSDU is whole."""


class _Partial:
    __slots__ = ("deadline", "dsn", "dst", "frame_type", "octets", "parts")

    def __init__(self, frame: MacFrame) -> None:
        self.dsn = frame.dsn
        self.dst = frame.dst
        self.frame_type = frame.frame_type
        self.parts: list[bytes] = []
        self.octets = 0
        self.deadline = 0


class Reassembly:
    """Segmented frames under way: `partials` by source."""

    __slots__ = ("_limit", "_ttl_us", "partials")

    def __init__(self, limit: int, ttl_us: int) -> None:
        self._limit = limit
        self._ttl_us = ttl_us
        self.partials: dict[int, _Partial] = {}

    def abandon(self, src: int) -> None:
        """`src` has begun another frame."""
        self.partials.pop(src, None)

    def add(self, frame: MacFrame, src: int, now: int) -> tuple[int, bytes]:
        """Take a segment: (REFUSED, HELD or COMPLETE, the MSDU if complete)."""
        number = frame.segment_number
        if number == 0:
            partial = self._start(frame, src)
        else:
            known = self.partials.get(src)
            if known is None or not self._continues(known, frame, now):
                return REFUSED, b""
            partial = known
            if number == len(partial.parts) - 1:
                return HELD, b""
        partial.octets += len(frame.payload)
        if partial.octets > MAX_MSDU_OCTETS:
            del self.partials[src]
            return REFUSED, b""
        partial.parts.append(frame.payload)
        if frame.lsf:
            del self.partials[src]
            return COMPLETE, b"".join(partial.parts)
        partial.deadline = now + self._ttl_us
        return HELD, b""

    def _start(self, frame: MacFrame, src: int) -> _Partial:
        partials = self.partials
        partials.pop(src, None)
        if len(partials) >= self._limit:
            del partials[next(iter(partials))]
        partial = partials[src] = _Partial(frame)
        return partial

    @staticmethod
    def _continues(partial: _Partial, frame: MacFrame, now: int) -> bool:
        """The next segment of this frame, or the last one once more."""
        expected = len(partial.parts)
        return (
            now < partial.deadline
            and frame.dsn == partial.dsn
            and frame.dst == partial.dst
            and frame.frame_type == partial.frame_type
            and frame.segment_number in (expected - 1, expected)
        )
