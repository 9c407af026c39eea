"""What a live run plays by itself: the jobs and timed faults of a scenario, or of several, one after the other.

Each scene is a run of its own. A scene is over when everything is played and settled and its audience has had a
moment; without a following one the stage stays open for commands. Times are emulated microseconds unless named `wall`.
Neighbours: `director` carries out what is due.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TypeVar

from emulation.scenario import JobOrder, Scenario, TimedFault
from g3plc.core.errors import UsageError

_Timed = TypeVar("_Timed", JobOrder, TimedFault)

PAUSE_NS = 5_000_000_000
"""Between the end of a scene and the next."""
OPERATOR_NS = 60_000_000_000
"""A scene stays on after somebody's last command."""


class Playbook:
    """The scenes, and where we are in the present one. `speed_permille` overrides the scenes' own speeds."""

    def __init__(self, scenes: Sequence[Scenario], loop: bool = False, speed_permille: int | None = None) -> None:
        if not scenes:
            raise UsageError("a playbook needs at least one scene")
        self._scenes = list(scenes)
        self._loop = loop
        self._speed_permille = speed_permille
        self._at = 0
        self._jobs: deque[JobOrder] = deque()
        self._faults: deque[TimedFault] = deque()
        self._over_ns: int | None = None
        self._hold_ns = 0
        self._open(0)

    @property
    def scene(self) -> Scenario:
        """The present scene."""
        return self._scenes[self._at]

    @property
    def speed_permille(self) -> int:
        """The speed at which the present scene starts."""
        return self.scene.speed_permille if self._speed_permille is None else self._speed_permille

    @property
    def played(self) -> bool:
        """Whether nothing of the present scene is still to come."""
        return not self._jobs and not self._faults

    def restart(self) -> None:
        """The present scene from its beginning."""
        self._open(0)

    def following(self) -> None:
        """On to the next scene."""
        self._at = (self._at + 1) % len(self._scenes)
        self._open(0)

    def resume(self, scenario: str, text: str, now_us: int) -> bool:
        """Go on within a scene that an earlier life began; False if it is none of ours."""
        for at, scene in enumerate(self._scenes):
            if scene.name == scenario and scene.text == text:
                self._at = at
                self._open(now_us)
                return True
        return False

    @property
    def counts(self) -> tuple[int, int]:
        """How many jobs and faults of the present scene have been played."""
        return len(self.scene.jobs) - len(self._jobs), len(self.scene.faults) - len(self._faults)

    def skip(self, jobs: int, faults: int) -> None:
        """The present scene, after so many jobs and faults; what was due in the meantime comes at once."""
        self._open(0)
        for waiting, count in ((self._jobs, jobs), (self._faults, faults)):
            for _ in range(min(count, len(waiting))):
                waiting.popleft()

    def next_us(self) -> int | None:
        """When something is due next."""
        times = [self._jobs[0].at_us] if self._jobs else []
        times += [self._faults[0].at_us] if self._faults else []
        return min(times, default=None)

    def jobs_due(self, now_us: int) -> list[JobOrder]:
        """Take out the jobs whose time has come."""
        return _taken(self._jobs, now_us)

    def faults_due(self, stamp_us: int) -> list[TimedFault]:
        """Take out the faults whose time comes by `stamp_us`."""
        return _taken(self._faults, stamp_us)

    def touched(self, wall_ns: int) -> None:
        """Somebody has given a command: the scene stays on for a while."""
        self._hold_ns = wall_ns + OPERATOR_NS

    def ended(self, settled: bool, now_us: int, wall_ns: int) -> bool:
        """Whether it is time for the next scene. `settled`: nothing is under way, no fault of the scene will end."""
        if len(self._scenes) == 1 or (self._at == len(self._scenes) - 1 and not self._loop):
            return False
        if not (self.played and settled) and now_us < self.scene.limit_us:
            self._over_ns = None
            return False
        if self._over_ns is None:
            self._over_ns = wall_ns
        return wall_ns >= max(self._over_ns + PAUSE_NS, self._hold_ns)

    def _open(self, from_us: int) -> None:
        scene = self.scene
        jobs = sorted(scene.jobs, key=lambda job: job.at_us)
        faults = sorted(scene.faults, key=lambda timed: timed.at_us)
        self._jobs = deque(job for job in jobs if not from_us or job.at_us > from_us)
        self._faults = deque(timed for timed in faults if not from_us or timed.at_us > from_us)
        self._over_ns = None
        self._hold_ns = 0


def _taken(waiting: deque[_Timed], until_us: int) -> list[_Timed]:
    taken = []
    while waiting and waiting[0].at_us <= until_us:
        taken.append(waiting.popleft())
    return taken
