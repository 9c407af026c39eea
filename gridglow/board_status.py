"""`gridglow board status`: the boards that have said something, from their retained status.

Neighbours: `led_gateway.board_record` (what they say), `board_cli`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from emulation.live.mqtt import BrokerUrl
from emulation.live.topics import PayloadError, Topics
from gridglow.live_client import LiveError, connect
from led_gateway.board_record import BoardStatus

COLUMNS = ("board", "state", "LEDs", "fps", "shown", "late", "dropped", "malformed", "heap", "gc", "RSSI", "up")


def show(url: BrokerUrl, pan: int) -> None:
    """Print the boards. LiveError: no broker, or no board has ever said something there."""
    topics = Topics(pan)
    found = boards(topics, asyncio.run(_retained(url, pan, topics)))
    if not found:
        raise LiveError(f"no board has said anything in PAN {pan:04x} at {url}")
    Console(highlight=False).print(table(found))


async def _retained(url: BrokerUrl, pan: int, topics: Topics) -> dict[str, bytes]:
    async with connect(url, pan) as client:
        return await client.retained(f"{topics.prefix}board/+/status")


def boards(topics: Topics, found: Mapping[str, bytes]) -> list[tuple[str, BoardStatus]]:
    """Names and status among retained messages, by name; records that are no good are left out."""
    records = []
    for topic, payload in sorted(found.items()):
        levels = topics.parts(topic)
        if levels[:1] == ["board"] and levels[2:] == ["status"]:
            try:
                records.append((printable(levels[1]), BoardStatus.decode(topic, payload)))
            except PayloadError:
                continue
    return records


def printable(text: str) -> str:
    """Other people's words do not get to move the cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def table(found: list[tuple[str, BoardStatus]]) -> RenderableType:
    """A line for each board, and one below for what it has to say."""
    shown = Table(box=None, pad_edge=False, header_style="dim", collapse_padding=True)
    for name in COLUMNS:
        shown.add_column(name, justify="left" if name in COLUMNS[:2] else "right", no_wrap=True)
    for name, status in found:
        shown.add_row(*_row(name, status))
        if status.message:
            shown.add_row("", Text(printable(status.message), style="yellow"))
    return shown


def _row(name: str, status: BoardStatus) -> tuple[Any, ...]:
    if not status.online:
        return (name, Text("offline", style="red"))
    fits = status.leds_shown in (0, status.led_count)
    leds = str(status.led_count) if fits else f"{status.leds_shown} of {status.led_count}"
    return (
        name, Text("online", style="green"), leds, str(status.fps), str(status.shown),
        Text(str(status.late), style="red" if status.late else ""), str(status.dropped), str(status.malformed),
        f"{status.heap_free // 1024} kB", f"{status.gc_us / 1000:.1f} ms",
        f"{status.rssi} dBm" if status.rssi else "", _duration(status.uptime_s),
    )  # fmt: skip


def _duration(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds % 60:02d} s"
