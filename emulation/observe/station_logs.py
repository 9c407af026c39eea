"""logs/<station>.log: what each station would have written, as prose.

What they say waits in memory and goes out station by station, so that one file is open at a time however many
stations there are. Neighbour: `prose` (the sentences).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from emulation.observe.facts import EVERYBODY, station_name
from emulation.observe.prose import SENTENCES, clock_text
from g3plc.events import Event

_HELD_EVENTS = 50_000


class StationLogs:
    """Observer that writes `<folder>/<station name>.log` for every station that had something to say.

    What is nobody's doing inside the network (faults: station 0xFFFF) is in `network.log`.
    """

    __slots__ = ("_folder", "_held", "_started", "_texts")

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._texts: defaultdict[int, list[str]] = defaultdict(list)
        self._held = 0
        self._started: set[int] = set()

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        find = SENTENCES.get
        lines: defaultdict[int, list[str]] = defaultdict(list)
        stamped, stamp = -1, ""
        for event in events:
            found = find(event.__class__)
            if found is not None:
                layer, sentence = found
                if event[0] != stamped:
                    stamped = event[0]
                    stamp = clock_text(stamped)
                lines[event[1]].append(f"{stamp}{layer}{sentence(event)}\n")
        # lines of a batch use the memory of the last one's again; one by one until they are written, they would not
        for station, texts in lines.items():
            self._texts[station].append("".join(texts))
        self._held += len(events)
        if self._held >= _HELD_EVENTS:
            self._write()

    def close(self) -> None:
        """Write what is left."""
        self._write()

    def _write(self) -> None:
        for station, texts in self._texts.items():
            mode = "ab" if station in self._started else "wb"
            self._started.add(station)
            name = "network" if station == EVERYBODY else station_name(station)
            with (self._folder / f"{name}.log").open(mode) as file:
                file.write("".join(texts).encode("ascii", "backslashreplace"))
        self._texts.clear()
        self._held = 0
