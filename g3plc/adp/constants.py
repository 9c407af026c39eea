"""Sizes and words of the adaptation layer (G.9903 9.4, RFC 4944)."""

from __future__ import annotations

from g3plc.wire.lowpan import MESH_OCTETS

LAYER = "adp"

MAX_MSDU_OCTETS = 400
"""aMaxMACPayloadSize: longer datagrams are fragmented."""
MAX_NSDU_OCTETS = 1280
MESHED_OCTETS = MAX_MSDU_OCTETS - MESH_OCTETS
"""What fits into an MSDU behind a mesh header."""
FRAGMENT_UNIT = 8

GROUP_ADDRESSES = 0x8000
"""Short addresses from here to 0x9FFF stand for multicast groups, 0xFFFF for everybody."""
ALL_NODES = 0x8001
"""ff02::1: every station is in this group."""

WAITING = "waiting"
RELEASED = "released"
DISCARDED = "discarded"
