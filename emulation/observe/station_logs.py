"""logs/<station>.log: what each station would have written, as prose.

Lines wait in memory and go out station by station, so that one file is open at a time however many stations there
are. Neighbour: `prose` (the sentences).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emulation.observe.facts import EVERYBODY, station_name
from emulation.observe.prose import lines
from g3plc.events import Event

_HELD_LINES = 50_000


class StationLogs:
    """Observer that writes `<folder>/<station name>.log` for every station that had something to say.

    What is nobody's doing inside the network (faults: station 0xFFFF) is in `network.log`.
    """

    __slots__ = ("_folder", "_held", "_lines", "_started")

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lines: dict[int, list[str]] = {}
        self._held = 0
        self._started: set[int] = set()

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        held = self._lines
        for station, text in lines(events):
            if station in held:
                held[station].append(text)
            else:
                held[station] = [text]
        self._held += len(events)
        if self._held >= _HELD_LINES:
            self._write()

    def close(self) -> None:
        """Write what is left."""
        self._write()

    def _write(self) -> None:
        for station, texts in self._lines.items():
            mode = "a" if station in self._started else "w"
            self._started.add(station)
            name = "network" if station == EVERYBODY else station_name(station)
            path = self._folder / f"{name}.log"
            with path.open(mode, encoding="ascii", errors="backslashreplace", newline="\n") as file:
                file.write("\n".join(texts) + "\n")
        self._lines.clear()
        self._held = 0
