"""What the commands of `cmd/<verb>/<place>` mean: octets in, a checked order out, or CommandError.

    cmd/link/3-17, cable/212, station/17, noise/17, voltage/17     the words of faults (`emulation.grid.fault`)
    cmd/read/17, set/17, action/17                                 one COSEM attribute or method
    cmd/discover/17, cmd/collect                                   the coordinator looks for a route, reads all meters
    cmd/speed, cmd/step, cmd/reset                                 the clock and the run
    cmd/level/17                                                   how much a station logs; `all` for everybody

Plain words or JSON with the same fields. Neighbours: `command_text` reads payloads, `director` carries orders out,
`job_command` and `clock_command` read what is no fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from emulation.grid import fault
from emulation.grid.fault import FaultError, FaultOrder
from emulation.live.clock_command import ResetCommand, SpeedCommand, StepCommand, reset, speed, step
from emulation.live.command_text import CommandError, Envelope, shown
from emulation.live.job_command import JOB_VERBS, JobCommand, job
from emulation.live.topics import LEVELS


@dataclass(slots=True)
class FaultCommand:
    """A fault is to begin or to end."""

    order: FaultOrder


@dataclass(slots=True)
class LevelCommand:
    """A station (None: all) logs from this level on."""

    station: int | None
    level: str


@dataclass(slots=True)
class Bounds:
    """The feeder's size: stations are 0..`stations` - 1, LEDs 0..`leds` - 1."""

    stations: int
    leds: int


Command = FaultCommand | JobCommand | SpeedCommand | StepCommand | ResetCommand | LevelCommand

CLOCK_VERBS: dict[str, Callable[[Envelope], Command]] = {"speed": speed, "step": step, "reset": reset}
VERBS = (*fault.KINDS, *JOB_VERBS, *CLOCK_VERBS, "level")

_FAULT_KEYS = ("word", "value", "seconds", "power")


def parse(levels: list[str], envelope: Envelope, bounds: Bounds) -> Command:
    """Return the order of a command; `levels` is what follows `cmd` in its topic. Raises CommandError."""
    if envelope.problem:
        raise CommandError(envelope.problem)
    verb, place = (levels[0] if levels else ""), levels[1:]
    if verb in fault.KINDS:
        return FaultCommand(_fault(verb, place, envelope, bounds))
    if verb in JOB_VERBS:
        return job(verb, place, envelope, bounds.stations)
    if verb == "level":
        return _level(place, envelope, bounds.stations)
    read = CLOCK_VERBS.get(verb)
    if read is None:
        raise CommandError(f"unknown verb {shown(verb)}; allowed: {', '.join(VERBS)}")
    if place:
        raise CommandError(f"nothing follows cmd/{verb}, not {shown('/'.join(place))}; allowed: cmd/{verb}")
    return read(envelope)


def canonical(where: str) -> str:
    """Return the place of a link with the lower station first where it is meant both ways."""
    a, way, b = where.partition("-")
    return f"{min(int(a), int(b))}-{max(int(a), int(b))}" if way else "{}>{}".format(*map(int, where.split(">")))


def _fault(kind: str, place: list[str], envelope: Envelope, bounds: Bounds) -> FaultOrder:
    where = " ".join(place) if place[:1] == ["route"] else "/".join(place)
    if not where.isascii():
        raise CommandError(f"{kind} {shown(where)}: unknown place; allowed: {PLACES[kind]}")
    fields = envelope.fields
    words = envelope.text if fields is None else _words(fields)
    if not words.isascii():
        raise CommandError(f"{shown(words)}: unknown word; allowed: {', '.join(fault.WORDS[kind])}")
    try:
        order = fault.parse(kind, where, words, bounds.stations, bounds.leds)
    except FaultError as error:
        raise CommandError(_plain(str(error))) from None
    low, high = fault.RANGES.get(order.word, (0, 0))
    if not low <= order.value <= high:
        raise CommandError(f"{order.word} {shown(order.value)}; allowed: {low} to {high}")
    if kind == "link" and fault.route_of(order.where) is None:
        order.where = canonical(order.where)
    order.power = _power(kind, fields)
    return order


def _words(fields: dict[str, Any]) -> str:
    """The plain words of a fault that came as JSON. The word may be left out where the value says it all."""
    _known(fields, _FAULT_KEYS)
    parts = []
    word = fields.get("word", "")
    if type(word) is not str:
        raise CommandError(f"word: {shown(word)} is no text")
    parts.append(word)
    value, seconds = fields.get("value"), fields.get("seconds")
    if value is not None:
        if type(value) is not int:
            raise CommandError(f"value: {shown(value)}; allowed: a whole number")
        parts.append(str(value))
    if seconds is not None:
        if type(seconds) not in (int, Decimal):
            raise CommandError(f"seconds: {shown(seconds)}; allowed: a number of seconds like 30 or 2.5")
        parts += ["for", format(Decimal(seconds), "f")]
    return " ".join(parts).strip()


def _power(kind: str, fields: dict[str, Any] | None) -> bool:
    power = (fields or {}).get("power", False)
    if type(power) is not bool:
        raise CommandError(f"power: {shown(power)}; allowed: true, false")
    if power and kind != "cable":
        raise CommandError("power: has a meaning only for a cable; allowed there: true, false")
    return power


def _level(place: list[str], envelope: Envelope, stations: int) -> LevelCommand:
    where = "/".join(place)
    if where != "all" and not (where.isascii() and where.isdigit() and len(where) <= 5 and int(where) < stations):
        raise CommandError(f"no station {shown(where)}; allowed: 0 to {stations - 1}, or all")
    fields = envelope.fields
    if fields is not None:
        _known(fields, ("word",))
    word = envelope.text if fields is None else fields.get("word", "")
    if type(word) is not str or word not in LEVELS:
        raise CommandError(f"unknown level {shown(word)}; allowed: {', '.join(LEVELS)}")
    return LevelCommand(None if where == "all" else int(where), word)


def _known(fields: dict[str, Any], allowed: tuple[str, ...]) -> None:
    for name in fields:
        if name not in allowed:
            raise CommandError(f"unknown key {shown(name)}; allowed: {', '.join((*allowed, 'client', 'id'))}")


def _plain(reason: str) -> str:
    return reason.encode("ascii", "backslashreplace").decode("ascii")


PLACES = {
    "link": "two stations like 3-17 or 3>17, or route 17",
    "cable": "an LED, not the first",
    "station": "a station",
    "noise": "a station",
    "voltage": "a station",
}
"""What the last level of a fault's topic may be."""
