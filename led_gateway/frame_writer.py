"""Turns pictures into the messages of `led/frame`: key frames, and deltas in between.

A delta holds what differs from the key frame, not from the delta before, so that a lost one harms nothing. It grows
as the picture moves away from the key frame; once that has cost as much as a new key frame, there is one. Nothing is
sent where nothing has changed, but for the key frame that is due. Neighbours: `frame`
(the octets), `gateway` (when), `picture` (the other side).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from led_gateway.frame import DELTA, KEY, PART_LEDS, RUN, Frame, encode, parts_of

KEY_MS = 1000
"""A key frame is sent at least that often."""
MOST_OCTETS = 60_000
"""A delta that is longer is not sent; parts of a key frame are short."""

# A gap of one LED costs three octets, a run of its own four.
_RUNS = re.compile(rb"[^\0]+(?:\0[^\0]+)*")


class Message(NamedTuple):
    """A payload for `led/frame`, or, with a `part`, for `led/frame/<part>`. Key frames are retained."""

    part: int | None
    payload: bytes
    retain: bool


class FrameWriter:
    """The messages of one session. `keys` counts key frames (all parts are one), `deltas` and `octets` the rest."""

    __slots__ = (
        "_key", "_key_at_ms", "_key_sequence", "_last", "_sequence", "_wasted", "deltas", "keys", "leds", "octets",
        "session",
    )  # fmt: skip

    def __init__(self, session: int, leds: int) -> None:
        self.session = session
        self.leds = leds
        self._sequence = 0
        self._key = b""
        self._key_sequence = 0
        self._key_at_ms = 0
        self._last = b""
        self._wasted = 0
        self.keys = 0
        self.deltas = 0
        self.octets = 0

    @property
    def parts(self) -> int:
        """In how many messages a key frame goes out."""
        return parts_of(self.leds)

    def restart(self) -> None:
        """Forget what was sent: the next message is a key frame."""
        self._key = self._last = b""

    def due(self, now_ms: int) -> bool:
        """Whether a key frame is to be sent even if nothing has changed."""
        return not self._key or now_ms - self._key_at_ms >= KEY_MS

    def write(self, rgb: bytes, now_ms: int) -> list[Message]:
        """What to send for a picture (R G B for each LED) that is to be seen at `now_ms`, which never goes back."""
        pixels = to_grb(rgb)
        if self.due(now_ms):
            return self._key_frame(pixels, now_ms)
        if pixels == self._last:
            return []
        runs = differences(self._key, pixels)
        octets = _octets(runs)
        wasted = self._wasted + octets - _octets(differences(self._last, pixels))
        if octets >= min(len(pixels), MOST_OCTETS) or wasted > len(pixels):
            return self._key_frame(pixels, now_ms)
        self._last, self._wasted = pixels, max(0, wasted)
        self.deltas += 1
        frame = Frame(DELTA, self.session, self._next(), now_ms & 0xFFFF, self._key_sequence, self.leds, runs)
        return [self._message(None, frame, False)]

    def _key_frame(self, pixels: bytes, now_ms: int) -> list[Message]:
        self._key = self._last = pixels
        self._key_at_ms = now_ms
        self._wasted = 0
        self._key_sequence = self._sequence
        self.keys += 1
        one = self.parts == 1
        return [
            self._message(None if one else part, self._part(pixels, part, now_ms), True) for part in range(self.parts)
        ]

    def _part(self, pixels: bytes, part: int, now_ms: int) -> Frame:
        first = part * PART_LEDS
        run = (first, pixels[3 * first : 3 * (first + PART_LEDS)])
        return Frame(KEY, self.session, self._next(), now_ms & 0xFFFF, self._key_sequence, self.leds, (run,))

    def _message(self, part: int | None, frame: Frame, retain: bool) -> Message:
        payload = encode(frame)
        self.octets += len(payload)
        return Message(part, payload, retain)

    def _next(self) -> int:
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        return sequence


def differences(old: bytes, new: bytes) -> tuple[tuple[int, bytes], ...]:
    """The runs (first LED, octets of `new`) of a picture that bring `old`, of the same size, to `new`."""
    size = len(new)
    changed = (int.from_bytes(old, "big") ^ int.from_bytes(new, "big")).to_bytes(size, "big")
    planes = [int.from_bytes(changed[colour::3], "big") for colour in range(3)]
    leds = (planes[0] | planes[1] | planes[2]).to_bytes(size // 3, "big")
    return tuple((run.start(), new[3 * run.start() : 3 * run.end()]) for run in _RUNS.finditer(leds))


def _octets(runs: tuple[tuple[int, bytes], ...]) -> int:
    return sum(RUN.size + len(run) for _, run in runs)


def to_grb(rgb: bytes) -> bytes:
    """Pixels in the strip's order; the same turns them back."""
    pixels = bytearray(rgb)
    pixels[0::3], pixels[1::3] = rgb[1::3], rgb[0::3]
    return bytes(pixels)
