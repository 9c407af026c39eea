"""The parts of the sequence drawing: colours, lines, arrows, words.

Colours are those of the light (linear PWM values turned into sRGB), so that page, board and drawing agree.
Neighbour: `sequence_svg`, which knows where the parts go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

BLUE, AZURE = "#3d8bff", "#00c9ff"
AMBER, PALE = "#ffb600", "#ffe58f"
MAGENTA = "#ff3fae"
TEXT, DIM, LINE = "#e9eefb", "#8d9ab8", "#33405f"
GROUND, PANEL = "#0b101d", "#151d31"

_SANS = "Inter, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
_MONO = "'JetBrains Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def document(width: int, height: int, body: Iterable[str]) -> str:
    """Return the SVG document around its parts."""
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9.5" refY="5" markerWidth="{size}" markerHeight="{size}" '
        f'orient="auto-start-reverse"><path d="M0,0.8 L10,5 L0,9.2 L2.6,5 z" fill="{paint}"/></marker>'
        for paint, name, size in _MARKERS
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{_SANS}">\n<defs>{heads}</defs>\n'
        f'<rect width="{width}" height="{height}" fill="{GROUND}"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _marker(paint: str, thin: bool) -> str:
    return f"{'t' if thin else 'h'}{paint[1:]}"


_MARKERS = [
    (paint, _marker(paint, thin), 6 if thin else 8)
    for paint in (BLUE, AZURE, AMBER, PALE, MAGENTA)
    for thin in (False, True)
]


def text(
    x: float, y: float, words: str, paint: str, anchor: str = "start", size: float = 12, bold: bool = False,
    faint: bool = False,
) -> str:  # fmt: skip
    """Return a line of words."""
    weight = ' font-weight="600"' if bold else ""
    opacity = ' opacity="0.75"' if faint else ""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{paint}" font-size="{size:g}" text-anchor="{anchor}"{weight}{opacity}>'
        f"{escape(words)}</text>"
    )


def stamp(x: float, y: float, us: int) -> str:
    """Return a time on the axis, in seconds and milliseconds."""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{DIM}" font-size="11" text-anchor="end" font-family="{_MONO}">'
        f"{us // 1_000_000}.{us // 1000 % 1000:03d}</text>"
    )


def label(x1: float, x2: float, y: float, words: str, paint: str, small: bool = False, inset: float = 0) -> str:
    """Return words over the middle of an arrow from x1 to x2, on a ground that hides what they cross."""
    middle = (x1 + (inset if x2 > x1 else -inset) + x2) / 2
    size = 9.5 if small else 12 if 6.7 * len(words) < abs(x2 - x1) - inset - 8 else 10.5
    ground = f'stroke="{GROUND}" stroke-width="4" paint-order="stroke" stroke-linejoin="round"'
    opacity = ' opacity="0.8"' if small else ""
    return (
        f'<text x="{middle:g}" y="{y:g}" fill="{paint}" font-size="{size:g}" text-anchor="middle" {ground}{opacity}>'
        f"{escape(words)}</text>"
    )


def arrow(
    x1: float, y1: float, x2: float, y2: float, paint: str, dashed: bool = False, dotted: bool = False,
    thin: bool = False,
) -> str:  # fmt: skip
    """Return an arrow; a dashed one ends short, in a cross, a dotted one was sent to all."""
    width = 1 if thin else 1.8
    if not dashed:
        style = ' stroke-dasharray="1.5 4" stroke-linecap="round"' if dotted else ""
        opacity = ' opacity="0.8"' if thin else ""
        end = x2 - 2 if x2 > x1 else x2 + 2
        return (
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{end:g}" y2="{y2:g}" stroke="{paint}" stroke-width="{width}"{style}'
            f'{opacity} marker-end="url(#{_marker(paint, thin or dotted)})"/>'
        )
    stop = x2 + (-26 if x2 > x1 else 26)
    at = y1 + (y2 - y1) * (stop - x1) / (x2 - x1)
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{stop:g}" y2="{at:g}" stroke="{paint}" stroke-width="{width}" '
        f'stroke-dasharray="6 5"/>{cross(stop, at, paint, 4.5)}'
    )


def cross(x: float, y: float, paint: str = MAGENTA, arm: float = 6.5) -> str:
    """Return a cross."""
    return (
        f'<path d="M{x - arm:g},{y - arm:g} L{x + arm:g},{y + arm:g} M{x - arm:g},{y + arm:g} L{x + arm:g},{y - arm:g}"'
        f' stroke="{paint}" stroke-width="2.2" stroke-linecap="round"/>'
    )


def rings(x: float, y: float, paint: str) -> str:
    """Return the mark of a broadcast: a dot that radiates to both sides."""
    arcs = "".join(
        f'<path d="M{x + side * r * 0.64:.1f},{y - r * 0.77:.1f} A{r},{r} 0 0 {1 if side > 0 else 0} '
        f'{x + side * r * 0.64:.1f},{y + r * 0.77:.1f}" opacity="{opacity}"/>'
        for r, opacity in ((8, 1), (13, 0.55))
        for side in (1, -1)
    )
    return (
        f'<g fill="none" stroke="{paint}" stroke-width="1.7" stroke-linecap="round">{arcs}</g>'
        f'<circle cx="{x:g}" cy="{y:g}" r="3.6" fill="{paint}"/>'
    )


def dot(x: float, y: float, paint: str, filled: bool) -> str:
    """Return the mark of a routing-table entry, hollow while it is proven one way only."""
    inside = paint if filled else GROUND
    return f'<circle cx="{x:g}" cy="{y:g}" r="3.2" fill="{inside}" stroke="{paint}" stroke-width="1.4"/>'


def pill(x: float, y: float, words: str, paint: str) -> str:
    """Return words in a frame on a lifeline, to its right."""
    width = 7.1 * len(words) + 22
    left = x - 14
    return (
        f'<rect x="{left:g}" y="{y - 11:g}" width="{width:g}" height="22" rx="11" fill="{PANEL}" stroke="{paint}" '
        f'stroke-width="1.3"/>' + text(left + width / 2, y + 4, words, paint, "middle", bold=True)
    )


def band(left: float, right: float, y: float, words: str, over: bool) -> str:
    """Return a fault across the lifelines that it concerns; in the colour of words when it is `over`."""
    middle = (left + right) / 2
    half = 3.6 * len(words) + 12
    paint, ground = (TEXT, PANEL) if over else (MAGENTA, "#2a0f22")
    return (
        f'<line x1="{left:g}" y1="{y:g}" x2="{right:g}" y2="{y:g}" stroke="{paint}" stroke-width="2" opacity="0.9"/>'
        f'<circle cx="{left:g}" cy="{y:g}" r="4" fill="{paint}"/><circle cx="{right:g}" cy="{y:g}" r="4" '
        f'fill="{paint}"/><rect x="{middle - half:g}" y="{y - 11:g}" width="{2 * half:g}" height="22" rx="4" '
        f'fill="{ground}" stroke="{paint}"/>' + text(middle, y + 4, words, paint, "middle", bold=True)
    )


def pause(left: float, right: float, y: float, words: str) -> str:
    """Return the band of a time in which nothing happened."""
    return (
        f'<rect x="{left:g}" y="{y - 10:g}" width="{right - left:g}" height="20" fill="{PANEL}" opacity="0.65"/>'
        + text(left - 18, y + 4, words, DIM, "end", size=11)
    )


def bracket(x: float, top: float, bottom: float, words: str) -> str:
    """Return a bracket at the right edge over the steps of one phase."""
    return f'<path d="M{x:g},{top:g} h6 V{bottom:g} h-6" fill="none" stroke="{LINE}" stroke-width="1.5"/>' + text(
        x + 14, (top + bottom) / 2 + 4, words, DIM, size=11.5
    )


def lifeline(x: float, top: float, bottom: float, root: bool) -> str:
    """Return the line of a station."""
    paint = "#5b6a90" if root else LINE
    return f'<line x1="{x:g}" y1="{top:g}" x2="{x:g}" y2="{bottom:g}" stroke="{paint}" stroke-width="1.6"/>'


def head(x: float, y: float, letter: str, name: str, root: bool) -> str:
    """Return the name of a station over its lifeline."""
    edge, ink = ("#cfd8f0", TEXT) if root else ("#46557c", TEXT)
    return (
        f'<rect x="{x - 62:g}" y="{y - 22:g}" width="124" height="48" rx="9" fill="{PANEL}" stroke="{edge}" '
        f'stroke-width="1.4"/>' + text(x, y - 2, letter, ink, "middle", size=16, bold=True)
        + text(x, y + 16, name, DIM, "middle", size=11.5)
    )  # fmt: skip


def legend(x: float, y: float, families: Sequence[tuple[str, str]], width: float) -> list[str]:
    """Return the key: a line of each family's colour, and what dashes and dots mean."""
    found: list[str] = []
    at = x
    entries = [(paint, words, "") for paint, words in families]
    entries += [(DIM, "failed try", "6 5"), (DIM, "to all", "1.5 4"), (AZURE, "routing table: to A via B", "dot")]
    for paint, words, dashes in entries:
        size = 40 + 6.6 * len(words)
        if at > x and at + size > width:
            at, y = x, y + 20
        style = f' stroke-dasharray="{dashes}" stroke-linecap="round"' if dashes else ""
        line = (
            f'<line x1="{at:g}" y1="{y - 4:g}" x2="{at + 22:g}" y2="{y - 4:g}" stroke="{paint}" stroke-width="2.4"'
            f"{style}/>"
        )
        mark = dot(at + 11, y - 4, paint, filled=True) if dashes == "dot" else line
        found.append(mark + text(at + 29, y, words, DIM, size=11))
        at += size + 8
    return found
