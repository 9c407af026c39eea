"""A moment of the light as a picture for films: the tree, its LEDs with the glow around them, caption and legend.

Neighbours: `leds_screen.View` (the moment), `render_film` (many of them), `leds_colour` (what PWM looks like).
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from emulation.grid.feeder import Feeder
from emulation.observe.prose import clock_text
from gridglow.leds_colour import BACKGROUND, CABLE, SCREEN, UNLIT, Rgb, on_screen
from gridglow.leds_screen import View

LEAST_SIZE, MOST_SIZE = (320, 200), (3840, 2160)

TEXT: Rgb = (222, 228, 240)
FAINT: Rgb = (132, 142, 164)
FAULT: Rgb = (255, 92, 170)
DONE: Rgb = (122, 222, 160)

_FINE = 3
"""Cables are drawn so much larger and made smaller again,"""
_DOT_FINE = 2
"""and LEDs, for every picture."""
_WIDTHS = {"underground": 5, "overhead": 4, "service": 2}
_CORE = 0.45
_MOST_COLOURS, _GREYS, _HOT = 255, 36, 3
_WORDS = (BACKGROUND, CABLE, UNLIT, TEXT, FAINT, FAULT, DONE, (132, 51, 94))
_GLOW = 0.85


class Canvas:
    """Draws views of one feeder in one size (wide, high), in pixels."""

    def __init__(self, feeder: Feeder, size: tuple[int, int]) -> None:
        self.size = size
        wide, high = size
        self._text = max(10, min(wide * 3, high * 5) // 130)
        self._strip = round(5.9 * self._text)
        places = _Places(feeder, wide, high - self._strip, self._text)
        self._at = places.of
        self._radius = places.radius
        self._board = _board(feeder, size, places)
        self._spread = max(2.0, 3.2 * places.radius)

    def draw(self, view: View) -> Image.Image:
        """The picture of a moment, RGB."""
        lit = self._lit(view.frame)
        board = self._board
        if lit:
            # The glow is soft: a quarter of the size shows as much.
            wide, high = self.size
            small = Image.new("RGB", (-(-wide // 4), -(-high // 4)))
            self._dots(small, [(led, _halo(colour)) for led, colour in lit], 1 / 4, self._radius * 1.6, 0.0)
            glow = small.filter(ImageFilter.GaussianBlur(self._spread / 4)).resize(self.size, Image.Resampling.BILINEAR)
            glow = glow.point([min(255, round(level * _GLOW)) for level in range(256)] * 3)
            dots = Image.new("RGB", (wide * _DOT_FINE, high * _DOT_FINE))
            self._dots(dots, lit, _DOT_FINE, self._radius, _CORE)
            board = ImageChops.lighter(ImageChops.screen(board, glow), dots.reduce(_DOT_FINE))
        else:
            board = board.copy()
        self._caption(ImageDraw.Draw(board), view)
        return board

    def place(self, led: int) -> tuple[int, int]:
        """The pixel of an LED's middle."""
        x, y = self._at[led]
        return round(x), round(y)

    def _lit(self, frame: bytes) -> list[tuple[int, Rgb]]:
        """LEDs that are on, dark ones first, in the screen's colours."""
        lit = []
        for led in range(min(len(self._at), len(frame) // 3)):
            light = frame[3 * led : 3 * led + 3]
            if any(light):
                lit.append((led, (SCREEN[light[0]], SCREEN[light[1]], SCREEN[light[2]])))
        return sorted(lit, key=lambda item: max(item[1]))

    def _dots(self, image: Image.Image, lit: list[tuple[int, Rgb]], scale: float, radius: float, core: float) -> None:
        """Draw LEDs; `core` makes the middle of bright ones white."""
        draw = ImageDraw.Draw(image)
        for led, colour in lit:
            x, y = self._at[led][0] * scale, self._at[led][1] * scale
            _disc(draw, x, y, radius * scale, colour)
            share = core * (max(colour) / 255) ** 2
            if share > 0.1:
                hot = tuple([round(part + (255 - part) * share) for part in colour])
                _disc(draw, x, y, radius * scale * 0.55, (hot[0], hot[1], hot[2]))

    # -- words

    def _caption(self, draw: ImageDraw.ImageDraw, view: View) -> None:
        wide, high = self.size
        size = self._text
        edge = size
        y = high - self._strip + size * 0.3
        time = clock_text(view.t_us)[:-2]
        x = _write(draw, edge, y, time, size * 1.15, TEXT) + size * 0.8
        x = _write(draw, x, y + size * 0.1, f"{view.permille / 1000:g}x", size, FAINT) + size * 1.2
        self._numbers(draw, view, x, y + size * 0.1)
        _write(draw, edge, y + size * 1.75, _fitting(view.said, size, wide - 2 * edge), size, TEXT)
        self._legend(draw, view, y + size * 3.7)

    def _numbers(self, draw: ImageDraw.ImageDraw, view: View, x: float, y: float) -> None:
        """Meters read on the right, faults in force in the middle."""
        size = self._text
        text = f"read {view.read} of {view.meters}" if view.read >= 0 else ""
        right = self.size[0] - size - _length(text, size)
        _write(draw, right, y, text, size, DONE if view.read >= view.meters else FAINT)
        _write(draw, x, y, _fitting(", ".join(view.faults), size, right - x - size), size, FAULT)

    def _legend(self, draw: ImageDraw.ImageDraw, view: View, y: float) -> None:
        size = self._text * 0.85
        x = float(self._text)
        for word, colour in view.legend:
            _disc(draw, x + size * 0.35, y + size * 0.62, size * 0.34, on_screen(colour))
            x = _write(draw, x + size, y, word, size, FAINT) + size * 1.1


class _Places:
    """Where the LEDs lie on `wide` by `high` pixels, with `edge` pixels free around, and how large they are."""

    def __init__(self, feeder: Feeder, wide: int, high: int, edge: int) -> None:
        left, top = min(x for x, _ in feeder.xy), min(y for _, y in feeder.xy)
        wide_dm = max(max(x for x, _ in feeder.xy) - left, 1)
        high_dm = max(max(y for _, y in feeder.xy) - top, 1)
        room_x, room_y = wide - 2.5 * edge, high - 2.5 * edge
        self.scale = min(room_x / wide_dm, room_y / high_dm)
        margin_x, margin_y = (wide - wide_dm * self.scale) / 2, (high - high_dm * self.scale) / 2
        self.of = [(margin_x + (x - left) * self.scale, margin_y + (y - top) * self.scale) for x, y in feeder.xy]
        pitches = sorted(
            abs(self.of[led][0] - self.of[parent][0]) + abs(self.of[led][1] - self.of[parent][1])
            for led, parent in enumerate(feeder.parent_led)
            if parent >= 0
        )
        pitch = pitches[len(pitches) // 2] if pitches else 8.0
        self.radius = min(max(pitch * 0.36, 0.8), edge * 0.6)


def _board(feeder: Feeder, size: tuple[int, int], places: _Places) -> Image.Image:
    """What never changes: cables, and LEDs that are off."""
    image = Image.new("RGB", (size[0] * _FINE, size[1] * _FINE), BACKGROUND)
    draw = ImageDraw.Draw(image)
    at = [(x * _FINE, y * _FINE) for x, y in places.of]
    thick = max(places.radius / 4, 0.5) * _FINE
    for led, parent in enumerate(feeder.parent_led):
        if parent >= 0:
            width = max(1, round(thick * _WIDTHS[feeder.cable[led]] / 4))
            draw.line((*at[parent], *at[led]), fill=CABLE, width=width)
    for x, y in at:
        _disc(draw, x, y, places.radius * _FINE * 0.8, UNLIT)
    return image.reduce(_FINE)


def _halo(colour: Rgb) -> Rgb:
    """A dim LED lights little around it."""
    most = max(colour)
    return (colour[0] * most // 255, colour[1] * most // 255, colour[2] * most // 255)


def palette(words: tuple[tuple[str, Rgb], ...]) -> list[Rgb]:
    """The colours of pictures with this legend, at most 255: greys, and each light from nothing to its white middle."""
    lights = list(dict.fromkeys(_full(on_screen(colour)) for _, colour in words))
    steps = max(4, (_MOST_COLOURS - _GREYS - len(_WORDS)) // max(1, len(lights)))
    colours = [*_WORDS, *(_mix(BACKGROUND, (255, 255, 255), (step / (_GREYS - 1)) ** 1.4) for step in range(_GREYS))]
    for light in lights:
        hot = _mix(light, (255, 255, 255), _CORE)
        dim = steps - _HOT
        colours += [_mix(BACKGROUND, light, ((step + 1) / dim) ** 1.4) for step in range(dim)]
        colours += [_mix(light, hot, (step + 1) / _HOT) for step in range(_HOT)]
    return list(dict.fromkeys(colours))


def _full(colour: Rgb) -> Rgb:
    most = max(*colour, 1)
    return (colour[0] * 255 // most, colour[1] * 255 // most, colour[2] * 255 // most)


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Rgb) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


@lru_cache(maxsize=16)
def _font(tenths: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(tenths / 10)


def _write(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: float, colour: Rgb) -> float:
    """Write a line; returns where it ends."""
    draw.text((x, y), text, fill=colour, font=_font(round(size * 10)))
    return x + _length(text, size)


def _length(text: str, size: float) -> float:
    return _font(round(size * 10)).getlength(text)


def _fitting(text: str, size: float, room: float) -> str:
    """The text, or as much of its beginning as fits."""
    if _length(text, size) <= room:
        return text
    while text and _length(text + "...", size) > room:
        text = text[:-1]
    return text + "..." if text else ""
