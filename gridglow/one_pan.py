"""A whole PAN in one process: a director, every station and, if wanted, the light, on the broker that they are given.

What `gridglow up` runs and the benchmarks measure. Nothing here decides anything: the director owns the run, the host
its stations, the gateway the light; here they begin and end together. Neighbours: `up` (the command), `emulation.live`
and `led_gateway` (the parts).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiomqtt

from coordinator.factory import coordinator
from emulation.grid.feeder import Feeder, shipped_feeders
from emulation.live.director_shell import DirectorError, DirectorShell
from emulation.live.host import Host, HostOptions
from emulation.live.levels import INFO, level_of
from emulation.live.mqtt import BrokerUrl, client_of
from emulation.live.playbook import Playbook
from emulation.scenario import Scenario
from emulation.sim import Application, Factory
from g3plc.events import Event, Job, ReadDone
from g3plc.sap import CosemPort
from led_gateway.ddp import DdpHost
from led_gateway.gateway import Gateway, GatewayOptions
from nodes.factory import meters

END_S = 0.8
"""Stations and director have so long for their last words."""
CUT_S = 0.2
ANSWER_S = 3.0
_CUTS = 3

_log = logging.getLogger("gridglow.up")


class PanError(Exception):
    """The PAN cannot go on; the message is one line for the person at the terminal."""


class Story:
    """An observer that keeps what a person is shown: the meters read in this run, and the last event worth a line.

    `collected`: a collection has ended since somebody cleared this.
    """

    def __init__(self) -> None:
        self.read: dict[int, ReadDone] = {}
        self.last: Event | None = None
        self.collected = False

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        for event in events:
            if isinstance(event, ReadDone):
                self.read[event.meter] = event
            elif isinstance(event, Job) and event.verb == "collect" and event.status != "accepted":
                self.collected = True
            if level_of(event) >= INFO:
                self.last = event

    def close(self) -> None:
        """Nothing to let go of."""


class OnePan:
    """Director and stations of the scenes of `playbook`; made inside a running loop. `run` lives until `stop`.

    `light`: the DDP hosts of a gateway, beside the broker; None: no gateway.
    """

    def __init__(self, url: BrokerUrl, playbook: Playbook, scenes: Sequence[Scenario], pan: int,
                 log_dir: Path | None = None, light: list[DdpHost] | None = None,
                 log_json: bool = False) -> None:  # fmt: skip
        self.shell = DirectorShell(url, playbook, pan, fresh=True)
        self.stage = self.shell.director.stage
        stations = max(scene.meters for scene in scenes) + 1
        feeder = _own_feeder(scenes)
        options = HostOptions(
            url, tuple(range(stations)), pan, feeder, log_json=log_json, log_dir=log_dir, echo=None
        )  # fmt: skip
        self.host = Host(options, applications)
        self.story = Story()
        self.host.trace.attach(self.story)
        self.gateway: Gateway | None = None
        if light is not None:
            self.gateway = Gateway(GatewayOptions(url, pan, feeder, ddp=light))
        self._url = url
        self._over = asyncio.Event()
        self._run = 0

    # -- what is shown

    @property
    def ready(self) -> bool:
        """Whether every station has taken up the run, or is kept from it by a fault."""
        return self.stage.roll.complete

    @property
    def now_us(self) -> int:
        """Emulated time."""
        return self.stage.now_us(self.shell.wall_ns())

    @property
    def permille(self) -> int:
        """The speed in force."""
        return self.stage.clock.permille(self.shell.wall_ns())

    @property
    def sense_doubt(self) -> int:
        """Announcements with too little lead, all stations together."""
        run = self.host.run
        return sum(run.medium.sense_doubt.values()) if run is not None else 0

    @property
    def online(self) -> int:
        """Stations that have their identity on the broker."""
        return sum(agent.established and agent.connection.up.is_set() for agent in self.host.agents.values())

    def meters_read(self) -> int:
        """How many meters were read in the present run."""
        if self.stage.run != self._run:
            self._run = self.stage.run
            self.story.read.clear()
        return len(self.story.read)

    # -- life

    def stop(self) -> None:
        """End in order."""
        self._over.set()

    async def run(self) -> None:
        """Live until `stop`. PanError if it cannot go on."""
        director = asyncio.create_task(self.shell.run())
        host = asyncio.create_task(self.host.run_process())
        light = asyncio.create_task(self._light())
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait((director, host, over), return_when=asyncio.FIRST_COMPLETED)
            if director.done():
                director.result()
            if host.done():
                host.result()
                raise PanError(f"no station was let in: {self._refusals()}")
        except DirectorError as error:
            raise PanError(str(error)) from None
        finally:
            over.cancel()
            await self._end(director, host, light)

    async def _light(self) -> None:
        """The light, if there is one; the network goes on without it."""
        if self.gateway is not None:
            try:
                await self.gateway.run()
            except Exception as error:
                _log.error("the light has ended: %s: %s", type(error).__name__, error)

    def _refusals(self) -> str:
        reasons = Counter(agent.state for agent in self.host.agents.values())
        return reasons.most_common(1)[0][0]

    async def _end(self, director: asyncio.Task[None], *others: asyncio.Task[None]) -> None:
        """All at once, so that one that waits for a broker that is gone does not hold up the others."""
        self.host.stop()
        if self.gateway is not None:
            self.gateway.stop()
        director.cancel()
        _, late = await asyncio.wait((director, *others), timeout=END_S)
        for _ in range(_CUTS):
            # More than once: before Python 3.12 asyncio.wait_for can lose a cancellation.
            for task in late:
                task.cancel()
            if late:
                _, late = await asyncio.wait(late, timeout=CUT_S)
        for task in (director, *others):
            if task.done() and not task.cancelled():
                task.exception()

    async def clear(self) -> None:
        """Take back what the director retains, on a broker that outlives us: the run is over. Call it after `run`."""
        topics, faults = self.shell.director.topics, self.stage.faults.records
        kept = (topics.keep("director"), topics.keep("gateway"))
        records = [topics.run, topics.clock, *kept, *(topics.fault(fault.id) for fault in faults)]
        try:
            async with asyncio.timeout(CUT_S * 2), client_of(self._url, ANSWER_S) as connection:
                for topic in records:
                    await connection.publish(topic, b"", retain=True)
        except (aiomqtt.MqttError, OSError, TimeoutError):
            _log.warning("the broker is gone: what it retains of this run could not be cleared")


def applications(scenario: Scenario, seed: int) -> Factory:
    """What makes the applications of all stations: the coordinator's on station 0, meters on the others."""
    first, others = coordinator(scenario, seed), meters(scenario, seed)

    def build(station: int, port: CosemPort, kept: Mapping[str, Any] | None) -> Application:
        return (others if station else first)(station, port, kept)

    return build


def _own_feeder(scenes: Sequence[Scenario]) -> Feeder | None:
    """The feeder that the scenes bring along; None where all are on shipped ones, which stations find by name."""
    shipped = shipped_feeders()
    for feeder in (scene.feeder for scene in scenes):
        if feeder.name not in shipped or Feeder.load(feeder.name).sha256 != feeder.sha256:
            return feeder
    return None
