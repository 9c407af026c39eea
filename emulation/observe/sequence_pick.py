"""Which meter's story is told, and which part of the run it takes.

Neighbours: `sequence_story` (what is made of it), `jsonl_search` (the events, from a file that may be large).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from emulation.observe.jsonl_search import JsonlSearch, beginning_of
from emulation.observe.sequence_story import Diagram, build
from g3plc import events as ev

_FEW_APDUS = 24
_LEAD_US = 60_000_000
_DRAWN = (
    ev.TxStart, ev.RxOk, ev.RxLost, ev.Ack, ev.Rreq, ev.Rrep, ev.RouteSet, ev.ApduSent, ev.SessionAborted, ev.ReadDone,
    ev.ReadFailed, ev.Fault, ev.Power,
)  # fmt: skip
_SESSION = ev.ApduSent | ev.ApduReceived | ev.SessionClosed | ev.SessionAborted
_TELLING = (ev.ApduSent, ev.ApduReceived, ev.SessionClosed, ev.SessionAborted, ev.ReadDone, ev.ReadFailed)
_WANTED = {ev.Rreq: b'"action":"sent"', ev.Rrep: b'"action":"received"', **dict.fromkeys(_TELLING, b"")}
_WAYS = (beginning_of(ev.Rreq), beginning_of(ev.Rrep))
_READS = (beginning_of(ev.ReadDone), beginning_of(ev.ReadFailed))


def from_file(path: Path, meter: int | None = None) -> Diagram | None:
    """Return the diagram of `meter`, or of the farthest meter that was read; None where there is no such meter.

    Raises EvidenceError where the file is not the events of a run.
    """
    with JsonlSearch(path) as search:
        lines = search.lines(_WANTED)
        ways = [search.parse(line) for line in lines if line.startswith(_WAYS)]
        if meter is None:
            meter = farthest([*(search.parse(line) for line in lines if line.startswith(_READS)), *ways])
        if meter is None:
            return None
        about = re.compile(rb'"(?:node|peer|meter)":%d[,}]' % meter)
        told = [search.parse(line) for line in lines if not line.startswith(_WAYS) and about.search(line)]
        span = window([*told, *ways], meter)
        return None if span is None else build(search.between(*span, _DRAWN), meter)


def from_events(events: list[ev.Event], meter: int | None = None) -> Diagram | None:
    """The same from events in memory."""
    if meter is None:
        meter = farthest(events)
    if meter is None:
        return None
    span = window(events, meter)
    if span is None:
        return None
    return build([event for event in events if span[0] <= event[0] <= span[1]], meter)


def farthest(events: Iterable[ev.Event]) -> int | None:
    """Return the meter read over the most hops (the first such).

    Where none was read, the first that failed; where none was asked, the farthest that the coordinator found.
    """
    done: list[ev.ReadDone] = []
    failed: list[ev.ReadFailed] = []
    found: list[ev.Rrep] = []
    for e in events:
        if isinstance(e, ev.ReadDone):
            done.append(e)
        elif isinstance(e, ev.ReadFailed):
            failed.append(e)
        elif isinstance(e, ev.Rrep) and e.action == "received" and e.node == e.destination == 0:
            found.append(e)
    if done:
        return max(done, key=lambda read: read.hops).meter
    if failed:
        return failed[0].meter
    return max(found, key=lambda reply: reply.hop_count).originator if found else None


def window(events: Iterable[ev.Event], meter: int) -> tuple[int, int] | None:
    """Return first and last microsecond of the story of `meter`.

    A meter that says little is told from beginning to end, with its failures; of a busy one, the session of its first
    value, with the discovery before it.
    """
    times: list[int] = []
    apdus: list[ev.ApduSent] = []
    discoveries: list[int] = []
    ends: dict[int, int] = {}
    session = -1
    for e in events:
        if isinstance(e, ev.Rreq):
            if e.action == "sent" and meter in (e.destination, e.originator):
                discoveries.append(e.t)
                times.append(e.t)
        elif isinstance(e, ev.ReadDone | ev.ReadFailed):
            if e.meter == meter:
                times.append(e.t)
                session = e.session if session < 0 and isinstance(e, ev.ReadDone) else session
        elif isinstance(e, ev.Rrep):
            if e.action == "received" and e.node == e.destination and meter in (e.destination, e.originator):
                times.append(e.t)
        elif isinstance(e, _SESSION) and meter in (e.node, e.peer):
            times.append(e.t)
            ends[e.session] = e.t
            if isinstance(e, ev.ApduSent):
                apdus.append(e)
    if not times:
        return None
    of_session = [apdu.t for apdu in apdus if apdu.session == session and apdu.node == 0]
    if len(apdus) <= _FEW_APDUS or not of_session:
        return min(times), max(times) + 1
    first = min(of_session)
    lead = [t for t in discoveries if first - _LEAD_US <= t <= first]
    return min([first, *lead[-1:]]), max(ends[session], of_session[-1]) + 1
