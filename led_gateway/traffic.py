"""What the broker says of a run, as inputs of the show: run, clock, faults, stations' status, events.

State comes from the retained records and is corrected by them for ever after, so that a gateway that starts in the
middle, or has lost its connection, shows what is. Records of another run are ignored and counted; no octets raise
anything. Faults act at their stamps, by the director's clock. Neighbours: `inlet` (brings the messages, bounded),
`lamp` (the show), `station_view` (when a status is believed).
"""

from __future__ import annotations

import logging
from collections import Counter

from emulation.grid.feeder import Feeder, FeederError, shipped_feeders
from emulation.live import event_map
from emulation.live.clock import LoopClock, Pace
from emulation.live.rate import BoundedLog
from emulation.live.records import ClockRecord, FaultRecord, RunRecord
from emulation.live.topics import PayloadError, Topics, number_of
from g3plc import events as ev
from led_gateway.keep_record import GatewayKeep
from led_gateway.lamp import NOBODY, Lamp
from led_gateway.model import Collected
from led_gateway.station_view import StationView

AHEAD_MS = 2000
"""An event that is later than now by more wall time than this is of another run."""
_MOST_FAULT = 0xFFFFFFFF
_MOST_KEPT = 1000
_MOST_CLOCKS = 8
_KINDS = frozenset(kind.__name__ for kind in ev.EVENTS)
_PROGRESS = (ev.Collection, ev.ReadDone, ev.ReadFailed)
_FROM_RECORDS = frozenset(("Clock", "Fault"))
"""The retained records say the same, and say it again."""

_log = logging.getLogger("gridglow.light")


class Traffic:
    """See the module's text. What is to be shown goes to `lamp`.

    `counts`: events, malformed, unknown (kinds), other_run, no_run. `obstacle` says why nothing can be shown.
    """

    def __init__(
        self,
        topics: Topics,
        clock: LoopClock,
        feeder: Feeder | None,
        lamp: Lamp,
    ) -> None:
        self._topics = topics
        self._clock = clock
        self._own_feeder = feeder
        self._lamp = lamp
        self._complaints = BoundedLog(_log)
        self._record: RunRecord | None = None
        self._feeder: Feeder | None = None
        self._clocks: list[ClockRecord] = []
        self._fault_payloads: dict[int, bytes] = {}
        self._seen_faults: set[int] = set()
        self._seen_run = False
        self._keep: GatewayKeep | None = None
        self._followed = False
        self._status_payloads: dict[int, bytes] = {}
        self._stations = StationView()
        self._faults: dict[int, FaultRecord] = {}
        self._in_force: dict[int, FaultRecord] = {}
        self.last_permille = 0
        self.counts: Counter[str] = Counter()
        self.obstacle = "waiting for a run"
        clock.on_pace = self._paced

    # -- what others ask

    @property
    def run(self) -> int:
        """The run that is shown, 0 while there is none."""
        return self._record.run if self._record is not None else 0

    @property
    def in_force(self) -> list[FaultRecord]:
        """The faults in force, the oldest first."""
        return [record for _, record in sorted(self._in_force.items())]

    def farthest(self) -> int | None:
        """The meter to which the coordinator's route has the most hops, at least two."""
        return self._stations.farthest()

    # -- messages

    def receive(self, topic: str, payload: bytes) -> bool:
        """A message, any octets. Whether it settled the outcome of a transmission."""
        levels = self._topics.parts(topic)
        try:
            return self._dispatch(levels, topic, payload)
        except PayloadError as error:
            self.counts["malformed"] += 1
            self._complaints.warning("%s", error)
        return False

    def _dispatch(self, levels: list[str], topic: str, payload: bytes) -> bool:
        first = levels[0] if levels else ""
        if first == "event" and len(levels) == 3:
            return self._on_event(levels[1], levels[2], topic, payload)
        if first == "run":
            self._on_run(topic, payload)
        elif first == "clock":
            self._on_clock(topic, payload)
        elif first == "fault" and len(levels) == 2:
            self._on_fault(topic, levels[1], payload)
        elif levels == ["keep", "gateway"]:
            self._on_keep(topic, payload)
        elif first == "status" and len(levels) == 2 and levels[1].isascii() and levels[1].isdigit():
            self._on_status(topic, levels[1], payload)
        return False

    def connected(self) -> None:
        """The connection stands again: every station may have changed meanwhile."""
        self._seen_faults.clear()
        self._seen_run = False
        self._stations.doubt_all()

    def drop_stale_faults(self) -> None:
        """Some time after `connected`: faults whose records have not come again are over, if a director is there."""
        if not self._seen_run:
            return
        for number in [number for number in self._fault_payloads if number not in self._seen_faults]:
            self._clear_fault(number)

    # -- run and clock

    def _on_run(self, topic: str, payload: bytes) -> None:
        if not payload:
            self._end("there is no run")
            return
        record = RunRecord.decode(topic, payload)
        self._seen_run = True
        if record == self._record:
            return
        try:
            feeder = self._feeder_of(record)
        except FeederError as error:
            self._end(str(error))
            _log.warning("%s", error)
            return
        self._end("waiting for the clock")
        self._record, self._feeder = record, feeder
        self._lamp.begin(feeder)
        for clock in self._clocks:
            if clock.run == record.run:
                self._put_clock(clock)

    def _feeder_of(self, record: RunRecord) -> Feeder:
        """FeederError where the run's feeder is not to be had."""
        feeder = self._own_feeder
        if feeder is None:
            if record.feeder not in shipped_feeders():
                raise FeederError(
                    record.feeder[:60], 0, "the run is on this feeder, which is not shipped: give it with --feeder"
                )
            feeder = Feeder.load(record.feeder)
        if feeder.sha256 != record.feeder_sha256:
            raise FeederError(feeder.name, 0, f"the run is on another feeder, {record.feeder[:60]!r}")
        return feeder

    def _end(self, obstacle: str) -> None:
        self.obstacle = obstacle
        self._record = None
        self._lamp.forget()
        self._clock.reset()
        self._faults.clear()
        self._in_force.clear()
        self._stations.forget()
        self._followed = False

    def _on_clock(self, topic: str, payload: bytes) -> None:
        if not payload:
            return
        record = ClockRecord.decode(topic, payload)
        self._clocks = [*self._clocks, record][-_MOST_CLOCKS:]
        self._put_clock(record)

    def _put_clock(self, record: ClockRecord) -> None:
        if self._record is None:
            return
        if record.run != self._record.run:
            self.counts["other_run"] += 1
            return
        first = self._clock.generation < 0
        self._clock.set_pace(Pace(record.generation, record.wall_ns, record.emulated_us, record.speed_permille))
        if first:
            self.obstacle = ""
            self._settle()

    def _settle(self) -> None:
        """Run and clock are known: what had come before is of use now."""
        for number, payload in list(self._fault_payloads.items()):
            self.receive(self._topics.fault(number), payload)
        for station, payload in list(self._status_payloads.items()):
            self.receive(self._topics.status(station), payload)
        self._restore()

    def _paced(self, pace: Pace) -> None:
        if pace.speed_permille:
            self.last_permille = pace.speed_permille
        stops = any(clock.generation > pace.generation and not clock.speed_permille for clock in self._coming())
        self._lamp.pace(ev.Clock(pace.emulated_us, NOBODY, pace.generation, pace.speed_permille), stops)

    def _coming(self) -> list[ClockRecord]:
        return [clock for clock in self._clocks if clock.run == self.run]

    # -- faults

    def _on_fault(self, topic: str, text: str, payload: bytes) -> None:
        number = number_of(topic, text, _MOST_FAULT)
        if not payload:
            self._clear_fault(number)
            return
        self._seen_faults.add(number)
        if number in self._fault_payloads or len(self._fault_payloads) < _MOST_KEPT:
            self._fault_payloads[number] = payload
        feeder = self._feeder
        if self._clock.generation < 0 or feeder is None:
            return
        record = FaultRecord.decode(topic, payload, len(feeder.stations), feeder.leds)
        if record.run != self.run:
            self.counts["other_run"] += 1
        elif record.id != number:
            raise PayloadError(topic, f"id {record.id}")
        elif self._faults.get(number) != record:
            self._faults[number] = record
            for when in (record.from_us, record.until_us):
                if when > self._clock.reached:
                    self._clock.at(when, self._judge, number)
            self._clock.soon(self._judge, number)

    def _clear_fault(self, number: int) -> None:
        self._fault_payloads.pop(number, None)
        if self._faults.pop(number, None) is not None:
            self._clock.soon(self._judge, number)

    def _judge(self, number: int) -> None:
        """Is the fault in force now?"""
        now, record, before = self._clock.now, self._faults.get(number), self._in_force.get(number)
        if record is not None and (record.from_us > now or (record.until_us and record.until_us <= now)):
            record = None
        if record == before:
            return
        if before is not None:
            del self._in_force[number]
            self._lamp.take(_fault_event(before, now, "end"))
        if record is not None:
            self._in_force[number] = record
            self._lamp.take(_fault_event(record, now, "begin"))

    # -- what an earlier life has seen

    def _on_keep(self, topic: str, payload: bytes) -> None:
        self._keep = GatewayKeep.decode(topic, payload) if payload else None
        if self._clock.generation >= 0:
            self._restore()

    def _restore(self) -> None:
        """Once in a run, and before anything has happened in it that we have seen ourselves."""
        keep = self._keep
        if keep is None or self._followed or keep.run != self.run:
            return
        self._followed = True
        self._lamp.take(Collected(keep.collecting, keep.read, keep.failed))

    # -- stations and events

    def _on_status(self, topic: str, text: str, payload: bytes) -> None:
        station = number_of(topic, text, len(self._feeder.stations) - 1 if self._feeder is not None else _MOST_KEPT)
        if not payload:
            self._status_payloads.pop(station, None)
            return
        self._status_payloads[station] = payload
        if self._clock.generation < 0:
            return
        stands, other = self._stations.status(topic, station, payload, self.run)
        self.counts["other_run"] += other
        if stands is not None:
            self._lamp.take(stands)

    def _on_event(self, who: str, kind: str, topic: str, payload: bytes) -> bool:
        if kind not in _KINDS:
            self.counts["unknown"] += 1
            return False
        if kind in _FROM_RECORDS:
            return False
        if self._clock.generation < 0:
            self.counts["no_run"] += 1
            return False
        event = event_map.decode(topic, kind, payload)
        if str(event.node) != who:
            raise PayloadError(topic, f"an event of station {event.node}")
        slack_us = AHEAD_MS * max(self._clock.speed_permille, 1000)
        if event.t > self._clock.emulated() + slack_us:
            self.counts["other_run"] += 1
            return False
        self.counts["events"] += 1
        self._stations.touched(event)
        self._followed = self._followed or isinstance(event, _PROGRESS)
        return self._lamp.take(event)


def _fault_event(record: FaultRecord, now: int, state: str) -> ev.Fault:
    order = record.order
    until_us = record.until_us if state == "begin" else 0
    return ev.Fault(now, NOBODY, record.id, order.kind, order.where, order.word, order.value, state, until_us)
