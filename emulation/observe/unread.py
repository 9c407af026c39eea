"""Which meters were asked for and never read, and why: also those of a job that did not come to its end.

A collection is cut short when the coordinator goes off or the run's limit strikes; of the meters that are left no event
tells, so they are worked out here. Neighbours: `metrics` (puts them into summary.json), `gridglow.report` (shows them).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emulation.observe.facts import station_name
from g3plc import events as ev

NOT_ASKED = "not asked"
SWITCHED_OFF = "the coordinator was switched off"
_REBOOT = "reboot"


def limit_words(limit_us: int) -> str:
    """Return why a run ended that its limit ended."""
    seconds, rest = divmod(limit_us, 1_000_000)
    return f"the limit of {f'{seconds}.{rest:06d}'.rstrip('0') if rest else seconds} s was reached"


class Unread:
    """Follows jobs, sessions and readings. Its methods take the events of these kinds, in their order."""

    __slots__ = ("_aborted", "_asked", "_failures", "_meters", "_open", "_why", "read")

    def __init__(self, meters: int) -> None:
        self._meters = meters
        self._open: dict[int, ev.Job] = {}
        self._why: dict[int, str] = {}
        self._asked: set[int] = set()
        self._aborted: dict[int, str] = {}
        self._failures: dict[int, ev.ReadFailed] = {}
        self.read: dict[int, ev.ReadDone] = {}

    def job(self, e: ev.Job) -> None:
        """A job is accepted, done or failed."""
        if e.status == "accepted":
            self._open[e.job] = e
            return
        self._open.pop(e.job, None)
        if e.status == "failed":
            self._why.update(dict.fromkeys(self._wanted([e]), e.detail))

    def power(self, e: ev.Power) -> None:
        """With the coordinator all its jobs are gone."""
        if e.node == 0 and not e.on:
            self._why.update(dict.fromkeys(self._wanted(self._open.values()), SWITCHED_OFF))
            self._open.clear()

    def asked(self, e: ev.ApduSent) -> None:
        """The coordinator says something to a meter."""
        if e.node == 0:
            self._asked.add(e.peer)

    def aborted(self, e: ev.SessionAborted) -> None:
        """A session of the coordinator's is broken off; a reboot explains nothing that is not known anyway."""
        if e.node == 0 and e.reason != _REBOOT:
            self._aborted[e.peer] = e.reason

    def read_done(self, e: ev.ReadDone) -> None:
        """A value came in."""
        self.read[e.meter] = e

    def read_failed(self, e: ev.ReadFailed) -> None:
        """A meter was given up."""
        self._failures[e.meter] = e

    def summary(self, limit_us: int = 0) -> list[dict[str, Any]]:
        """Return the entries of `failed` by meter: `meter`, `reason`, `explained_by`.

        `limit_us`: the limit in microseconds if that is what ended the run, so that jobs still open will not go on.
        """
        why = dict(self._why)
        if limit_us:
            why.update(dict.fromkeys(self._wanted(self._open.values()), limit_words(limit_us)))
        entries = []
        for meter in sorted((self._failures.keys() | why.keys()) - self.read.keys()):
            failure = self._failures.get(meter)
            if failure is not None:
                reason, explained_by = failure.reason, failure.explained_by
            elif meter in self._asked:
                reason, explained_by = why[meter], self._aborted.get(meter, "")
            else:
                reason, explained_by = NOT_ASKED, why[meter]
            entries.append({"meter": station_name(meter), "reason": reason, "explained_by": explained_by})
        return entries

    def _wanted(self, jobs: Iterable[ev.Job]) -> set[int]:
        """The meters that these jobs were to read."""
        wanted: set[int] = set()
        for job in jobs:
            if job.verb == "collect":
                wanted.update(range(1, self._meters + 1))
            elif job.verb == "read" and 1 <= job.station <= self._meters:
                wanted.add(job.station)
        return wanted
