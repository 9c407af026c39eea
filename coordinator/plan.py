"""In which order meters are read, and how patient the client is with them.

Neighbours: `emulation.scenario.CollectionPlan` says what is wanted, `collector` asks before each meter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from emulation.scenario import CollectionPlan, JobOrder
from g3plc.cosem.config import ClientConfig
from g3plc.sap import CosemPort, Route

POS_TABLE: Final = 0x120
"""macPOSTable: rows (short address, forward LQI, valid time) of every neighbour heard."""

JOB_TRIES: Final = 5
_FIRST_PAUSE_US: Final = 2_000_000
_LONGEST_WAIT_US: Final = 60_000_000
_CONFIRM_TIMEOUT_US: Final = 180_000_000


def collection_config(plan: CollectionPlan) -> ClientConfig:
    """The client's settings for the night."""
    return _config(plan.tries, plan.timeout_us)


def job_config(plan: CollectionPlan, order: JobOrder) -> ClientConfig:
    """The client's settings for one order of an operator: at least `JOB_TRIES` tries, and the very invoke id."""
    config = _config(max(plan.tries, JOB_TRIES), plan.timeout_us)
    config.fixed_invoke = order.invoke_id_and_priority
    return config


def _config(tries: int, timeout_us: int) -> ClientConfig:
    longest_us = max(timeout_us, _LONGEST_WAIT_US)
    return ClientConfig(
        tries=tries,
        answer_timeout_us=timeout_us,
        retry_pause_us=_FIRST_PAUSE_US,
        max_wait_us=longest_us,
        confirm_timeout_us=_CONFIRM_TIMEOUT_US,
        exchange_timeout_us=tries * (_CONFIRM_TIMEOUT_US + longest_us),
    )


Key = tuple[int, int, int, int]


def in_order(order: str, meters: Iterable[int], routes: Sequence[Route], heard: Mapping[int, int]) -> list[int]:
    """Return `meters` in the order in which they are to be tried, as far as is known now.

    `near`: by hops and cost of the known route; then those without, neighbours first, best LQI first (`heard`: short
    address to LQI); `far` the other way round; `number` by number. Ties go by number.
    """
    known = {route.destination: route for route in routes}

    def near(meter: int) -> Key:
        route = known.get(meter)
        if route is not None:
            return 0, route.hop_count, route.cost, meter
        lqi = heard.get(meter)
        return (2, 0, 0, meter) if lqi is None else (1, -lqi, 0, meter)

    def far(meter: int) -> Key:
        kind, first, second, _ = near(meter)
        return -kind, -first, -second, meter

    keys: dict[str, Callable[[int], Key]] = {"near": near, "far": far}
    return sorted(meters, key=keys.get(order))


def neighbours_heard(port: CosemPort) -> dict[int, int]:
    """Return the stations that this one's MAC has heard, with the LQI of the last frame."""
    return {short: lqi for short, lqi, _valid_min in port.mac_get(POS_TABLE, None)}
