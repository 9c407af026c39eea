"""One line of prose for an event: what a station's log says.

A line is the emulated time (hh:mm:ss.mmm since the start of the run), the layer, and a sentence that names the peer.
Neighbours: `station_logs` (files), the live agents' logs (the same sentences).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from emulation.observe.facts import STATION_NAMES, obis_text
from emulation.observe.fault_words import fault_text
from emulation.observe.kinds import modulation_name, readable
from g3plc import events as ev
from g3plc.events import Event

Sentence = Callable[[Any], str]

_names = STATION_NAMES
_ACKS = {2: "ACK", 3: "NACK"}


_THOUSANDTHS = [f".{ms:03d}" for ms in range(1000)]


def clock_text(t_us: int) -> str:
    """Return emulated time as `hh:mm:ss.mmm` (hours go on counting past 99)."""
    return _second_text(t_us // 1_000_000) + _THOUSANDTHS[t_us // 1000 % 1000]


@lru_cache(maxsize=4)
def _second_text(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def line(event: Event) -> str:
    """Return the line of an event without newline, or an empty string for one that no log needs (TxEnd)."""
    found = SENTENCES.get(event.__class__)
    return "" if found is None else f"{clock_text(event[0])}{found[0]}{found[1](event)}"


def _ms(us: int) -> str:
    return f"{us / 1000:.0f} ms" if us < 10_000_000 else f"{us / 1_000_000:.1f} s"


_HOPS = ["1 hop" if count == 1 else f"{count} hops" for count in range(256)]


def _hops(count: int) -> str:
    return _HOPS[count & 0xFF]


def _octets(count: int) -> str:
    return "1 octet" if count == 1 else f"{count} octets"


# -- PHY


def _tx_start(e: ev.TxStart) -> str:
    _, _, frame, psdu, modulation, _, dt, duration_us, next_hop, attempt, kind, _ = e
    if dt >= 2:
        return f"{_ACKS.get(dt, 'control')} sent to {_names[next_hop]}, frame {frame}"
    again = f", try {attempt + 1}" if attempt else ""
    form = _form(len(psdu), modulation, duration_us)
    return f"{readable(kind)} sent to {_names[next_hop]}, frame {frame}{again}: {form}"


@lru_cache(maxsize=256)
def _form(octets: int, modulation: int, duration_us: int) -> str:
    return f"{_octets(octets)} in {modulation_name(modulation)}, {_ms(duration_us)} on the line"


def _rx_ok(e: ev.RxOk) -> str:
    return f"frame {e.frame} received from {_names[e.src]}, LQI {e.lqi}"


_WHY_LOST = {"half duplex": "we were sending ourselves", "late": "it came in too late", "fault": "the link is broken"}


def _rx_lost(e: ev.RxLost) -> str:
    reason = e.reason
    if reason == "collision" and e.by_src >= 0:
        why = f"collision with frame {e.by_frame} of {_names[e.by_src]}"
    else:
        why = _WHY_LOST.get(reason, reason)
    return f"frame {e.frame} from {_names[e.src]} lost in its {e.stage}: {why} (LQI {e.lqi})"


def _late_frame(e: ev.LateFrame) -> str:
    return f"frame {e.frame} from {_names[e.src]} came in {_ms(e.late_us)} after its own end and is lost"


# -- MAC


def _ack(e: ev.Ack) -> str:
    if e.result == "ack":
        return f"frame {e.frame} acknowledged by {_names[e.peer]}"
    if e.result == "nack":
        return f"frame {e.frame} refused by {_names[e.peer]}: it heard us but lost the payload (NACK)"
    return f"frame {e.frame} got no answer from {_names[e.peer]}"


def _defer(e: ev.Defer) -> str:
    return f"channel busy, waiting: back-off {e.nb}, contention window {e.cw} slots"


def _segment(e: ev.Segment) -> str:
    return f"segment {e.number + 1} of {e.total} of frame {e.dsn} goes to {_names[e.peer]}"


def _neighbour_set(e: ev.NeighbourSet) -> str:
    return (
        f"{_names[e.neighbour]} wants {modulation_name(e.modulation)} on tone map {e.tone_map:02X} "
        f"and hears us with LQI {e.reverse_lqi}"
    )


def _dropped(e: ev.Dropped) -> str:
    source = f" from {_names[e.src]}" if e.src >= 0 else ""
    return f"{e.layer:6} {_octets(e.octets)}{source} dropped: {e.reason}"


# -- LOADng


def _way(e: Any) -> str:
    return f"{'to' if e.action in ('sent', 'forwarded') else 'from'} {_names[e.peer]}"


def _route_message(what: str, about: int) -> Sentence:
    """An RREQ is about the station that it looks for, an RREP about the one that was found: the field at `about`."""

    def sentence(e: Any) -> str:
        _, _, action, peer, _, _, sequence, cost, hop_count, _, _, reason = e
        head = f"{what} {_names[e[about]]} {action}"
        if action == "sent":
            return f"{head}, to {_names[peer]}, sequence number {sequence}"
        way = "to" if action == "forwarded" else "from"
        tail = f": {reason}" if reason else ""
        return f"{head}, {way} {_names[peer]}, cost {cost} after {_HOPS[hop_count & 0xFF]}{tail}"

    return sentence


def _rerr(e: ev.Rerr) -> str:
    why = {0: "no available route", 1: "hop limit exceeded"}.get(e.code, f"error {e.code}")
    tail = f": {e.reason}" if e.reason else ""
    return (
        f"RERR {e.action}, {_way(e)}: {_names[e.unreachable]} cannot be reached, "
        f"says {_names[e.originator]} to {_names[e.destination]} ({why}){tail}"
    )


def _rrep_ack(e: ev.RrepAck) -> str:
    if e.action == "missed":
        return f"{_names[e.peer]} did not answer our RREP {e.sequence} with an RREP_ACK"
    return f"RREP_ACK {e.action}, {_way(e)}, for RREP {e.sequence}"


def _path(what: str) -> Sentence:
    def sentence(e: Any) -> str:
        hops = e.hops
        stops = [
            f"{_names[int.from_bytes(hops[i : i + 2], 'big')]} (cost {int.from_bytes(hops[i + 2 : i + 4], 'big')})"
            for i in range(0, len(hops) - 3, 4)
        ]
        path = f", so far over {', '.join(stops)}" if stops else ""
        return f"{what} {e.action}, {_way(e)}, between {_names[e.originator]} and {_names[e.destination]}{path}"

    return sentence


def _route_set(e: ev.RouteSet) -> str:
    _, _, destination, next_hop, cost, hop_count, weak_links, bidirectional, _ = e
    use = "" if bidirectional else ", not yet proven both ways"
    if next_hop == destination:
        return f"route to {_names[destination]} is direct, cost {cost}{use}"
    weak = f", {weak_links} weak" if weak_links else ""
    way = f"via {_names[next_hop]}, cost {cost} over {_hops(hop_count)}"
    return f"route to {_names[destination]} goes {way}{weak}{use}"


def _route_lost(e: ev.RouteLost) -> str:
    why = {
        "rerr": "an RERR came in",
        "no ack": "the next hop does not answer",
        "aged": "it has aged out",
        "replaced": "it was replaced",
        "loop": "it runs in a circle",
    }
    return f"route to {_names[e.destination]} via {_names[e.next_hop]} is gone: {why.get(e.reason, e.reason)}"


def _repair_start(e: ev.RepairStart) -> str:
    return f"looking for another way to {_names[e.destination]}, since {_names[e.next_hop]} does not answer"


def _repair_end(e: ev.RepairEnd) -> str:
    return f"another way to {_names[e.destination]} {'is found' if e.ok else 'was not found'}"


def _blacklist_set(e: ev.BlacklistSet) -> str:
    if not e.until_us:
        return f"{_names[e.neighbour]} is off the blacklist"
    return f"{_names[e.neighbour]} is blacklisted until {clock_text(e.until_us)}"


def _queue(e: ev.Queue) -> str:
    what = readable(e.flow & 0xFF)
    words = {
        "waiting": f"{what} waits for a route to {_names[e.destination]}",
        "released": f"{what} goes on its way to {_names[e.destination]}",
        "discarded": f"{what} for {_names[e.destination]} is given up: no route",
    }
    return words.get(e.action, f"{what} for {_names[e.destination]}: {e.action}")


# -- COSEM and the night


def _apdu(e: ev.ApduSent | ev.ApduReceived) -> str:
    """Return the name of the APDU, and of the object that a GET, SET or ACTION request is about."""
    apdu = e.apdu
    if len(apdu) >= 12 and apdu[0] in _REQUEST_TAGS and apdu[1] == 1:
        return f"{readable(e.kind)} for {obis_text(apdu[5:11])}"
    return readable(e.kind)


_REQUEST_TAGS = frozenset({0xC0, 0xC1, 0xC3})


def _apdu_sent(e: ev.ApduSent) -> str:
    return f"{_apdu(e)} sent to {_names[e.peer]}, {_octets(len(e.apdu))}"


def _apdu_received(e: ev.ApduReceived) -> str:
    return f"{_apdu(e)} received from {_names[e.peer]}, {_octets(len(e.apdu))}"


def _association(session: int) -> str:
    """The meter has no numbers for its sessions."""
    return f"association {session}" if session else "association"


def _session_open(e: ev.SessionOpen) -> str:
    return f"{_association(e.session)} with {_names[e.peer]} stands"


def _session_closed(e: ev.SessionClosed) -> str:
    return f"{_association(e.session)} with {_names[e.peer]} is released"


def _session_aborted(e: ev.SessionAborted) -> str:
    return f"ABRT: {_association(e.session)} with {_names[e.peer]} is broken off: {e.reason}"


def _read_done(e: ev.ReadDone) -> str:
    value = f"{e.value} {e.unit}".rstrip()
    tries = "at the first try" if e.attempts <= 1 else f"in {e.attempts} tries"
    return (
        f"{_names[e.meter]} read: {obis_text(e.obis)} is {value}, over {_hops(e.hops)}, {tries}, {_ms(e.duration_us)}"
    )


def _read_failed(e: ev.ReadFailed) -> str:
    explained = f", explained by: {e.explained_by}" if e.explained_by else ""
    return f"{_names[e.meter]} not read ({obis_text(e.obis)}): {e.reason} after {e.attempts} tries{explained}"


def _collection(e: ev.Collection) -> str:
    return f"collection {e.action}: {e.read} of {e.meters} meters read, {e.failed} failed"


def _job(e: ev.Job) -> str:
    detail = f": {e.detail}" if e.detail else ""
    whom = f" {_names[e.station]}" if e.station else ""
    return f"job {e.job}, {e.verb}{whom}, {e.status}{detail}"


def _fault(e: ev.Fault) -> str:
    until = f" until {clock_text(e.until_us)}" if e.until_us > 0 and e.state == "begin" else ""
    return f"fault {e.fault} {'begins' if e.state == 'begin' else 'ends'}: {fault_text(e)}{until}"


def _power(e: ev.Power) -> str:
    return f"switched on, boot number {e.boot}" if e.on else "switched off"


def _clock(e: ev.Clock) -> str:
    if not e.speed_permille:
        return "emulated time stands still"
    return f"emulated time runs at {e.speed_permille / 1000:g} times real time"


SENTENCES: dict[type[Event], tuple[str, Sentence]] = {
    ev.TxStart: (" phy    ", _tx_start),
    ev.RxOk: (" phy    ", _rx_ok),
    ev.RxLost: (" phy    ", _rx_lost),
    ev.LateFrame: (" phy    ", _late_frame),
    ev.Ack: (" mac    ", _ack),
    ev.Defer: (" mac    ", _defer),
    ev.Segment: (" mac    ", _segment),
    ev.Dropped: (" ", _dropped),
    ev.NeighbourSet: (" mac    ", _neighbour_set),
    ev.BlacklistSet: (" loadng ", _blacklist_set),
    ev.Rreq: (" loadng ", _route_message("RREQ for", 5)),
    ev.Rrep: (" loadng ", _route_message("RREP of", 4)),
    ev.Rerr: (" loadng ", _rerr),
    ev.RrepAck: (" loadng ", _rrep_ack),
    ev.Preq: (" loadng ", _path("PREQ")),
    ev.Prep: (" loadng ", _path("PREP")),
    ev.RouteSet: (" loadng ", _route_set),
    ev.RouteLost: (" loadng ", _route_lost),
    ev.RepairStart: (" loadng ", _repair_start),
    ev.RepairEnd: (" loadng ", _repair_end),
    ev.Queue: (" adp    ", _queue),
    ev.ApduSent: (" cosem  ", _apdu_sent),
    ev.ApduReceived: (" cosem  ", _apdu_received),
    ev.SessionOpen: (" cosem  ", _session_open),
    ev.SessionClosed: (" cosem  ", _session_closed),
    ev.SessionAborted: (" cosem  ", _session_aborted),
    ev.ReadDone: (" read   ", _read_done),
    ev.ReadFailed: (" read   ", _read_failed),
    ev.Collection: (" read   ", _collection),
    ev.Job: (" job    ", _job),
    ev.Fault: (" fault  ", _fault),
    ev.Power: (" power  ", _power),
    ev.Clock: (" clock  ", _clock),
}
"""Kind to its layer, between blanks, and to what makes its sentence (that of a drop begins with its layer)."""
