"""What `gridglow leds` makes of the broker's messages: the picture of the boards and the status around it.

Pure: messages in, a `View` out; bad ones are counted. Neighbours: `leds_run` (the connection), `leds_screen` (draws),
`led_gateway.picture` (puts the frames together).
"""

from __future__ import annotations

from functools import lru_cache

from emulation.grid.feeder import Feeder
from emulation.live import event_map
from emulation.live.clock import Pace
from emulation.live.records import ClockRecord, FaultRecord
from emulation.live.topics import PayloadError, Topics
from gridglow.board_status import printable
from gridglow.leds_said import KINDS, Readings, Said
from gridglow.leds_screen import BoardView, View
from gridglow.leds_words import legend
from gridglow.up_screen import fault_text
from led_gateway.board_record import BoardStatus
from led_gateway.config_record import LedConfig
from led_gateway.picture import Picture

SILENT_MS = 3000
"""A gateway sends a key frame every second."""
_MOST = 64
"""Boards and faults that are kept; more do not fit on a screen."""


class LedWatch:
    """The state of the screen. `refused` counts messages that nothing could be made of."""

    def __init__(self, topics: Topics, config: LedConfig, feeder: Feeder, now_ms: int) -> None:
        self.config = config
        self.refused = 0
        self._topics = topics
        self._feeder = feeder
        self._picture = Picture()
        self._came_ms = now_ms
        self._pace: Pace | None = None
        self._run = 0
        self._boards: dict[str, BoardView] = {}
        self._faults: dict[str, FaultRecord] = {}
        self._said = Said()
        self._readings = Readings()
        prefix = topics.prefix
        self._frames = f"{prefix}led/frame"

    def filters(self) -> tuple[str, ...]:
        """What to subscribe to."""
        topics, prefix = self._topics, self._topics.prefix
        # Every station takes part in every search: the coordinator's own ones are enough.
        told = [topics.event(0 if kind in ("Rreq", "Rrep") else "+", kind) for kind in KINDS]
        retained = (f"{prefix}led/config", f"{prefix}board/+/status", topics.clock, topics.fault("+"))
        return (self._frames, f"{self._frames}/+", *retained, *told)

    def take(self, topic: str, payload: bytes, now_ms: int) -> None:
        """A message, any octets."""
        if topic.startswith(self._frames):
            if self._picture.take(payload):
                self._came_ms = now_ms
            return
        try:
            self._take(topic, self._topics.parts(topic), payload, now_ms)
        except PayloadError:
            self.refused += 1

    def _take(self, topic: str, levels: list[str], payload: bytes, now_ms: int) -> None:
        match levels:
            case ["led", "config"]:
                self.config = LedConfig.decode(topic, payload)
            case ["clock"]:
                self._clock(ClockRecord.decode(topic, payload))
            case ["fault", name]:
                self._fault(name, topic, payload)
            case ["board", name, "status"]:
                self._board(printable(name), topic, payload)
            case ["event", _, kind]:
                event = event_map.decode(topic, kind, payload)
                self._said.take(event, now_ms)
                self._readings.take(event)

    def _clock(self, record: ClockRecord) -> None:
        if record.run != self._run:
            self._run = record.run
            self._readings = Readings()
        self._pace = Pace(record.generation, record.wall_ns, record.emulated_us, record.speed_permille)

    def _fault(self, name: str, topic: str, payload: bytes) -> None:
        self._faults.pop(name, None)
        if payload and len(self._faults) < _MOST:
            self._faults[name] = FaultRecord.decode(topic, payload, self._feeder.meters + 1, self._feeder.leds)

    def _board(self, name: str, topic: str, payload: bytes) -> None:
        known = self._boards.pop(name, None)
        if payload and len(self._boards) < _MOST:
            status = BoardStatus.decode(topic, payload)
            leds = status.led_count or (known.leds if known is not None else 0)
            self._boards[name] = BoardView(name, status.online, status.fps, leds)

    def view(self, now_ms: int, wall_ns: int, connected: bool) -> View:
        """The moment. `wall_ns` is UNIX time."""
        pace = self._pace
        t_us = pace.at(wall_ns) if pace is not None else -1
        in_force = [fault_text(fault) for fault in self._faults.values() if fault.from_us <= t_us]
        return View(
            self._full(), t_us, pace.speed_permille if pace is not None else -1, self._readings.read,
            self._feeder.meters, list(self._boards.values()), in_force, self._said.text, self._note(now_ms, connected),
            legend=legend(self.config.theme),
        )  # fmt: skip

    def _full(self) -> bytes:
        """The picture as it would be at full brightness: a screen is no strip that dazzles."""
        permille = self.config.brightness_permille
        return self._picture.rgb.translate(_gain(permille)) if 0 < permille < 1000 else self._picture.rgb

    def _note(self, now_ms: int, connected: bool) -> str:
        if not connected:
            return "broker gone, waiting for it"
        if now_ms - self._came_ms > SILENT_MS:
            return "the light gateway is silent: no frame has come for a while"
        if self._picture.leds not in (0, self.config.leds):
            return f"the frames are for {self._picture.leds} LEDs, the gateway's feeder has {self.config.leds}"
        return ""


@lru_cache(maxsize=4)
def _gain(permille: int) -> bytes:
    return bytes(min(255, round(pwm * 1000 / permille)) for pwm in range(256))
