"""The walk over a board that is being soldered: which LED, branch and meter should be lit now, and the picture of it.

Branches follow in steps outwards from the coordinator (breadth first); of each first the whole, then LED by LED. Pure.
Neighbours: `board_walk_run` (keys and output), `emulation.grid.feeder`.
"""

from __future__ import annotations

from typing import NamedTuple

from emulation.grid.feeder import Branch, Feeder

WHITE = (150, 150, 150)
BLUE = (0, 16, 90)
AMBER = (90, 42, 0)


class Step(NamedTuple):
    """Branch `number` (from 1) of the walk; `led` -1: all of it."""

    number: int
    branch: Branch
    led: int


def branches(feeder: Feeder) -> list[Branch]:
    """The branches, breadth first; those that begin at one LED in the order of their own LEDs."""
    below: dict[int, list[Branch]] = {}
    for branch in feeder.branches:
        below.setdefault(branch.parent, []).append(branch)
    found = list(below.get(-1, []))
    for branch in found:
        found += below.get(branch.last, [])
    return found


def walk(feeder: Feeder) -> list[Step]:
    """All steps."""
    steps = []
    for number, branch in enumerate(branches(feeder), 1):
        if branch.first < branch.last:
            steps.append(Step(number, branch, -1))
        steps += [Step(number, branch, led) for led in range(branch.first, branch.last + 1)]
    return steps


def picture(feeder: Feeder, step: Step) -> bytes:
    """R G B of each LED: the branch blue, the LED white (or the branch's first one), the LED it hangs on amber."""
    branch = step.branch
    pixels = bytearray(3 * feeder.leds)
    for led in range(branch.first, branch.last + 1):
        pixels[3 * led : 3 * led + 3] = bytes(BLUE)
    if branch.parent >= 0:
        pixels[3 * branch.parent : 3 * branch.parent + 3] = bytes(AMBER)
    white = step.led if step.led >= 0 else branch.first
    pixels[3 * white : 3 * white + 3] = bytes(WHITE)
    return bytes(pixels)


def sentence(feeder: Feeder, step: Step) -> str:
    """What should be lit, in one line of at most 80 characters for a feeder of 411 LEDs."""
    branch = step.branch
    where = f"branch {step.number}/{len(feeder.branches)}:"
    if step.led < 0 or branch.first == branch.last:
        parent = f", {branch.parent} amber" if branch.parent >= 0 else ""
        one = branch.first == branch.last
        lit = f"LED {branch.first} white" if one else f"LEDs {branch.first}-{branch.last} blue, {branch.first} white"
        return f"{where} {lit}{parent}; {_end(feeder, branch.last)}"
    text = f"{where} LED {step.led} white, {step.led - branch.first + 1} of {branch.last - branch.first + 1}"
    return f"{text}; {_end(feeder, step.led)}" if step.led in (0, branch.last) else text


def _end(feeder: Feeder, led: int) -> str:
    """What is at an LED where a branch ends, or at the first."""
    station = feeder.stations.index(led) if led in feeder.stations else -1
    if station > 0:
        return f"ends at {feeder.station_name(station)} on L{feeder.phases[station]}"
    joints = len(feeder.children[led])
    goes_on = f"{joints} branches begin there" if joints > 1 else "1 branch begins there"
    return goes_on if station else f"the coordinator; {goes_on}"
