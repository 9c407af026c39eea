"""A recorded run as a sequence of views: the light, what happens, the numbers. For the terminal and for films.

Neighbours: `led_gateway.replay` (events into the show), `leds_screen.View`, `leds_run` and `render_film` (draw it).
"""

from __future__ import annotations

from emulation.grid.feeder import Feeder
from emulation.observe.jsonl import JsonlReader
from g3plc import events as ev
from g3plc.events import Event
from gridglow.leds_said import Readings, Said
from gridglow.leds_screen import View
from gridglow.leds_words import legend
from led_gateway.board import Board
from led_gateway.model import Follow
from led_gateway.replay import Replay, display_ms
from led_gateway.show import Show


class Playback:
    """A run at a speed in thousandths of real time. `follow` -1: everybody. EvidenceError while it is read."""

    def __init__(self, reader: JsonlReader, feeder: Feeder, permille: int, theme: str, follow: int = -1) -> None:
        self._show = Show(Board(feeder), theme, master=1.0)
        self._replay = Replay(self._show, reader, permille)
        self._permille = permille
        self._meters = feeder.meters
        self._legend = legend(theme)
        self._said = Said()
        self._readings = Readings()
        self._faults: dict[int, str] = {}
        if follow >= 0:
            self._show.take(Follow(follow), 0)

    def seek(self, t_ms: int) -> None:
        """Go on to a display time without looking."""
        for events in self._replay.seek(t_ms):
            self._tell(events)

    def view(self, t_ms: int) -> View:
        """The moment of a display time, which never goes back."""
        self._tell(self._replay.advance(t_ms))
        return View(
            self._show.frame(t_ms), self._replay.now_us, self._permille, self._readings.read, self._meters,
            faults=list(self._faults.values()), said=self._said.text, legend=self._legend,
        )  # fmt: skip

    def over(self, t_ms: int) -> bool:
        """Whether all has happened and nothing moves any more."""
        return self._replay.over and not self._show.busy(t_ms)

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self._said.take(event, display_ms(event[0], self._permille))
            self._readings.take(event)
            if isinstance(event, ev.Fault):
                self._fault(event)

    def _fault(self, event: ev.Fault) -> None:
        if event.state == "begin":
            value = f" {event.value}" if event.value else ""
            self._faults[event.fault] = f"{event.kind} {event.where} {event.word}{value}"
        else:
            self._faults.pop(event.fault, None)
