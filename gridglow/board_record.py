"""`gridglow board record` and `play`: what a board shows, into a file and out of it.

Neighbours: `led_gateway.recording` (the file), `led_gateway.picture` (messages to pictures), `board_light` (where a
played picture goes), `board_cli` (options).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from emulation.live.mqtt import BrokerUrl
from gridglow.board_light import Light, light_of
from gridglow.live_client import LiveClient, LiveError, connect
from led_gateway import frame, recording
from led_gateway.ddp import DdpHost
from led_gateway.picture import Picture
from led_gateway.recording import Record, RecordingWriter, Timeline

REST_S = 1.0
"""Between two turns of a loop, as boards have it."""
SILENT_S = 3.0
"""A gateway sends a key frame every second."""
LOOK_S = 0.02
_SHOW_S = 0.2


def _interruptible() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


# -- record


def record(url: BrokerUrl, pan: int, path: Path, seconds: float | None) -> str:
    """Record until a signal comes or the time is over; say what was recorded. LiveError, OSError."""
    part = path.with_name(path.name + ".part")
    try:
        said = asyncio.run(_record(url, pan, part, path, seconds))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return said


async def _record(url: BrokerUrl, pan: int, part: Path, path: Path, seconds: float | None) -> str:
    stop = _interruptible()
    with part.open("wb") as file:
        writer = RecordingWriter(file)
        async with connect(url, pan) as client:
            with Console(stderr=True).status(f"recording into {escape(str(path))}") as status:
                work = asyncio.create_task(_take(client, writer, status))
                waits = (work, asyncio.create_task(stop.wait()), asyncio.create_task(_silence(writer)))
                await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                for task in waits:
                    task.cancel()
                done = await asyncio.gather(*waits, return_exceptions=True)
        for result in done:
            if isinstance(result, Exception):
                raise result
    if not writer.records:
        raise LiveError(_nothing(url, pan))
    return f"{writer.records} frames, {writer.length_ms / 1000:.1f} s, in {path}"


async def _take(client: LiveClient, writer: RecordingWriter, status: Status) -> None:
    prefix = client.topics.prefix
    await client.listen(f"{prefix}led/frame", f"{prefix}led/frame/+")
    timeline, shown = Timeline(), 0.0
    async for message in client.messages():
        now = monotonic()
        try:
            decoded = frame.decode(message.payload)
        except frame.FrameError:
            continue  # boards drop it too
        if not writer.records and not recording.begins(decoded):
            continue
        writer.put(timeline.at(decoded, int(now * 1000)), message.payload)
        if now - shown > _SHOW_S:
            shown = now
            status.update(f"{writer.length_ms / 1000:6.1f} s  {writer.records} frames; Ctrl-C ends it")


async def _silence(writer: RecordingWriter) -> None:
    """Returns if nothing has come for a while at the beginning."""
    await asyncio.sleep(SILENT_S)
    if writer.records:
        await asyncio.Event().wait()


def _nothing(url: BrokerUrl, pan: int) -> str:
    return f"nothing on led/frame of PAN {pan:04x} at {url}: is the light gateway running there?"


# -- play


class Player:
    """The pictures of a recording at their times. RecordingError, OSError where the file is none."""

    def __init__(self, path: Path, loop: bool, speed: float) -> None:
        self._path = path
        self._loop = loop
        self._speed = speed
        self._picture = Picture()
        self._records = self._read()
        self._next: Record | None = next(self._records)
        self._began_s: float | None = None
        while not self._picture.leds and self._next is not None:
            self._take()

    @property
    def over(self) -> bool:
        """Whether everything has been shown."""
        return self._next is None

    @property
    def leds(self) -> int:
        """LED count of the picture."""
        return self._picture.leds

    def at(self, now_s: float) -> bytes:
        """The picture at this time of any clock, R G B; the first call is the beginning."""
        if self._began_s is None:
            self._began_s = now_s
        while self._next is not None and self._next.t_ms <= (now_s - self._began_s) * 1000 * self._speed:
            if self._take() and self._loop:
                self._began_s = now_s + REST_S
        return self._picture.rgb

    def _take(self) -> bool:
        """The next record; true where the file is at its end."""
        if self._next is not None:
            self._picture.take(self._next.payload)
        self._next = next(self._records, None)
        if self._next is None and self._loop:
            self._records = self._read()
            self._next = next(self._records)
            return True
        return self._next is None

    def _read(self) -> Iterator[Record]:
        with self._path.open("rb") as file:
            yield from recording.read(file)


def play(url: BrokerUrl, pan: int, hosts: list[DdpHost], player: Player) -> None:
    """Play until the end or a signal. LiveError, RecordingError, OSError."""
    asyncio.run(_play(url, pan, hosts, player))


async def _play(url: BrokerUrl, pan: int, hosts: list[DdpHost], player: Player) -> None:
    stop = _interruptible()
    async with light_of(url, pan, player.leds, hosts) as light:
        with Console(stderr=True).status("") as status:
            await _show(player, light, stop, status)


async def _show(player: Player, light: Light, stop: asyncio.Event, status: Status) -> None:
    octets, said = 3 * player.leds, None
    while not stop.is_set():
        if light.trouble != said:
            said = light.trouble
            status.update(escape(said) or f"playing {player.leds} LEDs; Ctrl-C ends it")
        rgb = player.at(monotonic())
        if len(rgb) == octets:  # several boards in one file: the first is played
            light.send(rgb)
        if player.over:
            return
        await asyncio.sleep(LOOK_S)
