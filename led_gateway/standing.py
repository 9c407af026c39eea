"""What stands: leaves, routes and faults, as the events and the retained status tell of them.

Leaves follow sessions and collections; traces on the cable follow the routing tables; faults and links given up are
marked. Traces are worked out anew by `sweep`, some time after a change, so that the comet that brings or erases a route
is seen first. Neighbours: `model` (dispatch), `state`, `on_air`; `ground` draws.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulation.observe.kinds import normal_kind
from emulation.observe.record import ill_formed
from g3plc import events as ev
from g3plc.core import flow
from g3plc.core.ofdm import ACK_WAIT_US
from led_gateway.state import (
    FAILED,
    JOINED,
    MOST_BROKEN,
    MOST_ERASED,
    MOST_FAULTS,
    MOST_FLOWS,
    MOST_ROUTES,
    NEVER_MS,
    NO_ROUTES,
    READ,
    Ground,
    Leaf,
    Mark,
    Route,
    State,
    shown_ms,
)

COORDINATOR = 0
BROKEN_MS = 8000
"""How long a link that a station gave up is marked."""
LOST_MS = 2000
JOIN_MS = 1000
DONE_MS = 4000
"""How long a value is shown that no collection asked for."""
_SWEEP_MS = 1000
_AFTER_LIGHT_MS = 500
_MOST_WAIT_MS = 1500

_ERRORS = ("rerr", "no ack")

_LINK = re.compile(r"(\d{1,5})[->](\d{1,5})", re.ASCII)
_LED = re.compile(r"\d{1,5}", re.ASCII)


# -- leaves


def moves(leaf: Leaf, t_ms: int) -> bool:
    """Whether the leaf looks different from one frame to the next."""
    return (
        leaf.reading
        or leaf.retry
        or t_ms < leaf.since_ms + JOIN_MS
        or t_ms < leaf.done_ms + DONE_MS
        or t_ms < leaf.lost_ms + LOST_MS
    )


def set_leaf(state: State, station: int, leaf: Leaf, t_ms: int) -> State:
    """Another leaf for `station`."""
    if leaf == state.leaves[station]:
        return state
    leaves = (*state.leaves[:station], leaf, *state.leaves[station + 1 :])
    lively = state.lively | {station} if moves(leaf, t_ms) else state.lively - {station}
    return _swept_by(state._replace(leaves=leaves, lively=lively, ground=Ground()), t_ms + DONE_MS)


def apdu_sent(state: State, e: ev.ApduSent, t_ms: int) -> State | None:
    """The coordinator opens an association: the meter is being read."""
    if ill_formed(e) or not _known(state, e.node, e.peer):
        return None
    if state.follow in (e.node, e.peer) and e.flow not in state.flows:
        state = state._replace(flows=(*state.flows[1 - MOST_FLOWS :], e.flow))
    if e.node != COORDINATOR or e.peer == COORDINATOR or normal_kind(e.kind) != flow.AARQ:
        return state
    return set_leaf(state, e.peer, state.leaves[e.peer]._replace(reading=True, retry=False), t_ms)


def session_closed(state: State, e: ev.SessionClosed, t_ms: int) -> State | None:
    """The session is over, whatever it was for."""
    if ill_formed(e) or not _known(state, e.node, e.peer):
        return None
    if e.node != COORDINATOR:
        return state
    return set_leaf(state, e.peer, state.leaves[e.peer]._replace(reading=False), t_ms)


def session_aborted(state: State, e: ev.SessionAborted, t_ms: int) -> State | None:
    """The session broke off: in a collection it will be tried again."""
    if ill_formed(e) or not _known(state, e.node, e.peer):
        return None
    if e.node != COORDINATOR:
        return state
    leaf = state.leaves[e.peer]
    again = state.collecting and leaf.rest == JOINED
    lost_ms = leaf.lost_ms if again else t_ms
    return set_leaf(state, e.peer, leaf._replace(reading=False, retry=again, lost_ms=lost_ms), t_ms)


def read_done(state: State, e: ev.ReadDone, t_ms: int) -> State | None:
    """The value is there."""
    if ill_formed(e) or not _known(state, e.node, e.meter):
        return None
    leaf = state.leaves[e.meter]._replace(reading=False, retry=False)
    if state.collecting:
        return set_leaf(state, e.meter, leaf._replace(rest=READ), t_ms)
    return set_leaf(state, e.meter, leaf._replace(done_ms=t_ms), t_ms)


def read_failed(state: State, e: ev.ReadFailed, t_ms: int) -> State | None:
    """The coordinator gave the meter up."""
    if ill_formed(e) or not _known(state, e.node, e.meter):
        return None
    return set_leaf(state, e.meter, state.leaves[e.meter]._replace(rest=FAILED, reading=False, retry=False), t_ms)


def collection(state: State, e: ev.Collection, t_ms: int) -> State | None:
    """A collection starts with every meter unread."""
    if ill_formed(e) or not _known(state, e.node):
        return None
    if e.action == "started":
        leaves = tuple(leaf._replace(rest=JOINED, reading=False, retry=False) for leaf in state.leaves)
        lively = frozenset(station for station in state.lively if moves(leaves[station], t_ms))
        return state._replace(collecting=True, leaves=leaves, lively=lively, ground=Ground())
    if e.action == "finished":
        for station in sorted(state.lively):
            leaf = state.leaves[station]
            if leaf.retry:
                state = set_leaf(state, station, leaf._replace(retry=False), t_ms)
        return state._replace(collecting=False)
    return state


def collected(
    state: State, collecting: bool, read: tuple[int, ...], failed: tuple[int, ...], t_ms: int
) -> State | None:
    """How far a collection has come that began before anybody looked."""
    if not _known(state, *read, *failed):
        return None
    for meters, rest in ((read, READ), (failed, FAILED)):
        for meter in meters:
            state = set_leaf(state, meter, state.leaves[meter]._replace(rest=rest), t_ms)
    return state._replace(collecting=collecting)


def power(state: State, e: ev.Power, t_ms: int) -> State | None:
    """A station is switched on, with empty tables, or off."""
    if ill_formed(e) or not _known(state, e.node):
        return None
    state = _set_routes(state, e.node, NO_ROUTES, t_ms)
    if not e.on:
        return set_leaf(state, e.node, Leaf(), t_ms)
    leaf = state.leaves[e.node]
    rest = leaf.rest if leaf.joined else JOINED
    return set_leaf(state, e.node, Leaf(joined=True, rest=rest, since_ms=t_ms), t_ms)


def stands(state: State, station: int, on: bool, joined: bool, routes: object, t_ms: int) -> State | None:
    """How a station stands by its status: what it says replaces what was known."""
    if type(station) is not int or not _known(state, station) or type(routes) is not tuple:
        return None
    known = state.routes[station]
    table: dict[int, Route] = {}
    for destination, next_hop, _hops in routes[:MOST_ROUTES]:
        if not _known(state, destination, next_hop) or next_hop == station:
            return None
        old = known.get(destination)
        table[destination] = old if old is not None and old.next_hop == next_hop else Route(next_hop, 0, 0)
    if table != known:
        state = _set_routes(state, station, table, t_ms)
    leaf = state.leaves[station]
    if not (on and joined):
        return set_leaf(state, station, Leaf(), t_ms)
    return state if leaf.joined else set_leaf(state, station, leaf._replace(joined=True, since_ms=t_ms), t_ms)


# -- routes


def route_set(state: State, e: ev.RouteSet, t_ms: int) -> State | None:
    """A route that carries data."""
    if ill_formed(e) or not _known(state, e.node, e.next_hop) or not 0 <= e.destination <= 0xFFFF:
        return None
    if not e.bidirectional or e.next_hop == e.node:
        return state
    table = dict(state.routes[e.node])
    table.pop(e.destination, None)
    while len(table) >= MOST_ROUTES:
        del table[next(iter(table))]
    table[e.destination] = Route(e.next_hop, e.valid_until_us, max(1, e.valid_until_us - e.t))
    state = _set_routes(state, e.node, table, t_ms)._replace(now_us=e.t)
    link = _link(e.node, e.next_hop)
    if link in state.erased:
        state = state._replace(erased={known: None for known in state.erased if known != link})
    if (e.node, e.next_hop) in state.broken:
        broken = {link: until for link, until in state.broken.items() if link != (e.node, e.next_hop)}
        state = state._replace(broken=broken, ground=Ground())
    return state


def route_lost(state: State, e: ev.RouteLost, t_ms: int) -> State | None:
    """A route is gone; if its next hop no longer answers, the link is marked."""
    if ill_formed(e) or not _known(state, e.node, e.next_hop) or not 0 <= e.destination <= 0xFFFF:
        return None
    table = {destination: route for destination, route in state.routes[e.node].items() if destination != e.destination}
    if len(table) < len(state.routes[e.node]):
        state = _set_routes(state, e.node, table, t_ms)
        if e.reason in _ERRORS and not _relays(table, e.next_hop):
            erased = dict(state.erased)
            while len(erased) >= MOST_ERASED:
                del erased[next(iter(erased))]
            state = state._replace(erased={**erased, _link(e.node, e.next_hop): None})
    if e.reason == "no ack" and e.node != e.next_hop:
        broken = dict(state.broken)
        while len(broken) >= MOST_BROKEN:
            del broken[next(iter(broken))]
        broken[e.node, e.next_hop] = t_ms + BROKEN_MS
        state = _swept_by(state._replace(broken=broken, ground=Ground()), t_ms + BROKEN_MS)
    return state


def repair_end(state: State, e: ev.RepairEnd, t_ms: int) -> State | None:
    """A station found another way, or none: its links given up are no longer news."""
    if ill_formed(e) or not _known(state, e.node):
        return None
    broken = {link: until for link, until in state.broken.items() if link[0] != e.node or not e.ok}
    return state if len(broken) == len(state.broken) else state._replace(broken=broken, ground=Ground())


def sweep(state: State, t_ms: int) -> State:
    """Work out the traces of all routes anew, drop marks and movements that are over."""
    best: dict[tuple[int, int], int] = {}
    mortal = False
    for node, table in enumerate(state.routes):
        for route in table.values():
            freshness = _freshness(route, state.now_us)
            mortal = mortal or route.life_us > 0
            link = _link(node, route.next_hop)
            if freshness > best.get(link, 0) and link not in state.erased:
                best[link] = freshness
    traces = bytearray(len(state.traces))
    for (a, b), freshness in best.items():
        for led in state.board.path(a, b).leds:
            if traces[led] < freshness:
                traces[led] = freshness
    broken = {link: until for link, until in state.broken.items() if t_ms < until}
    lively = frozenset(station for station in state.lively if moves(state.leaves[station], t_ms))
    again = t_ms + _SWEEP_MS if mortal or broken or lively else NEVER_MS
    fresh = state._replace(sweep_ms=again, lively=lively, broken=broken)
    if bytes(traces) == state.traces and len(broken) == len(state.broken):
        return fresh
    return fresh._replace(traces=bytes(traces), ground=Ground())


def _freshness(route: Route, now_us: int) -> int:
    """3 fresh, 2, 1 old, 0 over."""
    if not route.life_us:
        return 2
    left_us = route.until_us - now_us
    return 0 if left_us <= 0 else 1 + min(2, 3 * left_us // route.life_us)


# -- faults


def fault(state: State, e: ev.Fault, t_ms: int) -> State | None:
    """A fault begins or ends. Marked are cables that are cut and links that are down."""
    if ill_formed(e):
        return None
    if e.state == "end":
        if e.fault not in state.faults:
            return state
        return _set_faults(state, {number: mark for number, mark in state.faults.items() if number != e.fault})
    mark = _mark(state, e)
    if mark is None:
        return None
    if not mark.kind:
        return state
    faults = {**state.faults, e.fault: mark}
    while len(faults) > MOST_FAULTS:
        del faults[next(iter(faults))]
    return _set_faults(state, faults)


def _mark(state: State, e: ev.Fault) -> Mark | None:
    """What to mark; a mark without a kind for faults that show in other ways, None for one that cannot be."""
    if e.state != "begin":
        return None
    if e.kind == "cable" and e.word == "cut":
        led = int(e.where) if _LED.fullmatch(e.where) else 0
        return Mark("cable", led, led) if 0 < led < state.board.leds else None
    if e.kind == "link":
        ends = _LINK.fullmatch(e.where)
        a, b = (int(ends[1]), int(ends[2])) if ends else (-1, -1)
        if not _known(state, a, b) or a == b:
            return None
        return Mark("link" if e.word == "down" else "", a, b)
    return Mark("", 0, 0)


def _set_faults(state: State, faults: dict[int, Mark]) -> State:
    cuts = frozenset(mark.a for mark in faults.values() if mark.kind == "cable")
    return state._replace(faults=faults, cuts=cuts, ground=Ground())


# -- small parts


def _relays(table: Mapping[int, Route], next_hop: int) -> bool:
    """Whether routes to others still go over `next_hop`; the one to itself is its own affair."""
    return any(route.next_hop == next_hop != destination for destination, route in table.items())


def _link(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def _known(state: State, *stations: int) -> bool:
    return all(0 <= station < len(state.leaves) for station in stations)


def _set_routes(state: State, node: int, table: Mapping[int, Route], t_ms: int) -> State:
    if table is state.routes[node]:
        return state
    routes = (*state.routes[:node], table, *state.routes[node + 1 :])
    wait_ms = min(_MOST_WAIT_MS, shown_ms(state, ACK_WAIT_US) + _AFTER_LIGHT_MS)
    return _swept_by(state._replace(routes=routes), t_ms + wait_ms)


def _swept_by(state: State, sweep_ms: int) -> State:
    if sweep_ms >= state.sweep_ms:
        return state
    return state._replace(sweep_ms=sweep_ms, due_ms=min(state.due_ms, sweep_ms))
