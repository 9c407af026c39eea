"""The coordinator's application: the COSEM client of all meters, over a `CosemPort`.

Built by a factory when the station is switched on and dropped when it is off; `keep` hands the number of the next
session to the next life, and what was broken off: that is told at its start, and nothing goes on by itself.
Neighbours: `jobs`, `collector` and `errand` do the work, this file moves the port's words to them; `emulation.sim`
hosts it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from coordinator.collector import Collector
from coordinator.errand import Errands
from coordinator.jobs import MAX_JOBS, Jobs
from coordinator.turns import Turns
from emulation.scenario import CollectionPlan, JobOrder
from g3plc import events
from g3plc.core.errors import WireError
from g3plc.sap import CosemPort
from g3plc.wire.xdlms import EVENT_NOTIFICATION_REQUEST, EventNotification

MAX_NOTIFICATIONS: Final = 256
"""Notifications remembered; older ones are let go."""
_MAX_SESSION: Final = 1 << 31


class Notification(NamedTuple):
    """What a meter said on its own initiative, and when (microseconds of emulated time)."""

    t_us: int
    meter: int
    message: EventNotification


class Coordinator:
    """A `CosemUser` that takes jobs. `plan` tells how patient to be, `meters` are the PAN's meters by station number.

    `kept` is what `keep` of an earlier life returned, or None; it may have come from outside and is not trusted.
    """

    __slots__ = ("_collector", "_errands", "_jobs", "_lost_jobs", "_lost_sessions", "_meters", "_port", "_turns",
                 "notifications", "notifications_received")  # fmt: skip

    def __init__(
        self, port: CosemPort, plan: CollectionPlan, meters: Sequence[int], kept: Mapping[str, Any] | None = None
    ) -> None:
        kept = kept or {}
        first_session = kept.get("session")
        if not isinstance(first_session, int) or not 1 <= first_session < _MAX_SESSION:
            first_session = 1
        self._port = port
        self._meters = frozenset(meters)
        self._turns = Turns(self._changed)
        self._errands = Errands(port, self._turns, first_session)
        self._collector = Collector(port, self._errands, self._turns, meters, plan)
        self._jobs = Jobs(port, self._errands, self._turns, self._collector, meters, plan)
        self._lost_sessions = list(_rows(kept.get("sessions"), (int, int)))
        self._lost_jobs = list(_rows(kept.get("jobs"), (int, str, int)))
        self.notifications: deque[Notification] = deque(maxlen=MAX_NOTIFICATIONS)
        self.notifications_received = 0

    # --- jobs

    @property
    def busy(self) -> bool:
        """Whether a job is in hand."""
        return self._jobs.busy

    def submit(self, order: JobOrder) -> None:
        """Take on a job; Job events tell how it went. Wrong orders fail, they do not raise."""
        self._jobs.submit(order)

    # --- CosemUser

    def start(self) -> None:
        """The station is up: sessions and jobs of the life before are gone."""
        note = self._port.env.note
        for peer, session in self._lost_sessions:
            note(events.SessionAborted, peer, session, "reboot")
        for job, verb, station in self._lost_jobs:
            note(events.Job, job, verb, station, "failed", "the coordinator was switched off")
        self._lost_sessions = []
        self._lost_jobs = []

    def received(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes, flow: int) -> None:
        """Take an APDU: an answer for one of the sessions, or a notification, which is never answered."""
        if apdu[:1] == _NOTIFICATION:
            self._notified(peer, apdu)
        elif not self._errands.received(peer, src_wport, dst_wport, apdu):
            self._drop("no session with this station and these wPorts", peer, apdu)
        self._changed()

    def sent(self, handle: int, status: int) -> None:
        """Hand on the stack's word on a datagram."""
        self._errands.sent(handle, status)
        self._changed()

    def discovered(self, peer: int, status: int) -> None:
        """Hand on the outcome of a search."""
        self._jobs.discovered(peer, status)
        self._changed()

    def path_traced(self, peer: int, status: int, hops: list[tuple[int, int]]) -> None:
        """No job traces a path."""

    def route_lost(self, peer: int, reason: str) -> None:
        """Hand on that a datagram under way to `peer` is probably lost: it is repeated at once."""
        self._errands.route_lost(peer, reason)

    # --- hooks of the emulation

    def keep(self) -> dict[str, Any]:
        """State for the next life. Integers, text and lists only."""
        return {
            "session": self._errands.next_session,
            "sessions": [list(session) for session in self._errands.open_sessions()],
            "jobs": self._jobs.keep(),
        }

    def voltage(self, volts: int | None) -> None:
        """The coordinator does not measure its supply."""

    # --- parts

    def _changed(self) -> None:
        self._collector.advance()

    def _notified(self, peer: int, apdu: bytes) -> None:
        if peer not in self._meters:
            self._drop("notification from a station that is no meter", peer, apdu)
            return
        try:
            message = EventNotification.decode(apdu)
        except WireError as problem:
            self._drop(problem.reason, peer, apdu)
            return
        self.notifications_received += 1
        self.notifications.append(Notification(self._port.env.clock.now, peer, message))

    def _drop(self, reason: str, peer: int, apdu: bytes) -> None:
        self._port.env.note(events.Dropped, "cosem", reason, peer, len(apdu))


_NOTIFICATION: Final = bytes((EVENT_NOTIFICATION_REQUEST,))


def _rows(value: object, types: tuple[type, ...]) -> Iterator[list[Any]]:
    """The lists of these types within `value`, as many as a life can have left behind."""
    for row in value[:MAX_JOBS] if isinstance(value, list) else ():
        if isinstance(row, list) and len(row) == len(types) and all(map(isinstance, row, types)):
            yield row
