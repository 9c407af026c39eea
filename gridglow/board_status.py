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

COLUMNS = ("board", "state", "LEDs", "fps", "shown", "late", "dropped", "malformed", "heap", "gc ms", "dBm", "up")


def show(url: BrokerUrl, pan: int) -> None:
    """Print the boards. LiveError: no broker, or no board has ever said something there."""
    topics = Topics(pan)
    found = boards(topics, asyncio.run(_retained(url, pan, topics)))
    if not found:
        raise LiveError(f"no board has said anything in PAN {pan:04x} at {url}")
    console = Console(highlight=False)
    console.print(table(found))
    for line in messages(found):
        console.print(line, style="yellow", markup=False, soft_wrap=True)


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
    """A line for each board; 80 columns are enough."""
    shown = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for name in COLUMNS:
        shown.add_column(name, justify="left" if name in COLUMNS[:2] else "right", no_wrap=True)
    for name, status in found:
        shown.add_row(*_row(Text(name), status))
    return shown


def messages(found: list[tuple[str, BoardStatus]]) -> list[str]:
    """What boards have to say."""
    return [f"{name}: {printable(status.message)}" for name, status in found if status.message]


def _row(name: Text, status: BoardStatus) -> tuple[Any, ...]:
    if not status.online:
        return (name, Text("offline", style="red"))
    fits = status.leds_shown in (0, status.led_count)
    leds = str(status.led_count) if fits else f"{status.leds_shown}/{status.led_count}"
    return (
        name, Text("online", style="green"), leds, str(status.fps), str(status.shown),
        Text(str(status.late), style="red" if status.late else ""), str(status.dropped), str(status.malformed),
        f"{status.heap_free // 1024} kB", f"{status.gc_us / 1000:.1f}", str(status.rssi or ""),
        _duration(status.uptime_s),
    )  # fmt: skip


def _duration(seconds: int) -> str:
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes}:{seconds % 60:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h" if minutes < 6000 else f"{minutes // 1440} days"
