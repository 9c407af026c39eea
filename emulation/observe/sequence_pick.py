"""Which meter's story is told, and which part of the run it takes.

Works on events.jsonl line by line, so that a long run need not fit in memory: the lines that matter are told from
the others by their beginnings and only they are decoded. Neighbours: `sequence` (what is made of them), `jsonl`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from emulation.observe.jsonl import JsonlReader
from emulation.observe.sequence_story import Diagram, build
from g3plc import events as ev

_FEW_APDUS = 24
_LEAD_US = 60_000_000
_DRAWN = (
    ev.TxStart, ev.RxOk, ev.RxLost, ev.Ack, ev.Rreq, ev.RouteSet, ev.ApduSent, ev.SessionAborted, ev.ReadDone,
    ev.ReadFailed, ev.Fault, ev.Power,
)  # fmt: skip
_TELLING = (ev.ApduSent, ev.ApduReceived, ev.SessionClosed, ev.SessionAborted, ev.ReadDone, ev.ReadFailed)
_SESSION = ev.ApduSent | ev.ApduReceived | ev.SessionClosed | ev.SessionAborted
_TIME = re.compile(r'"t":(-?\d+)')


def from_file(reader: JsonlReader, meter: int | None = None) -> Diagram | None:
    """Return the diagram of `meter`, or of the farthest meter that was read; None where there is no such meter."""
    if meter is None:
        meter = farthest(_events(reader, _only(ev.ReadDone, ev.ReadFailed, ev.Rrep)))
    if meter is None:
        return None
    span = window(_about(reader, meter), meter)
    if span is None:
        return None
    return build(_within(reader, *span), meter)


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


def _only(*kinds: type[ev.Event]) -> tuple[str, ...]:
    return tuple([f'{{"event":"{kind.__name__}",' for kind in kinds])


def _events(reader: JsonlReader, prefixes: tuple[str, ...]) -> Iterator[ev.Event]:
    for line in reader.lines():
        if line.startswith(prefixes):
            yield reader.parse(line)


def _about(reader: JsonlReader, meter: int) -> Iterator[ev.Event]:
    """Return the events from which `window` judges."""
    telling = _only(*_TELLING)
    asked, answered = _only(ev.Rreq), _only(ev.Rrep)
    said = re.compile(rf'"(?:node|peer|meter)":{meter}[,}}]')
    for line in reader.lines():
        if line.startswith(telling):
            about = said.search(line) is not None
        else:
            about = (line.startswith(asked) and '"sent"' in line) or (
                line.startswith(answered) and '"received"' in line
            )
        if about:
            yield reader.parse(line)


def _within(reader: JsonlReader, first: int, last: int) -> Iterator[ev.Event]:
    drawn = _only(*_DRAWN)
    for line in reader.lines():
        found = _TIME.search(line)
        if found is None or int(found[1]) < first:
            continue
        if int(found[1]) > last:
            return
        if line.startswith(drawn):
            yield reader.parse(line)
