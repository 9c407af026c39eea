"""The boundaries between the layers: pairs of a Service (offered downwards) and a User (called upwards).

Primitives carry the standard's names. A request returns nothing and is never answered from within: its confirm
comes on a later tick of the clock. `flow` is the observers' tag of `core.flow`: copied, never read.
Short addresses are integers, 0xFFFF is everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from g3plc.core.env import Env
from g3plc.wire.loadng_msg import Rreq
from g3plc.wire.mac_frame import MacFrame

BROADCAST = 0xFFFF

# MAC statuses (G.9903 9.3; values of the standard)
SUCCESS = 0x00
CHANNEL_ACCESS_FAILURE = 0xE1
DENIED = 0xE2
SECURITY_ERROR = 0xE4
FRAME_TOO_LONG = 0xE5
INVALID_PARAMETER = 0xE8
NO_ACK = 0xE9
TRANSACTION_EXPIRED = 0xF0
TRANSACTION_OVERFLOW = 0xF1
# ADP statuses
INVALID_IPV6_FRAME = 0x80
INVALID_HOPS = 0x82
ROUTE_ERROR = 0x83
INVALID_REQUEST = 0x86
UNSUPPORTED_ATTRIBUTE = 0x87
READ_ONLY = 0x88
ABORTED = 0x89

STATUS_NAMES: dict[int, str] = {
    SUCCESS: "success",
    CHANNEL_ACCESS_FAILURE: "channel access failure",
    DENIED: "denied",
    SECURITY_ERROR: "security error",
    FRAME_TOO_LONG: "frame too long",
    INVALID_PARAMETER: "invalid parameter",
    NO_ACK: "no ack",
    TRANSACTION_EXPIRED: "transaction expired",
    TRANSACTION_OVERFLOW: "transaction overflow",
    INVALID_IPV6_FRAME: "invalid IPv6 frame",
    INVALID_HOPS: "invalid hops",
    ROUTE_ERROR: "route error",
    INVALID_REQUEST: "invalid request",
    UNSUPPORTED_ATTRIBUTE: "unsupported attribute",
    READ_ONLY: "read only",
    ABORTED: "aborted",
}

# delimiter types of the frame control header
DT_SOF = 0
DT_SOF_ACK = 1
DT_ACK = 2
DT_NACK = 3

# what a station learnt of the channel when the energy of a foreign transmission ended
HEADER_SOF = 0
"""A frame for others that wants no ACK."""
HEADER_SOF_ACK = 1
"""A frame for others that wants an ACK."""
HEADER_LOST = 2
"""Energy whose header could not be decoded."""
HEADER_IGNORED = 3
"""Energy beside a captured frame: it says nothing beyond its own end."""
HEADER_FAULT = 4
"""The pair is made unable to decode each other: busy to the end, then CIFS."""
HEADER_ACK = 5
"""An ACK or NACK for others after which no more is to follow."""


class Spectrum(Protocol):
    """How a receiver hears a sender, carrier by carrier."""

    @property
    def groups_cb(self) -> Sequence[int]:
        """The SNR of each of the six tone-map groups in 1/100 dB, lowest carriers first."""


class RxInfo:
    """What the PHY knows of a received frame.

    `lqi` 0..255; `src` and `flow` tell observers whose transmission it was, whatever its octets say. It is good until
    the indication returns, for the next receiver of the same frame is told with the same object: who needs it for
    longer takes a `copy`.

    What the first receiver of a broadcast has decoded is there for all: `frame`, if it is a whole data frame for all,
    in the clear, from a short address, as most broadcasts are; `rreq`, if that holds one.
    """

    __slots__ = ("dt", "flow", "frame", "lqi", "modulation", "rreq", "spectrum", "src", "tone_map")

    def __init__(
        self,
        src: int,
        dt: int,
        modulation: int,
        tone_map: int,
        lqi: int,
        spectrum: Spectrum,
        flow: int,
    ) -> None:
        self.src = src
        self.dt = dt
        self.modulation = modulation
        self.tone_map = tone_map
        self.lqi = lqi
        self.spectrum = spectrum
        self.flow = flow
        self.frame: MacFrame | None = None
        self.rreq: Rreq | None = None

    def copy(self) -> RxInfo:
        """The same, to keep."""
        return RxInfo(self.src, self.dt, self.modulation, self.tone_map, self.lqi, self.spectrum, self.flow)


class PhyService(Protocol):
    """The PHY as the MAC sees it (PD and PLME SAPs).

    `attentive` is the MAC's to set: whether it has a frame in hand, so that all that happens on the channel matters at
    once. While it has none, the PHY may keep back what two other stations say to each other until `plme_recall`.
    """

    attentive: bool

    def pd_data_request(
        self,
        psdu: bytes,
        modulation: int,
        tone_map: int,
        ack_wanted: bool,
        dst: int,
        attempt: int,
        flow: int,
    ) -> None:
        """Send `psdu` (padded to the capacity of its symbols) now, whatever the channel does.

        `dst` is the next hop's short address and, like `attempt` and `flow`, for observers only.
        """

    def pd_ack_request(self, positive: bool, fcs: int, ssca: int, dst: int, flow: int) -> None:
        """Send an ACK or NACK for the frame with this FCS now. `ssca` 1: more segments are expected."""

    def plme_busy(self) -> bool:
        """Carrier sense: energy that started at least one slot ago, or our own transmission, is on the channel."""

    def plme_announce(self, start_us: int) -> None:
        """A slot was drawn: a data frame is meant to start then. It replaces what was announced before.

        For media that settle the access to the channel ahead of time; elsewhere it means nothing.
        """

    def plme_withdraw(self) -> None:
        """The slot was busy: what was announced will not start."""

    def plme_recall(self) -> tuple[int, int] | None:
        """What others said to each other last, if it was kept back: (`HEADER_*`, when it ended in microseconds)."""

    @property
    def frame_number(self) -> int:
        """Number of the last transmission asked for, for observers' events."""


class PhyUser(Protocol):
    """The MAC as the PHY sees it.

    For each foreign transmission in earshot exactly one of the last four is called, at the end of its energy, but for
    those that the PHY may keep back.
    """

    def pd_data_confirm(self) -> None:
        """Our data frame's transmission has ended (not called for ACK and NACK)."""

    def pd_data_indication(self, psdu: bytes, rx: RxInfo) -> None:
        """A frame for us or for all; its FCS is good unless the sender made it bad."""

    def pd_payload_lost_indication(self, fcs: int, ack_wanted: bool, sender: int, flow: int) -> None:
        """A frame for us whose header was good and whose payload was not; answer with a NACK if one is wanted."""

    def pd_ack_indication(self, positive: bool, fcs: int, ssca: int) -> None:
        """An ACK or NACK was heard, ours or not: the FCS tells."""

    def pd_channel_indication(self, header: int) -> None:
        """Energy that is not for us has ended; `header` is one of the HEADER constants."""


class Neighbour(Protocol):
    """What the MAC knows of a neighbour with a tone-map response."""

    short: int
    modulation: int
    tone_map: int
    reverse_lqi: int


class McpsService(Protocol):
    """The MAC as the adaptation layer sees it (MCPS and MLME SAPs)."""

    def mcps_data_request(self, dst: int, msdu: bytes, handle: int, ack: bool, high_priority: bool, flow: int) -> None:
        """Queue `msdu` (1..400 octets) for `dst` (short address). One confirm follows for each request."""

    def mlme_get(self, attribute: int, index: int | None = 0) -> Any:
        """The PIB attribute's value; of a table the row with `index`, or all rows with None.

        UsageError: unknown attribute or row.
        """

    def mlme_set(self, attribute: int, value: Any, index: int = 0) -> None:
        """Set a PIB attribute. UsageError: unknown, read-only, or value out of range."""

    def neighbour(self, short: int) -> Neighbour | None:
        """The valid neighbour-table entry of `short`, or None."""


class McpsUser(Protocol):
    """The adaptation layer as the MAC sees it."""

    @property
    def rreq_indication(self) -> Callable[[int, Rreq, RxInfo], None]:
        """In place of `mcps_data_indication`, when another receiver of a broadcast has found that it holds an RREQ.

        It is called with the neighbour, `rx.rreq` and `rx`.
        """

    def mcps_data_confirm(self, handle: int, status: int) -> None:
        """The request of this handle is done: SUCCESS, NO_ACK, CHANNEL_ACCESS_FAILURE, TRANSACTION_OVERFLOW, ..."""

    def mcps_data_indication(self, src: int, dst: int, msdu: bytes, rx: RxInfo) -> None:
        """An MSDU from neighbour `src`, sent to us or (`dst` 0xFFFF) to all."""


class Route:
    """A usable route, as told to applications."""

    __slots__ = ("cost", "destination", "hop_count", "next_hop", "valid_until_us", "weak_links")

    def __init__(
        self, destination: int, next_hop: int, cost: int, hop_count: int, weak_links: int, valid_until_us: int
    ) -> None:
        self.destination = destination
        self.next_hop = next_hop
        self.cost = cost
        self.hop_count = hop_count
        self.weak_links = weak_links
        self.valid_until_us = valid_until_us


class AdpService(Protocol):
    """The adaptation layer as IP sees it (ADPD and ADPM SAPs)."""

    def adpd_data_request(self, nsdu: bytes, handle: int, discover_route: bool, high_priority: bool, flow: int) -> None:
        """Send an IPv6 packet of up to 1280 octets. One confirm follows for each request."""

    def adpm_route_discovery_request(self, destination: int, max_hops: int) -> None:
        """Look for a route to `destination`, known or not. One confirm follows."""

    def adpm_path_discovery_request(self, destination: int) -> None:
        """Ask every hop on the way to `destination` and back for its link cost. One confirm follows."""

    def adpm_get(self, attribute: int, index: int = 0) -> Any:
        """The PIB attribute's value. UsageError: unknown attribute or row."""

    def adpm_set(self, attribute: int, value: Any, index: int = 0) -> None:
        """Set a PIB attribute. UsageError: unknown, read-only, or value out of range."""

    def route(self, destination: int) -> Route | None:
        """The valid bidirectional route to `destination`, or None."""

    def routes(self) -> list[Route]:
        """All valid bidirectional routes, by destination."""


class AdpUser(Protocol):
    """IP as the adaptation layer sees it."""

    def adpd_data_confirm(self, handle: int, status: int) -> None:
        """The packet left for the first hop and was acknowledged there (SUCCESS), or why it did not."""

    def adpd_data_indication(self, nsdu: bytes, lqi: int, flow: int) -> None:
        """An IPv6 packet for us."""

    def adpm_route_discovery_confirm(self, destination: int, status: int) -> None:
        """SUCCESS, or ROUTE_ERROR."""

    def adpm_path_discovery_confirm(self, destination: int, status: int, hops: list[tuple[int, int]]) -> None:
        """The hops forth and back as (address, link cost), in travelling order."""

    def adpm_network_status_indication(self, destination: int, reason: str) -> None:
        """The route to `destination` was lost: an RERR came in, or our own next hop does not answer."""


class CosemPort(Protocol):
    """A station's stack as its application sees it: APDUs in the COSEM wrapper over UDP port 4059, and routes."""

    env: Env

    def send(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes, session: int = 0) -> int:
        """Send an APDU to station `peer`, discovering a route if need be. The handle comes back in `sent`."""

    def discover(self, peer: int) -> None:
        """Look for a route to `peer`; `discovered` follows."""

    def trace_path(self, peer: int) -> None:
        """Path discovery to `peer`; `path_traced` follows."""

    def route(self, peer: int) -> Route | None:
        """The valid route to `peer`, or None."""

    def routes(self) -> list[Route]:
        """All valid routes, by destination."""

    def mac_get(self, attribute: int, index: int | None = 0) -> Any:
        """A MAC PIB attribute, by id; of a table one row, or all with None."""

    def adp_get(self, attribute: int, index: int = 0) -> Any:
        """An ADP PIB attribute, by id."""


class CosemUser(Protocol):
    """An application on a station. Built by a factory when the station is switched on, dropped when it is off."""

    def start(self) -> None:
        """The station is up and joined."""

    def received(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes, flow: int) -> None:
        """An APDU came in from station `peer`."""

    def sent(self, handle: int, status: int) -> None:
        """The first hop has acknowledged the datagram (SUCCESS), or why it could not be sent."""

    def discovered(self, peer: int, status: int) -> None:
        """Outcome of `discover`."""

    def path_traced(self, peer: int, status: int, hops: list[tuple[int, int]]) -> None:
        """Outcome of `trace_path`."""

    def route_lost(self, peer: int, reason: str) -> None:
        """A route in use broke: a datagram under way to `peer` is probably lost."""


class RoutingService(Protocol):
    """LOADng as the adaptation layer sees it. Short addresses only; no call answers from within."""

    @property
    def max_hops(self) -> int:
        """adpMaxHops, 1..15."""

    @property
    def local_repair(self) -> bool:
        """A station whose next hop does not answer looks for another route before it gives up."""

    rreq_indication: Callable[[int, Rreq, RxInfo], None]
    """An RREQ from a neighbour that another receiver of the same frame has decoded: `rx.rreq`."""

    def message_indication(self, src: int, msdu: bytes, rx: RxInfo) -> None:
        """A LOADng message (ESC header 40 01 first) from neighbour `src`. Any octets are allowed."""

    def next_hop(self, destination: int) -> int | None:
        """The next hop of the valid bidirectional route to `destination`, or None."""

    def route(self, destination: int) -> Route | None:
        """The valid bidirectional route to `destination`, or None."""

    def routes(self) -> list[Route]:
        """All valid bidirectional routes, by destination."""

    def discover(self, destination: int, max_hops: int) -> None:
        """Look for a route; `route_discovered` follows, once for all who ask while the search lasts."""

    def repair(self, destination: int, next_hop: int, max_hops: int) -> None:
        """Look for a route in place of a broken one through `next_hop`; `route_discovered` follows."""

    def discover_path(self, destination: int) -> None:
        """Ask all hops to `destination` and back for their link costs; `path_discovered` follows."""

    def data_delivered(self, originator: int, destination: int, next_hop: int) -> None:
        """`next_hop` acknowledged a datagram on its way from `originator` to `destination`."""

    def link_failed(self, destination: int, next_hop: int, unanswered: bool) -> None:
        """A datagram to `destination` did not reach `next_hop`; `unanswered`: sent, and never acknowledged."""

    def forget(self, destination: int, reason: str) -> None:
        """Delete the route to `destination`."""

    def report_error(self, originator: int, unreachable: int, error_code: int, previous_hop: int) -> None:
        """Tell `originator` (RERR) that its datagram to `unreachable` goes no further.

        Without a route to it the message goes to the neighbour that handed the datagram over.
        """

    def forwarding_delay_us(self, lqi: int) -> int:
        """How long to wait before repeating a broadcast heard with `lqi`."""

    def parameter(self, name: str) -> int:
        """A routing parameter of the ADP PIB. UsageError: unknown."""

    def set_parameter(self, name: str, value: int) -> None:
        """Set a routing parameter. UsageError: unknown."""

    def rows(self, table: str) -> list[tuple[int, ...]]:
        """The rows of `routing_table`, `blacklist` or `destination_addresses`. UsageError: unknown."""

    def set_destination_addresses(self, addresses: Sequence[int]) -> None:
        """Answer route requests for these short addresses too."""


class RoutingUser(Protocol):
    """The adaptation layer as LOADng sees it."""

    def send_message(
        self, dst: int, msdu: bytes, high_priority: bool, flow: int, confirm: Callable[[Any, int], None], arg: Any
    ) -> None:
        """Send a LOADng message to a neighbour or all; `confirm(arg, status)` follows from the MAC, later."""

    def neighbour(self, short: int) -> Neighbour | None:
        """The valid neighbour-table entry of `short`, or None."""

    def route_discovered(self, destination: int, found: bool) -> None:
        """A search is over."""

    def path_discovered(self, destination: int, status: int, hops: list[tuple[int, int]]) -> None:
        """A path discovery is over: (address, link cost) in travelling order."""

    def route_error(self, destination: int, reason: str) -> None:
        """A station on the way says that datagrams of ours to `destination` go no further."""
