"""Payload of `event/<station>/<Kind>`: a msgpack map of the event's fields by name.

The same fields as in events.jsonl; octets are msgpack binary. `decode` takes any octets and raises PayloadError.
"""

from __future__ import annotations

from emulation.live.packing import pack, unpack
from emulation.live.topics import PayloadError
from emulation.observe.record import ill_formed
from g3plc.events import EVENTS, Event

MOST_OCTETS = 8192

_BY_NAME: dict[str, type[Event]] = {kind.__name__: kind for kind in EVENTS}
_FIELDS: dict[type[Event], tuple[str, ...]] = {kind: kind._fields for kind in EVENTS}


def encode(event: Event) -> bytes:
    """The payload of an event."""
    return pack(dict(zip(_FIELDS[event.__class__], event, strict=True)))


def decode(topic: str, kind: str, payload: bytes) -> Event:
    """The event of a payload that came in under this kind. Further fields are ignored. PayloadError."""
    wanted = _BY_NAME.get(kind)
    if wanted is None:
        raise PayloadError(topic, f"no event is called {kind[:40]!r}")
    fields = unpack(topic, payload, MOST_OCTETS)
    if type(fields) is not dict:
        raise PayloadError(topic, "no map")
    missing = [name for name in _FIELDS[wanted] if name not in fields]
    if missing:
        raise PayloadError(topic, f"fields are missing: {', '.join(missing)}")
    event = wanted(*(fields[name] for name in _FIELDS[wanted]))
    reason = ill_formed(event)
    if reason:
        raise PayloadError(topic, reason[:200])
    return event
