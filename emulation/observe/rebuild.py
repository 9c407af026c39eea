"""Everything from events.jsonl alone: the proof that it holds the whole run.

Neighbours: `evidence` (the same files, written during the run), `gridglow wireshark` (a capture made later).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulation.observe.evidence import Evidence, feed
from emulation.observe.jsonl import EvidenceError, JsonlReader
from emulation.observe.pcap import PcapWriter


def rebuild(path: Path, folder: Path, psdu: bool = False) -> dict[str, Any]:
    """Write all evidence of the run in the events.jsonl at `path` into `folder`; return its summary.

    The files equal the originals octet for octet. Raises EvidenceError where the file cannot be read, `folder` is the
    one that the file is in, or the events are not those that the run's digest was made of.
    """
    if path.parent.resolve() == folder.resolve():
        raise EvidenceError(path, 0, "cannot be rebuilt into its own folder")
    reader = JsonlReader(path)
    evidence = Evidence(folder, reader.facts, psdu)
    feed(evidence.observers, reader)
    figures = dict(reader.figures)
    digest = figures.pop("digest", None)
    summary = evidence.finish(figures)
    if digest is not None and digest != summary["digest"]:
        raise EvidenceError(path, 0, "the events are not those of the run (digest differs)")
    return summary


def rebuild_capture(path: Path, capture: Path, psdu: bool) -> None:
    """Write only a capture from the events.jsonl at `path`."""
    reader = JsonlReader(path)
    writer = PcapWriter(capture, reader.facts, whole_psdu=psdu)
    try:
        feed([writer], reader)
    finally:
        writer.close()
