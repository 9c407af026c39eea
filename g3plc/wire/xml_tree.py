"""A small element tree for the XML of APDUs: bounded parsing, attribute values, rendering (XML 1.0).

The reader accepts elements, attributes and comments only: no document type and thus no entities, no text between the
elements. Neighbours: `xml_data`, `xml_association` and `apdu_xml` give the elements their meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from g3plc.core.errors import WireError

MAX_CHARACTERS: Final = 8 * 1024 * 1024
MAX_ELEMENTS: Final = 70_000
"""Above one element for each octet of the largest APDU that the wrapper carries."""

MAX_DEPTH: Final = 64

_HEX: Final = re.compile(r"[0-9A-Fa-f]{1,64}")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


@dataclass(slots=True)
class Element:
    """One element. `line` is where it began in the text that was read, 0 where it was made here."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    line: int = 0


def branch(tag: str, *children: Element) -> Element:
    """Return an element without attributes."""
    return Element(tag, {}, list(children))


def leaf(tag: str, value: str) -> Element:
    """Return an element with the attribute Value alone."""
    return Element(tag, {"Value": value})


def failure(element: Element, reason: str) -> WireError:
    """Return the error that says where and in which element something is wrong."""
    return WireError(f"line {element.line}: <{_shown(element.tag)}>: {reason}")


def _shown(text: str) -> str:
    return ascii(text[:40])[1:-1]


def render(element: Element, indent: str = "") -> str:
    """Return the element as text, two blanks for each level, ending with a line feed."""
    lines: list[str] = []
    _render(element, indent, lines)
    return "\n".join(lines) + "\n"


def _render(element: Element, indent: str, lines: list[str]) -> None:
    attributes = "".join(f' {name}="{value.translate(_ESCAPES)}"' for name, value in element.attributes.items())
    if not element.children:
        lines.append(f"{indent}<{element.tag}{attributes} />")
        return
    lines.append(f"{indent}<{element.tag}{attributes}>")
    for child in element.children:
        _render(child, indent + "  ", lines)
    lines.append(f"{indent}</{element.tag}>")


def is_text(value: str) -> bool:
    """Return whether XML can carry every character of `value`."""
    return _NOT_XML.search(value) is None


class _Builder:
    """Receives what the parser finds; refuses everything but nested elements within bounds."""

    __slots__ = ("_count", "_open", "_parser", "root")

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        self._open: list[Element] = []
        self._count = 0
        self.root: Element | None = None
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._document_type

    def _refuse(self, reason: str) -> WireError:
        return WireError(f"line {self._parser.CurrentLineNumber}: {reason}")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise self._refuse("too many elements")
        if len(self._open) >= MAX_DEPTH:
            raise self._refuse("elements nested too deep")
        element = Element(tag, attributes, [], self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, tag: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if text.strip():
            raise self._refuse(f"text not expected: {_shown(text.strip())}")

    def _document_type(self, *declaration: object) -> None:
        raise self._refuse("document type not allowed")


def parse(text: str) -> Element:
    """Return the root element of `text`. `WireError` with the line for whatever is not allowed or not well formed."""
    if len(text) > MAX_CHARACTERS:
        raise WireError("XML too long")
    parser = expat.ParserCreate("utf-8")
    builder = _Builder(parser)
    try:
        parser.Parse(text.encode("utf-8"), True)
    except UnicodeEncodeError:
        raise WireError("XML holds half a surrogate pair") from None
    except expat.ExpatError as problem:
        raise WireError(f"line {problem.lineno}: {expat.ErrorString(problem.code)}") from None
    if builder.root is None:
        raise WireError("XML without element")
    return builder.root


class Children:
    """The children of one element, taken one by one by name, in any order."""

    __slots__ = ("_element", "_left")

    def __init__(self, element: Element) -> None:
        if element.attributes:
            raise failure(element, "attribute not expected")
        self._element = element
        self._left = list(element.children)

    def optional(self, tag: str) -> Element | None:
        """Return the first child of that name and take it away, or None."""
        for place, child in enumerate(self._left):
            if child.tag == tag:
                return self._left.pop(place)
        return None

    def take(self, tag: str) -> Element:
        """Return the first child of that name and take it away; `WireError` where there is none."""
        child = self.optional(tag)
        if child is None:
            raise failure(self._element, f"<{tag}> missing")
        return child

    def done(self) -> None:
        """Refuse children that were not taken."""
        if self._left:
            raise failure(self._left[0], "not expected here")


def only_child(element: Element) -> Element:
    """Return the one child of an element without attributes."""
    if element.attributes:
        raise failure(element, "attribute not expected")
    if len(element.children) != 1:
        raise failure(element, "exactly one element expected inside")
    return element.children[0]


def value_of(element: Element, name: str = "Value") -> str:
    """Return the attribute `name`, which must be all that the element has."""
    if element.children:
        raise failure(element.children[0], "not expected here")
    if element.attributes.keys() != {name}:
        raise failure(element, f"exactly the attribute {name} expected")
    return element.attributes[name]


def hex_text(element: Element, text: str, bits: int) -> int:
    """Return the unsigned number that hex digits of any count give; it must fit into `bits`."""
    digits = text.strip()
    if _HEX.fullmatch(digits) is None:
        raise failure(element, f"hex digits expected, not {_shown(text)!r}")
    number = int(digits, 16)
    if number >> bits:
        raise failure(element, f"more than {bits} bits")
    return number


def hex_number(element: Element, bits: int, signed: bool = False) -> int:
    """Return the Value as a number of `bits`; where `signed`, in two's complement."""
    number = hex_text(element, value_of(element), bits)
    return number - (1 << bits) if signed and number >> (bits - 1) else number


def hex_octets(element: Element, size: int | None = None) -> bytes:
    """Return the Value as octets, whose count must be `size` where that is given."""
    text = value_of(element)
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        raise failure(element, f"pairs of hex digits expected, not {_shown(text)!r}") from None
    if size is not None and len(octets) != size:
        raise failure(element, f"{size} octets expected, not {len(octets)}")
    return octets


def named_number(element: Element, names: dict[str, int]) -> int:
    """Return the Value as a number of eight bits: by name (case does not matter) or in hex."""
    text = value_of(element).strip()
    folded = text.lower()
    for name, number in names.items():
        if name.lower() == folded:
            return number
    if _HEX.fullmatch(text) is None:
        raise failure(element, f"{_shown(text)!r} is none of {', '.join(names)}")
    return hex_text(element, text, 8)


def number_name(number: int, names: dict[str, int]) -> str:
    """Return the name of `number`, or two hex digits where it has none."""
    for name, known in names.items():
        if known == number:
            return name
    return f"{number:02X}"
