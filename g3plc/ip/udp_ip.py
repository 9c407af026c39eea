"""UDP over IPv6 on the adaptation layer, for the one port that matters here: 4059, DLMS/COSEM.

RFC 8200, RFC 768. Peers are short addresses of the own PAN: addresses are link-local ones made of them. Neighbours:
`UdpUser` above, `sap.AdpService` below.
"""

from __future__ import annotations

from typing import Protocol

from g3plc.core.env import Env
from g3plc.core.errors import WireError
from g3plc.events import Dropped
from g3plc.sap import AdpService
from g3plc.wire import ipv6, udp

COSEM_PORT = 4059
MAX_PAYLOAD_OCTETS = ipv6.MTU_OCTETS - ipv6.HEADER_OCTETS - udp.HEADER_OCTETS


class UdpUser(Protocol):
    """What stands on UDP, as UDP sees it."""

    def datagram_indication(self, peer: int, source_port: int, payload: bytes, lqi: int, flow: int) -> None:
        """The payload of a UDP datagram for us from station `peer`."""

    def datagram_confirm(self, handle: int, status: int) -> None:
        """The first hop has acknowledged the datagram (SUCCESS), or why it could not be sent."""

    def route_discovery_confirm(self, peer: int, status: int) -> None:
        """SUCCESS, or ROUTE_ERROR."""

    def path_discovery_confirm(self, peer: int, status: int, hops: list[tuple[int, int]]) -> None:
        """The hops to `peer` and back as (address, link cost), in travelling order."""

    def route_lost_indication(self, peer: int, reason: str) -> None:
        """A route in use broke: a datagram under way to `peer` is probably lost."""


class UdpIp:
    """`sap.AdpUser`. Call `bind` before anything comes in; `short` and `pan_id` are 16 bits."""

    __slots__ = ("_address", "_adp", "_env", "_pan_id", "_short", "_user")

    def __init__(self, env: Env, adp: AdpService, short: int, pan_id: int) -> None:
        self._env = env
        self._adp = adp
        self._short = short
        self._pan_id = pan_id
        self._address = ipv6.link_local(pan_id, short)
        self._user: UdpUser

    def bind(self, user: UdpUser) -> None:
        """Make known who uses UDP."""
        self._user = user

    def datagram_request(self, peer: int, payload: bytes, handle: int, flow: int, discover_route: bool = True) -> None:
        """Send up to 1232 octets to port 4059 of station `peer`. One confirm follows. UsageError: too long."""
        destination = ipv6.link_local(self._pan_id, peer)
        datagram = udp.pack(self._address, destination, COSEM_PORT, COSEM_PORT, payload)
        packet = ipv6.pack(self._address, destination, ipv6.NEXT_HEADER_UDP, datagram)
        self._adp.adpd_data_request(packet, handle, discover_route, False, flow)

    def adpd_data_confirm(self, handle: int, status: int) -> None:
        """The packet left for the first hop and was acknowledged there, or why not."""
        self._user.datagram_confirm(handle, status)

    def adpd_data_indication(self, nsdu: bytes, lqi: int, flow: int) -> None:
        """An IPv6 packet: everything but a good datagram to our port is dropped."""
        try:
            header = ipv6.parse(nsdu)
            if header.destination != self._address and not ipv6.is_multicast(header.destination):
                raise WireError("foreign destination")
            peer = ipv6.short_of(header.source, self._pan_id)
            if peer is None or peer == self._short:
                raise WireError("foreign source")
            if header.next_header != ipv6.NEXT_HEADER_UDP:
                raise WireError("next header")
        except WireError as error:
            self._drop("ip", error.reason, len(nsdu))
            return
        try:
            datagram = udp.parse(header.source, header.destination, nsdu[ipv6.HEADER_OCTETS :])
            if datagram.destination_port != COSEM_PORT:
                raise WireError("port closed")
        except WireError as error:
            self._drop("udp", error.reason, len(nsdu), peer)
            return
        self._user.datagram_indication(peer, datagram.source_port, datagram.payload, lqi, flow)

    def adpm_route_discovery_confirm(self, destination: int, status: int) -> None:
        """SUCCESS, or ROUTE_ERROR."""
        self._user.route_discovery_confirm(destination, status)

    def adpm_path_discovery_confirm(self, destination: int, status: int, hops: list[tuple[int, int]]) -> None:
        """The hops forth and back."""
        self._user.path_discovery_confirm(destination, status, hops)

    def adpm_network_status_indication(self, destination: int, reason: str) -> None:
        """A route was lost."""
        self._user.route_lost_indication(destination, reason)

    def _drop(self, layer: str, reason: str, octets: int, peer: int = -1) -> None:
        self._env.note(Dropped, layer, reason, peer, octets)
