"""A few events out of a large events.jsonl, without decoding all of it.

Lines are found by octets that only they contain, and a span of time by bisection, for events stand in the order of
time. Neighbours: `jsonl` (reads a file from end to end), `sequence_pick` (asks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from emulation.observe.jsonl import JsonlReader
from g3plc.events import Event

_BLOCK_OCTETS = 4_000_000
_STEM_OCTETS = len('{"event":"Apdu')
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

    def of_kind(self, *kinds: type[Event], having: re.Pattern[bytes] | None = None) -> list[Event]:
        """Return all events of these kinds whose lines match `having`, in the order of the file."""
        found = []
        beginnings = tuple([_beginning(kind) for kind in kinds])
        # names of one family share a stem, and a pass over the block is saved for each that does
        stems = sorted({beginning[:_STEM_OCTETS] for beginning in beginnings})
        for block in self._blocks():
            for place in sorted([place for stem in stems for place in _places(block, stem)]):
                if block.startswith(beginnings, place):
                    line = block[place : block.find(b"\n", place)]
                    if having is None or having.search(line):
                        found.append(self._parse(line))
        return found

    def with_word(self, kind: type[Event], word: bytes) -> list[Event]:
        """Return all events of one kind whose lines hold `word`, a rare one."""
        found = []
        beginning = _beginning(kind)
        for block in self._blocks():
            for place in _places(block, word):
                line = block[block.rfind(b"\n", 0, place) + 1 : block.find(b"\n", place)]
                if line.startswith(beginning):
                    found.append(self._parse(line))
        return found

    def between(self, first_us: int, last_us: int, kinds: tuple[type[Event], ...]) -> Iterator[Event]:
        """Return the events of these kinds from `first_us` to `last_us`, both included."""
        wanted = tuple([_beginning(kind) for kind in kinds])
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
        return self._reader.parse(line.decode("ascii", "replace"))


_NEAR_OCTETS = 10_000


def _places(block: bytes, octets: bytes) -> Iterator[int]:
    at = block.find(octets)
    while at >= 0:
        yield at
        at = block.find(octets, at + len(octets))


def _beginning(kind: type[Event]) -> bytes:
    return b'{"event":"' + kind.__name__.encode() + b'",'
