"""Golden frames of the light: golden_light.txt beside this file, one line for a case, a theme and a moment.

    RREQ | safe | 2100 | 0:4d4d4d 1:00071f 2-4:000a42 12:060606

LEDs with the same colour that follow each other stand together, dark ones are left out; colours are PWM octets R, G, B
in hexadecimal. `python tests/light/golden_light.py --renew` writes the file anew.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "golden_light.txt"


def line_of(octets: bytes) -> str:
    """A frame in words."""
    colours = [octets[at : at + 3] for at in range(0, len(octets), 3)]
    words, led = [], 0
    for colour, group in groupby(colours):
        count = len(list(group))
        if any(colour):
            words.append((f"{led}" if count == 1 else f"{led}-{led + count - 1}") + f":{colour.hex()}")
        led += count
    return " ".join(words)


def lines(case: str, theme: str) -> list[str]:
    """The lines of a case in a theme."""
    import light_cases

    return [
        f"{case} | {theme} | {t_ms} | {line_of(octets)}" for t_ms, octets in light_cases.frames(case, theme).items()
    ]


def main(words: list[str]) -> None:
    sys.path[:0] = [str(HERE.parents[1]), str(HERE)]
    import light_cases

    from led_gateway.themes import THEMES

    made = [line for case in light_cases.CASES for theme in THEMES for line in lines(case, theme)]
    if words[:1] == ["--renew"]:
        GOLDEN.write_text("\n".join(made) + "\n", encoding="ascii")
    else:
        print("\n".join(made))


if __name__ == "__main__":
    main(sys.argv[1:])
