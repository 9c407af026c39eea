"""The one clock of a run: which speed holds from which moment on, and the search for the highest honest one.

A change takes effect `LEAD_NS` ahead of the wall, so that every station has it in time. A step is two changes at once:
time runs, and stands again. All times that come in are wall time, UNIX nanoseconds.
Neighbours: `director` feeds it; `clock.Pace` is what the stations make of its records.
"""

from __future__ import annotations

from collections.abc import Callable

from emulation.live.clock import Pace
from emulation.live.command_text import CommandError
from emulation.live.records import LEAST_PERMILLE, MOST_PERMILLE, ClockRecord

LEAD_NS = 300_000_000
AUTO_EVERY_NS = 5_000_000_000
LATE_PER_MILLION = 1_000
"""Of the frames on the air so many may come late: 0.1 %."""

_UP, _DOWN = (5, 4), (2, 3)
_NEAR = (19, 20)
"""`auto` stays this far under a speed that was too high."""
_FORGET_NS = 120_000_000_000
FEWEST_FRAMES = 200
"""Fewer say nothing, unless some of them came late."""
_MOST_PACES = 4


class ClockDesk:
    """See the module's text. `publish` sends a record, retained."""

    def __init__(self, publish: Callable[[ClockRecord], None]) -> None:
        self._publish = publish
        self._run = 0
        self._paces = [Pace(-1, 0, 0, 0)]
        self.generation = -1
        self._record: ClockRecord | None = None
        self._running_permille = 1000
        self._ceiling: int | None = None
        self._ceiling_ns = 0
        self._looked_ns = 0
        self.auto = False

    # -- what time it is

    def emulated_us(self, wall_ns: int) -> int:
        """Emulated time at a wall time, coming changes included."""
        return self._pace(wall_ns).at(wall_ns)

    def stamp_us(self, wall_ns: int) -> int:
        """The earliest emulated time that nobody has reached when a record published now comes in."""
        return self.emulated_us(wall_ns + LEAD_NS)

    def wall_of(self, emulated_us: int, wall_ns: int) -> int | None:
        """When emulated time gets there (`wall_ns` if it has); None if it never does at the speeds known now."""
        for pace, following in zip(self._paces, [*self._paces[1:], None], strict=True):
            wall = pace.wall_of(emulated_us)
            if wall is not None and (following is None or wall < following.wall_ns):
                return max(wall, wall_ns)
        return None

    def permille(self, wall_ns: int) -> int:
        """The speed in force, in thousandths."""
        return self._pace(wall_ns).speed_permille

    @property
    def last_permille(self) -> int:
        """The speed that the last change leads to."""
        return self._paces[-1].speed_permille

    # -- life of a run

    def new_run(self, run: int, wall_ns: int) -> None:
        """Emulated time stands at 0."""
        self._run = run
        self._paces = []
        self._ceiling = None
        self._say(wall_ns, 0, 0)

    def adopt(self, record: ClockRecord) -> None:
        """Go on with the clock of an earlier life of the director."""
        self._run = record.run
        self._record = record
        self.generation = record.generation
        self._paces = [Pace(record.generation, record.wall_ns, record.emulated_us, record.speed_permille)]
        if record.speed_permille:
            self._running_permille = record.speed_permille

    def republish(self) -> None:
        """The last record once more, for a broker that has forgotten."""
        if self._record is not None:
            self._publish(self._record)

    # -- orders

    def set_speed(self, permille: int | None, wall_ns: int) -> int:
        """Change the speed (None: auto); returns the wall time from which on it holds."""
        self.auto = permille is None
        self._ceiling = None
        self._looked_ns = wall_ns
        if permille is None:
            permille = self.last_permille or self._running_permille
        return self._change(permille, wall_ns)

    def step(self, us: int, wall_ns: int) -> int:
        """Let so much emulated time pass; returns the wall time when it has. CommandError unless the clock stands."""
        if self.last_permille or self._paces[-1].wall_ns > wall_ns:
            raise CommandError("the clock is running; allowed: step while it stands, after cmd/speed 0")
        begin = self._change(self._running_permille, wall_ns, remember=False)
        start = self._paces[-1]
        end = start.wall_of(start.emulated_us + us) or begin
        self._say(end, start.emulated_us + us, 0)
        return end

    # -- auto

    def look(self, late: int, heard: int, wall_ns: int) -> bool:
        """`auto`: judge the frames heard since the last look; true if the counts were used and a new look begins."""
        if not self.auto or not self.last_permille or wall_ns - self._looked_ns < AUTO_EVERY_NS:
            return False
        permille = self.last_permille
        if wall_ns - self._ceiling_ns > _FORGET_NS:
            self._ceiling = None
        if late and late * 1_000_000 >= max(heard, 1) * LATE_PER_MILLION:
            self._ceiling, self._ceiling_ns = permille, wall_ns
            wanted = permille * _DOWN[0] // _DOWN[1]
        elif heard < FEWEST_FRAMES:
            return False
        else:
            wanted = permille * _UP[0] // _UP[1]
            if self._ceiling is not None:
                wanted = max(permille, min(wanted, self._ceiling * _NEAR[0] // _NEAR[1]))
        self._looked_ns = wall_ns
        wanted = min(max(wanted, LEAST_PERMILLE), MOST_PERMILLE)
        if wanted != permille:
            self._change(wanted, wall_ns)
        return True

    # -- inside

    def _pace(self, wall_ns: int) -> Pace:
        found = self._paces[0]
        for pace in self._paces[1:]:
            if pace.wall_ns <= wall_ns:
                found = pace
        return found

    def _change(self, permille: int, wall_ns: int, remember: bool = True) -> int:
        at = wall_ns + LEAD_NS
        self._paces = [pace for pace in self._paces if pace.wall_ns < at] or self._paces[:1]
        if permille and remember:
            self._running_permille = permille
        self._say(at, self.emulated_us(at), permille)
        return at

    def _say(self, wall_ns: int, emulated_us: int, permille: int) -> None:
        self.generation += 1
        self._paces = [pace for pace in self._paces if pace.wall_ns < wall_ns][-_MOST_PACES:]
        self._paces.append(Pace(self.generation, wall_ns, emulated_us, permille))
        self._record = ClockRecord(self._run, self.generation, wall_ns, emulated_us, permille)
        self._publish(self._record)
