"""Blocks of a pcapng file (draft-ietf-opsawg-pcapng): section header, interface description, enhanced packet.

Everything is little-endian; time stamps are microseconds. Neighbour: `pcap`, which decides what goes into the blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

LINKTYPE_IEEE802_15_4_TAP = 283
LINKTYPE_USER0 = 147

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _END = 1, 0
_IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL = 2, 3, 9
_SHB_USERAPPL = 4

_BLOCK = struct.Struct("<II")
_LENGTH = struct.Struct("<I")
_OPTION = struct.Struct("<HH")
_SECTION_BODY = struct.Struct("<IHHq")
_INTERFACE_BODY = struct.Struct("<HHI")
_PACKET_HEAD = struct.Struct("<IIIIIII")
_ZEROS = (b"", b"\0\0\0", b"\0\0", b"\0")
_NO_OPTION = _OPTION.pack(_END, 0)


def section_header(application: str, comment: str) -> bytes:
    """Return the block that every file starts with."""
    body = _SECTION_BODY.pack(0x1A2B3C4D, 1, 0, -1)
    return _block(_SECTION, body + _options([(_SHB_USERAPPL, application.encode()), (_COMMENT, comment.encode())]))


def interface_description(link_type: int, name: str, description: str) -> bytes:
    """Return the block that says what the packets are (`link_type`), with stamps in microseconds."""
    body = _INTERFACE_BODY.pack(link_type, 0, 0)
    options = [(_IF_NAME, name.encode()), (_IF_DESCRIPTION, description.encode()), (_IF_TSRESOL, b"\x06")]
    return _block(_INTERFACE, body + _options(options))


def packet(stamp_us: int, octets: bytes, comment: str) -> bytes:
    """Return one record of the first interface: octets at `stamp_us` (since 1970), with a comment."""
    size = len(octets)
    note = comment.encode()
    written = len(note)
    total = 40 + size + (-size & 3) + written + (-written & 3)
    return b"".join(
        (
            _PACKET_HEAD.pack(_PACKET, total, 0, stamp_us >> 32, stamp_us & 0xFFFFFFFF, size, size),
            octets,
            _ZEROS[size & 3],
            _OPTION.pack(_COMMENT, written),
            note,
            _ZEROS[written & 3],
            _NO_OPTION,
            _LENGTH.pack(total),
        )
    )


def _options(options: Iterable[tuple[int, bytes]]) -> bytes:
    parts = []
    for code, value in options:
        parts += [_OPTION.pack(code, len(value)), value, _ZEROS[len(value) & 3]]
    return b"".join([*parts, _NO_OPTION])


def _block(kind: int, body: bytes) -> bytes:
    total = 12 + len(body)
    return _BLOCK.pack(kind, total) + body + _LENGTH.pack(total)
