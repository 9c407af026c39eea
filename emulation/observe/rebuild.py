"""Everything from events.jsonl alone: the proof that it holds the whole run.

Neighbours: `evidence` (the same files, written during the run), `gridglow wireshark` (a capture made later).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emulation.observe.evidence import Evidence
from emulation.observe.jsonl import EvidenceError, JsonlReader
from emulation.observe.metrics import Metrics
from emulation.observe.pcap import PcapWriter
from emulation.observe.record import Digest
from emulation.observe.tap import BATCH_EVENTS, Observer


def rebuild(path: Path, folder: Path, psdu: bool = False) -> dict[str, Any]:
    """Write all evidence of the run in the events.jsonl at `path` into `folder`; return its summary.

    The files equal the originals octet for octet. Raises EvidenceError, before anything is written, where the file
    cannot be read, `folder` is the one that the file is in, or the events are not those that the run's digest was made
    of.
    """
    if path.parent.resolve() == folder.resolve():
        raise EvidenceError(path, 0, "cannot be rebuilt into its own folder")
    reader = JsonlReader(path)
    digest = Digest()
    feed([digest], reader)
    if reader.figures.get("digest", digest.hexdigest()) != digest.hexdigest():
        raise EvidenceError(path, 0, "the events are not those of the run (digest differs)")
    metrics = Metrics(reader.facts)
    evidence = Evidence(folder, reader.facts, psdu)
    try:
        feed([metrics, *evidence.observers], reader)
        summary = metrics.summary(**{**reader.figures, "digest": digest.hexdigest()})
        evidence.finish(summary, reader.figures)
    finally:
        for observer in evidence.observers:
            observer.close()
    return summary


def rebuild_capture(path: Path, capture: Path, psdu: bool) -> None:
    """Write only a capture from the events.jsonl at `path`; nothing is left where that fails.

    Raises EvidenceError where the file cannot be read, OSError where the capture cannot be written.
    """
    reader = JsonlReader(path)
    part = capture.with_name(f"{capture.name}.part")
    try:
        writer = PcapWriter(part, reader.facts, whole_psdu=psdu)
        try:
            feed([writer], reader)
        finally:
            writer.close()
        part.replace(capture)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def feed(observers: Sequence[Observer], reader: JsonlReader) -> None:
    """Let observers see the events of a file."""
    batch = []
    for event in reader:
        batch.append(event)
        if len(batch) >= BATCH_EVENTS:
            for observer in observers:
                observer.observe(batch)
            batch = []
    for observer in observers:
        observer.observe(batch)
