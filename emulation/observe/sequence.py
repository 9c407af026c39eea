"""sequence.mmd and sequence.svg: the session of one meter, drawn when the run is over.

The story is taken from the events.jsonl of the run, so that no event need be kept in memory meanwhile. Neighbours:
`sequence_pick` (which meter and when), `sequence_story` (the steps), `sequence_mermaid`, `sequence_svg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emulation.observe.facts import RunFacts
from emulation.observe.sequence_mermaid import mermaid
from emulation.observe.sequence_pick import Scout, from_file
from emulation.observe.sequence_svg import svg
from g3plc.events import Event


class SequenceWriter:
    """Observer that draws into `folder`, from the run's events.jsonl at `events`."""

    __slots__ = ("_events", "_facts", "_folder", "_scout")

    def __init__(self, events: Path, folder: Path, facts: RunFacts) -> None:
        self._events = events
        self._folder = folder
        self._facts = facts
        self._scout = Scout()

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        self._scout.observe(events)

    def close(self) -> None:
        """Nothing to let go of."""

    def draw(self, meter: int | None = None) -> bool:
        """Write both files, once events.jsonl is written; False where there is nothing to draw.

        `meter` is the one whose session is drawn, else the farthest that was read. Raises EvidenceError.
        """
        diagram = from_file(self._events, self._scout, meter)
        if diagram is None:
            return False
        (self._folder / "sequence.mmd").write_text(mermaid(diagram, self._facts), encoding="utf-8")
        (self._folder / "sequence.svg").write_text(svg(diagram, self._facts), encoding="utf-8")
        return True
