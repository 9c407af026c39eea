"""A-XDR `Data` as XML elements in the Gurux dialect, both ways.

Integers and octets are hex, padded to the width of the type; the reader takes shorter hex. Neighbours: `axdr` has the
types, `apdu_xml` places the elements.
"""

from __future__ import annotations

from typing import Final

from g3plc.core.errors import WireError
from g3plc.wire import axdr
from g3plc.wire.axdr import CompactArray, Data, TypeDescription
from g3plc.wire.axdr_compact import compact_contents, compact_items
from g3plc.wire.xml_tree import (
    Children,
    Element,
    branch,
    failure,
    hex_number,
    hex_octets,
    hex_text,
    is_text,
    leaf,
    only_child,
    value_of,
)

_NAMES: Final[dict[int, str]] = {
    axdr.NULL: "None",
    axdr.ARRAY: "Array",
    axdr.STRUCTURE: "Structure",
    axdr.BOOLEAN: "Boolean",
    axdr.BIT_STRING: "BitString",
    axdr.DOUBLE_LONG: "Int32",
    axdr.DOUBLE_LONG_UNSIGNED: "UInt32",
    axdr.OCTET_STRING: "OctetString",
    axdr.VISIBLE_STRING: "String",
    axdr.UTF8_STRING: "StringUTF8",
    axdr.BCD: "BCD",
    axdr.INTEGER: "Int8",
    axdr.LONG: "Int16",
    axdr.UNSIGNED: "UInt8",
    axdr.LONG_UNSIGNED: "UInt16",
    axdr.COMPACT_ARRAY: "CompactArray",
    axdr.LONG64: "Int64",
    axdr.LONG64_UNSIGNED: "UInt64",
    axdr.ENUM: "Enum",
    axdr.FLOAT32: "Float32",
    axdr.FLOAT64: "Float64",
    axdr.DATE_TIME: "DateTime",
    axdr.DATE: "Date",
    axdr.TIME: "Time",
    axdr.DONT_CARE: "DontCare",
}
_TAGS: Final = {name: tag for tag, name in _NAMES.items()}

_NUMBERS: Final[dict[int, tuple[int, bool]]] = {
    axdr.DOUBLE_LONG: (32, True),
    axdr.DOUBLE_LONG_UNSIGNED: (32, False),
    axdr.BCD: (8, False),
    axdr.INTEGER: (8, True),
    axdr.LONG: (16, True),
    axdr.UNSIGNED: (8, False),
    axdr.LONG_UNSIGNED: (16, False),
    axdr.LONG64: (64, True),
    axdr.LONG64_UNSIGNED: (64, False),
    axdr.ENUM: (8, False),
}
"""Tag to (bits, signed)."""

_OCTETS: Final[dict[int, int | None]] = {
    axdr.OCTET_STRING: None,
    axdr.FLOAT32: 4,
    axdr.FLOAT64: 8,
    axdr.DATE_TIME: 12,
    axdr.DATE: 5,
    axdr.TIME: 4,
}
"""Tag to the count of octets, None where any count goes."""

_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False, "01": True, "00": False}


def data_element(data: Data) -> Element:
    """Return the element of one value."""
    tag = data.tag
    name = _NAMES[tag]
    if tag in _NUMBERS:
        bits = _NUMBERS[tag][0]
        return leaf(name, f"{data.value & ((1 << bits) - 1):0{bits // 4}X}")
    if tag in _OCTETS:
        return leaf(name, data.value.hex().upper())
    if tag in (axdr.ARRAY, axdr.STRUCTURE):
        return Element(name, {"Qty": f"{len(data.value):02X}"}, [data_element(item) for item in data.value])
    if tag == axdr.BOOLEAN:
        return leaf(name, "true" if data.value else "false")
    if tag == axdr.BIT_STRING:
        return leaf(name, data.value)
    if tag == axdr.COMPACT_ARRAY:
        return _compact_element(data.value)
    if tag in (axdr.VISIBLE_STRING, axdr.UTF8_STRING):
        if is_text(data.value):
            return leaf(name, data.value)
        return Element(name, {"Hex": data.value.encode("utf-8").hex().upper()})
    return branch(name)


def element_data(element: Element, depth: int = 0) -> Data:
    """Return the value of one element; `WireError` with line and element for whatever does not fit."""
    tag = _tag_of(element)
    if tag in _NUMBERS:
        return Data(tag, hex_number(element, *_NUMBERS[tag]))
    if tag in _OCTETS:
        return Data(tag, hex_octets(element, _OCTETS[tag]))
    if tag in (axdr.ARRAY, axdr.STRUCTURE):
        _check_quantity(element)
        if depth >= axdr.MAX_DEPTH:
            raise failure(element, "data nested too deep")
        return Data(tag, tuple([element_data(child, depth + 1) for child in element.children]))
    if tag == axdr.BOOLEAN:
        return Data(tag, _boolean(element))
    if tag == axdr.BIT_STRING:
        return Data(tag, _bits(element))
    if tag == axdr.COMPACT_ARRAY:
        return Data(tag, _compact(element, depth))
    if tag in (axdr.VISIBLE_STRING, axdr.UTF8_STRING):
        return Data(tag, _string(element, "ascii" if tag == axdr.VISIBLE_STRING else "utf-8"))
    _check_empty(element)
    return Data(tag)


def _tag_of(element: Element) -> int:
    tag = _TAGS.get(element.tag)
    if tag is None:
        raise failure(element, "no data type of that name")
    return tag


def _check_empty(element: Element) -> None:
    if element.attributes or element.children:
        raise failure(element, "nothing expected inside")


def _check_quantity(element: Element) -> None:
    for name, text in element.attributes.items():
        if name != "Qty":
            raise failure(element, "attribute not expected")
        if hex_text(element, text, 32) != len(element.children):
            raise failure(element, "Qty is not the number of elements inside")


def _boolean(element: Element) -> bool:
    value = _BOOLEANS.get(value_of(element).strip().lower())
    if value is None:
        raise failure(element, "true or false expected")
    return value


def _bits(element: Element) -> str:
    bits = value_of(element).strip()
    if bits.strip("01"):
        raise failure(element, "a bit-string is written in 0 and 1")
    return bits


def _string(element: Element, encoding: str) -> str:
    if "Hex" not in element.attributes:
        text = value_of(element)
        if encoding == "ascii" and not text.isascii():
            raise failure(element, "ASCII expected")
        return text
    octets = hex_octets(Element(element.tag, {"Value": value_of(element, "Hex")}, [], element.line))
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError:
        raise failure(element, f"octets are not {encoding}") from None


def _compact_element(array: CompactArray) -> Element:
    return branch(
        _NAMES[axdr.COMPACT_ARRAY],
        branch("ContentsDescription", _description_element(array.description)),
        leaf("ArrayContents", compact_contents(array).hex().upper()),
    )


def _description_element(description: TypeDescription) -> Element:
    element = branch(_NAMES[description.tag], *[_description_element(part) for part in description.elements])
    if description.tag == axdr.ARRAY:
        element.attributes["Qty"] = f"{description.count:04X}"
    elif description.tag == axdr.STRUCTURE:
        element.attributes["Qty"] = f"{len(description.elements):02X}"
    return element


def _compact(element: Element, depth: int) -> CompactArray:
    children = Children(element)
    description = _description(only_child(children.take("ContentsDescription")), depth + 1)
    contents = hex_octets(children.take("ArrayContents"))
    children.done()
    try:
        return CompactArray(description, compact_items(description, contents))
    except WireError as problem:
        raise failure(element, problem.reason) from None


def _description(element: Element, depth: int) -> TypeDescription:
    tag = _tag_of(element)
    if tag == axdr.COMPACT_ARRAY:
        raise failure(element, "not allowed in a compact array")
    if tag not in (axdr.ARRAY, axdr.STRUCTURE):
        _check_empty(element)
        return TypeDescription(tag)
    if depth >= axdr.MAX_DEPTH:
        raise failure(element, "data nested too deep")
    parts = tuple([_description(child, depth + 1) for child in element.children])
    if tag == axdr.STRUCTURE:
        _check_quantity(element)
        return TypeDescription(tag, 0, parts)
    if element.attributes.keys() != {"Qty"} or len(parts) != 1:
        raise failure(element, "Qty and one type expected")
    return TypeDescription(tag, hex_text(element, element.attributes["Qty"], 16), parts)
