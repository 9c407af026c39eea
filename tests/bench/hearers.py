"""What each hearer adds to a transmission, and that stations out of earshot add nothing.

Whole collections cannot tell: where many hear, other frames are sent. So one meter is read again and again, in the
same octets, while more and more stations listen.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.lean import Lean, fit, lean
from tests.bench.night import budget_us

SEED, REPEATS = 1, 3
AUDIENCES = (4, 16, 48)
SILENT = 480
READS, EVERY_S, SETTLED_S = 100, 4, 30

_SCENARIO = """feeder = "audience.feeder"
profile = "demo"
limit = 3600
[channel]
tap_cb = 0
shadow_cb = 0
asymmetry_cb = 0
noise_spread_cb = 0
drift_cb = 0
walk_cb = 0
"""


def figures() -> Iterator[Figure]:
    """Least squares of time = a * transmissions + b * hearers over the emulated seconds of all audiences."""
    runs = {meters: _reading(meters, 0) for meters in AUDIENCES}
    where = f"one meter read {READS} times, best of {REPEATS}"
    for meters, run in runs.items():
        yield Figure("hearers", f"a transmission heard by {meters}", _us_per_tx(run), "us", where, budget_us(meters))
    slices = [piece for run in runs.values() for piece in run.after(SETTLED_S)]
    per_tx, per_hearer = fit(slices)
    what = f"{where}; least squares of a tx + b hearers over {len(slices)} emulated seconds"
    yield Figure("hearers", "fixed cost of a transmission", per_tx, "us", what)
    yield Figure("hearers", "cost of each hearer", per_hearer, "us", what)
    few = AUDIENCES[1]
    ratio = _us_per_tx(_reading(few, SILENT)) / _us_per_tx(runs[few])
    what = f"heard by {few}: {few + SILENT} stations against {few}"
    yield Figure("hearers", f"{SILENT} more stations out of earshot", ratio, "x", what, 1.25)


def _us_per_tx(run: Lean) -> float:
    pieces = run.after(SETTLED_S)
    return sum(piece[0] for piece in pieces) / max(1, sum(piece[1] for piece in pieces))


def _reading(meters: int, silent: int) -> Lean:
    """`meters` on one busbar, meter 1 read; `silent` more at the end of ten kilometres of cable."""
    branches = ["0 0 -1 1 underground - 0,0"]
    branches += [f"{led} {led} 0 1 service 1 {10 * led},10" for led in range(1, meters + 1)]
    if silent:
        far = meters + 1
        branches.append(f"{far} {far + 9} 0 999 underground - 0,100000")
        branches += [
            f"{led} {led} {far + 9} 1 service 1 {10 * led},100010" for led in range(far + 10, far + 10 + silent)
        ]
    jobs = "".join(f'[[job]]\nat = {1 + EVERY_S * turn}\ndo = "read"\nstation = 1\n' for turn in range(READS))
    with tempfile.TemporaryDirectory() as folder:
        feeder = "\n".join(["gridglow-feeder 1", "name: audience", "title: Who listens", *branches, ""])
        Path(folder, "audience.feeder").write_text(feeder, encoding="utf-8")
        path = Path(folder, "audience.toml")
        path.write_text(_SCENARIO + jobs, encoding="utf-8")
        return lean(str(path), SEED, repeats=REPEATS)
