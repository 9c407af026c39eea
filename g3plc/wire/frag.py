"""Fragment headers of the adaptation layer (RFC 4944 clause 5.3).

Sizes and offsets count octets of the IPv6 datagram before compression. The headers stand after `lowpan`'s mesh and
broadcast headers; after FRAG1 comes an `iphc` header, after FRAGN bare octets of the datagram.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

FRAG1 = 0xC000
FRAGN = 0xE000
FRAG1_OCTETS = 4
FRAGN_OCTETS = 5
MAX_DATAGRAM_OCTETS = 0x7FF

_FRAG1 = struct.Struct(">HH")
_FRAGN = struct.Struct(">HHB")


@dataclass(slots=True)
class Frag1:
    """Header of the first fragment: datagram size 1..2047 octets, datagram tag (16 bits)."""

    size: int
    tag: int

    def encode(self) -> bytes:
        """Return the 4 octets. Raises UsageError when a field is out of range."""
        if not 0 < self.size <= MAX_DATAGRAM_OCTETS or not 0 <= self.tag <= 0xFFFF:
            raise UsageError("fragment header field out of range")
        return _FRAG1.pack(FRAG1 | self.size, self.tag)


@dataclass(slots=True)
class FragN:
    """Header of a later fragment: as Frag1, and its offset in octets, a multiple of 8 above 0 and below the size."""

    size: int
    tag: int
    offset: int

    def encode(self) -> bytes:
        """Return the 5 octets. Raises UsageError when a field is out of range."""
        if not 0 < self.offset < self.size <= MAX_DATAGRAM_OCTETS or not 0 <= self.tag <= 0xFFFF or self.offset & 7:
            raise UsageError("fragment header field out of range")
        return _FRAGN.pack(FRAGN | self.size, self.tag, self.offset >> 3)


def decode(msdu: bytes, at: int) -> tuple[Frag1 | FragN, int]:
    """Return the fragment header at offset `at` and the offset after it; the fragment is never empty.

    Raises WireError: `fragment header` (cut off, no payload, not a fragment), `fragment size` or `fragment offset`.
    """
    size = len(msdu)
    if at + FRAG1_OCTETS >= size:
        raise WireError("fragment header")
    word, tag = _FRAG1.unpack_from(msdu, at)
    datagram_octets = word & MAX_DATAGRAM_OCTETS
    if not datagram_octets:
        raise WireError("fragment size")
    dispatch = word & ~MAX_DATAGRAM_OCTETS
    if dispatch == FRAG1:
        return Frag1(datagram_octets, tag), at + FRAG1_OCTETS
    if dispatch != FRAGN or at + FRAGN_OCTETS >= size:
        raise WireError("fragment header")
    offset = msdu[at + FRAG1_OCTETS] << 3
    if not 0 < offset < datagram_octets or offset + size - at - FRAGN_OCTETS > datagram_octets:
        raise WireError("fragment offset")
    return FragN(datagram_octets, tag, offset), at + FRAGN_OCTETS
