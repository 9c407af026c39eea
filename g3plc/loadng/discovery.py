"""Searches that start here: one per destination, with retries, and the repairs that are searches too.

G.9903 Annex D; draft-15 clause 12. A search ends as soon as the destination's entry works both ways, whoever brought
that about, so a late RREP is as good as one in time. Neighbours: `layer` starts them, `rrep` ends them, `spacing`.
"""

from __future__ import annotations

from g3plc.core import flow as flows
from g3plc.core.env import Timer
from g3plc.events import RepairEnd, RepairStart
from g3plc.events import Rreq as RreqEvent
from g3plc.loadng.constants import FIRST_GROUP_ADDRESS, LOST_NO_ACK, LOST_NO_ANSWER, SENT
from g3plc.loadng.router import Router
from g3plc.loadng.rreq import flags_of
from g3plc.loadng.spacing import Spacing
from g3plc.sap import BROADCAST, NO_ACK, SUCCESS, TRANSACTION_EXPIRED
from g3plc.wire.loadng_msg import MAX_HOP_COUNT, Rreq


class _Search:
    """A search under way."""

    __slots__ = ("destination", "flood", "max_hops", "repair", "retries", "sequence", "timer")

    def __init__(self, destination: int, max_hops: int, retries: int) -> None:
        self.destination = destination
        self.max_hops = max_hops
        self.retries = retries
        self.repair = False
        self.flood = False
        self.sequence = -1
        self.timer: Timer | None = None


class Discoveries:
    """The searches of this station, by destination."""

    __slots__ = ("_router", "_searches", "_spacing")

    def __init__(self, router: Router, spacing: Spacing) -> None:
        self._router = router
        self._spacing = spacing
        self._searches: dict[int, _Search] = {}
        router.on_verified = self.found

    def start(self, destination: int, max_hops: int) -> None:
        """Search for a route, or join the search that is under way."""
        self._search(destination, max_hops)

    def repair(self, destination: int, next_hop: int, max_hops: int) -> None:
        """Search for a route in place of a broken one."""
        env = self._router.env
        env.note(RepairStart, destination, next_hop)
        search = self._search(destination, max_hops)
        if search is None:
            env.note(RepairEnd, destination, 0)
        else:
            search.repair = True
            search.flood = True

    def _search(self, destination: int, max_hops: int) -> _Search | None:
        router = self._router
        search = self._searches.get(destination)
        if search is not None:
            return search
        unreachable = router.is_mine(destination) or destination >= FIRST_GROUP_ADDRESS or max_hops < 1
        if unreachable or len(self._searches) >= router.config.discoveries:
            router.env.clock.after(0, self._refused, destination)
            return None
        search = _Search(destination, min(max_hops, MAX_HOP_COUNT), router.config.rreq_retries)
        self._searches[destination] = search
        # later, so that a repair is known as one when its RREQ is made
        router.env.clock.after(0, self._queue, search)
        return search

    def _refused(self, destination: int) -> None:
        self._router.user.route_discovered(destination, False)

    def _queue(self, search: _Search) -> None:
        if self._searches.get(search.destination) is search:
            self._spacing.when_allowed(self._ask, search)

    def _ask(self, search: _Search) -> bool:
        """Send an RREQ; tell whether the search still wanted one."""
        if self._searches.get(search.destination) is not search:
            return False
        router = self._router
        config = router.config
        next_hop = BROADCAST
        if config.unicast_rreq and not search.flood:
            entry = router.table.get(search.destination)
            if entry is not None and not entry.weak_links and not router.blacklist.holds(entry.next_hop):
                next_hop = entry.next_hop
        search.sequence = router.next_sequence()
        rreq = Rreq(
            search.destination,
            router.short,
            search.sequence,
            config.metric_type,
            0,
            search.max_hops,
            route_repair=search.repair,
            unicast=next_hop != BROADCAST,
        )
        self._note(next_hop, rreq)
        if not config.answer_from_confirm:
            self._await_answer(search)
        router.send(next_hop, rreq, router.new_flow(flows.RREQ), self._sent, (search, search.sequence, next_hop))
        return True

    def _await_answer(self, search: _Search) -> None:
        if search.timer is not None:
            search.timer.cancel()
        wait = 2 * self._router.config.net_traversal_us
        search.timer = self._router.env.clock.after(wait, self._expired, search)

    def _sent(self, arg: tuple[_Search, int, int], status: int) -> None:
        """The MAC's confirm of an RREQ."""
        search, sequence, next_hop = arg
        router = self._router
        if status == SUCCESS and next_hop != BROADCAST:
            router.blacklist.clear(next_hop)
        if self._searches.get(search.destination) is not search or search.sequence != sequence:
            return
        if status != SUCCESS and next_hop != BROADCAST:
            if status in (NO_ACK, TRANSACTION_EXPIRED):
                router.table.remove(search.destination, LOST_NO_ACK)
                router.link_lost(next_hop)
            search.flood = True
            self._ask(search)
        elif router.config.answer_from_confirm:
            self._await_answer(search)

    def _expired(self, search: _Search) -> None:
        search.timer = None
        if search.retries > 0:
            search.retries -= 1
            search.flood = True
            self._spacing.when_allowed(self._ask, search)
            return
        del self._searches[search.destination]
        self._router.table.remove(search.destination, LOST_NO_ANSWER)
        self._end(search, False)

    def found(self, destination: int) -> None:
        """The entry of `destination` has become, or is again, proven to work both ways."""
        search = self._searches.pop(destination, None)
        if search is None:
            return
        if search.timer is not None:
            search.timer.cancel()
        self._end(search, True)

    def _end(self, search: _Search, found: bool) -> None:
        env = self._router.env
        if search.repair:
            env.note(RepairEnd, search.destination, int(found))
        self._router.user.route_discovered(search.destination, found)

    def _note(self, next_hop: int, rreq: Rreq) -> None:
        env = self._router.env
        env.note(
            RreqEvent, SENT, next_hop, rreq.originator, rreq.destination,
            rreq.sequence_number, rreq.route_cost, rreq.hop_count, rreq.hop_limit, flags_of(rreq), "",
        )  # fmt: skip
