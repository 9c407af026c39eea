"""Heat: how much of the recent airtime each LED has heard, kept so that it fades without being touched.

Each transmission adds its airtime, weighted by L, to the LEDs in its reach, times a weight that doubles with every
`HALF_MS` of display time since a reference; divided by the weight of now, that is a sum in which what is older counts
less. When the weight has grown large, all is scaled down. Integers throughout. Neighbours: `on_air` adds, `effects`
draws, `board` has the reaches.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from led_gateway.board import Board

HALF_BITS = 10
HALF_MS = 1 << HALF_BITS
_ONE = 1 << 16
_STEP = _ONE >> HALF_BITS
_MOST_HALVES = 16
_FADED_MS = 3 * _MOST_HALVES * HALF_MS

# A cable that is busy all the time ends at HALF_MS / ln 2 = 1477 ms of airtime.
_FULL_MS = 1477
MOST_L = 215
_LEAST_L = 60


def weight(since_ms: int) -> int:
    """The weight of airtime `since_ms` after the reference, in 65536ths: doubling, straight in between."""
    return _ONE + _STEP * (since_ms & (HALF_MS - 1)) << (since_ms >> HALF_BITS)


def add(
    board: Board, heat: Sequence[int], reference_ms: int, src: int, cuts: Set[int], airtime_ms: int, t_ms: int
) -> tuple[list[int], int]:
    """The heat and its reference time after station `src` was on the air for `airtime_ms` of display time."""
    halves = t_ms - reference_ms >> HALF_BITS
    if halves >= _MOST_HALVES:
        fresh = [value >> halves for value in heat]
        reference_ms += halves << HALF_BITS
    else:
        fresh = list(heat)
    airtime = airtime_ms * weight(t_ms - reference_ms)
    for cell in board.reach(src, cuts).cells:
        fresh[cell & 0xFFFF] += (cell >> 16) * airtime
    return fresh, reference_ms


def levels(heat: Sequence[int], reference_ms: int, t_ms: int) -> bytes:
    """L of each LED now, in steps of 4 so that a picture changes where it really does; 0 where all was quiet."""
    if t_ms - reference_ms > _FADED_MS:
        return bytes(len(heat))
    unit = max(1, (_FULL_MS * weight(max(0, t_ms - reference_ms))) >> 6)
    table, top = _LEVELS, len(_LEVELS) - 1
    return bytes([table[value // unit] if value < top * unit else MOST_L for value in heat])


def _level(part: int) -> int:
    """L of a busy share of `part` / (64 * 255): rises fast at first, so that little traffic is seen."""
    share = part * 1024 // (64 * 255)
    if share < 6:
        return 0
    level = _LEAST_L + (MOST_L - _LEAST_L) * share * (2048 - share) // (1024 * 1024)
    return min(level, MOST_L) & ~3


_LEVELS = bytes(_level(part) for part in range(64 * 255 + 1))
