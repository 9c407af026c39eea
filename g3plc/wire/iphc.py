"""IPv6 header compression, IPHC, and UDP next header compression (RFC 6282), G3 profile.

G3 difference: the interface identifier that stands for a short address holds the PAN id (`ipv6.interface_id`), also
where only 16 bits or nothing of the address is sent. A UDP checksum is always sent. Of the next headers only UDP is
compressed; padding bits are ignored. Neighbours: `iphc_address` (address modes), `frag` and `lowpan` (headers in
front), `ipv6`, `udp`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import ipv6
from g3plc.wire.iphc_address import (
    DAC,
    MULTICAST,
    SAC,
    Context,
    LinkAddress,
    Option,
    destination_octets,
    destination_options,
    expand_multicast,
    expand_multicast_prefix,
    expand_unicast,
    link_iid,
    source_octets,
    source_options,
)

__all__ = ["Context", "LinkAddress", "compress", "compress_header", "decompress"]

_DISPATCH = 0x60
_NH = 0x04
_CID = 0x80
_NHC_UDP = 0xF0
_NHC_UDP_NO_CHECKSUM = 0x04
_UDP_OCTETS = 8

_HOP_LIMIT_OF_MODE = (0, 1, 64, 255)
_MODE_OF_HOP_LIMIT = {1: 1, 64: 2, 255: 3}
_TF_OCTETS = (4, 3, 1, 0)

_UDP = struct.Struct(">HHHH")
_PORTS = struct.Struct(">HH")
_PORT_8 = struct.Struct(">HB")
_8_PORT = struct.Struct(">BH")
_PORTS_OCTETS = (4, 3, 3, 1)


def _size_before_addresses(first: int) -> int:
    """Return the octets that the first IPHC octet asks for: IPHC itself, TF, next header and hop limit."""
    return 2 + _TF_OCTETS[first >> 3 & 3] + (not first & _NH) + (not first & 3)


_SIZE_BY_FIRST = tuple(_size_before_addresses(first) for first in range(256))
_SIZE_BY_MODES = tuple(source_octets(modes) + destination_octets(modes) + bool(modes & _CID) for modes in range(256))


def compress_header(
    packet: bytes,
    pan_id: int,
    source: LinkAddress,
    destination: LinkAddress,
    contexts: Mapping[int, Context] | None = None,
) -> tuple[bytes, int]:
    """Return (compressed header octets, how many octets of `packet` they stand for: 40, or 48 with UDP).

    The rest of the packet is sent as it is. `contexts` maps a context id 0..15 to its context. The header is the
    smallest that `decompress` can undo. Raises UsageError when `packet` is not one whole IPv6 packet.
    """
    try:
        header = ipv6.parse(packet)
    except WireError as error:
        raise UsageError("not an IPv6 packet") from error
    tf, traffic = _traffic(header.traffic_class, header.flow_label)
    hop_mode = _MODE_OF_HOP_LIMIT.get(header.hop_limit, 0)
    is_udp = header.next_header == ipv6.NEXT_HEADER_UDP and _is_whole_udp(packet, header.payload_length)
    (from_inline, from_modes, sci), (to_inline, to_modes, dci) = _smallest_pair(
        source_options(header.source, pan_id, source, contexts),
        destination_options(header.destination, pan_id, destination, contexts),
    )
    first = _DISPATCH | tf << 3 | hop_mode | (_NH if is_udp else 0)
    modes = from_modes | to_modes
    parts = [b"", traffic]
    if not is_udp:
        parts.append(packet[6:7])
    if not hop_mode:
        parts.append(packet[7:8])
    parts += (from_inline, to_inline)
    if sci or dci:
        modes |= _CID
        parts[0] = bytes((first, modes, sci << 4 | dci))
    else:
        parts[0] = bytes((first, modes))
    if is_udp:
        parts.append(_compress_udp(packet))
    return b"".join(parts), ipv6.HEADER_OCTETS + (_UDP_OCTETS if is_udp else 0)


def compress(
    packet: bytes,
    pan_id: int,
    source: LinkAddress,
    destination: LinkAddress,
    contexts: Mapping[int, Context] | None = None,
) -> bytes:
    """Return a whole IPv6 packet with its header compressed: `compress_header` and the rest of the packet."""
    head, taken = compress_header(packet, pan_id, source, destination, contexts)
    return head + packet[taken:]


def decompress(
    octets: bytes,
    pan_id: int,
    source: LinkAddress,
    destination: LinkAddress,
    contexts: Mapping[int, Context] | None = None,
    datagram_size: int | None = None,
) -> bytes:
    """Return the IPv6 packet that was compressed (`octets` start with the IPHC dispatch).

    In a first fragment `datagram_size` is the size that the fragment header states: the lengths in the headers come
    from it and the result is the beginning of the packet. Raises WireError: `iphc dispatch`, `iphc header` (cut off),
    `iphc reserved` (a combination without meaning), `iphc context` (unknown), `iphc link address` (elided address,
    unknown link address), `iphc next header` (not UDP), `udp checksum elided` or `iphc length` (more octets than the
    datagram has).
    """
    if not octets or octets[0] >> 5 != 3:
        raise WireError("iphc dispatch")
    size = len(octets)
    if size < 2 or size < _SIZE_BY_FIRST[octets[0]] + _SIZE_BY_MODES[octets[1]]:
        raise WireError("iphc header")
    first, modes = octets[0], octets[1]
    at = 3 if modes & _CID else 2
    cids = octets[2] if modes & _CID else 0
    word, at = _expand_traffic(octets, at, first >> 3 & 3)
    next_header = ipv6.NEXT_HEADER_UDP
    if not first & _NH:
        next_header = octets[at]
        at += 1
    hop_limit = _HOP_LIMIT_OF_MODE[first & 3]
    if not first & 3:
        hop_limit = octets[at]
        at += 1
    end = at + source_octets(modes)
    from_address = _expand_source(octets[at:end], modes, cids >> 4, contexts, pan_id, source)
    at = end + destination_octets(modes)
    to_address = _expand_destination(octets[end:at], modes, cids & 15, contexts, pan_id, destination)
    length, payload = _expand_payload(octets, at, bool(first & _NH), datagram_size)
    return ipv6.HEADER.pack(word, length, next_header, hop_limit, from_address, to_address) + payload


def _traffic(traffic_class: int, flow_label: int) -> tuple[int, bytes]:
    """Return (TF mode, inline octets); the wire has the two ECN bits in front of the six DSCP bits."""
    ecn_dscp = (traffic_class & 3) << 6 | traffic_class >> 2
    if not flow_label:
        return (2, bytes((ecn_dscp,))) if ecn_dscp else (3, b"")
    if not ecn_dscp & 0x3F:
        return 1, (ecn_dscp << 16 | flow_label).to_bytes(3, "big")
    return 0, (ecn_dscp << 24 | flow_label).to_bytes(4, "big")


def _expand_traffic(octets: bytes, at: int, mode: int) -> tuple[int, int]:
    """Return (first 32 bits of the IPv6 header, next offset)."""
    if mode == 3:
        return 6 << 28, at
    end = at + _TF_OCTETS[mode]
    ecn_dscp = octets[at]
    if mode == 1:
        ecn_dscp &= 0xC0
    word = 6 << 28 | (ecn_dscp & 0x3F) << 22 | ecn_dscp >> 6 << 20
    if mode != 2:
        word |= int.from_bytes(octets[end - 3 : end], "big") & 0xFFFFF
    return word, end


def _smallest_pair(sources: list[Option], destinations: list[Option]) -> tuple[Option, Option]:
    """Return the two options that take fewest octets together; a context id other than 0 costs one more."""
    if len(sources) == 1 and len(destinations) == 1:
        return sources[0], destinations[0]
    pairs = [(source, destination) for source in sources for destination in destinations]
    return min(pairs, key=lambda pair: len(pair[0][0]) + len(pair[1][0]) + bool(pair[0][2] or pair[1][2]))


def _context(contexts: Mapping[int, Context] | None, cid: int) -> Context:
    context = contexts.get(cid) if contexts else None
    if context is None:
        raise WireError("iphc context")
    return context


def _expand_source(
    inline: bytes,
    modes: int,
    cid: int,
    contexts: Mapping[int, Context] | None,
    pan_id: int,
    link: LinkAddress,
) -> bytes:
    mode = modes >> 4 & 3
    if not modes & SAC:
        return expand_unicast(inline, mode, None, pan_id, link_iid(link, pan_id) if mode == 3 else None)
    if not mode:
        return ipv6.UNSPECIFIED
    return expand_unicast(inline, mode, _context(contexts, cid), pan_id, link_iid(link, pan_id))


def _expand_destination(
    inline: bytes,
    modes: int,
    cid: int,
    contexts: Mapping[int, Context] | None,
    pan_id: int,
    link: LinkAddress,
) -> bytes:
    mode = modes & 3
    if not modes & DAC:
        if modes & MULTICAST:
            return expand_multicast(inline, mode)
        return expand_unicast(inline, mode, None, pan_id, link_iid(link, pan_id) if mode == 3 else None)
    if bool(modes & MULTICAST) == bool(mode):
        raise WireError("iphc reserved")
    if modes & MULTICAST:
        return expand_multicast_prefix(inline, _context(contexts, cid))
    return expand_unicast(inline, mode, _context(contexts, cid), pan_id, link_iid(link, pan_id))


def _payload_length(present: int, datagram_size: int | None) -> int:
    """Return the IPv6 payload length, given how many of its octets are present."""
    length = present if datagram_size is None else datagram_size - ipv6.HEADER_OCTETS
    if not present <= length <= 0xFFFF:
        raise WireError("iphc length")
    return length


def _expand_payload(octets: bytes, at: int, compressed: bool, datagram_size: int | None) -> tuple[int, bytes]:
    """Return (IPv6 payload length, the octets of the payload that are present)."""
    if not compressed:
        return _payload_length(len(octets) - at, datagram_size), octets[at:]
    source_port, destination_port, checksum, at = _expand_udp(octets, at)
    length = _payload_length(len(octets) - at + _UDP_OCTETS, datagram_size)
    return length, _UDP.pack(source_port, destination_port, length, checksum) + octets[at:]


def _is_whole_udp(packet: bytes, payload_length: int) -> bool:
    """Tell whether the payload is one UDP datagram whose length field can be worked out again."""
    return payload_length >= _UDP_OCTETS and packet[44] << 8 | packet[45] == payload_length


def _compress_udp(packet: bytes) -> bytes:
    source, destination = _PORTS.unpack_from(packet, ipv6.HEADER_OCTETS)
    checksum = packet[46:48]
    if source >> 4 == 0xF0B and destination >> 4 == 0xF0B:
        return bytes((_NHC_UDP | 3, (source & 15) << 4 | destination & 15)) + checksum
    if destination >> 8 == 0xF0:
        return bytes((_NHC_UDP | 1,)) + packet[40:42] + packet[43:44] + checksum
    if source >> 8 == 0xF0:
        return bytes((_NHC_UDP | 2,)) + packet[41:44] + checksum
    return bytes((_NHC_UDP,)) + packet[40:44] + checksum


def _expand_udp(octets: bytes, at: int) -> tuple[int, int, int, int]:
    """Return (source port, destination port, checksum, next offset)."""
    if at >= len(octets):
        raise WireError("iphc header")
    nhc = octets[at]
    if nhc >> 3 != _NHC_UDP >> 3:
        raise WireError("iphc next header")
    if nhc & _NHC_UDP_NO_CHECKSUM:
        raise WireError("udp checksum elided")
    mode = nhc & 3
    at += 1
    end = at + _PORTS_OCTETS[mode]
    if end + 2 > len(octets):
        raise WireError("iphc header")
    if mode == 0:
        ports = _PORTS.unpack_from(octets, at)
    elif mode == 1:
        ports = _PORT_8.unpack_from(octets, at)
        ports = (ports[0], 0xF000 | ports[1])
    elif mode == 2:
        ports = _8_PORT.unpack_from(octets, at)
        ports = (0xF000 | ports[0], ports[1])
    else:
        ports = (0xF0B0 | octets[at] >> 4, 0xF0B0 | octets[at] & 15)
    return ports[0], ports[1], octets[end] << 8 | octets[end + 1], end + 2
