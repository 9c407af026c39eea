"""Joins a director to a broker: messages in, publications out, and a tick when something is due.

Neighbours: `director` (all decisions), `mqtt` (the connection). The wall clock is read once and
then followed by the loop's monotonic clock, so that a host whose clock is set does not disturb a run.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence

from emulation.live.director import REFUSING, Director
from emulation.live.heartbeat import heartbeat
from emulation.live.mqtt import BrokerUrl, Connection, Will
from emulation.live.playbook import Playbook
from emulation.live.topics import Topics
from emulation.scenario import Scenario

log = logging.getLogger("gridglow.director")

TICK_S = 0.25
_SOONEST_S = 0.001
_FAREWELL_S = 1.0


class DirectorError(Exception):
    """The director cannot go on; the message is one line for the person at the terminal."""


class DirectorShell:
    """A director on a broker; `run` lives until it is cancelled, and says goodbye then.

    `playbook` is what is played; `pan` names the PAN; `fresh` begins a new run whatever the broker remembers.
    """

    def __init__(self, url: BrokerUrl, playbook: Playbook, pan: int, fresh: bool = False) -> None:
        instance = secrets.token_hex(4)
        self._origin_ns = time.time_ns() - time.monotonic_ns()
        self.director = Director(Topics(pan), playbook, lambda: secrets.randbits(32), instance, self.wall_ns(), fresh)
        will = self.director.will()
        self._connection = Connection(
            url,
            f"gridglow-director-{instance}",
            Will(will.topic, will.payload),
            on_up=self._up,
            on_down=self.director.disconnected,
        )
        for topic in self.director.subscriptions():
            self._connection.handle(topic, self._receive)
        self._log_topic = self.director.topics.log("director")
        self._due = asyncio.Event()
        self._sleep_s = 0.0

    def wall_ns(self) -> int:
        """The wall time that all stations follow, UNIX nanoseconds."""
        return self._origin_ns + time.monotonic_ns()

    @property
    def works(self) -> bool:
        """Whether it is connected and at work."""
        return self._connection.up.is_set() and self.director.state == "working"

    async def run(self) -> None:
        """Work until cancelled. Raises DirectorError when another director is there."""
        connection = asyncio.create_task(self._connection.run())
        beat = asyncio.create_task(heartbeat(lambda: self.works))
        try:
            while True:
                self._turn()
                if self.director.state == REFUSING:
                    raise DirectorError(self.director.problem)
                if connection.done():
                    connection.result()
                await self._rest()
        finally:
            beat.cancel()
            self.director.goodbye(self.wall_ns())
            self._send()
            await self._connection.drain(_FAREWELL_S)
            connection.cancel()
            await asyncio.gather(connection, beat, return_exceptions=True)

    # -- inside

    def _turn(self) -> None:
        now = self.wall_ns()
        due = self.director.tick(now)
        self._send()
        self._sleep_s = TICK_S if due is None else min(TICK_S, max(_SOONEST_S, (due - now) / 1e9))

    async def _rest(self) -> None:
        self._due.clear()
        try:
            async with asyncio.timeout(self._sleep_s):
                await self._due.wait()
        except TimeoutError:
            pass

    def _up(self) -> None:
        self.director.connected(self.wall_ns())
        self._send()
        self._due.set()

    def _receive(self, topic: str, payload: bytes, retained: bool) -> None:
        self.director.receive(topic, payload, retained, self.wall_ns())
        self._send()
        self._due.set()

    def _send(self) -> None:
        for topic, payload, retain in self.director.take():
            if topic == self._log_topic:
                log.info("%s", payload.decode("utf-8", "replace"))
            self._connection.publish(topic, payload, retain)


async def direct(
    url: BrokerUrl, scenes: Sequence[Scenario], pan: int, loop: bool, speed_permille: int | None, fresh: bool
) -> None:
    """Run a director until cancelled. Raises DirectorError."""
    await DirectorShell(url, Playbook(scenes, loop, speed_permille), pan, fresh).run()
