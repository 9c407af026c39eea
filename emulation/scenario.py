"""A scenario: feeder, parameters, jobs for the coordinator, timed faults. A TOML file becomes checked data.

Every error names the file, the line, the key, and what is allowed. Times are decimal seconds of emulated time after
the start and become integer microseconds without passing through a float. docs/scenarios.md describes every key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

from emulation.grid import fault
from emulation.grid.feeder import Feeder, FeederError
from emulation.media.channel_config import ChannelConfig
from emulation.scenario_line import line_of
from emulation.scenario_parameters import Range, adp_ranges, check_together, mac_ranges
from g3plc.core.errors import UsageError
from g3plc.loadng.profiles import PROFILES
from g3plc.wire.data_text import parse_data

VERBS = ("discover", "read", "set", "act", "collect")
ORDERS = ("near", "far", "number")
DEFAULT_OBIS = "1.0.1.8.0.255"
MOST_SHOWN = 80
FIRST_YEAR, LAST_YEAR = 1971, 2199


_REQUEST = ("at", "do", "station", "class", "obis", "invoke_id", "hold")
_JOB_KEYS: dict[str, tuple[str, ...]] = {
    "discover": ("at", "do", "station"),
    "read": (*_REQUEST, "attribute"),
    "set": (*_REQUEST, "attribute", "value"),
    "act": (*_REQUEST, "method", "value"),
    "collect": ("at", "do"),
}


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message is `file:line: key: what was wrong; what is allowed`."""


@dataclass(slots=True)
class JobOrder:
    """Something for the coordinator to do at `at_us`. `value` is the text form of a COSEM value (`wire.data_text`).

    `hold_us`: how long an association stands before the request is sent, so that something can happen meanwhile.
    """

    job: int
    at_us: int
    verb: str
    station: int = 0
    class_id: int = 3
    obis: bytes = bytes((1, 0, 1, 8, 0, 255))
    attribute: int = 2
    value: str = ""
    invoke_id_and_priority: int = 0xC1
    hold_us: int = 0


@dataclass(slots=True)
class TimedFault:
    """A fault that begins at `at_us`."""

    at_us: int
    order: fault.FaultOrder


@dataclass(slots=True)
class CollectionPlan:
    """How the coordinator reads its meters.

    `order`: near (few hops first), far, number. `parallel`: sessions at a time. `tries`: per request.
    `timeout_us`: wait for an answer, once the request has left. `rounds`: passes over the meters not yet read.
    `pause_us`: between rounds.
    """

    order: str = "near"
    parallel: int = 1
    tries: int = 4
    timeout_us: int = 3_000_000
    rounds: int = 3
    pause_us: int = 5_000_000


@dataclass(slots=True)
class Scenario:
    """All that a run depends on, beside the program itself."""

    name: str
    title: str
    feeder: Feeder
    text: str
    profile: str = "demo"
    seed: int = 1
    epoch_s: int = 0
    speed_permille: int = 1000
    limit_us: int = 0
    channel: ChannelConfig = field(default_factory=ChannelConfig)
    mac: dict[str, int] = field(default_factory=dict)
    adp: dict[str, int] = field(default_factory=dict)
    collection: CollectionPlan = field(default_factory=CollectionPlan)
    jobs: list[JobOrder] = field(default_factory=list)
    faults: list[TimedFault] = field(default_factory=list)

    @property
    def meters(self) -> int:
        """Number of meters; stations are these and the coordinator."""
        return len(self.feeder.stations) - 1


def shipped() -> list[str]:
    """Names of the scenarios that come with the package."""
    folder = resources.files("emulation") / "scenarios"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load(name: str) -> Scenario:
    """A shipped scenario by its name, or one from a file by its path. Raises ScenarioError."""
    if name in shipped():
        text = (resources.files("emulation") / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
        return loads(text, f"{name}.toml", None)
    path = Path(name)
    try:
        if path.suffix != ".toml" and not path.is_file():
            raise ScenarioError(f"no scenario {name!r}; shipped: {', '.join(shipped())}; or name a .toml file")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{name}: not UTF-8 at octet {error.start}") from error
    return loads(text, str(path), path.parent)


def loads(text: str, file: str, folder: Path | None, feeder_text: str | None = None) -> Scenario:
    """A scenario from TOML text; `folder` is where relative feeder paths start. Raises ScenarioError.

    With `feeder_text` that feeder is used, whatever the scenario names.
    """
    try:
        tree = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{file}:{_line_in(text, str(error))}: not TOML: {error}") from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ScenarioError(f"{file}:1: not TOML: a number or a nesting beyond all measure") from error
    return _Reader(text, file, folder, feeder_text).scenario(tree)


def _line_in(text: str, message: str) -> int:
    """The line that the TOML parser's message names, or the last."""
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else max(1, len(text.splitlines()))


def _shown(value: object) -> str:
    """A value of the file for an error message: one line, not too long."""
    try:
        text = str(value) if isinstance(value, Decimal) else repr(value)
    except (ValueError, RecursionError):
        text = "a number beyond all measure"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


class _Reader:
    """Checks a parsed tree key by key; knows where each key stands for its error messages."""

    def __init__(self, text: str, file: str, folder: Path | None, feeder_text: str | None) -> None:
        self._text = text
        self._file = file
        self._folder = folder
        self._feeder_text = feeder_text

    def scenario(self, tree: dict[str, Any]) -> Scenario:
        allowed = ("title", "feeder", "profile", "seed", "start", "speed", "limit", "channel", "mac", "adp",
                   "collection", "job", "fault")  # fmt: skip
        self._known(tree, "", allowed)
        feeder = self._feeder(self._string(tree, "", "feeder", "board"))
        # a file's name may hold what no other file can: octets that are no text, control characters
        name = "".join(letter if letter.isprintable() else "?" for letter in Path(self._file).stem)
        scenario = Scenario(
            name=name,
            title=self._string(tree, "", "title", name),
            feeder=feeder,
            text=self._text,
            profile=self._choice(tree, "", "profile", "demo", tuple(PROFILES)),
            seed=self._int(tree, "", "seed", 1, 0, 2**63 - 1),
            epoch_s=self._start(tree),
            speed_permille=self._us(tree, "", "speed", 1_000_000) // 1000,
            limit_us=self._us(tree, "", "limit", 86_400_000_000),
            mac=self._parameters(tree, "mac", mac_ranges()),
            adp=self._parameters(tree, "adp", adp_ranges()),
            channel=self._channel(tree),
            collection=self._collection(tree),
        )
        try:
            check_together(scenario.profile, scenario.mac, scenario.adp)
        except UsageError as error:
            raise self._error("", "mac", str(error)) from error
        scenario.jobs = [self._job(item, i, feeder) for i, item in enumerate(self._tables(tree, "job"))]
        scenario.faults = [self._fault(item, i, feeder) for i, item in enumerate(self._tables(tree, "fault"))]
        return scenario

    # -- parts

    def _feeder(self, name: str) -> Feeder:
        try:
            if self._feeder_text is not None:
                return Feeder.loads(self._feeder_text, name)
            path = self._folder / name if self._folder is not None and "." in name else name
            return Feeder.load(str(path))
        except FeederError as error:
            raise self._error("", "feeder", str(error)) from error

    def _start(self, tree: dict[str, Any]) -> int:
        start = tree.get("start", datetime(2026, 11, 23, 0, 0, tzinfo=UTC))
        if not isinstance(start, datetime) or start.tzinfo is None or start.microsecond:
            raise self._error("", "start", "expected a whole second with time zone, like 2026-11-23T01:00:00Z")
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            raise self._error("", "start", f"year {start.year}; allowed: {FIRST_YEAR} to {LAST_YEAR}")
        return int(start.timestamp())

    def _channel(self, tree: dict[str, Any]) -> ChannelConfig:
        numbers = self._numbers(tree, "channel")
        for key, value in numbers.items():
            try:
                ChannelConfig.of({key: value})
            except UsageError as error:
                raise self._error("channel", key, str(error).removeprefix(f"{key}: ")) from error
        return ChannelConfig.of(numbers)

    def _parameters(self, tree: dict[str, Any], name: str, ranges: dict[str, Range]) -> dict[str, int]:
        if isinstance(tree.get(name), dict):
            self._known(tree[name], name, tuple(sorted(ranges)))
        numbers = self._numbers(tree, name)
        for key in numbers:
            self._int(numbers, name, key, None, *ranges[key])
        return numbers

    def _collection(self, tree: dict[str, Any]) -> CollectionPlan:
        table = tree.get("collection", {})
        if not isinstance(table, dict):
            raise self._error("", "collection", "expected a table [collection]")
        self._known(table, "collection", ("order", "parallel", "tries", "timeout", "rounds", "pause"))
        return CollectionPlan(
            order=self._choice(table, "collection", "order", "near", ORDERS),
            parallel=self._int(table, "collection", "parallel", 1, 1, 64),
            tries=self._int(table, "collection", "tries", 4, 1, 20),
            timeout_us=self._us(table, "collection", "timeout", 3_000_000),
            rounds=self._int(table, "collection", "rounds", 3, 1, 100),
            pause_us=self._us(table, "collection", "pause", 5_000_000),
        )

    def _job(self, item: dict[str, Any], index: int, feeder: Feeder) -> JobOrder:
        where = f"job[{index}]"
        verb = self._choice(item, where, "do", None, VERBS)
        self._known(item, where, _JOB_KEYS[verb])
        job = JobOrder(index + 1, self._us(item, where, "at", 0), verb)
        if verb == "collect":
            return job
        job.station = self._int(item, where, "station", None, 1, len(feeder.stations) - 1)
        if verb == "discover":
            return job
        job.class_id = self._int(item, where, "class", 3, 0, 0xFFFF)
        job.obis = self._obis(item, where)
        job.attribute = self._int(item, where, "method" if verb == "act" else "attribute", 2, -128, 127)
        job.invoke_id_and_priority = self._int(item, where, "invoke_id", 0xC1, 0, 0xFF)
        job.hold_us = self._us(item, where, "hold", 0)
        job.value = self._string(item, where, "value", "" if verb != "set" else None)
        if job.value:
            self._checked(where, "value", parse_data, job.value)
        return job

    def _fault(self, item: dict[str, Any], index: int, feeder: Feeder) -> TimedFault:
        where = f"fault[{index}]"
        self._known(item, where, ("at", *fault.KINDS, "word", "value", "seconds", "power"))
        kinds = [kind for kind in fault.KINDS if kind in item]
        if len(kinds) != 1:
            raise self._error(where, "", f"expected exactly one of {', '.join(fault.KINDS)}")
        words = self._string(item, where, "word", "")
        if "value" in item:
            words = f"{words} {_shown(item['value'])}".strip()
        if "seconds" in item:
            words = f"{words} for {_shown(item['seconds'])}"
        place = item[kinds[0]] if isinstance(item[kinds[0]], str) else _shown(item[kinds[0]])
        order = self._checked(
            where, kinds[0], lambda text: fault.parse(kinds[0], place, text, len(feeder.stations), feeder.leds), words
        )
        order.power = self._power(item, where, order.kind)
        return TimedFault(self._us(item, where, "at", None), order)

    def _power(self, item: dict[str, Any], where: str, kind: str) -> bool:
        power = item.get("power", False)
        if not isinstance(power, bool):
            raise self._error(where, "power", f"{_shown(power)}; allowed: true, false")
        if power and kind != "cable":
            raise self._error(where, "power", f"means nothing for a {kind}; allowed: with cable")
        return power

    # -- values

    def _error(self, table: str, key: str, reason: str) -> ScenarioError:
        place = ".".join(part for part in (table, key) if part)
        if not place.isprintable():
            place = ascii(place)
        return ScenarioError(f"{self._file}:{line_of(self._text, table, key)}: {place}: {reason}")

    def _known(self, table: dict[str, Any], where: str, allowed: tuple[str, ...]) -> None:
        for key in table:
            if key not in allowed:
                raise self._error(where, key, f"unknown key here; allowed: {', '.join(allowed)}")

    def _tables(self, tree: dict[str, Any], key: str) -> list[dict[str, Any]]:
        items = tree.get(key, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._error("", key, f"expected tables [[{key}]]")
        return items

    def _value(self, table: dict[str, Any], where: str, key: str, default: Any) -> Any:
        if key in table:
            return table[key]
        if default is None:
            raise self._error(where, key, "is missing")
        return default

    def _string(self, table: dict[str, Any], where: str, key: str, default: str | None) -> str:
        value = self._value(table, where, key, default)
        if not isinstance(value, str):
            raise self._error(where, key, f"{_shown(value)} is no text; allowed: a text in quotes")
        return value

    def _choice(
        self, table: dict[str, Any], where: str, key: str, default: str | None, allowed: tuple[str, ...]
    ) -> str:
        value = self._value(table, where, key, default)
        if not isinstance(value, str) or value not in allowed:
            raise self._error(where, key, f"{_shown(value)} is unknown; allowed: {', '.join(allowed)}")
        return value

    def _int(self, table: dict[str, Any], where: str, key: str, default: int | None, low: int, high: int) -> int:
        value = self._value(table, where, key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._error(where, key, f"{_shown(value)}; allowed: whole numbers from {low} to {high}")
        return value

    def _us(self, table: dict[str, Any], where: str, key: str, default: int | None) -> int:
        """Seconds of a key, as microseconds."""
        if key not in table and default is not None:
            return default
        value = self._value(table, where, key, None)
        number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if not number or not Decimal(value).is_finite() or not 0 <= value <= 10**8 or Decimal(value) * 1_000_000 % 1:
            raise self._error(where, key, f"{_shown(value)}; allowed: 0 to 100000000 with at most six decimals")
        return int(Decimal(value) * 1_000_000)

    def _numbers(self, tree: dict[str, Any], name: str) -> dict[str, int]:
        table = tree.get(name, {})
        if not isinstance(table, dict):
            raise self._error("", name, f"expected a table [{name}]")
        for key, value in table.items():
            if not isinstance(value, int) or isinstance(value, bool):
                raise self._error(name, key, f"{_shown(value)} is no whole number")
        return dict(table)

    def _obis(self, item: dict[str, Any], where: str) -> bytes:
        text = self._string(item, where, "obis", DEFAULT_OBIS)
        parts = text.split(".")
        if len(parts) != 6 or not all(part.isascii() and part.isdigit() and int(part[:4]) <= 255 for part in parts):
            raise self._error(where, "obis", f"{_shown(text)}; expected six numbers like {DEFAULT_OBIS}")
        return bytes(int(part) for part in parts)

    def _checked(self, where: str, key: str, parse: Callable[[str], Any], text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise self._error(where, key, str(error)) from error
