"""One message of `led/frame`: octets in and out. Layout: docs/led-frame.md.

A key frame carries a picture, or a part of a big one; a delta carries what differs from the key frame that it names.
Pixels are PWM octets in the strip's order G, R, B. Neighbours: `frame_writer` makes the messages of a gateway,
`picture` puts a picture together from them; the firmware reads the same octets (tests/light/frame_vectors.json).
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from g3plc.core.errors import WireError

VERSION = 1
KEY, DELTA = 1, 2
PART_LEDS = 1440
"""A key frame of more LEDs is sent in parts of so many; the last one has the rest."""
MOST_LEDS = 0xFFFF

HEADER = Struct(">BBHHHHHHH")
RUN = Struct(">HH")


class FrameError(WireError):
    """Octets that are no message of `led/frame`."""


class Frame(NamedTuple):
    """A message. `runs` are (first LED, G R B octets): of a key frame exactly one, of a delta any number.

    `session`, `sequence`, `stamp_ms` (presentation time) and `key` (sequence of the key frame, or of its first part)
    are 16 bits; `total` is the LED count of the whole picture.
    """

    kind: int
    session: int
    sequence: int
    stamp_ms: int
    key: int
    total: int
    runs: tuple[tuple[int, bytes], ...]


def parts_of(leds: int) -> int:
    """In how many parts a key frame of so many LEDs is sent."""
    return -(-leds // PART_LEDS)


def encode(frame: Frame) -> bytes:
    """The octets of a message."""
    kind, session, sequence, stamp_ms, key, total, runs = frame
    if kind == KEY:
        ((first, pixels),) = runs
        return HEADER.pack(VERSION, KEY, session, sequence, stamp_ms, key, total, first, len(pixels) // 3) + pixels
    pieces = [HEADER.pack(VERSION, DELTA, session, sequence, stamp_ms, key, total, 0, len(runs))]
    for first, pixels in runs:
        pieces += (RUN.pack(first, len(pixels) // 3), pixels)
    return b"".join(pieces)


def decode(payload: bytes) -> Frame:
    """The message in any octets. FrameError."""
    if len(payload) < HEADER.size:
        raise FrameError("shorter than the header")
    version, kind, session, sequence, stamp_ms, key, total, first, length = HEADER.unpack_from(payload)
    if version != VERSION:
        raise FrameError("unknown version")
    if not total:
        raise FrameError("no LEDs")
    if kind == KEY:
        _check_part(payload, (sequence - key) & 0xFFFF, total, first, length)
        runs: tuple[tuple[int, bytes], ...] = ((first, payload[HEADER.size :]),)
    elif kind == DELTA:
        if first:
            raise FrameError("a delta with a first LED")
        runs = _runs(payload, total, length)
    else:
        raise FrameError("unknown kind")
    return Frame(kind, session, sequence, stamp_ms, key, total, runs)


def _check_part(payload: bytes, part: int, total: int, first: int, length: int) -> None:
    """The header of a key frame says everything that its parts may be."""
    if first != part * PART_LEDS or first >= total:
        raise FrameError("a part in the wrong place")
    if length != min(PART_LEDS, total - first):
        raise FrameError("a part of the wrong length")
    if len(payload) != HEADER.size + 3 * length:
        raise FrameError("wrong number of octets")


def _runs(payload: bytes, total: int, count: int) -> tuple[tuple[int, bytes], ...]:
    found = []
    at, free = HEADER.size, 0
    for _ in range(count):
        if at + RUN.size > len(payload):
            raise FrameError("cut off in a run")
        first, leds = RUN.unpack_from(payload, at)
        at += RUN.size
        if not leds:
            raise FrameError("an empty run")
        if first < free:
            raise FrameError("runs out of order")
        free = first + leds
        if free > total:
            raise FrameError("a run beyond the last LED")
        if at + 3 * leds > len(payload):
            raise FrameError("cut off in a run")
        found.append((first, payload[at : at + 3 * leds]))
        at += 3 * leds
    if at != len(payload):
        raise FrameError("octets after the last run")
    return tuple(found)
