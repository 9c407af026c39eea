"""Five hundred meters in four processes on this machine, director and coordinator in two more."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure
from tests.bench.live_run import many_processes

SEED, SECONDS = 1, 120
GROUPS = ("1-125", "126-250", "251-375", "376-500")
SPEEDS = ("1",)


def figures() -> Iterator[Figure]:
    """The first two minutes of the collection."""
    for speed in SPEEDS:
        run = many_processes(GROUPS, "meters500", SEED, speed, SECONDS)
        where = f"meters500 at {speed}x, {run.emulated_s:.0f} s"
        yield Figure("live 500", "stations on", run.ready, "of 501", where, 501, at_least=True)
        yield Figure("live 500", "all stations online", run.all_on_s, "s", where)
        yield Figure("live 500", "processor, all six", 100 * sum(run.cpu.values()), "% of a core", where)
        yield Figure("live 500", "resident memory, all six", sum(run.rss_mb.values()), "MB", where)
        yield Figure("live 500", "late frames", 100 * run.late_share, "%", f"{run.late} of {run.heard}", 0.1)
        yield Figure("live 500", "announced with too little lead", run.sense_doubt, "", where)
        yield Figure("live 500", "meters read", len(run.read), "", where)
