"""Puts the picture together again from the messages of `led/frame`: what every screen and tool does, without regard
to time. Neighbours: `frame` (the octets), `frame_writer` (the other side); docs/led-frame.md has the rules.
"""

from __future__ import annotations

from led_gateway.frame import KEY, Frame, FrameError, decode, parts_of
from led_gateway.frame_writer import to_grb

_Name = tuple[int, int, int]


class Picture:
    """`grb` is what is to be seen, empty until a key frame is complete; `leds` its LED count.

    `malformed` counts messages that were none, `dropped` deltas whose key frame is not held.
    """

    __slots__ = ("_base", "_held", "_missing", "_name", "_pending", "dropped", "frame", "grb", "malformed")

    def __init__(self) -> None:
        self.grb = b""
        self.frame: Frame | None = None
        self.malformed = 0
        self.dropped = 0
        self._base = b""
        self._held: _Name | None = None
        self._name: _Name | None = None
        self._pending = bytearray()
        self._missing: set[int] = set()

    @property
    def leds(self) -> int:
        """How many LEDs the picture has."""
        return len(self.grb) // 3

    @property
    def rgb(self) -> bytes:
        """The picture as R G B."""
        return to_grb(self.grb)

    def take(self, payload: bytes) -> bool:
        """A message, any octets. Whether there is a picture to be shown: `grb`, made by `frame`."""
        try:
            frame = decode(payload)
        except FrameError:
            self.malformed += 1
            return False
        name = (frame.session, frame.key, frame.total)
        if not (self._collect(name, frame) if frame.kind == KEY else self._change(name, frame)):
            return False
        self.frame = frame
        return True

    def _collect(self, name: _Name, frame: Frame) -> bool:
        """A part of a key frame; true when it is complete."""
        if name != self._name:
            self._name = name
            self._pending = bytearray(3 * frame.total)
            self._missing = set(range(parts_of(frame.total)))
        ((first, pixels),) = frame.runs
        self._pending[3 * first : 3 * first + len(pixels)] = pixels
        self._missing.discard((frame.sequence - frame.key) & 0xFFFF)
        if self._missing:
            return False
        self.grb = self._base = bytes(self._pending)
        self._held = name
        return True

    def _change(self, name: _Name, frame: Frame) -> bool:
        if name != self._held:
            self.dropped += 1
            return False
        pixels = bytearray(self._base)
        for first, run in frame.runs:
            pixels[3 * first : 3 * first + len(run)] = run
        self.grb = bytes(pixels)
        return True
