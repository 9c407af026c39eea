"""A process of a live run: the agents of some or all stations on one clock, with one more connection for frames.

The shared connection carries `run`, `clock`, `fault/+`, levels, jobs, sync and the air topics of every sender that one
of our stations can hear; events and log lines go out on it. What comes in is brought onto the clock before it touches a
station. Neighbours: `agent` (one station), `live_run` (one run), `director` (the other side of the records).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from emulation.grid.feeder import Feeder
from emulation.live.agent import Agent, run_agents
from emulation.live.clock import LoopClock, Pace
from emulation.live.fault_watch import FaultWatch
from emulation.live.live_run import Build, LiveRun, RunError, scenario_of
from emulation.live.logs import Logs
from emulation.live.mqtt import BrokerUrl, Connection, Handler
from emulation.live.rate import BoundedLog
from emulation.live.records import ClockRecord, FaultRecord, JobRecord, RunRecord, SyncRecord
from emulation.live.relays import EventRelay, JobRelay
from emulation.live.sync import Sync
from emulation.live.topics import DEFAULT_PAN, PayloadError, Topics, number_of
from emulation.observe.tap import Trace

FAULT_GRACE_S = 3.0
"""After the broker came back: faults whose records have not been seen again by then are over."""
BEHIND_US = 250_000
"""Later than this, and the log says that the machine cannot keep up."""

_COORDINATOR = 0
_MOST_FAULT = 0xFFFFFFFF

_log = logging.getLogger("gridglow.host")


@dataclass(slots=True)
class HostOptions:
    """What a process is started with. `feeder` None: the shipped one that the run names. `echo` None: no stdout."""

    url: BrokerUrl
    stations: tuple[int, ...]
    pan: int = DEFAULT_PAN
    feeder: Feeder | None = None
    log_level: str = "info"
    log_json: bool = False
    log_dir: Path | None = None
    echo: TextIO | None = sys.stdout


class Host:
    """See the module's text; make it inside a running loop. `build` makes the applications of the stations.

    `run_process` lives until `stop`, until no agent is left, or until its first run has none of its stations:
    `useless` then says so. `misfits` counts records that were of no use, by topic level.
    """

    def __init__(self, options: HostOptions, build: Build) -> None:
        loop = asyncio.get_running_loop()
        self.process = secrets.token_hex(4)
        self._build = build
        self._options = options
        self.topics = topics = Topics(options.pan)
        self.clock = LoopClock(loop, time.time_ns() - int(loop.time() * 1_000_000_000))
        self.clock.on_turn = self._on_turn
        self.clock.on_error = self._on_error
        self.connection = Connection(options.url, f"gridglow-{options.pan:04x}-host-{self.process}", on_up=self._on_up)
        self.logs = Logs(
            lambda station, text: self.connection.publish(topics.log(station), text),
            options.log_level, options.log_json, options.log_dir, options.echo,
        )  # fmt: skip
        self.logs.follow(lambda: self.clock.now)
        self._run: LiveRun | None = None
        self.trace = Trace(
            [EventRelay(topics, self.connection.publish), JobRelay(topics, self.connection.publish, self._run_id),
             self.logs]
        )  # fmt: skip
        self.agents = {station: Agent(station, self, options.url, topics, self.logs) for station in options.stations}
        self._watch: FaultWatch | None = None
        self._sync = Sync()
        self._clock_record: ClockRecord | None = None
        self._fault_payloads: dict[int, bytes] = {}
        self._seen_faults: set[int] = set()
        self._complaints = BoundedLog(_log)
        self._failures = 0
        self._over = asyncio.Event()
        self._useful = False
        self.useless = ""
        self._waits_for = ""
        self.obstacle = "waiting for the director"
        self.lag_us = 0
        self.misfits: Counter[str] = Counter()
        self._subscribe()

    # -- what agents see

    @property
    def run(self) -> LiveRun | None:
        """The run, once it and its clock are known."""
        return self._run if self.clock.generation >= 0 else None

    @property
    def offset_us(self) -> int:
        """The wall clock against the director's."""
        return self._sync.offset_ns // 1000

    @property
    def refused(self) -> int:
        """Payloads that were no good."""
        in_air = sum(self._run.medium.refused.values()) if self._run is not None else 0
        return in_air + sum(self.misfits.values())

    def wants(self, station: int) -> None:
        """The agent is ready: let its station live when it can."""
        if self.run is not None:
            self.clock.soon(self._settle_power, station)

    # -- life of the process

    async def run_process(self) -> None:
        """Run until stopped, or until every agent has been refused."""
        connection = asyncio.create_task(self.connection.run())
        others = [asyncio.create_task(work) for work in (self._seconds(), self._ask_time())]
        over = asyncio.create_task(self._over.wait())
        everybody = asyncio.create_task(run_agents(self.agents.values()))
        try:
            await asyncio.wait((everybody, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._over.is_set():
                await asyncio.gather(*(agent.stop() for agent in self.agents.values()))
                self.trace.flush()
                await self.connection.drain()
            for task in (everybody, connection, *others, over):
                task.cancel()
            await asyncio.gather(everybody, connection, *others, over, return_exceptions=True)
            self.logs.close()

    def stop(self) -> None:
        """End in order: stations off, numbers kept, status offline."""
        self._over.set()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._over.is_set()

    @property
    def refused_all(self) -> bool:
        """Whether no agent got its identity."""
        return not any(agent.established for agent in self.agents.values())

    async def _seconds(self) -> None:
        """Once a second: how far behind are we, and is anything the matter?"""
        while True:
            await asyncio.sleep(1.0)
            self.lag_us = self.clock.take_lag_us()
            if self.lag_us > BEHIND_US:
                self._complaints.warning("this machine cannot keep up: %d ms behind", self.lag_us // 1000)
            if self.obstacle != self._waits_for:
                self._waits_for = self.obstacle
                if self.obstacle:
                    _log.warning("%s", self.obstacle)

    async def _ask_time(self) -> None:
        while True:
            await self._sync.pause()
            if self.connection.up.is_set() and self._run is not None:
                self.connection.publish(self.topics.sync(self.process), self._sync.question(self._own_wall_ns()))
                self._take_clock()

    def _own_wall_ns(self) -> int:
        return self.clock.wall_ns() - self.clock.offset_ns

    # -- the shared connection

    def _subscribe(self) -> None:
        topics, handle = self.topics, self._guarded
        self.connection.handle(topics.run, handle("run", self._on_run))
        self.connection.handle(topics.clock, handle("clock", self._on_clock))
        self.connection.handle(topics.fault("+"), handle("fault", self._on_fault))
        self.connection.handle(topics.sync_answer(self.process), handle("sync", self._on_sync))
        self.connection.handle(topics.level("all"), handle("level", self._on_level))
        for station in self.agents:
            self.connection.handle(topics.level(station), handle("level", self._on_level))
        if _COORDINATOR in self.agents:
            self.connection.handle(topics.job("+"), handle("job", self._on_job))

    def _guarded(self, what: str, handler: Handler) -> Handler:
        """A handler whose refusals are counted and said."""

        def guarded(topic: str, payload: bytes, retained: bool) -> None:
            try:
                handler(topic, payload, retained)
            except PayloadError as error:
                self.misfits[what] += 1
                self._complaints.warning("%s", error)

        return guarded

    def _on_up(self) -> None:
        """All retained records come in anew; faults that do not are over."""
        self._seen_faults.clear()
        if self._fault_payloads:
            asyncio.get_running_loop().call_later(FAULT_GRACE_S, self._drop_stale_faults)

    def _drop_stale_faults(self) -> None:
        if not self.connection.up.is_set():
            return
        self._fault_payloads = {n: p for n, p in self._fault_payloads.items() if n in self._seen_faults}
        if self._watch is not None:
            self._watch.keep_only(self._fault_payloads)

    def _on_level(self, topic: str, payload: bytes, retained: bool) -> None:
        self.logs.take_level(topic, self.topics.parts(topic)[1], payload)

    def _on_sync(self, topic: str, payload: bytes, retained: bool) -> None:
        before = self._sync.offset_ns
        self._sync.answered(SyncRecord.decode(topic, payload), self._own_wall_ns())
        if self._sync.offset_ns != before:
            self.clock.set_offset(self._sync.offset_ns)
            if abs(self._sync.offset_ns - before) * max(self.clock.speed_permille, 1) > 1_000_000_000:
                self._complaints.warning(
                    "wall clock is %.1f ms off the director's: corrected", self._sync.offset_ns / 1_000_000
                )
        self._take_clock()

    # -- run, clock, faults, jobs

    def _run_id(self) -> int:
        return self._run.record.run if self._run is not None else 0

    def _on_run(self, topic: str, payload: bytes, retained: bool) -> None:
        record = RunRecord.decode(topic, payload)
        if self._run is not None and self._run.record == record:
            return
        try:
            scenario = scenario_of(record, self._options.feeder)
        except RunError as error:
            self._end_run(str(error))
            return
        before = self._run_id()
        self._end_run("waiting for the clock")
        self._run = run = LiveRun(
            record, scenario, self._build, self.clock, self.trace, self.topics, self.agents,
            self.connection.publish_urgent, self._complain, before,
        )  # fmt: skip
        self._watch = FaultWatch(self.clock, scenario.feeder, run.faults, self._power_changed, self._reboot)
        air = {self.topics.air(src): self._listener(src) for src in run.senders()}
        subscribing = asyncio.get_running_loop().create_task(self.connection.subscribe(air))
        subscribing.add_done_callback(lambda _: self._take_clock())
        self._sync.hurry()

    def _listener(self, sender: int) -> Handler:
        def listen(topic: str, payload: bytes, retained: bool) -> None:
            if self._run is not None:
                self._run.medium.receive(sender, topic, payload, retained)

        return listen

    def _end_run(self, obstacle: str) -> None:
        """Whatever was on is off; time stands until the next run's clock comes."""
        self.obstacle = obstacle
        for agent in self.agents.values():
            agent.switch_off(obstacle)
        self.trace.flush()
        self._run = None
        self._watch = None
        self.clock.reset()

    def _on_clock(self, topic: str, payload: bytes, retained: bool) -> None:
        self._clock_record = record = ClockRecord.decode(topic, payload)
        self.misfits["clock"] += self._run is not None and record.run != self._run_id()
        self._take_clock()

    def _take_clock(self) -> None:
        """A clock record takes effect when its run and the director's time are known."""
        record, run = self._clock_record, self._run
        if record is None or run is None or record.run != run.record.run or not self._sync.settled:
            return
        first = self.clock.generation < 0
        self.clock.set_pace(Pace(record.generation, record.wall_ns, record.emulated_us, record.speed_permille))
        if first:
            self._begin(run)

    def _begin(self, run: LiveRun) -> None:
        """The run is complete: stations live from now on."""
        self.obstacle = ""
        put = self._guarded("fault", lambda topic, payload, _: self._put_fault(topic, payload))
        for number, payload in self._fault_payloads.items():
            put(self.topics.fault(number), payload, True)
        for station, agent in self.agents.items():
            agent.take_part(run.missing(station))
            if station in run.local and agent.established:
                self.wants(station)
        self._useful = self._useful or bool(run.local)
        if not self._useful:
            self.useless = run.missing(min(self.agents))
            self.stop()
        run.medium.prepare(run.senders())
        # collections in the middle of a run would be stalls; what a run keeps is here now
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def _on_fault(self, topic: str, payload: bytes, retained: bool) -> None:
        number = number_of(topic, self.topics.parts(topic)[1], _MOST_FAULT)
        if not payload:
            self._fault_payloads.pop(number, None)
            if self._watch is not None:
                self._watch.clear(number)
            return
        self._seen_faults.add(number)
        if len(self._fault_payloads) < 1000 or number in self._fault_payloads:
            self._fault_payloads[number] = payload
        if self.run is not None:
            self._put_fault(topic, payload)

    def _put_fault(self, topic: str, payload: bytes) -> None:
        run = self._run
        if run is None or self._watch is None:
            return
        feeder = run.scenario.feeder
        record = FaultRecord.decode(topic, payload, len(feeder.stations), feeder.leds)
        if record.run != run.record.run:
            self.misfits["fault"] += 1
        elif topic != self.topics.fault(record.id):
            raise PayloadError(topic, f"id {record.id}")
        else:
            self._watch.put(record)

    def _on_job(self, topic: str, payload: bytes, retained: bool) -> None:
        record = JobRecord.decode(topic, payload)
        if self.run is None or record.run != self._run_id() or retained:
            self.misfits["job"] += 1
            return
        self.clock.soon(self._submit, record)

    # -- on the clock

    def _submit(self, record: JobRecord) -> None:
        life = self._run.lives.get(_COORDINATOR) if self._run is not None else None
        submit: Callable[[Any], None] | None = getattr(life.application, "submit", None) if life is not None else None
        if submit is not None:
            try:
                submit(record.order)
            except Exception as error:
                self.agents[_COORDINATOR].crashed(error)

    def _power_changed(self) -> None:
        for station in self.agents:
            self._settle_power(station)

    def _settle_power(self, station: int) -> None:
        """Bring a station's life in line with what it should be."""
        run, watch, agent = self.run, self._watch, self.agents[station]
        if run is None or watch is None or station not in run.local:
            return
        fault = watch.off.get(station)
        if fault is not None:
            agent.switch_off(f"off by fault {fault}")
        elif agent.established:
            agent.switch_on()
            life = run.lives.get(station)
            if life is not None:
                try:
                    life.set_voltage(watch.volts.get(station))
                except Exception as error:
                    agent.crashed(error)

    def _reboot(self, station: int, at_us: int) -> None:
        run = self.run
        if run is None or station not in self.agents:
            return
        life = run.lives.get(station)
        if life is not None and life.began_us < at_us:
            self.agents[station].switch_off("rebooting")
            self._settle_power(station)

    def _on_turn(self) -> None:
        self.trace.flush()
        for failure in self.trace.failures[self._failures :]:
            _log.error("%s", failure)
        self._failures = len(self.trace.failures)

    def _on_error(self, error: Exception) -> None:
        self._complaints.error("%s: %s", type(error).__name__, error)

    def _complain(self, sender: int, reason: str) -> None:
        self._complaints.warning("air/%d: a record was ignored: %s", sender, reason)
