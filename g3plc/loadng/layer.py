"""LOADng of one station: the face that the adaptation layer sees, and the dispatch of messages to their duties.

ITU-T G.9903 Annex D; draft-clausen-lln-loadng-15 under the profile of that name. Neighbours: `adp` carries messages and
asks for routes (`sap.RoutingUser`), `wire.loadng_msg` decodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

from g3plc.core.env import Env
from g3plc.core.errors import UsageError, WireError
from g3plc.events import Dropped
from g3plc.loadng.config import LoadngConfig
from g3plc.loadng.constants import LAYER
from g3plc.loadng.discovery import Discoveries
from g3plc.loadng.errors import RouteErrors
from g3plc.loadng.path import PathDiscoveries
from g3plc.loadng.rlc import ReverseCosts
from g3plc.loadng.router import Router
from g3plc.loadng.routing_table import Entry
from g3plc.loadng.rrep import Replies
from g3plc.loadng.rreq import RreqReceiver
from g3plc.loadng.spacing import Spacing
from g3plc.loadng.trickle import ClusterTrickle
from g3plc.sap import Route, RoutingUser, RxInfo
from g3plc.wire.loadng_msg import Message, Prep, Preq, Rerr, RlcRep, RlcReq, Rrep, RrepAck, Rreq, decode

_PARAMETERS = frozenset(field.name for field in fields(LoadngConfig))


class Loadng:
    """`sap.RoutingService`. `kept` is what an earlier life's `keep` returned, or empty."""

    __slots__ = ("_errors", "_paths", "_replies", "_reverse_costs", "_router", "_rreqs", "_searches", "rreq_indication")

    rreq_indication: Callable[[int, Rreq, RxInfo], None]
    """An RREQ that another receiver of the same frame has decoded."""

    def __init__(
        self,
        env: Env,
        user: RoutingUser,
        short: int,
        config: LoadngConfig,
        kept: dict[str, int] | None = None,
    ) -> None:
        router = self._router = Router(env, user, short, config, (kept or {}).get("sequence", 0))
        spacing = Spacing(env, config)
        self._reverse_costs = ReverseCosts(router, spacing)
        trickle = ClusterTrickle(env, config)
        self._replies = Replies(router, self._reverse_costs, trickle)
        self._rreqs = RreqReceiver(router, self._replies, self._reverse_costs, trickle)
        self._searches = Discoveries(router, spacing)
        self._errors = RouteErrors(router)
        self._paths = PathDiscoveries(router)
        self._reverse_costs.resume = self._resume
        self.rreq_indication = self._rreqs.received

    @property
    def max_hops(self) -> int:
        """adpMaxHops."""
        return self._router.config.max_hops

    @property
    def local_repair(self) -> bool:
        """See `LoadngConfig.local_repair`."""
        return bool(self._router.config.local_repair)

    def keep(self) -> dict[str, int]:
        """What must outlive a reboot: the sequence number last used."""
        return {"sequence": self._router.sequence}

    def message_indication(self, src: int, msdu: bytes, rx: RxInfo) -> None:
        """A LOADng message (ESC header 40 01 first) from neighbour `src`. Any octets are allowed."""
        try:
            message = decode(msdu)
        except WireError as error:
            env = self._router.env
            env.note(Dropped, LAYER, error.reason, src, len(msdu))
            return
        if type(message) is Rreq:
            if rx.frame is not None:
                rx.rreq = message
            self._rreqs.received(src, message, rx)
        else:
            self._dispatch(src, message, rx)

    def _dispatch(self, src: int, message: Message, rx: RxInfo) -> None:
        if isinstance(message, Rrep):
            self._replies.received(src, message, rx)
        elif isinstance(message, Rerr):
            self._errors.received(src, message, rx)
        elif isinstance(message, RrepAck):
            self._replies.acknowledged(src, message)
        elif isinstance(message, Preq):
            self._paths.asked(src, message, rx)
        elif isinstance(message, Prep):
            self._paths.answered(src, message, rx)
        elif isinstance(message, RlcReq):
            self._reverse_costs.asked(src, message, rx)
        elif isinstance(message, RlcRep):
            self._reverse_costs.answered(src, message)

    def _resume(self, src: int, message: Rreq | Rrep, rx: RxInfo) -> None:
        if isinstance(message, Rreq):
            self._rreqs.accept(src, message, rx)
        else:
            self._replies.accept(src, message, rx)

    def next_hop(self, destination: int) -> int | None:
        """The next hop of the valid bidirectional route to `destination`, or None."""
        entry = self._router.table.usable(destination)
        return entry.next_hop if entry is not None else None

    def route(self, destination: int) -> Route | None:
        """The valid bidirectional route to `destination`, or None."""
        entry = self._router.table.usable(destination)
        return _route(entry) if entry is not None else None

    def routes(self) -> list[Route]:
        """All valid bidirectional routes, by destination."""
        return [_route(entry) for entry in self._router.table.all_usable()]

    def discover(self, destination: int, max_hops: int) -> None:
        """Look for a route; `route_discovered` follows."""
        self._searches.start(destination, max_hops)

    def repair(self, destination: int, next_hop: int, max_hops: int) -> None:
        """Look for a route in place of a broken one through `next_hop`; `route_discovered` follows."""
        self._searches.repair(destination, next_hop, max_hops)

    def discover_path(self, destination: int) -> None:
        """Ask all hops to `destination` and back for their link costs; `path_discovered` follows."""
        self._paths.start(destination)

    def data_delivered(self, originator: int, destination: int, next_hop: int) -> None:
        """The link to `next_hop` works; the routes used live longer."""
        router = self._router
        if router.blacklist.until_us:
            router.blacklist.clear(next_hop)
        table = router.table
        table.refresh(destination)
        table.refresh(next_hop)
        table.refresh(originator)

    def link_failed(self, destination: int, next_hop: int, unanswered: bool) -> None:
        """Delete the route that failed and the neighbour's own; blacklist the neighbour when it did not answer."""
        router = self._router
        for short in (destination, next_hop):
            entry = router.table.get(short)
            if entry is not None and entry.next_hop == next_hop:
                router.table.remove(short, "no ack")
        if unanswered and router.config.blacklist_on_data:
            router.link_lost(next_hop)

    def forget(self, destination: int, reason: str) -> None:
        """Delete the route to `destination`."""
        self._router.table.remove(destination, reason)

    def report_error(self, originator: int, unreachable: int, error_code: int, previous_hop: int) -> None:
        """Send an RERR."""
        self._errors.report(originator, unreachable, error_code, previous_hop)

    def forwarding_delay_us(self, lqi: int) -> int:
        """How long to wait before repeating a broadcast heard with `lqi`."""
        return self._rreqs.delay_us(lqi, False)

    def parameter(self, name: str) -> int:
        """A field of `LoadngConfig`. UsageError: unknown."""
        if name not in _PARAMETERS:
            raise UsageError(f"no routing parameter {name}")
        return int(getattr(self._router.config, name))

    def set_parameter(self, name: str, value: int) -> None:
        """Set a field of `LoadngConfig`. UsageError: unknown."""
        if name not in _PARAMETERS:
            raise UsageError(f"no routing parameter {name}")
        setattr(self._router.config, name, value)
        self._router.links.reset()

    def rows(self, table: str) -> list[tuple[int, ...]]:
        """Rows of a table, in the fields of the ADP PIB; times left in microseconds. UsageError: unknown."""
        router = self._router
        now = router.env.clock.now
        if table == "routing_table":
            return [
                (e.destination, e.next_hop, e.cost, e.hop_count, e.weak_links, e.valid_until_us - now)
                for e in router.table.all_usable()
            ]
        if table == "blacklist":
            return list(router.blacklist.rows())
        if table == "destination_addresses":
            return [(short,) for short in sorted(router.destination_addresses)]
        raise UsageError(f"no routing table {table}")

    def set_destination_addresses(self, addresses: Sequence[int]) -> None:
        """Answer route requests for these short addresses too."""
        self._router.destination_addresses = frozenset(addresses)


def _route(entry: Entry) -> Route:
    return Route(entry.destination, entry.next_hop, entry.cost, entry.hop_count, entry.weak_links, entry.valid_until_us)
