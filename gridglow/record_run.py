"""The life of `gridglow record`: finds the run, listens to its events, ends with it.

Neighbours: `record` (options), `recording` (what is made of the events), `live_client` (says what is wrong).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
from pathlib import Path
from time import monotonic

from rich.console import Console

from emulation.grid.feeder import Feeder
from emulation.live.live_run import RunError, scenario_of
from emulation.live.mqtt import BrokerUrl, Connection
from emulation.live.records import RunRecord
from emulation.live.topics import PayloadError, Topics
from emulation.observe.prose import clock_text
from emulation.scenario import Scenario
from gridglow import report
from gridglow.live_client import connect
from gridglow.recording import Recording

EVERY_S = 0.25
WAIT_S = 2.0

_log = logging.getLogger("gridglow.record")


def run(url: BrokerUrl, pan: int, folder: Path, seconds: float | None, feeder: Feeder | None) -> None:
    """Record until a signal comes, the time is over, or the run is. LiveError, RunError, OSError."""
    asyncio.run(_record(url, pan, folder, seconds, feeder))


async def _record(url: BrokerUrl, pan: int, folder: Path, seconds: float | None, feeder: Feeder | None) -> None:
    topics = Topics(pan)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    run_record, scenario = await _present_run(url, topics, feeder)
    recorder = _Recorder(url, topics, Recording(folder, run_record, scenario, topics, monotonic()), stop)
    console = Console(highlight=False)
    title = f"{scenario.title}, run {run_record.run:08x}"
    console.print(f"recording {title}, into {folder}{'' if seconds else '; Ctrl-C ends it'}", soft_wrap=True)
    await recorder.live(console, seconds)
    recording = recorder.recording
    summary = recording.finish(monotonic())
    console.print(report.picture(scenario, summary, recording.results, console.width))
    for line in recorder.remarks():
        console.print(f"[yellow]{line}[/]")
    console.print(f"[dim]{recording.events} events in[/] {folder}", soft_wrap=True)


async def _present_run(url: BrokerUrl, topics: Topics, feeder: Feeder | None) -> tuple[RunRecord, Scenario]:
    async with connect(url, topics.pan) as client:
        found = await client.retained(topics.run)
    if topics.run not in found:
        raise RunError(f"no run of PAN {topics.pan:04x} is on the broker at {url}: nothing to record")
    try:
        record = RunRecord.decode(topics.run, found[topics.run])
    except PayloadError as error:
        raise RunError(f"the run on the broker cannot be read: {error}") from None
    return record, scenario_of(record, feeder)


class _Recorder:
    """Feeds a recording from a broker."""

    def __init__(self, url: BrokerUrl, topics: Topics, recording: Recording, stop: asyncio.Event) -> None:
        self.recording = recording
        self._topics = topics
        self._stop = stop
        self._over = False
        self._losses = 0
        self._connection = Connection(url, f"gridglow-record-{secrets.token_hex(4)}")
        self._connection.handle(topics.event("+", "+"), self._receive)
        self._connection.handle(topics.run, self._run)

    async def live(self, console: Console, seconds: float | None) -> None:
        """Until stopped."""
        end = None if seconds is None else monotonic() + seconds
        connection = asyncio.create_task(self._connection.run())
        try:
            with console.status("") as status:
                while not self._stop.is_set() and (end is None or monotonic() < end):
                    await self._pause(EVERY_S if end is None else min(EVERY_S, max(0.0, end - monotonic())))
                    self.recording.write(monotonic())
                    status.update(self._progress())
        finally:
            self._losses = self._connection.losses
            connection.cancel()
            await asyncio.wait((connection,), timeout=WAIT_S)

    def remarks(self) -> list[str]:
        """What is to be said about the record at its end."""
        recording, found = self.recording, []
        if self._over:
            found.append("the run is over: another one has begun")
        if self._losses:
            times = "once" if self._losses == 1 else f"{self._losses} times"
            found.append(f"the connection broke {times}: what happened meanwhile is missing")
        if recording.late:
            found.append(f"{recording.late} events came too late for their place and are missing")
        if recording.refused:
            found.append(f"{recording.refused} messages were no events of this network and were left out")
        return found + [str(failure) for failure in recording.failures]

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass

    def _progress(self) -> str:
        recording = self.recording
        read = len(recording.results.read)
        return f"{clock_text(recording.last_us)}  {recording.events} events  {read} meters read"

    def _receive(self, topic: str, payload: bytes, retained: bool) -> None:
        if not retained and not self._over:
            self.recording.receive(topic, payload, monotonic())

    def _run(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            record = RunRecord.decode(topic, payload)
        except PayloadError:
            return
        if record.run != self.recording.run:
            self._over = True
            self._stop.set()
