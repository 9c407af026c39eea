"""The show, its display time and its frames: what is to be seen now, and the messages that say so.

Holds a `Show` for the feeder of the run; another feeder is another show and another session of frames. A frame is
rendered only when something may have changed, and what the show raises, if ever, costs a frame and nothing else.
Neighbours: `traffic` feeds it, `gateway` says when and sends; `show`, `frame_writer`, `display_clock`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from time import perf_counter

from emulation.grid.feeder import Feeder
from g3plc import events as ev
from g3plc.events import Event
from led_gateway.board import Board
from led_gateway.display_clock import DisplayClock
from led_gateway.frame_writer import FrameWriter
from led_gateway.meter import Meter
from led_gateway.model import Collected, Follow, Forget, Input
from led_gateway.settings import Settings
from led_gateway.show import Show
from led_gateway.state import FAILED, READ

NOBODY = -1
_SETTLING = (ev.TxEnd, ev.Ack)


class Lamp:
    """`now_ms` gives wall time from any beginning; `failed(error)` is told what the show raised.

    `feeder` and `writer` are None before the first run.
    """

    def __init__(
        self,
        settings: Settings,
        supply_ma: int,
        meter: Meter,
        now_ms: Callable[[], float],
        failed: Callable[[Exception], None],
    ) -> None:
        self._settings = settings
        self._supply_ma = supply_ma
        self._meter = meter
        self._now_ms = now_ms
        self._failed = failed
        self._display = DisplayClock(now_ms())
        self._show: Show | None = None
        self._refused_before = 0
        self._fresh = True
        self._shown_ms = -1
        self._settling = False
        self._pixels = b""
        self.feeder: Feeder | None = None
        self.writer: FrameWriter | None = None

    @property
    def refused(self) -> int:
        """Inputs of which the show could make nothing."""
        return self._refused_before + (self._show.refused if self._show is not None else 0)

    @property
    def heat(self) -> bool:
        """Whether there is so much traffic that it is shown as heat."""
        return self._show is not None and self._show.heat

    # -- what is shown

    def begin(self, feeder: Feeder) -> None:
        """A run on this feeder."""
        if self.feeder is not None and self.feeder.sha256 == feeder.sha256:
            return
        self._refused_before = self.refused
        self._show = Show(Board(feeder), self._settings.theme, self._supply_ma, self._settings.brightness)
        session = secrets.randbelow(1 << 16)
        if self.writer is not None and session == self.writer.session:
            session ^= 1
        self.feeder, self.writer = feeder, FrameWriter(session, feeder.leds)
        self.settle()

    def forget(self) -> None:
        """The run is over: nothing of it is shown any more."""
        self._display.idle()
        self.take(Forget())
        self.settle()

    def settle(self) -> None:
        """Put the settings into effect."""
        if self._show is not None:
            self._show.theme, self._show.master = self._settings.theme, self._settings.brightness
            follow = self._settings.follow
            self.take(Follow(NOBODY if follow is None else follow))

    def pace(self, clock: ev.Clock, stops: bool) -> None:
        """A speed is in force; `stops`: it is known already when time will stand again."""
        self._display.advance(self._now_ms())
        self._display.pace(clock.speed_permille, stops)
        self.take(clock)

    def take(self, input_: Event | Input) -> bool:
        """Feed the show. Whether this settled the outcome of a transmission, which is light from now on."""
        show = self._show
        if show is None:
            return False
        t_ms = self._display.advance(self._now_ms())
        self._fresh = True
        lights = show.state.lights
        try:
            show.take(input_, t_ms)
        except Exception as error:
            self._failed(error)
        self._display.released(show.until_ms)
        if not isinstance(input_, _SETTLING):
            return False
        key = (input_.node, input_.frame)
        return key in show.state.lights and key not in lights

    def collected(self) -> Collected:
        """How far the present collection has come."""
        if self._show is None:
            return Collected(False, (), ())
        state = self._show.state
        by_rest = [
            tuple(meter for meter, leaf in enumerate(state.leaves) if leaf.rest == rest) for rest in (READ, FAILED)
        ]
        return Collected(state.collecting, by_rest[0], by_rest[1])

    # -- what is seen

    def pixels(self) -> bytes:
        """R G B of each LED, now; empty before the first run."""
        show = self._show
        if show is None:
            return b""
        t_ms = self._display.advance(self._now_ms())
        try:
            if self._fresh or ((t_ms != self._shown_ms or self._settling) and show.busy(t_ms)):
                began = perf_counter()
                before, self._pixels = self._pixels, show.frame(t_ms)
                self._meter.rendered(perf_counter() - began)
                self._fresh, self._shown_ms, self._settling = False, t_ms, self._pixels != before
        except Exception as error:
            self._failed(error)
        return self._pixels
