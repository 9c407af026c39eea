"""Plausible feeders by meters and seed: streets, side streets, cul-de-sacs, service drops, balanced phases.

Streets grow on a lattice of crossings, cheapest crossing first: going straight on is cheap, turning dearer, some
crossings (parks, fields) dear, and each step has a seeded surcharge. So every street leads the short way to the
coordinator and the quarter stays compact. Crossings are then shifted a little, houses are put on both sides and at
each dead end, and the strip is laid depth first, smaller side first. All is integer arithmetic on its own generator:
the same arguments give the same octets on every machine. The text is written by `feeder_text.py`.
"""

from __future__ import annotations

import heapq
from math import isqrt

from emulation.grid.feeder_text import ALL_PHASES, NAME, NAME_RULE, Branch, FeederText, write

MAX_METERS = 2000
MAX_SEED = 2**32 - 1

_STREET_LEDS = 14
_HOUSES_AT = (5, 9)
_STEP_COST = {(1, 0): 10, (-1, 0): 10, (0, 1): 19, (0, -1): 19}
_TURN_COST = 7
_PARK_COST = 40
_SPREAD_COST = 12
_PARK_ONE_IN = 8
_OVERHEAD_ONE_IN = 9

_Cell = tuple[int, int]


class _Draws:
    """SplitMix64: whole numbers from a seed, the same on every Python."""

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = (seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64

    def below(self, bound: int) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        mixed = (self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
        return (mixed ^ (mixed >> 31)) * bound >> 64

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def shuffle(self, items: list[int]) -> list[int]:
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items


class _Joint:
    """An end of a branch: where it lies (dm), the strip that leads to it, what hangs on it."""

    __slots__ = ("below", "cable", "leds", "mm_per_led", "size", "x", "y")

    def __init__(self, x: int, y: int, leds: int, mm_per_led: int, cable: str) -> None:
        self.x = x
        self.y = y
        self.leds = leds
        self.mm_per_led = mm_per_led
        self.cable = cable
        self.below: list[_Joint] = []
        self.size = leds


def generate(meters: int, seed: int, name: str | None = None) -> str:
    """The text of a feeder file with `meters` meters (1 to 2000) for `seed` (0 to 2**32 - 1).

    `name` goes into its header, 'generated-<meters>-<seed>' by default. ValueError says what is allowed.
    """
    if not 1 <= meters <= MAX_METERS:
        raise ValueError(f"meters: 1 to {MAX_METERS}, not {meters}")
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed: 0 to {MAX_SEED}, not {seed}")
    if name is not None and not NAME.match(name):
        raise ValueError(f"name: {NAME_RULE}")
    draws = _Draws(seed * 4096 + meters)
    # A larger quarter is a denser one: a PAN of 2 000 meters is not four kilometres wide.
    pitch_dm = max(30, min(80, 1100 // isqrt(meters)))
    streets = _grow(max(1, (meters * 5 + 15) // 16), draws)
    root = _build(streets, meters, pitch_dm, draws)
    counted = f"{meters} meter{'s' if meters > 1 else ''}"
    text = FeederText(
        name or f"generated-{meters}-{seed}",
        f"Generated quarter: {counted}, seed {seed}",
        ALL_PHASES,
        _lay_strip(root, draws),
    )
    return write(text, [f"Generated: {counted}, seed {seed}, {pitch_dm // 10}.{pitch_dm % 10} m a LED on average."])


def _grow(count: int, draws: _Draws) -> list[tuple[_Cell, _Cell]]:
    """`count` streets as (from, to) crossings, each `from` the coordinator's (0, 0) or an earlier `to`."""
    reached: set[_Cell] = {(0, 0)}
    parks: dict[_Cell, bool] = {}
    streets: list[tuple[_Cell, _Cell]] = []
    ahead: list[tuple[int, int, _Cell, _Cell]] = []
    serial = 0

    def look_around(cell: _Cell, came: _Cell, cost: int) -> None:
        nonlocal serial
        for step, price in _STEP_COST.items():
            there = (cell[0] + step[0], cell[1] + step[1])
            if there in reached:
                continue
            if there not in parks:
                parks[there] = draws.below(_PARK_ONE_IN) == 0
            price += (step != came) * _TURN_COST + parks[there] * _PARK_COST + draws.below(_SPREAD_COST)
            serial += 1
            heapq.heappush(ahead, (cost + price, serial, cell, there))

    look_around((0, 0), (0, 0), 0)
    while len(streets) < count:
        cost, _, here, there = heapq.heappop(ahead)
        if there in reached:
            continue
        reached.add(there)
        streets.append((here, there))
        look_around(there, (there[0] - here[0], there[1] - here[1]), cost)
    return streets


def _build(streets: list[tuple[_Cell, _Cell]], meters: int, pitch_dm: int, draws: _Draws) -> _Joint:
    """Streets with houses as a tree of joints, the coordinator's joint as its root."""
    root = _Joint(0, 0, 1, pitch_dm * 100, "underground")
    joints = {(0, 0): root}
    leads_on = {here for here, _ in streets}
    dead_ends = sum(there not in leads_on for _, there in streets)
    houses = _share_out(meters - dead_ends, len(streets), draws)
    grid_dm = _STREET_LEDS * pitch_dm
    shift_dm = pitch_dm * 9 // 5
    for index, (here, there) in enumerate(streets):
        start = joints[here]
        x = there[0] * grid_dm + draws.between(-shift_dm, shift_dm)
        y = there[1] * grid_dm + draws.between(-shift_dm, shift_dm)
        cable = start.cable
        if here != (0, 0) and cable == "underground" and draws.below(_OVERHEAD_ONE_IN) == 0:
            cable = "overhead"
        end = _street(start, x, y, cable, houses[index], pitch_dm, draws)
        joints[there] = end
        if there not in leads_on:
            _drop(end, x - start.x, y - start.y, draws.between(2, 3), pitch_dm)
    return root


def _share_out(houses: int, streets: int, draws: _Draws) -> list[list[int]]:
    """For each street the house places taken (0 to 3), as even as whole numbers allow."""
    shares = [houses * (i + 1) // streets - houses * i // streets for i in range(streets)]
    return [sorted(draws.shuffle([0, 1, 2, 3])[:share]) for share in draws.shuffle(shares)]


def _street(start: _Joint, x: int, y: int, cable: str, places: list[int], pitch_dm: int, draws: _Draws) -> _Joint:
    """Strip from `start` to (x, y); places 0 and 1 are left and right near its start, 2 and 3 near its end."""
    dx, dy = x - start.x, y - start.y
    length_dm = isqrt(dx * dx + dy * dy)
    leds = (length_dm + pitch_dm // 2) // pitch_dm
    mm_per_led = length_dm // leds * 100
    joint, done = start, 0
    for near, at in enumerate((*_HOUSES_AT, _STREET_LEDS)):
        sides = [place % 2 for place in places if place // 2 == near]
        led = leds * at // _STREET_LEDS
        if not sides and led < leds:
            continue
        px, py = start.x + _ratio(dx * led, leds), start.y + _ratio(dy * led, leds)
        joint = _hang(joint, _Joint(px, py, led - done, mm_per_led, cable))
        done = led
        for side in sides:
            turn = 1 if side else -1
            # Near the crossing the drops stay short: round the corner there may be a house as well.
            _drop(joint, -dy * turn, dx * turn, 2 if near == 0 else draws.between(2, 3), pitch_dm)
    return joint


def _drop(joint: _Joint, dx: int, dy: int, leds: int, pitch_dm: int) -> None:
    """A service drop of `leds` LEDs from `joint` to a house in the direction (dx, dy)."""
    reach, length = leds * pitch_dm, isqrt(dx * dx + dy * dy)
    x, y = joint.x + _ratio(dx * reach, length), joint.y + _ratio(dy * reach, length)
    _hang(joint, _Joint(x, y, leds, pitch_dm * 100, "service"))


def _hang(above: _Joint, below: _Joint) -> _Joint:
    above.below.append(below)
    return below


def _lay_strip(root: _Joint, draws: _Draws) -> list[Branch]:
    """Branches in the order of the strip: depth first, at each joint the smaller side first."""
    order = [root]
    for joint in order:
        order += joint.below
    for joint in reversed(order):
        joint.size = joint.leds + sum(below.size for below in joint.below)
        joint.below.sort(key=lambda below: below.size)
    west, north = min(joint.x for joint in order), min(joint.y for joint in order)
    branches: list[Branch] = []
    phases: list[int] = []
    stack = [(root, -1)]
    led = 0
    while stack:
        joint, parent = stack.pop()
        last = led + joint.leds - 1
        phase = -1
        if not joint.below:
            phases = phases or draws.shuffle([1, 2, 3])
            phase = phases.pop()
        way = ((joint.x - west, joint.y - north),)
        branches.append(Branch(led, last, parent, joint.mm_per_led, joint.cable, phase, way))
        stack += [(below, last) for below in reversed(joint.below)]
        led = last + 1
    return branches


def _ratio(value: int, whole: int) -> int:
    return (2 * value + whole) // (2 * whole)
