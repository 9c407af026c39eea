"""Five hundred meters in four processes on this machine, director and coordinator in two more. Six minutes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure, say
from tests.bench.live_run import many_processes

SEED, SECONDS = 1, 120
GROUPS = ("1-125", "126-250", "251-375", "376-500")
SPEEDS = ("1", "2", "4")
SHORT_SPEEDS, SHORT_S = ("1",), 20
HONEST_AT_1X = 0.1


def figures(short: bool = False) -> Iterator[Figure]:
    """The first two minutes of the collection, which begin with the flood for the first meter, at each speed."""
    for speed in SHORT_SPEEDS if short else SPEEDS:
        run = many_processes(GROUPS, "meters500", SEED, speed, SHORT_S if short else SECONDS)
        bench, late = f"live 500, {speed}x", f"{run.late} of {run.heard}"
        where = f"meters500 at {speed}x, {run.emulated_s:.0f} s"
        say(f"{where}: {run.ready} stations on after {run.all_on_s:.1f} s, late {late}")
        yield Figure(bench, "stations on", run.ready, "of 501", where, 501, at_least=True)
        yield Figure(bench, "all stations online", run.all_on_s, "s", where)
        yield Figure(bench, "processor, all six", 100 * sum(run.cpu.values()), "% of a core", where)
        yield Figure(bench, "resident memory, all six", sum(run.rss_mb.values()), "MB", where)
        yield Figure(bench, "late frames", 100 * run.late_share, "%", late, HONEST_AT_1X if speed == "1" else None)
        yield Figure(bench, "announced with too little lead", run.sense_doubt, "", where)
        yield Figure(bench, "meters read", len(run.read), "", where)
