"""sequence.mmd and sequence.svg: the session of one meter, drawn when the run is over.

The story is taken from the events.jsonl in the same folder, so that nothing need be kept in memory during the run.
Neighbours: `sequence_pick` (which meter and when), `sequence_story` (the steps), `sequence_mermaid`, `sequence_svg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import JsonlReader
from emulation.observe.sequence_mermaid import mermaid
from emulation.observe.sequence_pick import from_file
from emulation.observe.sequence_svg import svg
from g3plc.events import Event


def write_sequence(events: Path, folder: Path, meter: int | None = None) -> bool:
    """Write both files into `folder` from the events.jsonl at `events`; False where there is nothing to draw.

    `meter` is the one whose session is drawn, else the farthest that was read. Raises EvidenceError.
    """
    diagram = from_file(events, meter)
    if diagram is None:
        return False
    facts = JsonlReader(events).facts
    (folder / "sequence.mmd").write_text(mermaid(diagram, facts), encoding="utf-8")
    (folder / "sequence.svg").write_text(svg(diagram, facts), encoding="utf-8")
    return True


class SequenceWriter:
    """Observer that draws at its end. It must stand behind the one that writes events.jsonl into the same folder."""

    __slots__ = ("_folder", "_meter")

    def __init__(self, folder: Path, _facts: RunFacts, meter: int | None = None) -> None:
        self._folder = folder
        self._meter = meter

    def observe(self, events: Sequence[Event]) -> None:
        """The events are read from their file when all are there."""

    def close(self) -> None:
        """Draw."""
        write_sequence(self._folder / "events.jsonl", self._folder, self._meter)
