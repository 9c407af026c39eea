"""Numbers of the standard that the MAC lives by, and the names of its counters.

G.9903 9.3 and Annex C. Times in microseconds; those that the PHY's numerology fixes come from `core.ofdm`.
What an operator may set is in `config`.
"""

from __future__ import annotations

from g3plc.core.ofdm import ACK_US, ACK_WAIT_US, CIFS_US, EIFS_US, RIFS_US, SYMBOL_US
from g3plc.wire.mac_frame import DATA_OVERHEAD_OCTETS

IDLE_SPACING_US = 8 * SYMBOL_US
"""Silence before the slots are counted when the contention period is over."""

HEADER_GAP_US = (CIFS_US, ACK_WAIT_US, EIFS_US, 0, CIFS_US, CIFS_US)
"""From the end of a foreign transmission to the contention period, by `sap.HEADER_*`."""

ANSWER_END_US = RIFS_US + ACK_US
"""From the end of a frame to the end of its ACK or NACK."""

FOLLOW_UP_US = ANSWER_END_US + EIFS_US
"""From the end of a segment that we answer to the contention period, when more segments are to follow."""

MAX_MSDU_OCTETS = 400
"""aMaxMACPayloadSize."""
MAX_SEGMENTS = 64
"""The SC field has six bits."""
OVERHEAD_OCTETS = DATA_OVERHEAD_OCTETS
"""What each segment costs beside its payload (short addresses, one PAN, no security)."""
MIN_SEGMENT_OCTETS = -(-MAX_MSDU_OCTETS // MAX_SEGMENTS)
"""A modulation and tone map whose segments are smaller cannot carry every MSDU and are not used."""

MAX_REPEATS = 3
"""Repeats of one segment after NACKs that ask for it at once, before the frame starts again from segment 0."""

COUNTER_NAMES = (
    "macTxDataPacketCount",
    "macRxDataPacketCount",
    "macTxCmdPacketCount",
    "macRxCmdPacketCount",
    "macCSMAFailCount",
    "macCSMANoACKCount",
    "macRxDataBroadcastCount",
    "macTxDataBroadcastCount",
    "macBadCRCCount",
)
(TX_DATA, RX_DATA, TX_COMMAND, RX_COMMAND, CSMA_FAIL, NO_ACK_SEEN, RX_BROADCAST, TX_BROADCAST, BAD_CRC) = range(9)
"""Indices of the counters, in the order of their PIB ids from 0x101 on."""
