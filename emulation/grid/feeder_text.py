"""The feeder file as text: one line read at a time into header and branches, and written back the same way.

The format is described in docs/feeder-format.md. This file knows the spelling only; that the branches form one
tree, and what follows from it, is in `feeder.py`. Numbers are integers as soon as they are read: millimetres of
cable, decimetres on the map.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAGIC = "gridglow-feeder 1"
MAX_LEDS = 65_000
MAX_OCTETS = 16_000_000
MAX_XY_DM = 10_000_000

CABLES = ("underground", "overhead", "service")
PHASES = (1, 2, 3)
ALL_PHASES = 0

_HEADER = re.compile(r"([a-z][a-z-]*)\s*:\s*(.*?)\s*\Z")
_KEYS = ("name", "title", "coordinator-phase")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")
NAME_RULE = "1 to 32 of a-z, 0-9, '-', '_', starting with a letter or digit"
_INT = re.compile(r"-?[0-9]{1,9}\Z")
_METRES = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,3}))?\Z")
_POINT = re.compile(r"(-?[0-9]{1,9}),(-?[0-9]{1,9})\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_COLUMNS = "first last parent metres-per-LED cable phase x,y ..."


class FeederError(Exception):
    """A feeder that cannot be used: `file` as named, `line` from 1 (0: the file as a whole), `reason`."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}" if line else f"{file}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(slots=True)
class Branch:
    """One piece of strip: LEDs `first` to `last` on one cable, joined to LED `parent` (-1: the root).

    `mm_per_led` is the cable in mm from each of its LEDs to the one before it (for `first`: to `parent`); `phase`
    is 1 to 3 on a leaf's branch and -1 elsewhere; `points` is the way on the map in dm, without the parent's own
    point. `line` is where it stands in its file.
    """

    first: int
    last: int
    parent: int
    mm_per_led: int
    cable: str
    phase: int = -1
    points: tuple[tuple[int, int], ...] = ()
    line: int = 0

    @property
    def leds(self) -> int:
        """Number of LEDs on the branch, at least 1."""
        return self.last - self.first + 1


@dataclass(slots=True)
class FeederText:
    """What a file says, line by line correct, not yet checked as a whole."""

    name: str
    title: str
    coordinator_phase: int
    branches: list[Branch]


def parse(text: str, file: str) -> FeederText:
    """Read a feeder file's text; `file` is its name in errors. Raises FeederError only."""
    header: dict[str, str] = {}
    branches: list[Branch] = []
    magic = False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r")
        if _CONTROL.search(line):
            raise FeederError(file, number, "control character")
        line = line.strip()
        if not line or line[0] == "#":
            continue
        if not magic:
            if line.split() != MAGIC.split():
                raise FeederError(file, number, f"not a feeder file: it must begin with '{MAGIC}'")
            magic = True
        elif line[0].isalpha():
            if branches:
                raise FeederError(file, number, "header line after the first branch")
            _read_header(header, line, file, number)
        else:
            branches.append(_read_branch(line.partition("#")[0], file, number))
    if not magic:
        raise FeederError(file, 0, f"empty: a feeder file begins with '{MAGIC}'")
    if not branches:
        raise FeederError(file, 0, "no branch")
    if "name" not in header:
        raise FeederError(file, 0, "header key 'name' is missing")
    phase = int(header.get("coordinator-phase", str(ALL_PHASES)))
    return FeederText(header["name"], header.get("title", header["name"]), phase, branches)


def _read_header(header: dict[str, str], line: str, file: str, number: int) -> None:
    match = _HEADER.match(line)
    if match is None:
        raise FeederError(file, number, "neither 'key: value' nor a branch")
    key, value = match.group(1), match.group(2)
    if key not in _KEYS:
        raise FeederError(file, number, f"unknown key '{key}' (allowed: {', '.join(_KEYS)})")
    if key in header:
        raise FeederError(file, number, f"key '{key}' given twice")
    if key == "name" and not NAME.match(value):
        raise FeederError(file, number, f"name: {NAME_RULE}")
    if key == "title" and not 1 <= len(value) <= 80:
        raise FeederError(file, number, "title: 1 to 80 characters")
    if key == "coordinator-phase" and value not in ("0", "1", "2", "3"):
        raise FeederError(file, number, "coordinator-phase: 1, 2, 3, or 0 for all three")
    header[key] = value


def _read_branch(line: str, file: str, number: int) -> Branch:
    fields = line.split()
    if len(fields) < 6:
        raise FeederError(file, number, f"{len(fields)} columns where a branch has: {_COLUMNS}")
    first = _led(fields[0], "first LED", 0, file, number)
    last = _led(fields[1], "last LED", 0, file, number)
    parent = _led(fields[2], "parent", -1, file, number)
    if last < first:
        raise FeederError(file, number, f"last LED {last} is before first LED {first}")
    mm_per_led = _millimetres(fields[3], file, number)
    if fields[4] not in CABLES:
        raise FeederError(file, number, f"unknown cable '{fields[4]}' (allowed: {', '.join(CABLES)})")
    phase = -1
    if fields[5] != "-":
        if fields[5] not in ("1", "2", "3"):
            raise FeederError(file, number, f"phase '{fields[5]}' (allowed: 1, 2, 3, or - where no meter is)")
        phase = int(fields[5])
    points = tuple(_point(field, file, number) for field in fields[6:])
    return Branch(first, last, parent, mm_per_led, fields[4], phase, points, number)


def _led(field: str, what: str, least: int, file: str, number: int) -> int:
    if not _INT.match(field):
        raise FeederError(file, number, f"{what} '{field}' is not a whole number")
    value = int(field)
    if value >= MAX_LEDS:
        raise FeederError(file, number, f"{what} {value}: a feeder has at most {MAX_LEDS} LEDs, ids from 0")
    if value < least:
        raise FeederError(file, number, f"{what} {value} is negative")
    return value


def _millimetres(field: str, file: str, number: int) -> int:
    match = _METRES.match(field)
    value = 0
    if match is not None:
        value = int(match.group(1)) * 1000 + int((match.group(2) or "").ljust(3, "0"))
    if not 1 <= value <= 1_000_000:
        raise FeederError(file, number, f"metres per LED '{field}' (allowed: 0.001 to 1000, three decimals)")
    return value


def _point(field: str, file: str, number: int) -> tuple[int, int]:
    match = _POINT.match(field)
    if match is None:
        raise FeederError(file, number, f"position '{field}' is not x,y in whole decimetres")
    x, y = int(match.group(1)), int(match.group(2))
    if abs(x) > MAX_XY_DM or abs(y) > MAX_XY_DM:
        raise FeederError(file, number, f"position '{field}' is farther than 1000 km from the origin")
    return x, y


def write(text: FeederText, comments: Sequence[str] = ()) -> str:
    """The file for `text`: parsed again it is the same but for line numbers. `comments` follow its first line."""
    lines = [MAGIC, *(f"# {comment}" for comment in comments), f"name: {text.name}", f"title: {text.title}"]
    if text.coordinator_phase != ALL_PHASES:
        lines.append(f"coordinator-phase: {text.coordinator_phase}")
    lines += ["", "# LEDs       parent  m/LED  cable        phase  way on the map (dm)"]
    for branch in text.branches:
        metres = f"{branch.mm_per_led // 1000}.{branch.mm_per_led % 1000:03d}".rstrip("0").rstrip(".")
        phase = "-" if branch.phase < 0 else str(branch.phase)
        way = " ".join(f"{x},{y}" for x, y in branch.points)
        lines.append(
            f"{branch.first:5d} {branch.last:5d} {branch.parent:6d} {metres:>6s}  {branch.cable:11s}"
            f"  {phase:>3s}    {way}"
        )
    return "\n".join(lines) + "\n"
