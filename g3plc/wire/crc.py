"""Frame check sequence of the G3 data link layer (ITU-T G.9903, MAC frame format).

The polynomial is that of IEEE 802.15.4 (0x1021, initial value 0, no final XOR) but not reflected, so the value differs
from the 802.15.4 FCS of the same octets. Used by `mac_frame` and, to match acknowledgements, by the MAC.
"""

from __future__ import annotations

from binascii import crc_hqx

FCS_OCTETS = 2


def fcs(octets: bytes) -> int:
    """Return the 16-bit FCS of `octets` (everything of the PSDU before the FCS field, padding included)."""
    return crc_hqx(octets, 0)


def stored_fcs(psdu: bytes) -> int:
    """Return the FCS that a PSDU of at least two octets carries: the last two octets, low octet first.

    An ACK or NACK frame control header repeats this value to say which frame it answers.
    """
    return psdu[-2] | psdu[-1] << 8
