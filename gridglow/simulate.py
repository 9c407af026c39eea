"""One run in virtual time with its evidence: the composition of stack, applications and observers.

`run` is what `gridglow simulate`, `gridglow verify`, the tests and the benchmarks call.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from coordinator.application import Coordinator
from emulation.clocks import SimClock
from emulation.observe.evidence import Evidence
from emulation.observe.facts import RunFacts
from emulation.observe.metrics import Metrics
from emulation.observe.record import Digest
from emulation.observe.tap import Failure, Observer, Trace
from emulation.scenario import Scenario
from emulation.sim import Application, Simulation
from g3plc import sap
from nodes.meter import Meter, MeterConfig


@dataclass(slots=True)
class Outcome:
    """What a run leaves: its figures and the finished simulation."""

    summary: dict[str, Any]
    simulation: Simulation
    failures: list[Failure]


def facts_of(scenario: Scenario, seed: int) -> RunFacts:
    """The header of a run's evidence; with it and the program the run can be repeated anywhere."""
    return RunFacts(
        scenario=scenario.name,
        seed=seed,
        feeder=scenario.feeder.name,
        feeder_sha256=scenario.feeder.sha256,
        epoch_s=scenario.epoch_s,
        profile=scenario.profile,
        meters=scenario.meters,
        version=program_version(),
        texts={"scenario": scenario.text, "feeder": scenario.feeder.source},
    )


def program_version() -> str:
    """The version of the installed package; a plain checkout has none."""
    try:
        return version("gridglow")
    except PackageNotFoundError:
        return "not installed"


def build(scenario: Scenario, seed: int, trace: Trace, clock: SimClock | None = None, tags: bool = True) -> Simulation:
    """The stations of a scenario with the real meters and the real coordinator on them."""

    def meter(station: int, port: sap.CosemPort, kept: Mapping[str, Any] | None) -> Application:
        config = MeterConfig(number=station, epoch_s=scenario.epoch_s, seed=seed, phase=scenario.feeder.phases[station])
        return Meter(port, config, kept)

    def coordinator(station: int, port: sap.CosemPort, kept: Mapping[str, Any] | None) -> Coordinator:
        return Coordinator(port, scenario.collection, range(1, scenario.meters + 1), kept)

    return Simulation(scenario, coordinator, meter, trace, seed, clock, tags)


@contextmanager
def patient_collector() -> Iterator[None]:
    """A run makes millions of short-lived tuples and hardly a cycle: searching for cycles as often as usual costs a
    tenth of its time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def run(
    scenario: Scenario,
    seed: int | None = None,
    out: Path | None = None,
    observers: Sequence[Observer] = (),
    progress: Callable[[Simulation], None] | None = None,
    psdu: bool = False,
) -> Outcome:
    """Run a scenario to its end. Evidence goes to `out`; OSError if it cannot be written."""
    used_seed = scenario.seed if seed is None else seed
    facts = facts_of(scenario, used_seed)
    evidence = Evidence(out, facts, psdu) if out is not None else None
    metrics, digest = Metrics(facts), Digest()
    trace = Trace([metrics, digest, *(evidence.observers if evidence else ()), *observers])
    began = time.perf_counter()
    with patient_collector():
        simulation = build(scenario, used_seed, trace)
        simulation.run(progress)
        trace.flush()
        figures = {
            "limit_reached": simulation.limit_reached,
            "emulated_s": simulation.emulated_us / 1_000_000,
            "wall_s": round(time.perf_counter() - began, 3),
            "hearers": round(simulation.medium.hearers / max(1, simulation.medium.transmissions), 2),
            "digest": digest.hexdigest(),
        }
        summary = metrics.summary(**figures)
        if evidence is not None:
            evidence.finish(summary, figures)
    return Outcome(summary, simulation, trace.failures)
