"""Whole networks in virtual time, judged from nothing but their trace.

`play` runs a scenario (a shipped name or TOML text) and returns what was seen; `story` reads the events in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from emulation.clocks import SimClock, StationClock
from emulation.observe.record import Digest
from emulation.observe.tap import Observer, Trace
from emulation.randomness import Stream
from emulation.scenario import Scenario, load, loads
from emulation.sim import Simulation
from g3plc import events as ev
from g3plc.core.env import Env
from g3plc.core.ofdm import D8PSK, FULL_TONE_MAP, ROBO, airtime_us, max_psdu
from g3plc.events import Event
from g3plc.phy.transceiver import Transceiver
from gridglow.simulate import build

SECOND = 1_000_000


class Seen:
    """An observer that keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def close(self) -> None:
        """Nothing to let go of."""


def fits(event: Event, kind: type[Event] | tuple[type[Event], ...], fields: dict[str, Any], /) -> bool:
    return isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())


class Story:
    """Reads events one after the other; `then` goes on to the next one that fits and fails if there is none."""

    def __init__(self, events: Sequence[Event], start: int = 0) -> None:
        self.events = events
        self.at = start

    def then(self, kind: type[Event], /, **fields: Any) -> Any:
        for place in range(self.at, len(self.events)):
            if fits(self.events[place], kind, fields):
                self.at = place + 1
                return self.events[place]
        rest = [event for event in self.events[self.at :] if isinstance(event, kind)]
        after = self.events[self.at - 1] if self.at else "the beginning"
        raise AssertionError(f"after {after}\nno {kind.__name__} with {fields}; there follow {rest[:6]}")

    def until(self, kind: type[Event], /, **fields: Any) -> list[Event]:
        """Go on like `then`; return what was passed on the way."""
        start = self.at
        self.then(kind, **fields)
        return list(self.events[start : self.at - 1])


class Played:
    """A finished run. `events` in their order; `digest` over all, `bare` without the tags."""

    def __init__(self, scenario: Scenario, simulation: Simulation, events: list[Event], digest: str, bare: str) -> None:
        self.scenario = scenario
        self.simulation = simulation
        self.events = events
        self.digest = digest
        self.bare = bare
        self._by_kind: dict[type[Event], list[Event]] = {}
        for event in events:
            self._by_kind.setdefault(type(event), []).append(event)

    def of(self, kind: type[Event] | tuple[type[Event], ...], /, **fields: Any) -> list[Any]:
        among = self.events if isinstance(kind, tuple) else self._by_kind.get(kind, [])
        return [event for event in among if fits(event, kind, fields)]

    def one(self, kind: type[Event], /, **fields: Any) -> Any:
        found = self.of(kind, **fields)
        assert len(found) == 1, f"{len(found)} {kind.__name__} with {fields}: {found[:5]}"
        return found[0]

    def between(self, first: int, last: int) -> Played:
        """The same run, as if only the events from `first` to `last` (microseconds) had been seen."""
        within = [event for event in self.events if first <= event.t <= last]
        return Played(self.scenario, self.simulation, within, self.digest, self.bare)

    def story(self) -> Story:
        return Story(self.events)

    @property
    def read(self) -> set[int]:
        return {done.meter for done in self.of(ev.ReadDone)}

    def hops(self, flow: int) -> list[tuple[int, int]]:
        """The (sender, next hop) pairs over which a datagram went, retries left out."""
        pairs: list[tuple[int, int]] = []
        for tx in self.of(ev.TxStart, flow=flow):
            if tx.dt < 2 and (tx.node, tx.next_hop) not in pairs:
                pairs.append((tx.node, tx.next_hop))
        return pairs

    def tables(self, until: int) -> dict[int, dict[int, tuple[int, int, int]]]:
        """Every station's routing table at a moment: destination to (next hop, hop count, carries data)."""
        tables: dict[int, dict[int, tuple[int, int, int]]] = {}
        for event in self.events:
            if event.t > until:
                break
            if isinstance(event, ev.RouteSet):
                entry = event.next_hop, event.hop_count, event.bidirectional
                tables.setdefault(event.node, {})[event.destination] = entry
            elif isinstance(event, ev.RouteLost):
                del tables[event.node][event.destination]
            elif isinstance(event, ev.Power):
                tables[event.node] = {}
        return tables


def play(
    what: str,
    seed: int | None = None,
    *,
    observers: Sequence[Observer] = (),
    clock: SimClock | None = None,
    tags: bool = True,
    feeder: str | None = None,
    change: Callable[[Scenario], None] | None = None,
    prepare: Callable[[Simulation], None] | None = None,
) -> Played:
    """Run a shipped scenario, or TOML text. `change(scenario)` comes before it is built; `prepare(simulation)` may ask
    its clock for callbacks."""
    scenario = loads(what, "told.toml", None, feeder) if "\n" in what else load(what)
    if change is not None:
        change(scenario)
    seen, digest, bare = Seen(), Digest(), Digest(leave_out=("flow", "kind", "session"))
    trace = Trace([seen, digest, bare, *observers])
    simulation = build(scenario, scenario.seed if seed is None else seed, trace, clock, tags)
    if prepare is not None:
        prepare(simulation)
    simulation.run()
    trace.close()
    assert not [str(failure) for failure in trace.failures]
    return Played(scenario, simulation, seen.events, digest.hexdigest(), bare.hexdigest())


@cache
def _shipped(name: str, seed: int) -> Played:
    return play(name, seed)


@pytest.fixture(scope="session")
def network() -> Callable[..., Played]:
    """`play`."""
    return play


@pytest.fixture(scope="session")
def shipped() -> Callable[[str, int], Played]:
    """A shipped scenario with a seed, run once for all tests of the process; its events must not be changed."""
    return _shipped


HEAD = {
    "row4": 'feeder = "row4"\nlimit = 600\n[channel]\nshadow_cb = 0\nasymmetry_cb = 0\nnoise_spread_cb = 0\n',
    "board": 'feeder = "board"\nlimit = 600\n',
}
"""Beginnings of scenarios: four in a row that hear their neighbours only, and the board."""


def job(at: float, do: str, station: int | None = None, **more: Any) -> str:
    """A [[job]] of a scenario."""
    return _table("job", at=at, do=do, **({} if station is None else {"station": station}), **more)


def fault(at: float, word: str, **more: Any) -> str:
    """A [[fault]] of a scenario: `link="1-2"` or another place."""
    return _table("fault", at=at, word=word, **more)


def _table(name: str, **items: Any) -> str:
    lines = [f"{key.rstrip('_')} = {_toml(value)}" for key, value in items.items()]
    return "\n".join([f"[[{name}]]", *lines, ""])


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


class Texts:
    """The pieces that scenarios are put together from."""

    row4 = HEAD["row4"]
    board = HEAD["board"]
    job = staticmethod(job)
    fault = staticmethod(fault)


@pytest.fixture(scope="session")
def texts() -> type[Texts]:
    """See `Texts`."""
    return Texts


class Rogue:
    """A station with a transceiver and no MAC: takes the place of `station` at `at_us`, sends, and goes for good.

    `source` gives (PSDU, the station it is for, ACK wanted).
    """

    def __init__(
        self, simulation: Simulation, source: Iterator[tuple[bytes, int, bool]], station: int, at_us: int
    ) -> None:
        self.simulation = simulation
        self.station = station
        self.source = source
        self.sent = 0
        simulation.clock.at(at_us, self.enter, None)

    def enter(self, _: None) -> None:
        simulation = self.simulation
        simulation.switch_off(self.station)
        env = Env(
            self.station,
            StationClock(simulation.clock),
            lambda purpose: Stream(99, self.station, 1, purpose),
            simulation.trace.note_for(self.station, simulation.clock),
        )
        self.phy = Transceiver(env, simulation.medium, 1 << 20)
        self.phy.user = self
        simulation.medium.attach(self.station, self.phy)
        self.next(None)

    def next(self, _: None) -> None:
        frame = next(self.source, None)
        if frame is None:
            self.simulation.medium.detach(self.station)
            return
        psdu, target, wants_ack = frame
        modulation = ROBO if len(psdu) <= max_psdu(ROBO, FULL_TONE_MAP) else D8PSK
        psdu = psdu[: max_psdu(modulation, FULL_TONE_MAP)]
        self.phy.pd_data_request(psdu, modulation, FULL_TONE_MAP, wants_ack, target, 0, self.sent)
        self.sent += 1
        self.simulation.clock.after(airtime_us(len(psdu), modulation, FULL_TONE_MAP) + 20_000, self.next, None)

    def pd_data_confirm(self) -> None: ...

    def pd_data_indication(self, psdu: bytes, rx: Any) -> None: ...

    def pd_payload_lost_indication(self, fcs: int, ack_wanted: bool, sender: int, flow: int) -> None: ...

    def pd_ack_indication(self, positive: bool, fcs: int, ssca: int) -> None: ...

    def pd_channel_indication(self, header: int) -> None: ...


@pytest.fixture(scope="session")
def rogue() -> type[Rogue]:
    """See `Rogue`."""
    return Rogue
