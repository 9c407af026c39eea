"""Words and codes of LOADng events and messages (ITU-T G.9903 Annex D, draft-clausen-lln-loadng-15)."""

from __future__ import annotations

from g3plc.wire.loadng_msg import MAX_HOP_COUNT

LAYER = "loadng"

SENT = "sent"
RECEIVED = "received"
FORWARDED = "forwarded"
IGNORED = "ignored"
MISSED = "missed"

FLAG_REPAIR = 0x8
FLAG_UNICAST = 0x4
FLAG_ACK_REQUIRED = 0x4

SEQUENCE_UNKNOWN = -1
"""Stands in entries learnt as a previous hop: older than every number."""
SEQUENCE_MASK = 0xFFFF
NUMBER_LIFE_US = 180_000_000
"""Longer than any message lives: at most fifteen hops, and at each at most ten seconds for the channel."""

MAX_COST = 0xFFFF
MAX_LINK_COST = 0xFF
MAX_WEAK_LINKS = 15
MAX_HOPS_LISTED = 2 * MAX_HOP_COUNT
"""Hop entries of a path request or reply: both ways, the longest possible."""

FIRST_GROUP_ADDRESS = 0x8000
"""Short addresses from here on are no stations."""

LOST_RERR = "rerr"
LOST_NO_ACK = "no ack"
LOST_AGED = "aged"
LOST_REPLACED = "replaced"
LOST_LOOP = "loop"
LOST_NO_ANSWER = "no answer"
