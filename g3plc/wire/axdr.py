"""A-XDR octets of the DLMS `Data` type (IEC 61334-6; IEC 62056-5-3 clause 8, Data).

Neighbours: `axdr_simple` and `axdr_compact` hold the types, `xdlms` puts `Data` into its APDUs, `apdu_xml` writes it
as XML, `g3plc.cosem` makes attribute values of it.
"""

from __future__ import annotations

from struct import error as StructError  # noqa: N812
from typing import Final

from g3plc.core.errors import UsageError, WireError
from g3plc.wire.axdr_compact import MAX_DEPTH, CompactArray, TypeDescription, read_compact, write_compact
from g3plc.wire.axdr_simple import (
    ARRAY,
    BCD,
    BIT_STRING,
    BOOLEAN,
    COMPACT_ARRAY,
    DATE,
    DATE_TIME,
    DONT_CARE,
    DOUBLE_LONG,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    FLOAT32,
    FLOAT64,
    INTEGER,
    LONG,
    LONG64,
    LONG64_UNSIGNED,
    LONG_UNSIGNED,
    NULL,
    OCTET_STRING,
    SIMPLE_CODECS,
    STRUCTURE,
    TAG_NAMES,
    TIME,
    UNSIGNED,
    UTF8_STRING,
    VISIBLE_STRING,
    Data,
    Reader,
    Writer,
)
from g3plc.wire.ber import decode_length, encode_length

__all__ = [
    "NULL",
    "ARRAY",
    "STRUCTURE",
    "BOOLEAN",
    "BIT_STRING",
    "DOUBLE_LONG",
    "DOUBLE_LONG_UNSIGNED",
    "OCTET_STRING",
    "VISIBLE_STRING",
    "UTF8_STRING",
    "BCD",
    "INTEGER",
    "LONG",
    "UNSIGNED",
    "LONG_UNSIGNED",
    "COMPACT_ARRAY",
    "LONG64",
    "LONG64_UNSIGNED",
    "ENUM",
    "FLOAT32",
    "FLOAT64",
    "DATE_TIME",
    "DATE",
    "TIME",
    "DONT_CARE",
    "MAX_DEPTH",
    "TAG_NAMES",
    "CompactArray",
    "Data",
    "TypeDescription",
    "decode_data",
    "encode_data",
]


def encode_data(data: Data) -> bytes:
    """Return tag and contents of `data`; a value that its tag cannot hold raises `UsageError`."""
    out = bytearray()
    try:
        _write(data, out, 0)
    except (StructError, TypeError, AttributeError, ValueError, OverflowError) as problem:
        raise UsageError(f"value does not fit its data tag: {problem}") from problem
    return bytes(out)


def decode_data(buf: bytes, offset: int = 0) -> tuple[Data, int]:
    """Return (data, offset behind it). `WireError` for an unknown tag, truncation, or more than `MAX_DEPTH` levels."""
    return _read(buf, offset, 0)


def _read(buf: bytes, offset: int, depth: int) -> tuple[Data, int]:
    if offset >= len(buf):
        raise WireError("data truncated")
    tag = buf[offset]
    reader = _READERS.get(tag)
    if reader is None:
        raise WireError(f"unknown data tag {tag}")
    value, offset = reader(buf, offset + 1, depth)
    return Data(tag, value), offset


def _write(data: Data, out: bytearray, depth: int) -> None:
    writer = _WRITERS.get(data.tag)
    if writer is None:
        raise UsageError(f"unknown data tag {data.tag}")
    out.append(data.tag)
    writer(data.value, out, depth)


def _read_sequence(buf: bytes, offset: int, depth: int) -> tuple[tuple[Data, ...], int]:
    count, offset = decode_length(buf, offset)
    # Every element takes at least its tag, so this bounds the work before any of it is done.
    if count > len(buf) - offset:
        raise WireError("more elements than octets")
    if depth >= MAX_DEPTH:
        raise WireError("data nested too deep")
    items = []
    for _ in range(count):
        item, offset = _read(buf, offset, depth + 1)
        items.append(item)
    return tuple(items), offset


def _write_sequence(value: tuple[Data, ...], out: bytearray, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise UsageError("data nested too deep")
    out += encode_length(len(value))
    for item in value:
        _write(item, out, depth + 1)


_READERS: Final[dict[int, Reader]] = {
    **{tag: codec[0] for tag, codec in SIMPLE_CODECS.items()},
    ARRAY: _read_sequence,
    STRUCTURE: _read_sequence,
    COMPACT_ARRAY: read_compact,
}
_WRITERS: Final[dict[int, Writer]] = {
    **{tag: codec[1] for tag, codec in SIMPLE_CODECS.items()},
    ARRAY: _write_sequence,
    STRUCTURE: _write_sequence,
    COMPACT_ARRAY: write_compact,
}
