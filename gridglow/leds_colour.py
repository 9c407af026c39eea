"""What an LED's PWM looks like on a screen, and the few colours of the picture around the LEDs.

A duty cycle is an amount of light, a screen's number is not: without the conversion, traces of 4 % would be black.
Neighbours: `leds_map` (terminal), `render_picture` (films).
"""

from __future__ import annotations

Rgb = tuple[int, int, int]

GAMMA = 2.2
SCREEN = bytes(round(255 * (pwm / 255) ** (1 / GAMMA)) for pwm in range(256))
"""Screen's number of each PWM octet."""

BACKGROUND: Rgb = (9, 11, 17)
CABLE: Rgb = (21, 26, 38)
UNLIT: Rgb = (34, 42, 60)

_BRIGHT = 64


def hex_of(colour: Rgb) -> str:
    """`#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def on_screen(pwm: Rgb) -> Rgb:
    """The screen's colour of an LED's."""
    return (SCREEN[pwm[0]], SCREEN[pwm[1]], SCREEN[pwm[2]])


def letter(red: int, green: int, blue: int) -> str:
    """A letter for a light: r routing, d data, x fault, o station; capital when bright, empty when off."""
    most = max(red, green, blue)
    if not most:
        return ""
    if 4 * min(red, green, blue) >= 3 * most or green == most:
        kind = "o"
    elif blue == most:
        kind = "r"
    else:
        kind = "x" if blue > green else "d"
    return kind.upper() if most >= _BRIGHT else kind
