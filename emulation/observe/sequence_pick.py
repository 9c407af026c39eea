"""Which meter's story is told, and which part of the run it takes.

Of each station a few numbers are kept while events go by, and no event: a run may be long. Neighbours:
`sequence_story` (what is made of the part), `jsonl_search` (that part's events, from a file that may be large).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from emulation.observe.jsonl_search import JsonlSearch
from emulation.observe.sequence_story import Diagram, build
from g3plc import events as ev

_FEW_APDUS = 24
_LEAD_US = 60_000_000
_MOST_SPANS = 16
_DRAWN = (
    ev.TxStart, ev.RxOk, ev.RxLost, ev.Ack, ev.Rreq, ev.Rrep, ev.RouteSet, ev.ApduSent, ev.SessionAborted, ev.ReadDone,
    ev.ReadFailed, ev.Fault, ev.Power,
)  # fmt: skip
_Said = ev.ApduSent | ev.ApduReceived | ev.SessionClosed | ev.SessionAborted


def from_file(path: Path, scout: Scout, meter: int | None = None) -> Diagram | None:
    """Return the diagram of `meter`, or of the farthest meter that was read; None where there is no such meter.

    `scout` has seen the events of the file. Raises EvidenceError where the file is not the events of a run.
    """
    told = scout.farthest() if meter is None else meter
    span = None if told is None else scout.window(told)
    if told is None or span is None:
        return None
    with JsonlSearch(path) as search:
        return build(search.between(*span, _DRAWN), told)


def from_events(events: Sequence[ev.Event], meter: int | None = None) -> Diagram | None:
    """The same from events in memory."""
    scout = Scout()
    scout.observe(events)
    told = scout.farthest() if meter is None else meter
    span = None if told is None else scout.window(told)
    if told is None or span is None:
        return None
    return build([event for event in events if span[0] <= event[0] <= span[1]], told)


class _Span:
    """A session: its first request, the discovery before that, its latest event. Microseconds."""

    __slots__ = ("first_us", "last_us", "lead_us")

    def __init__(self, first_us: int, lead_us: int) -> None:
        self.first_us = first_us
        self.lead_us = lead_us
        self.last_us = first_us


class _Story:
    """When something concerned a station. `session` is that of its first value, negative before."""

    __slots__ = ("apdus", "asked_us", "first_us", "last_us", "session", "spans")

    def __init__(self, t_us: int) -> None:
        self.first_us = t_us
        self.last_us = t_us
        self.asked_us = -_LEAD_US - 1
        self.apdus = 0
        self.session = -1
        self.spans: dict[int, _Span] = {}

    def asked(self, t_us: int) -> None:
        """A discovery begins; one in the very microsecond of a request is that request's."""
        self.asked_us = t_us
        for span in self.spans.values():
            if span.first_us == t_us:
                span.lead_us = t_us

    def begin(self, session: int, t_us: int) -> None:
        """A request of the coordinator's may be the first of its session."""
        if session in self.spans or (self.session >= 0 and session != self.session):
            return
        if len(self.spans) >= _MOST_SPANS:
            del self.spans[next(iter(self.spans))]
        self.spans[session] = _Span(t_us, self.asked_us if self.asked_us >= t_us - _LEAD_US else t_us)


class Scout:
    """Observer that can say which meter is the farthest and when its story was."""

    __slots__ = ("_failed", "_found", "_handlers", "_read", "_stories")

    def __init__(self) -> None:
        self._stories: dict[int, _Story] = {}
        self._read: ev.ReadDone | None = None
        self._failed: ev.ReadFailed | None = None
        self._found: ev.Rrep | None = None
        self._handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.Rreq: self._rreq,
            ev.Rrep: self._rrep,
            ev.ApduSent: self._said,
            ev.ApduReceived: self._said,
            ev.SessionClosed: self._said,
            ev.SessionAborted: self._said,
            ev.ReadDone: self._read_done,
            ev.ReadFailed: self._read_failed,
        }

    def observe(self, events: Sequence[ev.Event]) -> None:
        """Take the next events."""
        handlers, rreq = self._handlers, ev.Rreq
        # of a flood only what its originator sends counts, and most events are of floods
        for event in [e for e in events if e.__class__ in handlers and (e.__class__ is not rreq or e[2] == "sent")]:
            handlers[event.__class__](event)

    def close(self) -> None:
        """Nothing to let go of."""

    def farthest(self) -> int | None:
        """Return the meter read over the most hops (the first such).

        Where none was read, the first that failed; where none was asked, the farthest that the coordinator found.
        """
        if self._read is not None:
            return self._read.meter
        if self._failed is not None:
            return self._failed.meter
        return None if self._found is None else self._found.originator

    def window(self, meter: int) -> tuple[int, int] | None:
        """Return first and last microsecond of the story of `meter`.

        A meter that says little is told from beginning to end, with its failures; of a busy one, the session of its
        first value, with the discovery before it.
        """
        story = self._stories.get(meter)
        if story is None:
            return None
        span = story.spans.get(story.session)
        if story.apdus <= _FEW_APDUS or span is None:
            return story.first_us, story.last_us + 1
        return span.lead_us, span.last_us + 1

    def _story(self, station: int, t_us: int) -> _Story:
        story = self._stories.get(station)
        if story is None:
            story = self._stories[station] = _Story(t_us)
        story.last_us = t_us
        return story

    def _rreq(self, e: ev.Rreq) -> None:
        for station in (e.destination, e.originator):
            self._story(station, e.t).asked(e.t)

    def _rrep(self, e: ev.Rrep) -> None:
        if e.action != "received" or e.node != e.destination:
            return
        for station in (e.destination, e.originator):
            self._story(station, e.t)
        if e.node == 0 and (self._found is None or e.hop_count > self._found.hop_count):
            self._found = e

    def _said(self, e: _Said) -> None:
        for station in (e.node, e.peer):
            story = self._story(station, e.t)
            if isinstance(e, ev.ApduSent):
                story.apdus += 1
                if e.node == 0:
                    story.begin(e.session, e.t)
            span = story.spans.get(e.session)
            if span is not None:
                span.last_us = e.t

    def _read_done(self, e: ev.ReadDone) -> None:
        story = self._story(e.meter, e.t)
        if story.session < 0:
            story.session = e.session
        if self._read is None or e.hops > self._read.hops:
            self._read = e

    def _read_failed(self, e: ev.ReadFailed) -> None:
        self._story(e.meter, e.t)
        if self._failed is None:
            self._failed = e
