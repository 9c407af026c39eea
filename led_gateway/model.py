"""The model of the light: `state = reduce(state, input, t_ms)`, pure.

An input is an event of `g3plc.events` or one of the small ones here:

* `Stands(station, on, joined, routes)`: how a station stands, from its retained status. `routes` are all of its
  routes as (destination, next hop, hops); they replace what was known of it. An agent that is gone is
  `Stands(station, False, False, ())`.
* `Collected(collecting, read, failed)`: how far the present collection has come, from the retained `keep/gateway`.
* `Forget()`: a new run. All is dark again; speed and `Follow` stay.
* `Follow(station)`: draw only what belongs to this station's transactions, -1 everything.
* `Tick()`: display time has gone on; `Show.frame` sends it when `state.due_ms` has come.

Speed comes from `events.Clock`, retained faults as `events.Fault` with their number. `t_ms` is display time, an
integer that never goes back. An input that makes no sense (a station or an LED that is not on this board, a field of
the wrong type, a duration out of range) leaves the state as it was, with `refused` one higher; nothing is raised.

A transmission becomes light when its outcome is known: at TxEnd where no ACK is wanted, else at its Ack event, else
when waiting for that has lasted too long. Neighbours: `state`, `on_air`, `standing`; `effects` draws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from emulation.observe.record import ill_formed
from g3plc import events as ev
from g3plc.events import Event
from led_gateway import on_air, standing
from led_gateway.board import Board
from led_gateway.state import BROADCAST, NEVER_MS, NOBODY, State, dark

__all__ = ["Board", "Collected", "Follow", "Forget", "Input", "Stands", "State", "Tick", "dark", "reduce"]

MOST_PERMILLE = 1_000_000


class Stands(NamedTuple):
    """How a station stands: powered, joined, and all of its routes as (destination, next hop, hops)."""

    station: int
    on: bool
    joined: bool
    routes: tuple[tuple[int, int, int], ...] = ()


class Collected(NamedTuple):
    """Whether a collection is under way, the meters that it has read, and those that it gave up."""

    collecting: bool
    read: tuple[int, ...]
    failed: tuple[int, ...]


class Forget(NamedTuple):
    """A new run begins: nothing of the old one is shown any more."""


class Follow(NamedTuple):
    """Draw only what belongs to this station's transactions; -1 draws everything."""

    station: int


class Tick(NamedTuple):
    """Display time has gone on."""


Input = Stands | Collected | Forget | Follow | Tick


def reduce(state: State, input_: Event | Input, t_ms: int) -> State:
    """The state after an input at display time `t_ms`. The old one is unchanged."""
    if t_ms >= state.due_ms:
        state = _due(state, t_ms)
    kind = input_.__class__
    handler = _EVENTS.get(kind)
    try:
        if handler is None:
            changed = _INPUTS.get(kind, _watch)(state, input_, t_ms)
        else:
            changed = handler(state, input_, t_ms) if input_[0] >= 0 else None  # type: ignore[misc]
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError):
        changed = None
    return state._replace(refused=state.refused + 1) if changed is None else changed


def _watch(state: State, event: Event, t_ms: int) -> State | None:
    """Nothing is drawn from it: is it an event, and in order?"""
    if event.__class__ not in _UNSEEN or ill_formed(event) or event.t < 0:
        return None
    return state if event.node in _NOBODIES or 0 <= event.node < len(state.leaves) else None


def _due(state: State, t_ms: int) -> State:
    state = on_air.give_up(state, t_ms)
    if t_ms >= state.sweep_ms:
        state = standing.sweep(state, t_ms)
    waiting = min((one.due_ms for one in state.pending.values()), default=NEVER_MS)
    return state._replace(due_ms=min(waiting, state.sweep_ms))


def _tick(state: State, _tick: Tick, t_ms: int) -> State:
    return state


def _clock(state: State, event: ev.Clock, t_ms: int) -> State | None:
    permille = event.speed_permille
    if ill_formed(event) or not 0 <= permille <= MOST_PERMILLE:
        return None
    return state._replace(permille=permille, pace_permille=permille or state.pace_permille)


def _forget(state: State, _forget: Forget, t_ms: int) -> State:
    fresh = dark(state.board, state.permille, state.follow, state.refused)
    return fresh._replace(pace_permille=state.pace_permille)


def _follow(state: State, order: Follow, t_ms: int) -> State | None:
    station = order.station
    if type(station) is not int or not NOBODY <= station < len(state.leaves):
        return None
    return on_air.choose(state, station)


def _stands(state: State, stands: Stands, t_ms: int) -> State | None:
    return standing.stands(state, stands.station, stands.on, stands.joined, stands.routes, t_ms)


def _collected(state: State, found: Collected, t_ms: int) -> State | None:
    if not all(type(meter) is int for meter in (*found.read, *found.failed)):
        return None
    return standing.collected(state, bool(found.collecting), found.read, found.failed, t_ms)


_Handler = Callable[[State, Any, int], "State | None"]

_INPUTS: dict[type, _Handler] = {Tick: _tick, Forget: _forget, Follow: _follow, Stands: _stands, Collected: _collected}
_EVENTS: dict[type, _Handler] = {
    ev.Clock: _clock,
    ev.TxStart: on_air.tx_start,
    ev.TxEnd: on_air.tx_end,
    ev.RxOk: on_air.rx_ok,
    ev.RxLost: on_air.rx_lost,
    ev.Ack: on_air.ack,
    ev.ApduSent: standing.apdu_sent,
    ev.SessionClosed: standing.session_closed,
    ev.SessionAborted: standing.session_aborted,
    ev.ReadDone: standing.read_done,
    ev.ReadFailed: standing.read_failed,
    ev.Collection: standing.collection,
    ev.RouteSet: standing.route_set,
    ev.RouteLost: standing.route_lost,
    ev.RepairEnd: standing.repair_end,
    ev.Fault: standing.fault,
    ev.Power: standing.power,
}
_UNSEEN = frozenset(ev.EVENTS) - _EVENTS.keys()
_NOBODIES = (NOBODY, BROADCAST)
