"""A link breaks in the middle of a reading: how long until the next GET is answered."""

from __future__ import annotations

from collections.abc import Iterator

from emulation.scenario import load
from g3plc.core.flow import GET_REQUEST, GET_RESPONSE
from g3plc.events import ApduReceived, ApduSent, Fault
from tests.bench.figure import Figure, percentile
from tests.bench.watch import NEVER, watched

SEEDS = 100
TARGET_S = 8


def figures() -> Iterator[Figure]:
    """The shipped scenario on many seeds."""
    scenario = load("heal")
    from_break, from_request = [], []
    for seed in range(1, SEEDS + 1):
        _, events = watched(scenario, seed, Fault, ApduSent, ApduReceived)
        broken = next((e.t for e in events if type(e) is Fault and e.state == "begin"), None)
        answered = next(
            (
                e.t
                for e in events
                if type(e) is ApduReceived and e.node == 0 and e.kind == GET_RESPONSE and broken and e.t > broken
            ),
            None,
        )
        asked = next((e.t for e in events if type(e) is ApduSent and e.node == 0 and e.kind == GET_REQUEST), None)
        from_break.append(NEVER if broken is None or answered is None else (answered - broken) / 1e6)
        from_request.append(NEVER if asked is None or answered is None else (answered - asked) / 1e6)
    never = sum(1 for seconds in from_break if seconds == NEVER)
    where = f"heal, {SEEDS} seeds, {never} never answered"
    yield Figure("heal", "broken link to answered GET, p90", percentile(from_break, 90), "s", where, TARGET_S)
    yield Figure("heal", "broken link to answered GET, p50", percentile(from_break, 50), "s", where)
    yield Figure("heal", "first GET over the broken link to its answer, p90", percentile(from_request, 90), "s", where)
