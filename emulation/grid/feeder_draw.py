"""A feeder as a map in the terminal: cables in braille dots, meters by number, legend and totals, as rich text.

Two by four dots a character make the dots square on most terminals, so the map keeps its proportions. The same map
for paper and screen is in `feeder_svg.py`.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from operator import itemgetter

from rich.text import Text

from emulation.grid.feeder import Feeder

CABLE_STYLES = {"underground": "#6f9cf0", "overhead": "#d9ab63", "service": "#66769c"}
PHASE_STYLES = {1: "bold #57d39b", 2: "bold #7cc4ff", 3: "bold #f2a7d8"}
COORDINATOR_STYLE = "bold #ff5d5d"
COORDINATOR_MARK = "◉"
METER_MARK = "■"
FAINT = "#8b9ac0"

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_RANK = {"service": 0, "overhead": 1, "underground": 2}
_BARS = " ▁▂▃▄▅▆▇█"
_FRAME_ROWS = 5


class _Canvas:
    """Braille cells, each with the style of the most important cable through it, and text laid over them."""

    __slots__ = ("cells", "columns", "marks", "ranks", "rows")

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.cells = [0] * (columns * rows)
        self.ranks = [""] * (columns * rows)
        self.marks: dict[int, tuple[str, str]] = {}

    def dot(self, x: int, y: int, cable: str) -> None:
        cell = (y // 4) * self.columns + x // 2
        self.cells[cell] |= _DOTS[y % 4][x % 2]
        if not self.ranks[cell] or _RANK[cable] > _RANK[self.ranks[cell]]:
            self.ranks[cell] = cable

    def line(self, a: tuple[int, int], b: tuple[int, int], cable: str) -> None:
        steps = max(abs(b[0] - a[0]), abs(b[1] - a[1]), 1)
        for step in range(steps + 1):
            x = a[0] + (2 * (b[0] - a[0]) * step + steps) // (2 * steps)
            y = a[1] + (2 * (b[1] - a[1]) * step + steps) // (2 * steps)
            self.dot(x, y, cable)

    def label(self, x: int, y: int, text: str, style: str, *, among: bool = False) -> bool:
        """Write `text` over the cell of dot (x, y), shifted sideways if need be; False if it does not fit."""
        row, column = y // 4, x // 2
        for shift in (-(len(text) // 2), 0, 1 - len(text)):
            start = min(max(column + shift, 0), self.columns - len(text))
            base = row * self.columns + start
            around = range(base - (start > 0), base + len(text) + (start + len(text) < self.columns))
            if not among and any(cell in self.marks for cell in around):
                continue
            for place, letter in enumerate(text):
                self.marks[base + place] = (letter, style)
            return True
        return False

    def text(self) -> Text:
        lines = []
        for row in range(self.rows):
            line = Text(no_wrap=True)
            cells = range(row * self.columns, (row + 1) * self.columns)
            for style, run in groupby(map(self._cell, cells), key=itemgetter(1)):
                line.append("".join(letter for letter, _ in run), style)
            lines.append(line)
        return Text("\n", no_wrap=True).join(lines)

    def _cell(self, cell: int) -> tuple[str, str]:
        if cell in self.marks:
            return self.marks[cell]
        if self.cells[cell]:
            return chr(_BRAILLE + self.cells[cell]), CABLE_STYLES[self.ranks[cell]]
        return " ", ""


def terminal(feeder: Feeder, columns: int = 100, rows: int = 30) -> Text:
    """The map in at most `columns` by `rows` characters (at least 60 by 12 are used).

    Title and totals stand above it; the legend below takes up to 80 columns.
    """
    columns, rows = max(columns, 60), max(rows, 12)
    picture = Text(no_wrap=True)
    picture.append(f"{feeder.title}\n", "bold")
    picture.append(totals(feeder) + "\n", FAINT)
    picture.append_text(_map(feeder, columns, rows - _FRAME_ROWS))
    picture.append("\n\n")
    picture.append_text(_legend(feeder))
    return picture


def totals(feeder: Feeder) -> str:
    """One line: meters, LEDs, kilometres of cable, farthest meter."""
    farthest = max(feeder.root_mm[led] for led in feeder.stations)
    return (
        f"{feeder.meters} meter{'s' if feeder.meters > 1 else ''} · {feeder.leds} LEDs · "
        f"{feeder.total_mm // 10_000 / 100:.2f} km of cable · farthest meter {(farthest + 500) // 1000} m"
    )


def _map(feeder: Feeder, columns: int, rows: int) -> Text:
    xs = [x for x, _ in feeder.xy]
    ys = [y for _, y in feeder.xy]
    min_x, min_y = min(xs), min(ys)
    wide, high = max(max(xs) - min_x, 1), max(max(ys) - min_y, 1)
    room_x, room_y = 2 * columns - 6, 4 * rows - 1
    # One scale for both directions: the smaller of room_x / wide and room_y / high, as a fraction.
    over, under = (room_x, wide) if room_x * high <= room_y * wide else (room_y, high)
    rows = min(rows, high * over // under // 4 + 1)
    canvas = _Canvas(columns, rows)
    left = 3 + (room_x - wide * over // under) // 2

    def place(point: tuple[int, int]) -> tuple[int, int]:
        x = left + (point[0] - min_x) * over // under
        return min(x, 2 * columns - 1), (point[1] - min_y) * over // under

    for branch in feeder.branches:
        way = [feeder.xy[branch.parent], *branch.points] if branch.parent >= 0 else branch.points
        for here, there in pairwise(way):
            canvas.line(place(here), place(there), branch.cable)
    canvas.label(*place(feeder.xy[0]), COORDINATOR_MARK, COORDINATOR_STYLE, among=True)
    unnamed = []
    for station in range(1, len(feeder.stations)):
        x, y = place(feeder.xy[feeder.stations[station]])
        if not canvas.label(x, y, str(station), PHASE_STYLES[feeder.phases[station]]):
            unnamed.append(station)
    for station in unnamed:
        x, y = place(feeder.xy[feeder.stations[station]])
        cell = (y // 4) * columns + x // 2
        canvas.marks.setdefault(cell, (METER_MARK, PHASE_STYLES[feeder.phases[station]]))
    return canvas.text()


def _legend(feeder: Feeder) -> Text:
    line = Text(no_wrap=True)
    line.append(COORDINATOR_MARK, COORDINATOR_STYLE)
    line.append(" coordinator  ", FAINT)
    for phase, style in PHASE_STYLES.items():
        line.append(f"L{phase}", style)
        line.append(f" {feeder.phases[1:].count(phase)}  ", FAINT)
    for cable, style in CABLE_STYLES.items():
        if cable in feeder.cable[1:]:
            line.append(" ⠒⠒ ", style)
            line.append(cable, FAINT)
    line.append("\n")
    line.append_text(_histogram(feeder))
    return line


def _histogram(feeder: Feeder) -> Text:
    """How many meters lie how far along the cable, in at most 24 bars."""
    ways = [feeder.root_mm[led] for led in feeder.stations[1:]]
    width_mm = next(w for w in (10**p * d for p in range(3, 9) for d in (1, 2, 5)) if max(ways) // w < 24)
    counts = [0] * (max(ways) // width_mm + 1)
    for way in ways:
        counts[way // width_mm] += 1
    most = max(counts)
    bars = "".join(_BARS[(8 * count + most - 1) // most] for count in counts)
    line = Text("meters by cable from the coordinator  ", FAINT, no_wrap=True)
    line.append("0 ", FAINT)
    line.append(bars, "#57d39b")
    line.append(f" {len(counts) * width_mm // 1000} m", FAINT)
    return line
