"""A run in virtual time: builds the stations of a scenario, hands out its jobs and faults, and runs the clock.

The applications come from outside as factories, so that this package knows neither meters nor the coordinator.
A run is a pure function of (scenario, seed): observers see it, they do not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from emulation.clocks import SimClock, StationClock
from emulation.faults import FaultBoard
from emulation.media.channel import Channel
from emulation.media.links import ChannelFaults, LinkTable
from emulation.media.sim import SimMedium
from emulation.observe.tap import Trace
from emulation.randomness import Stream
from emulation.scenario import JobOrder, Scenario, TimedFault
from g3plc import events, sap
from g3plc.core.env import Env
from g3plc.stack import Station, StationConfig

SLICE_US = 1_000_000
"""Between two looks at whether the run is over."""


class Application(sap.CosemUser, Protocol):
    """An application as the emulation hosts it."""

    def keep(self) -> dict[str, Any]:
        """What survives a reboot."""

    def voltage(self, volts: int | None) -> None:
        """The supply voltage at the station is forced to `volts`, or free again (None)."""


class Principal(Application, Protocol):
    """The coordinator's application: takes jobs."""

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""

    def submit(self, order: JobOrder) -> None:
        """Take on a job; events tell how it went."""


Factory = Callable[[int, sap.CosemPort, Mapping[str, Any] | None], Application]
"""(station, its stack, what the last life kept) to the application of a new life."""


class Simulation:
    """One run. `coordinator` and `meter` build the applications.

    Attach observers to `trace` before it is built. `seed` overrides the scenario's.
    """

    def __init__(
        self,
        scenario: Scenario,
        coordinator: Callable[[int, sap.CosemPort, Mapping[str, Any] | None], Principal],
        meter: Factory,
        trace: Trace,
        seed: int | None = None,
        clock: SimClock | None = None,
        tags: bool = True,
    ) -> None:
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.trace = trace
        self.clock = clock or SimClock()
        self.start_us = self.clock.now
        self.faults = ChannelFaults()
        self.channel = Channel(scenario.feeder, self.seed, scenario.channel, scenario.epoch_s * 1_000_000)
        self.medium = SimMedium(self.clock, LinkTable(self.channel, self.faults), self.seed)
        self.stations: dict[int, Station] = {}
        self.applications: dict[int, Application] = {}
        self._coordinator = coordinator
        self._meter = meter
        self._tags = tags
        self._boots: dict[int, int] = {}
        self._kept: dict[int, dict[str, Any]] = {}
        self._lives: dict[int, StationClock] = {}
        self._jobs_left = len(scenario.jobs)
        self.limit_reached = False
        self.board = FaultBoard(self)

    # -- running

    def run(self, progress: Callable[[Simulation], None] | None = None) -> None:
        """Run the scenario to its end: no job left, no fault to come, or its limit (then `limit_reached`)."""
        self._prepare()
        limit = self.start_us + self.scenario.limit_us
        while not self._over() and self.clock.now < limit:
            self.clock.run_until(min(limit, self.clock.now + SLICE_US))
            if progress is not None:
                progress(self)
        self.limit_reached = not self._over()
        self.trace.flush()

    @property
    def emulated_us(self) -> int:
        """Emulated time since the start."""
        return self.clock.now - self.start_us

    def principal(self) -> Principal | None:
        """The coordinator's application, or None while it is off."""
        application = self.applications.get(0)
        return application if application is None or hasattr(application, "submit") else None  # type: ignore[return-value]

    def _prepare(self) -> None:
        for station in range(len(self.scenario.feeder.stations)):
            self.switch_on(station)
        for order in self.scenario.jobs:
            self.clock.at(self.start_us + order.at_us, self._submit, order)
        for timed in self.scenario.faults:
            self.clock.at(self.start_us + timed.at_us, self._strike, timed)
        self._faults_left = len(self.scenario.faults)

    def _submit(self, order: JobOrder) -> None:
        self._jobs_left -= 1
        principal = self.principal()
        if principal is None:
            note = self.trace.note_for(0, self.clock)
            note(events.Job, order.job, order.verb, order.station, "failed", "coordinator is off")
        else:
            principal.submit(order)

    def _strike(self, timed: TimedFault) -> None:
        self._faults_left -= 1
        self.board.strike(timed.order)

    def _over(self) -> bool:
        if self._jobs_left or self._faults_left or self.board.pending:
            return False
        principal = self.principal()
        return principal is None or not principal.busy

    # -- lives of stations

    def switch_on(self, station: int) -> None:
        """Start a new life of a station that is off."""
        if station in self.stations:
            return
        boot = self._boots[station] = self._boots.get(station, 0) + 1
        clock = self._lives[station] = StationClock(self.clock)
        note = self.trace.note_for(station, self.clock)
        env = Env(station, clock, lambda purpose: Stream(self.seed, station, boot, purpose), note)
        kept = self._kept.get(station, {})
        config = StationConfig(station, self.scenario.profile, self.scenario.mac, self.scenario.adp, self._tags)
        stack = Station(env, self.medium, config, kept.get("stack"))
        build = self._coordinator if station == 0 else self._meter
        application = build(station, stack, kept.get("application"))
        stack.application = application
        self.stations[station] = stack
        self.applications[station] = application
        self.medium.attach(station, stack.phy)
        note(events.Power, 1, boot)
        application.start()

    def switch_off(self, station: int) -> None:
        """End the life of a station: its tables and timers are gone, its counters are kept."""
        stack = self.stations.pop(station, None)
        if stack is None:
            return
        application = self.applications.pop(station)
        self._kept[station] = {"stack": stack.keep(), "application": application.keep()}
        self._lives.pop(station).stop()
        self.medium.detach(station)
        stack.env.note(events.Power, 0, self._boots[station])

    def route_link(self, meter: int) -> tuple[int, int] | None:
        """The last link of the coordinator's present route to `meter`, as it is used hop by hop."""
        here, seen = 0, [0]
        while here != meter:
            stack = self.stations.get(here)
            route = None if stack is None else stack.route(meter)
            if route is None or route.next_hop in seen:
                return None
            if route.next_hop == meter:
                return here, meter
            here = route.next_hop
            seen.append(here)
        return None
