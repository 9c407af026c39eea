"""A feeder as an SVG map: to scale, streets, cables by type, every LED, meters with number and phase, scale bar.

Only a picture: nothing reads it back, so its numbers may be floats. The map of the same feeder in a terminal is in
`feeder_draw.py`; the positions come from the feeder file.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from emulation.grid.feeder import Branch, Feeder

WIDTH_PX = 1600
MARGIN_PX = 84
HEAD_PX = 118
FOOT_PX = 104
MAP_HEIGHT_PX = (240, 980)

BACKGROUND = "#0b1120"
STREET = "#17213a"
STREET_EDGE = "#223052"
INK = "#e8eefc"
FAINT = "#8b9ac0"
LED = "#f4f7ff"
COORDINATOR = "#ff5d5d"
CABLE_STROKES = {
    "underground": ("#5f8fe8", 3.0, ""),
    "overhead": ("#d2a45c", 3.0, "9 5"),
    "service": ("#6f80ab", 1.8, ""),
}
PHASE_FILLS = {1: "#57d39b", 2: "#7cc4ff", 3: "#f2a7d8"}
FONT = "Inter, 'Helvetica Neue', 'DejaVu Sans', sans-serif"


class _Frame:
    """Where a point of the ground lies on the sheet, and how large a mark may be."""

    __slots__ = ("height_px", "left", "mark_px", "px_per_dm", "top", "x0", "y0")

    def __init__(self, feeder: Feeder) -> None:
        xs = [x for x, _ in feeder.xy]
        ys = [y for _, y in feeder.xy]
        wide, high = max(max(xs) - min(xs), 1), max(max(ys) - min(ys), 1)
        room = WIDTH_PX - 2 * MARGIN_PX
        low, top = MAP_HEIGHT_PX
        self.px_per_dm = min(room / wide, top / high)
        map_px = max(high * self.px_per_dm, low)
        self.height_px = round(HEAD_PX + map_px + 2 * 48 + FOOT_PX)
        self.left = (WIDTH_PX - wide * self.px_per_dm) / 2
        self.top = HEAD_PX + 48 + (map_px - high * self.px_per_dm) / 2
        self.x0, self.y0 = min(xs), min(ys)
        self.mark_px = min(max(self._led_step(feeder) * 0.8, 2.5), 15.0)

    def _led_step(self, feeder: Feeder) -> float:
        steps = sorted(
            abs(x - feeder.xy[above][0]) + abs(y - feeder.xy[above][1])
            for (x, y), above in zip(feeder.xy[1:], feeder.parent_led[1:], strict=True)
        )
        return steps[len(steps) // 2] * self.px_per_dm

    def at(self, point: tuple[int, int]) -> tuple[float, float]:
        x = self.left + (point[0] - self.x0) * self.px_per_dm
        y = self.top + (point[1] - self.y0) * self.px_per_dm
        return round(x, 1), round(y, 1)

    def way(self, feeder: Feeder, branch: Branch) -> str:
        points = list(branch.points)
        if branch.parent >= 0:
            points.insert(0, feeder.xy[branch.parent])
        return " ".join(f"{x:g},{y:g}" for x, y in map(self.at, points))


def svg(feeder: Feeder) -> str:
    """The feeder's map as one SVG document (UTF-8 text, no outside reference)."""
    frame = _Frame(feeder)
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{frame.height_px}"'
        f' viewBox="0 0 {WIDTH_PX} {frame.height_px}" font-family="{FONT}">',
        f"<title>{escape(feeder.title)}</title>",
        f'<rect width="100%" height="100%" fill="{BACKGROUND}"/>',
        *_head(feeder),
        *_streets(feeder, frame),
        *_cables(feeder, frame),
        *_leds(feeder, frame),
        *_meters(feeder, frame),
        *_coordinator(feeder, frame),
        *_scale_bar(frame),
        *_legend(feeder, frame),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(feeder: Feeder) -> Iterable[str]:
    farthest = max(feeder.root_mm[led] for led in feeder.stations)
    meters = f"{feeder.meters} meter" + ("s" if feeder.meters > 1 else "")
    facts = [
        meters,
        f"{feeder.leds} LEDs",
        f"{feeder.total_mm / 1e6:.2f} km of cable",
        f"farthest meter {round(farthest / 1000)} m",
    ]
    yield _text(MARGIN_PX, 72, 30, INK, feeder.title, weight=600)
    yield _text(MARGIN_PX, 102, 16, FAINT, "  ·  ".join(facts))


def _streets(feeder: Feeder, frame: _Frame) -> Iterable[str]:
    """Under the cable that is no service drop lies a street: its edge first, so that crossings stay open."""
    ways = [frame.way(feeder, b) for b in feeder.branches if b.cable != "service" and b.last > 0]
    for colour, extra in ((STREET_EDGE, 1.5), (STREET, 0.0)):
        width = frame.mark_px * 1.9 + 2 * extra
        yield (
            f'<g fill="none" stroke="{colour}" stroke-width="{width:.1f}" stroke-linecap="round"'
            ' stroke-linejoin="round">'
        )
        yield from (f'<polyline points="{way}"/>' for way in ways)
        yield "</g>"


def _cables(feeder: Feeder, frame: _Frame) -> Iterable[str]:
    thin = min(frame.mark_px / 12, 1.0)
    for cable, (colour, width, dash) in CABLE_STROKES.items():
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        yield (
            f'<g fill="none" stroke="{colour}" stroke-width="{width * thin:.2f}"{dashes}'
            ' stroke-linecap="round" stroke-linejoin="round">'
        )
        for branch in feeder.branches:
            if branch.cable == cable and branch.last > 0:
                yield f'<polyline points="{frame.way(feeder, branch)}"/>'
        yield "</g>"


def _leds(feeder: Feeder, frame: _Frame) -> Iterable[str]:
    yield f'<g fill="{LED}">'
    for point in feeder.xy[1:]:
        x, y = frame.at(point)
        yield f'<circle cx="{x:g}" cy="{y:g}" r="{frame.mark_px * 0.15:.2f}"/>'
    yield "</g>"


def _meters(feeder: Feeder, frame: _Frame) -> Iterable[str]:
    half = frame.mark_px
    yield f'<g stroke="{BACKGROUND}" stroke-width="{half * 0.16:.2f}">'
    for station in range(1, len(feeder.stations)):
        x, y = frame.at(feeder.xy[feeder.stations[station]])
        yield _house(x, y, half, PHASE_FILLS[feeder.phases[station]])
    yield "</g>"
    letter_px = half * min(1.02, 3 / len(str(feeder.meters)))
    yield f'<g font-size="{letter_px:.2f}" font-weight="700" fill="{BACKGROUND}" text-anchor="middle">'
    for station in range(1, len(feeder.stations)):
        x, y = frame.at(feeder.xy[feeder.stations[station]])
        yield f'<text x="{x:g}" y="{y + half * 0.46:.1f}">{station}</text>'
    yield "</g>"


def _house(x: float, y: float, half: float, fill: str) -> str:
    """A gable over a square, its middle at (x, y)."""
    return (
        f'<path fill="{fill}" stroke-linejoin="round" d="M{x - half:.1f} {y - half * 0.42:.1f}'
        f"L{x:.1f} {y - half * 1.2:.1f}L{x + half:.1f} {y - half * 0.42:.1f}"
        f'V{y + half * 0.86:.1f}H{x - half:.1f}Z"/>'
    )


def _coordinator(feeder: Feeder, frame: _Frame) -> Iterable[str]:
    x, y = frame.at(feeder.xy[0])
    size = max(frame.mark_px * 1.5, 7)
    yield f'<circle cx="{x:g}" cy="{y:g}" r="{size * 1.75:.1f}" fill="{COORDINATOR}" fill-opacity="0.16"/>'
    yield (
        f'<circle cx="{x:g}" cy="{y:g}" r="{size:.1f}" fill="{COORDINATOR}" stroke="{BACKGROUND}"'
        f' stroke-width="{size * 0.16:.1f}"/>'
    )
    bolt = f"M{x + size * 0.14:.1f} {y - size * 0.66:.1f}L{x - size * 0.44:.1f} {y + size * 0.14:.1f}"
    bolt += f"H{x - size * 0.04:.1f}L{x - size * 0.14:.1f} {y + size * 0.66:.1f}"
    bolt += f"L{x + size * 0.44:.1f} {y - size * 0.14:.1f}H{x + size * 0.04:.1f}Z"
    yield f'<path fill="{BACKGROUND}" d="{bolt}"/>'


def _scale_bar(frame: _Frame) -> Iterable[str]:
    metres = 1
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000):
        if step * 10 * frame.px_per_dm <= 260:
            metres = step
    length = metres * 10 * frame.px_per_dm
    y = frame.height_px - 58
    left = MARGIN_PX
    yield (
        f'<path d="M{left} {y - 6}V{y}H{left + length:.1f}V{y - 6}M{left + length / 2:.1f} {y - 4}V{y}"'
        f' fill="none" stroke="{INK}" stroke-width="1.6"/>'
    )
    yield _text(left, y + 20, 13, FAINT, "0")
    label = f"{metres} m" if metres < 1000 else f"{metres // 1000} km"
    yield _text(left + length, y + 20, 13, FAINT, label, anchor="middle")


def _legend(feeder: Feeder, frame: _Frame) -> Iterable[str]:
    """One row at the lower right: coordinator, meters by phase, the cable types that occur."""
    y = frame.height_px - 58.0
    x = float(WIDTH_PX - MARGIN_PX)
    for cable in reversed([c for c in CABLE_STROKES if c in feeder.cable[1:]]):
        colour, width, dash = CABLE_STROKES[cable]
        x -= 8.0 * len(cable)
        yield _text(x, y + 5, 14, FAINT, cable)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<path d="M{x - 44:g} {y:g}h34" stroke="{colour}" stroke-width="{width}"{dashes}/>'
        x -= 66
    for phase in (3, 2, 1):
        x -= 62
        count = feeder.phases[1:].count(phase)
        yield _text(x, y + 5, 14, FAINT, f"L{phase} ({count})")
        yield _house(x - 17, y, 9, PHASE_FILLS[phase])
        x -= 42
    x -= 84
    yield _text(x, y + 5, 14, FAINT, "coordinator")
    yield f'<circle cx="{x - 17:g}" cy="{y:g}" r="8" fill="{COORDINATOR}"/>'


def _text(x: float, y: float, size: float, fill: str, text: str, *, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" font-weight="{weight}" fill="{fill}"'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )
