"""One station's agent: its identity on the broker, its status, what it keeps, and when it lives.

Its own connection carries nothing else. An agent first says that it wants the identity (a `claim`, which also proves
that all retained messages are in). Where another instance is retained as online, or claims first, it listens for two
beats: one that is heard beating (`rivals`) keeps the identity, another is taken over. Of two that have it the one that
`outranks` stays. Who is refused tries again as long as its process has other stations. The station lives while the
agent is established, the run and its clock are known, and no fault has taken its power. What goes wrong in the
station's own code ends its life and nobody else's; it gets a new one after a pause.

Neighbours: `host` (the process), `live_run` (the station itself), `status_record`, `rivals`, `kept`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

from emulation.live.kept import next_life
from emulation.live.live_run import LiveRun
from emulation.live.logs import Logs
from emulation.live.mqtt import BrokerUrl, Connection, Will
from emulation.live.rate import BoundedLog
from emulation.live.records import KeepRecord
from emulation.live.rivals import LISTEN_MS, Rivals
from emulation.live.status_record import StatusRecord
from emulation.live.topics import PayloadError, Topics
from g3plc.mac.constants import COUNTER_NAMES
from g3plc.mac.pib import FIRST_COUNTER

BEAT_S = 1.0
"""Between two heartbeats."""
GRACE_S = 0.1
"""Between the claim's return and taking the identity: a rival's claim may be under way."""
AGAIN_S = 10.0
"""Between a refusal and the next attempt."""
RESTART_S = 3.0
"""Between a crash of a station and its next life."""

_log = logging.getLogger("gridglow.agent")


class Process(Protocol):
    """What an agent sees of its process."""

    @property
    def run(self) -> LiveRun | None:
        """The run, once it and its clock are known."""

    @property
    def obstacle(self) -> str:
        """Why no station of this process can live at present, or nothing."""

    @property
    def lag_us(self) -> int:
        """Worst lateness of callbacks in the last second."""

    @property
    def offset_us(self) -> int:
        """The wall clock against the director's."""

    @property
    def refused(self) -> int:
        """Payloads that were no good."""

    def wants(self, station: int) -> None:
        """The agent is ready: let its station live when it can."""


class Agent:
    """See the module's text. `run_agent` lives until it is cancelled, or the identity is refused.

    `state` says in plain words what it is at; `established` whether the identity is ours, `refused` why it is not;
    `absent` that the run has no such station, which is then shown nowhere.
    """

    def __init__(self, station: int, process: Process, url: BrokerUrl, topics: Topics, logs: Logs) -> None:
        self.station = station
        self._process = process
        self._topics = topics
        self._logs = logs
        self.instance = secrets.token_hex(4)
        self.since_ms = _wall_ms()
        self.state = "connecting"
        self.established = False
        self.absent = ""
        self.kept: KeepRecord | None = None
        self.crashes = 0
        self.refused = ""
        self._found: StatusRecord | None = None
        self._rivals = Rivals()
        self._listened = False
        self._answered_s = 0.0
        self._last_keep = b""
        self._complaints = BoundedLog(_log)
        self._over = asyncio.Event()
        self._grace: asyncio.TimerHandle | None = None
        will = StatusRecord(False, self.instance, station, since_ms=self.since_ms, state="gone")
        self._status_topic = topics.status(station)
        self._keep_topic = topics.keep(station)
        self.connection = Connection(
            url, f"gridglow-{topics.pan:04x}-{station}-{self.instance}", Will(self._status_topic, will.encode()),
            most_waiting=100, on_up=self._on_up, says_absent=False,
        )  # fmt: skip
        self.connection.handle(self._status_topic, self._on_status)
        self.connection.handle(self._keep_topic, self._on_keep)

    async def run_agent(self) -> None:
        """Live until cancelled or refused; either way the connection is closed in order. May be called again."""
        self._over.clear()
        connection = asyncio.create_task(self.connection.run())
        beats = asyncio.create_task(self._beat())
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait((connection, beats, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (connection, beats, over):
                task.cancel()
            await asyncio.gather(connection, beats, over, return_exceptions=True)

    # -- the station's life, on the clock

    def switch_on(self) -> None:
        """Begin a life, if that can be."""
        run = self._process.run
        if run is None or not self.established or self.station in run.lives:
            return
        boot, stack, application = next_life(self.kept, run.record.run)
        self.kept = KeepRecord(run.record.run, boot, False, stack, application)
        try:
            run.switch_on(self.station, boot, stack, application, self.crashed)
        except Exception as error:
            self.crashed(error)
            return
        self.state = "on"
        self._remember(run, False)
        self._keep()
        self._publish_status()

    def switch_off(self, state: str, clean: bool = True) -> None:
        """End the life, keeping its numbers."""
        run = self._process.run
        self.state = state
        if run is None or self.station not in run.lives:
            return
        if clean:
            self._remember(run, True)
        run.switch_off(self.station)
        self._keep()
        self._publish_status()

    def take_part(self, absent: str) -> None:
        """Whether the run has our station: `absent` says why not, or is empty."""
        self.absent = absent
        if absent:
            self.state = absent
            self.say("error", absent)
            if self.established:
                self._publish_status()

    def say(self, level: str, text: str) -> None:
        """A line in the station's log."""
        self._logs.say(self.station, level, text)

    def crashed(self, error: Exception) -> None:
        """The station's code raised: the life is over; its numbers are those kept last."""
        self.crashes += 1
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f" ({place.tb_frame.f_code.co_qualname}, line {place.tb_lineno})" if place is not None else ""
        self.say("error", f"crashed: {type(error).__name__}: {error}{where}; next life in {RESTART_S:.0f} s")
        self.switch_off(f"crashed: {type(error).__name__}", clean=False)
        asyncio.get_running_loop().call_later(RESTART_S, self._process.wants, self.station)

    # -- identity

    def _on_up(self) -> None:
        """The connection stands: everything retained is on its way to us, and then our claim."""
        self._found, self._rivals, self._listened = None, Rivals(), False
        self._decide_in(None)
        self._publish_status(claim=True)
        if self.established:
            self._publish_status()
            self._last_keep = b""
            self._keep()

    def _on_status(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            other = StatusRecord.decode(topic, payload)
        except PayloadError as error:
            if payload:
                self._complaints.warning("%s", error)
            return
        if other.instance == self.instance:
            if other.claim and not retained and self._grace is None:
                self._decide_in(GRACE_S)
        elif retained:
            self._found = other
        elif other.claim:
            self._answer_claim(other)
        elif other.online:
            self._meet(other)
        elif self.established:
            self._publish_status()  # the will of an earlier instance has covered ours

    def _decide_in(self, seconds: float | None) -> None:
        """Decide so much later, and not before; None: not at all."""
        if self._grace is not None:
            self._grace.cancel()
        loop = asyncio.get_running_loop()
        self._grace = loop.call_later(seconds, self._decide) if seconds is not None else None

    def _decide(self) -> None:
        """All that was retained is known, and no rival has spoken up, or none that lives."""
        self._grace = None
        if self._over.is_set() or not self.connection.up.is_set():
            return
        if not self.established:
            found = self._found
            if found is not None and (found.online or found.claim):
                if not self._listened:
                    self._listened = True
                    self.state = f"already {'claimed' if found.claim else 'online'} as {found.instance}? listening"
                    self._decide_in(LISTEN_MS / 1000)
                    return
                self.say("info", f"takes over from {found.instance}, not heard for {LISTEN_MS / 1000:.0f} s")
            elif self.refused:
                self.say("info", "the identity is free again")
            self.established, self.refused = True, ""
            self.state = self.absent or self._process.obstacle or "starting"
            self._process.wants(self.station)
        self._publish_status()

    def _answer_claim(self, other: StatusRecord) -> None:
        """Another agent claims our identity: it is ours, or the one that outranks the other goes first."""
        if self.established:
            self._publish_status()
        elif not self.outranks(other):
            self._found = other

    def _meet(self, other: StatusRecord) -> None:
        """A record says that another agent has our identity."""
        now_s = asyncio.get_running_loop().time()
        alive = self._rivals.beats(other.instance, other.beat_ms, int(now_s * 1000))
        if not self.established:
            self._found = other
        if alive and not (self.established and self.outranks(other)):
            self._refuse(f"already online as {other.instance}")
        elif self.established and now_s >= self._answered_s + BEAT_S / 2:
            self._answered_s = now_s  # two that answered each other at once would never stop
            self._publish_status()

    def outranks(self, other: StatusRecord) -> bool:
        """Whether we stay and the other goes."""
        return StatusRecord(True, self.instance, self.station, since_ms=self.since_ms).outranks(other)

    def _refuse(self, why: str) -> None:
        self.established = False
        self._decide_in(None)
        self.switch_off(f"refused: {why}", clean=False)
        if why != self.refused:
            self.say("error", f"refused: {why}")
        self.refused = why
        self._over.set()

    # -- what is published

    async def _beat(self) -> None:
        """Status every second, what is kept every other second if it has changed."""
        await asyncio.sleep(secrets.randbelow(1000) / 1000 * BEAT_S)
        count = 0
        while True:
            count += 1
            if self.established and not self.absent:
                self._publish_status()
                run = self._process.run
                if count % 2 == 0 and run is not None and self.station in run.lives:
                    self._remember(run, False)
                    self._keep()
            await asyncio.sleep(BEAT_S)

    async def stop(self) -> None:
        """An orderly end: the life is over, its numbers are kept, the status says offline."""
        self.switch_off("stopped")
        if self.established:
            self._publish_status(online=False)
        self.established, self.refused = False, ""
        await self.connection.drain()
        self._over.set()

    def _publish_status(self, claim: bool = False, online: bool = True) -> None:
        if self.absent and not claim:
            self.connection.publish(self._status_topic, b"", retain=True)
            return
        process = self._process
        record = StatusRecord(
            online and not claim, self.instance, self.station, claim, self.since_ms, _wall_ms(), self.station,
            self.state, lag_us=process.lag_us, offset_us=process.offset_us, refused=process.refused,
        )  # fmt: skip
        run = process.run
        if run is not None:
            medium = run.medium
            record.run = run.record.run
            record.heard = medium.heard[self.station]
            record.late = medium.late[self.station]
            record.sense_doubt = medium.sense_doubt[self.station]
            life = run.lives.get(self.station)
            if life is not None:
                record.boot = life.boot
                record.routes = [[route.destination, route.next_hop, route.hop_count] for route in life.stack.routes()]
                record.counters = {
                    name: life.stack.mac_get(FIRST_COUNTER + place) for place, name in enumerate(COUNTER_NAMES)
                }
        self.connection.publish(self._status_topic, record.encode(), retain=not claim)

    def _remember(self, run: LiveRun, clean: bool) -> None:
        life = run.lives[self.station]
        self.kept = KeepRecord(run.record.run, life.boot, clean, life.stack.keep(), life.application.keep())

    def _keep(self) -> None:
        """Publish what is kept, if it has changed."""
        if self.kept is None or not self.established:
            return
        payload = self.kept.encode()
        if payload != self._last_keep and self.connection.publish(self._keep_topic, payload, retain=True):
            self._last_keep = payload

    def _on_keep(self, topic: str, payload: bytes, retained: bool) -> None:
        """What an earlier instance, or the one that has our identity, has kept; of interest until it is ours."""
        if self.established or not payload:
            return
        try:
            self.kept = KeepRecord.decode(topic, payload)
        except PayloadError as error:
            self._complaints.warning("%s; counters start anew", error)


async def run_agents(agents: Collection[Agent]) -> None:
    """Run them until cancelled, stopped, or all refused; one that is refused tries again while another one goes on."""
    going = len(agents)
    nobody = asyncio.Event()

    async def run(agent: Agent) -> None:
        nonlocal going
        while True:
            try:
                await agent.run_agent()
            finally:
                going -= 1
                if not going:
                    nobody.set()
            if agent.refused:
                with suppress(TimeoutError):
                    await asyncio.wait_for(nobody.wait(), AGAIN_S)
            if nobody.is_set() or not agent.refused:
                return
            going += 1

    await asyncio.gather(*(run(agent) for agent in agents), return_exceptions=True)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
