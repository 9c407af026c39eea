"""Runs of a scenario on many seeds, judged from the events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emulation.media.reach import reachable
from emulation.observe.tap import Trace
from emulation.scenario import Scenario
from emulation.sim import Simulation
from g3plc.events import Event
from g3plc.loadng.profiles import profile
from gridglow.simulate import build

NEVER = float("inf")


class Kept:
    """An observer that keeps the events of some kinds."""

    def __init__(self, *kinds: type[Event]) -> None:
        self._kinds = frozenset(kinds)
        self.events: list[Event] = []

    def observe(self, events: Sequence[Event]) -> None:
        """Pick them out."""
        kinds = self._kinds
        self.events += [event for event in events if event.__class__ in kinds]

    def close(self) -> None:
        """Nothing to let go of."""


def watched(scenario: Scenario, seed: int, *kinds: type[Event]) -> tuple[Simulation, list[Event]]:
    """A finished run and its events of these kinds, in order."""
    kept = Kept(*kinds)
    trace = Trace([kept])
    simulation = build(scenario, seed, trace)
    simulation.run()
    trace.close()
    return simulation, kept.events


def max_hops(scenario: Scenario) -> int:
    """adpMaxHops of a scenario."""
    return scenario.adp.get("max_hops", profile(scenario.profile).loadng_config().max_hops)


def within_reach(simulation: Simulation) -> set[int]:
    """Stations that the channel lets the coordinator reach, at the noise of the run's start."""
    return reachable(simulation.channel, simulation.start_us, max_hops(simulation.scenario))


def channel_hops(simulation: Simulation, station: int) -> int:
    """The fewest links to a station, by the rule of `reach`; one more than adpMaxHops where there is no path."""
    most = max_hops(simulation.scenario)
    for hops in range(1, most + 1):
        if station in reachable(simulation.channel, simulation.start_us, hops):
            return hops
    return most + 1


def one_job(scenario: Scenario, station: int) -> Scenario:
    """The same scenario with its first job alone, at another station."""
    return replace(scenario, jobs=[replace(scenario.jobs[0], station=station)])
