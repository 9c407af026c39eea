"""Commands that become jobs of the coordinator: `cmd/read/17`, `set`, `action`, `discover`, `cmd/collect`.

Plain words are `key=value`; a bare word is the OBIS code of what is read, or the value of what is set. `value=` takes
the rest of the line. Neighbours: `commands`, `job_desk`; a scenario's `[[job]]` has the same keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from emulation.grid.fault import FaultError, seconds_us
from emulation.live.command_text import CommandError, Envelope, shown
from emulation.scenario import JobOrder
from g3plc.wire.data_text import parse_data

JOB_VERBS = ("read", "set", "action", "discover", "collect")

_KEYS = {
    "read": ("class", "obis", "attribute", "invoke_id", "hold"),
    "set": ("class", "obis", "attribute", "value", "invoke_id", "hold"),
    "action": ("class", "obis", "method", "value", "invoke_id", "hold"),
    "discover": (),
    "collect": (),
}
_DO = {"action": "act"}
_INTEGERS = {"class": (0, 0xFFFF), "attribute": (-128, 127), "method": (-128, 127), "invoke_id": (0, 0xFF)}
_BARE = {"read": "obis", "set": "value", "action": "value"}
_OBIS = "six numbers 0 to 255 like 1.0.1.8.0.255"
_MOST_VALUE = 2000


@dataclass(slots=True)
class JobCommand:
    """Something for the coordinator; the number of the job is still 0."""

    order: JobOrder


def job(verb: str, place: list[str], envelope: Envelope, stations: int) -> JobCommand:
    """Read a command of one of JOB_VERBS. Raises CommandError."""
    order = JobOrder(0, 0, _DO.get(verb, verb))
    if verb == "collect":
        if place:
            raise CommandError(f"nothing follows cmd/collect, not {shown('/'.join(place))}; allowed: cmd/collect")
    else:
        order.station = _meter("/".join(place), stations)
    fields = _plain(verb, envelope.text) if envelope.fields is None else envelope.fields
    for name in fields:
        if name not in _KEYS[verb]:
            allowed = ", ".join((*_KEYS[verb], "client", "id"))
            raise CommandError(f"{verb}: unknown key {shown(name)}; allowed: {allowed}")
    if _KEYS[verb]:
        _fill(order, verb, fields)
    return JobCommand(order)


def _meter(text: str, stations: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or not 1 <= int(text) < stations:
        raise CommandError(f"no meter {shown(text)}; allowed: 1 to {stations - 1}")
    return int(text)


def _plain(verb: str, text: str) -> dict[str, Any]:
    """The fields of plain words."""
    fields: dict[str, Any] = {}
    rest = text
    while rest:
        word, _, tail = rest.partition(" ")
        name, is_pair, value = word.partition("=")
        if not is_pair or name not in _KEYS[verb]:
            name, value = _BARE.get(verb, word), word
        if name == "value":
            value, tail = rest.removeprefix("value="), ""
        if name in fields:
            raise CommandError(f"{verb}: {name} is there twice; allowed: each key once")
        fields[name] = value
        rest = tail.strip()
    return fields


def _fill(order: JobOrder, verb: str, fields: dict[str, Any]) -> None:
    order.class_id = _integer(fields, "class", order.class_id)
    order.attribute = _integer(fields, "method" if verb == "action" else "attribute", order.attribute)
    order.invoke_id_and_priority = _integer(fields, "invoke_id", order.invoke_id_and_priority)
    if "obis" in fields:
        order.obis = _obis(fields["obis"])
    if "hold" in fields:
        order.hold_us = _seconds(fields["hold"])
    if "value" in fields:
        order.value = _value(fields["value"])
    elif verb == "set":
        raise CommandError("set: the value is missing; allowed: type:value, like unsigned:5")


def _integer(fields: dict[str, Any], name: str, default: int) -> int:
    value = fields.get(name, default)
    low, high = _INTEGERS[name]
    if type(value) is str and len(value) <= 6 and value.removeprefix("-").isdigit() and value.isascii():
        value = int(value)
    if type(value) is not int or not low <= value <= high:
        raise CommandError(f"{name}: {shown(value)}; allowed: whole numbers from {low} to {high}")
    return value


def _obis(text: Any) -> bytes:
    parts = text.split(".") if type(text) is str else []
    if len(parts) != 6 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        raise CommandError(f"obis: {shown(text)}; allowed: {_OBIS}")
    if max(map(int, parts)) > 255:
        raise CommandError(f"obis: {shown(text)}; allowed: {_OBIS}")
    return bytes(map(int, parts))


def _seconds(value: Any) -> int:
    text = format(value, "f") if type(value) is Decimal else str(value)
    try:
        return seconds_us(text)
    except FaultError:
        raise CommandError(f"hold: {shown(value)}; allowed: a number of seconds like 30 or 2.5") from None


def _value(text: Any) -> str:
    if type(text) is not str or len(text) > _MOST_VALUE:
        raise CommandError(f"value: {shown(text)}; allowed: type:value, like unsigned:5, as text")
    try:
        parse_data(text)
    except ValueError as error:
        raise CommandError(f"value: {error}") from None
    return text
