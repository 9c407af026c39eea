"""The first and the last line of events.jsonl: what they must hold, checked key by key.

They come from outside, and all that is made of a record depends on them. A refusal names file, line, key and what is
expected. Neighbour: `jsonl` (the lines between, one for each event).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

from emulation.observe.facts import RunFacts

FORMAT = 1
MOST_US = 10**17
"""Latest emulated time of an event, microseconds: three thousand years, which every calendar here can name."""

_MOST_NAME = 1000
_MOST_SHOWN = 60
_HEX_DIGITS = frozenset("0123456789abcdef")

Check = tuple[str, Callable[[Any], bool]]
"""(what is expected, whether a value is that)."""


class EvidenceError(Exception):
    """A file of evidence that cannot be read: which, where, why."""

    def __init__(self, path: Path | str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}" if line else f"{path}: {reason}")
        self.path = Path(path)
        self.line = line
        self.reason = reason


def shown(value: object) -> str:
    """A value for a message: one line of ASCII, not too long."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):
        return "something beyond all measure"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _whole(least: int, most: int) -> Check:
    return f"a whole number, {least} to {most}", lambda value: type(value) is int and least <= value <= most


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_NAME and _is_text(value)


def _is_text(value: object) -> bool:
    """Text that can be written to a file: a lone half of a surrogate pair cannot."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(_is_text(key) and _is_text(text) for key, text in value.items())


def _is_figure(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))


_NAME: Check = f"text of at most {_MOST_NAME} letters", _is_name
_FIGURE: Check = "a number, true or false", _is_figure
_HEADER: dict[str, Check] = {
    "scenario": _NAME,
    "seed": _whole(0, 2**63 - 1),
    "feeder": _NAME,
    "feeder_sha256": _NAME,
    "epoch_s": _whole(0, 2**33),
    "profile": _NAME,
    "meters": _whole(0, 0x7FFF),
    "version": _NAME,
    "pan": _whole(0, 0xFFFF),
    "texts": ("texts by name", _are_texts),
}
_OPTIONAL = ("pan", "texts")
_DIGEST: Check = (
    "hexadecimal digits",
    lambda value: isinstance(value, str) and bool(value) and _HEX_DIGITS.issuperset(value),
)


def facts_in(path: Path, line: str) -> RunFacts:
    """The header that is the first line of the file at `path`. EvidenceError."""
    try:
        found = json.loads(line)
        form = found.pop("gridglow")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise EvidenceError(path, 1, "not the events of a run (no header)") from error
    if type(form) is not int or form != FORMAT:
        raise EvidenceError(path, 1, f"format {shown(form)}, this program reads {FORMAT}")
    for key in found:
        if key not in _HEADER:
            raise EvidenceError(path, 1, f"header: {shown(key)} is unknown; allowed: {', '.join(_HEADER)}")
    for key, check in _HEADER.items():
        if key in found:
            _checked(path, 1, f"header: {key}", found[key], check)
        elif key not in _OPTIONAL:
            raise EvidenceError(path, 1, f"header: {key} is missing; expected {check[0]}")
    return RunFacts(**found)


def figures_in(path: Path, number: int, found: Any) -> dict[str, Any]:
    """What the `end` of the file at `path`, its line `number`, holds: numbers of the host's, and the digest."""
    if not isinstance(found, dict):
        raise EvidenceError(path, number, f"end: {shown(found)}; expected figures by name")
    for key, value in found.items():
        _checked(path, number, f"end: {shown(key)[1:-1]}", value, _DIGEST if key == "digest" else _FIGURE)
    return found


def _checked(path: Path, number: int, key: str, value: Any, check: Check) -> None:
    expected, right = check
    if not right(value):
        raise EvidenceError(path, number, f"{key}: {shown(value)}; expected {expected}")
