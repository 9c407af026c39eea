"""RREPs: answer a search, pass answers on, prove links (G.9903 Annex D; draft-15 clauses 13 and 15).

The destination waits for the best RREQ before it answers. Each hop proves its link to the next by the MAC's ACK of the
RREP or, under draft-15's rules, by an RREP_ACK. Neighbours: `rreq` calls `asked`, `discovery` ends with our answer.
"""

from __future__ import annotations

from g3plc.core import flow as flows
from g3plc.core.env import Timer
from g3plc.events import Dropped
from g3plc.events import Rrep as RrepEvent
from g3plc.events import RrepAck as RrepAckEvent
from g3plc.loadng.constants import (
    FIRST_GROUP_ADDRESS,
    FLAG_ACK_REQUIRED,
    FLAG_REPAIR,
    FORWARDED,
    IGNORED,
    LAYER,
    MAX_WEAK_LINKS,
    MISSED,
    RECEIVED,
    SENT,
)
from g3plc.loadng.rlc import ReverseCosts
from g3plc.loadng.router import Router
from g3plc.loadng.routing_table import Entry, is_newer
from g3plc.loadng.trickle import ClusterTrickle
from g3plc.sap import NO_ACK, SUCCESS, TRANSACTION_EXPIRED, RxInfo
from g3plc.wire.loadng_msg import MAX_HOP_COUNT, METRIC_HOP_COUNT, Rrep, RrepAck, Rreq

_Pending = tuple[int, int, int]
"""(next hop, originator of the RREP, its sequence number)."""


def is_better(entry: Entry, message: Rreq | Rrep, metric: int, weak_links: int, cost: int, hop_count: int) -> bool:
    """Tell whether a message, with this link added to its fields, replaces a valid entry of its originator."""
    if entry.sequence != message.sequence_number:
        return is_newer(message.sequence_number, entry.sequence)
    if entry.metric_type != metric:
        return entry.metric_type == METRIC_HOP_COUNT
    if entry.weak_links != weak_links:
        return weak_links < entry.weak_links
    return cost < entry.cost or (cost == entry.cost and hop_count < entry.hop_count)


class _Answer:
    """An RREP that waits for a better RREQ."""

    __slots__ = ("destination", "originator", "repair", "sequence", "timer")

    def __init__(self, rreq: Rreq) -> None:
        self.originator = rreq.originator
        self.destination = rreq.destination
        self.sequence = rreq.sequence_number
        self.repair = rreq.route_repair
        self.timer: Timer


class Replies:
    """Answers RREQs and handles the RREPs and RREP_ACKs of others."""

    __slots__ = ("_answers", "_pending", "_reverse_costs", "_router", "_trickle")

    def __init__(self, router: Router, reverse_costs: ReverseCosts, trickle: ClusterTrickle) -> None:
        self._router = router
        self._trickle = trickle
        self._reverse_costs = reverse_costs
        self._answers: dict[int, _Answer] = {}
        self._pending: dict[_Pending, Timer | None] = {}

    def asked(self, rreq: Rreq) -> None:
        """An RREQ for this station was new or better; the table knows the way back."""
        config = self._router.config
        waiting = self._answers.get(rreq.originator)
        if waiting is not None:
            if waiting.sequence == rreq.sequence_number:
                return
            waiting.timer.cancel()
            del self._answers[rreq.originator]
        wait = config.rrep_wait_unicast_us if rreq.unicast else config.rrep_wait_us
        answer = _Answer(rreq)
        if not wait:
            self._answer(answer)
        elif len(self._answers) < config.replies:
            self._answers[rreq.originator] = answer
            answer.timer = self._router.env.clock.after(wait, self._due, answer)
        else:
            self._router.env.note(Dropped, LAYER, "too many replies", rreq.originator, 0)

    def _due(self, answer: _Answer) -> None:
        del self._answers[answer.originator]
        self._answer(answer)

    def _answer(self, answer: _Answer) -> None:
        router = self._router
        rrep = Rrep(
            answer.originator,
            answer.destination,
            router.next_sequence(),
            router.config.metric_type,
            0,
            router.config.max_hops,
            route_repair=answer.repair,
        )
        entry = router.table.get(answer.originator)
        if entry is None:
            self._note(IGNORED, -1, rrep, "no route")
            return
        self._send(SENT, entry.next_hop, rrep, router.new_flow(flows.RREP))

    def _send(self, action: str, next_hop: int, rrep: Rrep, flow: int, again: bool = False) -> None:
        router = self._router
        rrep.ack_required = bool(router.config.rrep_ack)
        if rrep.ack_required:
            self._expect_ack((next_hop, rrep.originator, rrep.sequence_number))
        self._note(action, next_hop, rrep, "")
        self._settle(rrep.destination, next_hop, bool(router.config.rrep_settles))
        high = bool(router.config.rrep_high_priority)
        router.send(next_hop, rrep, flow, self._confirmed, (next_hop, rrep, flow, again), high)

    def _settle(self, destination: int, next_hop: int, settled: bool) -> None:
        entry = self._router.table.get(destination)
        if entry is not None and entry.next_hop == next_hop:
            entry.settled = settled

    def _confirmed(self, arg: tuple[int, Rrep, int, bool], status: int) -> None:
        next_hop, rrep, flow, again = arg
        router = self._router
        if status != SUCCESS:
            self._settle(rrep.destination, next_hop, False)
        if rrep.ack_required:
            key = (next_hop, rrep.originator, rrep.sequence_number)
            if key in self._pending:
                self._expect_ack(key)
                timeout = router.config.rrep_ack_timeout_us
                self._pending[key] = router.env.clock.after(timeout, self._unacknowledged, key)
        elif status == SUCCESS:
            router.blacklist.clear(next_hop)
            router.verify(rrep.destination, next_hop)
        elif status in (NO_ACK, TRANSACTION_EXPIRED):
            router.link_lost(next_hop)
            if router.config.rrep_second_chance and not again:
                self._detour(next_hop, rrep, flow)

    def _detour(self, failed: int, rrep: Rrep, flow: int) -> None:
        """Send an RREP by a neighbour whose copy of the RREQ had cost less than ours, so that no loop can arise."""
        router = self._router
        entry = router.table.get(rrep.destination)
        if entry is None:
            return
        if entry.next_hop == failed:
            way = self._other_way(rrep, entry, failed)
            if way is None:
                return
            weak, cost, hop_count, metric, src = way
            entry = router.table.write(
                rrep.destination, src, cost, hop_count, weak, metric, entry.sequence, entry.bidirectional
            )
        self._send(FORWARDED, entry.next_hop, rrep, flow, again=True)

    def _other_way(self, rrep: Rrep, entry: Entry, failed: int) -> tuple[int, int, int, int, int] | None:
        """(weak links, cost, hop count, metric, next hop) of the best other way back, known both ways if possible."""
        router = self._router
        links = router.links
        best: tuple[bool, int, int, int, int, int] | None = None
        for copy, src, lqi in self._trickle.copies(rrep.destination, rrep.originator):
            if (
                copy.sequence_number != entry.sequence
                or copy.route_cost >= entry.cost
                or src == failed
                or router.blacklist.holds(src)
            ):
                continue
            metric, cost = links.extend(copy.metric_type, copy.route_cost, links.heard(src, lqi))
            weak = min(MAX_WEAK_LINKS, copy.weak_link_count + (lqi < router.config.weak_lqi))
            hop_count = min(MAX_HOP_COUNT, copy.hop_count + 1)
            way = (not links.knows_reverse(src), weak, cost, hop_count, metric, src)
            if best is None or way < best:
                best = way
        return best[1:] if best is not None else None

    def received(self, src: int, rrep: Rrep, rx: RxInfo) -> None:
        """An RREP came from neighbour `src`."""
        router = self._router
        if rrep.originator >= FIRST_GROUP_ADDRESS or rrep.destination >= FIRST_GROUP_ADDRESS:
            self._note(IGNORED, src, rrep, "address")
        elif router.is_mine(rrep.originator):
            router.overtaken(rrep.sequence_number)
            self._note(IGNORED, src, rrep, "own")
        elif router.config.rlc_enabled and not router.links.knows_reverse(src):
            self._reverse_costs.park(src, rrep, rx)
        else:
            self.accept(src, rrep, rx)

    def accept(self, src: int, rrep: Rrep, rx: RxInfo) -> None:
        """An RREP whose link cost can be told: learn from it, then use it or pass it on if it is new or better."""
        router = self._router
        metric, cost = router.links.extend(rrep.metric_type, rrep.route_cost, router.links.cost(src, rx))
        weak = min(MAX_WEAK_LINKS, rrep.weak_link_count + (rx.lqi < router.config.weak_lqi))
        hop_count = min(MAX_HOP_COUNT, rrep.hop_count + 1)
        entry = router.table.numbered(rrep.originator)
        if entry is not None and is_newer(entry.sequence, rrep.sequence_number):
            self._note(IGNORED, src, rrep, "stale")
            return
        better = entry is None or is_better(entry, rrep, metric, weak, cost, hop_count)
        if better:
            router.table.write(rrep.originator, src, cost, hop_count, weak, metric, rrep.sequence_number, True)
            self._note(RECEIVED, src, rrep, "")
            router.on_verified(rrep.originator)
        else:
            self._note(IGNORED, src, rrep, "not better")
        if src != rrep.originator:
            router.learn_neighbour(src, rx, True, True)
        if rrep.ack_required and router.config.rrep_ack:
            self._acknowledge(src, rrep)
        if better and not router.is_mine(rrep.destination):
            self._pass_on(src, rrep.forwarded(metric, cost, rrep.hop_limit - 1, hop_count, weak), rx.flow)

    def _pass_on(self, src: int, rrep: Rrep, flow: int) -> None:
        entry = self._router.table.get(rrep.destination)
        if rrep.hop_limit <= 0 or rrep.hop_count >= MAX_HOP_COUNT:
            rrep.hop_limit = max(0, rrep.hop_limit)
            self._note(IGNORED, src, rrep, "hop limit")
        elif entry is None:
            self._note(IGNORED, src, rrep, "no route")
        elif entry.next_hop == src:
            self._note(IGNORED, src, rrep, "loop")
        else:
            self._send(FORWARDED, entry.next_hop, rrep, flow)

    def _acknowledge(self, src: int, rrep: Rrep) -> None:
        router = self._router
        self._note_ack(SENT, src, rrep.originator, rrep.sequence_number)
        ack = RrepAck(rrep.originator, router.short, rrep.sequence_number)
        router.send(src, ack, router.new_flow(flows.RREP_ACK), high_priority=bool(router.config.rrep_high_priority))

    def acknowledged(self, src: int, ack: RrepAck) -> None:
        """An RREP_ACK came from neighbour `src`: the link to it works both ways."""
        key = (src, ack.destination, ack.sequence_number)
        if key not in self._pending or ack.originator != src:
            self._note_ack(IGNORED, src, ack.destination, ack.sequence_number)
            return
        timer = self._pending.pop(key)
        if timer is not None:
            timer.cancel()
        self._note_ack(RECEIVED, src, ack.destination, ack.sequence_number)
        self._router.blacklist.clear(src)
        for entry in list(self._router.table.entries.values()):
            if entry.next_hop == src:
                self._router.verify(entry.destination, src)

    def _expect_ack(self, key: _Pending) -> None:
        """Remember that an RREP_ACK is owed, if there is room. A better RREP of the same number may go the same way."""
        timer = self._pending.get(key)
        if timer is not None:
            timer.cancel()
        if key in self._pending or len(self._pending) < self._router.config.replies:
            self._pending[key] = None

    def _unacknowledged(self, key: _Pending) -> None:
        del self._pending[key]
        self._note_ack(MISSED, *key)
        self._router.link_lost(key[0])

    def _note_ack(self, action: str, peer: int, originator: int, sequence: int) -> None:
        env = self._router.env
        env.note(RrepAckEvent, action, peer, originator, sequence)

    def _note(self, action: str, peer: int, rrep: Rrep, reason: str) -> None:
        env = self._router.env
        flags = (FLAG_REPAIR if rrep.route_repair else 0) | (FLAG_ACK_REQUIRED if rrep.ack_required else 0)
        env.note(
            RrepEvent, action, peer, rrep.originator, rrep.destination, rrep.sequence_number,
            rrep.route_cost, rrep.hop_count, rrep.hop_limit, flags, reason,
        )  # fmt: skip
