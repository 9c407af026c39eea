"""The story of one meter as a sequence diagram, like the paper's figure 2: what is in it.

From the events of a run comes a `Diagram`: stations in path order and the steps between them. A unicast is one arrow
for each try; a broadcast is a mark at its sender with arrows to the stations of the path that used it; the ACK of a
routing message is an arrow of its own, for the paper calls it RREQ_ACK or RREP_ACK. Neighbours: `sequence_pick` (which
meter, which part of the run), `sequence_mermaid` and `sequence_svg` (how it is drawn), `sequence` (the files).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from emulation.grid.fault import ENDS
from emulation.observe.facts import obis_text, station_name
from emulation.observe.fault_words import fault_text, link_word
from emulation.observe.kinds import ROUTING, normal_kind, readable
from g3plc import events as ev
from g3plc.core import flow
from g3plc.core.errors import WireError
from g3plc.core.ofdm import ACK_US, RIFS_US
from g3plc.sap import BROADCAST, DT_ACK
from g3plc.wire import loadng_msg, mac_frame

MESSAGE, ACKNOWLEDGEMENT, ROUTE, VALUE, ABORT, FAULT = range(6)
"""Kinds of step."""

_ACKED_BY_NAME = {flow.RREQ: "RREQ_ACK (MAC)", flow.RREP: "RREP_ACK (MAC)"}
_PHASES = {
    flow.AARQ: "association",
    flow.AARE: "association",
    flow.GET_REQUEST: "reading",
    flow.GET_RESPONSE: "reading",
    flow.SET_REQUEST: "setting",
    flow.SET_RESPONSE: "setting",
    flow.ACTION_REQUEST: "acting",
    flow.ACTION_RESPONSE: "acting",
    flow.RLRQ: "release",
    flow.RLRE: "release",
    flow.RERR: "route error",
    flow.EVENT_NOTIFICATION: "notification",
    flow.PREQ: "path discovery",
    flow.PREP: "path discovery",
}


class Step:
    """One thing that happens: a message between two lifelines, or a mark on one or two of them.

    `what` is one of the kinds above. For a message: `src`, `dst` (0xFFFF to all, then `hearers` took it), `start` and
    `end` in microseconds, `kind` of `core.flow`, `attempt` from 0, `failed` with the reason in `note`,
    `repeats` of an RREQ by stations beside the path. A fault can be `over`.
    """

    __slots__ = (
        "attempt", "dst", "end", "failed", "hearers", "kind", "note", "originator", "over", "repeats", "sequence",
        "src", "start", "text", "what",
    )  # fmt: skip

    def __init__(self, what: int, start: int, src: int, dst: int, text: str, kind: int = flow.OTHER) -> None:
        self.what = what
        self.start = start
        self.end = start
        self.src = src
        self.dst = dst
        self.text = text
        self.kind = kind
        self.attempt = 0
        self.failed = False
        self.over = False
        self.repeats = 0
        self.note = ""
        self.hearers: list[int] = []
        self.originator = -1
        self.sequence = -1

    @property
    def phase(self) -> str:
        """What the step is part of: `route discovery`, `association`, `reading`, ... or nothing for marks."""
        if self.what not in (MESSAGE, ACKNOWLEDGEMENT):
            return ""
        return _PHASES.get(self.kind, "route discovery" if self.kind in ROUTING else "data")

    def label(self, names: Callable[[int], str] = station_name) -> str:
        """Return the words above an arrow or beside a mark. `names` gives the stations' names in it."""
        words = self.text
        if self.what == FAULT and self.src != self.dst:
            words = f"link {names(self.src)} to {names(self.dst)} {words}"
        if self.what == MESSAGE and self.dst == BROADCAST:
            words += " to all"
        if self.attempt:
            words += f" (try {self.attempt + 1})"
        return f"{words}: {self.note}" if self.note else words


class Diagram:
    """`stations` from the coordinator to the meter in path order, `steps` in the order of time.

    `hops`: how far the meter is by its last reading or route reply, 0 where nobody knows. There may be more stations,
    when there was more than one way.
    """

    __slots__ = ("hops", "meter", "stations", "steps")

    def __init__(self, meter: int, hops: int, stations: list[int], steps: list[Step]) -> None:
        self.meter = meter
        self.hops = hops
        self.stations = stations
        self.steps = steps

    def letter(self, station: int) -> str:
        """Return A for the coordinator, B for the next on the path, and so on (A1 after Z); else the full name."""
        if station not in self.stations:
            return station_name(station)
        place = self.stations.index(station)
        return chr(65 + place % 26) + (str(place // 26) if place >= 26 else "")


def build(events: Iterable[ev.Event], meter: int) -> Diagram:
    """Return the diagram of what was said between the coordinator and `meter`, or about the way between them."""
    teller = _Teller(meter)
    for event in events:
        handler = teller.handlers.get(event.__class__)
        if handler is not None:
            handler(event)
    return teller.diagram()


class _Teller:
    """Picks from the events what belongs to one meter."""

    def __init__(self, meter: int) -> None:
        self.meter = meter
        self.hops = 0
        self.steps: list[Step] = []
        self.marks: list[Step] = []
        self._by_frame: dict[tuple[int, int], Step] = {}
        self._by_dsn: dict[int, tuple[int, Step]] = {}
        self._flows: dict[int, list[Step]] = {}
        self._wanted: set[int] = set()
        self._ignored: set[tuple[int, int, int, int]] = set()
        self.handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.TxStart: self._tx_start,
            ev.RxOk: self._rx_ok,
            ev.RxLost: self._rx_lost,
            ev.Ack: self._ack,
            ev.Rreq: self._rreq,
            ev.Rrep: self._rrep,
            ev.RouteSet: self._route_set,
            ev.ApduSent: self._apdu_sent,
            ev.SessionAborted: self._aborted,
            ev.ReadDone: self._read_done,
            ev.ReadFailed: self._read_failed,
            ev.Fault: self._fault,
            ev.Power: self._power,
        }

    # -- events

    def _tx_start(self, e: ev.TxStart) -> None:
        if e.dt >= DT_ACK:
            return
        kind = normal_kind(e.kind)
        number = e.psdu[1] >> 2 if len(e.psdu) > 5 else 0
        if number:
            self._next_segment(e)
            return
        step = Step(MESSAGE, e.t, e.node, e.next_hop, readable(kind), kind)
        if kind in ROUTING:
            if not self._concerns(e.psdu, step):
                return
        elif e.flow not in self._wanted:
            return
        step.end = e.t + e.duration_us
        step.attempt = e.attempt
        self.steps.append(step)
        self._by_frame[e.node, e.frame] = step
        if len(e.psdu) > 5:
            self._by_dsn[e.node] = (e.psdu[5], step)
        self._flows.setdefault(e.flow, []).append(step)

    def _next_segment(self, e: ev.TxStart) -> None:
        dsn, step = self._by_dsn.get(e.node, (-1, None))
        if step is not None and dsn == e.psdu[5]:
            step.end = e.t + e.duration_us
            self._by_frame[e.node, e.frame] = step

    def _concerns(self, psdu: bytes, step: Step) -> bool:
        """Is this routing message about the way between the coordinator and the meter?"""
        try:
            message = loadng_msg.decode(mac_frame.decode(psdu).payload)
        except WireError:
            return False
        if isinstance(message, loadng_msg.Rreq | loadng_msg.Rrep):
            step.originator = message.originator
            step.sequence = message.sequence_number
        lost = message.unreachable if isinstance(message, loadng_msg.Rerr) else -1
        return self.meter in (message.destination, message.originator, lost)

    def _rx_ok(self, e: ev.RxOk) -> None:
        step = self._by_frame.get((e.src, e.frame))
        if step is not None and e.node not in step.hearers:
            step.hearers.append(e.node)

    def _rx_lost(self, e: ev.RxLost) -> None:
        step = self._by_frame.get((e.src, e.frame))
        if step is not None and step.dst == e.node:
            # a broken link has its own mark
            step.note = "" if e.reason == "fault" else e.reason

    def _ack(self, e: ev.Ack) -> None:
        step = self._by_frame.get((e.node, e.frame))
        if step is None:
            return
        step.failed = e.result != "ack"
        if not step.failed:
            step.note = ""
            name = _ACKED_BY_NAME.get(step.kind)
            if name is not None:
                answer = Step(ACKNOWLEDGEMENT, step.end + RIFS_US, step.dst, step.src, name, step.kind)
                answer.end = answer.start + ACK_US
                self.marks.append(answer)
        elif e.result == "nack":
            step.note = f"NACK, {step.note}" if step.note else "NACK"
        elif step.dst in step.hearers:
            step.note = "ACK lost"
        else:
            step.note = f"no ACK, {step.note}" if step.note else "no ACK"

    def _rreq(self, e: ev.Rreq) -> None:
        if e.action == "ignored":
            self._ignored.add((e.node, e.peer, e.originator, e.sequence))

    def _rrep(self, e: ev.Rrep) -> None:
        if e.action == "received" and e.node == e.destination and self.meter in (e.originator, e.destination):
            # the message counts the hops up to its sender
            self.hops = e.hop_count + 1

    def _route_set(self, e: ev.RouteSet) -> None:
        if e.destination in (0, self.meter) and e.node != e.destination:
            step = Step(ROUTE, e.t, e.node, e.next_hop, "", flow.RREP if e.bidirectional else flow.RREQ)
            step.originator = e.destination
            self.marks.append(step)

    def _apdu_sent(self, e: ev.ApduSent) -> None:
        if self.meter in (e.node, e.peer):
            self._wanted.add(e.flow)

    def _aborted(self, e: ev.SessionAborted) -> None:
        if self.meter in (e.node, e.peer):
            self.marks.append(Step(ABORT, e.t, e.node, e.node, f"ABRT: {e.reason}"))

    def _read_done(self, e: ev.ReadDone) -> None:
        if e.meter == self.meter:
            self.hops = e.hops
            value = f"{obis_text(e.obis)} = {e.value} {e.unit}".rstrip()
            self.marks.append(Step(VALUE, e.t, e.node, e.node, value))

    def _read_failed(self, e: ev.ReadFailed) -> None:
        if e.meter == self.meter:
            self.marks.append(Step(ABORT, e.t, e.node, e.node, f"not read: {e.reason}"))

    def _fault(self, e: ev.Fault) -> None:
        ends = [int(part) for part in e.where.replace(">", "-").split("-") if part.isdecimal()]
        over = e.state != "begin"
        ending = " is over" if over and e.word not in ENDS else ""
        if e.kind == "link" and len(ends) == 2:
            word = "up again" if ending and e.word == "down" else f"{link_word(e)}{ending}"
            step = Step(FAULT, e.t, ends[0], ends[1], word)
        else:
            station = ends[0] if ends and e.kind in ("station", "noise", "voltage") else -1
            step = Step(FAULT, e.t, station, station, f"{fault_text(e)}{ending}")
        step.over = over
        self.marks.append(step)

    def _power(self, e: ev.Power) -> None:
        if e.boot > 1 or not e.on:
            words = f"{station_name(e.node)} is switched {'on again' if e.on else 'off'}"
            self.marks.append(Step(FAULT, e.t, e.node, e.node, words))

    # -- the whole

    def diagram(self) -> Diagram:
        stations = self._path()
        on_path = set(stations)
        elsewhere: dict[tuple[int, int], int] = {}
        steps = []
        for step in self.steps:
            if step.src not in on_path:
                key = (step.originator, step.sequence)
                elsewhere[key] = elsewhere.get(key, 0) + 1
                continue
            if step.dst == BROADCAST:
                step.hearers = [station for station in stations if self._took(step, station)]
            steps.append(step)
        for step in steps:
            if step.kind == flow.RREQ:
                step.repeats = elsewhere.pop((step.originator, step.sequence), 0)
        marks = [mark for mark in self.marks if {mark.src, mark.dst} <= on_path or mark.src < 0]
        # what a station notes comes before what it sends in the same microsecond
        return Diagram(self.meter, self.hops, stations, sorted(marks + steps, key=lambda step: step.start))

    def _took(self, step: Step, station: int) -> bool:
        """Did this station of the path use the broadcast, or had it heard of it before?"""
        key = (station, step.src, step.originator, step.sequence)
        return station in step.hearers and key not in self._ignored and station != step.originator

    def _path(self) -> list[int]:
        """Return the stations from coordinator to meter; those of other ways stand behind the one before them."""
        chains = [chain for steps in self._flows.values() if len(chain := self._chain(steps)) > 1]
        chains.sort(key=lambda chain: (chain[0] == 0 and chain[-1] == self.meter, len(chain)), reverse=True)
        order = [0]
        for chain in chains:
            for before, station in zip([-1, *chain], chain, strict=False):
                if station not in order:
                    order.insert(order.index(before) + 1 if before in order else len(order), station)
        if self.meter in order:
            order.remove(self.meter)
        return [*order, self.meter]

    def _chain(self, steps: list[Step]) -> list[int]:
        """Return the stations that a datagram went over, the coordinator's side first."""
        chain: list[int] = []
        for step in steps:
            if step.dst == BROADCAST:
                continue
            chain += [station for station in (step.src, step.dst) if station not in chain]
        return chain[::-1] if chain and (chain[-1] == 0 or chain[0] == self.meter) else chain
