"""Who else claims to be us: a record of another instance counts once its heartbeat has been seen to advance.

One message can be old, replayed or invented, and the wall clocks of two hosts need not agree; so a rival is judged by
when its records arrive here. Neighbours: `agent`, `director`.
"""

from __future__ import annotations

APART_MS = 500
"""Half a beat: records that come closer together prove nothing."""
STALE_MS = 3_000
"""Records further apart than this are not taken for beats of one life."""
LISTEN_MS = 2_200
"""Two beats and a little: who is there has been heard by then."""

_MOST = 16


class Rivals:
    """The first of the last few records of each other instance."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}

    def beats(self, instance: str, beat_ms: int, now_ms: int) -> bool:
        """Whether this record, which arrived live at `now_ms` of our own clock, shows that its instance is alive."""
        first_ms, arrived_ms = self._seen.get(instance, (beat_ms, now_ms))
        if beat_ms < first_ms or now_ms - arrived_ms > STALE_MS:
            first_ms, arrived_ms = beat_ms, now_ms
        if instance not in self._seen and len(self._seen) >= _MOST:
            self._seen.clear()
        self._seen[instance] = first_ms, arrived_ms
        return beat_ms > first_ms and now_ms - arrived_ms >= APART_MS
