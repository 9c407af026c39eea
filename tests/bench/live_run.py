"""A live run as people start it, in processes of their own, watched from outside through the broker.

`play` starts the processes, records the run until its jobs are done (or the time is over), and ends them. Processor
time and memory are the processes' own; the recorder's and the broker's are not in them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from emulation.live.broker import embedded_broker, listening_socket
from emulation.live.director_status import DirectorStatus
from emulation.live.live_run import scenario_of
from emulation.live.mqtt import BrokerUrl, Connection
from emulation.live.records import ClockRecord, RunRecord
from emulation.live.status_record import StatusRecord
from emulation.live.topics import PayloadError, Topics
from emulation.observe.evidence import EVENTS_FILE
from emulation.observe.jsonl import JsonlReader
from emulation.observe.kinds import normal_kind
from emulation.scenario import Scenario, load
from g3plc import events as ev
from g3plc.core import flow
from g3plc.events import Event
from g3plc.sap import DT_ACK
from gridglow.recording import Recording

GRIDGLOW = (sys.executable, "-c", "from gridglow.cli import main; main()")
END_S = 20.0
SETTLE_US = 2_000_000
"""After the last job, of emulated time."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Live:
    """What a run came to. CPU shares are of one core, by process, while emulated time ran; `rss_mb` likewise.

    `all_on_s` and `runs_s`: from the start of the first process until every station was on, and until time ran.
    """

    story: Counter[str] = field(default_factory=Counter)
    read: set[int] = field(default_factory=set)
    late: int = 0
    heard: int = 0
    sense_doubt: int = 0
    lag_ms: float = 0.0
    wall_s: float = 0.0
    emulated_s: float = 0.0
    all_on_s: float = float("inf")
    runs_s: float = float("inf")
    ready: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    rss_mb: dict[str, float] = field(default_factory=dict)

    @property
    def late_share(self) -> float:
        """Of the frames that came in."""
        return self.late / max(1, self.heard)


@dataclass(slots=True)
class Process:
    """A process of the run."""

    name: str
    popen: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """Processor time of the process itself so far."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss_mb(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.popen.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6


def story(events: Iterable[Event]) -> Counter[str]:
    """What is compared between a live run and the same in virtual time; in no way by the order of simultaneous events.

    Transmissions, collisions (transmissions that a receiver lost to another one), deferrals, RREQs sent, discoveries
    begun, meters read by hops (`hops 3`).
    """
    found: Counter[str] = Counter()
    collided: set[tuple[int, int]] = set()
    hops: dict[int, int] = {}
    for event in events:
        if isinstance(event, ev.TxStart):
            found["transmissions"] += 1
            found["RREQs"] += event.dt < DT_ACK and normal_kind(event.kind) == flow.RREQ
        elif isinstance(event, ev.RxLost) and event.reason == "collision":
            collided.add((event.src, event.frame))
        elif isinstance(event, ev.Defer):
            found["deferrals"] += 1
        elif isinstance(event, ev.Rreq):
            found["discoveries"] += event.action == "sent" and event.node == event.originator
        elif isinstance(event, ev.ReadDone):
            hops[event.meter] = event.hops
    found["collisions"] = len(collided)
    found.update(f"hops {count}" for count in hops.values())
    return found


def scenario_file(folder: Path, name: str, seed: int) -> Path:
    """A shipped scenario under another seed, as a file."""
    text = re.sub(r"(?m)^seed = \d+$", f"seed = {seed}", load(name).text)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def up(path: Path, broker: str, speed: str) -> list[tuple[str, list[str]]]:
    """The network in one process, without the light. A `broker` of `amqtt:PORT` is one inside it."""
    kind, _, port = broker.partition(":")
    where = ["--broker", "amqtt", "--port", port] if kind == "amqtt" else ["--broker", broker]
    return [("up", [*GRIDGLOW, "up", str(path), *where, "--speed", speed, "-q", "--no-light"])]


def spread(path: Path, broker: str, speed: str, groups: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Director, coordinator, and the meters in groups like `1-12`, each in a process of its own."""
    python = sys.executable
    agents = [["nodes", "--meters", group] for group in groups] + [["coordinator"]]
    commands = [("director", [*GRIDGLOW, "director", str(path), "--speed", speed, "--new", "--broker", broker])]
    return commands + [(" ".join(words), [python, "-m", *words, "--broker", broker]) for words in agents]


@contextmanager
def started(commands: Sequence[tuple[str, list[str]]]) -> Iterator[list[Process]]:
    """The processes, ended in order at the end of the block."""
    processes: list[Process] = []
    try:
        for name, command in commands:
            quiet = subprocess.DEVNULL
            processes.append(Process(name, subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)))
        yield processes
    finally:
        for process in processes:
            process.popen.send_signal(signal.SIGINT)
        for process in processes:
            try:
                process.popen.wait(END_S)
            except subprocess.TimeoutExpired:
                process.popen.kill()


@asynccontextmanager
async def broker_of(kind: str) -> AsyncIterator[tuple[str, str]]:
    """(address for clients, what `up` takes for a broker): a mosquitto of the bench, or amqtt inside `up`."""
    if kind == "amqtt":
        with listening_socket("127.0.0.1", 0) as probe:
            port = int(probe.getsockname()[1])
        yield f"mqtt://127.0.0.1:{port}", f"amqtt:{port}"
    else:
        async with embedded_broker(prefer="mosquitto") as broker:
            yield broker.url, broker.url


async def play(
    commands: Sequence[tuple[str, list[str]]], url: str, scenario: Scenario, seconds: float | None = None
) -> Live:
    """Start, watch until the scenario's jobs are done or `seconds` of emulated time are over, end."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with started(commands) as processes:
            watch = Watch(BrokerUrl.parse(url), Topics(), scenario, Path(folder), began)
            return await watch.live(processes, seconds)


def one_process(kind: str, name: str, seed: int, speed: str, seconds: float | None = None) -> Live:
    """A shipped scenario in one process on a broker of this kind."""

    async def inside() -> Live:
        with tempfile.TemporaryDirectory() as folder:
            path = scenario_file(Path(folder), name, seed)
            async with broker_of(kind) as (url, broker):
                return await play(up(path, broker, speed), url, load(str(path)), seconds)

    return asyncio.run(inside())


def many_processes(groups: Sequence[str], name: str, seed: int, speed: str, seconds: float | None = None) -> Live:
    """A shipped scenario with the meters in several processes, on a mosquitto."""

    async def inside() -> Live:
        with tempfile.TemporaryDirectory() as folder:
            path = scenario_file(Path(folder), name, seed)
            async with broker_of("mosquitto") as (url, broker):
                return await play(spread(path, broker, speed, groups), url, load(str(path)), seconds)

    return asyncio.run(inside())


class Watch:
    """Follows a run on a broker: records it, adds up the stations' status."""

    def __init__(self, url: BrokerUrl, topics: Topics, scenario: Scenario, folder: Path, began: float) -> None:
        self._topics = topics
        self._scenario = scenario
        self._folder = folder
        self._began = began
        self._recording: Recording | None = None
        self._director: DirectorStatus | None = None
        self._stations: dict[int, StatusRecord] = {}
        self._found = Live()
        logging.getLogger("gridglow.mqtt").setLevel(logging.ERROR)
        self._connection = Connection(url, f"gridglow-bench-{os.getpid()}")
        for topic, handler in (
            (topics.run, self._run),
            (topics.event("+", "+"), self._event),
            (topics.status("+"), self._status),
            (topics.clock, self._clock),
        ):
            self._connection.handle(topic, handler)

    async def live(self, processes: Sequence[Process], seconds: float | None) -> Live:
        """Until it is over."""
        found = self._found
        task = asyncio.create_task(self._connection.run())
        try:
            async with asyncio.timeout(120):
                while found.runs_s == float("inf"):
                    await asyncio.sleep(0.02)
                    self._count()
            await asyncio.sleep(0.5)
            start, spent = time.monotonic(), {process.name: process.cpu_s() for process in processes}
            while not self._over(seconds):
                await asyncio.sleep(0.25)
                self._count()
            found.wall_s = time.monotonic() - start
            found.cpu = {process.name: (process.cpu_s() - spent[process.name]) / found.wall_s for process in processes}
            found.rss_mb = {process.name: process.rss_mb() for process in processes}
            await asyncio.sleep(1.5)
            self._count()
        finally:
            task.cancel()
            await asyncio.wait((task,), timeout=2)
        self._finish()
        return found

    def _over(self, seconds: float | None) -> bool:
        director = self._director
        if director is None:
            return False
        if seconds is not None and director.emulated_us >= seconds * 1e6:
            return True
        last_us = max((job.at_us for job in self._scenario.jobs), default=0)
        return not director.jobs and director.emulated_us > last_us + SETTLE_US

    def _count(self) -> None:
        found, director = self._found, self._director
        if self._recording is not None:
            self._recording.write(time.monotonic())
        stations = self._stations.values()
        found.late = sum(record.late for record in stations)
        found.heard = sum(record.heard for record in stations)
        found.sense_doubt = sum(record.sense_doubt for record in stations)
        found.lag_ms = max([found.lag_ms, *(record.lag_us / 1000 for record in stations)])
        found.ready = sum(record.online and record.state == "on" for record in stations)
        if found.ready == self._scenario.meters + 1:
            found.all_on_s = min(found.all_on_s, time.monotonic() - self._began)
        if director is not None:
            found.emulated_s = director.emulated_us / 1e6

    def _finish(self) -> None:
        if self._recording is not None:
            self._recording.finish(time.monotonic())
            self._found.read = set(self._recording.results.read)
            self._found.story = story(JsonlReader(self._folder / EVENTS_FILE))

    # -- messages

    def _run(self, topic: str, payload: bytes, retained: bool) -> None:
        with suppress(PayloadError):
            record = RunRecord.decode(topic, payload)
            if self._recording is not None and self._recording.run == record.run:
                return  # said again, by a director that puts things right
            scenario = scenario_of(record, None)
            self._recording = Recording(self._folder, record, scenario, self._topics, time.monotonic())

    def _event(self, topic: str, payload: bytes, retained: bool) -> None:
        if self._recording is not None:
            self._recording.receive(topic, payload, time.monotonic())

    def _status(self, topic: str, payload: bytes, retained: bool) -> None:
        who = self._topics.parts(topic)[1]
        with suppress(PayloadError):
            if who == "director":
                self._director = DirectorStatus.decode(topic, payload)
            elif who.isdigit():
                record = StatusRecord.decode(topic, payload)
                if not record.claim:
                    self._stations[int(who)] = record

    def _clock(self, topic: str, payload: bytes, retained: bool) -> None:
        with suppress(PayloadError):
            record = ClockRecord.decode(topic, payload)
            if record.speed_permille:
                ahead_s = max(0.0, record.wall_ns / 1e9 - time.time())
                self._found.runs_s = min(self._found.runs_s, time.monotonic() - self._began + ahead_s)
