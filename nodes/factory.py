"""Builds the application of a meter for a host, in virtual time or live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulation.scenario import Scenario
from emulation.sim import Application, Factory
from g3plc.sap import CosemPort
from nodes.meter import Meter, MeterConfig


def meters(scenario: Scenario, seed: int) -> Factory:
    """What makes the meters of a scenario."""

    def meter(station: int, port: CosemPort, kept: Mapping[str, Any] | None) -> Application:
        phase = scenario.feeder.phases[station]
        config = MeterConfig(number=station, epoch_s=scenario.epoch_s, seed=seed, phase=phase)
        return Meter(port, config, dict(kept) if kept is not None else None)

    return meter
