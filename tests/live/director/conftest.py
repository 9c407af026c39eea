"""A director without a broker: a world that remembers retained messages and lets wall time pass."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from emulation.live.director import Director
from emulation.live.director_status import DirectorStatus
from emulation.live.playbook import Playbook
from emulation.live.records import JobResult
from emulation.live.status_record import StatusRecord
from emulation.live.topics import Topics
from emulation.scenario import Scenario, loads

START = 1_795_000_000_000_000_000
MS = 1_000_000
SECOND = 1_000_000_000
T = Topics()

ROW = """
feeder = "row4"
speed = 0.5
limit = 600
"""


def scene(text: str = ROW, name: str = "row") -> Scenario:
    return loads(text, f"{name}.toml", None)


class World:
    """A broker that remembers what is retained, wall time, and stations that do as they are told."""

    def __init__(self, playbook: Callable[[], Playbook] | None = None, stations: int = 4) -> None:
        self.now = START
        self.retained: dict[str, bytes] = {}
        self.said: list[tuple[int, str, bytes]] = []
        self.runs = itertools.count(11)
        self.stations = stations
        self.routes: dict[int, list[list[int]]] = {}
        self.boots = 1
        self._playbook = playbook or (lambda: Playbook([scene()]))
        self.director = self.new_director()

    def new_director(self, instance: str = "d1", fresh: bool = False, since: int = 0) -> Director:
        return Director(T, self._playbook(), lambda: next(self.runs), instance, since or self.now, fresh, SECOND)

    def succeed(self, instance: str = "d2", fresh: bool = False, after: float = 0) -> None:
        """The director dies, and so much later another one comes up and connects."""
        will = self.director.will()
        self.retained[will.topic] = will.payload
        self.now += int(after * SECOND)
        self.director = self.new_director(instance, fresh)
        self.connect()

    def connect(self, seconds: float = 1.0) -> World:
        for topic, payload in list(self.retained.items()):
            self.director.receive(topic, payload, True, self.now)
        self.director.connected(self.now)
        self.pass_time(seconds)
        return self

    def pump(self) -> None:
        while taken := self.director.take():
            for topic, payload, retain in taken:
                self.said.append((self.now, topic, payload))
                if retain and payload:
                    self.retained[topic] = payload
                elif retain:
                    self.retained.pop(topic, None)
                if not topic.startswith((T.reply(""), T.log(""), T.prefix + "event")):
                    self.director.receive(topic, payload, False, self.now)

    def pass_time(self, seconds: float) -> None:
        until = self.now + int(seconds * SECOND)
        while self.now < until:
            due = self.director.tick(self.now)
            self.pump()
            soon = self.now + 50 * MS
            self.now = min(until, soon if due is None else max(self.now + MS, min(due, soon)))
        self.director.tick(self.now)
        self.pump()

    def send(self, topic: str, payload: bytes | str, retained: bool = False) -> None:
        octets = payload.encode() if isinstance(payload, str) else payload
        self.director.receive(topic, octets, retained, self.now)
        self.pump()

    def command(self, rest: str, payload: bytes | str = "") -> None:
        self.send(T.command(rest), payload)

    def beat(self, online: bool = True, state: str = "on", late: int = 0, heard: int = 0) -> None:
        for station in range(self.stations):
            record = StatusRecord(
                online, f"s{station}", station, boot=self.boots, state=state, run=self.run, late=late, heard=heard,
                routes=self.routes.get(station, []),
            )  # fmt: skip
            self.send(T.status(station), record.encode())

    def started(self) -> World:
        """Connected, all stations there, the clock running."""
        self.connect()
        self.beat()
        self.pass_time(0.4)
        return self

    @property
    def run(self) -> int:
        return int(json.loads(self.retained[T.run])["run"])

    @property
    def clock(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.retained[T.clock])
        return found

    @property
    def status(self) -> DirectorStatus:
        return DirectorStatus.decode("status", self.retained[T.status("director")])

    @property
    def emulated_s(self) -> float:
        return self.director.stage.now_us(self.now) / 1e6

    def faults(self) -> dict[int, dict[str, Any]]:
        found = {topic: json.loads(payload) for topic, payload in self.retained.items() if T.fault("") in topic}
        return {record["id"]: record for topic, record in found.items() if topic == T.fault(record["id"])}

    def jobs(self) -> list[dict[str, Any]]:
        return [json.loads(p) for _, t, p in self.said if t.startswith(T.job("")) and not t.endswith("result")]

    def replies(self, client: str = "all") -> list[dict[str, Any]]:
        return [json.loads(payload) for _, topic, payload in self.said if topic == T.reply(client)]

    def states(self, client: str = "all") -> list[str]:
        return [reply["state"] for reply in self.replies(client)]

    def result(self, number: int, status: str, detail: str = "") -> None:
        self.send(T.job_result(number), JobResult(self.run, number, status, detail).encode())

    def log(self) -> list[str]:
        return [payload.decode() for _, topic, payload in self.said if topic == T.log("director")]


@pytest.fixture
def new_world() -> type[World]:
    """What makes a world: `new_world(playbook, stations)`."""
    return World
