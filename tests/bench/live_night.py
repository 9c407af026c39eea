"""The whole night at 1x in one process, on each broker."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure
from tests.bench.live import SEED, of_a_run
from tests.bench.live_run import one_process


def figures() -> Iterator[Figure]:
    """One run each: about two minutes."""
    for kind in ("mosquitto", "amqtt"):
        run = one_process(kind, "night", SEED, "1")
        yield from of_a_run(f"night, {kind}", run, f"night at 1x, {run.emulated_s:.0f} s", kind)
        yield Figure(f"night, {kind}", "meters read", len(run.read), "of 48", f"seed {SEED}", 48, at_least=True)
