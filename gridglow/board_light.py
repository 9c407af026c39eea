"""Where `board walk` and `board play` send their pictures: the broker, with the gateway on hold, or a DDP host.

Neighbours: `led_gateway.frame_writer` and `led_gateway.ddp` (octets), `board_walk_run`, `board_record` (pictures).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic_ns
from typing import Protocol

from emulation.live.mqtt import BrokerUrl, Connection
from emulation.live.topics import Topics
from gridglow.live_client import LiveError, connect
from gridglow.screen_log import keep_log_off_screen
from led_gateway.ddp import DdpHost, DdpOutput
from led_gateway.frame_writer import FrameWriter

HOLD_S = 10
HOLD_EVERY_MS = 3000
"""Asked for again and again, so that a gateway speaks soon after we are gone, however we went."""
REFRESH_MS = 500
"""A DDP host goes back to its own effects when nothing comes for a while."""
FIND_S = 5.0
"""For a name to become an address."""
_LAST_WORDS_S = 1.0


@asynccontextmanager
async def light_of(url: BrokerUrl, pan: int, leds: int, hosts: list[DdpHost]) -> AsyncIterator[Light]:
    """DDP hosts where some are given, else the broker. LiveError."""
    keep_log_off_screen()
    async with ddp_light(hosts) if hosts else broker_light(url, pan, leds) as light:
        yield light


class Light(Protocol):
    """Somewhere pictures go. `trouble` says why they do not arrive there at the moment, empty while they do."""

    @property
    def trouble(self) -> str:
        """One line, or nothing."""

    def send(self, rgb: bytes) -> None:
        """Show this now: R G B of each LED."""


class BrokerLight:
    """`led/frame` under a session of our own. Called often, it does little when nothing has changed."""

    def __init__(self, connection: Connection, topics: Topics, leds: int) -> None:
        self._connection = connection
        self._topics = topics
        self._writer = FrameWriter(secrets.randbits(16), leds)
        self._held_ms = -HOLD_EVERY_MS

    @property
    def trouble(self) -> str:
        """Whether the broker is there."""
        return "" if self._connection.up.is_set() else "broker gone, waiting for it"

    def send(self, rgb: bytes) -> None:
        """Publish what is needed for boards to show this."""
        now_ms = monotonic_ns() // 1_000_000
        if now_ms - self._held_ms >= HOLD_EVERY_MS:
            self._held_ms = now_ms
            self.hold(str(HOLD_S))
        if not self._connection.up.is_set():
            self._writer.restart()
            return
        for message in self._writer.write(rgb, now_ms):
            rest = "led/frame" if message.part is None else f"led/frame/{message.part}"
            # Not retained: what is left behind on the broker is the gateway's.
            self._connection.publish(self._topics.prefix + rest, message.payload)

    def hold(self, word: str) -> None:
        """Ask the gateway to be silent for some seconds, or (`off`) to speak again."""
        self._connection.publish(f"{self._topics.prefix}led/set/hold", word.encode())


@asynccontextmanager
async def broker_light(url: BrokerUrl, pan: int, leds: int) -> AsyncIterator[BrokerLight]:
    """A light as long as the block runs. LiveError: no broker, or it does not let us in."""
    async with connect(url, pan):
        pass  # says in one line what is wrong; the connection that stays comes back by itself
    connection = Connection(url, f"gridglow-board-{secrets.token_hex(4)}")
    running = asyncio.create_task(connection.run())
    light = BrokerLight(connection, Topics(pan), leds)
    try:
        await connection.up.wait()
        yield light
    finally:
        light.hold("off")
        await connection.drain(_LAST_WORDS_S)
        running.cancel()
        await asyncio.wait((running,), timeout=_LAST_WORDS_S)


class DdpLight:
    """DDP hosts; the same picture is sent again twice a second."""

    def __init__(self, output: DdpOutput) -> None:
        self._output = output
        self._last = b""
        self._sent_ms = -REFRESH_MS

    @property
    def trouble(self) -> str:
        """What is the matter with one of the hosts."""
        return next((f"{target.host}: {target.problem}" for target in self._output.targets if target.problem), "")

    def send(self, rgb: bytes) -> None:
        """Send a picture that is new, or due."""
        now_ms = monotonic_ns() // 1_000_000
        if rgb != self._last or now_ms - self._sent_ms >= REFRESH_MS:
            self._last, self._sent_ms = rgb, now_ms
            self._output.send(rgb)


@asynccontextmanager
async def ddp_light(hosts: list[DdpHost]) -> AsyncIterator[DdpLight]:
    """A light as long as the block runs. LiveError where a host cannot be found."""
    output = DdpOutput(hosts)
    running = asyncio.create_task(output.run())
    try:
        until = asyncio.get_running_loop().time() + FIND_S
        while not all(target.address for target in output.targets):
            await asyncio.sleep(FIND_S / 100)
            for target in output.targets:
                if target.problem or asyncio.get_running_loop().time() > until:
                    raise LiveError(f"--ddp {target.host} {target.problem or 'cannot be found: no answer'}")
        yield DdpLight(output)
    finally:
        running.cancel()
        await asyncio.wait((running,), timeout=_LAST_WORDS_S)
