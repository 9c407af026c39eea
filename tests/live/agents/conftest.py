"""What the tests of agents share: a loop whose time is the test's, a mosquitto that can be killed, a small director."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import pytest

from coordinator.factory import coordinator
from emulation.grid.fault import FaultOrder
from emulation.live.broker import find_mosquitto
from emulation.live.host import Host, HostOptions
from emulation.live.mqtt import BrokerUrl, Connection
from emulation.live.records import ClockRecord, FaultRecord, JobRecord, RunRecord, SyncRecord
from emulation.live.topics import Topics
from emulation.scenario import JobOrder, Scenario, load
from emulation.sim import Application, Factory
from nodes.factory import meters

RESOLUTION_S = 1e-8
"""By which a loop calls early: to its float of seconds a nanosecond may be missing."""


class FakeHandle:
    def __init__(self) -> None:
        self.off = False

    def cancel(self) -> None:
        self.off = True


class FakeLoop:
    """Time stands unless `run` or a callback's `work` moves it."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.calls: list[tuple[float, int, FakeHandle, Callable[[], object]]] = []
        self.order = itertools.count()
        self.turns = 0

    def time(self) -> float:
        return self.seconds + RESOLUTION_S

    def call_at(self, when: float, callback: Callable[[], object]) -> FakeHandle:
        handle = FakeHandle()
        heappush(self.calls, (when, next(self.order), handle, callback))
        return handle

    def call_soon(self, callback: Callable[[], object]) -> FakeHandle:
        return self.call_at(self.seconds, callback)

    @property
    def pending(self) -> int:
        return sum(not handle.off for _, _, handle, _ in self.calls)

    def run(self, seconds: float) -> None:
        until = self.seconds + seconds
        while self.calls and self.calls[0][0] <= until:
            when, _, handle, callback = heappop(self.calls)
            self.seconds = max(self.seconds, when)
            if not handle.off:
                self.turns += 1
                callback()
        self.seconds = max(self.seconds, until)


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


class Mosquitto:
    """A broker on one port that can be killed and started again; it keeps nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._program = program
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "max_queued_messages 0\npersistence false\n"
        )
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> BrokerUrl:
        return BrokerUrl.parse(f"mqtt://127.0.0.1:{self.port}")

    def start(self) -> None:
        self._child = subprocess.Popen(
            [self._program, "-c", str(self._conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        pytest.fail("mosquitto did not start", pytrace=False)

    def kill(self) -> None:
        if self._child is not None:
            os.kill(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    program = find_mosquitto()
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no mosquitto on this machine")
    broker = Mosquitto(program, tmp_path)
    broker.start()
    yield broker
    broker.kill()


def both(scenario: Scenario, seed: int) -> Factory:
    """Coordinator and meters in one process."""
    first, others = coordinator(scenario, seed), meters(scenario, seed)

    def build(station: int, port: Any, kept: Any) -> Application:
        return (others if station else first)(station, port, kept)

    return build


class Stage:
    """A director that does as it is told, and writes down what it hears."""

    def __init__(self, broker: Mosquitto, scenario: str = "row4") -> None:
        self.broker = broker
        self.topics = Topics()
        self.scenario = load(scenario)
        feeder = self.scenario.feeder
        self.run = RunRecord(
            secrets.randbits(32), self.scenario.seed, self.scenario.epoch_s, self.scenario.profile, feeder.name,
            feeder.sha256, self.scenario.name, self.scenario.text,
        )  # fmt: skip
        self.status: dict[int, dict[str, Any]] = {}
        self.kept: dict[int, dict[str, Any]] = {}
        self.results: list[dict[str, Any]] = []
        self.kinds: Counter[tuple[int, str]] = Counter()
        self.lines: list[tuple[int, str]] = []
        self.answer_offset_ns = 0
        self.began_ns = 0
        self.permille = 1000
        self.generation = 0
        self.hosts: list[tuple[Host, asyncio.Task[None]]] = []
        self.children: list[asyncio.subprocess.Process] = []
        self.connection = Connection(broker.url, "stage", on_up=self._on_up)
        topics = self.topics
        self.connection.handle(topics.status("+"), self._on_status)
        self.connection.handle(topics.keep("+"), self._on_keep)
        self.connection.handle(topics.job_result("+"), lambda t, p, r: self.results.append(json.loads(p)))
        self.connection.handle(topics.event("+", "+"), self._on_event)
        self.connection.handle(topics.log("+"), self._on_log)
        self.connection.handle(topics.sync("+"), self._on_sync)

    # -- what it hears

    def _on_up(self) -> None:
        if self.began_ns:
            self.say_run()

    def _on_status(self, topic: str, payload: bytes, retained: bool) -> None:
        if payload.startswith(b"{"):
            try:
                status = json.loads(payload)
                if not status["claim"]:
                    self.status[int(topic.rsplit("/", 1)[1])] = status
            except (ValueError, KeyError):
                pass

    def _on_keep(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            self.kept[int(topic.rsplit("/", 1)[1])] = json.loads(payload)
        except ValueError:
            pass

    def _on_event(self, topic: str, payload: bytes, retained: bool) -> None:
        station, kind = topic.rsplit("/", 2)[1:]
        if station.isdigit():
            self.kinds[int(station), kind] += 1

    def _on_log(self, topic: str, payload: bytes, retained: bool) -> None:
        self.lines.append((int(topic.rsplit("/", 1)[1]), payload.decode("utf-8", "replace")))

    def _on_sync(self, topic: str, payload: bytes, retained: bool) -> None:
        sent = SyncRecord.decode(topic, payload).sent_ns
        self.connection.publish(f"{topic}/answer", SyncRecord(sent, time.time_ns() + self.answer_offset_ns).encode())

    # -- what it does

    def say_run(self) -> None:
        self.connection.publish(self.topics.run, self.run.encode(), retain=True)
        self.say_clock()

    def say_clock(self) -> None:
        record = ClockRecord(self.run.run, self.generation, self.began_ns, 0, self.permille)
        self.connection.publish(self.topics.clock, record.encode(), retain=True)

    async def begin(self, permille: int = 1000) -> None:
        await asyncio.wait_for(self.connection.up.wait(), 10)
        self.permille = permille
        self.began_ns = time.time_ns() + 100_000_000
        self.say_run()

    def join(self, stations: tuple[int, ...], build: Any = both, **options: Any) -> Host:
        host = Host(HostOptions(self.broker.url, stations, echo=None, **options), build)
        self.hosts.append((host, asyncio.create_task(host.run_process())))
        return host

    async def spawn(self, module: str, *words: str) -> asyncio.subprocess.Process:
        """A process of its own, as `python -m` starts it."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, "--broker", str(self.broker.url), *words,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.children.append(child)
        return child

    async def leave(self, host: Host) -> None:
        """Stop a process in order."""
        task = next(task for known, task in self.hosts if known is host)
        self.hosts = [item for item in self.hosts if item[0] is not host]
        host.stop()
        await asyncio.gather(task, return_exceptions=True)

    def fault(self, number: int, order: FaultOrder | None, until_us: int = 0) -> None:
        payload = b""
        if order is not None:
            payload = FaultRecord(self.run.run, number, order, 0, until_us, "test").encode()
        self.connection.publish(self.topics.fault(number), payload, retain=True)

    async def job(self, number: int, verb: str, station: int = 0, seconds: float = 60) -> dict[str, Any]:
        """Have something done; the last word on it."""
        record = JobRecord(self.run.run, JobOrder(number, 0, verb, station))
        self.connection.publish(self.topics.job(number), record.encode())
        await self.until(lambda: any(r["id"] == number and r["status"] != "accepted" for r in self.results), seconds)
        return [result for result in self.results if result["id"] == number][-1]

    async def until(self, true: Callable[[], object], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                states = {station: (s["online"], s["state"]) for station, s in sorted(self.status.items())}
                pytest.fail(f"did not come within {seconds} s; status: {states}; log: {self.lines[-5:]}", pytrace=True)
            await asyncio.sleep(0.02)

    async def all_on(self, seconds: float = 20) -> None:
        wanted = {station for host, _ in self.hosts for station in host.agents}
        await self.until(lambda: wanted == {s for s, is_on in self.on().items() if is_on} & wanted, seconds)

    def on(self) -> dict[int, bool]:
        return {station: s["online"] and s["state"] == "on" for station, s in self.status.items()}


@asynccontextmanager
async def _staged(broker: Mosquitto, scenario: str) -> AsyncIterator[Stage]:
    stage = Stage(broker, scenario)
    listening = asyncio.create_task(stage.connection.run())
    try:
        yield stage
    finally:
        for child in stage.children:
            if child.returncode is None:
                child.kill()
                await child.wait()
        for host, _ in list(stage.hosts):
            await stage.leave(host)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@pytest.fixture
def play(mosquitto: Mosquitto) -> Callable[..., None]:
    """Run a coroutine function on a stage of its own."""

    def run(story: Callable[[Stage], Awaitable[None]], scenario: str = "row4") -> None:
        async def told() -> None:
            async with _staged(mosquitto, scenario) as stage:
                await story(stage)

        asyncio.run(asyncio.wait_for(told(), 120))

    return run
