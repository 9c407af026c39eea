"""A folder of evidence: every file of a run, written while it goes on and finished when it is over.

`summary.json`, `readings.csv`, `events.jsonl`, `logs/`, `frames.pcapng`, `sequence.mmd`, `sequence.svg`; formats in
docs/evidence.md. Neighbours: `tap` (feeds the observers), `rebuild` (makes the same files from events.jsonl).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import JsonlWriter
from emulation.observe.pcap import PcapWriter
from emulation.observe.readings import ReadingsWriter
from emulation.observe.sequence import SequenceWriter
from emulation.observe.station_logs import StationLogs
from emulation.observe.tap import Observer

EVENTS_FILE = "events.jsonl"
CAPTURE_FILE = "frames.pcapng"
PSDU_CAPTURE_FILE = "frames-psdu.pcapng"
SUMMARY_FILE = "summary.json"
READINGS_FILE = "readings.csv"
SEQUENCE_FILES = ("sequence.mmd", "sequence.svg")
LOGS_FOLDER = "logs"


class Evidence:
    """The observers that write into `folder` (made if need be; files of an earlier run in it are replaced).

    With `psdu` a second capture, LINKTYPE 147 with one record for each segment, stands beside the usual one. Raises
    OSError where the folder cannot be written.
    """

    def __init__(self, folder: Path, facts: RunFacts, psdu: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        self.folder = folder
        self._jsonl = JsonlWriter(folder / EVENTS_FILE, facts)
        self._sequence = SequenceWriter(folder / EVENTS_FILE, folder, facts)
        self.observers: list[Observer] = [
            self._jsonl,
            StationLogs(folder / LOGS_FOLDER),
            PcapWriter(folder / CAPTURE_FILE, facts),
            ReadingsWriter(folder / READINGS_FILE, facts),
            self._sequence,
        ]
        if psdu:
            self.observers.append(PcapWriter(folder / PSDU_CAPTURE_FILE, facts, whole_psdu=True))

    def finish(self, summary: Mapping[str, Any], figures: Mapping[str, Any], meter: int | None = None) -> None:
        """Write what can only be written at the end, and close the files. Flush the trace before.

        `summary` goes into summary.json; `figures`, those of its numbers that came from the host and not from events
        (`wall_s`, `hearers`, `digest`, ...), into the last line of events.jsonl. `meter` is the one whose session is
        drawn, else the farthest that was read.
        """
        self._jsonl.finish(figures)
        for observer in self.observers:
            observer.close()
        text = json.dumps(summary, indent=2) + "\n"
        (self.folder / SUMMARY_FILE).write_text(text, encoding="ascii", newline="\n")
        self._sequence.draw(meter)


def _clear(folder: Path) -> None:
    names = (EVENTS_FILE, CAPTURE_FILE, PSDU_CAPTURE_FILE, SUMMARY_FILE, READINGS_FILE, *SEQUENCE_FILES)
    for path in [folder / name for name in names] + sorted((folder / LOGS_FOLDER).glob("*.log")):
        path.unlink(missing_ok=True)
