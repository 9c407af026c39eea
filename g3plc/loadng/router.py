"""What the duties of LOADng share: identity, tables, sequence numbers, and the way down to the MAC.

Neighbours: `layer` builds it; `rreq`, `rrep`, `discovery`, `errors`, `path` and `rlc` each hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from g3plc.core.env import Env
from g3plc.core.flow import flow_tag
from g3plc.loadng.blacklist import Blacklist
from g3plc.loadng.config import LoadngConfig
from g3plc.loadng.constants import FIRST_GROUP_ADDRESS, SEQUENCE_MASK, SEQUENCE_UNKNOWN
from g3plc.loadng.link_cost import LinkCosts
from g3plc.loadng.routing_table import Entry, RoutingTable, is_newer
from g3plc.sap import RoutingUser, RxInfo


class Encodable(Protocol):
    """A LOADng message."""

    def encode(self) -> bytes:
        """Its octets, ESC header included."""


def ignore_confirm(_arg: Any, _status: int) -> None:
    """For messages whose fate at the MAC changes nothing."""


class Router:
    """Shared state of one station's LOADng. `sequence` is the last number used, and outlives a reboot."""

    __slots__ = (
        "_messages", "blacklist", "config", "destination_addresses", "env", "links", "on_verified", "rng", "sequence",
        "short", "table", "user",
    )  # fmt: skip

    def __init__(self, env: Env, user: RoutingUser, short: int, config: LoadngConfig, sequence: int) -> None:
        self.env = env
        self.user = user
        self.short = short
        self.config = config
        self.sequence = sequence & SEQUENCE_MASK
        self.rng = env.rng("loadng")
        self.table = RoutingTable(env, config)
        self.blacklist = Blacklist(env, config)
        self.links = LinkCosts(config, self.table, user.neighbour)
        self.destination_addresses: frozenset[int] = frozenset()
        self.on_verified: Callable[[int], None] = _nobody
        self._messages = self.sequence

    def next_sequence(self) -> int:
        """A new sequence number, one counter for RREQ and RREP."""
        self.sequence = (self.sequence + 1) & SEQUENCE_MASK
        return self.sequence

    def overtaken(self, sequence: int) -> None:
        """A message in our own name came in: never be behind its number, or nobody would listen to us any more.

        It is somebody's forgery, or our own from before a reboot that forgot the number.
        """
        if is_newer(sequence, self.sequence):
            self.sequence = sequence

    def new_flow(self, kind: int) -> int:
        """The observers' tag of a message that starts here."""
        self._messages += 1
        return flow_tag(self.env.node, self._messages, kind)

    def send(
        self,
        dst: int,
        message: Encodable,
        flow: int,
        confirm: Callable[[Any, int], None] = ignore_confirm,
        arg: Any = None,
        high_priority: bool = False,
    ) -> None:
        """Hand a message to the MAC; `confirm(arg, status)` follows."""
        self.user.send_message(dst, message.encode(), high_priority, flow, confirm, arg)

    def is_mine(self, destination: int) -> bool:
        """Tell whether this station answers for `destination`."""
        return destination == self.short or destination in self.destination_addresses

    def learn_neighbour(self, src: int, rx: RxInfo, proven: bool, used: bool, cost: int = -1) -> None:
        """Create or better the one-hop entry of a neighbour just heard; `cost` of the link, if it is at hand.

        `proven`: the message came by unicast, so that our ACK has reached it or will be asked for again. `used`: the
        message changed the table, which in draft-15 makes the entry unverified when it was an RREQ.
        """
        if src >= FIRST_GROUP_ADDRESS or src == self.short:
            return
        entry = self.table.get(src)
        if cost < 0:
            cost = self.links.cost(src, rx)
        weak = int(rx.lqi < self.config.weak_lqi)
        metric = self.config.metric_type
        if used and not proven and self.config.rreq_clears_bidirectional:
            self.table.write(src, src, cost, 1, weak, metric, SEQUENCE_UNKNOWN, False)
        elif entry is None:
            self.table.write(src, src, cost, 1, weak, metric, SEQUENCE_UNKNOWN, proven)
            if proven:
                self.on_verified(src)
        elif entry.next_hop == src:
            self._renew(entry, cost, weak, proven)
        elif (weak, cost) < (entry.weak_links, entry.cost) and (proven or not entry.bidirectional):
            self.table.write(src, src, cost, 1, weak, metric, entry.sequence, proven)
            if proven:
                self.on_verified(src)

    def _renew(self, entry: Entry, cost: int, weak: int, proven: bool) -> None:
        if entry.cost != cost or entry.weak_links != weak or (proven and not entry.bidirectional):
            fresh = proven and not entry.bidirectional
            self.table.write(
                entry.destination, entry.next_hop, cost, 1, weak, self.config.metric_type, entry.sequence,
                entry.bidirectional or proven,
            )  # fmt: skip
            if fresh:
                self.on_verified(entry.destination)
        else:
            self.table.renew(entry)

    def verify(self, destination: int, next_hop: int) -> None:
        """The link to `next_hop` works both ways: routes to it and, through it, to `destination` carry data."""
        for short in (destination, next_hop):
            if self.table.verify(short, next_hop):
                self.on_verified(short)

    def link_lost(self, next_hop: int) -> None:
        """Blacklist a neighbour that did not answer."""
        entries = self.table.entries
        self.blacklist.add(next_hop, [short for short, entry in entries.items() if entry.next_hop == short])


def _nobody(_destination: int) -> None:
    """No search is under way yet."""
