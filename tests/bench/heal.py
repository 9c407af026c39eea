"""A link breaks in the middle of a reading: how long until the next GET is answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emulation.scenario import Scenario, load
from g3plc.core.flow import GET_REQUEST, GET_RESPONSE
from g3plc.events import ApduReceived, ApduSent, Event, Fault
from tests.bench.figure import Figure, percentile
from tests.bench.watch import NEVER, fault_at, watched

SEEDS = 100
TARGET_S = 8


def figures() -> Iterator[Figure]:
    """Once with the break while the GET is under way, once at the moment that the shipped scenario names."""
    scenario = load("heal")
    under_way = [broken_under_way(scenario, seed) for seed in range(1, SEEDS + 1)]
    yield from _figures(under_way, "heal, the GET just sent when its last link breaks", TARGET_S)
    shipped = [_break_to_answer(watched(scenario, seed, Fault, ApduReceived)[1]) for seed in range(1, SEEDS + 1)]
    yield from _figures(shipped, "heal as shipped, its hold included", None)


def broken_under_way(scenario: Scenario, seed: int) -> float:
    """Seconds from the break to the answer.

    A run without the fault tells when the GET leaves; the run that counts is the same up to there.
    """
    calm, sent = watched(fault_at(scenario, None), seed, ApduSent)
    asked = next((e.t for e in sent if type(e) is ApduSent and e.node == 0 and e.kind == GET_REQUEST), None)
    if asked is None:
        return NEVER
    broken = fault_at(scenario, asked - calm.start_us + 1)
    return _break_to_answer(watched(broken, seed, Fault, ApduReceived)[1])


def _break_to_answer(events: Sequence[Event]) -> float:
    broken = next((e.t for e in events if type(e) is Fault and e.state == "begin"), None)
    if broken is None:
        return NEVER
    for event in events:
        if type(event) is ApduReceived and event.node == 0 and event.kind == GET_RESPONSE and event.t > broken:
            return (event.t - broken) / 1e6
    return NEVER


def _figures(seconds: list[float], where: str, target: float | None) -> Iterator[Figure]:
    never = sum(1 for one in seconds if one == NEVER)
    what = f"{where}; {SEEDS} seeds, {never} never answered"
    yield Figure("heal", "broken link to answered GET, p90", percentile(seconds, 90), "s", what, target)
    yield Figure("heal", "broken link to answered GET, p50", percentile(seconds, 50), "s", what)
