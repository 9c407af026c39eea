"""Draws on the whole terminal, again and again: only the lines that have changed are written, and none if none has.

Neighbours: `leds_screen` (what is drawn), `leds_run` and `board_walk_run` (when).
"""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.control import Control
from rich.segment import ControlType, Segment, Segments


class Painter:
    """A console's screen, as long as it is on the alternate one (`console.screen()`)."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._size = (0, 0)
        self._shown: list[list[Segment]] = []

    def paint(self, picture: RenderableType) -> None:
        """Show this, in the present size of the terminal."""
        console = self._console
        size = console.size
        written: list[Segment] = []
        if size != self._size:
            self._size = size
            self._shown = [[]] * size.height
            written.append(Control((ControlType.CLEAR,), (ControlType.HOME,)).segment)
        options = console.options.update(width=size.width, height=size.height)
        lines = console.render_lines(picture, options)[: size.height]
        for row, line in enumerate(lines):
            if line != self._shown[row]:
                self._shown[row] = line
                written += [Control.move_to(0, row).segment, *line]
        if written:
            console.print(Segments(written), end="", crop=False)
            console.file.flush()
