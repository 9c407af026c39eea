"""The legend under the light: what each colour of a theme means, in a word. docs/light.md says it in full.

Neighbours: `led_gateway.themes` (the colours), `leds_screen` and `render_picture` (show it).
"""

from __future__ import annotations

from gridglow.leds_colour import Rgb
from led_gateway.themes import AMBER, AZURE, BLUE, LEAF, MAGENTA, PALE, THEMES

_FAMILIES = (("RREQ", BLUE), ("RREP", AZURE), ("request", AMBER), ("answer", PALE), ("fault", MAGENTA))
_READ_PERMILLE, _JOINED_PERMILLE = 350, 40


def legend(theme: str) -> tuple[tuple[str, Rgb], ...]:
    """(word, PWM colour) of a theme, one of `THEMES`; families that look alike are one."""
    palette = THEMES[theme].palette
    families = [(word, palette[place]) for word, place in _FAMILIES]
    if len({colour for _, colour in families}) == 1:
        families = [("traffic", families[0][1])]
    leaf = palette[LEAF]
    return (*families, ("read", _part(leaf, _READ_PERMILLE)), ("joined", _part(leaf, _JOINED_PERMILLE)))


def _part(colour: Rgb, permille: int) -> Rgb:
    return (colour[0] * permille // 1000, colour[1] * permille // 1000, colour[2] * permille // 1000)
