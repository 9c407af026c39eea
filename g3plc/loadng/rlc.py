"""Reverse link cost: ask a neighbour how well it hears us (RLCREQ, RLCREP; adpRLCEnabled).

An RREQ or RREP from a neighbour of whom no tone-map response is known is parked until the answer or a time-out; then it
is processed with what is known. Neighbours: `rreq` and `rrep` park, `spacing` lets RLCREQs pass as rarely as RREQs.
"""

from __future__ import annotations

from collections.abc import Callable

from g3plc.core import flow as flows
from g3plc.core.env import Timer
from g3plc.events import Dropped
from g3plc.loadng.constants import LAYER
from g3plc.loadng.router import Router
from g3plc.loadng.spacing import Spacing
from g3plc.sap import RxInfo
from g3plc.wire.loadng_msg import RlcRep, RlcReq, Rrep, Rreq

_MEASURED = 64


class _Parked:
    """A message that waits for the reverse cost of the neighbour that sent it."""

    __slots__ = ("message", "rx", "src", "timer")

    def __init__(self, src: int, message: Rreq | Rrep, rx: RxInfo) -> None:
        self.src = src
        self.message = message
        self.rx = rx
        self.timer: Timer | None = None


class ReverseCosts:
    """Asks and answers for reverse link costs. `resume(src, message, rx)` takes a parked message up again."""

    __slots__ = ("_parked", "_router", "_spacing", "resume")

    def __init__(self, router: Router, spacing: Spacing) -> None:
        self._router = router
        self._spacing = spacing
        self._parked: dict[int, _Parked] = {}
        self.resume: Callable[[int, Rreq | Rrep, RxInfo], None] = _nobody

    def park(self, src: int, message: Rreq | Rrep, rx: RxInfo) -> None:
        """Keep a message of neighbour `src` until its reverse cost is known or the wait is over."""
        waiting = self._parked.get(src)
        if waiting is not None:
            waiting.message, waiting.rx = message, rx.copy()
            return
        router = self._router
        if len(self._parked) >= router.config.parked:
            self.resume(src, message, rx)
            return
        parked = self._parked[src] = _Parked(src, message, rx.copy())
        parked.timer = router.env.clock.after(router.config.rlc_wait_us, self._expired, parked)
        self._spacing.when_allowed(self._ask, src)

    def _ask(self, src: int) -> bool:
        if src not in self._parked:
            return False
        router = self._router
        request = RlcReq(src, router.short, router.config.metric_type)
        router.send(src, request, router.new_flow(flows.RLCREQ))
        return True

    def _expired(self, parked: _Parked) -> None:
        del self._parked[parked.src]
        self.resume(parked.src, parked.message, parked.rx)

    def asked(self, src: int, request: RlcReq, rx: RxInfo) -> None:
        """A neighbour wants to know how well it is heard here."""
        router = self._router
        if request.originator != src or request.destination != router.short:
            self._drop("rlc address", src)
            return
        cost = router.links.directional(rx.modulation, rx.tone_map, rx.lqi)
        answer = RlcRep(src, router.short, router.config.metric_type, cost)
        router.send(src, answer, router.new_flow(flows.RLCREP))

    def answered(self, src: int, reply: RlcRep) -> None:
        """A neighbour tells how well it hears us; only one that was asked is believed."""
        parked = self._parked.get(src)
        if parked is None or reply.originator != src or reply.metric_type != self._router.config.metric_type:
            self._drop("rlc not asked", src)
            return
        del self._parked[src]
        if parked.timer is not None:
            parked.timer.cancel()
        measured = self._router.links.measured
        if len(measured) >= _MEASURED:
            measured.pop(next(iter(measured)))
        measured[src] = reply.link_cost
        self.resume(src, parked.message, parked.rx)

    def _drop(self, reason: str, src: int) -> None:
        env = self._router.env
        env.note(Dropped, LAYER, reason, src, 0)


def _nobody(_src: int, _message: Rreq | Rrep, _rx: RxInfo) -> None:
    """Until the layer is wired."""
