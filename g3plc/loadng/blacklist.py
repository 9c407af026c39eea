"""Neighbours that did not answer: their RREQs are ignored for a while (G.9903 Annex D; draft-15 clause 7.4).

Aged when looked at, bounded; when every known neighbour would be on it, it is emptied, since a station that listens
to nobody cannot recover. Neighbours: `rreq` asks, `layer`, `rrep` and `discovery` fill.
"""

from __future__ import annotations

from collections.abc import Iterable

from g3plc.core.env import Env
from g3plc.events import BlacklistSet
from g3plc.loadng.config import LoadngConfig


class Blacklist:
    """Short addresses and the time until which each is ignored. `until_us` is open for reading."""

    __slots__ = ("_config", "_env", "until_us")

    def __init__(self, env: Env, config: LoadngConfig) -> None:
        self._env = env
        self._config = config
        self.until_us: dict[int, int] = {}

    def holds(self, neighbour: int) -> bool:
        """Tell whether `neighbour` is to be ignored now."""
        until = self.until_us.get(neighbour)
        if until is None:
            return False
        if until > self._env.clock.now:
            return True
        self.clear(neighbour)
        return False

    def add(self, neighbour: int, neighbours: Iterable[int]) -> None:
        """Ignore `neighbour` from now on, unless it was the last of the known `neighbours` to be listened to."""
        now = self._env.clock.now
        self.until_us.pop(neighbour, None)
        if len(self.until_us) >= self._config.blacklist_size:
            self.clear(next(iter(self.until_us)))
        until = self.until_us[neighbour] = now + self._config.blacklist_ttl_us
        self._env.note(BlacklistSet, neighbour, until)
        if all(self.until_us.get(short, 0) > now for short in neighbours):
            for short in list(self.until_us):
                self.clear(short)

    def clear(self, neighbour: int) -> None:
        """Listen to `neighbour` again."""
        if self.until_us.pop(neighbour, None) is not None:
            self._env.note(BlacklistSet, neighbour, 0)

    def rows(self) -> list[tuple[int, int]]:
        """(short address, microseconds left), in the order in which they were added."""
        now = self._env.clock.now
        return [(short, until - now) for short, until in self.until_us.items() if until > now]
