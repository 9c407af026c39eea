"""The gateway in a process of its own beside a night: processor, latency, octets on `led/frame` at 1x and at 8x.

Latency is the gateway's own: from the arrival of an event that settles an outcome to the publication of the first new
frame. Processor time is the gateway's process; broker and network are not in it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from emulation.grid.feeder import Feeder
from emulation.live.broker import embedded_broker
from emulation.live.mqtt import BrokerUrl, Connection
from emulation.live.topics import Topics
from led_gateway.picture import Picture
from led_gateway.settings import Settings
from tests.bench.figure import Figure
from tests.bench.live_run import Process, scenario_file, started, up

SEED = 1
SECONDS = 30
SPEEDS = ("1", "8")
MOST_CPU, MOST_LATENCY_MS = 15, 40
"""% of a core at 1x; at the 99th percentile."""
_START_S = 60.0
_WARM_S = 3.0


class Light(NamedTuple):
    """What a gateway did while it was watched: shares are of one core, rates per second of wall time."""

    cpu: float
    octets_s: float
    frames_s: float
    keys_s: float
    shown: int
    dropped: int
    status: dict[str, Any]


class Eye:
    """Follows `led/frame` and `status/gateway` as a board does."""

    def __init__(self, url: str) -> None:
        topics = Topics()
        self.picture = Picture()
        self.octets = self.frames = 0
        self.status: dict[str, Any] = {}
        self.connection = Connection(BrokerUrl.parse(url), "bench-eye")
        self.connection.handle(topics.led_frame(), self._frame)
        self.connection.handle(topics.status("gateway"), self._status)

    def _frame(self, topic: str, payload: bytes, retained: bool) -> None:
        if not retained and payload:
            self.octets += len(payload)
            self.frames += 1
            self.picture.take(payload)

    def _status(self, topic: str, payload: bytes, retained: bool) -> None:
        self.status = json.loads(payload)


def figures() -> Iterator[Figure]:
    """About a minute and a half."""
    raw = 3 * Feeder.load("board").leds * Settings().fps
    for speed in SPEEDS:
        light = asyncio.run(_watched(speed))
        run, bench = f"night at {speed}x, {SECONDS} s", f"light gateway, {speed}x"
        status = light.status
        at_1x = speed == SPEEDS[0]
        yield Figure(bench, "processor", 100 * light.cpu, "% of a core", run, MOST_CPU if at_1x else None)
        yield Figure(bench, "event to published frame, p99", status["latency_p99_ms"], "ms", run, MOST_LATENCY_MS)
        yield Figure(bench, "event to published frame, median", status["latency_p50_ms"], "ms", run)
        yield Figure(bench, "events measured", status["latencies"], "", run)
        yield Figure(bench, "led/frame", light.octets_s, f"octets/s, raw {raw}", run, raw)
        yield Figure(bench, "messages", light.frames_s, "per s", run)
        yield Figure(bench, "of them key frames", light.keys_s, "per s", run)
        yield Figure(bench, "frames left out", status["skipped"], f"of {status['frames']}", run)
        yield Figure(bench, "pictures that a board would have missed", light.dropped, f"of {light.shown}", run, 0)
        lost = status["dropped"] + status["malformed"] + status["refused"] + status["failures"] + status["unsent"]
        yield Figure(bench, "events and messages lost or refused", lost, f"of {status['events']}", run, 0)


async def _watched(speed: str) -> Light:
    async with embedded_broker(prefer="mosquitto") as broker:
        with tempfile.TemporaryDirectory() as folder:
            path = scenario_file(Path(folder), "night", SEED)
            gateway = ("gateway", [sys.executable, "-m", "led_gateway", "--broker", broker.url])
            with started([*up(path, broker.url, speed), gateway]) as processes:
                return await _measured(Eye(broker.url), processes[1])


async def _measured(eye: Eye, gateway: Process) -> Light:
    running = asyncio.create_task(eye.connection.run())
    try:
        async with asyncio.timeout(_START_S):
            while eye.status.get("events", 0) == 0:
                await asyncio.sleep(0.05)
        await asyncio.sleep(_WARM_S)
        before = (gateway.cpu_s(), eye.octets, eye.frames, eye.status["keys"], time.monotonic())
        await asyncio.sleep(SECONDS)
        spent, octets, frames, keys, began = before
        wall = time.monotonic() - began
        return Light(
            (gateway.cpu_s() - spent) / wall, (eye.octets - octets) / wall, (eye.frames - frames) / wall,
            (eye.status["keys"] - keys) / wall, eye.frames, eye.picture.dropped + eye.picture.malformed, eye.status,
        )  # fmt: skip
    finally:
        running.cancel()
        await asyncio.wait((running,), timeout=2)
