"""LoWPAN bootstrapping protocol message, with the ESC header 40 02 that carries it (ITU-T G.9903 Annex E).

The data are an EAP packet or empty, and opaque here. Neighbours: `lowpan` (headers around), `g3plc.adp`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

JOINING = 0x1
KICK_FROM_LBD = 0x4
ACCEPTED = 0x9
CHALLENGE = 0xA
DECLINE = 0xB
KICK_TO_LBD = 0xC

HEADER_OCTETS = 12

_HEADER = struct.Struct(">HBB8s")
_PREFIX = 0x4002
_CODES = frozenset((JOINING, KICK_FROM_LBD, ACCEPTED, CHALLENGE, DECLINE, KICK_TO_LBD))


@dataclass(slots=True)
class LbpMessage:
    """One LBP message: code, EUI-64 of the joining device (8 octets), data.

    `media_type` and `disable_backup` have a meaning only in the hybrid PLC and RF profile; `transaction_id` is 0.
    """

    code: int
    eui64: bytes
    data: bytes = b""
    transaction_id: int = 0
    media_type: bool = False
    disable_backup: bool = False

    def encode(self) -> bytes:
        """Return the 12 octets of header, ESC included, and the data. Raises UsageError when out of range."""
        if self.code not in _CODES or len(self.eui64) != 8 or not 0 <= self.transaction_id <= 0xFF:
            raise UsageError("LBP field out of range")
        first = self.code << 4 | self.media_type << 3 | self.disable_backup << 2
        return _HEADER.pack(_PREFIX, first, self.transaction_id, self.eui64) + self.data


def decode(octets: bytes) -> LbpMessage:
    """Return the message in `octets` (ESC header 40 02 first). Raises WireError: `lbp header` or `lbp code`."""
    if len(octets) < HEADER_OCTETS:
        raise WireError("lbp header")
    prefix, first, transaction_id, eui64 = _HEADER.unpack_from(octets)
    if prefix != _PREFIX:
        raise WireError("lbp header")
    if first >> 4 not in _CODES:
        raise WireError("lbp code")
    return LbpMessage(first >> 4, eui64, octets[HEADER_OCTETS:], transaction_id, first & 8 != 0, first & 4 != 0)
