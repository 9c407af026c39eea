"""A few events out of a large events.jsonl, without decoding all of it.

Lines are told by how they begin, and a span of time is found by bisection, for events stand in the order of time.
Neighbours: `jsonl` (reads a file from end to end), `sequence_pick` (asks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from emulation.observe.jsonl import JsonlReader
from g3plc.events import Event

_BLOCK_OCTETS = 4_000_000
_TIME = re.compile(rb'"t":(-?\d+)')


class JsonlSearch:
    """Opens the file at `path`, to be used in a `with`. Raises EvidenceError as `JsonlReader` does."""

    def __init__(self, path: Path) -> None:
        self._reader = JsonlReader(path)
        self._file = path.open("rb")
        self._file.readline()
        self._start = self._file.tell()

    def __enter__(self) -> JsonlSearch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def of_kind(self, *kinds: type[Event]) -> list[Event]:
        """Return all events of these kinds."""
        wanted = tuple([_beginning_of(kind) for kind in kinds])
        return [self._parse(line) for block in self._blocks() for line in block.split(b"\n") if line.startswith(wanted)]

    def between(self, first_us: int, last_us: int, kinds: tuple[type[Event], ...]) -> Iterator[Event]:
        """Return the events of these kinds from `first_us` to `last_us`, both included."""
        wanted = tuple([_beginning_of(kind) for kind in kinds])
        self._file.seek(self._bisect(first_us))
        for line in self._file:
            time = _TIME.search(line)
            if time is None or int(time[1]) > last_us:
                return
            if int(time[1]) >= first_us and line.startswith(wanted):
                yield self._parse(line)

    def _bisect(self, first_us: int) -> int:
        """Return the offset of a line with nothing of `first_us` and later before it."""
        file = self._file
        low, high = self._start, file.seek(0, 2)
        while high - low > _NEAR_OCTETS:
            middle = (low + high) // 2
            file.seek(middle)
            file.readline()
            start = file.tell()
            time = _TIME.search(file.readline())
            if time is not None and int(time[1]) < first_us:
                low = start
            else:
                high = middle
        return low

    def _blocks(self) -> Iterator[bytes]:
        """Return the events' lines in large pieces, each of whole lines."""
        at = self._start
        while True:
            self._file.seek(at)
            block = self._file.read(_BLOCK_OCTETS) + self._file.readline()
            if not block:
                return
            at = self._file.tell()
            yield block if block.endswith(b"\n") else block + b"\n"

    def _parse(self, line: bytes) -> Event:
        """Return the event of a line. EvidenceError."""
        return self._reader.parse(line.decode("ascii", "replace"))


_NEAR_OCTETS = 10_000


def _beginning_of(kind: type[Event]) -> bytes:
    """Return how the lines of a kind begin."""
    return b'{"event":"' + kind.__name__.encode() + b'",'
