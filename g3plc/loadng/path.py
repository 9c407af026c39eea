"""Path discovery: PREQ out along the route, PREP back, each hop adding itself (G.9903 Annex D).

Each receiver appends its address and the cost of the link by which the message came. A station that cannot pass the
PREQ on answers in place of the destination, so that the asker learns how far it got. Neighbour: `layer`.
"""

from __future__ import annotations

import struct

from g3plc.core import flow as flows
from g3plc.core.env import Timer
from g3plc.events import Prep as PrepEvent
from g3plc.events import Preq as PreqEvent
from g3plc.loadng.constants import FORWARDED, IGNORED, MAX_HOPS_LISTED, RECEIVED, SENT
from g3plc.loadng.router import Router
from g3plc.sap import ROUTE_ERROR, SUCCESS, RxInfo
from g3plc.wire.loadng_msg import Hop, Prep, Preq

_NOT_SUPPORTED = 0x80
_PAIR = struct.Struct(">HH")


class PathDiscoveries:
    """Asks for paths, and serves those who ask."""

    __slots__ = ("_router", "_waiting")

    def __init__(self, router: Router) -> None:
        self._router = router
        self._waiting: dict[int, Timer] = {}

    def start(self, destination: int) -> None:
        """Ask for the path to `destination`; one question at a time for each."""
        router = self._router
        if destination in self._waiting:
            return
        entry = router.table.usable(destination)
        if entry is None or len(self._waiting) >= router.config.discoveries:
            self._waiting[destination] = router.env.clock.after(0, self._failed, destination)
            return
        self._waiting[destination] = router.env.clock.after(router.config.path_discovery_us, self._failed, destination)
        preq = Preq(destination, router.short, router.config.metric_type)
        self._note_preq(SENT, entry.next_hop, preq)
        router.send(entry.next_hop, preq, router.new_flow(flows.PREQ))

    def _failed(self, destination: int) -> None:
        del self._waiting[destination]
        self._router.user.path_discovered(destination, ROUTE_ERROR, [])

    def _hop(self, src: int, metric_type: int, rx: RxInfo) -> Hop:
        flags = 0 if metric_type == self._router.config.metric_type else _NOT_SUPPORTED
        return Hop(self._router.short, flags, self._router.links.cost(src, rx))

    def asked(self, src: int, preq: Preq, rx: RxInfo) -> None:
        """A PREQ came from neighbour `src`."""
        router = self._router
        router.learn_neighbour(src, rx, True, True)
        seen = {hop.address for hop in preq.hops}
        if router.is_mine(preq.originator) or router.short in seen or len(preq.hops) >= MAX_HOPS_LISTED // 2:
            self._note_preq(IGNORED, src, preq)
            return
        preq = preq.appended(self._hop(src, preq.metric_type, rx))
        self._note_preq(RECEIVED, src, preq)
        entry = None if router.is_mine(preq.destination) else router.table.usable(preq.destination)
        if entry is None or entry.next_hop == src:
            prep = Prep(preq.originator, preq.destination, preq.metric_type, router.short, preq.hops)
            if router.is_mine(preq.destination):
                prep.originator = preq.destination
            self._send_back(SENT, -1, prep, router.new_flow(flows.PREP))
            return
        self._note_preq(FORWARDED, entry.next_hop, preq)
        router.send(entry.next_hop, preq, rx.flow)

    def answered(self, src: int, prep: Prep, rx: RxInfo) -> None:
        """A PREP came from neighbour `src`."""
        router = self._router
        router.learn_neighbour(src, rx, True, True)
        if len(prep.hops) >= MAX_HOPS_LISTED:
            self._note_prep(IGNORED, src, prep)
            return
        prep = prep.appended(self._hop(src, prep.metric_type, rx))
        self._note_prep(RECEIVED, src, prep)
        if not router.is_mine(prep.destination):
            self._send_back(FORWARDED, src, prep, rx.flow)
            return
        timer = self._waiting.pop(prep.expected_originator, None)
        if timer is not None:
            timer.cancel()
            status = SUCCESS if prep.originator == prep.expected_originator else ROUTE_ERROR
            hops = [(hop.address, hop.link_cost) for hop in prep.hops]
            router.user.path_discovered(prep.expected_originator, status, hops)

    def _send_back(self, action: str, src: int, prep: Prep, flow: int) -> None:
        entry = self._router.table.get(prep.destination)
        if entry is None or entry.next_hop == src:
            self._note_prep(IGNORED, src, prep)
            return
        self._note_prep(action, entry.next_hop, prep)
        self._router.send(entry.next_hop, prep, flow)

    def _note_preq(self, action: str, peer: int, preq: Preq) -> None:
        env = self._router.env
        hops = _octets(preq.hops)
        env.note(PreqEvent, action, peer, preq.originator, preq.destination, hops)

    def _note_prep(self, action: str, peer: int, prep: Prep) -> None:
        env = self._router.env
        hops = _octets(prep.hops)
        env.note(PrepEvent, action, peer, prep.originator, prep.destination, hops)


def _octets(hops: tuple[Hop, ...]) -> bytes:
    """The hops of an event: address and link cost, 2 octets each."""
    return b"".join([_PAIR.pack(hop.address, hop.link_cost) for hop in hops])
