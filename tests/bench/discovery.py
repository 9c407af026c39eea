"""Route discovery on the idle board network: from the RREQ to the RREP at the coordinator."""

from __future__ import annotations

from collections.abc import Iterator

from emulation.media.channel import Channel
from emulation.scenario import Scenario, load
from g3plc.events import Rrep, Rreq
from tests.bench.figure import Figure, percentile
from tests.bench.watch import NEVER, channel_hops, one_job, watched

SEEDS = 100
SPREAD, WEAKEST = 3, 3
"""Meters for each seed: some in turn, and those of which the coordinator hears least, for the long routes."""
NEAR_HOPS = 3


def figures() -> Iterator[Figure]:
    """Each discovery in a network of its own with empty tables."""
    scenario = load("route")
    near: list[float] = []
    far: list[float] = []
    for seed in range(1, SEEDS + 1):
        for meter in _meters(scenario, seed):
            hops, seconds = discovery(scenario, seed, meter)
            (near if hops <= NEAR_HOPS else far).append(seconds)
    where = f"profile demo, board, {SEEDS} seeds"
    for name, times, target in ((f"up to {NEAR_HOPS} hops", near, 2), ("beyond", far, 4)):
        lost = sum(1 for seconds in times if seconds == NEVER)
        what = f"{where}: {len(times)} searches, {lost} without answer"
        yield Figure("discovery", f"RREQ to RREP, p90, {name}", percentile(times, 90), "s", what, target)
        yield Figure("discovery", f"RREQ to RREP, p50, {name}", percentile(times, 50), "s", what)


def _meters(scenario: Scenario, seed: int) -> list[int]:
    channel = Channel(scenario.feeder, seed, scenario.channel, scenario.epoch_s * 1_000_000)
    distance = [scenario.feeder.distance_mm(0, led) for led in scenario.feeder.stations]

    def heard(meter: int) -> int:
        level = channel.level_cb(meter, 0)
        return -distance[meter] if level is None else level

    weakest = sorted(range(1, scenario.meters + 1), key=heard)[:WEAKEST]
    return weakest + [1 + (7 * seed + 16 * turn) % scenario.meters for turn in range(SPREAD)]


def discovery(scenario: Scenario, seed: int, meter: int) -> tuple[int, float]:
    """(hops, seconds) of one discovery; without answer the hops are those that the channel would allow."""
    simulation, events = watched(one_job(scenario, meter), seed, Rreq, Rrep)
    asked = next((e.t for e in events if type(e) is Rreq and e.action == "sent" and e.node == 0), None)
    for event in events:
        if type(event) is Rrep and event.action == "received" and event.node == 0 and event.originator == meter:
            return event.hop_count, (event.t - (asked or 0)) / 1e6
    return channel_hops(simulation, meter), NEVER
