"""DLMS `Data`: the tags, the value class, and the contents of every type that is no collection.

A-XDR is IEC 61334-6, the tags are those of IEC 62056-5-3 clause 8 (Data). Neighbours: `axdr` adds arrays and
structures and is what others import; `axdr_compact` adds compact arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final

from g3plc.core.errors import UsageError, WireError
from g3plc.wire.ber import decode_length, encode_length

NULL: Final = 0
ARRAY: Final = 1
STRUCTURE: Final = 2
BOOLEAN: Final = 3
BIT_STRING: Final = 4
DOUBLE_LONG: Final = 5
DOUBLE_LONG_UNSIGNED: Final = 6
OCTET_STRING: Final = 9
VISIBLE_STRING: Final = 10
UTF8_STRING: Final = 12
BCD: Final = 13
INTEGER: Final = 15
LONG: Final = 16
UNSIGNED: Final = 17
LONG_UNSIGNED: Final = 18
COMPACT_ARRAY: Final = 19
LONG64: Final = 20
LONG64_UNSIGNED: Final = 21
ENUM: Final = 22
FLOAT32: Final = 23
FLOAT64: Final = 24
DATE_TIME: Final = 25
DATE: Final = 26
TIME: Final = 27
DONT_CARE: Final = 255

TAG_NAMES: Final[dict[int, str]] = {
    value: name for name, value in list(globals().items()) if name.isupper() and isinstance(value, int)
}
"""Tag to the name of its constant, for messages."""


@dataclass(slots=True, repr=False)
class Data:
    """One value with its DLMS type.

    `tag` is one of the constants of this module; `value` by tag: None (NULL, DONT_CARE); a tuple of `Data` (ARRAY,
    STRUCTURE); bool; a str of "0" and "1" (BIT_STRING); int (the integers, ENUM 0..255, BCD 0..255 as the octet);
    bytes (OCTET_STRING; FLOAT32 4 and FLOAT64 8 octets of IEEE 754, so that a NaN travels unchanged; DATE_TIME 12,
    DATE 5, TIME 4 octets); str (VISIBLE_STRING ASCII, UTF8_STRING); `CompactArray` (COMPACT_ARRAY).
    """

    tag: int
    value: Any = None

    def __repr__(self) -> str:
        return f"Data({TAG_NAMES.get(self.tag, self.tag)}, {self.value!r})"


Reader = Callable[[bytes, int, int], tuple[Any, int]]
"""(buf, offset of the contents, depth) to (value, offset behind it)."""

Writer = Callable[[Any, bytearray, int], None]
"""(value, octets to append to, depth)."""


def _read_nothing(buf: bytes, offset: int, depth: int) -> tuple[None, int]:
    return None, offset


def _write_nothing(value: Any, out: bytearray, depth: int) -> None:
    if value is not None:
        raise UsageError("null-data and dont-care hold no value")


def _read_boolean(buf: bytes, offset: int, depth: int) -> tuple[bool, int]:
    if offset >= len(buf):
        raise WireError("data truncated")
    return buf[offset] != 0, offset + 1


def _write_boolean(value: bool, out: bytearray, depth: int) -> None:
    out.append(1 if value else 0)


def _read_bits(buf: bytes, offset: int, depth: int) -> tuple[str, int]:
    count, offset = decode_length(buf, offset)
    size = (count + 7) // 8
    end = offset + size
    if end > len(buf):
        raise WireError("data truncated")
    if count == 0:
        return "", end
    return format(int.from_bytes(buf[offset:end], "big"), f"0{size * 8}b")[:count], end


def _write_bits(value: str, out: bytearray, depth: int) -> None:
    count = len(value)
    size = (count + 7) // 8
    if value.strip("01"):
        raise UsageError("a bit-string is written in 0 and 1")
    out += encode_length(count)
    out += int(value.ljust(size * 8, "0") or "0", 2).to_bytes(size, "big")


def _read_octets(buf: bytes, offset: int, depth: int) -> tuple[bytes, int]:
    count, offset = decode_length(buf, offset)
    end = offset + count
    if end > len(buf):
        raise WireError("data truncated")
    return buf[offset:end], end


def _write_octets(value: bytes, out: bytearray, depth: int) -> None:
    out += encode_length(len(value))
    out += value


def _text(encoding: str) -> tuple[Reader, Writer]:
    def read(buf: bytes, offset: int, depth: int) -> tuple[str, int]:
        octets, end = _read_octets(buf, offset, depth)
        try:
            return octets.decode(encoding), end
        except UnicodeDecodeError:
            raise WireError(f"string is not {encoding}") from None

    def write(value: str, out: bytearray, depth: int) -> None:
        _write_octets(value.encode(encoding), out, depth)

    return read, write


def _number(layout: str) -> tuple[Reader, Writer]:
    fixed = Struct(layout)
    size = fixed.size
    unpack_from = fixed.unpack_from
    pack = fixed.pack

    def read(buf: bytes, offset: int, depth: int) -> tuple[int, int]:
        end = offset + size
        if end > len(buf):
            raise WireError("data truncated")
        return unpack_from(buf, offset)[0], end

    def write(value: int, out: bytearray, depth: int) -> None:
        out += pack(value)

    return read, write


def _octets(size: int) -> tuple[Reader, Writer]:
    def read(buf: bytes, offset: int, depth: int) -> tuple[bytes, int]:
        end = offset + size
        if end > len(buf):
            raise WireError("data truncated")
        return buf[offset:end], end

    def write(value: bytes, out: bytearray, depth: int) -> None:
        if len(value) != size:
            raise UsageError(f"value takes {size} octets, not {len(value)}")
        out += value

    return read, write


SIMPLE_CODECS: Final[dict[int, tuple[Reader, Writer, int]]] = {
    NULL: (_read_nothing, _write_nothing, 0),
    BOOLEAN: (_read_boolean, _write_boolean, 1),
    BIT_STRING: (_read_bits, _write_bits, 1),
    DOUBLE_LONG: (*_number(">i"), 4),
    DOUBLE_LONG_UNSIGNED: (*_number(">I"), 4),
    OCTET_STRING: (_read_octets, _write_octets, 1),
    VISIBLE_STRING: (*_text("ascii"), 1),
    UTF8_STRING: (*_text("utf-8"), 1),
    BCD: (*_number(">B"), 1),
    INTEGER: (*_number(">b"), 1),
    LONG: (*_number(">h"), 2),
    UNSIGNED: (*_number(">B"), 1),
    LONG_UNSIGNED: (*_number(">H"), 2),
    LONG64: (*_number(">q"), 8),
    LONG64_UNSIGNED: (*_number(">Q"), 8),
    ENUM: (*_number(">B"), 1),
    FLOAT32: (*_octets(4), 4),
    FLOAT64: (*_octets(8), 8),
    DATE_TIME: (*_octets(12), 12),
    DATE: (*_octets(5), 5),
    TIME: (*_octets(4), 4),
    DONT_CARE: (_read_nothing, _write_nothing, 0),
}
"""Tag to (reader, writer, least octets of the contents)."""
