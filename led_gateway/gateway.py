"""The gateway: traffic from the broker in; `led/frame`, `led/config`, `status/gateway` and DDP out.

One loop, one connection. Messages wait in `inlet` and are worked off in short turns; frames are due at fixed times, and
one whose time has passed is left out, so that neither holds up the other. Nothing that comes in stops it: what is
wrong is counted and said. Of two gateways in a PAN one is silent. Neighbours: `traffic` (what the records mean),
`lamp` (the show and its frames), `boards`, `settings`, `__main__` and `gridglow up` (start it).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, field

from emulation.grid.feeder import Feeder
from emulation.live.clock import LoopClock
from emulation.live.mqtt import BrokerUrl, Connection, Handler, Will
from emulation.live.rate import BoundedLog
from emulation.live.status_record import FRESH_MS
from emulation.live.topics import DEFAULT_PAN, MOST_STATIONS, PayloadError, Topics
from led_gateway import boards
from led_gateway.boards import Boards, PressError, Situation
from led_gateway.config_record import LedConfig
from led_gateway.ddp import DdpHost, DdpOutput
from led_gateway.director_time import DirectorTime
from led_gateway.gateway_status import GatewayStatus
from led_gateway.inlet import Inlet
from led_gateway.keep_record import GatewayKeep
from led_gateway.lamp import Lamp
from led_gateway.meter import Meter
from led_gateway.settings import SettingError, Settings
from led_gateway.show import DEFAULT_SUPPLY_MA
from led_gateway.traffic import Traffic

NAME = "gateway"
BEAT_S = 0.25
BEATS = 4
"""With every beat the configuration is looked at, with every fourth, or another state, the status is published."""
CONFIG_BEATS = 20
"""After so many the configuration is published though it is the same: somebody may have written over it."""
LISTEN_S = 0.3
"""After the first connection: time for the retained status of another gateway to come in."""
STALE_S = 1.2
"""After the broker came back: faults whose records have not come again by then are over."""
LONGEST_PAUSE_S = 0.4
"""Between two attempts to connect: the picture is to be right soon after the broker is back."""
END_S = 0.5
FRESH_S = FRESH_MS / 1000
DDP_EVERY_S = 1.0
"""A controller that hears nothing for a few seconds goes back to its own effects."""

_MOST_WAITING = 200
_LONGEST_REFUSAL = 400

_log = logging.getLogger("gridglow.light")


@dataclass(slots=True)
class GatewayOptions:
    """What a gateway is started with. `feeder` None: the shipped one that the run names."""

    url: BrokerUrl
    pan: int = DEFAULT_PAN
    feeder: Feeder | None = None
    settings: Settings = field(default_factory=Settings)
    supply_ma: int = DEFAULT_SUPPLY_MA
    ddp: list[DdpHost] = field(default_factory=list)


class Gateway:
    """See the module's text; make it inside a running loop. `run` lives until `stop`, or until it is cancelled."""

    def __init__(self, options: GatewayOptions) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self.instance = secrets.token_hex(4)
        self.topics = topics = Topics(options.pan)
        self.settings = options.settings
        self.meter = Meter()
        self._since_ms = time.time_ns() // 1_000_000
        self._complaints = BoundedLog(_log)
        self._clock = LoopClock(loop, time.time_ns() - int(loop.time() * 1_000_000_000))
        self._clock.on_error = self._failed
        self._inlet = Inlet(loop, self._work, self._complaints)
        self._ddp = DdpOutput(options.ddp)
        self._supply_ma = options.supply_ma
        self.lamp = Lamp(self.settings, options.supply_ma, self.meter, lambda: loop.time() * 1000, self._failed)
        self.traffic = Traffic(topics, self._clock, options.feeder, self.lamp)
        self._boards = Boards()
        self._refused = 0
        self._refusal = ""
        self._failures = 0
        self._unsent = 0
        self._rival_s = -FRESH_S
        self._begins_s = float("inf")
        self._spoken = False
        self._config = self._kept = b""
        self._topics_used: list[str] = []
        self._beat = 0
        self._status_due = False
        self._said_state = self._told = ""
        self._second = (0, 0, 0, 0)
        self._last = b""
        self._last_ddp = (b"", 0.0)
        self._over = asyncio.Event()
        gone = GatewayStatus(False, self.instance, "gone", since_ms=self._since_ms)
        self.connection = Connection(
            options.url, f"gridglow-{options.pan:04x}-{NAME}-{self.instance}", Will(topics.status(NAME), gone.encode()),
            _MOST_WAITING, self._on_up, longest_pause_s=LONGEST_PAUSE_S,
        )  # fmt: skip
        self._time = DirectorTime(self._clock, self.connection, topics, self.instance, lambda: self.traffic.run)
        self._subscribe()

    # -- life

    async def run(self) -> None:
        """Live until `stop`; take back what is retained at the end."""
        works = (self.connection.run(), self._frames(), self._beats(), self._time.run(), self._ddp.run())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await self._over.wait()
            self._goodbye()
            await self.connection.drain(END_S)
        finally:
            self._inlet.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """End in order."""
        self._over.set()

    @property
    def works(self) -> bool:
        """Connected."""
        return self.connection.up.is_set()

    def _goodbye(self) -> None:
        """On a broker that goes on nobody shall take the last picture for the present."""
        if self._standing_by:
            return
        for topic in (*self._frame_topics(), self.topics.led_config):
            self.connection.publish(topic, b"", retain=True)
        gone = GatewayStatus(False, self.instance, "gone", since_ms=self._since_ms)
        self.connection.publish(self.topics.status(NAME), gone.encode(), retain=True)

    def _failed(self, error: Exception) -> None:
        """Something of ours went wrong: it costs what it was about."""
        self._failures += 1
        self._complaints.error("the light: %s: %s", type(error).__name__, error)

    # -- the broker

    def _subscribe(self) -> None:
        topics, connection, inlet = self.topics, self.connection, self._inlet
        connection.handle(topics.event("+", "+"), inlet.event)
        connection.handle(topics.run, inlet.record)
        connection.handle(topics.clock, inlet.each)
        connection.handle(topics.fault("+"), inlet.record)
        connection.handle(topics.status("+"), inlet.record)
        connection.handle(topics.keep(NAME), inlet.record)
        connection.handle(topics.led_set("+"), self._fresh(inlet.record))
        connection.handle(topics.board_status("+"), inlet.record)
        connection.handle(topics.board_button("+"), self._fresh(inlet.each))

    def _fresh(self, handler: Handler) -> Handler:
        """A handler for what must not be retained: it would be carried out again whenever the gateway connects."""

        def fresh(topic: str, payload: bytes, retained: bool) -> None:
            if not retained:
                handler(topic, payload, retained)
            elif payload:
                self._refuse(f"{topic[len(self.topics.prefix) :]} is retained; allowed: publish without retain")

        return fresh

    def _on_up(self) -> None:
        """Everything retained comes in anew; what we retain may be gone."""
        self._begins_s = min(self._begins_s, self._loop.time() + LISTEN_S)
        self._config, self._said_state, self._kept = b"", "", b""
        self._restart()
        self.traffic.connected()
        self._loop.call_later(STALE_S, self.traffic.drop_stale_faults)

    def _restart(self) -> None:
        self._last = b""
        if self.lamp.writer is not None:
            self.lamp.writer.restart()

    def _work(self, topic: str, payload: bytes, came_s: float) -> None:
        """A message out of the queue."""
        levels = self.topics.parts(topic)
        try:
            if levels[0] == "led":
                self._set(levels[2], payload)
            elif levels[0] == "board" and levels[2] == "status":
                self._boards.status(topic, levels[1], payload)
            elif levels[0] == "board":
                self._press(topic, levels[1], payload)
            elif levels[:2] == ["status", NAME]:
                self._on_gateway(topic, payload)
            elif self.traffic.receive(topic, payload):
                self.meter.settled(came_s)
        except PayloadError as error:
            self.traffic.counts["malformed"] += 1
            self._complaints.warning("%s", error)
        except Exception as error:
            self._failed(error)

    def _on_gateway(self, topic: str, payload: bytes) -> None:
        """Another gateway's status, or our own."""
        if not payload:
            return
        other = GatewayStatus.decode(topic, payload)
        if other.instance == self.instance:
            return
        if not other.online:
            self._rival_s = -FRESH_S
        elif other.outranks(self._status()):
            if not self._standing_by:
                _log.warning(
                    "another gateway (%s) is at work in PAN %04x: standing by", other.instance, self.topics.pan
                )
            self._rival_s = self._loop.time()

    @property
    def _standing_by(self) -> bool:
        return self._loop.time() - self._rival_s < FRESH_S

    # -- settings and buttons

    def _set(self, word: str, payload: bytes) -> None:
        stations = len(self.lamp.feeder.stations) if self.lamp.feeder is not None else MOST_STATIONS
        try:
            self.settings.set(word, payload, stations, self._loop.time())
        except SettingError as error:
            self._refuse(f"led/set/{error}")
            return
        self.lamp.settle()

    def _press(self, topic: str, name: str, payload: bytes) -> None:
        press = self._boards.press(topic, name, payload, self._loop.time())
        if press is None or self._standing_by:
            return
        traffic = self.traffic
        now = Situation(self._clock.speed_permille, traffic.last_permille, traffic.farthest(), traffic.in_force)
        try:
            orders = boards.commands(press, now)
        except PressError as error:
            self._refuse(f"board/{name}/{error}")
            return
        if (press.button, press.press) == boards.NEXT_THEME:
            self.settings.next_theme()
            self.lamp.settle()
        for order in orders:
            self.connection.publish(self.topics.command(order.rest), order.payload.encode())

    def _refuse(self, text: str) -> None:
        self._refused += 1
        self._refusal = text[:_LONGEST_REFUSAL]
        self._status_due = True
        self._complaints.warning("%s", self._refusal)

    # -- what goes out

    async def _frames(self) -> None:
        """A frame at each of its times; those that have passed are left out."""
        time, meter = self._loop.time, self.meter
        due = time()
        while True:
            period = 1 / self.settings.fps
            due += period
            behind = time() - due
            if behind > 0:
                missed = int(behind / period) + 1
                meter.skipped += missed
                due += missed * period
            await asyncio.sleep(due - time())
            now = time()
            meter.late(now - due)
            try:
                self._frame(now)
            except Exception as error:
                self._failed(error)

    def _frame(self, now_s: float) -> None:
        pixels, writer = self.lamp.pixels(), self.lamp.writer
        if not self._speaking(now_s) or writer is None:
            self.meter.silent()
            return
        self._send_ddp(pixels, now_s)
        if not self.works:
            self.meter.silent()
            return
        if self._frame_topics() != self._topics_used:
            self._clear_topics()
        for message in writer.write(pixels, int(now_s * 1000)):
            if not self.connection.publish(self.topics.led_frame(message.part), message.payload, retain=message.retain):
                self._unsent += 1
                writer.restart()
        if pixels != self._last:
            self._last = pixels
            self.meter.published(self._loop.time())

    def _speaking(self, now_s: float) -> bool:
        """Whether frames go out: not at first, not while told to be silent, not while another gateway is at work."""
        speaking = now_s >= max(self._begins_s, self.settings.hold_until_s) and not self._standing_by
        if speaking != self._spoken:
            self._spoken = speaking
            self._restart()
        return speaking

    def _send_ddp(self, pixels: bytes, now_s: float) -> None:
        before, sent_s = self._last_ddp
        if self._ddp.targets and (pixels != before or now_s - sent_s >= DDP_EVERY_S):
            self._last_ddp = (pixels, now_s)
            self._ddp.send(pixels)

    def _frame_topics(self) -> list[str]:
        """Where key frames are retained."""
        writer = self.lamp.writer
        if writer is None:
            return []
        return [self.topics.led_frame(part if writer.parts > 1 else None) for part in range(writer.parts)]

    def _clear_topics(self) -> None:
        """Another feeder: what is retained where nothing will come any more is nobody's picture."""
        wanted = self._frame_topics()
        for topic in self._topics_used:
            if topic not in wanted:
                self.connection.publish(topic, b"", retain=True)
        self._topics_used = wanted

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self._beat += 1
            try:
                self._say()
            except Exception as error:
                self._failed(error)

    def _say(self) -> None:
        """Configuration and status, where they are due and it is ours to speak."""
        writer = self.lamp.writer
        if self._beat % BEATS == 0:
            self._second = self.meter.take_second(writer.octets if writer is not None else 0)
            self._status_due = True
        self._tell()
        if not self.works or self._standing_by or self._loop.time() < self._begins_s:
            return
        self._publish_config()
        self._publish_keep()
        if self._status_due or self._state() != self._said_state:
            self._status_due, self._said_state = False, self._state()
            self.connection.publish(self.topics.status(NAME), self._status().encode(), retain=True)

    def _tell(self) -> None:
        """A line in the log where the gateway has come to another state or run."""
        state, traffic = self._state(), self.traffic
        text = {"showing": f"shows run {traffic.run:08x}", "waiting": traffic.obstacle}.get(state, state)
        if text != self._told:
            self._told = text
            _log.info("%s", text)

    def _publish_config(self) -> None:
        feeder, writer, settings = self.lamp.feeder, self.lamp.writer, self.settings
        if feeder is None or writer is None:
            return
        hold = settings.hold_s if self._loop.time() < settings.hold_until_s else 0
        config = LedConfig(
            writer.session, writer.leds, settings.fps, feeder.name, feeder.sha256, settings.theme, self._supply_ma,
            round(settings.brightness * 1000), settings.follow, self.lamp.heat, hold,
        ).encode()  # fmt: skip
        due = config != self._config or self._beat % CONFIG_BEATS == 0
        if due and self.connection.publish(self.topics.led_config, config, retain=True):
            self._config = config

    def _publish_keep(self) -> None:
        """What the next life cannot know from the retained records of others."""
        if not self.traffic.run or self.traffic.obstacle:
            return
        keep = GatewayKeep(self.traffic.run, *self.lamp.collected()).encode()
        if keep != self._kept and self.connection.publish(self.topics.keep(NAME), keep, retain=True):
            self._kept = keep

    def _status(self) -> GatewayStatus:
        lamp, meter, counts = self.lamp, self.meter, self.traffic.counts
        status = GatewayStatus(True, self.instance, self._state(), since_ms=self._since_ms)
        status.problem, status.refusal = self.traffic.obstacle[:_LONGEST_REFUSAL], self._refusal
        status.beat_ms, status.run = time.time_ns() // 1_000_000, self.traffic.run
        writer = lamp.writer
        if writer is not None:
            status.session, status.leds = writer.session, writer.leds
            status.keys, status.deltas, status.octets = writer.keys, writer.deltas, writer.octets
        status.fps, status.octets_s, status.lag_us, status.render_us = self._second
        status.frames, status.skipped, status.unsent = meter.frames, meter.skipped, self._unsent
        status.events, status.unknown = counts["events"], counts["unknown"]
        status.malformed = counts["malformed"] + self._time.refused
        status.refused = self._refused + lamp.refused + self._boards.refused
        status.other_run, status.dropped = counts["other_run"], self._inlet.dropped
        status.failures = self._failures + self.connection.failures
        status.latencies = meter.latencies
        status.latency_p50_ms, status.latency_p99_ms = meter.latency_ms(50), meter.latency_ms(99)
        status.latency_most_ms = meter.latency_ms(100)
        status.boards, status.ddp = self._boards.shown(), [target.shown() for target in self._ddp.targets]
        return status

    def _state(self) -> str:
        if self._standing_by:
            return "standing by"
        if self._loop.time() < self.settings.hold_until_s:
            return "holding"
        return "waiting" if self.traffic.obstacle else "showing"
