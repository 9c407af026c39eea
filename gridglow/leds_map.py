"""The board in the terminal: LEDs at their places on the map, two pixels to a character.

Cables lie dim between the LEDs; where several LEDs fall on one pixel the brightest is seen. Without colours a letter
stands for an LED: capital when bright. Pure: a frame of PWM octets in, segments for rich out. Neighbours: `leds_screen`
(what stands around it), `leds_colour`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from emulation.grid.feeder import Feeder
from gridglow.leds_colour import BACKGROUND, CABLE, SCREEN, UNLIT, Rgb, letter

_SPILL = 5, 16
"""Share of an LED's light that the cable around it shows."""

LETTER_STYLES = {
    kind: Style.parse(colour)
    for kind, colour in (("r", "blue"), ("d", "yellow"), ("x", "magenta"), ("o", "bold"), ("·", "dim"), (".", "dim"))
}
"""For terminals with a few colours; where there are none, letters have to do."""

Line = list[Segment]


class LedMap:
    """The places of a feeder's LEDs on `columns` by at most `rows` characters; `rows` becomes what is needed."""

    def __init__(self, feeder: Feeder, columns: int, rows: int) -> None:
        self.columns = max(columns, 2)
        places = _Places(feeder, self.columns, 2 * max(rows, 1))
        self.rows = (places.high + 1) // 2
        self.pixel_of = [places.of(point) for point in feeder.xy]
        """Pixel of each LED: row x columns + column, rows half a character high."""
        self._cable = _cables(feeder, self.pixel_of, self.columns)

    def pixels(self, frame: bytes) -> dict[int, Rgb]:
        """What each pixel shows that is not background. `frame`: R G B of each LED; a short one leaves the rest off."""
        screen = SCREEN
        shown: dict[int, Rgb] = {}
        lights = [
            (screen[frame[at]], screen[frame[at + 1]], screen[frame[at + 2]]) for at in range(0, len(frame) - 2, 3)
        ]
        lights += [(0, 0, 0)] * (len(self.pixel_of) - len(lights))
        part, whole = _SPILL
        for pixel, led in self._cable:
            red, green, blue = lights[led]
            shown[pixel] = (
                max(CABLE[0], red * part // whole), max(CABLE[1], green * part // whole),
                max(CABLE[2], blue * part // whole),
            )  # fmt: skip
        best: dict[int, int] = {}
        for pixel, light in zip(self.pixel_of, lights, strict=False):
            sum_ = light[0] + light[1] + light[2]
            if sum_ >= best.get(pixel, -1):
                best[pixel] = sum_
                shown[pixel] = (max(light[0], UNLIT[0]), max(light[1], UNLIT[1]), max(light[2], UNLIT[2]))
        return shown

    def lines(self, frame: bytes) -> Iterator[Line]:
        """The picture in colours, line by line."""
        shown, columns = self.pixels(frame), self.columns
        for row in range(self.rows):
            above, below = 2 * row * columns, (2 * row + 1) * columns
            cells = [(shown.get(above + x), shown.get(below + x)) for x in range(columns)]
            yield [_run(cell, len(list(run))) for cell, run in groupby(cells)]

    def letters(self, frame: bytes, ascii_only: bool) -> Iterator[Line]:
        """The picture without colours, line by line."""
        columns = self.columns
        dot = "." if ascii_only else "·"
        cells = {self._cell(pixel): dot for pixel, _ in self._cable}
        best: dict[int, int] = {}
        for led, pixel in enumerate(self.pixel_of):
            light = frame[3 * led : 3 * led + 3].ljust(3, b"\0")
            cell = self._cell(pixel)
            if max(light) >= best.get(cell, -1):
                best[cell] = max(light)
                cells[cell] = letter(light[0], light[1], light[2]) or dot
        for row in range(self.rows):
            line = [cells.get(row * columns + x, " ") for x in range(columns)]
            yield [Segment("".join(run), LETTER_STYLES.get(kind)) for kind, run in groupby(line, key=str.lower)]

    def _cell(self, pixel: int) -> int:
        return pixel // self.columns // 2 * self.columns + pixel % self.columns


class _Places:
    """The scale: one for both directions, as large as fits, the map in the middle of the columns."""

    def __init__(self, feeder: Feeder, wide: int, high: int) -> None:
        self._left_dm = min(x for x, _ in feeder.xy)
        self._top_dm = min(y for _, y in feeder.xy)
        self._wide_dm = max(max(x for x, _ in feeder.xy) - self._left_dm, 1)
        self._high_dm = max(max(y for _, y in feeder.xy) - self._top_dm, 1)
        across = (wide - 1) * self._high_dm <= (high - 1) * self._wide_dm
        self._over, self._under = (wide - 1, self._wide_dm) if across else (high - 1, self._high_dm)
        self.high = self._scaled(self._high_dm) + 1
        self._margin = (wide - 1 - self._scaled(self._wide_dm)) // 2
        self._columns = wide

    def of(self, point: tuple[int, int]) -> int:
        """The pixel of a point."""
        x = self._margin + self._scaled(point[0] - self._left_dm)
        return self._scaled(point[1] - self._top_dm) * self._columns + x

    def _scaled(self, way_dm: int) -> int:
        return (2 * way_dm * self._over + self._under) // (2 * self._under)


def _cables(feeder: Feeder, pixel_of: list[int], columns: int) -> list[tuple[int, int]]:
    """(pixel, nearest LED) of the pixels between the LEDs."""
    found: dict[int, int] = {}
    taken = set(pixel_of)
    for led, parent in enumerate(feeder.parent_led):
        if parent < 0:
            continue
        (y, x), (above, before) = divmod(pixel_of[led], columns), divmod(pixel_of[parent], columns)
        steps = max(abs(x - before), abs(y - above))
        for step in range(1, steps):
            over = (2 * (before - x) * step + steps) // (2 * steps)
            down = (2 * (above - y) * step + steps) // (2 * steps)
            pixel = (y + down) * columns + x + over
            if pixel not in taken:
                found.setdefault(pixel, led if 2 * step <= steps else parent)
    return sorted(found.items())


def _run(cell: tuple[Rgb | None, Rgb | None], count: int) -> Segment:
    above, below = cell
    if above == below:
        return Segment(" " * count, _style(BACKGROUND, below or BACKGROUND))
    if above is None:
        return Segment("▄" * count, _style(below or BACKGROUND, BACKGROUND))
    return Segment("▀" * count, _style(above, below or BACKGROUND))


@lru_cache(maxsize=8192)
def _style(colour: Rgb, background: Rgb) -> Style:
    return Style(color=Color.from_rgb(*colour), bgcolor=Color.from_rgb(*background))
