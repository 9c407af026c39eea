"""A run is a pure function of scenario and seed: whoever watches, whatever the tags, wherever time begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulation.clocks import SimClock
from emulation.observe.metrics import Metrics
from emulation.observe.record import Digest, Strict
from emulation.randomness import Stream
from emulation.scenario import Scenario, load
from emulation.sim import Simulation
from g3plc import events as ev
from g3plc.events import Event
from g3plc.phy.transceiver import Transceiver
from gridglow.simulate import facts_of, run

SCENARIOS = ("row4", "heal", "sag", "night")
TAGS = {"flow": 0, "kind": 0, "session": 0}


@pytest.mark.parametrize("name", SCENARIOS)
def test_same_seed_same_run(network: Any, shipped: Any, name: str) -> None:
    again = network(name, 1)
    assert again.digest == shipped(name, 1).digest
    assert again.events == shipped(name, 1).events


@pytest.mark.parametrize("name", SCENARIOS)
def test_another_seed_another_run(shipped: Any, name: str) -> None:
    assert len({shipped(name, seed).digest for seed in (1, 2, 3)}) == 3


class Slow:
    """An observer that looks at everything and breaks down half-way."""

    def __init__(self) -> None:
        self.left = 3

    def observe(self, events: Any) -> None:
        self.left -= 1
        if not self.left:
            raise RuntimeError("enough")

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.mark.parametrize("name", ["row4", "night"])
def test_observers_change_nothing(shipped: Any, tmp_path: Path, name: str) -> None:
    scenario = load(name)
    digest = Digest()
    outcome = run(scenario, 1, tmp_path / "out", [Metrics(facts_of(scenario, 1)), Strict(), digest], psdu=True)
    assert not outcome.failures
    assert outcome.summary["digest"] == digest.hexdigest() == shipped(name, 1).digest


def test_an_observer_that_raises_changes_nothing(shipped: Any) -> None:
    outcome = run(load("night"), 1, None, [Slow()])
    assert [str(failure) for failure in outcome.failures] == ["Slow stopped watching: RuntimeError: enough"]
    assert outcome.summary["digest"] == shipped("night", 1).digest


def test_a_run_that_nobody_watches_is_the_same(shipped: Any) -> None:
    from emulation.observe.tap import Trace
    from gridglow.simulate import build

    watched = shipped("night", 1).simulation
    unwatched = build(load("night"), 1, Trace())
    unwatched.run()
    for simulation in (watched, unwatched):
        assert simulation.emulated_us == watched.emulated_us
        assert simulation.medium.transmissions == watched.medium.transmissions
        assert [stack.keep() for stack in simulation.stations.values()] == [
            stack.keep() for stack in watched.stations.values()
        ]


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_decision_reads_a_tag(network: Any, shipped: Any, name: str) -> None:
    tagged, bare = shipped(name, 1), network(name, 1, tags=False)
    assert bare.bare == tagged.bare
    assert bare.digest != tagged.digest
    assert {e.flow for e in bare.of(ev.TxStart)} == {0}


def moved(event: Event, by_us: int) -> Event:
    """The event as it would be that much earlier. What registers show is left out: they count from time 0 on."""
    fields = event._asdict()
    for name in ("t", "until_us", "valid_until_us"):
        if fields.get(name, 0) > 0:
            fields[name] -= by_us
    for name in {"psdu", "apdu", "value", "detail"} & fields.keys():
        fields[name] = len(fields[name]) if isinstance(fields[name], bytes) else ""
    return type(event)(**fields)


@pytest.mark.parametrize("name", ["row4", "heal", "night"])
def test_time_may_begin_anywhere(network: Any, shipped: Any, name: str) -> None:
    """The clock starts a week and a bit later, civil time at the same moment: the same story, moved."""
    days_s = 9 * 86_400

    def earlier(scenario: Scenario) -> None:
        scenario.epoch_s -= days_s

    run = network(name, 1, clock=SimClock(days_s * 1_000_000), change=earlier)
    expected = shipped(name, 1).events
    assert len(run.events) == len(expected)
    for here, there in zip(run.events, expected, strict=True):
        assert moved(here, days_s * 1_000_000) == moved(there, 0)


def test_time_may_begin_at_an_odd_moment_far_out(network: Any) -> None:
    run = network("row4", 1, clock=SimClock(10**15 + 7))
    assert len(run.of(ev.ReadDone)) == 2 and run.events[0].t == 10**15 + 7


@pytest.mark.parametrize("salt", [1, 2, 3])
def test_everybody_is_read_whatever_the_order_of_ties(network: Any, shipped: Any, salt: int) -> None:
    """Callbacks due at the same microsecond in a shuffled order: another run, and as good a night."""
    stream = Stream(salt, 0, 1, "ties")
    run = network("night", 1, clock=SimClock(0, lambda: stream.below(1 << 62)))
    assert run.read == set(range(1, 49)) and not run.of(ev.ReadFailed)
    assert run.digest != shipped("night", 1).digest


def test_row4_tells_its_story_whatever_the_order_of_ties(network: Any) -> None:
    for salt in range(20):
        stream = Stream(salt, 0, 1, "ties")
        run = network("row4", 1, clock=SimClock(0, lambda stream=stream: stream.below(1 << 62)))
        assert [e.attempts for e in run.of(ev.ReadDone)] == [1, 3], salt


def test_the_seed_of_a_scenario_is_a_default(network: Any, shipped: Any, texts: Any) -> None:
    text = texts.row4 + texts.job(1, "read", 3)
    assert network("seed = 7\n" + text).digest == network(text, 7).digest != network(text).digest


def test_a_simulation_knows_where_it_is(shipped: Any) -> None:
    simulation: Simulation = shipped("row4", 1).simulation
    assert simulation.emulated_us == simulation.clock.now - simulation.start_us
    assert sorted(simulation.stations) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_kept_back_from_stations_that_wait_for_nothing_changes_nothing(
    network: Any, shipped: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The same run with every station told of everything as it happens."""
    monkeypatch.setattr(Transceiver, "attentive", property(lambda phy: True, lambda phy, wanted: None))
    assert network(name, 1).digest == shipped(name, 1).digest
