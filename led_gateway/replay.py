"""A recorded run as light: emulated time mapped to display time, and a `Show` fed with the events of a file.

Display time of a recorded run is emulated time divided by the speed, from the run's beginning; it is the same mapping
for the terminal and for films. Clock events of the record are left out: the speed is the viewer's. Neighbours: `show`
(takes the events), `emulation.observe.jsonl` (the file), `gridglow leds` and `render`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from emulation.grid.feeder import Feeder, FeederError, shipped_feeders
from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import EvidenceError, JsonlReader
from g3plc import events as ev
from g3plc.events import Event
from led_gateway.show import Show

EVENTS_FILE = "events.jsonl"
LEAST_PERMILLE, MOST_PERMILLE = 10, 64_000
"""Speeds at which a record can be shown, in thousandths of real time."""

_TAIL_OCTETS = 100_000
_TIME = re.compile(rb'"t":(\d{1,18})[,}]')
_PIECE_MS = 1000
_WARM_MS = 2000
_WARM_STEP_MS = 25


def display_ms(t_us: int, permille: int) -> int:
    """Display time of an emulated time."""
    return t_us // permille


def emulated_us(t_ms: int, permille: int) -> int:
    """The emulated time that is shown at a display time."""
    return t_ms * permille


def feeder_of(facts: RunFacts, path: Path | str) -> Feeder:
    """The feeder of a run, out of its header. EvidenceError where there is none, or another than the header names."""
    texts = facts.texts if isinstance(facts.texts, dict) else {}
    text = texts.get("feeder")
    try:
        if isinstance(text, str):
            feeder = Feeder.loads(text, str(facts.feeder))
        elif facts.feeder in shipped_feeders():
            feeder = Feeder.load(facts.feeder)
        else:
            raise EvidenceError(path, 1, "the header holds no feeder")
    except FeederError as error:
        raise EvidenceError(path, 1, f"the feeder in the header: {error}") from None
    if feeder.sha256 != facts.feeder_sha256 or feeder.meters != facts.meters:
        raise EvidenceError(path, 1, "the feeder in the header is not the one it names")
    return feeder


def open_run(folder: Path) -> tuple[JsonlReader, Feeder]:
    """The events of a run's folder (or of an events.jsonl itself) and its feeder. EvidenceError."""
    if not folder.exists():
        raise EvidenceError(folder, 0, "no such folder")
    path = folder / EVENTS_FILE if folder.is_dir() else folder
    if not path.exists():
        raise EvidenceError(folder, 0, f"no {EVENTS_FILE} in it: a folder of `gridglow simulate --out` is expected")
    reader = JsonlReader(path)
    return reader, feeder_of(reader.facts, path)


def length_us(path: Path) -> int:
    """Emulated time of a record's last event, read from its end. OSError."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL_OCTETS))
        times = _TIME.findall(file.read())
    return max(0, int(times[-1])) if times else 0


class Replay:
    """Feeds a show with events of a record, in step with display time. `now_us` is the emulated time reached."""

    def __init__(self, show: Show, events: Iterable[Event], permille: int) -> None:
        self._show = show
        self._events = iter(events)
        self._permille = permille
        self._next: Event | None = None
        self.now_us = 0
        self.over = False
        show.take(ev.Clock(0, -1, 0, permille), 0)
        self._fetch()

    def advance(self, t_ms: int) -> list[Event]:
        """Let everything happen up to a display time, which never goes back; return it. EvidenceError, OSError."""
        self.now_us = emulated_us(t_ms, self._permille)
        taken: list[Event] = []
        while self._next is not None and self._next[0] <= self.now_us:
            event = self._next
            self._show.take(event, display_ms(event[0], self._permille))
            taken.append(event)
            self._fetch()
        return taken

    def seek(self, t_ms: int) -> Iterator[list[Event]]:
        """Go on to a display time: what happens on the way, in pieces.

        The last seconds are drawn, so that what the first picture shows does not depend on where one began.
        """
        drawn_ms = max(0, t_ms - _WARM_MS)
        for now_ms in (*range(0, drawn_ms, _PIECE_MS), drawn_ms):
            yield self.advance(now_ms)
        for now_ms in range(drawn_ms, t_ms, _WARM_STEP_MS):
            yield self.advance(now_ms)
            self._show.frame(now_ms)

    def _fetch(self) -> None:
        for event in self._events:
            if not isinstance(event, ev.Clock):
                self._next = event
                return
        self._next = None
        self.over = True
