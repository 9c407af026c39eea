"""How loud an event is in a station's log: debug, info, warning, error.

At `info` a log tells the story: routes found and lost, requests, repairs, associations, readings. At `debug` every
frame is in it. Neighbours: `emulation.observe.prose` (the sentences), `logs` (where they go).
"""

from __future__ import annotations

from typing import Any

from emulation.live.topics import LEVELS
from g3plc import events as ev
from g3plc.events import Event

DEBUG, INFO, WARNING, ERROR = range(len(LEVELS))

_BY_KIND: dict[type[Event], int] = {
    **dict.fromkeys((ev.TxStart, ev.TxEnd, ev.RxOk, ev.RxLost, ev.Defer, ev.Segment, ev.NeighbourSet), DEBUG),
    **dict.fromkeys((ev.RouteLost, ev.SessionAborted, ev.ReadFailed, ev.LateFrame), WARNING),
}


def _ack(event: Any) -> int:
    return DEBUG if event.result == "ack" else INFO


def _search(event: Any) -> int:
    return DEBUG if event.action == "ignored" else INFO


def _route(event: Any) -> int:
    return INFO if event.bidirectional else DEBUG


_BY_CONTENT = {ev.Ack: _ack, ev.Rreq: _search, ev.Rrep: _search, ev.RouteSet: _route}


def level_of(event: Event) -> int:
    """Index into `topics.LEVELS`."""
    judge = _BY_CONTENT.get(type(event))
    return judge(event) if judge is not None else _BY_KIND.get(type(event), INFO)
