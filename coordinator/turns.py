"""One at a time towards each meter: whoever wants to talk to a meter asks for its turn here and hands it back.

A COSEM session occupies its wrapper ports, and two searches for one route would answer each other's questions.
Neighbours: `errand` and `jobs` take turns, `collector` looks who is at it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Turns:
    """Turns by meter. `changed()` is called after each hand-over: what had to wait for it may now go on."""

    __slots__ = ("_changed", "_waiting")

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._waiting: dict[int, deque[Callable[[], None]]] = {}

    def ask(self, meter: int, start: Callable[[], None]) -> None:
        """Call `start` as soon as nobody else has the turn of `meter`: now, or when the others are done."""
        waiting = self._waiting.get(meter)
        if waiting is None:
            self._waiting[meter] = deque()
            start()
        else:
            waiting.append(start)

    def done(self, meter: int) -> None:
        """Hand the turn back; the next in the queue starts at once."""
        waiting = self._waiting[meter]
        if waiting:
            waiting.popleft()()
        else:
            del self._waiting[meter]
        self._changed()

    def taken(self, meter: int) -> bool:
        """Whether somebody has the turn of `meter`."""
        return meter in self._waiting

    def meters(self) -> list[int]:
        """The meters whose turn somebody has, in the order in which they were taken."""
        return list(self._waiting)
