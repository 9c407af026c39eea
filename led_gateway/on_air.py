"""From transmissions to lights: what was sent, how it ended, and which waves and comets come of it.

A transmission waits in `pending` until its outcome is known; then it becomes a `Light`, whose time is fixed from the
speed in force, and some heat. Collisions join two transmissions: where their fronts meet, both stop.
Neighbours: `model` (dispatch), `state`, `standing`, `forms`, `heat`; `waves` draws.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulation.observe.record import ill_formed
from g3plc import events as ev
from g3plc.core import flow as flows
from g3plc.core.errors import WireError
from g3plc.core.ofdm import ACK_US, ACK_WAIT_US, RIFS_US
from g3plc.sap import DT_ACK, DT_SOF_ACK
from g3plc.wire import loadng_msg, mac_frame
from led_gateway import heat
from led_gateway.forms import FORMS, UNSEEN, form_of, wave_length
from led_gateway.standing import set_leaf
from led_gateway.state import (
    ACKED,
    ARRIVED,
    BROADCAST,
    HEARD,
    LOST,
    MISSED,
    MOST_BURSTS,
    MOST_LIGHTS,
    MOST_PENDING,
    NOBODY,
    UNHEARD,
    Burst,
    Ground,
    Light,
    Pending,
    State,
    Stop,
    shown_ms,
)

LEAST_TRAVEL_MS, MOST_TRAVEL_MS = 400, 10_000
AFTERGLOW_MS = 300
"""An acknowledgement's spark after the travel, and the ends of tails."""
TRAIL_MS = 900
"""A trace or its erasing is held until the routing tables have caught up."""
SWELL_MS = 1600
"""What a theme without travel takes for every light."""
BURST_MS = 400
HEAT_WAVES, CALM_WAVES, CALM_MS, CROSSFADE_MS = 6, 3, 2000, 1000

_MOST_DURATION_US = 1_000_000
_MOST_ATTEMPTS = 255
_MOST_HITS = 4
_SLACK_MS = 800
_LOST_SENDER_MS = 3000
_ROUTING = frozenset(range(flows.RREQ, flows.RLCREP + 1))

Key = tuple[int, int]


# -- events


def tx_start(state: State, e: ev.TxStart, t_ms: int) -> State | None:
    """A transmission begins; ACKs are part of what they answer."""
    stations = len(state.leaves)
    if (
        ill_formed(e)
        or not 0 <= e.node < stations
        or not (0 <= e.next_hop < stations or e.next_hop == BROADCAST)
        or not 0 < e.duration_us <= _MOST_DURATION_US
        or not 0 <= e.attempt <= _MOST_ATTEMPTS
        or not 0 <= e.dt <= DT_ACK + 1
        or e.next_hop == e.node
    ):
        return None
    form = form_of(e.kind)
    if e.dt >= DT_ACK or form == UNSEEN:
        return state._replace(now_us=e.t)
    due_ms = t_ms + _LOST_SENDER_MS + shown_ms(state, e.duration_us + ACK_WAIT_US)
    pending = dict(state.pending)
    if len(pending) >= MOST_PENDING:
        del pending[next(iter(pending))]
    pending[e.node, e.frame] = Pending(
        e.node, e.frame, NOBODY if e.next_hop == BROADCAST else e.next_hop, form, e.duration_us, e.attempt,
        e.dt == DT_SOF_ACK, state.follow == NOBODY or _concerns(state, e), UNHEARD, False, (), due_ms,
    )  # fmt: skip
    return state._replace(pending=pending, now_us=e.t, due_ms=min(state.due_ms, due_ms))


def tx_end(state: State, e: ev.TxEnd, t_ms: int) -> State | None:
    """It is over: time to draw it, unless its acknowledgement is awaited."""
    one = state.pending.get((e.node, e.frame))
    if one is None:
        return _seen(state, e.node, e.t)
    if not one.wants_ack or one.dst == NOBODY:
        return _finish(state, one, LOST if one.heard == MISSED else ARRIVED, t_ms)
    due_ms = t_ms + _SLACK_MS + shown_ms(state, ACK_WAIT_US)
    return _change(state, one._replace(ended=True, due_ms=due_ms), due_ms)


def rx_ok(state: State, e: ev.RxOk, t_ms: int) -> State | None:
    """The addressee got it."""
    one = state.pending.get((e.src, e.frame))
    if one is None or one.dst != e.node:
        return _seen(state, e.node, state.now_us, e.src)
    return _change(state, one._replace(heard=HEARD))


def rx_lost(state: State, e: ev.RxLost, t_ms: int) -> State | None:
    """The addressee, or a hearer of a broadcast, did not get it; a collision is drawn for both frames."""
    key = (e.src, e.frame)
    one = state.pending.get(key)
    if one is not None and one.dst == e.node:
        state = _change(state, one._replace(heard=MISSED))
    if e.reason == "collision" and 0 <= e.by_src < len(state.leaves) and e.by_src != e.src:
        return _collide(state, key, (e.by_src, e.by_frame), t_ms)
    return _seen(state, e.node, state.now_us, e.src)


def ack(state: State, e: ev.Ack, t_ms: int) -> State | None:
    """The sender learnt the fate of its frame."""
    one = state.pending.get((e.node, e.frame))
    if one is None:
        return _seen(state, e.node, e.t)
    if e.result == "ack":
        return _finish(state, one, ACKED, t_ms)
    return _finish(state, one, ARRIVED if one.heard == HEARD and e.result == "missed" else LOST, t_ms)


def give_up(state: State, t_ms: int) -> State:
    """Draw what has waited too long for its outcome; forget those whose sender is gone."""
    for key, one in list(state.pending.items()):
        if one.due_ms <= t_ms:
            if one.ended:
                state = _finish(state, one, ARRIVED if one.heard == HEARD else LOST, t_ms)
            else:
                pending = dict(state.pending)
                del pending[key]
                state = state._replace(pending=pending)
    return state


def choose(state: State, station: int) -> State:
    """Draw only what belongs to `station` from now on; what is on its way counts by its ends."""
    everything = station == NOBODY
    pending = {
        key: one._replace(chosen=everything or station in (one.src, one.dst)) for key, one in state.pending.items()
    }
    lights = {
        key: one._replace(chosen=everything or station in (one.src, one.dst)) for key, one in state.lights.items()
    }
    bursts = {key: one._replace(chosen=everything) for key, one in state.bursts.items()}
    return state._replace(follow=station, flows=(), pending=pending, lights=lights, bursts=bursts, ground=Ground())


# -- times


def heat_share(state: State, t_ms: int) -> int:
    """How much of the picture is heat, 0 to 256: it comes and goes within a second."""
    off_ms = state.calm_ms + CALM_MS
    if not state.hot:
        return max(0, state.hot_from - (t_ms - state.hot_ms) * 256 // CROSSFADE_MS)
    share = min(256, state.hot_from + (min(t_ms, off_ms) - state.hot_ms) * 256 // CROSSFADE_MS)
    return max(0, share - max(0, t_ms - off_ms) * 256 // CROSSFADE_MS)


# -- what becomes of it


def _seen(state: State, node: int, t_us: int, other: int = 0) -> State | None:
    """Nothing to draw, but is it at least of this board?"""
    stations = len(state.leaves)
    return state if 0 <= node < stations and 0 <= other < stations and t_us >= 0 else None


def _change(state: State, one: Pending, due_ms: int | None = None) -> State:
    pending = {**state.pending, (one.src, one.frame): one}
    if due_ms is None:
        return state._replace(pending=pending)
    return state._replace(pending=pending, due_ms=min(state.due_ms, due_ms))


def _concerns(state: State, e: ev.TxStart) -> bool:
    """Does it belong to the followed station: its own, of its datagrams, or about a route to it?"""
    station = state.follow
    if station in (e.node, e.next_hop, flows.flow_station(e.flow)) or e.flow in state.flows:
        return True
    if e.kind not in _ROUTING:
        return False
    try:
        message = loadng_msg.decode(mac_frame.decode(e.psdu).payload)
    except WireError:
        return False
    ends = (getattr(message, name, NOBODY) for name in ("originator", "destination", "unreachable"))
    return station in ends


def _finish(state: State, one: Pending, outcome: int, t_ms: int) -> State:
    """It becomes light: the wave and comet, the leaf that missed it, its heat."""
    key = (one.src, one.frame)
    pending = dict(state.pending)
    del pending[key]
    airtime_us = one.duration_us + (RIFS_US + ACK_US if outcome == ACKED else 0)
    warmth, reference_ms = heat.add(
        state.board, state.heat, state.heat_ms, one.src, state.cuts, max(1, shown_ms(state, airtime_us)), t_ms
    )
    state = state._replace(pending=pending, heat=warmth, heat_ms=reference_ms)
    if not one.chosen:
        return state
    light = _light(state, one, outcome, t_ms)
    state = _shine(state, light, t_ms)
    if 0 in (one.src, one.dst):
        state = state._replace(root_ms=t_ms)
    if outcome == LOST and one.dst > 0:
        leaf = state.leaves[one.dst]._replace(lost_ms=light.start_ms + light.travel_ms)
        state = set_leaf(state, one.dst, leaf, t_ms)
    for other in one.hits:
        state = _meet(state, key, other, t_ms)
    return state


def _light(state: State, one: Pending, outcome: int, t_ms: int) -> Light:
    travel_ms = min(max(shown_ms(state, one.duration_us), LEAST_TRAVEL_MS), MOST_TRAVEL_MS)
    reached = NOBODY
    if one.dst != NOBODY and outcome == LOST:
        leds = state.board.path(one.src, one.dst).leds
        reached = min(max(1, len(leds) * 3 // 4), state.board.cut_on(leds, state.cuts) if state.cuts else len(leds))
    linger_ms = TRAIL_MS if FORMS[one.form].trail else AFTERGLOW_MS
    return Light(
        one.src, one.frame, one.dst, one.form, t_ms, travel_ms, t_ms + travel_ms + linger_ms, one.attempt, outcome,
        reached, (), True,
    )  # fmt: skip


def _shine(state: State, light: Light, t_ms: int) -> State:
    """Add a light, let go of those that are over, and see whether there are too many to be told apart."""
    lights = {key: one for key, one in state.lights.items() if t_ms < max(one.end_ms, one.start_ms + SWELL_MS)}
    lights[light.src, light.frame] = light
    while len(lights) > MOST_LIGHTS:
        del lights[next(iter(lights))]
    ends = sorted((one.start_ms + one.travel_ms for one in lights.values() if one.chosen), reverse=True)
    alive = sum(end > t_ms for end in ends)
    hot, hot_ms, hot_from = state.hot, state.hot_ms, state.hot_from
    off_ms = state.calm_ms + CALM_MS
    if hot and t_ms >= off_ms:
        hot, hot_ms, hot_from = False, off_ms, heat_share(state, off_ms)
    if not hot and alive > HEAT_WAVES:
        hot_from = heat_share(state, t_ms)
        hot, hot_ms = True, t_ms
    return state._replace(
        lights=lights, hot=hot, hot_ms=hot_ms, hot_from=hot_from,
        calm_ms=ends[CALM_WAVES] if alive > CALM_WAVES else min(state.calm_ms, t_ms),
        until_ms=max(state.until_ms, light.end_ms),
    )  # fmt: skip


# -- collisions


def _collide(state: State, one: Key, other: Key, t_ms: int) -> State:
    """Two frames collided: draw it, or keep it until both are lights."""
    if heat_share(state, t_ms) == 256 or (min(one, other), max(one, other)) in state.bursts:
        return state
    waiting: Mapping[Key, Pending] = state.pending
    kept = False
    for mine, theirs in ((one, other), (other, one)):
        it = waiting.get(mine)
        if it is not None:
            kept = True
            if theirs not in it.hits and len(it.hits) < _MOST_HITS:
                state = _change(state, it._replace(hits=(*it.hits, theirs)))
    return state if kept else _meet(state, one, other, t_ms)


def _meet(state: State, one: Key, other: Key, t_ms: int) -> State:
    """Stop the fronts of two lights where they meet."""
    a, b = state.lights.get(one), state.lights.get(other)
    pair = (min(one, other), max(one, other))
    if a is None or b is None or a.src == b.src or pair in state.bursts:
        return state
    board = state.board
    leds = board.path(a.src, b.src).leds
    place, met_ms = _meeting(state, a, b, len(leds))
    met_ms = min(max(met_ms, t_ms), t_ms + MOST_TRAVEL_MS)
    middle = leds[place]
    lights = dict(state.lights)
    for key, light, start in ((one, a, leds[0]), (other, b, leds[-1])):
        lights[key] = light._replace(stops=(*light.stops[-3:], Stop(*board.near(middle, start), middle)))
    bursts = {key: burst for key, burst in state.bursts.items() if t_ms < burst.start_ms + BURST_MS}
    while len(bursts) >= MOST_BURSTS:
        del bursts[next(iter(bursts))]
    around = sorted(range(max(0, place - 2), min(len(leds), place + 3)), key=lambda at: abs(at - place))
    bursts[pair] = Burst(tuple(leds[at] for at in around), met_ms, a.chosen or b.chosen)
    return state._replace(lights=lights, bursts=bursts, until_ms=max(state.until_ms, met_ms + BURST_MS))


def _meeting(state: State, a: Light, b: Light, leds: int) -> tuple[int, int]:
    """The place on the way from `a` to `b` where their fronts meet, within both reaches if can be; and when."""
    board, cuts = state.board, state.cuts
    reach_a, reach_b = board.reach(a.src, cuts).radius, board.reach(b.src, cuts).radius
    speed_a = 1024 * (reach_a + wave_length(a.form)) // a.travel_ms + 1
    speed_b = 1024 * (reach_b + wave_length(b.form)) // b.travel_ms + 1
    met_ms = (1024 * (leds - 1) + a.start_ms * speed_a + b.start_ms * speed_b) // (speed_a + speed_b)
    place = (met_ms - a.start_ms) * speed_a >> 10
    place = min(max(place, leds - 1 - reach_b), reach_a)
    return min(max(place, min(1, leds - 2)), max(leds - 2, 1)), met_ms
