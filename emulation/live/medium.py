"""The wire of a live process: transmissions go out on the sender's topic and come in from everybody in earshot.

Stations of one process hear each other through the broker like all others. Each receiver works out level, noise and
loss for itself from the feeder, the faults in force and addressed draws. Broker latency hides inside the airtime: what
has come in is handed to the receivers in the order of its stamps, at the last moment before it matters, and is settled
at its end. What comes in after its own end is lost and counted, never delivered.

When this machine was busy elsewhere, what we said in that time went out late, and for as long the clock waits for it to
come back: a stall of ours delays the wall and is not held against the broker.

Implements `g3plc.phy.transceiver.Medium`. Neighbours: `air` (octets), `contention` (who gets the channel), `clock`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush

from emulation.live import air
from emulation.live.clock import LoopClock
from emulation.live.contention import LAPSE_US, Contention
from emulation.live.latency import Latency
from emulation.live.topics import PayloadError, Topics
from emulation.media.links import LinkTable
from emulation.randomness import mix
from g3plc import events, sap
from g3plc.core.ofdm import SLOT_US
from g3plc.phy.link import Link
from g3plc.phy.transceiver import Transceiver
from g3plc.phy.transmission import Transmission

FUTURE_US = 2_000_000
"""A frame that starts further ahead than this is refused."""

_MOST_ECHOES = 64
_LONGEST_STALL_MS = 250
_OWN_LEAD = 2
"""An announcement should be ahead of its start by this many times the latency."""

_LATE = "of the run before"
"""Nobody's fault: it was on its way."""

Hearer = tuple[Transceiver, Link]
Note = Callable[..., None]


class MqttMedium:
    """The stations `local` of one process, in one run.

    `publish(topic, payload)` says whether it could. `note(station)` gives the trace of a station.
    `complain(sender, reason)` is told of every payload that is refused, but for what was still on its way when run
    `before` made room for this one. Counted are, by station, the frames `heard`
    and the `late` ones among them and the announcements with too little lead (`sense_doubt`); by reason the payloads
    `refused`; and `transmissions` of stations of ours.
    """

    def __init__(
        self,
        clock: LoopClock,
        table: LinkTable,
        seed: int,
        run: int,
        topics: Topics,
        local: Iterable[int],
        publish: Callable[[str, bytes], bool],
        note: Callable[[int], Note],
        complain: Callable[[int, str], None],
        before: int = 0,
    ) -> None:
        self._clock = clock
        self._table = table
        self._seed = seed
        self._run = run
        self._before = before
        self._publish = publish
        self._note = note
        self._complain = complain
        self._local = frozenset(local)
        self._topic = {station: topics.air(station) for station in self._local}
        self._stations: dict[int, Transceiver] = {}
        self._on_error: dict[int, Callable[[Exception], None]] = {}
        self._hearers: dict[int, dict[int, Hearer]] = {}
        self._echoes: dict[int, dict[tuple[int, int, int], int]] = {station: {} for station in self._local}
        self._awaited: dict[tuple[int, int, int, int], tuple[int, int]] = {}
        clock.holds = self._holds
        self._last_start: dict[int, int] = {}
        self._arrived: list[tuple[int, int, int, Transmission, dict[int, Hearer]]] = []
        self._count = 0
        self._lapsing = False
        self._contention = Contention(self._hearers_of, self._send_announcement, self._send_withdrawal, self._release)
        self.latency = Latency()
        self.transmissions = 0
        self.heard: Counter[int] = Counter()
        self.late: Counter[int] = Counter()
        self.sense_doubt: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()

    def prepare(self, senders: Iterable[int]) -> None:
        """Work out who hears these: when all of them send for the first time there is no time for it."""
        now = self._clock.now
        self._table.refresh(now)
        for src in senders:
            self._table.of(src, now)

    def attach(self, station: int, transceiver: Transceiver, on_error: Callable[[Exception], None]) -> None:
        """Switch a station on (a new life replaces the old one). `on_error` is told what its code raises."""
        self._stations[station] = transceiver
        self._on_error[station] = on_error
        self._hearers.clear()

    def detach(self, station: int) -> None:
        """Switch a station off: it hears no more; what it is sending goes on to its end."""
        self._stations.pop(station, None)
        self._contention.drop(station)
        self._hearers.clear()

    # -- what the stations ask for

    def transmit(self, tx: Transmission) -> None:
        """Publish `tx`; its sender is told when it has ended."""
        self._settle(tx.start)
        tx.key = mix(self._seed, tx.src, tx.frame)
        self.transmissions += 1
        if tx.dt <= sap.DT_SOF_ACK:
            self._contention.started(tx.src)
        kind = air.FRAME if tx.dt <= sap.DT_SOF_ACK else air.ACK
        self._send(tx.src, (kind, tx.frame, tx.start), air.encode_transmission(self._run, tx), tx.end)
        self._clock.at(tx.end, self._sent, (tx, self._stations.get(tx.src)))

    def announce(self, station: int, frame: int, start: int) -> None:
        """A station has drawn its slot."""
        lead_us = (start - self._clock.now) * 1000 // max(self._clock.speed_permille, 1)
        if lead_us < _OWN_LEAD * self.latency.high_us:
            self.sense_doubt[station] += 1
        self._contention.claim(station, frame, start)

    def withdraw(self, station: int) -> None:
        """The frame that was announced will not start at its slot."""
        self._contention.give_up(station)

    def occupied(self, station: int) -> bool:
        """Carrier sense: energy held back until now, or somebody in earshot who said that he would have started."""
        now = self._clock.now
        if self._settle(now - SLOT_US, station):
            return True
        busy = self._contention.busy(station, now)
        if busy and not self._lapsing:
            self._lapsing = True
            self._clock.at(now + LAPSE_US, self._lapse, None)
        return busy

    # -- what comes in

    def receive(self, sender: int, topic: str, payload: bytes, retained: bool = False) -> None:
        """A message on the topic of `sender`: any octets, at any time."""
        try:
            record = air.decode(topic, sender, payload)
        except PayloadError as error:
            self._refuse(sender, "malformed", error.reason)
            return
        reason = self._unfit(sender, record, retained)
        if reason:
            self._refuse(sender, reason, reason)
        elif record.kind == air.ANNOUNCE:
            self._contention.announced(sender, record.frame, record.start)
        elif record.kind == air.WITHDRAW:
            self._contention.withdrawn(sender)
        elif record.transmission is not None:
            self._arrive(record.transmission)

    def _unfit(self, sender: int, record: air.AirRecord, retained: bool) -> str:
        """Why a record cannot be used, or nothing."""
        if retained:
            return "retained, which frames never are"
        if record.run != self._run:
            return _LATE if record.run == self._before else "of another run"
        if record.start > self._clock.reached + FUTURE_US:
            return "from the future"
        if sender in self._local and not self._is_echo(sender, (record.kind, record.frame, record.start)):
            return "in the name of a station of ours"
        if record.kind >= air.FRAME:
            if record.start <= self._last_start.get(sender, -1):
                return "seen before"
            self._last_start[sender] = record.start
        return ""

    def _is_echo(self, sender: int, what: tuple[int, int, int]) -> bool:
        """Whether we have sent that ourselves, and it has not come back yet."""
        self._awaited.pop((sender, *what), None)
        echoes = self._echoes[sender]
        left = echoes.pop(what, 0)
        if left > 1:
            echoes[what] = left - 1
        return left > 0

    def _refuse(self, sender: int, reason: str, detail: str) -> None:
        self.refused[reason] += 1
        if reason != _LATE:
            self._complain(sender, detail)

    def _arrive(self, tx: Transmission) -> None:
        """A transmission is on the air: hold it until its start matters, and settle it at its end."""
        clock, src = self._clock, tx.src
        tx.key = mix(self._seed, src, tx.frame)
        self._measure(tx)
        if self._table.refresh(tx.start):
            self._hearers.clear()
        hearers = self._hearers_of(src)
        self.heard.update(hearers.keys())
        if tx.end < clock.reached:
            self._come_late(tx, hearers)
            return
        self._count += 1
        heappush(self._arrived, (tx.start, src, self._count, tx, hearers))
        if tx.dt <= sap.DT_SOF_ACK:
            self._contention.frame(src, tx.start, tx.end)
        else:
            self._contention.answer(src, tx.start, tx.end)
        clock.at(tx.end, self._end, (tx, hearers))

    def _measure(self, tx: Transmission) -> None:
        speed = self._clock.speed_permille
        if speed:
            self.latency.add(max(0, (self._clock.emulated() - tx.start) * 1000 // speed))

    def _come_late(self, tx: Transmission, hearers: Mapping[int, Hearer]) -> None:
        """Nobody gets the frame; those who should have are told of it in the trace."""
        self.late.update(hearers.keys())
        late_us = self._clock.emulated() - tx.end
        self._contention.withdrawn(tx.src)
        for station, (_, link) in hearers.items():
            if tx.dst not in (station, sap.BROADCAST):
                continue
            note = self._note(station)
            note(events.LateFrame, tx.src, tx.frame, late_us)
            if tx.dt <= sap.DT_SOF_ACK:
                note(events.RxLost, tx.src, tx.frame, link.level_cb, link.lqi, "header", "late", -1, -1)

    def _hearers_of(self, src: int) -> dict[int, Hearer]:
        hearers = self._hearers.get(src)
        if hearers is None:
            stations = self._stations
            hearers = self._hearers[src] = {
                link.dst: (stations[link.dst], link)
                for link in self._table.of(src, self._clock.now)
                if link.dst in stations
            }
        return hearers

    # -- on the clock

    def _settle(self, until: int, asking: int = -1) -> bool:
        """Hand on, in the order of their starts, the energies that have started by then; is any of them at `asking`?"""
        arrived = self._arrived
        found = False
        while arrived and arrived[0][0] <= until:
            _, _, _, tx, hearers = heappop(arrived)
            for station, (transceiver, link) in hearers.items():
                if self._stations.get(station) is transceiver:
                    transceiver.energy_start(tx, link)
            found = found or asking in hearers
        return found

    def _sent(self, item: tuple[Transmission, Transceiver | None]) -> None:
        tx, transceiver = item
        self._settle(tx.end)
        if transceiver is not None and self._stations.get(tx.src) is transceiver:
            try:
                transceiver.transmitted(tx)
            except Exception as error:
                self._on_error[tx.src](error)

    def _end(self, item: tuple[Transmission, dict[int, Hearer]]) -> None:
        tx, hearers = item
        self._settle(tx.end)
        self._contention.over(tx.src, tx.end)
        for station, (transceiver, link) in hearers.items():
            if self._stations.get(station) is transceiver:
                try:
                    transceiver.energy_end(tx, link)
                except Exception as error:
                    self._on_error[station](error)

    def _lapse(self, _: None) -> None:
        self._lapsing = False
        self._contention.lapse(self._clock.now)
        if self._contention.waits:
            self._lapsing = True
            self._clock.after(LAPSE_US, self._lapse, None)

    def _release(self, station: int) -> None:
        self._clock.soon(self._tell_silence, (station, self._stations.get(station)))

    def _tell_silence(self, item: tuple[int, Transceiver | None]) -> None:
        station, transceiver = item
        if transceiver is not None and self._stations.get(station) is transceiver:
            try:
                transceiver.announcement_void()
            except Exception as error:
                self._on_error[station](error)

    def _holds(self, when: int) -> bool:
        """Whether callbacks due at `when` wait for something of ours that is still under way to us."""
        awaited = self._awaited
        for key in [key for key, (due, _) in awaited.items() if due <= when]:
            if self._clock.emulated() < awaited[key][1]:
                return True
            del awaited[key]
        return False

    # -- out

    def _send_announcement(self, station: int, frame: int, start: int) -> None:
        what = (air.ANNOUNCE, frame, start)
        self._send(station, what, air.encode_announcement(self._run, frame, start), start + SLOT_US)

    def _send_withdrawal(self, station: int, frame: int) -> None:
        self._send(station, (air.WITHDRAW, frame, 0), air.encode_withdrawal(self._run, frame), 0)

    def _send(self, station: int, what: tuple[int, int, int], payload: bytes, due: int) -> None:
        """Publish. What is to be known at `due` is waited for as long beyond it as it went out late."""
        if not self._publish(self._topic[station], payload):
            return
        if due and self._hearers_of(station):
            clock = self._clock
            late_us = min(clock.emulated() - clock.now, _LONGEST_STALL_MS * clock.speed_permille)
            self._awaited[(station, *what)] = (due, due + late_us)
        echoes = self._echoes[station]
        echoes[what] = echoes.get(what, 0) + 1
        if len(echoes) > _MOST_ECHOES:
            del echoes[next(iter(echoes))]
