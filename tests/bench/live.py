"""A live run in one process: how soon it is ready, what it costs at 1x. Minutes; the long ones are `live_...`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure
from tests.bench.live_run import Live, one_process

SEED, SECONDS, REPEATS = 1, 40, 2
MOST_CPU, MOST_MB, READY_S = 40, 120, 3


def figures() -> Iterator[Figure]:
    """The first part of the night at 1x on each broker; the better of two, since others use the machine, too."""
    for kind in ("mosquitto", "amqtt"):
        runs = [one_process(kind, "night", SEED, "1", SECONDS) for _ in range(REPEATS)]
        yield from of_a_run(
            f"live, {kind}", min(runs, key=lambda run: (run.late, run.cpu["up"])), f"night at 1x, {SECONDS} s", kind
        )
        all_on = min(run.all_on_s for run in runs)
        ready = min(run.runs_s for run in runs)
        where = "from the start of the process, its own broker" if kind == "amqtt" else "from the start of the process"
        yield Figure(f"live, {kind}", "all stations online", all_on, "s", where, READY_S)
        yield Figure(f"live, {kind}", "first route possible: time runs", ready, "s", where, READY_S)


def of_a_run(bench: str, run: Live, where: str, kind: str) -> Iterator[Figure]:
    """What it cost, and what came late."""
    inside = ", broker included" if kind == "amqtt" else ", broker excluded"
    yield Figure(bench, f"processor{inside}", 100 * run.cpu["up"], "% of a core", where, MOST_CPU)
    yield Figure(bench, "resident memory", run.rss_mb["up"], "MB", where, MOST_MB)
    yield Figure(bench, "late frames", run.late, f"of {run.heard}", where, 0)
    yield Figure(bench, "announced with too little lead", run.sense_doubt, "", where)
    yield Figure(bench, "worst lateness of a callback", run.lag_ms, "ms", where)
