"""The asynchronous part of the commands in `live_cli`: connect, do it, print, end with the right code.

Exit codes: 0 done, 1 failed or refused or nobody there, 2 wrong options, 130 interrupted.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import typer
from rich.console import Console, RenderableType

from emulation.live.command_line import OptionError, configure_logging, pan_of
from emulation.live.director_shell import DirectorError, DirectorShell
from emulation.live.director_status import DirectorStatus
from emulation.live.mqtt import BrokerUrl, BrokerUrlError
from emulation.live.playbook import Playbook
from emulation.live.replies import ACCEPTED, DONE, REFUSED, Reply
from emulation.live.rivals import LISTEN_MS
from emulation.live.topics import PayloadError, Topics
from gridglow import live_status
from gridglow.errors import fail
from gridglow.live_client import LiveClient, LiveError, Message, connect
from gridglow.live_watch import Filter, Watch

LOGS_S = 5.0

View = Callable[[Topics, Mapping[str, bytes]], RenderableType]


def run_director(broker: str, pan: str, playbook: Playbook, fresh: bool) -> None:
    """Direct until a signal comes."""
    url, number = _where(broker, pan)
    configure_logging("info")
    lines = logging.getLogger("gridglow.director")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("director    %(message)s"))
    lines.addHandler(handler)
    lines.propagate = False
    try:
        with asyncio.Runner() as runner:
            runner.run(_direct(url, playbook, number, fresh))
    except DirectorError as error:
        fail(error, 3)


async def _direct(url: BrokerUrl, playbook: Playbook, pan: int, fresh: bool) -> None:
    task = asyncio.ensure_future(DirectorShell(url, playbook, pan, fresh).run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        pass


def command(broker: str, pan: str, rest: str, fields: dict[str, Any], progress: tuple[str, ...]) -> None:
    """Give a command, print its answers; ends with code 1 unless it is done."""
    reply = _run(broker, pan, lambda client: _command(client, rest, fields, progress))
    if reply.state == REFUSED:
        allowed = f"; allowed: {reply.allowed}" if reply.allowed else ""
        fail(f"refused: {reply.detail}{allowed}")
    if reply.state != DONE:
        fail(f"failed: {reply.detail}")


async def _command(client: LiveClient, rest: str, fields: dict[str, Any], progress: tuple[str, ...]) -> Reply:
    watch = Watch(client.topics, Filter())
    topics = tuple(client.topics.event(0, kind) for kind in progress)

    def seen(reply: Reply) -> None:
        if reply.state == ACCEPTED and reply.detail:
            typer.echo(f"accepted: {reply.detail}")
        elif reply.state == DONE:
            typer.echo(f"done: {reply.detail}" if reply.detail else "done")

    def also(message: Message) -> None:
        for line in watch.lines(message.topic, message.payload):
            typer.echo(line)

    return await client.command(rest, fields, seen, also, topics)


def show(broker: str, pan: str, view: View) -> None:
    """Print what is retained."""
    topics, found = _run(broker, pan, _retained)
    Console(highlight=False).print(view(topics, found))
    if not found:
        fail(f"nothing of PAN {topics.pan:04x} is on this broker")


def status(broker: str, pan: str) -> None:
    """Print the state of the run and of who is heard to be there."""
    topics, found, heard = _run(broker, pan, _heard)
    Console(highlight=False).print(live_status.status_view(topics, found, heard))
    if not found:
        fail(f"nothing of PAN {topics.pan:04x} is on this broker")


async def _heard(client: LiveClient) -> tuple[Topics, dict[str, bytes], dict[str, int]]:
    """What is there once all that are retained as online are heard, or two beats are over; when each was heard."""
    topics, found = await _retained(client)
    heard: dict[str, int] = {}
    awaited = live_status.online(topics, found)
    try:
        async with asyncio.timeout(LISTEN_MS / 1000):
            messages = client.messages()
            while awaited:
                message = await anext(messages)
                if live_status.is_claim(message.topic, message.payload):
                    continue
                found[message.topic] = message.payload
                if not message.retained:
                    heard[message.topic] = time.time_ns() // 1_000_000
                    awaited.discard(message.topic)
    except TimeoutError:
        pass
    return topics, {topic: payload for topic, payload in found.items() if payload}, heard


async def _retained(client: LiveClient) -> tuple[Topics, dict[str, bytes]]:
    return client.topics, await client.retained(*live_status.filters(client.topics))


def logs(broker: str, pan: str, who: str, follow: bool) -> None:
    """Print lines of the log as they come."""
    count = _run(broker, pan, lambda client: _logs(client, who, follow))
    if not count:
        fail(f"nothing was logged within {LOGS_S:.0f} s; with -f it is waited for")


async def _logs(client: LiveClient, who: str, follow: bool) -> int:
    if who.isdigit():
        await _check_stations(client, {int(who)})
    await client.listen(client.topics.log(who))
    count = 0
    try:
        async with asyncio.timeout(None if follow else LOGS_S):
            async for message in client.messages():
                levels = client.topics.parts(message.topic)
                if levels[0] != "log":
                    continue
                name = _name(levels[1])
                text = message.payload[:2000].decode("utf-8", "replace").translate(_CONTROLS)
                typer.echo(f"{name:<11} {text}")
                count += 1
    except TimeoutError:
        pass
    return count


def watch(broker: str, pan: str, wanted: Filter) -> None:
    """Print frames and events as they come."""
    _run(broker, pan, lambda client: _watch(client, wanted))


async def _watch(client: LiveClient, wanted: Filter) -> None:
    if wanted.stations:
        await _check_stations(client, wanted.stations)
    watching = Watch(client.topics, wanted)
    await client.listen(*watching.filters())
    async for message in client.messages():
        for line in watching.lines(message.topic, message.payload):
            typer.echo(line)


async def _check_stations(client: LiveClient, stations: set[int]) -> None:
    """LiveError for a station that the feeder of the run has not; nothing where no director tells of a run."""
    topic = client.topics.status("director")
    found = await client.retained(topic)
    try:
        count = DirectorStatus.decode(topic, found.get(topic, b"")).stations
    except PayloadError:
        return
    for station in sorted(stations):
        if count and station >= count:
            raise LiveError(f"no station {station} on the feeder of this run; allowed: 0 to {count - 1}")


def _run(broker: str, pan: str, work: Callable[[LiveClient], Coroutine[Any, Any, Any]]) -> Any:
    url, number = _where(broker, pan)

    async def inside() -> Any:
        async with connect(url, number) as client:
            return await work(client)

    try:
        with asyncio.Runner() as runner:
            return runner.run(inside())
    except LiveError as error:
        fail(error)


def _where(broker: str, pan: str) -> tuple[BrokerUrl, int]:
    try:
        return BrokerUrl.parse(broker), pan_of(pan)
    except BrokerUrlError as error:
        fail(f"--broker {error}", 2)
    except OptionError as error:
        fail(error, 2)


def _name(level: str) -> str:
    return {"0": "coordinator"}.get(level, f"meter-{level}" if level.isdigit() else level)


_CONTROLS = dict.fromkeys((*range(32), 127), "?")
"""Other people's lines do not get to move the cursor."""
