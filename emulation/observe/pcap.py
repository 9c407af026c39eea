"""frames.pcapng: what was on the line, as a stock Wireshark reads it.

Two forms. The usual one is LINKTYPE 283 (802.15.4 with TAP header, no FCS): one record for each MAC frame and try,
its segments joined behind the first one's MAC header, without segment control and padding, stamped with the start of
the first segment. The other is LINKTYPE 147: one record for each PSDU as it was sent, segment control, padding and
FCS included. Comments name stations, modulation, try and fate; LQI is a TAP field where one addressee received it.
ACK and NACK are bare PHY headers in G3 and appear as the fate of their frame.

A record is held until its fate is known; records leave in the order of their start. Neighbour: `pcapng` (blocks).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from emulation.observe import pcapng
from emulation.observe.facts import STATION_NAMES, RunFacts, station_name
from emulation.observe.kinds import modulation_name, readable
from g3plc.events import Ack, Event, RxLost, RxOk, TxStart
from g3plc.sap import BROADCAST, DT_ACK, DT_SOF_ACK

_FATE_WAIT_US = 100_000
_NAMED_HEARERS = 8
_BUFFER_OCTETS = 1 << 16
_NO_LQI = bytes((0, 0, 12, 0)) + bytes((0, 0, 1, 0, 0, 0, 0, 0))
_WITH_LQI = [bytes((0, 0, 20, 0)) + _NO_LQI[4:] + bytes((10, 0, 1, 0, lqi, 0, 0, 0)) for lqi in range(256)]
_TRAILER_OCTETS = 2
_SEGMENT_CONTROL_OCTETS = 3


class _Record:
    """A frame on its way into the file, and what has been heard of its fate so far."""

    __slots__ = ("done", "end", "first", "keys", "last", "lost", "note", "octets", "received", "result", "segments")

    def __init__(self, first: TxStart, octets: bytes, last: bool, note: str) -> None:
        self.first = first
        self.octets = octets
        self.last = last
        self.note = note
        self.segments = 1
        self.end = first.t + first.duration_us
        self.keys = [first.node << 40 | first.frame]
        self.received: list[RxOk] = []
        self.lost: list[RxLost] = []
        self.result = ""
        self.done = False


class PcapWriter:
    """Observer that writes a capture. `whole_psdu` selects LINKTYPE 147, one record for each segment."""

    def __init__(self, path: Path, facts: RunFacts, whole_psdu: bool = False) -> None:
        self._file = path.open("wb", buffering=_BUFFER_OCTETS)
        self._whole = whole_psdu
        self._epoch_us = facts.epoch_s * 1_000_000
        self._held: deque[_Record] = deque()
        self._frames: dict[int, _Record] = {}
        self._open: dict[int, _Record] = {}
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            TxStart: self._tx_start,
            RxOk: self._rx_ok,
            RxLost: self._rx_lost,
            Ack: self._ack,
        }
        link_type = pcapng.LINKTYPE_USER0 if whole_psdu else pcapng.LINKTYPE_IEEE802_15_4_TAP
        run = f"scenario {facts.scenario}, seed {facts.seed}, profile {facts.profile}, feeder {facts.feeder}"
        self._file.write(pcapng.section_header(f"gridglow {facts.version}", run))
        line = f"G3-PLC CENELEC A, PAN {facts.pan:04x}, {facts.meters} meters and the coordinator"
        self._file.write(pcapng.interface_description(link_type, f"pan-{facts.pan:04x}", line))

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        handlers = self._handlers
        for event in events:
            handler = handlers.get(event.__class__)
            if handler is not None:
                handler(event)

    def close(self) -> None:
        """Write the records whose fate nobody told, and close the file."""
        while self._held:
            self._write(self._held.popleft())
        self._file.close()

    # -- events

    def _tx_start(self, e: TxStart) -> None:
        self._release(e.t)
        if e.dt >= DT_ACK:
            return
        psdu = e.psdu
        if self._whole:
            self._hold(_Record(e, psdu, True, ""))
            return
        start, end = _payload_span(psdu)
        if not end:
            self._hold(_Record(e, psdu[_SEGMENT_CONTROL_OCTETS:-_TRAILER_OCTETS], True, "not a MAC frame"))
            return
        number = psdu[1] >> 2
        last = psdu[0] & 1 == 1
        joined = self._open.pop(e.node, None)
        if number and joined is not None and joined.first.psdu[5] == psdu[5] and number <= joined.segments:
            self._join(joined, e, number, last, psdu[start:end])
            return
        if joined is not None:
            joined.done = True
        note = "" if not number else f"only from segment {number + 1} on"
        record = _Record(e, psdu[_SEGMENT_CONTROL_OCTETS:end], last, note)
        if number:
            record.segments = number + 1
        self._hold(record)
        if number or not last:
            self._open[e.node] = record

    def _join(self, record: _Record, e: TxStart, number: int, last: bool, payload: bytes) -> None:
        """Add a segment, or take note that one was sent again (after a NACK that asks for it)."""
        if number == record.segments:
            record.octets += payload
            record.segments += 1
            record.last = last
        record.end = e.t + e.duration_us
        record.result = ""
        record.done = False
        key = e.node << 40 | e.frame
        record.keys.append(key)
        self._frames[key] = record
        self._open[e.node] = record

    def _rx_ok(self, e: RxOk) -> None:
        record = self._frames.get(e.src << 40 | e.frame)
        if record is not None:
            record.received.append(e)

    def _rx_lost(self, e: RxLost) -> None:
        record = self._frames.get(e.src << 40 | e.frame)
        if record is not None:
            record.lost.append(e)

    def _ack(self, e: Ack) -> None:
        record = self._frames.get(e.node << 40 | e.frame)
        if record is None:
            return
        record.result = e.result
        # a segment of several may be sent again: then the next start of this station settles it
        record.done = record.last if e.result == "ack" else record.segments == 1

    # -- records

    def _hold(self, record: _Record) -> None:
        self._held.append(record)
        self._frames[record.keys[0]] = record

    def _release(self, now: int) -> None:
        held = self._held
        while held:
            record = held[0]
            wait = 0 if record.first.next_hop == BROADCAST else _FATE_WAIT_US
            if not record.done and now <= record.end + wait:
                return
            self._write(held.popleft())

    def _write(self, record: _Record) -> None:
        for key in record.keys:
            self._frames.pop(key, None)
        first = record.first
        if self._open.get(first.node) is record:
            del self._open[first.node]
        octets = record.octets
        if not self._whole:
            addressed = first.next_hop != BROADCAST and record.received
            octets = (_WITH_LQI[record.received[-1].lqi & 0xFF] if addressed else _NO_LQI) + octets
        self._file.write(pcapng.packet(self._epoch_us + first.t, octets, _comment(record, self._whole)))


_spans: dict[int, int] = {}


def _payload_span(psdu: bytes) -> tuple[int, int]:
    """Return where the MAC payload starts and ends in a PSDU, or (0, 0) where it cannot be a MAC frame."""
    if len(psdu) < 8:
        return 0, 0
    control = psdu[3] | psdu[4] << 8
    start = _spans.get(control)
    if start is None:
        start = _spans[control] = _SEGMENT_CONTROL_OCTETS + _header_octets(control)
    if control & 0x08 and psdu[1] < 4 and start < len(psdu):
        start += 6 if psdu[start] >> 3 & 3 else 5
    end = start + ((psdu[1] & 3) << 8 | psdu[2])
    return (start, end) if end <= len(psdu) - _TRAILER_OCTETS else (0, 0)


def _header_octets(control: int) -> int:
    """Return the length of an 802.15.4 header: frame control, sequence number, PAN ids, addresses."""
    sizes = (0, 0, 2, 8)
    dst, src = sizes[control >> 10 & 3], sizes[control >> 14 & 3]
    source_pan = 2 if src and not (control & 0x40 and dst) else 0
    return 3 + (2 + dst if dst else 0) + source_pan + src


def _comment(record: _Record, whole: bool) -> str:
    first = record.first
    parts = [f"{station_name(first.node)} to {station_name(first.next_hop)}: {readable(first.kind)}"]
    parts.append(modulation_name(first.modulation))
    if record.segments > 1:
        parts.append(f"{record.segments} segments joined")
    if whole and _is_segment(first.psdu):
        parts.append(f"segment {(first.psdu[1] >> 2) + 1}")
    if first.attempt:
        parts.append(f"try {first.attempt + 1}")
    if record.note:
        parts.append(record.note)
    parts.append(_broadcast_fate(record) if first.next_hop == BROADCAST else _fate(record))
    return ", ".join(parts)


def _fate(record: _Record) -> str:
    """Return what became of a frame for one station."""
    why = f"lost in the {record.lost[-1].stage}: {_reason(record.lost[-1])}" if record.lost else ""
    if record.result == "ack":
        return "acknowledged" + (f" after a segment was {why} and sent again" if why else "")
    if record.result == "nack":
        return f"{why or 'payload lost'} (NACK)"
    if record.received and record.received[-1].frame == record.keys[-1] & 0xFFFFFFFF:
        return "received, but the sender did not hear the ACK" if record.first.dt == DT_SOF_ACK else "received"
    if why:
        return why
    return "lost: not heard by the addressee" if record.result else "fate unknown"


def _broadcast_fate(record: _Record) -> str:
    names = STATION_NAMES
    received = [f"{names[e.node]} (LQI {e.lqi})" for e in record.received[:_NAMED_HEARERS]]
    more = len(record.received) - len(received)
    parts = [f"received by {len(record.received)}"]
    if received:
        parts[0] += ": " + ", ".join(received) + (f" and {more} more" if more else "")
    if record.lost:
        lost = [f"{names[e.node]} ({e.reason if e.by_src < 0 else _reason(e)})" for e in record.lost[:_NAMED_HEARERS]]
        more = len(record.lost) - len(lost)
        parts.append(f"lost at {len(record.lost)}: " + ", ".join(lost) + (f" and {more} more" if more else ""))
    return "; ".join(parts)


def _reason(lost: RxLost) -> str:
    if lost.reason == "collision" and lost.by_src >= 0:
        return f"{lost.reason} with frame {lost.by_frame} of {station_name(lost.by_src)}"
    return lost.reason


def _is_segment(psdu: bytes) -> bool:
    return len(psdu) > 1 and (not psdu[0] & 1 or psdu[1] > 3)
