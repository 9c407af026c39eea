"""Jobs of a scenario or an operator: discover, read, set, act, collect.

Each is answered by Job events: accepted, then done or failed; or failed at once where the order itself is wrong. Jobs
run side by side, but for those to the same meter and a second collection, which wait for their turn.

Events: Job, and through `readings` ReadDone and ReadFailed. Neighbours: `orders` judges, `errand` and `collector` carry
out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from coordinator.collector import Collector
from coordinator.errand import Errand, Errands
from coordinator.orders import OrderError, check
from coordinator.plan import job_config
from coordinator.readings import note_done, note_failed
from coordinator.turns import Turns
from emulation.scenario import VERBS, CollectionPlan, JobOrder
from g3plc import events
from g3plc.core.env import Timer
from g3plc.cosem.requests import Request, Set
from g3plc.sap import STATUS_NAMES, SUCCESS, CosemPort
from g3plc.wire.data_text import format_data

MAX_JOBS: Final = 256
"""Jobs in hand at a time; further ones fail at once."""
DISCOVERY_LIMIT_US: Final = 900_000_000
"""A search is given up if the stack has not answered by then, so that its meter is not blocked for ever."""
_MAX_DETAIL: Final = 200

Kept = list[list[int | str]]


class Jobs:
    """The jobs in hand."""

    __slots__ = ("_collections", "_collector", "_count", "_errands", "_in_hand", "_meters", "_plan", "_port",
                 "_searches", "_turns")  # fmt: skip

    def __init__(
        self,
        port: CosemPort,
        errands: Errands,
        turns: Turns,
        collector: Collector,
        meters: Sequence[int],
        plan: CollectionPlan,
    ) -> None:
        self._port = port
        self._errands = errands
        self._turns = turns
        self._collector = collector
        self._meters = frozenset(meters)
        self._plan = plan
        self._count = 0
        self._in_hand: dict[int, JobOrder] = {}
        self._searches: dict[int, tuple[int, Timer]] = {}
        self._collections: deque[int] = deque()

    @property
    def busy(self) -> bool:
        """Whether a job is in hand."""
        return bool(self._in_hand)

    def keep(self) -> Kept:
        """The jobs in hand as [job, verb, station]: with the end of this life they have failed."""
        return [[order.job, order.verb, order.station] for order in self._in_hand.values()]

    def submit(self, order: JobOrder) -> None:
        """Take on a job, or say why not."""
        try:
            request = check(order, self._meters)
        except OrderError as problem:
            self._say(order, "failed", str(problem))
            return
        if len(self._in_hand) >= MAX_JOBS:
            self._say(order, "failed", f"{MAX_JOBS} jobs are in hand already")
            return
        self._count += 1
        number = self._count
        self._in_hand[number] = order
        self._say(order, "accepted", "")
        if order.verb == "collect":
            self._collections.append(number)
            self._collect()
        elif request is None:
            self._turns.ask(order.station, lambda: self._discover(number))
        else:
            self._send(number, request)

    # --- discover

    def _discover(self, number: int) -> None:
        station = self._in_hand[number].station
        timer = self._port.env.clock.after(DISCOVERY_LIMIT_US, self._unanswered, station)
        self._searches[station] = number, timer
        self._port.discover(station)

    def discovered(self, peer: int, status: int) -> None:
        """The stack's word on a search; those that nobody here asked for are ignored."""
        if status == SUCCESS:
            self._search_over(peer, "done", self._route_text(peer))
        else:
            self._search_over(peer, "failed", f"no route: {STATUS_NAMES.get(status, f'status {status}')}")

    def _unanswered(self, peer: int) -> None:
        self._search_over(peer, "failed", "no route: the search did not come to an end")

    def _search_over(self, peer: int, status: str, detail: str) -> None:
        found = self._searches.pop(peer, None)
        if found is not None:
            number, timer = found
            timer.cancel()
            self._over(number, status, detail)
            self._turns.done(peer)

    def _route_text(self, peer: int) -> str:
        route = self._port.route(peer)
        if route is None:
            return "route found, and gone again"
        if route.hop_count == 1:
            return "route over 1 hop"
        return f"route over {route.hop_count} hops, next hop meter-{route.next_hop}"

    # --- read, set, act

    def _send(self, number: int, request: Request) -> None:
        order = self._in_hand[number]
        answers: list[str] = []

        def answered(errand: Errand) -> None:
            answers.append(_ANSWERS[order.verb](self._port, order, errand))

        def finished(errand: Errand) -> None:
            if errand.ok:
                late = "" if errand.released else f"; association not released: {errand.reason}"
                self._over(number, "done", answers[0] + late)
            else:
                note_failed(self._port, errand)
                self._over(number, "failed", f"{errand.reason} ({errand.explained_by})")

        config = job_config(self._plan, order)
        self._errands.send(Errand(order.station, request, config, answered, finished, order.hold_us))

    # --- collect

    def _collect(self) -> None:
        if self._collections and not self._collector.busy:
            number = self._collections.popleft()

            def finished(summary: str) -> None:
                self._over(number, "done", summary)
                self._collect()

            self._collector.start(finished)

    # --- words

    def _over(self, number: int, status: str, detail: str) -> None:
        self._say(self._in_hand.pop(number), status, detail)

    def _say(self, order: JobOrder, status: str, detail: str) -> None:
        if len(detail) > _MAX_DETAIL:
            detail = f"{detail[: _MAX_DETAIL - 3]}..."
        verb = order.verb if order.verb in VERBS else "unknown"
        self._port.env.note(events.Job, order.job, verb, order.station, status, detail)


def _read_text(port: CosemPort, _order: JobOrder, errand: Errand) -> str:
    return f"value {note_done(port, errand)}"


def _set_text(_port: CosemPort, _order: JobOrder, errand: Errand) -> str:
    return f"set to {format_data(errand.request.value)}" if isinstance(errand.request, Set) else ""


def _act_text(_port: CosemPort, order: JobOrder, errand: Errand) -> str:
    if errand.data is None:
        return f"method {order.attribute} invoked"
    return f"method {order.attribute} returned {format_data(errand.data)}"


_ANSWERS: Final[dict[str, Callable[[CosemPort, JobOrder, Errand], str]]] = {
    "read": _read_text,
    "set": _set_text,
    "act": _act_text,
}
