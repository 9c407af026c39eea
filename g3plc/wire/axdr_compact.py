"""Compact arrays of A-XDR `Data`: one type description, then the elements without their tags.

IEC 62056-5-3 clause 8 (compact-array, TypeDescription). Neighbours: `axdr_simple` has the elements' contents, `axdr`
the dispatch that leads here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from g3plc.core.errors import UsageError, WireError
from g3plc.wire.axdr_simple import ARRAY, SIMPLE_CODECS, STRUCTURE, Data
from g3plc.wire.ber import decode_length, encode_length

MAX_DEPTH: Final = 32
"""Arrays and structures within one another, compact arrays and their type descriptions counted."""

MAX_ELEMENTS_PER_OCTET: Final = 32
"""Elements that a described value may hold for each octet that it takes at least, since null-data takes none."""


@dataclass(slots=True)
class TypeDescription:
    """The type of a compact array's elements.

    A simple type has its `tag` alone; ARRAY has `count` (0..65535) and one entry in `elements`; STRUCTURE has one
    entry in `elements` for each of its fields.
    """

    tag: int
    count: int = 0
    elements: tuple[TypeDescription, ...] = ()


@dataclass(slots=True)
class CompactArray:
    """The value of COMPACT_ARRAY: the common type of all `items`, and the items as ordinary `Data`."""

    description: TypeDescription
    items: tuple[Data, ...]


def _read_description(buf: bytes, offset: int, depth: int) -> tuple[TypeDescription, int]:
    if offset >= len(buf):
        raise WireError("type description truncated")
    tag = buf[offset]
    offset += 1
    if tag != ARRAY and tag != STRUCTURE:
        if tag not in SIMPLE_CODECS:
            raise WireError(f"data tag {tag} not allowed in a compact array")
        return TypeDescription(tag), offset
    if depth >= MAX_DEPTH:
        raise WireError("data nested too deep")
    if tag == ARRAY:
        if offset + 2 > len(buf):
            raise WireError("type description truncated")
        count = int.from_bytes(buf[offset : offset + 2], "big")
        element, offset = _read_description(buf, offset + 2, depth + 1)
        return TypeDescription(ARRAY, count, (element,)), offset
    size, offset = decode_length(buf, offset)
    if size > len(buf) - offset:
        raise WireError("more elements than octets")
    fields = []
    for _ in range(size):
        field, offset = _read_description(buf, offset, depth + 1)
        fields.append(field)
    return TypeDescription(STRUCTURE, 0, tuple(fields)), offset


def _write_description(description: TypeDescription, out: bytearray, depth: int) -> None:
    tag = description.tag
    out.append(tag)
    if tag != ARRAY and tag != STRUCTURE:
        if tag not in SIMPLE_CODECS:
            raise UsageError(f"data tag {tag} not allowed in a compact array")
        return
    if depth >= MAX_DEPTH:
        raise UsageError("data nested too deep")
    if tag == ARRAY:
        (element,) = description.elements
        out += description.count.to_bytes(2, "big")
        _write_description(element, out, depth + 1)
        return
    out += encode_length(len(description.elements))
    for field in description.elements:
        _write_description(field, out, depth + 1)


def _extent(description: TypeDescription) -> tuple[int, int]:
    """Return (least octets, elements) of one value of that type."""
    if description.tag == ARRAY:
        octets, elements = _extent(description.elements[0])
        return description.count * octets, 1 + description.count * elements
    if description.tag == STRUCTURE:
        parts = [_extent(field) for field in description.elements]
        return sum(part[0] for part in parts), 1 + sum(part[1] for part in parts)
    return SIMPLE_CODECS[description.tag][2], 1


def _read_item(description: TypeDescription, buf: bytes, offset: int, depth: int) -> tuple[Data, int]:
    tag = description.tag
    if tag != ARRAY and tag != STRUCTURE:
        value, offset = SIMPLE_CODECS[tag][0](buf, offset, depth)
        return Data(tag, value), offset
    types = description.elements * description.count if tag == ARRAY else description.elements
    items = []
    for element in types:
        item, offset = _read_item(element, buf, offset, depth)
        items.append(item)
    return Data(tag, tuple(items)), offset


def _write_item(description: TypeDescription, data: Data, out: bytearray, depth: int) -> None:
    tag = description.tag
    if data.tag != tag:
        raise UsageError("element of a compact array is not of the described type")
    if tag != ARRAY and tag != STRUCTURE:
        SIMPLE_CODECS[tag][1](data.value, out, depth)
        return
    types = description.elements * description.count if tag == ARRAY else description.elements
    if len(types) != len(data.value):
        raise UsageError("element of a compact array is not of the described length")
    for element, item in zip(types, data.value, strict=True):
        _write_item(element, item, out, depth)


def read_compact(buf: bytes, offset: int, depth: int) -> tuple[CompactArray, int]:
    """Return (compact array, offset behind it); `offset` is that of the type description, behind the tag."""
    description, offset = _read_description(buf, offset, depth + 1)
    size, offset = decode_length(buf, offset)
    end = offset + size
    if end > len(buf):
        raise WireError("data truncated")
    return CompactArray(description, compact_items(description, buf[offset:end])), end


def compact_items(description: TypeDescription, contents: bytes) -> tuple[Data, ...]:
    """Return the items that `contents` (the octets behind the length) holds; all of it must be used up."""
    least, elements = _extent(description)
    if not contents:
        return ()
    if elements > least * MAX_ELEMENTS_PER_OCTET:
        raise WireError("compact array of empty elements")
    size = len(contents)
    items: list[Data] = []
    at = 0
    while at < size:
        if size - at < least:
            raise WireError("compact array truncated")
        item, at = _read_item(description, contents, at, 0)
        items.append(item)
    return tuple(items)


def compact_contents(array: CompactArray) -> bytes:
    """Return the octets of all items of `array`, without tags and without the length in front."""
    contents = bytearray()
    for item in array.items:
        _write_item(array.description, item, contents, 0)
    return bytes(contents)


def write_compact(value: CompactArray, out: bytearray, depth: int) -> None:
    """Append type description, length and contents of `value`."""
    _write_description(value.description, out, depth + 1)
    contents = compact_contents(value)
    out += encode_length(len(contents))
    out += contents
