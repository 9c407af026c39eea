"""A folder of evidence: every file of a run, written while it goes on and finished when it is over.

`summary.json`, `readings.csv`, `events.jsonl`, `logs/`, `frames.pcapng`, `sequence.mmd`, `sequence.svg`; formats in
docs/evidence.md. Neighbours: `tap` (feeds the observers), `rebuild` (makes the same files from events.jsonl).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import JsonlReader, JsonlWriter
from emulation.observe.metrics import Metrics
from emulation.observe.pcap import PcapWriter
from emulation.observe.record import Digest
from emulation.observe.sequence_mermaid import mermaid
from emulation.observe.sequence_pick import from_file
from emulation.observe.sequence_svg import svg
from emulation.observe.station_logs import StationLogs
from emulation.observe.tap import Observer

EVENTS_FILE = "events.jsonl"
CAPTURE_FILE = "frames.pcapng"
PSDU_CAPTURE_FILE = "frames-psdu.pcapng"
SUMMARY_FILE = "summary.json"
READINGS_FILE = "readings.csv"
MERMAID_FILE = "sequence.mmd"
SVG_FILE = "sequence.svg"
LOGS_FOLDER = "logs"

_ORDER = ("scenario", "seed", "profile", "feeder", "meters", "read", "failed", "emulated_s", "wall_s", "frames",
          "frames_by_type", "hearers")  # fmt: skip


class Evidence:
    """The observers that write into `folder` (made if need be; files of an earlier run in it are replaced).

    With `psdu` a second capture, LINKTYPE 147 with one record for each segment, stands beside the usual one.
    """

    def __init__(self, folder: Path, facts: RunFacts, psdu: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        self.folder = folder
        self.facts = facts
        self.metrics = Metrics(facts)
        self.digest = Digest()
        self._jsonl = JsonlWriter(folder / EVENTS_FILE, facts)
        self.observers: list[Observer] = [
            self.digest,
            self.metrics,
            self._jsonl,
            StationLogs(folder / LOGS_FOLDER),
            PcapWriter(folder / CAPTURE_FILE, facts),
        ]
        if psdu:
            self.observers.append(PcapWriter(folder / PSDU_CAPTURE_FILE, facts, whole_psdu=True))

    def finish(self, figures: Mapping[str, Any], meter: int | None = None) -> dict[str, Any]:
        """Write what can only be written at the end, close all files, and return the summary.

        `figures` are the host's own (`wall_s`, `hearers`, ...); they are kept in events.jsonl too. `meter` is the
        one whose session is drawn, else the farthest that was read. Flush the trace first.
        """
        digest = self.digest.hexdigest()
        self._jsonl.finish({**figures, "digest": digest})
        for observer in self.observers:
            observer.close()
        summary = summarize(self.facts, self.metrics, figures, digest)
        (self.folder / SUMMARY_FILE).write_text(json.dumps(summary, indent=2) + "\n", encoding="ascii")
        self.metrics.write_readings(self.folder / READINGS_FILE)
        write_sequence(self.folder, meter)
        return summary


def summarize(facts: RunFacts, metrics: Metrics, figures: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Return the summary of a run, its most asked numbers first."""
    found = {
        "scenario": facts.scenario,
        "seed": facts.seed,
        "profile": facts.profile,
        "feeder": facts.feeder,
        **metrics.summary(),
        **figures,
        "digest": digest,
    }
    first = {key: found.pop(key) for key in _ORDER if key in found}
    return {**first, **found}


def write_sequence(folder: Path, meter: int | None = None) -> bool:
    """Write sequence.mmd and sequence.svg from the folder's events.jsonl; False where there is no session to draw."""
    reader = JsonlReader(folder / EVENTS_FILE)
    diagram = from_file(reader, meter)
    if diagram is None:
        return False
    (folder / MERMAID_FILE).write_text(mermaid(diagram, reader.facts), encoding="utf-8")
    (folder / SVG_FILE).write_text(svg(diagram, reader.facts), encoding="utf-8")
    return True


def feed(observers: Sequence[Observer], reader: JsonlReader, batch: int = 4096) -> None:
    """Let observers see the events of a file."""
    held = []
    for event in reader:
        held.append(event)
        if len(held) >= batch:
            for observer in observers:
                observer.observe(held)
            held = []
    for observer in observers:
        observer.observe(held)


def _clear(folder: Path) -> None:
    names = (EVENTS_FILE, CAPTURE_FILE, PSDU_CAPTURE_FILE, SUMMARY_FILE, READINGS_FILE, MERMAID_FILE, SVG_FILE)
    for path in [folder / name for name in names] + sorted((folder / LOGS_FOLDER).glob("*.log")):
        path.unlink(missing_ok=True)
