"""A-XDR `Data` as one line of ASCII text, both ways: what people type into scenarios and commands, and what logs show.

`type:value`, for example

    unsigned:5    long:-200    double-long-unsigned:12345    enum:30    bcd:18    boolean:true    null    dont-care
    bit-string:0110    octet-string:0102ff    visible-string:abc    utf8-string:caf\\xe9    float32:1.5
    date-time:2026-11-23T02:00:00Z
    structure[integer:-1, enum:35]    array[]    compact-array[...] (only shown)

`date-time` is the octet-string of twelve octets that clocks use (IEC 62056-6-2 clause 4.1.6.1), in local time with its
distance to UTC (`Z`, `+01:00`, or nothing: not specified), hundredths of a second where there are any; patterns with
fields left open are written as octet-string. The data types 25 to 27, which hold such octets under a tag of their own,
are `tagged-date-time`, `tagged-date` and `tagged-time` in hex. Floats are decimal, or the hex of their octets
(`float32:0x7fc00001`). In strings `\\\\`, `\\xhh`, `\\uhhhh` and `\\Uhhhhhhhh` stand for one character each; within an
array or a structure `,`, `[` and `]` must be written so.

Neighbours: `axdr` has the types; `emulation.scenario` and the coordinator read and show values with this.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from struct import Struct
from typing import Final

from g3plc.wire import axdr
from g3plc.wire.axdr import MAX_DEPTH, Data

MAX_TEXT: Final = 8192
"""Characters that `parse_data` looks at; no APDU here holds a longer value."""

_RANGES: Final[dict[int, tuple[int, int]]] = {
    axdr.DOUBLE_LONG: (-(1 << 31), (1 << 31) - 1),
    axdr.DOUBLE_LONG_UNSIGNED: (0, (1 << 32) - 1),
    axdr.BCD: (0, 255),
    axdr.INTEGER: (-128, 127),
    axdr.LONG: (-32768, 32767),
    axdr.UNSIGNED: (0, 255),
    axdr.LONG_UNSIGNED: (0, 65535),
    axdr.LONG64: (-(1 << 63), (1 << 63) - 1),
    axdr.LONG64_UNSIGNED: (0, (1 << 64) - 1),
    axdr.ENUM: (0, 255),
}
_SIZES: Final[dict[int, int | None]] = {
    axdr.OCTET_STRING: None,
    axdr.DATE_TIME: 12,
    axdr.DATE: 5,
    axdr.TIME: 4,
}
_FLOATS: Final = {axdr.FLOAT32: Struct(">f"), axdr.FLOAT64: Struct(">d")}
_ENCODINGS: Final = {axdr.VISIBLE_STRING: "ascii", axdr.UTF8_STRING: "utf-8"}
_COLLECTIONS: Final = (axdr.ARRAY, axdr.STRUCTURE, axdr.COMPACT_ARRAY)

_TAGGED: Final = {axdr.DATE_TIME, axdr.DATE, axdr.TIME}
_NAMES: Final[dict[int, str]] = {
    tag: ("tagged-" if tag in _TAGGED else "") + name.lower().replace("_", "-") for tag, name in axdr.TAG_NAMES.items()
}
_CIVIL: Final = "date-time"
_TAGS: Final = {name: tag for tag, name in _NAMES.items() if tag != axdr.COMPACT_ARRAY}
_ALLOWED: Final = ", ".join(sorted([*_TAGS, _CIVIL]))

_NAME = re.compile(r"[ ]*([a-z0-9-]*)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?|[+-]?inf")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")
_BITS = re.compile(r"[01]*")
_CIVIL_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{2}))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?"
)
_ESCAPE = re.compile(r"\\(?:\\|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|)")
_CLOSING = re.compile(r"[],\[]")
_PLAIN: Final = frozenset(map(chr, range(0x20, 0x7F))) - {"\\"}
_NESTED: Final = _PLAIN - {",", "[", "]"}

_DATE_TIME = Struct(">HBBBBBBBhB")
_NOT_SPECIFIED: Final = -0x8000
_HALF_DAY_MIN: Final = 720
_EXAMPLE: Final = "2026-11-23T02:00:00Z"


def parse_data(text: str) -> Data:
    """Return the value that `text` names. ValueError says what was wrong and what is allowed."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"text of {len(text)} characters; allowed: at most {MAX_TEXT}")
    data, end = _parse(text, 0, 0)
    rest = text[end:].strip()
    if rest:
        raise ValueError(f"{_shown(rest)} follows after the value; allowed: one value")
    return data


def format_data(data: Data) -> str:
    """Return the text of a value in ASCII. `parse_data` gives the same value back unless it has a compact array."""
    return _format(data, _PLAIN)


# --- reading


def _parse(text: str, at: int, depth: int) -> tuple[Data, int]:
    """Read one value from `at`, at top level (depth 0) all of the text; returns it and the offset behind it."""
    match = _NAME.match(text, at)
    name = match[1] if match is not None else ""
    behind = match.end() if match is not None else at
    tag = axdr.OCTET_STRING if name == _CIVIL else _TAGS.get(name)
    if tag is None:
        raise ValueError(f"unknown type {_shown(name or text[at:])}; allowed: {_ALLOWED}")
    if tag in _COLLECTIONS:
        return _parse_items(text, behind, tag, depth)
    end = len(text)
    if depth:
        closing = _CLOSING.search(text, behind)
        end = closing.start() if closing is not None else end
    contents = text[behind:end]
    if tag in (axdr.NULL, axdr.DONT_CARE):
        if contents.strip() not in ("", ":"):
            raise ValueError(f"{name} takes no value, not {_shown(contents)}")
        return Data(tag), end
    if not contents.startswith(":"):
        raise ValueError(f"{name} is followed by {_shown(contents) if contents else 'nothing'}; expected {name}:value")
    parse = _parse_civil if name == _CIVIL else _PARSERS[tag]
    try:
        return Data(tag, parse(contents[1:], tag)), end
    except ValueError as problem:
        raise ValueError(f"{name}:{_shown(contents[1:], '')}: {problem}") from None


def _parse_items(text: str, at: int, tag: int, depth: int) -> tuple[Data, int]:
    name = _NAMES[tag]
    if text[at : at + 1] != "[":
        raise ValueError(f"{name} is followed by {_shown(text[at:])}; expected {name}[value, value, ...]")
    if depth >= MAX_DEPTH:
        raise ValueError(f"values within values within values; allowed: {MAX_DEPTH} levels")
    at += 1
    items: list[Data] = []
    if text[at:].lstrip(" ").startswith("]"):
        return Data(tag, ()), text.index("]", at) + 1
    while True:
        item, at = _parse(text, at, depth + 1)
        items.append(item)
        mark = text[at : at + 1]
        at += 1
        if mark == "]":
            return Data(tag, tuple(items)), at
        if mark != ",":
            raise ValueError(f"{name} is not closed; expected {name}[value, value, ...]")


def _parse_number(text: str, tag: int) -> int:
    low, high = _RANGES[tag]
    text = text.strip(" ")
    value = int(text) if _INTEGER.fullmatch(text) else high + 1
    if not low <= value <= high:
        raise ValueError(f"allowed: whole numbers from {low} to {high}")
    return value


def _parse_boolean(text: str, _tag: int) -> bool:
    text = text.strip(" ")
    if text not in ("true", "false"):
        raise ValueError("allowed: true, false")
    return text == "true"


def _parse_bits(text: str, _tag: int) -> str:
    text = text.strip(" ")
    if not _BITS.fullmatch(text):
        raise ValueError("allowed: the digits 0 and 1")
    return text


def _parse_octets(text: str, tag: int) -> bytes:
    text = text.strip(" ")
    size = _SIZES[tag]
    if not _HEX.fullmatch(text) or (size is not None and len(text) != 2 * size):
        raise ValueError(f"allowed: two hex digits for each octet{f', {size} octets' if size is not None else ''}")
    return bytes.fromhex(text)


def _parse_float(text: str, tag: int) -> bytes:
    layout = _FLOATS[tag]
    text = text.strip(" ")
    if text.startswith("0x") and _HEX.fullmatch(text[2:]) and len(text) == 2 + 2 * layout.size:
        return bytes.fromhex(text[2:])
    if _DECIMAL.fullmatch(text):
        try:
            return layout.pack(float(text))
        except OverflowError:
            raise ValueError("too large for this type") from None
    raise ValueError(f"allowed: decimal numbers, inf, -inf, or 0x and {2 * layout.size} hex digits")


def _parse_text(text: str, tag: int) -> str:
    def character(match: re.Match[str]) -> str:
        if match[0] == "\\\\":
            return "\\"
        digits = match[1] or match[2] or match[3]
        if digits is None or int(digits, 16) > 0x10FFFF:
            raise ValueError("allowed after a backslash: another one, xhh, uhhhh, Uhhhhhhhh up to 0010ffff")
        return chr(int(digits, 16))

    value = _ESCAPE.sub(character, text)
    try:
        value.encode(_ENCODINGS[tag])
    except UnicodeEncodeError:
        raise ValueError(f"allowed: characters that {_ENCODINGS[tag]} can hold") from None
    return value


def _parse_civil(text: str, _tag: int) -> bytes:
    match = _CIVIL_TIME.fullmatch(text.strip(" "))
    if match is None:
        raise ValueError(f"allowed: a time like {_EXAMPLE}, with Z, an offset like +01:00, or nothing")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    hundredths, zulu, sign, offset_h, offset_min = match.groups()[6:]
    try:
        weekday = datetime(year, month, day, hour, minute, second).isoweekday()
    except ValueError as problem:
        raise ValueError(f"{problem}; allowed: a moment like {_EXAMPLE}") from None
    deviation = 0 if zulu else _NOT_SPECIFIED
    if sign:
        deviation = (int(offset_h) * 60 + int(offset_min)) * (-1 if sign == "+" else 1)
        if int(offset_min) > 59 or abs(deviation) > _HALF_DAY_MIN:
            raise ValueError("allowed: offsets from -12:00 to +12:00")
    return _DATE_TIME.pack(year, month, day, weekday, hour, minute, second, int(hundredths or 0), deviation, 0)


_PARSERS: Final[dict[int, Callable[[str, int], object]]] = {
    **dict.fromkeys(_RANGES, _parse_number),
    **dict.fromkeys(_SIZES, _parse_octets),
    **dict.fromkeys(_FLOATS, _parse_float),
    **dict.fromkeys(_ENCODINGS, _parse_text),
    axdr.BOOLEAN: _parse_boolean,
    axdr.BIT_STRING: _parse_bits,
}


def _shown(text: str, quote: str = "'") -> str:
    """Put what somebody typed into a message: ASCII, and not all of it where it is long."""
    head = text[:40].encode("ascii", "backslashreplace").decode("ascii")
    return f"{quote}{head}{'...' if len(text) > 40 else ''}{quote}"


# --- writing


def _format(data: Data, plain: frozenset[str]) -> str:
    tag, value = data.tag, data.value
    name = _NAMES[tag]
    if tag in _COLLECTIONS:
        items = value.items if tag == axdr.COMPACT_ARRAY else value
        return f"{name}[{', '.join([_format(item, _NESTED) for item in items])}]"
    if tag in (axdr.NULL, axdr.DONT_CARE):
        return name
    if tag == axdr.OCTET_STRING:
        civil = format_civil(value)
        return f"{_CIVIL}:{civil}" if civil else f"{name}:{value.hex()}"
    if tag in _SIZES:
        return f"{name}:{value.hex()}"
    if tag in _FLOATS:
        return f"{name}:{_format_float(value, tag)}"
    if tag in _ENCODINGS:
        return f"{name}:{escaped(value, plain)}"
    if tag == axdr.BOOLEAN:
        return f"{name}:{'true' if value else 'false'}"
    return f"{name}:{value}"


def escaped(text: str, plain: frozenset[str] = _PLAIN) -> str:
    """Return `text` in ASCII; characters that are not in `plain` become escapes of this module's form."""
    if plain.issuperset(text):
        return text
    return "".join([char if char in plain else _escape(char) for char in text])


def _escape(char: str) -> str:
    code = ord(char)
    if char == "\\":
        return "\\\\"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _format_float(octets: bytes, tag: int) -> str:
    layout = _FLOATS[tag]
    (value,) = layout.unpack(octets)
    return f"0x{octets.hex()}" if value != value else repr(value)


def format_civil(octets: bytes) -> str:
    """Return twelve octets of a date-time as ISO 8601 text, or nothing where they do not name exactly one moment."""
    if len(octets) != _DATE_TIME.size:
        return ""
    year, month, day, _weekday, hour, minute, second, hundredths, deviation, _status = _DATE_TIME.unpack(octets)
    text = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"
    if hundredths:
        text = f"{text}.{hundredths:02d}"
    if deviation == 0:
        text = f"{text}Z"
    elif deviation != _NOT_SPECIFIED:
        offset = abs(deviation)
        text = f"{text}{'+' if deviation < 0 else '-'}{offset // 60:02d}:{offset % 60:02d}"
    try:
        # whatever the text cannot say (weekday, status, open fields) shows in the octets that it stands for
        return text if _parse_civil(text, axdr.OCTET_STRING) == octets else ""
    except ValueError:
        return ""
