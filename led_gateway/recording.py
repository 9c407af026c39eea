"""A recording of `led/frame`: the messages with their times, as one file.

Eight octets `GLOWREC1`, then records until the end: milliseconds since the beginning (32 bits), length (16 bits), and
so many octets of a message (docs/led-frame.md); big-endian. Times never go back, the first message is a key frame or
the first part of one. A board plays the same file when the network is gone. Neighbours: `frame` (the messages),
`gridglow board record` and `play`.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO, NamedTuple

from g3plc.core.errors import UsageError, WireError
from led_gateway import frame

MAGIC = b"GLOWREC1"
MOST_MS = 0xFFFFFFFF
MOST_OCTETS = 0xFFFF

_HEAD = Struct(">IH")
_HALF = 0x8000
_RESET_MS = 2000


class RecordingError(WireError):
    """Octets that are no recording; says where."""


class Record(NamedTuple):
    """A message, and when it is to be shown, in milliseconds since the beginning."""

    t_ms: int
    payload: bytes


class RecordingWriter:
    """Writes a recording into a binary file. OSError as the file has it."""

    __slots__ = ("_began", "_file", "_last_ms", "records")

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._last_ms = 0
        self._began = False
        self.records = 0
        file.write(MAGIC)

    @property
    def length_ms(self) -> int:
        """Time of the last record."""
        return self._last_ms

    def put(self, t_ms: int, payload: bytes) -> bool:
        """Write a message; False before the first key frame, of which nothing can be shown.

        UsageError for a time that goes back or a message that is none.
        """
        if not self._last_ms <= t_ms <= MOST_MS:
            raise UsageError(f"{t_ms} ms after {self._last_ms} ms in a recording")
        if len(payload) > MOST_OCTETS:
            raise UsageError(f"a message of {len(payload)} octets")
        try:
            message = frame.decode(payload)
        except WireError as error:
            raise UsageError(f"no message of led/frame: {error.reason}") from None
        if not self._began and not begins(message):
            return False
        self._began = True
        self._last_ms = t_ms
        self._file.write(_HEAD.pack(t_ms, len(payload)) + payload)
        self.records += 1
        return True


def read(file: BinaryIO) -> Iterator[Record]:
    """The records of a file, each checked as it is reached. RecordingError, OSError."""
    if file.read(len(MAGIC)) != MAGIC:
        raise RecordingError("no recording of led/frame (it does not begin with GLOWREC1)")
    at, last_ms, began = len(MAGIC), 0, False
    while head := file.read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise RecordingError(f"octet {at}: cut off in the head of a record")
        t_ms, length = _HEAD.unpack(head)
        payload = file.read(length)
        if len(payload) < length:
            raise RecordingError(f"octet {at}: cut off in a message of {length} octets")
        if t_ms < last_ms:
            raise RecordingError(f"octet {at}: time goes back from {last_ms} to {t_ms} ms")
        try:
            message = frame.decode(payload)
        except WireError as error:
            raise RecordingError(f"octet {at}: {error.reason}") from None
        if not began and not begins(message):
            raise RecordingError(f"octet {at}: it does not begin with a key frame")
        yield Record(t_ms, payload)
        at, last_ms, began = at + _HEAD.size + length, t_ms, True
    if not began:
        raise RecordingError("an empty recording")


def begins(message: frame.Frame) -> bool:
    """Whether a recording can begin with a message."""
    return message.kind == frame.KEY and message.sequence == message.key


class Timeline:
    """Times of a recording out of presentation times, so that a network's jitter is not recorded.

    A new session, and a presentation time more than two seconds from where its arrival says, start again from arrival.
    """

    __slots__ = ("_arrived_ms", "_now_ms", "_session", "_stamp_ms")

    def __init__(self) -> None:
        self._session = -1
        self._stamp_ms = 0
        self._arrived_ms = 0
        self._now_ms = 0

    def at(self, message: frame.Frame, arrived_ms: int) -> int:
        """When a message is to be shown, in ms since the first; `arrived_ms` is any clock that does not go back."""
        if self._session < 0:
            self._arrived_ms = arrived_ms
        waited_ms = arrived_ms - self._arrived_ms
        stepped_ms = ((message.stamp_ms - self._stamp_ms + _HALF) & 0xFFFF) - _HALF
        trusted = message.session == self._session and abs(stepped_ms - waited_ms) <= _RESET_MS
        self._now_ms += max(0, stepped_ms if trusted else waited_ms)
        self._session, self._stamp_ms, self._arrived_ms = message.session, message.stamp_ms, arrived_ms
        return self._now_ms
