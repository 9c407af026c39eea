"""The life of `gridglow board walk`: keys in, pictures out, what should be lit said in the terminal.

Without a terminal, or with a time for each step, it goes by itself. Neighbours: `board_walk` (steps and pictures),
`board_light` (where they go).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence

from rich.console import Console

from emulation.grid.feeder import Feeder
from emulation.live.mqtt import BrokerUrl
from gridglow import board_walk
from gridglow.board_light import Light, light_of
from gridglow.board_walk import Step
from gridglow.leds_keys import Keys
from gridglow.leds_paint import Painter
from gridglow.leds_screen import LedScreen, View
from led_gateway.ddp import DdpHost

LOOK_S = 0.05
KEYS = "space, →: on   b, ←: back   n: next branch   p: branch before   q: end"
LEGEND = (("this LED", board_walk.WHITE), ("its branch", board_walk.BLUE), ("joined here", board_walk.AMBER))


class Walker:
    """The place in a walk. `over` once it has been left."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._at = 0
        self.over = False

    @property
    def step(self) -> Step:
        """Where it is."""
        return self._steps[self._at]

    def key(self, key: str) -> None:
        """A key was pressed; others than those of the help do nothing."""
        if key in (" ", "right", "\n", "\r"):
            self._go(self._at + 1)
        elif key in ("b", "left", "\x7f"):
            self._go(self._at - 1)
        elif key in ("n", "down"):
            self._go(self._branch(self.step.number + 1))
        elif key in ("p", "up"):
            self._go(self._branch(self.step.number - 1))
        elif key in ("q", "\x1b", "\x04"):
            self.over = True

    def on(self) -> None:
        """The time of a step is over; after the last one, so is the walk."""
        if self._at + 1 == len(self._steps):
            self.over = True
        self._go(self._at + 1)

    def _go(self, at: int) -> None:
        self._at = min(max(at, 0), len(self._steps) - 1)

    def _branch(self, number: int) -> int:
        """The first step of a branch, or here where it is not in the walk."""
        return next((at for at, step in enumerate(self._steps) if step.number == number), self._at)


def run(
    feeder: Feeder, steps: Sequence[Step], seconds: float | None, url: BrokerUrl, pan: int, hosts: list[DdpHost]
) -> None:
    """Walk until the end, a key or a signal. LiveError."""
    asyncio.run(_run(feeder, steps, seconds, url, pan, hosts))


async def _run(
    feeder: Feeder, steps: Sequence[Step], seconds: float | None, url: BrokerUrl, pan: int, hosts: list[DdpHost]
) -> None:
    walker = Walker(steps)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, walker.key, "q")
    async with light_of(url, pan, feeder.leds, hosts) as light:
        console = Console(highlight=False)
        with Keys() as keys:
            if seconds is None and not keys.there:
                seconds = 1.0
            if console.is_terminal and keys.there:
                await _shown(feeder, walker, keys, seconds, light, console)
            else:
                await _listed(feeder, walker, keys, seconds, light, console)
        light.send(bytes(3 * feeder.leds))


async def _shown(
    feeder: Feeder, walker: Walker, keys: Keys, seconds: float | None, light: Light, console: Console
) -> None:
    """With the board drawn in the terminal."""
    screen = LedScreen(feeder)
    painter = Painter(console)
    with console.screen():
        async for step in _steps(walker, keys, seconds):
            rgb = board_walk.picture(feeder, step)
            light.send(rgb)
            said = board_walk.sentence(feeder, step)
            screen.view = View(rgb, said=said, note=light.trouble, status=KEYS, legend=LEGEND)
            painter.paint(screen)


async def _listed(
    feeder: Feeder, walker: Walker, keys: Keys, seconds: float | None, light: Light, console: Console
) -> None:
    """A line for each step, and for what is in its way."""
    seen: Step | None = None
    trouble = ""
    async for step in _steps(walker, keys, seconds):
        light.send(board_walk.picture(feeder, step))
        if step != seen:
            seen = step
            console.print(board_walk.sentence(feeder, step), soft_wrap=True, markup=False)
        if light.trouble != trouble:
            trouble = light.trouble
            console.print(trouble or "all is well again", soft_wrap=True, markup=False)


async def _steps(walker: Walker, keys: Keys, seconds: float | None) -> AsyncIterator[Step]:
    """Where the walk is, several times a second, until it is over."""
    loop = asyncio.get_running_loop()
    next_at = loop.time() + seconds if seconds is not None else None
    while True:
        for key in keys.pressed():
            walker.key(key)
        if next_at is not None and seconds is not None and loop.time() >= next_at:
            next_at += seconds
            walker.on()
        if walker.over:
            return
        yield walker.step
        await asyncio.sleep(LOOK_S)
