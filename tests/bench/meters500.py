"""Five hundred meters: who is read, what it costs, and that the cost depends on hearers and not on stations."""

from __future__ import annotations

from collections.abc import Iterator

from emulation.scenario import load
from g3plc.events import ReadDone
from tests.bench.figure import Figure
from tests.bench.lean import fit, lean
from tests.bench.night import budget_us, faster
from tests.bench.watch import watched, within_reach

SEED = 1
KB_PER_STATION = 60


def figures() -> Iterator[Figure]:
    """One watched run for who was read, one lean run for cost and memory; night's lean run for the comparison."""
    where = f"meters500, seed {SEED}"
    scenario = load("meters500")
    simulation, events = watched(scenario, SEED, ReadDone)
    read = {event.meter for event in events if type(event) is ReadDone}
    reach = within_reach(simulation) - {0}
    out_of_reach = scenario.meters - len(reach)
    yield Figure("meters500", "meters read", len(read), f"of {scenario.meters}", where)
    yield Figure("meters500", "out of reach by the channel", out_of_reach, "", where)
    yield Figure("meters500", "within reach and not read", len(reach - read), "", where, 0)
    yield Figure("meters500", "emulated time", simulation.emulated_us / 1e6, "s", where)
    many, few = lean("meters500", SEED), lean("night", SEED)
    where = f"{where}, {many.transmissions} transmissions"
    yield Figure("meters500", "mean hearers of a transmission", many.mean_hearers, "", where)
    target = budget_us(many.mean_hearers)
    yield Figure("meters500", "a transmission, no evidence", many.us_per_tx, "us", where, target)
    yield Figure("meters500", "faster than real time", faster(many), "x", where)
    for name, slices in (
        ("meters500 and night", many.slices + few.slices),
        ("meters500 alone", many.slices),
        ("night alone", few.slices),
    ):
        per_tx, per_hearer = fit(slices)
        what = f"{name}: least squares over {len(slices)} emulated seconds"
        yield Figure("meters500", "fixed cost of a transmission", per_tx, "us", what, 30)
        yield Figure("meters500", "cost of each hearer", per_hearer, "us", what, 2.5)
    one = lean("meters500", SEED, meters=1)
    per_station = (many.rss_kb - one.rss_kb) / (many.stations - one.stations)
    what = f"resident after the run: {many.rss_kb} kB with {many.stations} stations, {one.rss_kb} with {one.stations}"
    yield Figure("meters500", "memory of a station", per_station, "kB", what, KB_PER_STATION)
