"""UDP over IPv6 (RFC 768, RFC 8200 clause 8.1): header, checksum over the pseudo header, verification.

Neighbours: `cosem_wrapper` above, `ipv6` below.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

HEADER_OCTETS = 8

_HEADER = struct.Struct(">HHHH")
_PSEUDO = struct.Struct(">IxxxB")
_NEXT_HEADER = 17


@dataclass(slots=True)
class UdpDatagram:
    """Ports (16 bits) and payload of one datagram."""

    source_port: int
    destination_port: int
    payload: bytes


def checksum(source: bytes, destination: bytes, datagram: bytes) -> int:
    """Return the checksum of a datagram whose checksum field is zero, 1..0xFFFF; addresses are 16 octets."""
    total = int.from_bytes(source + destination + _PSEUDO.pack(len(datagram), _NEXT_HEADER) + datagram, "big")
    if len(datagram) & 1:
        total <<= 8
    # 2**16 is 1 modulo 0xFFFF, so the remainder is the ones' complement sum of the 16-bit words. The sum is never
    # zero (the next header is in it), so a remainder 0 means 0xFFFF, whose complement 0 is sent as 0xFFFF.
    return 0xFFFF - total % 0xFFFF


def verify(source: bytes, destination: bytes, datagram: bytes) -> bool:
    """Tell whether the checksum of a whole datagram is right. A zero checksum is wrong over IPv6."""
    if len(datagram) < HEADER_OCTETS or datagram[6:8] == b"\0\0":
        return False
    return checksum(source, destination, datagram) == 0xFFFF


def pack(source: bytes, destination: bytes, source_port: int, destination_port: int, payload: bytes) -> bytes:
    """Return the datagram with its checksum; addresses are 16 octets.

    Raises UsageError when a port or the length is out of range.
    """
    size = HEADER_OCTETS + len(payload)
    try:
        blank = _HEADER.pack(source_port, destination_port, size, 0) + payload
    except struct.error as error:
        raise UsageError("UDP port or length out of range") from error
    return _HEADER.pack(source_port, destination_port, size, checksum(source, destination, blank)) + payload


def parse(source: bytes, destination: bytes, datagram: bytes) -> UdpDatagram:
    """Return ports and payload of a datagram that came between two addresses.

    Raises WireError: `udp header` (cut off), `udp length` (not exactly the octets there) or `udp checksum`.
    """
    if len(datagram) < HEADER_OCTETS:
        raise WireError("udp header")
    source_port, destination_port, length, _ = _HEADER.unpack_from(datagram)
    if length != len(datagram):
        raise WireError("udp length")
    if not verify(source, destination, datagram):
        raise WireError("udp checksum")
    return UdpDatagram(source_port, destination_port, datagram[HEADER_OCTETS:])
