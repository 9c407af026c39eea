"""Jobs on their way to the coordinator and back: who asked, whether it was taken on, how it ended.

A job that nobody takes on within two seconds of wall time has failed: the coordinator is off. The director is no
station and works on without it. Neighbours: `director` feeds it; `records.JobRecord` and `JobResult` are on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from emulation.live.command_text import CommandError
from emulation.live.records import JobRecord, JobResult
from emulation.live.replies import ACCEPTED, DONE, FAILED, Asker
from emulation.scenario import JobOrder

MOST_JOBS = 256
PATIENCE_NS = 2_000_000_000
COORDINATOR_OFF = "coordinator is off"


@dataclass(slots=True)
class JobNews:
    """What has become of a job: `state` accepted, done or failed. `asker` is None for jobs of the scenario."""

    order: JobOrder
    asker: Asker | None
    state: str
    detail: str


@dataclass(slots=True)
class _Errand:
    order: JobOrder
    asker: Asker | None
    until_ns: int
    accepted: bool = False


class JobDesk:
    """See the module's text. `publish` sends a record; `tell` is told what becomes of each job."""

    def __init__(self, publish: Callable[[JobRecord], None], tell: Callable[[JobNews], None]) -> None:
        self._publish = publish
        self._tell = tell
        self._run = 0
        self._errands: dict[int, _Errand] = {}
        self.next_id = 1
        self.strays = 0

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return bool(self._errands)

    @property
    def count(self) -> int:
        """Jobs under way."""
        return len(self._errands)

    def next_wall_ns(self) -> int | None:
        """When patience ends next."""
        return min([errand.until_ns for errand in self._errands.values() if not errand.accepted], default=None)

    def new_run(self, run: int) -> None:
        """Whatever was under way has failed."""
        self.fail_all("the run was reset")
        self._run = run
        self.next_id = 1

    def adopt(self, run: int, next_id: int) -> None:
        """Go on after an earlier life of the director: its jobs are nobody's business any more."""
        self._run = run
        self.next_id = next_id

    def submit(self, order: JobOrder, asker: Asker | None, wall_ns: int) -> int:
        """Send a job off; returns its number. Raises CommandError."""
        if len(self._errands) >= MOST_JOBS:
            raise CommandError(f"{MOST_JOBS} jobs are under way; allowed: that many, try again later")
        numbered = replace(order, job=self.next_id)
        self.next_id += 1
        self._errands[numbered.job] = _Errand(numbered, asker, wall_ns + PATIENCE_NS)
        self._publish(JobRecord(self._run, numbered))
        return numbered.job

    def result(self, result: JobResult) -> bool:
        """The coordinator's word on a job; False where there is no such job of this run."""
        errand = self._errands.get(result.id) if result.run == self._run else None
        if errand is None:
            self.strays += 1
            return False
        if result.status == ACCEPTED:
            if not errand.accepted:
                errand.accepted = True
                self._tell(JobNews(errand.order, errand.asker, ACCEPTED, result.detail))
            return True
        del self._errands[result.id]
        self._tell(JobNews(errand.order, errand.asker, DONE if result.status == DONE else FAILED, result.detail))
        return True

    def fail_all(self, reason: str) -> None:
        """The coordinator is gone, or the run is over."""
        errands, self._errands = self._errands, {}
        for errand in errands.values():
            self._tell(JobNews(errand.order, errand.asker, FAILED, reason))

    def fail_accepted(self, reason: str) -> None:
        """The coordinator's life that took jobs on is over."""
        for number, errand in list(self._errands.items()):
            if errand.accepted:
                del self._errands[number]
                self._tell(JobNews(errand.order, errand.asker, FAILED, reason))

    def advance(self, wall_ns: int) -> None:
        """Give up on jobs that nobody has taken on."""
        for number, errand in list(self._errands.items()):
            if not errand.accepted and errand.until_ns <= wall_ns:
                del self._errands[number]
                self._tell(JobNews(errand.order, errand.asker, FAILED, COORDINATOR_OFF))
