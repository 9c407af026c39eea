"""Builds the coordinator's application for a host, in virtual time or live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coordinator.application import Coordinator
from emulation.scenario import Scenario
from emulation.sim import Application, Factory
from g3plc.sap import CosemPort


def coordinator(scenario: Scenario, seed: int) -> Factory:
    """What makes the coordinator of a scenario."""

    def build(station: int, port: CosemPort, kept: Mapping[str, Any] | None) -> Application:
        return Coordinator(port, scenario.collection, range(1, scenario.meters + 1), kept)

    return build
