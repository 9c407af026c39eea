"""Integer statistics: the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[int], percent: int) -> int:
    """Return the nearest-rank percentile (1..100): the least value that `percent` of all do not exceed; 0 of none."""
    if not values:
        return 0
    return sorted(values)[(len(values) * percent + 99) // 100 - 1]


def ms(us: int) -> int:
    """Return microseconds in whole milliseconds, halves upwards."""
    return (us + 500) // 1000


def ratio(part: int, whole: int, digits: int = 4) -> float:
    """Return part / whole to so many digits, 0 where there is no whole."""
    if not whole:
        return 0.0
    scale: int = 10**digits
    return (2 * part * scale + whole) // (2 * whole) / scale
