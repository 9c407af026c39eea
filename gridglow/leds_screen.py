"""What `gridglow leds` shows: the map, what happens, the status, the legend, in the size of the terminal.

Pure: a `View` in, something rich can print out. Neighbours: `leds_map`, `leds_run` and `leds_watch` (make the views).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from emulation.grid.feeder import Feeder
from emulation.observe.prose import clock_text
from gridglow.leds_colour import BACKGROUND, Rgb, hex_of, letter, on_screen
from gridglow.leds_map import LedMap, Line

LINES_BELOW = 3
FEWEST_ROWS = 4
LEAST_COLUMNS = 20
FAINT = "#8490a8"
WORDS = f"#c6cedd on {hex_of(BACKGROUND)}"
"""On the board's own background, which is dark on a light terminal too."""


@dataclass(slots=True)
class BoardView:
    """A board that has said something. `fps` -1: unknown."""

    name: str
    online: bool
    fps: int = -1
    leds: int = 0


@dataclass(slots=True)
class View:
    """A moment. `frame` is R G B of each LED as PWM octets; numbers that are not known are negative.

    `legend` are (word, PWM colour); `said` is what happens, `note` what is out of order, `status` words in place of the
    numbers.
    """

    frame: bytes = b""
    t_us: int = -1
    permille: int = -1
    read: int = -1
    meters: int = 0
    boards: list[BoardView] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    said: str = ""
    note: str = ""
    status: str = ""
    legend: tuple[tuple[str, Rgb], ...] = ()


class LedScreen:
    """A view on a terminal: half-blocks where it has at least 256 colours, letters where it has not."""

    def __init__(self, feeder: Feeder) -> None:
        self._feeder = feeder
        self._map = LedMap(feeder, 2, 1)
        self._room = (0, 0)
        self.view = View()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = max(options.max_width, LEAST_COLUMNS)
        rows = max((options.height or options.size.height) - LINES_BELOW, FEWEST_ROWS)
        if self._room != (columns, rows):
            self._room = columns, rows
            self._map = LedMap(self._feeder, columns, rows)
        blocks = console.color_system in ("truecolor", "256")
        lines = list(self._picture(blocks, options.ascii_only))
        above = (rows - len(lines)) // 2
        empty = [Segment(" " * columns, Style.parse(f"on {hex_of(BACKGROUND)}"))] if blocks else []
        for line in (*[empty] * above, *lines, *[empty] * (rows - above - len(lines))):
            yield from line
            yield Segment.line()
        for text in (said(self.view), status(self.view), legend(self.view, blocks)):
            text.truncate(columns, overflow="crop" if options.ascii_only else "ellipsis", pad=blocks)
            text.style = WORDS if blocks else ""
            yield text

    def _picture(self, blocks: bool, ascii_only: bool) -> Iterator[Line]:
        return self._map.lines(self.view.frame) if blocks else self._map.letters(self.view.frame, ascii_only)


def said(view: View) -> Text:
    """What happens, or what is out of order."""
    if view.note:
        return Text(view.note, style="bold #ffd060", no_wrap=True)
    return Text(view.said, no_wrap=True)


def status(view: View) -> Text:
    """The numbers."""
    if view.status:
        return Text(view.status, style=FAINT, no_wrap=True)
    parts: list[tuple[str, str]] = []
    if view.t_us >= 0:
        parts.append((clock_text(view.t_us)[:-2], "bold"))
    if view.permille >= 0:
        parts.append((f"{view.permille / 1000:g}x" if view.permille else "paused", "#6fb7ff"))
    if view.read >= 0:
        parts.append((f"read {view.read} of {view.meters}", "bold #7adea0" if view.read >= view.meters else ""))
    for board in view.boards:
        shows = f"{board.fps} fps" if board.fps >= 0 else "online"
        parts.append((f"{board.name} {shows if board.online else 'offline'}", "" if board.online else "#ffd060"))
    if view.faults:
        parts.append((", ".join(view.faults), "bold #ff5caa"))
    return Text("", no_wrap=True).join([Text(f"{words}  ", style=style) for words, style in parts])


def legend(view: View, blocks: bool) -> Text:
    """What the colours mean."""
    text = Text(no_wrap=True)
    for word, colour in view.legend:
        if blocks:
            text.append("● ", style=hex_of(on_screen(colour)))
        else:
            text.append(f"{letter(*colour)} ")
        text.append(f"{word}  ", style=FAINT)
    return text
