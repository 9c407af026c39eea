"""The board's night: what a transmission costs with nobody watching, and with all evidence written."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from emulation.scenario import load
from gridglow.simulate import run
from tests.bench.figure import Figure
from tests.bench.lean import Lean, lean

SEED = 1
REPEATS = 9
"""A run takes a fraction of a second, and machines are quicker in one second than in the next."""


def budget_us(hearers: float) -> float:
    """What a transmission may cost with no evidence, in microseconds."""
    return 30 + 2.5 * hearers


def figures() -> Iterator[Figure]:
    """Best of `REPEATS` each."""
    best = lean("night", SEED, repeats=REPEATS)
    budget = budget_us(best.mean_hearers)
    where = f"night, seed {SEED}, {best.transmissions} transmissions, best of {REPEATS}"
    yield Figure("night", "mean hearers of a transmission", best.mean_hearers, "", where)
    yield Figure("night", "a transmission, no evidence", best.us_per_tx, "us", where, budget)
    yield Figure("night", "the same against the aim of half", best.us_per_tx, "us", where, budget / 2)
    evidence_us, read = _with_evidence()
    per_tx = evidence_us / max(1, best.transmissions)
    yield Figure("night", "a transmission, all evidence", per_tx, "us", f"{where}, --out", 2 * budget)
    yield Figure("night", "whole run, no evidence", best.run_us / 1e6, "s", where)
    yield Figure("night", "faster than real time", faster(best), "x", where)
    yield Figure("night", "meters read", read, "of 48", f"night, seed {SEED}", 48, at_least=True)


def faster(run_: Lean) -> float:
    """Emulated time over processor time."""
    return run_.emulated_us / run_.run_us


def _with_evidence() -> tuple[float, int]:
    """Processor time in microseconds of a run with everything written, building and closing included; meters read."""
    times, read = [], 0
    for _ in range(REPEATS):
        scenario = load("night")
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            outcome = run(scenario, SEED, Path(folder))
            times.append((time.process_time() - start) * 1e6)
            read = int(outcome.summary["read"])
    return min(times), read
