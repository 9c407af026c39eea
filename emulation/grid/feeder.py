"""The feeder: a low-voltage cable tree that is at once the tree of LEDs on the board.

A branch is the triplet (first LED, last LED, last LED of the parent branch, -1 for the root) with metres of
cable per LED, cable type, mains phase and way on the map. LED 0 is the coordinator; a last LED that is nobody's
parent is a leaf, and the leaves in the order of their ids are the meters 1 to n. Everything is an integer once
loaded: the channel adds up millimetres, the light follows LED ids, and both see the same tree. The spelling of a
file is in `feeder_text.py`, its picture in `feeder_draw.py`; the format is described in docs/feeder-format.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from math import isqrt

from emulation.grid.feeder_text import (
    ALL_PHASES,
    CABLES,
    MAX_LEDS,
    MAX_OCTETS,
    Branch,
    FeederError,
    FeederText,
    parse,
)

__all__ = ["ALL_PHASES", "CABLES", "MAX_LEDS", "Branch", "Feeder", "FeederError", "shipped_feeders"]

_SUFFIX = ".feeder"


class Feeder:
    """A checked cable tree. Lists over LEDs are indexed by LED id, lists over stations by station number.

    name        short name from the file's header; `title` is its longer form
    sha256      hex SHA-256 of the file's octets
    source      text of the file
    branches    in the order of their first LED
    leds        number of LEDs, ids 0 to leds - 1
    parent_led  parent of each LED, -1 for LED 0
    children    children of each LED in rising order
    span_mm     cable in mm from each LED to its parent LED, 0 for LED 0
    root_mm     cable in mm from each LED to LED 0
    depth       steps from each LED to LED 0
    cable       type of the span from each LED to its parent LED, one of CABLES
    stations    LED of each station: 0 the coordinator, then the meters
    phases      mains phase of each station, 1 to 3; the coordinator's may be ALL_PHASES (0)
    xy          (x, y) of each LED in decimetres on the ground, x to the east, y to the south
    """

    __slots__ = (
        "branches",
        "cable",
        "children",
        "depth",
        "leds",
        "name",
        "parent_led",
        "phases",
        "root_mm",
        "sha256",
        "source",
        "span_mm",
        "stations",
        "title",
        "xy",
    )

    def __init__(self, text: FeederText, file: str, sha256: str, source: str) -> None:
        """Check `text` as a whole and lay it out. Raises FeederError(file, line, reason)."""
        branches = sorted(text.branches, key=lambda branch: (branch.first, branch.line))
        self.name = text.name
        self.title = text.title
        self.sha256 = sha256
        self.source = source
        self.branches = branches
        self.leds = _check_ids(branches, file)
        order = _check_tree(branches, file)
        leaves = _check_leaves(branches, file)
        self.parent_led, self.span_mm, self.cable = _spans(branches, self.leds)
        self.xy = _positions(order, self.leds, file)
        self.root_mm, self.depth, self.children = _depths(order, self.parent_led, self.span_mm)
        self.stations = [0, *(branch.last for branch in leaves)]
        self.phases = [text.coordinator_phase, *(branch.phase for branch in leaves)]

    @classmethod
    def loads(cls, text: str, name: str = "feeder") -> Feeder:
        """A feeder from the text of a file; `name` stands for the file in errors. Raises FeederError."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return cls(parse(text, name), name, digest, text)

    @classmethod
    def load(cls, path_or_name: str | os.PathLike[str]) -> Feeder:
        """A feeder by the name of a shipped one ('board') or from a file. Raises FeederError only."""
        file = os.fspath(path_or_name)
        try:
            if file in shipped_feeders():
                octets = (resources.files("emulation.grid") / "feeders" / (file + _SUFFIX)).read_bytes()
            else:
                with open(file, "rb") as stream:
                    octets = stream.read(MAX_OCTETS + 1)
        except FileNotFoundError:
            reason = f"no such file (shipped feeders: {', '.join(shipped_feeders())})"
            raise FeederError(file.strip() or repr(file), 0, reason) from None
        except (OSError, ValueError) as error:
            raise FeederError(file, 0, getattr(error, "strerror", None) or "not a usable file name") from None
        if len(octets) > MAX_OCTETS:
            raise FeederError(file, 0, f"longer than {MAX_OCTETS} octets")
        try:
            text = octets.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = octets.count(b"\n", 0, error.start) + 1
            raise FeederError(file, line, "not UTF-8") from None
        return cls(parse(text, file), file, hashlib.sha256(octets).hexdigest(), text)

    @property
    def meters(self) -> int:
        """Number of meters; stations are 0 to meters."""
        return len(self.stations) - 1

    @property
    def total_mm(self) -> int:
        """All cable of the feeder in mm."""
        return sum(self.span_mm)

    def station_name(self, station: int) -> str:
        """'coordinator' for station 0, else 'meter-17'."""
        return f"meter-{station}" if station else "coordinator"

    def is_leaf(self, led: int) -> bool:
        """Whether no LED hangs on `led`."""
        return not self.children[led]

    def common_led(self, led_a: int, led_b: int) -> int:
        """The LED where the ways of `led_a` and `led_b` to the coordinator meet."""
        parent, depth = self.parent_led, self.depth
        while led_a != led_b:
            if depth[led_a] >= depth[led_b]:
                led_a = parent[led_a]
            else:
                led_b = parent[led_b]
        return led_a

    def path(self, led_a: int, led_b: int) -> list[int]:
        """LED ids along the cable from `led_a` to `led_b`, both included."""
        meet = self.common_led(led_a, led_b)
        up = self._climb(led_a, meet)
        down = self._climb(led_b, meet)
        return [*up, meet, *reversed(down)]

    def _climb(self, led: int, end: int) -> list[int]:
        way = []
        while led != end:
            way.append(led)
            led = self.parent_led[led]
        return way

    def distance_mm(self, led_a: int, led_b: int) -> int:
        """Cable in mm between two LEDs."""
        return self.root_mm[led_a] + self.root_mm[led_b] - 2 * self.root_mm[self.common_led(led_a, led_b)]

    def distance_leds(self, led_a: int, led_b: int) -> int:
        """Steps along the tree between two LEDs."""
        return self.depth[led_a] + self.depth[led_b] - 2 * self.depth[self.common_led(led_a, led_b)]

    def breadth_first(self, led: int) -> list[tuple[int, int, int]]:
        """Every LED as (LED, the LED it is reached from or -1, cable in mm), in steps outwards from `led`."""
        found = [(led, -1, 0)]
        for here, came_from, way_mm in found:
            above = self.parent_led[here]
            if above >= 0 and above != came_from:
                found.append((above, here, way_mm + self.span_mm[here]))
            found += [
                (below, here, way_mm + self.span_mm[below]) for below in self.children[here] if below != came_from
            ]
        return found


def shipped_feeders() -> list[str]:
    """Names of the feeders that come with the package, sorted."""
    folder = resources.files("emulation.grid") / "feeders"
    return sorted(item.name.removesuffix(_SUFFIX) for item in folder.iterdir() if item.name.endswith(_SUFFIX))


def _check_ids(branches: Sequence[Branch], file: str) -> int:
    """Every id from 0 on exactly once; gives the number of LEDs."""
    due = 0
    before = branches[0]
    for branch in branches:
        if branch.first < due:
            taken = (
                f"LED {branch.first}"
                if branch.first == min(branch.last, due - 1)
                else (f"LEDs {branch.first} to {min(branch.last, due - 1)}")
            )
            late, early = (branch, before) if branch.line >= before.line else (before, branch)
            raise FeederError(file, late.line, f"{taken} already on the branch of line {early.line}")
        if branch.first > due:
            gap = f"LED {due} is" if branch.first == due + 1 else f"LEDs {due} to {branch.first - 1} are"
            raise FeederError(file, branch.line, f"{gap} on no branch")
        due = branch.last + 1
        before = branch
    return due


def _check_tree(branches: Sequence[Branch], file: str) -> list[Branch]:
    """One root that begins with LED 0 and leads to every branch; gives the branches, parents first."""
    by_last = {branch.last: branch for branch in branches}
    below: dict[int, list[Branch]] = {}
    roots = [branch for branch in branches if branch.parent < 0]
    if len(roots) > 1:
        second = max(roots, key=lambda branch: branch.line)
        first = min(roots, key=lambda branch: branch.line)
        raise FeederError(file, second.line, f"second root (parent -1), the first is in line {first.line}")
    for branch in branches:
        if branch.parent >= 0 and branch.parent not in by_last:
            raise FeederError(file, branch.line, f"unknown parent: LED {branch.parent} is not the last LED of a branch")
        below.setdefault(branch.parent, []).append(branch)
    if not roots:
        raise FeederError(file, branches[0].line, "no root: one branch must have the parent -1")
    if roots[0].first != 0:
        raise FeederError(
            file, roots[0].line, f"the root begins with LED {roots[0].first}, not with LED 0, the coordinator"
        )
    order = [roots[0]]
    for branch in order:
        order += below.get(branch.last, [])
    if len(order) < len(branches):
        stray = _on_a_cycle(branches, by_last, {branch.first for branch in order})
        raise FeederError(file, stray.line, f"cycle: from LED {stray.first} parents lead back to it, not to the root")
    return order


def _on_a_cycle(branches: Sequence[Branch], by_last: dict[int, Branch], reached: set[int]) -> Branch:
    branch = next(branch for branch in branches if branch.first not in reached)
    seen: set[int] = set()
    while branch.first not in seen:
        seen.add(branch.first)
        branch = by_last[branch.parent]
    return branch


def _check_leaves(branches: Sequence[Branch], file: str) -> list[Branch]:
    """Phases and positions where they belong; gives the leaves' branches in the order of their last LED."""
    parents = {branch.parent for branch in branches}
    leaves = []
    for branch in branches:
        leaf = branch.last not in parents
        what = f"leaf LED {branch.last}" if leaf else f"branch of LED {branch.first}"
        if leaf and branch.last == 0:
            raise FeederError(file, branch.line, "no meter: LED 0 is the coordinator and nothing hangs on it")
        if not branch.points:
            raise FeederError(file, branch.line, f"{what} has no position")
        if leaf and branch.phase < 0:
            raise FeederError(file, branch.line, f"{what} is a meter and has no phase")
        if not leaf and branch.phase >= 0:
            raise FeederError(
                file,
                branch.line,
                f"phase on a branch that ends at a joint, not at a meter (LED {branch.last})",
            )
        if leaf:
            leaves.append(branch)
    return leaves


def _spans(branches: Sequence[Branch], leds: int) -> tuple[list[int], list[int], list[str]]:
    parent_led = list(range(-1, leds - 1))
    span_mm = [0] * leds
    cable = [""] * leds
    for branch in branches:
        parent_led[branch.first] = branch.parent
        for led in range(branch.first, branch.last + 1):
            span_mm[led] = branch.mm_per_led
            cable[led] = branch.cable
    span_mm[0] = 0
    return parent_led, span_mm, cable


def _depths(
    order: Sequence[Branch], parent_led: Sequence[int], span_mm: Sequence[int]
) -> tuple[list[int], list[int], list[tuple[int, ...]]]:
    leds = len(parent_led)
    root_mm = [0] * leds
    depth = [0] * leds
    children: list[list[int]] = [[] for _ in range(leds)]
    for branch in order:
        for led in range(branch.first, branch.last + 1):
            above = parent_led[led]
            if above >= 0:
                root_mm[led] = root_mm[above] + span_mm[led]
                depth[led] = depth[above] + 1
    for led in range(1, leds):
        children[parent_led[led]].append(led)
    return root_mm, depth, [tuple(below) for below in children]


def _positions(order: Sequence[Branch], leds: int, file: str) -> list[tuple[int, int]]:
    """LEDs at equal steps along each branch's way, from its parent LED to its own last LED."""
    xy = [(0, 0)] * leds
    for branch in order:
        if branch.parent >= 0:
            way = [xy[branch.parent], *branch.points]
            placed = _along(way, branch.leds, file, branch.line)[1:]
        elif branch.leds == 1:
            if len(branch.points) > 1:
                raise FeederError(file, branch.line, "LED 0 alone has one position")
            placed = [branch.points[0]]
        else:
            placed = _along(branch.points, branch.leds - 1, file, branch.line)
        xy[branch.first : branch.last + 1] = placed
    return xy


def _along(way: Sequence[tuple[int, int]], steps: int, file: str, line: int) -> list[tuple[int, int]]:
    """`steps` + 1 points at equal distances along `way`, rounded to whole decimetres.

    Lengths are integers in 1/1000 dm: every Python on every machine places every LED alike.
    """
    lengths = [isqrt(((bx - ax) ** 2 + (by - ay) ** 2) * 1_000_000) for (ax, ay), (bx, by) in pairwise(way)]
    total = sum(lengths)
    if total == 0 or 0 in lengths:
        raise FeederError(file, line, "way on the map without length: a point stands twice")
    placed = [way[0]]
    piece, done = 0, 0
    for step in range(1, steps):
        wanted = total * step // steps
        while wanted > done + lengths[piece]:
            done += lengths[piece]
            piece += 1
        (ax, ay), (bx, by) = way[piece], way[piece + 1]
        part, whole = wanted - done, lengths[piece]
        placed.append((ax + _ratio(bx - ax, part, whole), ay + _ratio(by - ay, part, whole)))
    placed.append(way[-1])
    return placed


def _ratio(value: int, part: int, whole: int) -> int:
    return (2 * value * part + whole) // (2 * whole)
