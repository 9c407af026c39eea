"""COSEM wrapper: the 8-octet header between UDP and an APDU (IEC 62056-4-7). Big-endian throughout."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

VERSION = 0x0001
HEADER_OCTETS = 8
UDP_PORT = 4059
UDP_PORT_COMPRESSED = 61616

WPORT_NO_STATION = 0x0000
WPORT_MANAGEMENT = 0x0001
WPORT_PUBLIC_CLIENT = 0x0010
WPORT_ALL_STATION = 0x007F

_HEADER = struct.Struct(">HHHH")


@dataclass(slots=True)
class Wpdu:
    """Wrapper protocol data unit: source and destination wrapper port (16 bits), APDU of at most 65535 octets."""

    source_wport: int
    destination_wport: int
    apdu: bytes

    def encode(self) -> bytes:
        """Return header and APDU. Raises UsageError when a port or the length is out of range."""
        try:
            header = _HEADER.pack(VERSION, self.source_wport, self.destination_wport, len(self.apdu))
        except struct.error as error:
            raise UsageError("wrapper port or length out of range") from error
        return header + self.apdu


def decode(octets: bytes) -> Wpdu:
    """Return the WPDU that fills `octets` exactly.

    Raises WireError: `wrapper header` (cut off), `wrapper version` or `wrapper length`.
    """
    if len(octets) < HEADER_OCTETS:
        raise WireError("wrapper header")
    version, source, destination, length = _HEADER.unpack_from(octets)
    if version != VERSION:
        raise WireError("wrapper version")
    if length != len(octets) - HEADER_OCTETS:
        raise WireError("wrapper length")
    return Wpdu(source, destination, octets[HEADER_OCTETS:])
