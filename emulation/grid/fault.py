"""The words of faults: one grammar for scenario files, MQTT topics and the command line.

    link     3-17 (both ways) or 3>17     down | up | weak <dB> | loss <percent>
    cable    212 (LED)                    cut | mend
    station  17                           off | on | reboot
    noise    17                           <dB> | clear
    voltage  17                           <volts> | clear

Any may be followed by `for <seconds>` of emulated time, after which it is undone. A link may also be named by the
route that uses it: `route 17` is the link to meter 17's last relay at the moment when the fault strikes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KINDS = ("link", "cable", "station", "noise", "voltage")
WORDS: dict[str, tuple[str, ...]] = {
    "link": ("down", "up", "weak <dB>", "loss <percent>"),
    "cable": ("cut", "mend"),
    "station": ("off", "on", "reboot"),
    "noise": ("<dB>", "clear"),
    "voltage": ("<volts>", "clear"),
}
ENDS = ("up", "mend", "on", "clear")
"""Words that end a fault instead of beginning one."""

RANGES: dict[str, tuple[int, int]] = {"weak": (1, 100), "loss": (1, 100), "noise": (1, 60), "voltage": (0, 400)}

_LINK = re.compile(r"(\d{1,5})([->])(\d{1,5})", re.ASCII)
_ROUTE = re.compile(r"route (\d{1,5})", re.ASCII)
_SECONDS = re.compile(r"(\d{1,9})(?:\.(\d{1,6}))?", re.ASCII)


class FaultError(ValueError):
    """A fault that cannot be understood; the message says what was wrong and what is allowed."""


@dataclass(slots=True)
class FaultOrder:
    """One fault as ordered. `where` as written; `word` without its value; `for_us` 0 means until further notice."""

    kind: str
    where: str
    word: str
    value: int = 0
    for_us: int = 0
    power: bool = False

    @property
    def ends(self) -> bool:
        """Whether this order ends faults."""
        return self.word in ENDS


def parse(kind: str, where: str, words: str, stations: int, leds: int) -> FaultOrder:
    """A fault from its kind, place and words, for a feeder of so many stations and LEDs. Raises FaultError."""
    if kind not in KINDS:
        raise FaultError(f"unknown fault {kind!r}; allowed: {', '.join(KINDS)}")
    order = FaultOrder(kind, _place(kind, where.strip(), stations, leds), "")
    parts = words.split()
    if len(parts) >= 2 and parts[-2] == "for":
        order.for_us = seconds_us(parts[-1])
        if not order.for_us:
            raise FaultError(f"'for {parts[-1]}': no time at all; allowed: more than 0 seconds")
        parts = parts[:-2]
    _set_word(order, parts)
    if order.for_us and order.ends:
        raise FaultError(f"{order.word!r} ends a fault: 'for' has no meaning there")
    if order.for_us and order.word == "reboot":
        raise FaultError("a reboot is over at once: 'for' has no meaning there; allowed: off for <seconds>")
    return order


def pairs(where: str) -> list[tuple[int, int]]:
    """The directed pairs of a link's place: both ways for `3-17`, one for `3>17`."""
    found = _LINK.fullmatch(where)
    if found is None:
        raise FaultError(f"link {where!r}: expected two stations like 3-17 or 3>17")
    a, way, b = int(found[1]), found[2], int(found[3])
    return [(a, b), (b, a)] if way == "-" else [(a, b)]


def route_of(where: str) -> int | None:
    """The meter of a place like `route 17`, None for any other place."""
    found = _ROUTE.fullmatch(where)
    return int(found[1]) if found else None


def seconds_us(text: str) -> int:
    """Seconds in decimal notation to microseconds, without a float on the way."""
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise FaultError(f"{text!r} is no number of seconds like 30 or 2.5")
    return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0"))


def _place(kind: str, where: str, stations: int, leds: int) -> str:
    if kind == "link":
        meter = route_of(where)
        if meter is not None:
            _check_station(meter, stations)
            return where
        for station in pairs(where)[0]:
            _check_station(station, stations)
        if len(set(pairs(where)[0])) == 1:
            raise FaultError(f"link {where!r}: a station has no link to itself")
        return where
    if not where.isascii() or not where.isdigit() or len(where) > 5:
        raise FaultError(f"{kind} {where!r}: expected a number")
    number = int(where)
    if kind == "cable":
        if not 1 <= number < leds:
            raise FaultError(f"cable {where}: no such LED; allowed: 1 to {leds - 1}")
    else:
        _check_station(number, stations)
    return str(number)


def _check_station(number: int, stations: int) -> None:
    if number >= stations:
        raise FaultError(f"unknown station {number}; allowed: 0 to {stations - 1}")


def _set_word(order: FaultOrder, parts: list[str]) -> None:
    kind, allowed = order.kind, ", ".join(WORDS[order.kind])
    if not parts:
        raise FaultError(f"{kind} {order.where}: a word is missing; allowed: {allowed}")
    word, rest = parts[0], parts[1:]
    if kind in ("noise", "voltage") and word not in ENDS:
        word, rest = kind, parts
    plain = [name.split()[0] for name in WORDS[kind] if "<" not in name.split()[0]]
    if word not in plain and word != kind:
        raise FaultError(f"{kind} {order.where}: unknown word {word!r}; allowed: {allowed}")
    order.word = word
    if word in RANGES:
        low, high = RANGES[word]
        if (
            len(rest) != 1
            or not rest[0].isascii()
            or not rest[0].isdigit()
            or len(rest[0]) > 9
            or not low <= int(rest[0]) <= high
        ):
            found = f", not {' '.join(rest)!r}" if rest else ""
            raise FaultError(f"{kind} {order.where}: {word} needs a whole number from {low} to {high}{found}")
        order.value = int(rest[0])
    elif rest:
        raise FaultError(
            f"{kind} {order.where}: {' '.join(rest)!r} after {word!r} is not understood; allowed: {allowed}"
        )
