"""Themes: which colour a thing has, as linear PWM values, and how much of it.

`safe` keeps to three hues for what travels, so that a colour-blind viewer can tell the families apart; `classic` is
the paper's root in red and leaves in green; `mono` leaves only lightness and motion; in `calm` nothing travels, it
swells and fades. Neighbours: `lightness` (L to light), `forms` (motion), `effects`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from led_gateway.lightness import FULL, LIGHT, level_of

FULL_MASTER = 256
DEFAULT_MASTER = 0.5

BLUE, AZURE, AMBER, PALE, MAGENTA, WHITE, ROOT, LEAF = range(8)
"""Places in a theme's palette."""

Rgb = tuple[int, int, int]


class Theme(NamedTuple):
    """`palette` by place; `failed_l` is the L of a leaf that failed; `travels`: whether light moves along the cable."""

    palette: tuple[Rgb, ...]
    failed_l: int
    travels: bool


_SAFE: tuple[Rgb, ...] = (
    (0, 40, 255), (0, 150, 255), (255, 120, 0), (255, 200, 70), (255, 0, 90),
    (255, 255, 255), (255, 255, 255), (255, 255, 255),
)  # fmt: skip
_CLASSIC: tuple[Rgb, ...] = (*_SAFE[:ROOT], (255, 0, 0), (0, 255, 0))
# Blue and magenta are brighter than in colour, lest they be lost; only the coordinator and the leaves have full white.
_MONO: tuple[Rgb, ...] = (*((grey, grey, grey) for grey in (70, 130, 140, 160, 90)), *_SAFE[WHITE:])

THEMES: dict[str, Theme] = {
    "safe": Theme(_SAFE, level_of(350), True),
    "classic": Theme(_CLASSIC, level_of(350), True),
    "mono": Theme(_MONO, level_of(150), True),
    "calm": Theme(_SAFE, level_of(350), False),
}


class Inks(NamedTuple):
    """The three octets R, G, B for each place of the palette and each L."""

    octets: tuple[tuple[bytes, ...], ...]


@lru_cache(maxsize=16)
def inks(theme: str, master: int) -> Inks:
    """Octets of a theme at a brightness of `master` 256ths."""
    whole = FULL * FULL_MASTER
    return Inks(
        tuple(
            tuple(bytes((colour * light * master + whole // 2) // whole for colour in rgb) for light in LIGHT)
            for rgb in THEMES[theme].palette
        )
    )
