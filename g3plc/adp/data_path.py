"""Moves datagrams and forwarded frames to their next hop, and decides when that fails (G.9903 9.4, Annex D).

Only a valid bidirectional route carries data: a neighbour without one is searched like anybody else. Parcels wait here
while LOADng looks for their route; how long is the search's business: it ends 2 x adpNetTraversalTime after its last
RREQ. Neighbours: `sender` and `receiver` above, `mac_port` below, LOADng (`sap.RoutingService`) beside.
"""

from __future__ import annotations

from g3plc.adp.config import AdpConfig
from g3plc.adp.constants import DISCARDED, GROUP_ADDRESSES, LAYER, RELEASED, WAITING
from g3plc.adp.mac_port import MacPort
from g3plc.adp.parcel import Parcel
from g3plc.core.env import Env
from g3plc.events import Dropped, Queue
from g3plc.sap import (
    NO_ACK,
    ROUTE_ERROR,
    STATUS_NAMES,
    SUCCESS,
    TRANSACTION_EXPIRED,
    TRANSACTION_OVERFLOW,
    AdpUser,
    RoutingService,
)
from g3plc.wire.loadng_msg import ERROR_NO_AVAILABLE_ROUTE


class DataPath:
    """Parcels on their way out of this station. `routing` and `user` are bound by the layer before use."""

    __slots__ = ("_config", "_env", "_long", "_longs", "_mac", "_waiting", "routing", "user")

    def __init__(self, env: Env, mac: MacPort, config: AdpConfig) -> None:
        self._env = env
        self._mac = mac
        self._config = config
        self._waiting: dict[int, list[Parcel]] = {}
        self._long: Parcel | None = None
        self._longs: list[Parcel] = []
        self.routing: RoutingService
        self.user: AdpUser

    def send(self, parcel: Parcel) -> None:
        """Send a parcel to the next hop of its route, or look for one."""
        next_hop = self.routing.next_hop(parcel.destination)
        if next_hop is not None:
            self.send_to(parcel, next_hop)
        elif parcel.is_own:
            if parcel.discover and not self._config.disable_default_routing:
                if self._wait(parcel):
                    self.routing.discover(parcel.destination, self.routing.max_hops)
            else:
                self.finish_later(parcel, ROUTE_ERROR)
        elif self.routing.local_repair and not parcel.repaired:
            self._repair(parcel, -1)
        else:
            self._give_up(parcel, ROUTE_ERROR)

    def send_to(self, parcel: Parcel, next_hop: int) -> None:
        """Send a parcel to this neighbour, or to all. Of our own fragmented ones, one at a time.

        Fragments of many datagrams in turn would keep as many reassemblies open at the far end.
        """
        parcel.next_hop = next_hop
        parcel.msdus = parcel.frames(next_hop != parcel.destination)
        parcel.sent = 0
        if len(parcel.msdus) == 1:
            self._send_frame(parcel)
        elif self._long is None:
            self._long = parcel
            self._send_frame(parcel)
        elif len(self._longs) < self._config.waiting_datagrams:
            self._longs.append(parcel)
        else:
            self.finish_later(parcel, TRANSACTION_OVERFLOW)

    def _send_frame(self, parcel: Parcel) -> None:
        msdu = parcel.msdus[parcel.sent]
        self._mac.send(parcel.next_hop, msdu, parcel.high_priority, parcel.flow, self._confirmed, parcel)

    def _confirmed(self, parcel: Parcel, status: int) -> None:
        to_one = parcel.next_hop < GROUP_ADDRESSES
        if status == SUCCESS:
            if to_one:
                self.routing.data_delivered(parcel.originator, parcel.destination, parcel.next_hop)
            parcel.sent += 1
            if parcel.sent < len(parcel.msdus):
                self._send_frame(parcel)
                return
        if parcel is self._long:
            self._next_long()
        if status == SUCCESS:
            if parcel.is_own:
                self.user.adpd_data_confirm(parcel.handle, SUCCESS)
        elif to_one and status in (NO_ACK, TRANSACTION_EXPIRED):
            self._broken(parcel, status)
        else:
            self._finish(parcel, status)

    def _next_long(self) -> None:
        self._long = None
        if self._longs:
            parcel = self._longs.pop(0)
            if parcel.next_hop < GROUP_ADDRESSES:
                self.send(parcel)
            else:
                self.send_to(parcel, parcel.next_hop)

    def _broken(self, parcel: Parcel, status: int) -> None:
        """The next hop does not answer: another route, once, or an error to the source."""
        self.routing.link_failed(parcel.destination, parcel.next_hop, status == NO_ACK)
        if self.routing.local_repair and not parcel.repaired:
            self._repair(parcel, parcel.next_hop)
        else:
            self._give_up(parcel, status)

    def _repair(self, parcel: Parcel, next_hop: int) -> None:
        parcel.repaired = True
        if self._wait(parcel):
            self.routing.repair(parcel.destination, next_hop, parcel.hops_left)

    def _give_up(self, parcel: Parcel, status: int) -> None:
        """There is no way on: tell our user, or the station that the frame comes from."""
        if parcel.is_own:
            self.user.adpm_network_status_indication(parcel.destination, STATUS_NAMES[status])
        else:
            self.routing.report_error(
                parcel.originator, parcel.destination, ERROR_NO_AVAILABLE_ROUTE, parcel.previous_hop
            )
        self._finish(parcel, status)

    def _finish(self, parcel: Parcel, status: int) -> None:
        if parcel.is_own:
            self.user.adpd_data_confirm(parcel.handle, status)
        else:
            self._drop(parcel, STATUS_NAMES.get(status, "mac status"))

    def finish_later(self, parcel: Parcel, status: int) -> None:
        """Confirm a parcel of our own that cannot be sent, outside of the user's request."""
        self._env.clock.after(0, self._finish_due, (parcel, status))

    def _finish_due(self, arg: tuple[Parcel, int]) -> None:
        self._finish(*arg)

    def _wait(self, parcel: Parcel) -> bool:
        """Keep a parcel until a search is over; tell whether there was room."""
        if sum(map(len, self._waiting.values())) >= self._config.waiting_datagrams:
            self.finish_later(parcel, TRANSACTION_OVERFLOW)
            return False
        self._waiting.setdefault(parcel.destination, []).append(parcel)
        self._note_queue(WAITING, parcel)
        return True

    def route_discovered(self, destination: int, found: bool) -> None:
        """A search is over: what waited for it goes out, or back to where it came from."""
        for parcel in self._waiting.pop(destination, ()):
            if found:
                self._note_queue(RELEASED, parcel)
                self.send(parcel)
                continue
            self._note_queue(DISCARDED, parcel)
            if parcel.repaired or not parcel.is_own:
                self._give_up(parcel, ROUTE_ERROR)
            else:
                self._finish(parcel, ROUTE_ERROR)

    def _note_queue(self, action: str, parcel: Parcel) -> None:
        env = self._env
        env.note(Queue, action, parcel.destination, parcel.flow)

    def _drop(self, parcel: Parcel, reason: str) -> None:
        env = self._env
        octets = sum(map(len, parcel.msdus))
        env.note(Dropped, LAYER, reason, parcel.originator, octets)
