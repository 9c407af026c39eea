"""Five hundred meters: who is read, and what it costs. What each hearer adds is measured by `hearers`."""

from __future__ import annotations

from collections.abc import Iterator

from emulation.media.channel import Channel
from emulation.media.reach import reachable
from emulation.scenario import load
from g3plc.loadng.profiles import profile
from tests.bench.figure import Figure
from tests.bench.lean import Lean, lean
from tests.bench.night import budget_us, faster

SEED = 1
KB_PER_STATION = 60
MORE = 1.5
"""How much more than among 48 meters the two parts of the budget may be."""


def figures() -> Iterator[Figure]:
    """One run of it, and one with a single meter for the memory."""
    many = lean("meters500", SEED)
    yield from _collected(many)
    yield from _cost(many)
    one = lean("meters500", SEED, meters=1)
    per_station = (many.rss_kb - one.rss_kb) / (many.stations - one.stations)
    what = f"resident after the run: {many.rss_kb} kB with {many.stations} stations, {one.rss_kb} with {one.stations}"
    yield Figure("meters500", "memory of a station", per_station, "kB", what, KB_PER_STATION)


def _collected(many: Lean) -> Iterator[Figure]:
    where = f"meters500, seed {SEED}"
    scenario = load("meters500")
    channel = Channel(scenario.feeder, SEED, scenario.channel, scenario.epoch_s * 1_000_000)
    hops = scenario.adp.get("max_hops", profile(scenario.profile).loadng_config().max_hops)
    reach = reachable(channel, 0, hops) - {0}
    yield Figure("meters500", "meters read", len(many.read), f"of {scenario.meters}", where)
    yield Figure("meters500", "out of reach", scenario.meters - len(reach), "", f"by the channel alone, {hops} hops")
    yield Figure("meters500", "within reach and not read", len(reach.difference(many.read)), "", where, 0)
    yield Figure("meters500", "emulated time", many.emulated_us / 1e6, "s", where)
    yield Figure("meters500", "processor time", many.run_us / 1e6, "s", where)
    yield Figure("meters500", "faster than real time", faster(many), "x", where)


def _cost(many: Lean) -> Iterator[Figure]:
    where = f"meters500, seed {SEED}, {many.transmissions} transmissions"
    target = MORE * budget_us(many.mean_hearers)
    yield Figure("meters500", "mean hearers of a transmission", many.mean_hearers, "", where)
    yield Figure("meters500", "a transmission, no evidence", many.us_per_tx, "us", where, target)
