"""One run as one process lives it: feeder, channel, faults, medium, and the lives of its stations.

Made from the director's run record; a new record is a new `LiveRun`. Everything here happens on the clock.
Neighbours: `host` (owns it), `medium`, `fault_watch`; `emulation.sim` does the same in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from emulation import scenario as scenarios
from emulation.grid.feeder import Feeder, FeederError, shipped_feeders
from emulation.live.clock import LoopClock, StationClock
from emulation.live.medium import MqttMedium
from emulation.live.records import RunRecord
from emulation.live.topics import Topics
from emulation.media.channel import Channel
from emulation.media.links import ChannelFaults, LinkTable
from emulation.observe.tap import Trace
from emulation.randomness import Stream
from emulation.scenario import Scenario
from emulation.sim import Application, Factory
from g3plc import events
from g3plc.core.env import Env
from g3plc.core.errors import UsageError
from g3plc.stack import Station, StationConfig

Build = Callable[[Scenario, int], Factory]
"""(scenario, seed) to what builds the application of a station."""


class RunError(Exception):
    """A run that cannot be joined; the message says why in plain words."""


def scenario_of(record: RunRecord, feeder: Feeder | None) -> Scenario:
    """The scenario of a run on the feeder of this process (None: the shipped one of that name). RunError."""
    if feeder is None:
        if record.feeder not in shipped_feeders():
            raise RunError(f"the run is on feeder {record.feeder!r}, which is not shipped: give its file with --feeder")
        feeder = Feeder.load(record.feeder)
    if feeder.sha256 != record.feeder_sha256:
        raise RunError(
            f"another feeder: the run is on {record.feeder!r} ({record.feeder_sha256[:12]}), "
            f"ours is {feeder.name!r} ({feeder.sha256[:12]})"
        )
    try:
        loaded = scenarios.loads(record.text, f"{record.scenario}.toml", None, feeder.source)
        StationConfig(0, record.profile, loaded.mac, loaded.adp)
    except (ValueError, FeederError, UsageError) as error:
        raise RunError(f"the run's scenario cannot be used: {error}") from error
    loaded.name = record.scenario
    loaded.profile = record.profile
    loaded.seed = record.seed
    loaded.epoch_s = record.epoch_s
    loaded.feeder = feeder
    return loaded


class Life:
    """One life of one station. `began_us` is emulated time."""

    __slots__ = ("_volts", "application", "began_us", "boot", "clock", "stack")

    def __init__(self, boot: int, clock: StationClock, stack: Station, application: Application) -> None:
        self.boot = boot
        self.clock = clock
        self.stack = stack
        self.application = application
        self.began_us = clock.now
        self._volts: int | None = None

    def set_voltage(self, volts: int | None) -> None:
        """Force the supply voltage, or (None) let it go."""
        if volts != self._volts:
            self._volts = volts
            self.application.voltage(volts)


class LiveRun:
    """See the module's text. `lives` are the stations that are on; `build` makes their applications."""

    def __init__(
        self,
        record: RunRecord,
        scenario: Scenario,
        build: Build,
        clock: LoopClock,
        trace: Trace,
        topics: Topics,
        local: Iterable[int],
        publish: Callable[[str, bytes], bool],
        complain: Callable[[int, str], None],
        before: int = 0,
    ) -> None:
        self.record = record
        self.scenario = scenario
        self.clock = clock
        self.trace = trace
        self.local = frozenset(station for station in local if station <= scenario.meters)
        self.faults = ChannelFaults()
        self.channel = Channel(scenario.feeder, record.seed, scenario.channel, record.epoch_s * 1_000_000)
        self.medium = MqttMedium(
            clock, LinkTable(self.channel, self.faults), record.seed, record.run, topics, self.local, publish,
            lambda station: trace.note_for(station, clock), complain, before,
        )  # fmt: skip
        self.lives: dict[int, Life] = {}
        self._topics = topics
        self._factory = build(scenario, record.seed)

    def missing(self, station: int) -> str:
        """Why a station has no part in this run, or nothing."""
        if station <= self.scenario.meters:
            return ""
        return f"no such meter on feeder {self.scenario.feeder.name}; allowed: 1 to {self.scenario.meters}"

    def senders(self) -> list[int]:
        """The stations that one of ours can hear at all."""
        everybody = range(self.scenario.meters + 1)
        return [src for src in everybody if not self.local.isdisjoint(self.channel.earshot(src))]

    def switch_on(
        self,
        station: int,
        boot: int,
        stack_kept: Mapping[str, Any],
        application_kept: Mapping[str, Any],
        on_error: Callable[[Exception], None],
    ) -> None:
        """Start a life of a station that is off."""
        seed, scenario = self.record.seed, self.scenario
        clock = StationClock(self.clock, on_error)
        note = self.trace.note_for(station, self.clock)
        env = Env(station, clock, lambda purpose: Stream(seed, station, boot, purpose), note)
        config = StationConfig(station, scenario.profile, scenario.mac, scenario.adp, True, self._topics.pan)
        stack = Station(env, self.medium, config, stack_kept or None)
        application = self._factory(station, stack, application_kept or None)
        stack.application = application
        self.lives[station] = Life(boot, clock, stack, application)
        self.medium.attach(station, stack.phy, on_error)
        note(events.Power, 1, boot)
        application.start()

    def switch_off(self, station: int) -> Life | None:
        """End a life: its tables and timers are gone. Returns what it was."""
        life = self.lives.pop(station, None)
        if life is not None:
            life.clock.stop()
            self.medium.detach(station)
            life.stack.env.note(events.Power, 0, life.boot)
        return life
