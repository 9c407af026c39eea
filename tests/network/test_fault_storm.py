"""Many faults of every kind, at random and on top of each other: nothing breaks for good, everything ends by itself."""

from __future__ import annotations

from typing import Any

import pytest

from emulation.observe.record import Strict
from emulation.randomness import Stream
from g3plc import events as ev

SECOND = 1_000_000
STORM_S = 240
WORDS = {
    "link": ("down for {s}", "weak {db} for {s}", "loss {percent} for {s}", "up"),
    "cable": ("cut for {s}", "mend"),
    "station": ("off for {s}", "reboot", "on"),
    "noise": ("{db} for {s}", "clear"),
    "voltage": ("{volts} for {s}", "clear"),
}


def storm(seed: int, count: int, stations: int, leds: int, texts: Any) -> str:
    """Faults as a scenario's text."""
    rng = Stream(seed, 0, 1, "storm")
    parts = []
    for _ in range(count):
        kind = list(WORDS)[rng.below(len(WORDS))]
        first = rng.below(stations)
        second = (first + 1 + rng.below(stations - 1)) % stations
        place: object = rng.below(stations)
        if kind == "link":
            place = (f"{first}-{second}", f"{first}>{second}", f"route {1 + rng.below(stations - 1)}")[rng.below(3)]
        elif kind == "cable":
            place = 1 + rng.below(leds - 1)
        word = WORDS[kind][rng.below(len(WORDS[kind]))].format(
            s=1 + rng.below(40), db=1 + rng.below(40), percent=1 + rng.below(100), volts=rng.below(260)
        )
        more = {"power": bool(rng.below(2))} if kind == "cable" and word.startswith("cut") else {}
        parts.append(texts.fault(2 + rng.below(STORM_S * 10) / 10, word, **{kind: place}, **more))
    return "".join(parts)


def weathered(network: Any, texts: Any, head: str, seed: int, count: int, stations: int, leds: int) -> Any:
    after = STORM_S + 60
    jobs = texts.job(1, "collect") + texts.job(after, "collect")
    plan = "[collection]\nrounds = 4\n"
    text = head.replace("limit = 600", "limit = 20000") + plan + jobs + storm(seed, count, stations, leds, texts)
    run = network(text, seed, observers=[Strict()])
    read = {e.meter for e in run.of(ev.ReadDone) if e.t > after * SECOND}
    failed = [(e.meter, e.reason, e.explained_by) for e in run.of(ev.ReadFailed) if e.t > after * SECOND]
    assert read == set(range(1, stations)), f"seed {seed}: {failed}"
    return run


def everything_ended(run: Any) -> None:
    """Each fault begins once and ends once; whoever was off is on."""
    begun, ended = ({e.fault: e for e in run.of(ev.Fault, state=state)} for state in ("begin", "end"))
    assert begun.keys() == ended.keys()
    for number, fault in begun.items():
        assert ended[number].t >= fault.t and (not fault.until_us or ended[number].t <= fault.until_us)
    on = {e.node: e.on for e in run.of(ev.Power)}
    assert set(on.values()) == {1}
    assert not run.simulation.faults.down and not run.simulation.faults.cuts and not run.simulation.faults.noise_cb
    alive: set[int] = set()
    for event in run.events:
        if isinstance(event, ev.Power):
            (alive.add if event.on else alive.discard)(event.node)
        elif event.node != 0xFFFF and not isinstance(event, ev.Job):
            assert event.node in alive, event


@pytest.mark.parametrize("seed", range(1, 7))
def test_row4_in_a_storm(network: Any, texts: Any, seed: int) -> None:
    everything_ended(weathered(network, texts, texts.row4, seed, 40, 4, 129))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_board_in_a_storm(network: Any, texts: Any, seed: int) -> None:
    everything_ended(weathered(network, texts, texts.board, seed, 60, 49, 411))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 40))
def test_many_storms(network: Any, texts: Any, seed: int) -> None:
    everything_ended(weathered(network, texts, texts.row4, seed, 60, 4, 129))
    everything_ended(weathered(network, texts, texts.board, seed, 120, 49, 411))
