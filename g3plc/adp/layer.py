"""The adaptation layer of one station: its three faces (IP above, MAC below, LOADng beside) and what joins them.

ITU-T G.9903 9.4. Neighbours: `sap.AdpUser` above, `sap.McpsService` below, `sap.RoutingService` beside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from g3plc.adp.config import AdpConfig
from g3plc.adp.constants import GROUP_ADDRESSES, LAYER
from g3plc.adp.data_path import DataPath
from g3plc.adp.mac_port import Confirm, MacPort
from g3plc.adp.pib import AdpPib
from g3plc.adp.receiver import Receiver
from g3plc.adp.sender import Sender
from g3plc.core.env import Env
from g3plc.events import Dropped
from g3plc.sap import (
    ROUTE_ERROR,
    SUCCESS,
    AdpUser,
    McpsService,
    Neighbour,
    Route,
    RoutingService,
    RxInfo,
)
from g3plc.wire.loadng_msg import Rreq

_LOADNG = b"\x40\x01"


class Adp:
    """`sap.AdpService`, `sap.McpsUser` and `sap.RoutingUser`. Call `bind` before anything else.

    `short` and `pan_id` are 16 bits; `kept` is what an earlier life's `keep` returned, or empty.
    """

    __slots__ = (
        "_asked", "_data_path", "_env", "_mac", "_pib", "_receiver", "_routing", "_sender", "_user",
        "neighbour", "rreq_indication",
    )  # fmt: skip

    def __init__(
        self,
        env: Env,
        mac: McpsService,
        short: int,
        pan_id: int,
        config: AdpConfig,
        kept: dict[str, int] | None = None,
    ) -> None:
        kept = kept or {}
        self._env = env
        self._mac = MacPort(env, mac, config)
        self.neighbour: Callable[[int], Neighbour | None] = mac.neighbour
        """The MAC's valid neighbour-table entry of a short address, or None."""
        self._data_path = DataPath(env, self._mac, config)
        self._sender = Sender(
            self._data_path, short, pan_id, config, kept.get("broadcast_sequence", 0), kept.get("datagram_tag", 0)
        )
        self._receiver = Receiver(env, self._data_path, short, pan_id, config)
        self._pib = AdpPib(config, self._receiver.log)
        self._asked: set[int] = set()
        self._routing: RoutingService
        self.rreq_indication: Callable[[int, Rreq, RxInfo], None]
        self._user: AdpUser

    def bind(self, routing: RoutingService, user: AdpUser) -> None:
        """Make known who routes and who uses this layer."""
        self._routing = self._data_path.routing = self._pib.routing = routing
        self.rreq_indication = routing.rreq_indication
        self._user = self._data_path.user = user

    def keep(self) -> dict[str, int]:
        """What must outlive a reboot: the sequence numbers last used."""
        return {"broadcast_sequence": self._sender.broadcast_sequence, "datagram_tag": self._sender.datagram_tag}

    # sap.AdpService

    def adpd_data_request(self, nsdu: bytes, handle: int, discover_route: bool, high_priority: bool, flow: int) -> None:
        """Send an IPv6 packet of up to 1280 octets; `handle` is not negative. One confirm follows for each request."""
        self._sender.send(nsdu, handle, discover_route, high_priority, flow)

    def adpm_route_discovery_request(self, destination: int, max_hops: int) -> None:
        """Look for a route to `destination`, known or not. One confirm follows for all who ask meanwhile."""
        self._asked.add(destination)
        self._routing.discover(destination, max_hops)

    def adpm_path_discovery_request(self, destination: int) -> None:
        """Ask every hop on the way to `destination` and back for its link cost. One confirm follows."""
        self._routing.discover_path(destination)

    def adpm_get(self, attribute: int, index: int = 0) -> Any:
        """The PIB attribute's value. UsageError: unknown attribute or row."""
        return self._pib.get(attribute, index)

    def adpm_set(self, attribute: int, value: Any, index: int = 0) -> None:
        """Set a PIB attribute. UsageError: unknown, read-only, or value out of range."""
        self._pib.set(attribute, value, index)

    def route(self, destination: int) -> Route | None:
        """The valid bidirectional route to `destination`, or None."""
        return self._routing.route(destination)

    def routes(self) -> list[Route]:
        """All valid bidirectional routes, by destination."""
        return self._routing.routes()

    # sap.McpsUser

    def mcps_data_confirm(self, handle: int, status: int) -> None:
        """The MAC is done with a request."""
        self._mac.confirmed(handle, status)

    def mcps_data_indication(self, src: int, dst: int, msdu: bytes, rx: RxInfo) -> None:
        """An MSDU from neighbour `src`. Any octets are allowed."""
        if src >= GROUP_ADDRESSES:
            self._env.note(Dropped, LAYER, "source address", src, len(msdu))
        elif msdu[:2] == _LOADNG:
            self._routing.message_indication(src, msdu, rx)
        else:
            self._receiver.received(src, dst, msdu, rx)

    # sap.RoutingUser

    def send_message(self, dst: int, msdu: bytes, high_priority: bool, flow: int, confirm: Confirm, arg: Any) -> None:
        """Send a LOADng message; `confirm(arg, status)` follows."""
        self._mac.send(dst, msdu, high_priority, flow, confirm, arg)

    def route_discovered(self, destination: int, found: bool) -> None:
        """LOADng ended a search."""
        self._data_path.route_discovered(destination, found)
        if destination in self._asked:
            self._asked.discard(destination)
            self._user.adpm_route_discovery_confirm(destination, SUCCESS if found else ROUTE_ERROR)

    def path_discovered(self, destination: int, status: int, hops: list[tuple[int, int]]) -> None:
        """LOADng ended a path discovery."""
        self._user.adpm_path_discovery_confirm(destination, status, hops)

    def route_error(self, destination: int, reason: str) -> None:
        """An RERR for us came in."""
        self._user.adpm_network_status_indication(destination, reason)
