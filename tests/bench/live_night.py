"""The whole night at 1x in one process, on each broker: five minutes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure, say
from tests.bench.live import SEED, of_a_run
from tests.bench.live_run import one_process

METERS = 48
SHORT_S = 20


def figures(short: bool = False) -> Iterator[Figure]:
    """One run each."""
    for kind in ("mosquitto", "amqtt"):
        run = one_process(kind, "night", SEED, "1", SHORT_S if short else None)
        say(f"night at 1x on {kind}: {run.emulated_s:.0f} s, {len(run.read)} meters read, {run.late} frames late")
        yield from of_a_run(f"night, {kind}", run, f"night at 1x, {run.emulated_s:.0f} s", kind)
        read = 1 if short else METERS
        yield Figure(
            f"night, {kind}", "meters read", len(run.read), f"of {METERS}", f"seed {SEED}", read, at_least=True
        )
