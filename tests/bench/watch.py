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


def channel_hops(simulation: Simulation, station: int) -> int:
    """The fewest links to a station, by the rule of `reach`; one more than adpMaxHops where there is no path."""
    most = profile(simulation.scenario.profile).loadng_config().max_hops
    for hops in range(1, most + 1):
        if station in reachable(simulation.channel, simulation.start_us, hops):
            return hops
    return most + 1


def one_job(scenario: Scenario, station: int) -> Scenario:
    """The same scenario with its first job alone, at another station."""
    return replace(scenario, jobs=[replace(scenario.jobs[0], station=station)])


def fault_at(scenario: Scenario, at_us: int | None) -> Scenario:
    """The same scenario with its first fault moved; without any fault for None."""
    return replace(scenario, faults=[] if at_us is None else [replace(scenario.faults[0], at_us=at_us)])
