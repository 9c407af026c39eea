"""The JSON records of a live run, written on one side and read on the other.

Each class gives its payload with `encode()` and is read with `decode(topic, payload)`, which raises PayloadError for
anything that is not such a record. `run` (32 bit) names one life of an emulation; a record of another run is of no use.
Who writes what: run, clock, fault, job and the answers to sync the director; keep, status, job results and sync
the stations' processes. Schemas of the payloads are in docs/topics.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulation.grid import fault
from emulation.live.air import MOST_RUN, MOST_US
from emulation.live.json_fields import MOST_INTEGER, Fields, dump
from emulation.live.topics import MOST_STATIONS, PayloadError
from emulation.scenario import VERBS, JobOrder

MOST_PERMILLE = 16_000
LEAST_PERMILLE = 50
"""Speeds other than 0 (a pause), in thousandths of real time."""

_NAME = 120
_TEXT = 200_000
_MOST_ID = 0xFFFFFFFF
_MOST_DETAIL = 2_000
_JOB_STATES = ("accepted", "done", "failed")


@dataclass(slots=True)
class RunRecord:
    """What all stations of a run must agree upon.

    `epoch_s`: civil time (seconds since 1970, UTC) at emulated time 0. `text`: the scenario as TOML, from which the
    stations take the parameters that are not fields of their own.
    """

    run: int
    seed: int
    epoch_s: int
    profile: str
    feeder: str
    feeder_sha256: str
    scenario: str
    text: str = ""

    def encode(self) -> bytes:
        """The payload."""
        return dump(
            {"run": self.run, "seed": self.seed, "epoch": self.epoch_s, "profile": self.profile,
             "feeder": self.feeder, "feeder_sha256": self.feeder_sha256, "scenario": self.scenario, "text": self.text}
        )  # fmt: skip

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> RunRecord:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        return cls(
            fields.integer("run", 0, MOST_RUN),
            fields.integer("seed", 0, MOST_INTEGER),
            fields.integer("epoch", 0, MOST_RUN),
            fields.text("profile", _NAME),
            fields.text("feeder", _NAME),
            fields.text("feeder_sha256", 64),
            fields.text("scenario", _NAME),
            fields.text("text", _TEXT, ""),
        )


@dataclass(slots=True)
class ClockRecord:
    """From `wall_ns` (UNIX nanoseconds) on, emulated = `emulated_us` + (wall - wall_ns) x speed. Speed in permille.

    `generation` counts up; a record that is not newer than the last one is ignored.
    """

    run: int
    generation: int
    wall_ns: int
    emulated_us: int
    speed_permille: int

    def encode(self) -> bytes:
        """The payload."""
        return dump(
            {"run": self.run, "generation": self.generation, "wall_ns": self.wall_ns,
             "emulated_us": self.emulated_us, "speed": self.speed_permille / 1000}
        )  # fmt: skip

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> ClockRecord:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        speed = fields.permille("speed", 0, MOST_PERMILLE)
        if 0 < speed < LEAST_PERMILLE:
            raise fields.error("speed", f"{speed / 1000:g}; allowed: 0, or {LEAST_PERMILLE / 1000:g} to 16")
        return cls(
            fields.integer("run", 0, MOST_RUN),
            fields.integer("generation", 0, MOST_INTEGER),
            fields.integer("wall_ns", 0, MOST_INTEGER),
            fields.integer("emulated_us", 0, MOST_US),
            speed,
        )


@dataclass(slots=True)
class FaultRecord:
    """A fault in force from `from_us` to `until_us` (0: until further notice); an empty payload clears it.

    `order` holds kind, place, word and value; `owner` is who asked for it.
    """

    run: int
    id: int
    order: fault.FaultOrder
    from_us: int
    until_us: int
    owner: str

    def encode(self) -> bytes:
        """The payload."""
        order = self.order
        return dump(
            {"run": self.run, "id": self.id, "kind": order.kind, "where": order.where, "word": order.word,
             "value": order.value, "power": order.power, "from_us": self.from_us, "until_us": self.until_us,
             "owner": self.owner}
        )  # fmt: skip

    @classmethod
    def decode(cls, topic: str, payload: bytes, stations: int, leds: int) -> FaultRecord:
        """Read a payload, for a feeder of so many stations and LEDs. PayloadError."""
        fields = Fields(topic, payload)
        kind = fields.choice("kind", fault.KINDS)
        where, word = fields.text("where", _NAME), fields.text("word", _NAME)
        value = fields.integer("value", 0, 100_000, 0)
        words = {"noise": str(value), "voltage": str(value), "weak": f"weak {value}", "loss": f"loss {value}"}
        try:
            order = fault.parse(kind, where, words.get(word, word), stations, leds)
        except fault.FaultError as error:
            raise PayloadError(topic, str(error)) from error
        if kind == "link" and fault.route_of(where) is not None:
            raise fields.error("where", f"{where!r} names no two stations")
        order.power = fields.flag("power", False)
        from_us = fields.integer("from_us", 0, MOST_US)
        until_us = fields.integer("until_us", 0, MOST_US, 0)
        return cls(
            fields.integer("run", 0, MOST_RUN),
            fields.integer("id", 0, _MOST_ID),
            order,
            from_us,
            until_us,
            fields.text("owner", _NAME, ""),
        )


@dataclass(slots=True)
class JobRecord:
    """A job for the coordinator. `order.at_us` is not carried: it is to be done now."""

    run: int
    order: JobOrder

    def encode(self) -> bytes:
        """The payload."""
        order = self.order
        arguments = {
            "class": order.class_id, "obis": ".".join(map(str, order.obis)), "attribute": order.attribute,
            "value": order.value, "invoke_id": order.invoke_id_and_priority, "hold_us": order.hold_us,
        }  # fmt: skip
        return dump(
            {"run": self.run, "id": order.job, "verb": order.verb, "station": order.station, "arguments": arguments}
        )

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> JobRecord:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        arguments = Fields(topic, dump(fields.table("arguments", {})))
        verb = fields.choice("verb", VERBS)
        order = JobOrder(
            fields.integer("id", 0, _MOST_ID),
            0,
            verb,
            fields.integer("station", 0, MOST_STATIONS, 0),
            arguments.integer("class", 0, 0xFFFF, 3),
            _obis(arguments),
            arguments.integer("attribute", -128, 127, 2),
            arguments.text("value", _MOST_DETAIL, ""),
            arguments.integer("invoke_id", 0, 0xFF, 0xC1),
            arguments.integer("hold_us", 0, MOST_US, 0),
        )
        return cls(fields.integer("run", 0, MOST_RUN), order)


@dataclass(slots=True)
class JobResult:
    """How a job goes: accepted, then done or failed. `detail` in plain words."""

    run: int
    id: int
    status: str
    detail: str

    def encode(self) -> bytes:
        """The payload."""
        return dump({"run": self.run, "id": self.id, "status": self.status, "detail": self.detail[:_MOST_DETAIL]})

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> JobResult:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        return cls(
            fields.integer("run", 0, MOST_RUN),
            fields.integer("id", 0, _MOST_ID),
            fields.choice("status", _JOB_STATES),
            fields.text("detail", _MOST_DETAIL, ""),
        )


@dataclass(slots=True)
class KeepRecord:
    """What a station's next life goes on from. `clean`: the life ended in order, nothing has happened since.

    `stack` and `application` are what station and application keep.
    """

    run: int
    boot: int
    clean: bool
    stack: dict[str, Any] = field(default_factory=dict)
    application: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The payload."""
        return dump(
            {"run": self.run, "boot": self.boot, "clean": self.clean, "stack": self.stack,
             "application": self.application}
        )  # fmt: skip

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> KeepRecord:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        return cls(
            fields.integer("run", 0, MOST_RUN),
            fields.integer("boot", 0, _MOST_ID),
            fields.flag("clean"),
            fields.table("stack", {}),
            fields.table("application", {}),
        )


@dataclass(slots=True)
class SyncRecord:
    """A question for the director's time (`sent_ns`), or its answer with its own time added (`director_ns` > 0)."""

    sent_ns: int
    director_ns: int = 0

    def encode(self) -> bytes:
        """The payload."""
        fields = {"sent_ns": self.sent_ns}
        if self.director_ns:
            fields["director_ns"] = self.director_ns
        return dump(fields)

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> SyncRecord:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        return cls(fields.integer("sent_ns", 0, MOST_INTEGER), fields.integer("director_ns", 0, MOST_INTEGER, 0))


def _obis(arguments: Fields) -> bytes:
    text = arguments.text("obis", 24, "1.0.1.8.0.255")
    parts = text.split(".")
    if len(parts) != 6 or not all(part.isascii() and part.isdigit() and int(part[:4]) <= 255 for part in parts):
        raise arguments.error("obis", f"{text!r}; expected six numbers like 1.0.1.8.0.255")
    return bytes(int(part) for part in parts)
