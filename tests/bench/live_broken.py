"""A live run on a broker that stops for three seconds, and on one that holds everything back. Four minutes."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from emulation.live.broker import embedded_broker, find_mosquitto, listening_socket
from emulation.live.command_line import run_loop
from emulation.live.mqtt import BrokerUrl
from emulation.live.playbook import Playbook
from emulation.live.topics import DEFAULT_PAN
from emulation.scenario import load
from g3plc import events as ev
from g3plc.events import Event
from gridglow.one_pan import OnePan
from tests.bench.figure import Figure, say

SEED, STOP_S, DELAYS_MS, SECONDS = 1, 3.0, (0, 5), 40.0
SPEEDS = (1000, 2000)
BEFORE_S = 15.0
SHORT_S = 12.0


@dataclass(slots=True)
class Receptions:
    """An observer of what is received; `wrong` are receptions of a frame that was not sent so, or that came late."""

    ends: dict[tuple[int, int], int] = field(default_factory=dict)
    to: dict[tuple[int, int], int] = field(default_factory=dict)
    late: set[tuple[int, int, int]] = field(default_factory=set)
    received: list[ev.RxOk] = field(default_factory=list)
    late_frames: int = 0

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        for event in events:
            if isinstance(event, ev.TxStart):
                self.ends[event.node, event.frame] = event.t + event.duration_us
                self.to[event.node, event.frame] = event.next_hop
            elif isinstance(event, ev.RxOk):
                self.received.append(event)
            elif isinstance(event, ev.LateFrame):
                self.late_frames += 1
                self.late.add((event.node, event.src, event.frame))

    def close(self) -> None:
        """Nothing to let go of."""

    def wrong(self) -> int:
        """Receptions not at the very end of the frame, by somebody it was not for, or of a frame counted as late."""
        return sum(
            self.ends.get((one.src, one.frame)) != one.t
            or self.to[one.src, one.frame] not in (one.node, 0xFFFF)
            or (one.node, one.src, one.frame) in self.late
            for one in self.received
        )


@dataclass(slots=True)
class Broken:
    """How it went."""

    seen: Receptions
    late: int
    heard: int
    sense_doubt: int
    window_us: tuple[int, int] = (0, 0)


def figures(short: bool = False) -> Iterator[Figure]:
    """Once stopped; then with and without delay, at two speeds (the short form: at one)."""
    logging.getLogger("gridglow.mqtt").setLevel(logging.ERROR)
    yield from _stopped()
    for permille in SPEEDS[:1] if short else SPEEDS:
        for delay_ms in DELAYS_MS:
            seconds = SHORT_S if short else SECONDS
            found = run_loop(partial(_delayed, delay_ms, permille, seconds), 50)
            name = f"{delay_ms} ms at {permille / 1000:g}x"
            say(f"{name}: {found.late} of {found.heard} frames late, sense_doubt {found.sense_doubt}")
            yield from _of_a_delay(found, name, seconds)


def _of_a_delay(found: Broken, name: str, seconds: float) -> Iterator[Figure]:
    where = f"night, {seconds:.0f} s, every octet held so long on each of the two ways"
    share = 100 * found.late / max(1, found.heard)
    yield Figure("broken", f"{name}: late frames", share, "%", f"{found.late} of {found.heard}")
    yield Figure("broken", f"{name}: sense_doubt", found.sense_doubt, "", where)
    yield Figure("broken", f"{name}: wrong deliveries", found.seen.wrong(), f"of {len(found.seen.received)}", where, 0)


def _stopped() -> Iterator[Figure]:
    found = run_loop(_stop_and_go, 50)
    say(f"broker stopped and started: {len(found.seen.received)} receptions")
    first, last = found.window_us
    inside = [one for one in found.seen.received if first <= one.t <= last]
    after = [one for one in found.seen.received if one.t > last]
    where = f"night at 1x, the broker gone for {STOP_S:.0f} s; {len(found.seen.received)} receptions in all"
    yield Figure("broken", "receptions while the broker is gone", len(inside), "", where, 0)
    yield Figure("broken", "receptions afterwards", len(after), "", where, 1, at_least=True)
    again = (after[0].t - last) / 1e6 if after else float("inf")
    yield Figure("broken", "from its return to the first reception", again, "s", where, 5)
    yield Figure("broken", "wrong deliveries", found.seen.wrong(), "", where, 0)


async def _stop_and_go() -> Broken:
    with TemporaryDirectory() as folder, listening_socket("127.0.0.1", 0) as probe:
        port = int(probe.getsockname()[1])
        probe.close()
        path = Path(folder) / "mosquitto.conf"
        path.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\n")
        with _mosquitto(path) as broker:
            pan, seen, task = await _started(BrokerUrl("127.0.0.1", port), 1000)
            await asyncio.sleep(BEFORE_S)
            broker.kill()
            broker.wait()
            # What is on the air when it stops has reached its receivers and ends within 0.3 s.
            first = pan.now_us + 300_000
            await asyncio.sleep(STOP_S)
            last = pan.now_us
        with _mosquitto(path):
            await asyncio.sleep(BEFORE_S)
            return await _ended(pan, seen, task, (first, last))


async def _delayed(delay_ms: int, permille: int, seconds: float) -> Broken:
    async with embedded_broker(prefer="mosquitto") as broker:
        words = [sys.executable, "-m", "tests.bench.delay_proxy", str(broker.port), str(delay_ms)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as proxy:
            try:
                port = int(await asyncio.to_thread(proxy.stdout.readline)) if proxy.stdout else 0
                pan, seen, task = await _started(BrokerUrl("127.0.0.1", port), permille)
                await asyncio.sleep(seconds * 1000 / permille)
                return await _ended(pan, seen, task, (0, 0))
            finally:
                proxy.kill()


async def _started(url: BrokerUrl, permille: int) -> tuple[OnePan, Receptions, asyncio.Task[None]]:
    scene = load("night")
    scene.seed = SEED
    pan = OnePan(url, Playbook([scene], False, permille), [scene], DEFAULT_PAN)
    seen = Receptions()
    pan.host.trace.attach(seen)
    task = asyncio.create_task(pan.run())
    async with asyncio.timeout(60):
        while not pan.ready:
            await asyncio.sleep(0.05)
    return pan, seen, task


async def _ended(pan: OnePan, seen: Receptions, task: asyncio.Task[None], window_us: tuple[int, int]) -> Broken:
    pan.host.trace.flush()
    medium = pan.host.run.medium if pan.host.run is not None else None
    late, heard = (medium.late.total(), medium.heard.total()) if medium is not None else (0, 0)
    found = Broken(seen, late, heard, pan.sense_doubt, window_us)
    pan.stop()
    await task
    return found


@contextmanager
def _mosquitto(configuration: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = find_mosquitto() or "mosquitto"
    broker = subprocess.Popen([program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield broker
    finally:
        broker.kill()
        broker.wait()
