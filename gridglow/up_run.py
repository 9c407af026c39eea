"""The life of `gridglow up`: the broker, the PAN on it, the screen, and the end of all three.

Neighbours: `up` (options), `one_pan`, `up_screen`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import typer

from emulation.live.broker import BrokerError, EmbeddedBroker, Kind, embedded_broker, listening_socket
from emulation.live.command_line import run_loop
from emulation.live.director_status import DirectorStatus
from emulation.live.mqtt import BrokerUrl, absent, client_of, hopeless
from emulation.live.playbook import Playbook
from emulation.live.rivals import LISTEN_MS
from emulation.live.topics import PayloadError, Topics
from emulation.scenario import Scenario
from gridglow.errors import fail
from gridglow.one_pan import ANSWER_S, OnePan, PanError
from gridglow.up_screen import REFRESH_S, Address, Screen, View, by_hops, suggestion, summary, welcome
from led_gateway.ddp import DdpHost

PORTS = range(1883, 1900)
"""Where the broker goes unless a port is asked for: the first that is free."""
INTERRUPTED = 130
"""Exit code after a second signal, which does not wait for last words."""
CONNECT_S = 3.0
RETRY_S = 1.0
LISTEN_S = 0.3
"""A retained status comes at once, or there is none."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(slots=True)
class UpOptions:
    """What to run. `url` None: bring a broker along, on `port` (None: the first of PORTS that is free) of `bind`.

    `kind` insists on one kind of it. `light`: DDP hosts; None: no light at all.
    """

    scenes: list[Scenario]
    url: BrokerUrl | None
    pan: int
    speed_permille: int | None
    port: int | None = None
    bind: str = "127.0.0.1"
    kind: Kind | None = None
    log_dir: Path | None = None
    log_json: bool = False
    quiet: bool = False
    light: list[DdpHost] | None = None


def run(options: UpOptions) -> int:
    """Run until a signal comes; the exit code. Ends the command with one line where that cannot be."""
    stations = max(scene.meters for scene in options.scenes) + 1
    try:
        return run_loop(lambda: _up(options), stations)
    except (BrokerError, PanError) as error:
        fail(error)
    except asyncio.CancelledError:
        return INTERRUPTED


async def _up(options: UpOptions) -> int:
    stop = asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def interrupted() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted)
    if options.url is not None:
        finding = asyncio.create_task(_free(options.url, options.pan))
        interruption = asyncio.create_task(stop.wait())
        await asyncio.wait((finding, interruption), return_when=asyncio.FIRST_COMPLETED)
        interruption.cancel()
        if finding.cancel():
            return 0
        finding.result()
        await _live(options, options.url, None, stop)
        return 0
    async with _broker(options) as broker:
        await _live(options, BrokerUrl.parse(broker.url), broker, stop)
    return 0


@asynccontextmanager
async def _broker(options: UpOptions) -> AsyncIterator[EmbeddedBroker]:
    port = _first_free(options.bind) if options.port is None else options.port
    async with embedded_broker(port, options.bind, options.kind) as broker:
        yield broker


def _first_free(bind: str) -> int:
    refusal: BrokerError | None = None
    for port in PORTS:
        try:
            listening_socket(bind, port).close()
        except BrokerError as error:
            refusal = refusal or error
        else:
            return port
    raise refusal or BrokerError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free on {bind}")


async def _free(url: BrokerUrl, pan: int) -> None:
    """Wait until a broker that somebody else runs answers.

    PanError where waiting is of no use: it does not let us in, or another director is at work in this PAN.
    """
    said = False
    while True:
        try:
            # First without MQTT: a thread of the library that waits for a host that is silent could not be called off.
            async with asyncio.timeout(CONNECT_S):
                _, writer = await asyncio.open_connection(url.host, url.port)
                writer.close()
            async with client_of(url, ANSWER_S) as connection:
                await _refuse_second(connection, url, pan)
                return
        except (aiomqtt.MqttError, OSError) as error:
            if hopeless(url, error):
                raise PanError(hopeless(url, error)) from None
            if not said:
                said = True
                typer.echo(f"gridglow: {absent(url, error)}", err=True)
        await asyncio.sleep(RETRY_S)


async def _refuse_second(connection: aiomqtt.Client, url: BrokerUrl, pan: int) -> None:
    """PanError if a director is at work: one whose status comes in anew, whatever its host's wall clock says."""
    topic = Topics(pan).status("director")
    await connection.subscribe(topic)
    wait_s, retained = LISTEN_S, True
    try:
        while retained:
            async with asyncio.timeout(wait_s):
                message = await anext(connection.messages)
            found, retained = DirectorStatus.decode(topic, bytes(message.payload)), message.retain
            if not found.online or found.claim:
                return
            wait_s = LISTEN_MS / 1000
    except (TimeoutError, PayloadError, TypeError):
        return
    raise PanError(
        f"PAN {pan:04x} is already running on {url} (director {found.instance}): look at it with "
        "`gridglow status`, or take another PAN with --pan"
    )


async def _live(options: UpOptions, url: BrokerUrl, broker: EmbeddedBroker | None, stop: asyncio.Event) -> None:
    scenes = options.scenes
    playbook = Playbook(scenes, len(scenes) > 1, options.speed_permille)
    pan = OnePan(url, playbook, scenes, options.pan, options.log_dir, options.light, options.log_json)
    loop = asyncio.get_running_loop()
    address = Address(url, options.pan)
    screen = Screen(address, options.quiet, lambda: loop.call_soon_threadsafe(stop.set))
    lines = _say_logs(screen)
    for text in welcome(address, _where(options, url, broker), _playing(options), scenes[0].meters + 1):
        screen.say(text)
    running = asyncio.create_task(pan.run())
    watching = asyncio.create_task(_watch(pan, screen, address))
    waits = [running, asyncio.create_task(stop.wait())]
    if broker is not None:
        waits.append(asyncio.create_task(broker.failed()))
    last = ""
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            if task.done():
                task.result()
        last = summary(view_of(pan))
    finally:
        lines.ending = True
        pan.stop()
        watching.cancel()
        await asyncio.gather(running, watching, return_exceptions=True)
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        if broker is None and last:
            await pan.clear()
        if last:
            screen.say(f"ended at   {last}")
        screen.close()


async def _watch(pan: OnePan, screen: Screen, address: Address) -> None:
    """Keep the screen up to date."""
    loop = asyncio.get_running_loop()
    began, ready, hinted, collected = loop.time(), False, 0, False
    while True:
        view = view_of(pan)
        screen.show(view)
        if not ready and pan.ready:
            ready = True
            screen.say(f"ready      all {view.stations} stations are on, {loop.time() - began:.1f} s after the start")
        if collected:
            screen.say(by_hops(pan.story.read.values()) or "by hops    no meter was read")
        # one look later: the director's own word comes first
        collected, pan.story.collected = pan.story.collected, False
        if view.link and not screen.live and hinted != pan.stage.run:
            hinted = pan.stage.run
            screen.say(suggestion(view, address))
        await asyncio.sleep(REFRESH_S if ready else REFRESH_S / 10)


def view_of(pan: OnePan) -> View:
    """The present moment of a PAN."""
    stage, roll, now_us = pan.stage, pan.stage.roll, pan.now_us
    scene = stage.playbook.scene
    link, target = _link_in_use(pan)
    return View(
        now_us, pan.permille, stage.clock.auto, stage.starting, scene.title, scene.meters + 1, pan.online, roll.ready,
        scene.meters, pan.meters_read(), roll.late, roll.heard, pan.sense_doubt, roll.faithful, pan.host.lag_us,
        pan.host.connection.up.is_set(), pan.story.last,
        [record for record in stage.faults.records if record.from_us <= now_us], link, target, stage.jobs.busy,
    )  # fmt: skip


def _link_in_use(pan: OnePan) -> tuple[str, int]:
    """The last link of a route of several hops to one of the scene's meters, and that meter."""
    scene = pan.stage.playbook.scene
    for meter in (*(job.station for job in reversed(scene.jobs) if job.station), scene.meters):
        link = pan.stage.roll.route_link(meter)
        if link is not None and link[0]:
            return f"{link[0]}-{link[1]}", meter
    return "", 0


def _playing(options: UpOptions) -> str:
    scenes = options.scenes
    if len(scenes) == 1:
        return f"{scenes[0].name}: {scenes[0].title}"
    names = ", ".join(scene.name for scene in scenes)
    return f"{names}, again and again" + (", each at its own speed" if options.speed_permille is None else "")


def _where(options: UpOptions, url: BrokerUrl, broker: EmbeddedBroker | None) -> str:
    if broker is None:
        return f"{url}, which was there"
    words = [f"{url} ({broker.kind}, for this run only)"]
    if options.port is None and broker.port != PORTS.start:
        words.append(f"port {PORTS.start} is taken")
    if options.bind not in _LOOPBACK:
        words.append(f"open on {options.bind} to everybody who can reach it")
    return "; ".join(words)


class _ToScreen(logging.Handler):
    """Lines of the program's own log, which would tear the status apart, go through the screen.

    While it is `ending` only warnings do: that what was under way is over by then goes without saying.
    """

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen
        self.ending = False

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a line on."""
        if record.levelno >= logging.WARNING:
            self._screen.warn(record.getMessage())
        elif not self.ending:
            self._screen.say(record.getMessage())


def _say_logs(screen: Screen) -> _ToScreen:
    root = logging.getLogger("gridglow")
    lines = _ToScreen(screen)
    root.addHandler(lines)
    root.propagate = False
    logging.getLogger("gridglow.director").setLevel(logging.INFO)
    # Fifty connections to one broker would say the same; the status shows whether it is there.
    logging.getLogger("gridglow.mqtt").setLevel(logging.ERROR)
    return lines
