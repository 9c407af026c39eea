"""What travels can be told apart by people who see red and green, or blue and yellow, alike.

Colours are linear PWM values. Colour blindness is simulated with the matrices of Machado, Oliveira and Fernandes
(2009) at severity 1; distances are those of chroma (a, b) in OKLab (Ottosson 2020) between colours that are driven to
the same lightness, because brightness on the board says how strong a signal is and nothing else.
"""

from __future__ import annotations

from itertools import combinations
from math import cbrt, hypot

import pytest

from led_gateway.forms import FORMS
from led_gateway.themes import AMBER, BLUE, MAGENTA, THEMES

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

LIGHTNESS = 0.75
LEAST = 0.15
FAMILIES = {"routing": BLUE, "data": AMBER, "fault": MAGENTA}

EYES: dict[str, Matrix] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_TO_LMS: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def times(matrix: Matrix, vector: Vector) -> Vector:
    a, b, c = (sum(factor * part for factor, part in zip(row, vector, strict=True)) for row in matrix)
    return a, b, c


def lab(rgb: Vector) -> Vector:
    lms = times(_TO_LMS, rgb)
    return times(_TO_LAB, (cbrt(lms[0]), cbrt(lms[1]), cbrt(lms[2])))


def chroma(rgb: tuple[int, int, int], eye: str) -> tuple[float, float]:
    """(a, b) as seen by `eye` of a linear colour, driven so that all colours are equally light to the normal eye."""
    drive = (LIGHTNESS / lab(rgb)[0]) ** 3
    seen = times(EYES[eye], (rgb[0] * drive, rgb[1] * drive, rgb[2] * drive))
    _, a, b = lab((max(seen[0], 0.0), max(seen[1], 0.0), max(seen[2], 0.0)))
    return a, b


def apart(one: tuple[int, int, int], other: tuple[int, int, int], eye: str) -> float:
    (a0, b0), (a1, b1) = chroma(one, eye), chroma(other, eye)
    return hypot(a1 - a0, b1 - b0)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", ["safe", "classic", "calm"])
def test_the_families_that_travel_can_be_told_apart(theme: str, eye: str) -> None:
    palette = THEMES[theme].palette
    for one, other in combinations(FAMILIES, 2):
        assert apart(palette[FAMILIES[one]], palette[FAMILIES[other]], eye) >= LEAST, (one, other)


def test_every_hue_that_travels_belongs_to_one_family() -> None:
    palette = THEMES["safe"].palette
    for form in FORMS:
        distances = sorted(
            (max(apart(palette[form.hue], palette[base], eye) for eye in EYES), name) for name, base in FAMILIES.items()
        )
        nearest, name = distances[0]
        wanted = {"search": "routing", "reply": "routing", "signal": "routing", "error": "fault"}.get(form.name, "data")
        assert name == wanted, form.name
        assert nearest < distances[1][0]


def test_green_and_orange_would_be_alike_for_a_red_green_blind_viewer() -> None:
    """Why a rainbow was not taken; it also shows that the simulation simulates."""
    alike = min(apart((255, 120, 0), (green, 255, 0), "deutan") for green in range(0, 256, 5))
    assert alike < 0.02
    assert apart((255, 120, 0), (0, 255, 0), "normal") > LEAST


def test_mono_has_no_colour_at_all() -> None:
    for r, g, b in THEMES["mono"].palette:
        assert r == g == b
