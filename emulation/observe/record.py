"""The canonical record of an event, and the digest of a run: SHA-256 over all records in their order.

A record is one line of ASCII: the event's number (its place in `events.EVENTS`), then its fields, separated by
spaces; integers in decimal, octets in hexadecimal after an x, text in quotes as `ascii` writes it. It does not depend
on the interpreter, on how events were batched, or on who else watches. docs/evidence.md shows examples.

Neighbours: `tap` (feeds it), `metrics` (prints the digest), `gridglow verify` (compares it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any, get_type_hints

from emulation.observe.tap import pieces
from g3plc.core.errors import UsageError
from g3plc.events import EVENTS, Event

FLOW_FIELDS = ("flow", "kind", "session")
"""Integer fields that carry the observers' tags: left out when a run is compared with one whose tags are all zero."""

_FORMS: dict[type, str] = {int: "%d", bytes: "x%s", str: "%a"}


_TYPES: dict[type[Event], dict[str, type]] = {event: get_type_hints(event) for event in EVENTS}
_SHAPES = {event: tuple(types.values()) for event, types in _TYPES.items()}
_TEXTS = {event: [place for place, kind in enumerate(kinds) if kind is str] for event, kinds in _SHAPES.items()}


def field_types(event: type[Event]) -> dict[str, type]:
    """Return field name -> int, bytes or str, in the order of the fields."""
    return _TYPES[event]


class Digest:
    """Observer: the digest of the run so far. `leave_out` names fields that do not enter it."""

    __slots__ = ("_hash", "_plans", "events")

    def __init__(self, leave_out: Collection[str] = ()) -> None:
        self._hash = hashlib.sha256()
        self._plans = {event: _plan(number, event, leave_out) for number, event in enumerate(EVENTS)}
        self.events = 0

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        for piece in pieces(events):
            self._hash.update(self._records(piece).encode())
        self.events += len(events)

    def _records(self, events: Sequence[Event]) -> str:
        plans = self._plans
        lines: list[str] = []
        for event in events:
            template, octets_at = plans[event.__class__]
            if octets_at:
                values: list[Any] = list(event)
                values[octets_at] = values[octets_at].hex()
                lines.append(template % tuple(values))
            else:
                lines.append(template % event)
        return "".join(lines)

    def close(self) -> None:
        """Nothing to let go of."""

    def hexdigest(self) -> str:
        """Return the digest as 64 hexadecimal digits."""
        return self._hash.hexdigest()


class Strict:
    """Observer for tests: raises UsageError at the first event whose fields are not what the list says."""

    __slots__ = ()

    def observe(self, events: Sequence[Event]) -> None:
        """Check the next events."""
        for event in events:
            reason = ill_formed(event)
            if reason:
                raise UsageError(reason)

    def close(self) -> None:
        """Nothing to let go of."""


def ill_formed(event: Event) -> str:
    """Return what is wrong with an event's fields (number, type, ASCII), or an empty string."""
    # at a glance: hardly an event has anything wrong with it, and live each one is looked at
    fields: tuple[Any, ...] = event
    if tuple(map(type, fields)) != _SHAPES[event.__class__]:
        return _complaint(event)
    for place in _TEXTS[event.__class__]:
        if not fields[place].isascii():
            return _complaint(event)
    return ""


def _complaint(event: Event) -> str:
    name = type(event).__name__
    types = field_types(type(event))
    if len(event) != len(types):
        return f"{name}: {len(event)} fields instead of {len(types)}"
    for (field, kind), value in zip(types.items(), event, strict=True):
        if type(value) is not kind:
            return f"{name}.{field}: {value!r} is not {kind.__name__}"
        if kind is str and not str(value).isascii():
            return f"{name}.{field}: {value!r} is not ASCII"
    return ""


def _plan(number: int, event: type[Event], leave_out: Collection[str]) -> tuple[str, int]:
    """Return the template of one kind of event, and where its octets are (0: none; no kind has two such fields)."""
    parts = [str(number)]
    octets_at = 0
    for place, (field, kind) in enumerate(field_types(event).items()):
        if kind is bytes:
            octets_at = place
        if kind is int and field in leave_out:
            # a precision of 0 swallows the value: the field stays an argument and leaves no trace
            parts[-1] += "%.0s"
        else:
            parts.append(_FORMS[kind])
    return " ".join(parts) + "\n", octets_at
