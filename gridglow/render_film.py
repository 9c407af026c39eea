"""Pictures into a file: GIF with Pillow, MP4 through ffmpeg. One at a time, so that a film of any length fits.

A GIF has one palette for all of its pictures; each picture holds only what differs from the one before. Neighbours:
`render_run` (makes films), `render_picture` (draws).
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from struct import pack
from typing import BinaryIO, Protocol

from PIL import GifImagePlugin, Image, ImageChops

from gridglow.leds_colour import Rgb

COLOURS = 255
"""The 256th is `same as before`."""
_MOST_CS = 0xFFFF
_ENCODE = (
    "-an",
    "-c:v",
    "libx264",
    "-preset",
    "medium",
    "-crf",
    "20",
    "-pix_fmt",
    "yuv420p",
    "-movflags",
    "+faststart",
)
_END_S = 60


class FilmError(Exception):
    """Why there is no film; one line."""


class Film(Protocol):
    """Takes pictures of one size in their order."""

    def add(self, picture: Image.Image) -> None:
        """The next picture, RGB."""

    def finish(self) -> None:
        """No more pictures follow. FilmError, OSError."""

    def drop(self) -> None:
        """There will be no film."""


class GifFilm:
    """An endless GIF in at most 255 colours. OSError."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int, colours: list[Rgb]) -> None:
        self._palette = palette_image(colours)
        self._fps = fps
        self._count = 0
        self._said_cs = 0
        self._shown: Image.Image | None = None
        self._waiting: tuple[Image.Image, tuple[int, int]] | None = None
        self._file: BinaryIO = path.open("wb")
        table = bytes(self._palette.getpalette() or ()).ljust(768, b"\0")[:768]
        self._file.write(b"GIF89a" + pack("<HHBBB", *size, 0xF7, 0, 0) + table)
        self._file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")

    def add(self, picture: Image.Image) -> None:
        """The next picture; one that equals the last makes that stay longer."""
        indexed = picture.quantize(palette=self._palette, dither=Image.Dither.NONE)
        if self._shown is None:
            self._waiting = indexed, (0, 0)
        else:
            changed = ImageChops.difference(_plane(indexed), _plane(self._shown)).point(_ANY)
            box = changed.getbbox()
            if box is not None:
                self._write()
                part = indexed.crop(box)
                part.paste(COLOURS, mask=ImageChops.invert(changed.crop(box)))
                self._waiting = part, (box[0], box[1])
        self._shown = indexed
        self._count += 1

    def finish(self) -> None:
        """Write what waits, and the end."""
        self._write()
        self._file.write(b";")
        self._file.close()

    def drop(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self) -> None:
        """Write the picture that waits, now that it is known how long it is seen."""
        if self._waiting is None:
            return
        part, offset = self._waiting
        until_cs = self._count * 100 // self._fps
        stays_cs = min(until_cs - self._said_cs, _MOST_CS)
        self._said_cs = until_cs
        data = GifImagePlugin.getdata(part, offset, duration=10 * stays_cs, transparency=COLOURS, disposal=1)
        self._file.write(b"".join(data))
        self._waiting = None


def palette_image(colours: list[Rgb]) -> Image.Image:
    """A picture whose palette is these colours, the last one again to fill the places that are left."""
    image = Image.new("P", (1, 1))
    filled = [*colours[:COLOURS], *[colours[-1]] * (COLOURS + 1 - len(colours[:COLOURS]))]
    image.putpalette([part for colour in filled for part in colour])
    return image


def _plane(indexed: Image.Image) -> Image.Image:
    """The palette's numbers as levels."""
    return Image.frombytes("L", indexed.size, indexed.tobytes())


_ANY = [0] + [255] * 255


def encoder() -> str:
    """The program that makes MP4. FilmError where it is not there."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise FilmError("a film in mp4 takes ffmpeg, which is not on this machine; install it, or make a .gif")
    return program


class Mp4Film:
    """H.264, by ffmpeg. FilmError where there is none, OSError."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int) -> None:
        words = [encoder(), "-hide_banner", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        words += ["-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "-", *_ENCODE, "-f", "mp4", str(path)]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def add(self, picture: Image.Image) -> None:
        """The next picture."""
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(picture.tobytes())
        except BrokenPipeError:
            raise FilmError(self._why()) from None

    def finish(self) -> None:
        """Wait for ffmpeg to write the rest."""
        _, errors = self._process.communicate(timeout=_END_S)
        if self._process.returncode:
            raise FilmError(_said(errors))

    def drop(self) -> None:
        """End ffmpeg."""
        self._process.kill()
        self._process.communicate()

    def _why(self) -> str:
        try:
            _, errors = self._process.communicate(timeout=_END_S)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            return "ffmpeg ended"
        return _said(errors)


def _said(errors: bytes) -> str:
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return f"ffmpeg: {lines[-1][:300]}" if lines else "ffmpeg failed and did not say why"
