"""Lightness to light: the table of L^2.4, and its way back.

L is 0 to 255. `LIGHT[L]` is 65535 (L / 255)^2.4 rounded to the nearest integer. It is found with integers alone (the
fifth power of the value against the twelfth of L), so that every Python on every machine has the same table.
"""

from __future__ import annotations

from bisect import bisect_left

FULL = 65_535


def _light(level: int) -> int:
    """The greatest v with (2 v - 1)^5 * 255^12 <= (2 * 65535)^5 * level^12, which is rounding to the nearest."""
    right = (2 * FULL) ** 5 * level**12
    whole = 255**12
    low, high = 0, FULL
    while low < high:
        middle = (low + high + 1) // 2
        if (2 * middle - 1) ** 5 * whole <= right:
            low = middle
        else:
            high = middle - 1
    return low


LIGHT: tuple[int, ...] = tuple(_light(level) for level in range(256))


def level_of(permille: int) -> int:
    """The least L that gives at least so many thousandths of full light."""
    return bisect_left(LIGHT, (permille * FULL + 999) // 1000)
