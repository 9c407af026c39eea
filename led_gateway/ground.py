"""What stands still: leaves, traces and faults as pixels, painted once for each change.

Also the moving leaves, the root and the breathing of cut cables, which are few. A cell is `rank << 16 | L << 8 | ink`;
the greater cell covers the lesser. Neighbours: `standing` (what there is), `effects` (puts it all together).
"""

from __future__ import annotations

from typing import NamedTuple

from led_gateway.lightness import level_of
from led_gateway.standing import DONE_MS, JOIN_MS, LOST_MS
from led_gateway.state import FAILED, NOBODY, READ, Leaf, State
from led_gateway.themes import AMBER, BLUE, LEAF, MAGENTA, THEMES, WHITE, Theme, inks

TRAIL, WAVE, COMET, FAULT, SELECTION = (rank << 16 for rank in range(1, 6))
"""Painting order above the ground."""

TRACE_L = tuple(level_of(permille) for permille in (0, 40, 50, 60))
"""By freshness of a route."""

_JOINED_L, _READ_L = level_of(40), level_of(350)
_BREATH_LOW_L, _BREATH_HIGH_L = level_of(40), level_of(300)
_RETRY_LOW_L, _RETRY_HIGH_L = level_of(20), level_of(170)
_LOST_L = level_of(400)
_BROKEN_L = level_of(120)
_CUT_LOW_L, _CUT_HIGH_L = level_of(80), level_of(350)
_SELECTED_L = level_of(250)
_ROOT_PERMILLE, _ROOT_NUDGE, _ROOT_NUDGE_MS, _ROOT_OFF_L = 300, 80, 600, level_of(10)

_BREATH_MS, _RETRY_MS, _CUT_MS = 2000, 2000, 3334
_PULSE_MS, _SECOND_PULSE_MS = 300, 450
DIMMED = 150
"""What is not followed has so many 256ths of its L."""


class Painted(NamedTuple):
    """`pixels`: R, G, B of each LED; `levels`: L of each LED; `cells`: faults; `breathing`: LEDs beside cut cables."""

    pixels: bytes
    levels: bytes
    cells: tuple[tuple[int, int], ...]
    breathing: tuple[int, ...]


def painted(state: State, theme: str, master: int) -> Painted:
    """The still part of the picture."""
    kept = state.ground.painted
    key = theme, master
    found = kept.get(key)
    if not isinstance(found, Painted):
        kept.clear()
        found = kept[key] = _paint(state, theme, master)
    return found


def _paint(state: State, theme: str, master: int) -> Painted:
    octets = inks(theme, master).octets
    dim = DIMMED if state.follow != NOBODY else 256
    trace_l = [level * dim >> 8 for level in TRACE_L]
    levels = bytearray(state.traces.translate(bytes(trace_l) + bytes(256 - len(trace_l))))
    blue = octets[BLUE]
    shades = [blue[level] for level in trace_l]
    pixels = bytearray(b"".join([shades[trace] for trace in state.traces]))
    for station, (led, leaf) in enumerate(zip(state.board.stations, state.leaves, strict=True)):
        ink, level = leaf_cell(THEMES[theme], leaf, None)
        if station != state.follow:
            level = level * dim >> 8
        levels[led] = level
        pixels[3 * led : 3 * led + 3] = octets[ink][level]
    cells, breathing = _faults(state)
    return Painted(bytes(pixels), bytes(levels), tuple(cells.items()), tuple(breathing))


# -- leaves


def leaf_cell(theme: Theme, leaf: Leaf, t_ms: int | None) -> tuple[int, int]:
    """Ink and L of a leaf at `t_ms`, or as it stands still."""
    if not leaf.joined:
        return LEAF, 0
    if leaf.rest == FAILED:
        ink, level = MAGENTA, theme.failed_l
    else:
        ink, level = LEAF, _READ_L if leaf.rest == READ else _JOINED_L
    if t_ms is None:
        return ink, level
    if leaf.reading:
        return AMBER, _between(_BREATH_LOW_L, _BREATH_HIGH_L, _swing(t_ms, _BREATH_MS))
    if leaf.retry:
        return AMBER, _between(_RETRY_LOW_L, _RETRY_HIGH_L, _double_pulse(t_ms % _RETRY_MS))
    done = t_ms - leaf.done_ms
    if done < DONE_MS:
        level = max(level, _between(_READ_L, _JOINED_L, done * 256 // DONE_MS))
    joined = t_ms - leaf.since_ms
    if joined < JOIN_MS:
        level = level * max(0, joined) // JOIN_MS
    return ink, level


def lost_l(leaf: Leaf, t_ms: int) -> int:
    """L of the magenta of a loss at this leaf, 0 when it has faded."""
    since = t_ms - leaf.lost_ms
    return _LOST_L * (LOST_MS - since) // LOST_MS if 0 <= since < LOST_MS else 0


def root_l(state: State, t_ms: int) -> int:
    """L of the coordinator's white: a little more when it is on the air."""
    if not state.leaves[0].joined:
        return _ROOT_OFF_L
    since = t_ms - state.root_ms
    nudge = _ROOT_NUDGE * (_ROOT_NUDGE_MS - since) // _ROOT_NUDGE_MS if 0 <= since < _ROOT_NUDGE_MS else 0
    return _ROOT_L[nudge]


_ROOT_L = tuple(level_of(_ROOT_PERMILLE + nudge) for nudge in range(_ROOT_NUDGE + 1))


# -- faults


def breath_cell(t_ms: int) -> int:
    """The cell of LEDs beside a cut cable, breathing with 0.3 Hz."""
    return FAULT | _between(_CUT_LOW_L, _CUT_HIGH_L, _swing(t_ms, _CUT_MS)) << 8 | MAGENTA


def _faults(state: State) -> tuple[dict[int, int], list[int]]:
    """Cells of faults by LED, and the LEDs that breathe."""
    cells: dict[int, int] = {}
    breathing: list[int] = []
    links = [(mark.a, mark.b) for mark in state.faults.values() if mark.kind == "link"]
    for a, b in dict.fromkeys([*links, *state.broken]):
        way = state.board.path(a, b).leds[1:-1]
        ends = (*way[:2], *way[-2:]) if len(way) > 4 else (*way[:1], *way[-1:])
        cells.update(dict.fromkeys(ends, FAULT | _BROKEN_L << 8 | MAGENTA))
    for led in sorted(state.cuts):
        dark, beside = _cut(state, led)
        cells.update(dict.fromkeys(dark, FAULT | WHITE))
        breathing += beside
    if state.follow > 0:
        mark = state.board.parent_led[state.board.stations[state.follow]]
        cells[mark] = SELECTION | _SELECTED_L << 8 | WHITE
    cells.pop(0, None)
    return cells, [led for led in breathing if cells.get(led, 0) != FAULT | WHITE]


def _cut(state: State, led: int) -> tuple[list[int], list[int]]:
    """Three dark LEDs around the cut above `led`, as far as there are any, and those beside them; no station's."""
    board = state.board
    way = [led, *board.children[led][:1]]
    if len(way) > 1:
        way += board.children[way[1]][:1]
    above = board.parent_led[led]
    way = [board.parent_led[above], above, *way]
    return (
        [place for place in way[1:4] if place not in board.station_at],
        [place for place in (way[0], *way[4:]) if place >= 0 and place not in board.station_at],
    )


# -- shapes over time


def _between(low: int, high: int, share: int) -> int:
    return low + ((high - low) * share >> 8)


def _swing(t_ms: int, period_ms: int) -> int:
    """Up and down, 0 to 256, eased at both ends."""
    place = t_ms % period_ms * 512 // period_ms
    place = place if place <= 256 else 512 - place
    return place * place * (768 - 2 * place) >> 16


def _double_pulse(at_ms: int) -> int:
    """Two swings, then a pause; 0 to 256."""
    if at_ms < _PULSE_MS:
        return _swing(at_ms, _PULSE_MS)
    at_ms -= _SECOND_PULSE_MS
    return _swing(at_ms, _PULSE_MS) if 0 <= at_ms < _PULSE_MS else 0
