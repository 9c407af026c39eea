"""A gateway beside a broker, a voice that says what director and stations say, and an eye that sees the pictures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from emulation.grid.feeder import Feeder
from emulation.live import event_map
from emulation.live.broker import EmbeddedBroker, embedded_broker
from emulation.live.mqtt import BrokerUrl, Connection
from emulation.live.records import ClockRecord, FaultRecord, RunRecord
from emulation.live.status_record import StatusRecord
from emulation.live.topics import Topics
from g3plc import events as ev
from g3plc.core import flow
from g3plc.events import Event
from g3plc.sap import DT_SOF
from led_gateway.frame import KEY, Frame, decode
from led_gateway.gateway import Gateway, GatewayOptions
from led_gateway.picture import Picture

PAN = 0x4712
T = Topics(PAN)
RUN = 77
PATIENCE_S = 8.0


class Bench:
    """One broker, any number of gateways. `rgb` is what a board shows, `frames` every message that led to it."""

    topics = T
    run_id = RUN

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.picture = Picture()
        self.frames: list[Frame] = []
        self.commands: list[tuple[str, bytes]] = []
        self.config: dict[str, Any] = {}
        self.status: dict[str, Any] = {}
        self.gateways: list[tuple[Gateway, asyncio.Task[None]]] = []
        self.generation = 0
        self.began_ns = 0
        self.voice = Connection(BrokerUrl.parse(broker.url), "voice", longest_pause_s=0.2)
        self.voice.handle(T.led_frame(), self._on_frame)
        self.voice.handle(T.led_config, lambda topic, payload, retained: self.config.update(_json(payload)))
        self.voice.handle(T.status("gateway"), lambda topic, payload, retained: self.status.update(_json(payload)))
        self.voice.handle(T.command("#"), lambda topic, payload, retained: self.commands.append((topic, payload)))
        self._task = asyncio.create_task(self.voice.run())

    def _on_frame(self, topic: str, payload: bytes, retained: bool) -> None:
        if payload and self.picture.take(payload):
            self.frames.append(decode(payload))

    @property
    def rgb(self) -> bytes:
        return self.picture.rgb

    def lit(self, led: int) -> tuple[int, ...]:
        return tuple(self.rgb[3 * led : 3 * led + 3])

    @property
    def keys(self) -> int:
        return sum(frame.kind == KEY for frame in self.frames)

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Wait until it is so; fail if it never is."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"not so within {seconds:g} s; status {self.status}", pytrace=True)
            await asyncio.sleep(0.01)

    # -- what others say

    def say(self, topic: str, payload: bytes | str, retain: bool = False) -> None:
        octets = payload.encode() if isinstance(payload, str) else payload
        assert self.voice.publish(topic, octets, retain=retain)

    def run(self, feeder: str = "board", run: int = RUN, clock: bool = True, permille: int = 1000) -> None:
        loaded = Feeder.load(feeder)
        record = RunRecord(run, 1, 0, "demo", loaded.name, loaded.sha256, "night")
        self.say(T.run, record.encode(), True)
        if clock:
            self.clock(permille, run=run)

    def clock(self, permille: int, run: int = RUN, emulated_us: int = 0, ahead_ms: int = 0) -> None:
        self.generation += 1
        wall_ns = time.time_ns() + ahead_ms * 1_000_000
        if not self.began_ns:
            self.began_ns = wall_ns
        self.say(T.clock, ClockRecord(run, self.generation, wall_ns, emulated_us, permille).encode(), True)

    @property
    def now_us(self) -> int:
        """Emulated time of a run at 1x."""
        return (time.time_ns() - self.began_ns) // 1000

    def stands(self, station: int, routes: list[list[int]] | None = None, online: bool = True, run: int = RUN) -> None:
        record = StatusRecord(online, "x", station, state="on", run=run, routes=routes or [])
        self.say(T.status(station), record.encode(), True)

    def event(self, event: Event) -> None:
        self.say(T.event(event[1] if event[1] >= 0 else "director", type(event).__name__), event_map.encode(event))

    def broadcast(self, station: int = 0, frame: int = 1, now_us: int | None = None) -> None:
        """An RREQ, from its start to its end."""
        t = self.now_us if now_us is None else now_us
        self.event(ev.TxStart(t, station, frame, bytes(30), 0, 0, DT_SOF, 50_000, 0xFFFF, 0, flow.RREQ, 0))
        self.event(ev.TxEnd(t + 1, station, frame))

    def fault(self, record: FaultRecord | None, number: int = 1) -> None:
        self.say(T.fault(number), record.encode() if record is not None else b"", True)

    # -- gateways

    async def gateway(self, **options: Any) -> Gateway:
        made = Gateway(GatewayOptions(BrokerUrl.parse(self.broker.url), PAN, **options))
        self.gateways.append((made, asyncio.create_task(made.run())))
        await self.until(lambda: made.works)
        return made

    async def shown(self, **options: Any) -> Gateway:
        """A run on the shipped feeder and a gateway that shows it."""
        await self.until(self.voice.up.is_set)
        self.run()
        made = await self.gateway(**options)
        await self.until(lambda: len(self.rgb) == 3 * 411 and self.status.get("state") == "showing")
        return made

    async def close(self) -> None:
        for gateway, task in self.gateways:
            gateway.stop()
            await asyncio.wait((task,), timeout=5)
            task.cancel()
            await task
        self._task.cancel()
        await asyncio.wait((self._task,), timeout=2)


def _json(payload: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(payload) if payload else {}
    return found


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    async with asyncio.timeout(60), embedded_broker() as broker:
        made = Bench(broker)
        try:
            yield made
        finally:
            await made.close()


Story = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def play() -> Callable[[Story], None]:
    """Runs a story on a bench of its own."""

    def run(story: Story) -> None:
        async def inside() -> None:
            async with bench() as made:
                await story(made)

        asyncio.run(inside())

    return run
