"""LOADng messages (ITU-T G.9903 Annex D), with the ESC header 40 01 that carries them.

Fields are big-endian; reserved bits are sent as zero and ignored. RREP_ACK exists only in draft-clausen-lln-loadng-15:
for a network run with that parameter profile it travels in the same carrier as message type 3, and RREP then uses flag
bit 0x4 as `ack_required`. Neighbours: `lowpan` (headers around), `g3plc.loadng` (what the messages do).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

TYPE_RREQ = 0
TYPE_RREP = 1
TYPE_RERR = 2
TYPE_RREP_ACK = 3
TYPE_PREQ = 252
TYPE_PREP = 253
TYPE_RLCREQ = 254
TYPE_RLCREP = 255

ERROR_NO_AVAILABLE_ROUTE = 0
ERROR_HOP_LIMIT_EXCEEDED = 1

METRIC_HOP_COUNT = 0x0
METRIC_CAPACITY = 0xE
METRIC_COMPOSITE = 0xF

MAX_HOP_COUNT = 15

_PREFIX = 0x4001
_HEADER_OCTETS = 3

_ROUTE = struct.Struct(">HBHHHBHBB")
_RERR = struct.Struct(">HBHHBHB")
_RREP_ACK = struct.Struct(">HBHHH")
_PREQ = struct.Struct(">HBHHB3x")
_PREP = struct.Struct(">HBHHBxH")
_HOP = struct.Struct(">HBB")
_RLCREQ = struct.Struct(">HBHHB")
_RLCREP = struct.Struct(">HBHHBB")


def _pack(layout: struct.Struct, message_type: int, *fields: int) -> bytes:
    try:
        return layout.pack(_PREFIX, message_type, *fields)
    except struct.error as error:
        raise UsageError("LOADng field out of range") from error


@dataclass(slots=True)
class Rreq:
    """Route request: `originator` looks for `destination` (short addresses).

    `sequence_number` and `route_cost` are 16 bits; `metric_type`, `hop_limit`, `hop_count`, `weak_link_count` 4 bits.
    """

    destination: int
    originator: int
    sequence_number: int
    metric_type: int
    route_cost: int
    hop_limit: int
    hop_count: int = 0
    weak_link_count: int = 0
    route_repair: bool = False
    unicast: bool = False

    def encode(self) -> bytes:
        """Return the 14 octets, ESC header included. Raises UsageError when a field is out of range."""
        if (self.metric_type | self.hop_limit | self.hop_count | self.weak_link_count) >> 4:
            raise UsageError("LOADng field out of range")
        return _pack(
            _ROUTE,
            TYPE_RREQ,
            self.destination,
            self.originator,
            self.sequence_number,
            self.route_repair << 7 | self.unicast << 6 | self.metric_type,
            self.route_cost,
            self.hop_limit << 4 | self.hop_count,
            self.weak_link_count << 4,
        )

    def forwarded(
        self, metric_type: int, route_cost: int, hop_limit: int, hop_count: int, weak_link_count: int
    ) -> Rreq:
        """Return a copy with the fields that change from hop to hop replaced."""
        return Rreq(
            self.destination,
            self.originator,
            self.sequence_number,
            metric_type,
            route_cost,
            hop_limit,
            hop_count,
            weak_link_count,
            self.route_repair,
            self.unicast,
        )


@dataclass(slots=True)
class Rrep:
    """Route reply: `originator` is the node that was looked for, `destination` the originator of the request.

    Sizes as in `Rreq`. `ack_required` belongs to the draft-15 profile only.
    """

    destination: int
    originator: int
    sequence_number: int
    metric_type: int
    route_cost: int
    hop_limit: int
    hop_count: int = 0
    weak_link_count: int = 0
    route_repair: bool = False
    ack_required: bool = False

    def encode(self) -> bytes:
        """Return the 14 octets, ESC header included. Raises UsageError when a field is out of range."""
        if (self.metric_type | self.hop_limit | self.hop_count | self.weak_link_count) >> 4:
            raise UsageError("LOADng field out of range")
        return _pack(
            _ROUTE,
            TYPE_RREP,
            self.destination,
            self.originator,
            self.sequence_number,
            self.route_repair << 7 | self.ack_required << 6 | self.metric_type,
            self.route_cost,
            self.hop_limit << 4 | self.hop_count,
            self.weak_link_count << 4,
        )

    def forwarded(
        self,
        metric_type: int,
        route_cost: int,
        hop_limit: int,
        hop_count: int,
        weak_link_count: int,
        ack_required: bool = False,
    ) -> Rrep:
        """Return a copy with the fields that change from hop to hop replaced (`ack_required` is set by each hop)."""
        return Rrep(
            self.destination,
            self.originator,
            self.sequence_number,
            metric_type,
            route_cost,
            hop_limit,
            hop_count,
            weak_link_count,
            self.route_repair,
            ack_required,
        )


@dataclass(slots=True)
class Rerr:
    """Route error: `originator` tells `destination` that `unreachable` cannot be reached; `error_code` 8 bits."""

    destination: int
    originator: int
    error_code: int
    unreachable: int
    hop_limit: int

    def encode(self) -> bytes:
        """Return the 11 octets, ESC header included. Raises UsageError when a field is out of range."""
        if self.hop_limit >> 4:
            raise UsageError("LOADng field out of range")
        return _pack(
            _RERR,
            TYPE_RERR,
            self.destination,
            self.originator,
            self.error_code,
            self.unreachable,
            self.hop_limit << 4,
        )

    def forwarded(self, hop_limit: int) -> Rerr:
        """Return a copy with another hop limit."""
        return Rerr(self.destination, self.originator, self.error_code, self.unreachable, hop_limit)


@dataclass(slots=True)
class RrepAck:
    """Route reply acknowledgement (draft-15 profile only), one hop.

    `destination` is the originator of the acknowledged RREP, `sequence_number` its number, `originator` the sender of
    this message.
    """

    destination: int
    originator: int
    sequence_number: int

    def encode(self) -> bytes:
        """Return the 9 octets, ESC header included. Raises UsageError when a field is out of range."""
        return _pack(_RREP_ACK, TYPE_RREP_ACK, self.destination, self.originator, self.sequence_number)


@dataclass(slots=True)
class Hop:
    """One station of a path: short address, flags (0x80 = metric not supported) and link cost, 8 bits each."""

    address: int
    flags: int
    link_cost: int


def _encode_path(head: bytes, hops: tuple[Hop, ...]) -> bytes:
    try:
        return head + b"".join([_HOP.pack(hop.address, hop.flags, hop.link_cost) for hop in hops])
    except struct.error as error:
        raise UsageError("LOADng field out of range") from error


def _decode_path(octets: bytes, at: int) -> tuple[Hop, ...]:
    return tuple([Hop(*fields) for fields in _HOP.iter_unpack(octets[at:])])


@dataclass(slots=True)
class Preq:
    """Path request from `originator` to `destination`; each station on the way appends a `Hop`."""

    destination: int
    originator: int
    metric_type: int
    hops: tuple[Hop, ...] = ()

    def encode(self) -> bytes:
        """Return 11 octets plus 4 per hop, ESC header included. Raises UsageError when a field is out of range."""
        if self.metric_type >> 4:
            raise UsageError("LOADng field out of range")
        head = _pack(_PREQ, TYPE_PREQ, self.destination, self.originator, self.metric_type << 4)
        return _encode_path(head, self.hops)

    def appended(self, hop: Hop) -> Preq:
        """Return a copy with one hop more at the end."""
        return Preq(self.destination, self.originator, self.metric_type, (*self.hops, hop))


@dataclass(slots=True)
class Prep:
    """Path reply on its way back to `destination`, the originator of the request.

    `expected_originator` is the destination of the request, `originator` the station that answers.
    """

    destination: int
    expected_originator: int
    metric_type: int
    originator: int
    hops: tuple[Hop, ...] = ()

    def encode(self) -> bytes:
        """Return 11 octets plus 4 per hop, ESC header included. Raises UsageError when a field is out of range."""
        if self.metric_type >> 4:
            raise UsageError("LOADng field out of range")
        head = _pack(
            _PREP,
            TYPE_PREP,
            self.destination,
            self.expected_originator,
            self.metric_type << 4,
            self.originator,
        )
        return _encode_path(head, self.hops)

    def appended(self, hop: Hop) -> Prep:
        """Return a copy with one hop more at the end."""
        return Prep(self.destination, self.expected_originator, self.metric_type, self.originator, (*self.hops, hop))


@dataclass(slots=True)
class RlcReq:
    """Reverse link cost request to a neighbour."""

    destination: int
    originator: int
    metric_type: int

    def encode(self) -> bytes:
        """Return the 8 octets, ESC header included. Raises UsageError when a field is out of range."""
        if self.metric_type >> 4:
            raise UsageError("LOADng field out of range")
        return _pack(_RLCREQ, TYPE_RLCREQ, self.destination, self.originator, self.metric_type << 4)


@dataclass(slots=True)
class RlcRep:
    """Reverse link cost reply: `link_cost` 0..255 of the direction from the asker to `originator`."""

    destination: int
    originator: int
    metric_type: int
    link_cost: int

    def encode(self) -> bytes:
        """Return the 9 octets, ESC header included. Raises UsageError when a field is out of range."""
        if self.metric_type >> 4:
            raise UsageError("LOADng field out of range")
        return _pack(_RLCREP, TYPE_RLCREP, self.destination, self.originator, self.metric_type << 4, self.link_cost)


Message = Rreq | Rrep | Rerr | RrepAck | Preq | Prep | RlcReq | RlcRep


def decode(octets: bytes) -> Message:
    """Return the message in `octets` (ESC header 40 01 first, nothing after it).

    Raises WireError: `loadng header` (not 40 01, or cut off), `loadng type` or `loadng length`.
    """
    if len(octets) < _HEADER_OCTETS or octets[0] != 0x40 or octets[1] != 0x01:
        raise WireError("loadng header")
    entry = _DECODERS.get(octets[2])
    if entry is None:
        raise WireError("loadng type")
    size, tail, decoder = entry
    extra = len(octets) - size
    if extra and (extra < 0 or not tail or extra % tail):
        raise WireError("loadng length")
    return decoder(octets)


def _route_fields(octets: bytes) -> tuple[int, int, int, int, int, int, int, int, bool, bool]:
    """Return the fields in the order in which `Rreq` and `Rrep` take them."""
    _, _, destination, originator, number, first, cost, hops, weak = _ROUTE.unpack(octets)
    repair, second_flag = first & 0x80 != 0, first & 0x40 != 0
    return destination, originator, number, first & 15, cost, hops >> 4, hops & 15, weak >> 4, repair, second_flag


def _decode_rreq(octets: bytes) -> Rreq:
    return Rreq(*_route_fields(octets))


def _decode_rrep(octets: bytes) -> Rrep:
    return Rrep(*_route_fields(octets))


def _decode_rerr(octets: bytes) -> Rerr:
    _, _, destination, originator, error_code, unreachable, hops = _RERR.unpack(octets)
    return Rerr(destination, originator, error_code, unreachable, hops >> 4)


def _decode_rrep_ack(octets: bytes) -> RrepAck:
    return RrepAck(*_RREP_ACK.unpack(octets)[2:])


def _decode_preq(octets: bytes) -> Preq:
    _, _, destination, originator, metric = _PREQ.unpack_from(octets)
    return Preq(destination, originator, metric >> 4, _decode_path(octets, _PREQ.size))


def _decode_prep(octets: bytes) -> Prep:
    _, _, destination, expected, metric, originator = _PREP.unpack_from(octets)
    return Prep(destination, expected, metric >> 4, originator, _decode_path(octets, _PREP.size))


def _decode_rlcreq(octets: bytes) -> RlcReq:
    _, _, destination, originator, metric = _RLCREQ.unpack(octets)
    return RlcReq(destination, originator, metric >> 4)


def _decode_rlcrep(octets: bytes) -> RlcRep:
    _, _, destination, originator, metric, cost = _RLCREP.unpack(octets)
    return RlcRep(destination, originator, metric >> 4, cost)


# type -> (fixed size, size of a repeated tail entry or 0, decoder)
_DECODERS: dict[int, tuple[int, int, Callable[[bytes], Message]]] = {
    TYPE_RREQ: (_ROUTE.size, 0, _decode_rreq),
    TYPE_RREP: (_ROUTE.size, 0, _decode_rrep),
    TYPE_RERR: (_RERR.size, 0, _decode_rerr),
    TYPE_RREP_ACK: (_RREP_ACK.size, 0, _decode_rrep_ack),
    TYPE_PREQ: (_PREQ.size, _HOP.size, _decode_preq),
    TYPE_PREP: (_PREP.size, _HOP.size, _decode_prep),
    TYPE_RLCREQ: (_RLCREQ.size, 0, _decode_rlcreq),
    TYPE_RLCREP: (_RLCREP.size, 0, _decode_rlcrep),
}
