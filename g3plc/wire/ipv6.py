"""IPv6 header (RFC 8200) and the G3 mapping between short addresses and interface identifiers.

Interface identifier: PAN id with the bits of 0x0300 cleared (the universal/local and group bits), 00FF, FE00, short
address (ITU-T G.9903 9.4). Multicast addresses map to short addresses 0x8000..0x9FFF (RFC 4944 clause 9).
Addresses are 16 octets. Neighbours: `udp` above, `iphc` below.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

HEADER_OCTETS = 40
NEXT_HEADER_UDP = 17
MTU_OCTETS = 1280

UNSPECIFIED = bytes(16)
LINK_LOCAL_PREFIX = b"\xfe\x80\0\0\0\0\0\0"
ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"

PAN_MASK = 0xFCFF

HEADER = struct.Struct(">IHBB16s16s")
"""First 32 bits (version, traffic class, flow label), payload length, next header, hop limit, two addresses."""
_ADDRESS = struct.Struct(">8sHIH")
_INTERFACE_ID = struct.Struct(">HIH")
_MIDDLE = 0x00FFFE00


@dataclass(slots=True)
class Ipv6Header:
    """The fixed IPv6 header. Traffic class 8 bits, flow label 20 bits, addresses 16 octets."""

    traffic_class: int
    flow_label: int
    payload_length: int
    next_header: int
    hop_limit: int
    source: bytes
    destination: bytes


def pack(
    source: bytes,
    destination: bytes,
    next_header: int,
    payload: bytes,
    hop_limit: int = 64,
    traffic_class: int = 0,
    flow_label: int = 0,
) -> bytes:
    """Return a whole IPv6 packet. Raises UsageError when a field is out of range or an address is not 16 octets."""
    if len(source) != 16 or len(destination) != 16 or flow_label >> 20 or traffic_class >> 8:
        raise UsageError("IPv6 field out of range")
    first = 6 << 28 | traffic_class << 20 | flow_label
    try:
        return HEADER.pack(first, len(payload), next_header, hop_limit, source, destination) + payload
    except struct.error as error:
        raise UsageError("IPv6 field out of range") from error


def parse(packet: bytes) -> Ipv6Header:
    """Return the header of a whole packet; the payload is `packet[40:]`.

    Raises WireError: `ipv6 header` (cut off), `ipv6 version` or `ipv6 length` (not exactly the payload length).
    """
    if len(packet) < HEADER_OCTETS:
        raise WireError("ipv6 header")
    first, length, next_header, hop_limit, source, destination = HEADER.unpack_from(packet)
    if first >> 28 != 6:
        raise WireError("ipv6 version")
    if length != len(packet) - HEADER_OCTETS:
        raise WireError("ipv6 length")
    return Ipv6Header(first >> 20 & 0xFF, first & 0xFFFFF, length, next_header, hop_limit, source, destination)


def interface_id(pan_id: int, short: int) -> bytes:
    """Return the 8 octets of the interface identifier of a short address in a PAN (both 16 bits)."""
    return _INTERFACE_ID.pack(pan_id & PAN_MASK, _MIDDLE, short)


def link_local(pan_id: int, short: int) -> bytes:
    """Return the link-local address of a short address in a PAN (both 16 bits): fe80::<PAN>:00ff:fe00:<short>."""
    return _ADDRESS.pack(LINK_LOCAL_PREFIX, pan_id & PAN_MASK, _MIDDLE, short)


def short_of(address: bytes, pan_id: int, prefix: bytes = LINK_LOCAL_PREFIX) -> int | None:
    """Return the short address that a 16-octet IPv6 address stands for in this PAN and 8-octet prefix, else None."""
    if len(address) != 16:
        return None
    found, pan, middle, short = _ADDRESS.unpack(address)
    if found != prefix or pan != pan_id & PAN_MASK or middle != _MIDDLE:
        return None
    return int(short)


def is_multicast(address: bytes) -> bool:
    """Tell whether a 16-octet address is a multicast address (ff00::/8)."""
    return address[0] == 0xFF


def multicast_short(address: bytes) -> int:
    """Return the short address of a multicast address: 0x8000 plus its low 13 bits (ff02::1 -> 0x8001)."""
    return 0x8000 | (address[14] << 8 | address[15]) & 0x1FFF
