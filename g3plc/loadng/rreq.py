"""RREQs that come in: refuse, learn, answer or repeat (G.9903 Annex D; draft-15 clauses 11 and 12).

Every station in earshot hears every repetition, so refusing a copy that is not better is the hottest path of a flood:
it touches one table entry and computes no link cost. Neighbours: `rrep` answers, `trickle` silences, `router` sends.
"""

from __future__ import annotations

from g3plc.core.env import ignore
from g3plc.events import Rreq as RreqEvent
from g3plc.loadng.constants import (
    FIRST_GROUP_ADDRESS,
    FLAG_REPAIR,
    FLAG_UNICAST,
    FORWARDED,
    IGNORED,
    LOST_NO_ACK,
    MAX_WEAK_LINKS,
    RECEIVED,
)
from g3plc.loadng.rlc import ReverseCosts
from g3plc.loadng.router import Router
from g3plc.loadng.routing_table import Entry
from g3plc.loadng.rrep import Replies, is_better
from g3plc.loadng.trickle import ClusterTrickle
from g3plc.sap import BROADCAST, SUCCESS, RxInfo
from g3plc.wire.loadng_msg import MAX_HOP_COUNT, Rreq


def flags_of(rreq: Rreq) -> int:
    """The flags nibble of an RREQ."""
    return (FLAG_REPAIR if rreq.route_repair else 0) | (FLAG_UNICAST if rreq.unicast else 0)


def _search(rreq: Rreq) -> int:
    """One number for originator and sequence number."""
    return rreq.originator << 16 | rreq.sequence_number


class _Forward:
    """An RREQ that waits for its delay."""

    __slots__ = ("flow", "message", "src")

    def __init__(self, message: Rreq, src: int, flow: int) -> None:
        self.message = message
        self.src = src
        self.flow = flow


class RreqReceiver:
    """Handles the RREQs of others."""

    __slots__ = (
        "_blacklisted", "_clock", "_config", "_entries", "_forwards", "_replies", "_reverse_costs", "_router",
        "_under_way", "_watched", "trickle",
    )  # fmt: skip

    def __init__(self, router: Router, replies: Replies, reverse_costs: ReverseCosts, trickle: ClusterTrickle) -> None:
        self._router = router
        self._config = router.config
        self._clock = router.env.clock
        self._entries = router.table.entries
        self._blacklisted = router.blacklist.until_us
        self._watched = router.env.note is not ignore
        self._replies = replies
        self._reverse_costs = reverse_costs
        self._forwards: dict[int, _Forward] = {}
        self._under_way: dict[int, _Forward | None] = {}
        self.trickle = trickle

    def received(self, src: int, rreq: Rreq, rx: RxInfo) -> None:
        """An RREQ came from neighbour `src`."""
        if self._blacklisted and self._router.blacklist.holds(src):
            self._ignored(src, rreq, "blacklisted")
            return
        entries = self._entries
        entry = entries.get(rreq.originator)
        if (
            entry is None
            or entry.sequence != rreq.sequence_number
            or entry.metric_type != rreq.metric_type
            or entry.valid_until_us <= self._clock.now
            or not (
                (self._config.kh > (spare := entry.cost - rreq.route_cost) and rreq.weak_link_count >= entry.weak_links)
                or entry.settled
                or self._worse_by_link(entry, rreq, rx, spare)
            )
        ):
            self._weigh(src, rreq, rx)
            return
        if self._config.trickle_enabled:
            self.trickle.heard(src, rreq, rx.lqi)
        if src not in entries:
            self._router.learn_neighbour(src, rx, False, False)
        if self._watched:
            self._ignored(src, rreq, "not better")

    def _worse_by_link(self, entry: Entry, rreq: Rreq, rx: RxInfo, spare: int) -> bool:
        """The link of `rx` makes a copy that costs `spare` less than `entry` no better than that, at its best."""
        weak = rreq.weak_link_count + (rx.lqi < self._config.weak_lqi)
        return weak > entry.weak_links or (weak == entry.weak_links and self._router.links.least(rx) > spare)

    def _weigh(self, src: int, rreq: Rreq, rx: RxInfo) -> None:
        """An RREQ that may be new or better."""
        router = self._router
        if rreq.originator >= FIRST_GROUP_ADDRESS or rreq.destination >= FIRST_GROUP_ADDRESS:
            self._ignored(src, rreq, "address")
        elif router.is_mine(rreq.originator):
            router.overtaken(rreq.sequence_number)
            router.learn_neighbour(src, rx, False, False)
            self._ignored(src, rreq, "own")
        elif router.config.rlc_enabled and not router.links.knows_reverse(src):
            self._reverse_costs.park(src, rreq, rx)
        else:
            self.accept(src, rreq, rx)

    def accept(self, src: int, rreq: Rreq, rx: RxInfo) -> None:
        """An RREQ whose link cost can be told: learn from it, then answer or repeat it if it is new or better."""
        router = self._router
        config = router.config
        table = router.table
        link_cost = router.links.cost(src, rx)
        metric, cost = router.links.extend(rreq.metric_type, rreq.route_cost, link_cost)
        weak = rreq.weak_link_count + (rx.lqi < config.weak_lqi)
        if weak > MAX_WEAK_LINKS:
            weak = MAX_WEAK_LINKS
        hop_count = rreq.hop_count + 1
        if hop_count > MAX_HOP_COUNT:
            hop_count = MAX_HOP_COUNT
        hop_limit = rreq.hop_limit - 1
        entry = table.numbered(rreq.originator)
        same = entry is not None and entry.sequence == rreq.sequence_number
        if entry is not None and (
            (same and entry.settled) or not is_better(entry, rreq, metric, weak, cost, hop_count)
        ):
            router.learn_neighbour(src, rx, False, False, link_cost)
            if config.trickle_enabled and same:
                self.trickle.heard(src, rreq, rx.lqi)
            if self._watched:
                self._ignored(src, rreq, "not better" if same else "stale")
            return
        if config.trickle_enabled:
            self.trickle.first_heard(rreq)
        verified = entry is not None and entry.bidirectional
        table.write(rreq.originator, src, cost, hop_count, weak, metric, rreq.sequence_number, verified)
        if src != rreq.originator:
            router.learn_neighbour(src, rx, False, True, link_cost)
        if self._watched:
            self._note(RECEIVED, src, rreq, "")
        if router.is_mine(rreq.destination):
            self._replies.asked(rreq)
        elif hop_limit <= 0 or hop_count >= MAX_HOP_COUNT:
            self._ignored(src, rreq, "hop limit")
        else:
            self._repeat(src, rreq.forwarded(metric, cost, hop_limit, hop_count, weak), rx)

    def _repeat(self, src: int, rreq: Rreq, rx: RxInfo) -> None:
        if rreq.unicast:
            self._pass_on(src, rreq, rx.flow)
            return
        search = _search(rreq)
        waiting = self._forwards.get(search)
        if waiting is not None:
            waiting.message, waiting.src, waiting.flow = rreq, src, rx.flow
            return
        forward = _Forward(rreq, src, rx.flow)
        delay = self.delay_us(rx.lqi, self._router.links.knows_reverse(src))
        if not delay:
            self._send(forward)
        elif len(self._forwards) >= self._router.config.forwards:
            self._ignored(src, rreq, "queue full")
        else:
            self._forwards[search] = forward
            self._router.env.clock.after(delay, self._due, forward)

    def delay_us(self, lqi: int, proven: bool) -> int:
        """How long to wait before repeating a broadcast heard with `lqi`: by its LQI, and a random part."""
        config = self._router.config
        low, high = config.jitter_low_lqi, config.jitter_high_lqi
        delay = config.delay_low_lqi_us
        if config.delay_low_lqi_us != config.delay_high_lqi_us and lqi > low:
            part = min(lqi, high) - low
            delay += (config.delay_high_lqi_us - delay) * part // max(1, high - low)
        window = config.max_random_delay_us + config.trickle_delay_us * self.trickle.cluster_size
        if proven:
            window //= config.proven_share
        if window:
            delay += self._router.rng.below(window)
        return delay

    def _due(self, forward: _Forward) -> None:
        del self._forwards[_search(forward.message)]
        self._send(forward)

    def _send(self, forward: _Forward) -> None:
        router, rreq = self._router, forward.message
        if router.config.trickle_enabled:
            known = router.table.get(rreq.destination)
            near = known is not None and known.next_hop == rreq.destination and not known.weak_links
            if self.trickle.silences(rreq, near):
                self._ignored(forward.src, rreq, "trickle")
                return
        search = _search(rreq)
        if search in self._under_way:
            # while one copy still waits for the channel, only the best of those that follow is worth airtime
            self._under_way[search] = forward
            return
        self._under_way[search] = None
        if router.config.trickle_enabled:
            self.trickle.sent(rreq)
        self._note(FORWARDED, BROADCAST, rreq, "")
        router.send(BROADCAST, rreq, forward.flow, self._left, search)

    def _left(self, search: int, _status: int) -> None:
        """The MAC is done with a copy of this search: send the better one that came meanwhile."""
        better = self._under_way.pop(search, None)
        if better is not None:
            self._send(better)

    def _pass_on(self, src: int, rreq: Rreq, flow: int) -> None:
        """Send a unicast RREQ along the route, or to all where there is none."""
        router = self._router
        entry = router.table.get(rreq.destination)
        if entry is None or entry.next_hop in (src, rreq.originator):
            self._broadcast(rreq, flow)
            return
        self._note(FORWARDED, entry.next_hop, rreq, "")
        router.send(entry.next_hop, rreq, flow, self._passed_on, (rreq, entry.next_hop, flow))

    def _passed_on(self, arg: tuple[Rreq, int, int], status: int) -> None:
        rreq, next_hop, flow = arg
        if status == SUCCESS:
            self._router.blacklist.clear(next_hop)
            return
        self._router.table.remove(rreq.destination, LOST_NO_ACK)
        self._broadcast(rreq, flow)

    def _broadcast(self, rreq: Rreq, flow: int) -> None:
        flood = rreq.forwarded(rreq.metric_type, rreq.route_cost, rreq.hop_limit, rreq.hop_count, rreq.weak_link_count)
        flood.unicast = False
        self._send(_Forward(flood, BROADCAST, flow))

    def _ignored(self, src: int, rreq: Rreq, reason: str) -> None:
        self._note(IGNORED, src, rreq, reason)

    def _note(self, action: str, peer: int, rreq: Rreq, reason: str) -> None:
        if not self._watched:
            return
        self._router.env.note(
            RreqEvent, action, peer, rreq.originator, rreq.destination, rreq.sequence_number,
            rreq.route_cost, rreq.hop_count, rreq.hop_limit, flags_of(rreq), reason,
        )  # fmt: skip
