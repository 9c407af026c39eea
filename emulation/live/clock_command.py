"""Commands to the clock and the run: `cmd/speed`, `cmd/step`, `cmd/reset`. Neighbours: `commands`, `clock_desk`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from emulation.live.command_text import CommandError, Envelope, shown
from emulation.live.records import LEAST_PERMILLE, MOST_PERMILLE

LONGEST_STEP_US = 3_600_000_000

_SPEED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?|\.[0-9]{1,6}")
_ALLOWED = f"0 (pause), {LEAST_PERMILLE / 1000:g} to {MOST_PERMILLE / 1000:g} in steps of 0.001, auto"


@dataclass(slots=True)
class SpeedCommand:
    """Emulated time runs at `permille` thousandths of real time, or None: as fast as it honestly can."""

    permille: int | None


@dataclass(slots=True)
class StepCommand:
    """Emulated time goes on by so many microseconds and stands again."""

    us: int


@dataclass(slots=True)
class ResetCommand:
    """A new run from the clean state."""


def speed(envelope: Envelope) -> SpeedCommand:
    """Read `cmd/speed`. Raises CommandError."""
    value = _only_value(envelope, "auto")
    if value == "auto":
        return SpeedCommand(None)
    if not _SPEED.fullmatch(value):
        raise CommandError(f"speed {shown(value)}; allowed: {_ALLOWED}")
    permille = Decimal(value) * 1000
    if permille != int(permille) or (permille and not LEAST_PERMILLE <= permille <= MOST_PERMILLE):
        raise CommandError(f"speed {shown(value)}; allowed: {_ALLOWED}")
    return SpeedCommand(int(permille))


def step(envelope: Envelope) -> StepCommand:
    """Read `cmd/step`. Raises CommandError."""
    value = _only_value(envelope, "")
    if not value.isascii() or not value.isdigit() or len(value) > 12 or not 1 <= int(value) <= LONGEST_STEP_US:
        raise CommandError(f"step {shown(value)}; allowed: 1 to {LONGEST_STEP_US} microseconds")
    return StepCommand(int(value))


def reset(envelope: Envelope) -> ResetCommand:
    """Read `cmd/reset`, which takes no words. Raises CommandError."""
    if envelope.text or envelope.fields:
        raise CommandError("reset takes no words; allowed: an empty payload, or JSON with client and id alone")
    return ResetCommand()


def _only_value(envelope: Envelope, word: str) -> str:
    """The plain text, or the `value` of JSON (for `word`: also its `word`), as text."""
    if envelope.fields is None:
        return envelope.text
    allowed = ("value", "word") if word else ("value",)
    if len(envelope.fields) != 1 or next(iter(envelope.fields)) not in allowed:
        raise CommandError(f"JSON needs exactly one of {', '.join(allowed)}; allowed besides: client, id")
    value = next(iter(envelope.fields.values()))
    if type(value) is bool:
        raise CommandError(f"{shown(value)} is no number")
    return format(value, "f") if type(value) is Decimal else str(value)
