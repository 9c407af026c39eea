"""What the light knows: one immutable value, which `model.reduce` replaces and `effects.render` draws.

Nothing in it is ever changed in place: a new state shares with the old one whatever stayed the same. Every part is
bounded, whatever comes. Times in `_ms` are display time, in `_us` emulated time. Neighbours: `on_air` (transmissions),
`standing` (leaves, routes, faults), `heat`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from led_gateway.board import NO_CUTS, Board

BROADCAST = 0xFFFF
NOBODY = -1
NEVER_MS = 1 << 62

MOST_PENDING = 512
MOST_LIGHTS = 32
MOST_BURSTS = 24
MOST_FLOWS = 64
MOST_ROUTES = 256
"""Of one station."""
MOST_FAULTS = 128
MOST_BROKEN = 32
MOST_ERASED = 256

ARRIVED, ACKED, LOST = range(3)
"""Outcomes: it got there; its acknowledgement was heard too; it did not get there."""
UNHEARD, HEARD, MISSED = range(3)
"""What the addressee said of a transmission, as far as known."""

JOINED, READ, FAILED = range(3)
"""What a leaf rests at."""


class Pending(NamedTuple):
    """A transmission whose outcome is not known yet. `hits`: frames it collided with. `due_ms`: when waiting ends."""

    src: int
    frame: int
    dst: int
    form: int
    duration_us: int
    attempt: int
    wants_ack: bool
    chosen: bool
    heard: int
    ended: bool
    hits: tuple[tuple[int, int], ...]
    due_ms: int


class Stop(NamedTuple):
    """Where a front was stopped: LEDs with `(low <= order < high) == inside` are on the sender's side, and `led`."""

    low: int
    high: int
    inside: bool
    led: int


class Light(NamedTuple):
    """A transmission being drawn: the wave and comet travel for `travel_ms`, all of it is over at `end_ms`.

    `dst` -1: no comet. `reached`: LEDs of the path that a comet covers before it dies, -1 if it does not die.
    """

    src: int
    frame: int
    dst: int
    form: int
    start_ms: int
    travel_ms: int
    end_ms: int
    attempt: int
    outcome: int
    reached: int
    stops: tuple[Stop, ...]
    chosen: bool


class Burst(NamedTuple):
    """A collision: `leds` around the meeting point, the middle first."""

    leds: tuple[int, ...]
    start_ms: int
    chosen: bool


class Leaf(NamedTuple):
    """A station's own LED. `since_ms`: when it joined; `done_ms`: read outside a collection; `lost_ms`: a loss here."""

    joined: bool = False
    rest: int = JOINED
    reading: bool = False
    retry: bool = False
    since_ms: int = 0
    done_ms: int = -NEVER_MS
    lost_ms: int = -NEVER_MS


class Route(NamedTuple):
    """An entry of a routing table; `life_us` 0: nobody said how long it lives."""

    next_hop: int
    until_us: int
    life_us: int


class Mark(NamedTuple):
    """A fault to be marked: `kind` is cable (`a` the LED) or link (`a`, `b` stations)."""

    kind: str
    a: int
    b: int


class Ground:
    """Identity of what does not move: leaves, traces, faults. `painted` keeps pictures of it, made when first drawn."""

    __slots__ = ("painted",)

    def __init__(self) -> None:
        self.painted: dict[object, object] = {}


class State(NamedTuple):
    """All that the light knows.

    board       geometry
    permille    speed in force, 0 a pause; `pace_permille` the last one that was none
    now_us      emulated time of the latest event
    pending     transmissions without an outcome, by (station, frame)
    lights      transmissions being drawn, by (station, frame), oldest first
    bursts      collisions being drawn, by the two frames
    heat        recent airtime by LED (see `heat`), its reference time in `heat_ms`
    hot         heat mode, entered or left at `hot_ms` with `hot_from`/256 of it showing then;
                `calm_ms`: when no more than three waves will be alive, as far as known
    leaves      by station
    lively      stations whose leaf moves
    routes      by station: destination -> Route
    traces      by LED: 0 no route, 1 to 3 old to fresh
    sweep_ms    when `traces` are worked out anew
    faults      by number; `cuts`: LEDs whose cable to the parent is cut
    broken      links that a station gave up, until when they are marked
    erased      links (lower station first) that an error took a route from: no trace until one is set over them
    follow      station whose transactions alone are drawn, or -1; `flows`: tags of its datagrams
    collecting  a collection is under way
    root_ms     when the coordinator was last on the air
    ground      identity of leaves, traces and faults together
    due_ms      when waiting or sweeping is due; until_ms: when everything released so far has been shown
    refused     inputs of which nothing could be made
    """

    board: Board
    permille: int
    pace_permille: int
    now_us: int
    pending: Mapping[tuple[int, int], Pending]
    lights: Mapping[tuple[int, int], Light]
    bursts: Mapping[tuple[tuple[int, int], tuple[int, int]], Burst]
    heat: tuple[int, ...] | list[int]
    heat_ms: int
    hot: bool
    hot_ms: int
    hot_from: int
    calm_ms: int
    leaves: tuple[Leaf, ...]
    lively: frozenset[int]
    routes: tuple[Mapping[int, Route], ...]
    traces: bytes
    sweep_ms: int
    faults: Mapping[int, Mark]
    cuts: frozenset[int]
    broken: Mapping[tuple[int, int], int]
    erased: Mapping[tuple[int, int], None]
    follow: int
    flows: tuple[int, ...]
    collecting: bool
    root_ms: int
    ground: Ground
    due_ms: int
    until_ms: int
    refused: int


DEFAULT_PERMILLE = 250
NO_ROUTES: Mapping[int, Route] = {}


def dark(board: Board, permille: int = DEFAULT_PERMILLE, follow: int = NOBODY, refused: int = 0) -> State:
    """The state before anything is known."""
    stations = len(board.stations)
    return State(
        board=board, permille=permille, pace_permille=permille or DEFAULT_PERMILLE, now_us=0,
        pending={}, lights={}, bursts={},
        heat=[0] * board.leds, heat_ms=0, hot=False, hot_ms=-NEVER_MS, hot_from=0, calm_ms=0,
        leaves=(Leaf(),) * stations, lively=frozenset(),
        routes=(NO_ROUTES,) * stations, traces=bytes(board.leds), sweep_ms=NEVER_MS,
        faults={}, cuts=NO_CUTS, broken={}, erased={},
        follow=follow, flows=(), collecting=False, root_ms=-NEVER_MS,
        ground=Ground(), due_ms=NEVER_MS, until_ms=0, refused=refused,
    )  # fmt: skip


def shown_ms(state: State, emulated_us: int) -> int:
    """Display time of so much emulated time at the speed in force, or the last one before a pause."""
    return emulated_us // state.pace_permille
