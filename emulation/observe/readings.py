"""readings.csv: what was read, one line for each value, in the order of reading. Columns: docs/evidence.md."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from emulation.observe.facts import RunFacts, civil_time, obis_text, station_name
from emulation.observe.percentiles import ms
from g3plc.events import Event, ReadDone

COLUMNS = ("meter", "obis", "value", "unit", "read_at", "hops", "attempts", "duration_ms")


class ReadingsWriter:
    """Observer that writes readings.csv. Civil time is the run's, to the second."""

    __slots__ = ("_epoch_s", "_file", "_rows")

    def __init__(self, path: Path, facts: RunFacts) -> None:
        self._epoch_s = facts.epoch_s
        self._file = path.open("w", encoding="ascii", errors="backslashreplace", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        for read in [event for event in events if event.__class__ is ReadDone]:
            self._write(read)

    def _write(self, read: ReadDone) -> None:
        when, obis = civil_time(self._epoch_s, read.t), obis_text(read.obis)
        effort = (read.hops, read.attempts, ms(read.duration_us))
        self._rows.writerow((station_name(read.meter), obis, read.value, read.unit, when, *effort))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
