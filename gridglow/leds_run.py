"""The life of `gridglow leds`: frames of a broker, or of a recorded run, on the terminal until a key or a signal.

The terminal is put back as it was, however it ends. Neighbours: `leds` (options), `leds_watch` (messages to views),
`leds_replay` (a recorded run), `leds_screen` (draws).
"""

from __future__ import annotations

import asyncio
import io
import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from emulation.grid.feeder import Feeder, shipped_feeders
from emulation.live.mqtt import BrokerUrl, Connection
from emulation.live.topics import PayloadError, Topics
from gridglow.errors import fail
from gridglow.leds_keys import Keys
from gridglow.leds_paint import Painter
from gridglow.leds_replay import Playback
from gridglow.leds_screen import LedScreen, View
from gridglow.leds_watch import LedWatch
from gridglow.live_client import LiveError, connect
from gridglow.screen_log import keep_log_off_screen
from led_gateway.config_record import LedConfig

FIRST_S = 1.5
"""Long enough for the next key frame."""
_LAST_WORDS_S = 1.0
_PICTURE = 120, 40


def now_ms() -> int:
    """A clock that never goes back."""
    return time.monotonic_ns() // 1_000_000


# -- the terminal


async def play(screen: LedScreen, moment: Callable[[], View | None], fps: int) -> None:
    """Draw what `moment` gives, `fps` times a second, until it gives None, a key is pressed or a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    console = Console(highlight=False)
    if not console.is_terminal:
        fail("here is no terminal: --once prints a picture, --svg FILE writes one", 2)
    painter = Painter(console)
    with Keys() as keys, console.screen():
        while not stop.is_set() and not {"q", "Q", "\x1b", "\x04"}.intersection(keys.pressed()):
            began = time.monotonic()
            view = moment()
            if view is None:
                return
            screen.view = view
            painter.paint(screen)
            await asyncio.sleep(max(0.001, 1 / fps - (time.monotonic() - began)))


def still(screen: LedScreen, svg: Path | None) -> None:
    """Print one picture, and write it as SVG if wanted. OSError."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PICTURE[0], height=_PICTURE[1])
    if svg is None:
        console.print(screen, end="")
        return
    wide, high = console.size if console.is_terminal else _PICTURE
    svg.write_text(picture_svg(screen, wide, high), encoding="utf-8")
    console.print(f"picture written to {svg}", markup=False, soft_wrap=True)


def picture_svg(screen: LedScreen, columns: int, rows: int) -> str:
    """The screen of a terminal of that size as SVG."""
    console = Console(
        record=True, width=columns, height=rows, file=io.StringIO(), force_terminal=True, color_system="truecolor",
        legacy_windows=False, highlight=False,
    )  # fmt: skip
    console.print(screen, end="")
    return console.export_svg(title="gridglow leds")


# -- a broker


def live(url: BrokerUrl, pan: int, feeder: Feeder | None, fps: int, once: bool, svg: Path | None) -> None:
    """Show what is on the broker. LiveError, OSError."""
    asyncio.run(_live(url, pan, feeder, fps, once, svg))


async def _live(url: BrokerUrl, pan: int, own: Feeder | None, fps: int, once: bool, svg: Path | None) -> None:
    keep_log_off_screen()
    topics = Topics(pan)
    config = await _config(url, topics)
    feeder = _feeder_of(config, own)
    watch = LedWatch(topics, config, feeder, now_ms())
    connection = Connection(url, f"gridglow-leds-{secrets.token_hex(4)}")
    for topic in watch.filters():
        connection.handle(topic, lambda topic, payload, _: watch.take(topic, payload, now_ms()))
    running = asyncio.create_task(connection.run())
    screen = LedScreen(feeder)

    def moment() -> View:
        return watch.view(now_ms(), time.time_ns(), connection.up.is_set())

    try:
        if once or svg is not None:
            await asyncio.sleep(FIRST_S)
            screen.view = moment()
            still(screen, svg)
        else:
            await play(screen, moment, fps)
    finally:
        running.cancel()
        await asyncio.wait((running,), timeout=_LAST_WORDS_S)


async def _config(url: BrokerUrl, topics: Topics) -> LedConfig:
    topic = f"{topics.prefix}led/config"
    async with connect(url, topics.pan) as client:
        found = await client.retained(topic)
    if topic not in found:
        raise LiveError(f"no light gateway has shown itself in PAN {topics.pan:04x} at {url}: is one running there?")
    try:
        return LedConfig.decode(topic, found[topic])
    except PayloadError as error:
        raise LiveError(f"the light gateway's configuration cannot be read: {error}") from None


def light_of(url: BrokerUrl, pan: int, own: Feeder | None) -> tuple[LedConfig, Feeder]:
    """The light on a broker and its feeder. LiveError."""
    config = asyncio.run(_config(url, Topics(pan)))
    return config, _feeder_of(config, own)


def _feeder_of(config: LedConfig, own: Feeder | None) -> Feeder:
    """The feeder whose LEDs the frames are for: the one that was given, or the shipped one of that name. LiveError."""
    if own is None and config.feeder not in shipped_feeders():
        raise LiveError(f"the light is on feeder {config.feeder!r}: give its file with --feeder")
    feeder = own or Feeder.load(config.feeder)
    if feeder.sha256 != config.feeder_sha256:
        raise LiveError(
            f"another feeder: the light is on {config.feeder!r} ({config.feeder_sha256[:12]}), "
            f"ours is {feeder.name!r} ({feeder.sha256[:12]}): give its file with --feeder"
        )
    return feeder


# -- a recorded run


def recorded(playback: Playback, feeder: Feeder, from_ms: int, fps: int, once: bool, svg: Path | None) -> None:
    """Show a run from a display time on. EvidenceError, OSError."""
    screen = LedScreen(feeder)
    playback.seek(from_ms)
    if once or svg is not None:
        screen.view = playback.view(from_ms)
        still(screen, svg)
        return
    began_ms = now_ms()

    def moment() -> View | None:
        t_ms = from_ms + now_ms() - began_ms
        return None if playback.over(t_ms) else playback.view(t_ms)

    asyncio.run(play(screen, moment, fps))
