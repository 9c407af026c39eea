"""The night's collection: every meter is read once, near to far, in rounds.

Before each next meter the order is looked up anew, since routes are learnt from everything that passes. A route is
looked for by the stack when a meter without one is written to; as each search floods the PAN and LOADng spaces them, at
most one meter without a route is under way at a time, whoever wants to talk to it. Meters that did not answer are tried
again in the next round; what a meter refuses for good is not asked again.

Events: Collection, ReadDone, ReadFailed. Neighbours: `plan` for order and patience, `errand` for one reading, `jobs`
starts a collection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from coordinator.errand import Errand, Errands
from coordinator.plan import collection_config, in_order, neighbours_heard
from coordinator.readings import note_done, note_failed
from coordinator.turns import Turns
from emulation.scenario import CollectionPlan
from g3plc import events
from g3plc.cosem.requests import Get
from g3plc.sap import CosemPort
from g3plc.wire.xdlms import (
    OBJECT_CLASS_INCONSISTENT,
    OBJECT_UNAVAILABLE,
    OBJECT_UNDEFINED,
    READ_WRITE_DENIED,
    SCOPE_OF_ACCESS_VIOLATED,
    TYPE_UNMATCHED,
)

ENERGY: Final = Get(3, bytes((1, 0, 1, 8, 0, 255)), 2)
"""Active energy import, total: the day's index."""

_FOR_GOOD: Final = frozenset(
    {
        READ_WRITE_DENIED,
        OBJECT_UNDEFINED,
        OBJECT_CLASS_INCONSISTENT,
        OBJECT_UNAVAILABLE,
        TYPE_UNMATCHED,
        SCOPE_OF_ACCESS_VIOLATED,
    }
)


class Collector:
    """One collection at a time of all `meters`."""

    __slots__ = (
        "_again", "_attempts", "_busy", "_errands", "_failed", "_finished", "_meters", "_plan", "_port", "_read",
        "_reading", "_round", "_turns", "_unread",
    )  # fmt: skip

    def __init__(
        self, port: CosemPort, errands: Errands, turns: Turns, meters: Sequence[int], plan: CollectionPlan
    ) -> None:
        self._port = port
        self._errands = errands
        self._turns = turns
        self._meters = tuple(meters)
        self._plan = plan
        self._busy = False
        self._finished: Callable[[str], None] | None = None
        self._unread: set[int] = set()
        self._reading: set[int] = set()
        self._again: set[int] = set()
        self._attempts: dict[int, int] = {}
        self._round = 0
        self._read = 0
        self._failed = 0

    @property
    def busy(self) -> bool:
        """Whether a collection is under way, its pauses included."""
        return self._busy

    def start(self, finished: Callable[[str], None]) -> None:
        """Begin; `finished(summary)` is called at the end. Only while none is under way."""
        self._busy = True
        self._finished = finished
        self._again = set(self._meters)
        self._attempts = {}
        self._round = self._read = self._failed = 0
        self._say("started")
        self._next_round(None)

    def advance(self) -> None:
        """Read on if there is room: to be called whenever a route may be there or a meter may be free."""
        while self._unread and len(self._reading) < self._plan.parallel:
            meter = self._choose()
            if meter is None:
                return
            self._unread.remove(meter)
            self._reading.add(meter)
            self._errands.send(
                Errand(meter, ENERGY, collection_config(self._plan), answered=self._answered, finished=self._over)
            )

    # --- which meter

    def _choose(self) -> int | None:
        """The meter to be read next, or None while all have to wait."""
        free = [meter for meter in self._unread if not self._turns.taken(meter)]
        routes = self._port.routes()
        routed = {route.destination for route in routes}
        if any(meter not in routed for meter in self._turns.meters()):
            free = [meter for meter in free if meter in routed]
        if not free:
            return None
        heard = neighbours_heard(self._port) if not routed.issuperset(free) else {}
        return in_order(self._plan.order, free, routes, heard)[0]

    # --- what came of it

    def _answered(self, errand: Errand) -> None:
        note_done(self._port, errand, self._attempts.get(errand.meter, 0))

    def _over(self, errand: Errand) -> None:
        meter = errand.meter
        self._reading.remove(meter)
        if errand.ok:
            self._read += 1
            self._say("progress")
        elif errand.code in _FOR_GOOD or self._round >= self._plan.rounds:
            self._failed += 1
            note_failed(self._port, errand, self._attempts.get(meter, 0))
            self._say("progress")
        else:
            self._attempts[meter] = self._attempts.get(meter, 0) + errand.attempts
            self._again.add(meter)
        if not self._unread and not self._reading:
            self._round_over()

    def _round_over(self) -> None:
        if self._again:
            self._port.env.clock.after(self._plan.pause_us, self._next_round, None)
            return
        self._busy = False
        self._say("finished")
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(self._summary())

    def _next_round(self, _arg: None) -> None:
        self._round += 1
        self._unread, self._again = self._again, set()
        if self._unread:
            self.advance()
        else:
            self._round_over()

    def _summary(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{self._read} of {len(self._meters)} meters read{failed}"

    def _say(self, action: str) -> None:
        self._port.env.note(events.Collection, action, len(self._meters), self._read, self._failed)
