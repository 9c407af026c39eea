"""Display time: what the show is asked for. It runs with the wall, and stands while emulated time is paused.

After a step it goes on until the light of what the step released is over, so that a person who steps sees each
transmission run to its end. A pause freezes the picture as it is. Neighbour: `lamp`, which tells of the pace and asks
for the time.
"""

from __future__ import annotations

_REAL_TIME = 1000


class DisplayClock:
    """`advance` gives the time in milliseconds, from 0 on. It runs at first."""

    __slots__ = ("_goal_ms", "_ms", "_permille", "_stepping", "_wall_ms")

    def __init__(self, wall_ms: float) -> None:
        self._wall_ms = wall_ms
        self._ms = 0.0
        self._goal_ms = 0.0
        self._permille = _REAL_TIME
        self._stepping = False

    def advance(self, wall_ms: float) -> int:
        """Go on to this wall time (any clock that never goes back)."""
        elapsed = max(0.0, wall_ms - self._wall_ms)
        self._wall_ms = wall_ms
        if not self._permille:
            elapsed = min(elapsed, max(0.0, self._goal_ms - self._ms))
        self._ms += elapsed
        return int(self._ms)

    def pace(self, permille: int, stops: bool) -> None:
        """A speed is in force; `stops`: it is known already when time will stand again, so this is a step."""
        if permille:
            self._permille = permille
            self._stepping = stops
        elif self._permille:
            self._permille = 0
            if not self._stepping:
                self._goal_ms = self._ms

    def idle(self) -> None:
        """There is no run: what is still to be seen may fade."""
        self.pace(_REAL_TIME, False)

    def released(self, until_ms: int) -> None:
        """Everything released so far has been shown at `until_ms`; in a step, time goes on until then."""
        if self._stepping:
            self._goal_ms = max(self._goal_ms, float(until_ms))
