"""RERR: tell the source of a datagram that it goes no further (G.9903 Annex D; draft-15 clause 14).

Neighbours: `layer` reports what the adaptation layer could not deliver.
"""

from __future__ import annotations

from g3plc.core import flow as flows
from g3plc.events import Rerr as RerrEvent
from g3plc.loadng.constants import FORWARDED, IGNORED, LOST_RERR, RECEIVED, SENT
from g3plc.loadng.router import Router
from g3plc.sap import RxInfo
from g3plc.wire.loadng_msg import ERROR_HOP_LIMIT_EXCEEDED, Rerr

_REASONS = {ERROR_HOP_LIMIT_EXCEEDED: "hop limit exceeded"}


class RouteErrors:
    """Sends, forwards and believes RERRs."""

    __slots__ = ("_router",)

    def __init__(self, router: Router) -> None:
        self._router = router

    def report(self, source: int, unreachable: int, error_code: int, previous_hop: int) -> None:
        """Tell `source` that `unreachable` cannot be reached from here.

        A station that has just rebooted knows no way back; the neighbour that handed the datagram over does.
        """
        router = self._router
        rerr = Rerr(source, router.short, error_code, unreachable, router.config.max_hops)
        entry = router.table.get(source)
        towards = previous_hop if entry is None else entry.next_hop
        if towards < 0:
            self._note(IGNORED, -1, rerr, "no route")
            return
        self._note(SENT, towards, rerr, "")
        router.send(towards, rerr, router.new_flow(flows.RERR))

    def received(self, src: int, rerr: Rerr, rx: RxInfo) -> None:
        """An RERR came from neighbour `src`."""
        router = self._router
        if router.is_mine(rerr.originator):
            self._note(IGNORED, src, rerr, "own")
            return
        router.learn_neighbour(src, rx, True, True)
        self._note(RECEIVED, src, rerr, "")
        entry = router.table.get(rerr.unreachable)
        mine = router.is_mine(rerr.destination)
        # an RERR may come back another way than the datagram went: its addressee's route has failed all the same
        if entry is not None and (entry.next_hop == src or mine) and rerr.unreachable != src:
            router.table.remove(rerr.unreachable, LOST_RERR)
        if mine:
            reason = _REASONS.get(rerr.error_code, "no available route")
            router.user.route_error(rerr.unreachable, reason)
            return
        self._pass_on(src, rerr.forwarded(rerr.hop_limit - 1), rx.flow)

    def _pass_on(self, src: int, rerr: Rerr, flow: int) -> None:
        router = self._router
        entry = router.table.get(rerr.destination)
        if rerr.hop_limit <= 0:
            self._note(IGNORED, src, rerr, "hop limit")
        elif entry is None or entry.next_hop == src:
            self._note(IGNORED, src, rerr, "no route" if entry is None else "loop")
        else:
            self._note(FORWARDED, entry.next_hop, rerr, "")
            router.send(entry.next_hop, rerr, flow)

    def _note(self, action: str, peer: int, rerr: Rerr, reason: str) -> None:
        env = self._router.env
        env.note(
            RerrEvent, action, peer, rerr.originator, rerr.destination, rerr.unreachable,
            rerr.error_code, reason,
        )  # fmt: skip
