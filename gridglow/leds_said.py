"""What happens, in one sentence at a time that stays long enough to be read; and how many meters have been read.

Pure: events with display times in. Neighbours: `emulation.observe.prose` (the sentences), `leds_screen` and
`render_picture` (show them).
"""

from __future__ import annotations

from emulation.observe.facts import station_name
from emulation.observe.prose import line
from g3plc import events as ev
from g3plc.events import Event

_HEAD = len("00:00:00.000 loadng ")
_STAYS_MS = {3: 2500, 2: 1500, 1: 800}
_RANKS: dict[type[Event], int] = {
    ev.Fault: 3, ev.SessionAborted: 3, ev.ReadFailed: 3, ev.RouteLost: 3,
    ev.RepairStart: 2, ev.RepairEnd: 2, ev.ReadDone: 2, ev.Collection: 2, ev.Job: 2, ev.Power: 2, ev.Rerr: 2,
    ev.Rreq: 1, ev.Rrep: 1, ev.ApduSent: 1,
}  # fmt: skip
KINDS = tuple(kind.__name__ for kind in _RANKS)
"""Names of the events that make a sentence."""


class Said:
    """The sentence of the moment. A weightier event takes the place of another, any one when that has been read."""

    def __init__(self) -> None:
        self._rank = 0
        self._until_ms = 0
        self.text = ""

    def take(self, event: Event, t_ms: int) -> None:
        """An event has happened, at a display time."""
        rank = _RANKS.get(type(event), 0)
        if not rank or not _worth(event) or (rank < self._rank and t_ms < self._until_ms):
            return
        self._rank, self._until_ms = rank, t_ms + _STAYS_MS[rank]
        self.text = sentence(event)


def sentence(event: Event) -> str:
    """Who, and what, as a log says it without its time."""
    text = line(event)[_HEAD:]
    return text if isinstance(event, ev.Fault) else f"{station_name(event[1])}: {text}"


def _worth(event: Event) -> bool:
    """Not every station's part in a flood, and not the beginning of every life."""
    if isinstance(event, ev.Rreq | ev.Rrep):
        return event.action == "sent"
    if isinstance(event, ev.Rerr):
        return event.action in ("sent", "received")
    if isinstance(event, ev.Collection):
        return event.action != "progress"
    if isinstance(event, ev.RouteLost):
        return event.reason in ("no ack", "rerr")
    return not isinstance(event, ev.Power) or event.t > 0


class Readings:
    """Meters read in this collection, or in this run where there is none."""

    def __init__(self) -> None:
        self._meters: set[int] = set()
        self._counted = 0

    @property
    def read(self) -> int:
        """How many."""
        return max(self._counted, len(self._meters))

    def take(self, event: Event) -> None:
        """An event has happened."""
        if isinstance(event, ev.ReadDone):
            self._meters.add(event.meter)
        elif isinstance(event, ev.Collection):
            if event.action == "started":
                self._meters.clear()
            self._counted = event.read
