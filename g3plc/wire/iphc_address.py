"""Address modes of IPHC (RFC 6282 clause 3.1.1 SAM / DAM and 3.2), G3 profile, both directions.

One pair of functions expands what was sent into an address; compression tries the modes from the shortest on and keeps
the first whose expansion gives the address back, so it can never choose what the other side would read differently.
Used by `iphc` only.
"""

from __future__ import annotations

from collections.abc import Mapping

from g3plc.core.errors import UsageError, WireError
from g3plc.wire.ipv6 import LINK_LOCAL_PREFIX, UNSPECIFIED, interface_id

LinkAddress = int | bytes | None
"""Address of the encapsulating header: short (int), extended (8 octets) or unknown.

With a mesh header these are its originator and final destination, else the MAC source and destination.
"""

Option = tuple[bytes, int, int]
"""One way to send an address: (inline octets, mode bits of the second IPHC octet, context id)."""

SAC = 0x40
MULTICAST = 0x08
DAC = 0x04

_UNICAST_SIZES = (16, 8, 2, 0)
_MULTICAST_SIZES = (16, 6, 4, 1)
_ALL_ONES = (1 << 128) - 1


class Context:
    """One address context: prefix (16 octets; bits beyond `length` count as zero) and length, 1..128 bits.

    Not to be changed after it is made. Raises UsageError when prefix or length is out of range.
    """

    __slots__ = ("bits", "keep", "length", "prefix")

    def __init__(self, prefix: bytes, length: int) -> None:
        if len(prefix) != 16 or not 0 < length <= 128:
            raise UsageError("context prefix or length out of range")
        self.length = length
        self.keep = _ALL_ONES >> length
        self.bits = int.from_bytes(prefix, "big") & ~self.keep
        self.prefix = self.bits.to_bytes(16, "big")


def source_octets(modes: int) -> int:
    """Return how many octets the source address takes, by the second IPHC octet."""
    mode = modes >> 4 & 3
    return 0 if modes & SAC and not mode else _UNICAST_SIZES[mode]


def destination_octets(modes: int) -> int:
    """Return how many octets the destination address takes, by the second IPHC octet."""
    if modes & MULTICAST:
        return 6 if modes & DAC else _MULTICAST_SIZES[modes & 3]
    return _UNICAST_SIZES[modes & 3]


def link_iid(link: LinkAddress, pan_id: int) -> bytes | None:
    """Return the interface identifier (8 octets) of a link address, None when it is unknown."""
    if link is None:
        return None
    if isinstance(link, int):
        return interface_id(pan_id, link)
    if len(link) != 8:
        raise UsageError("extended address is not eight octets")
    return bytes((link[0] ^ 0x02,)) + link[1:]


def expand_unicast(inline: bytes, mode: int, context: Context | None, pan_id: int, iid: bytes | None) -> bytes:
    """Return the address that a mode 0..3 stands for; `iid` is the one of the link address.

    Without a context the prefix is fe80::/64. Mode 0 has no context. Raises WireError `iphc link address` when the
    identifier is elided and there is no link address.
    """
    if mode == 0:
        return inline
    if mode == 1:
        iid = inline
    elif mode == 2:
        iid = interface_id(pan_id, inline[0] << 8 | inline[1])
    elif iid is None:
        raise WireError("iphc link address")
    if context is None:
        return LINK_LOCAL_PREFIX + iid
    return (int.from_bytes(iid, "big") & context.keep | context.bits).to_bytes(16, "big")


def expand_multicast(inline: bytes, mode: int) -> bytes:
    """Return the multicast address that a stateless mode 0..3 stands for."""
    if mode == 0:
        return inline
    if mode == 3:
        return b"\xff\x02" + bytes(13) + inline
    return b"\xff" + inline[:1] + bytes(15 - len(inline)) + inline[1:]


def expand_multicast_prefix(inline: bytes, context: Context) -> bytes:
    """Return the unicast-prefix-based multicast address (RFC 3306) of a context.

    Raises WireError `iphc context` when the context is longer than the 64 bits such an address has room for.
    """
    if context.length > 64:
        raise WireError("iphc context")
    return b"\xff" + inline[:2] + bytes((context.length,)) + context.prefix[:8] + inline[2:]


def source_options(
    address: bytes, pan_id: int, link: LinkAddress, contexts: Mapping[int, Context] | None
) -> list[Option]:
    """Return the ways to send a source address: the best stateless one and the best one of every context."""
    if address == UNSPECIFIED:
        return [(b"", SAC, 0)]
    return [
        (inline, mode << 4 | (SAC if stateful else 0), cid)
        for inline, mode, stateful, cid in _unicast_options(address, pan_id, link, contexts)
    ]


def destination_options(
    address: bytes, pan_id: int, link: LinkAddress, contexts: Mapping[int, Context] | None
) -> list[Option]:
    """Return the ways to send a destination address: the best stateless one and the best one of every context."""
    if address[0] == 0xFF:
        return _multicast_options(address, contexts)
    return [
        (inline, mode | (DAC if stateful else 0), cid)
        for inline, mode, stateful, cid in _unicast_options(address, pan_id, link, contexts)
    ]


def _unicast_options(
    address: bytes, pan_id: int, link: LinkAddress, contexts: Mapping[int, Context] | None
) -> list[tuple[bytes, int, bool, int]]:
    iid = link_iid(link, pan_id)
    inline, mode = _shortest(address, None, pan_id, iid) or (address, 0)
    options = [(inline, mode, False, 0)]
    if inline and contexts:
        for cid, context in contexts.items():
            found = _shortest(address, context, pan_id, iid)
            if found is not None:
                options.append((*found, True, cid))
    return options


def _shortest(address: bytes, context: Context | None, pan_id: int, iid: bytes | None) -> tuple[bytes, int] | None:
    """Return (inline octets, mode) of the shortest mode 3..1 that gives the address back, or None."""
    if iid is not None and expand_unicast(b"", 3, context, pan_id, iid) == address:
        return b"", 3
    if expand_unicast(address[14:], 2, context, pan_id, iid) == address:
        return address[14:], 2
    if expand_unicast(address[8:], 1, context, pan_id, iid) == address:
        return address[8:], 1
    return None


def _multicast_options(address: bytes, contexts: Mapping[int, Context] | None) -> list[Option]:
    candidates = (address[15:], address[1:2] + address[13:], address[1:2] + address[11:], address)
    for mode, inline in zip((3, 2, 1, 0), candidates, strict=True):
        if expand_multicast(inline, mode) == address:
            break
    options = [(inline, MULTICAST | mode, 0)]
    if mode == 0 and contexts:
        short = address[1:3] + address[12:]
        options += [
            (short, MULTICAST | DAC, cid)
            for cid, context in contexts.items()
            if context.length <= 64 and expand_multicast_prefix(short, context) == address
        ]
    return options
