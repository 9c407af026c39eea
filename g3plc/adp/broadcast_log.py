"""adpBroadcastLogTable: which multicasts have been seen, so that each is delivered and repeated once.

G.9903 9.4. A broadcast is named by its originator and BC0 sequence number. Aged when looked at, oldest first, bounded.
"""

from __future__ import annotations

from g3plc.adp.config import AdpConfig
from g3plc.core.env import Clock

_MINUTE_US = 60_000_000


class BroadcastLog:
    """Keys (originator, sequence number), each with the time until which it is remembered."""

    __slots__ = ("_clock", "_config", "_until_us")

    def __init__(self, clock: Clock, config: AdpConfig) -> None:
        self._clock = clock
        self._config = config
        self._until_us: dict[tuple[int, int], int] = {}

    def is_new(self, originator: int, sequence: int) -> bool:
        """Tell whether this broadcast was not seen within adpBroadcastLogTableEntryTTL, and remember it."""
        now = self._clock.now
        log = self._until_us
        key = (originator, sequence)
        if log.get(key, 0) > now:
            return False
        log.pop(key, None)
        while log and (len(log) >= self._config.broadcast_log_size or next(iter(log.values())) <= now):
            del log[next(iter(log))]
        log[key] = now + self._config.broadcast_log_ttl_min * _MINUTE_US
        return True

    def rows(self) -> list[tuple[int, int, int]]:
        """(originator, sequence number, seconds left rounded up), oldest first."""
        now = self._clock.now
        return [(*key, -((now - until) // 1_000_000)) for key, until in self._until_us.items() if until > now]
