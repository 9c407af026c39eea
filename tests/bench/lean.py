"""A run that nobody watches, in a process of its own: its cost by transmission, its memory, and who was read.

`python -m tests.bench.lean SCENARIO SEED [METERS]` runs one and prints its figures as JSON; `lean` starts that. It
counts processor time, not wall time, so that whoever else uses the machine counts less. With METERS the scenario runs
on a generated feeder of so many.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from emulation.grid.feeder_generate import generate
from emulation.observe.tap import Trace
from emulation.scenario import load, loads
from g3plc.core.env import Clock, ignore
from g3plc.events import Event, ReadDone
from gridglow.simulate import build, patient_collector

Slice = tuple[float, int, int, int]
"""Of one emulated second: microseconds of processor time, transmissions, hearers summed; and which second."""


@dataclass(slots=True)
class Lean:
    """What a run cost, without building the stations, which is done in the silence of the first emulated second.

    `slices` has the emulated seconds in which something was sent.
    """

    run_us: float
    transmissions: int
    hearers: int
    emulated_us: int
    rss_kb: int
    stations: int
    read: list[int]
    slices: list[Slice]

    @property
    def us_per_tx(self) -> float:
        """Microseconds of processor time per transmission."""
        return self.run_us / max(1, self.transmissions)

    @property
    def mean_hearers(self) -> float:
        """Stations that a transmission reaches, on average."""
        return self.hearers / max(1, self.transmissions)

    def after(self, second: int) -> list[Slice]:
        """The slices from a second on."""
        return [piece for piece in self.slices if piece[3] >= second]


class ReadingsOnly(Trace):
    """The trace of a run in which nobody watches but for the meters that the coordinator has read."""

    __slots__ = ("read",)

    def __init__(self) -> None:
        super().__init__()
        self.read: set[int] = set()

    def note_for(self, node: int, clock: Clock) -> Callable[..., None]:
        """Nothing for a meter, the next to nothing for the coordinator."""
        if node:
            return ignore
        read = self.read

        def note(kind: type[Event], *fields: int) -> None:
            if kind is ReadDone:
                read.add(fields[0])

        return note


def lean(scenario: str, seed: int, meters: int | None = None, repeats: int = 1) -> Lean:
    """The cheapest of `repeats` runs."""
    arguments = [scenario, str(seed)] + ([] if meters is None else [str(meters)])
    runs = []
    for _ in range(repeats):
        command = [sys.executable, "-m", "tests.bench.lean", *arguments]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        runs.append(Lean(**json.loads(printed)))
    return min(runs, key=lambda run: run.run_us)


def fit(slices: Iterable[Slice]) -> tuple[float, float]:
    """(us per transmission, us per hearer) that explain the slices best.

    Least squares of time = a * transmissions + b * hearers, each slice weighted by 1 / transmissions, which makes the
    fit exact for the whole run.
    """
    n = h = hh = t = ht = 0.0
    for us, sent, heard, _ in slices:
        n += sent
        h += heard
        hh += heard * heard / sent
        t += us
        ht += heard * us / sent
    determinant = n * hh - h * h
    if not determinant:
        return t / max(n, 1.0), 0.0
    return (t * hh - h * ht) / determinant, (n * ht - h * t) / determinant


def measure(name: str, seed: int, meters: int | None) -> Lean:
    """Run it here."""
    scenario = load(name)
    if meters is not None:
        feeder = generate(meters, seed)
        scenario = loads(scenario.text, f"{name}.toml", None, feeder_text=feeder)
    trace = ReadingsOnly()
    simulation = build(scenario, seed, trace)
    medium = simulation.medium
    slices: list[Slice] = []
    before: list[Slice] = []

    def look(_: object) -> None:
        now = (time.process_time() * 1e6, medium.transmissions, medium.hearers, len(before))
        if before and now[1] > before[-1][1]:
            was = before[-1]
            slices.append((now[0] - was[0], now[1] - was[1], now[2] - was[2], now[3]))
        before.append(now)

    gc.collect()
    with patient_collector():
        simulation.run(look)
    run_us = before[-1][0] - before[0][0]
    gc.collect()
    return Lean(
        run_us=run_us,
        transmissions=medium.transmissions,
        hearers=medium.hearers,
        emulated_us=simulation.emulated_us,
        rss_kb=_rss_kb(),
        stations=len(simulation.stations),
        read=sorted(trace.read),
        slices=slices,
    )


def _rss_kb() -> int:
    """Resident memory now; where the system does not tell, its peak."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize() // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    print(json.dumps(asdict(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else None))))
