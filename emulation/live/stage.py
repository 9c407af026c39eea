"""One run after the other: what is played by itself, what is ordered, and what becomes of it.

Brings the desks together: clock, faults, jobs, the playbook, and the roll of the stations. A new run waits with its
clock at 0 until the stations have taken it up. Fed with wall time (UNIX nanoseconds), says everything through a
`Bulletin`; knows no broker. Neighbours: `director` (messages in), the desks (one duty each).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emulation.faults import NOBODY
from emulation.grid import fault
from emulation.grid.fault import FaultOrder
from emulation.live.bulletin import Bulletin
from emulation.live.clock_command import SpeedCommand, StepCommand
from emulation.live.clock_desk import LEAD_NS, ClockDesk
from emulation.live.command_text import CommandError
from emulation.live.commands import Bounds, Command, FaultCommand, LevelCommand, canonical
from emulation.live.fault_desk import FaultDesk
from emulation.live.job_command import JobCommand
from emulation.live.job_desk import JobDesk, JobNews
from emulation.live.playbook import Playbook
from emulation.live.records import ClockRecord, FaultRecord, JobRecord, JobResult, RunRecord
from emulation.live.replies import ACCEPTED, DONE, FAILED, Asker
from emulation.live.roll import Roll
from emulation.live.stage_keep import StageKeep
from emulation.live.status_record import StatusRecord
from emulation.observe.facts import station_name
from emulation.scenario import Scenario
from g3plc import events

GATE_NS = 5_000_000_000
"""After the first station has taken up a run, the others are waited for so long."""
REBOOT_US = 1
LOST_NS = 6_000_000_000
"""An agent of the coordinator that is offline for so long has lost its jobs; a broker may restart meanwhile."""

SCENARIO = "scenario"
"""Who asked for the faults of a scene."""
_COORDINATOR_GONE = "the coordinator was switched off"


class Stage:
    """See the module's text. `draw_run` gives 32 random bits; `gate_ns` overrides GATE_NS."""

    def __init__(
        self, bulletin: Bulletin, playbook: Playbook, draw_run: Callable[[], int], gate_ns: int = GATE_NS
    ) -> None:
        self._say = bulletin
        self._topics = bulletin.topics
        self._draw_run = draw_run
        self._gate_ns = gate_ns
        self.playbook = playbook
        self.run = 0
        self.clock = ClockDesk(self._publish_clock)
        self.faults = FaultDesk(self._publish_fault)
        self.jobs = JobDesk(self._publish_job, self._job_news)
        self.roll = Roll(self.bounds.stations)
        self._waiting_to_start = False
        self._first_ready_ns: int | None = None
        self._reset_by: Asker | None = None
        self._fault_askers: list[tuple[Asker, set[int], str]] = []
        self._at_wall: list[tuple[int, Asker | None]] = []
        self._kept = b""
        self._now_us = 0
        self._coordinator_lost_ns: int | None = None

    # -- what is known

    @property
    def bounds(self) -> Bounds:
        """The size of the present feeder."""
        feeder = self.playbook.scene.feeder
        return Bounds(len(feeder.stations), feeder.leds)

    @property
    def starting(self) -> bool:
        """Whether the clock still waits for stations."""
        return self._waiting_to_start

    def record(self) -> RunRecord:
        """What the stations have to agree upon."""
        scene = self.playbook.scene
        return RunRecord(
            self.run, scene.seed, scene.epoch_s, scene.profile, scene.feeder.name, scene.feeder.sha256,
            scene.name, scene.text,
        )  # fmt: skip

    def now_us(self, wall_ns: int) -> int:
        """Emulated time."""
        return self.clock.emulated_us(wall_ns)

    # -- runs

    def new_run(self, wall_ns: int) -> None:
        """All stations reboot, time starts again, faults are cleared; the present scene from its beginning."""
        run = 0
        while run in (0, self.run):
            run = self._draw_run() & 0xFFFFFFFF
        self.jobs.new_run(run)
        self.faults.new_run(run)
        self._fail_askers("the run was reset")
        self.run = self._say.run = run
        self._now_us = 0
        self.playbook.restart()
        self.roll.new_run(run, self.bounds.stations)
        self._say.record(self._topics.run, self.record().encode())
        self.clock.auto = False
        self.clock.new_run(run, wall_ns)
        self._waiting_to_start, self._first_ready_ns = True, None
        self._say.line(0, f"run {run:08x}: {self.playbook.scene.title}")
        self._keep()

    def adopt(
        self, run: RunRecord, clock: ClockRecord, faults: list[FaultRecord], keep: StageKeep, wall_ns: int
    ) -> None:
        """Go on with a run that an earlier life of the director began and that is in the playbook."""
        self.run = self._say.run = run.run
        self.clock.adopt(clock)
        now_us = self.clock.emulated_us(wall_ns)
        self.playbook.resume(run.scenario, run.text, now_us)
        if keep.jobs_played >= 0 and keep.faults_played >= 0:
            self.playbook.skip(keep.jobs_played, keep.faults_played)
        self.faults.adopt(run.run, faults, now_us)
        self.faults.next_id = max(self.faults.next_id, keep.next_fault)
        self.jobs.adopt(run.run, keep.next_job)
        self.roll.new_run(run.run, self.bounds.stations)
        self.clock.auto = keep.auto
        self._waiting_to_start = not now_us and not clock.speed_permille
        self._say.line(now_us, f"run {run.run:08x} goes on: {self.playbook.scene.title}")
        self.republish()

    def republish(self) -> None:
        """Everything that is retained once more, for a broker that has forgotten."""
        self._say.record(self._topics.run, self.record().encode())
        self.clock.republish()
        self.faults.republish()
        self._keep(again=True)

    # -- orders

    def carry_out(self, command: Command, asker: Asker, wall_ns: int) -> None:
        """Do what a command says, or begin to. Raises CommandError."""
        self._now_us = self.clock.emulated_us(wall_ns)
        if isinstance(command, FaultCommand):
            self._order_fault(command.order, asker, wall_ns)
        elif isinstance(command, JobCommand):
            self.jobs.submit(command.order, asker, wall_ns)
        elif isinstance(command, SpeedCommand):
            self._order_speed(command.permille, asker, wall_ns)
        elif isinstance(command, StepCommand):
            end = self.clock.step(command.us, wall_ns)
            self._waiting_to_start = False
            self._say.reply(asker.reply(ACCEPTED, f"{command.us} us of emulated time, from 300 ms ahead on"))
            self._at_wall.append((end, asker))
        elif isinstance(command, LevelCommand):
            where = "all" if command.station is None else command.station
            self._say.record(self._topics.level(where), command.level.encode())
            self._say.reply(asker.reply(ACCEPTED))
            self._say.reply(asker.reply(DONE, f"logs from {command.level} on"))
        else:
            self._say.reply(asker.reply(ACCEPTED, "a new run"))
            self.new_run(wall_ns)
            self._reset_by = asker
        self.playbook.touched(wall_ns)
        self._keep()

    def _order_speed(self, permille: int | None, asker: Asker, wall_ns: int) -> None:
        at = self.clock.set_speed(permille, wall_ns)
        self.roll.mark()
        self._started()
        self._say.reply(asker.reply(ACCEPTED, f"in {(at - wall_ns) // 1_000_000} ms"))
        self._at_wall.append((at, asker))

    def _order_fault(self, order: FaultOrder, asker: Asker, wall_ns: int) -> None:
        order = self._resolved(order)
        at_us = self.clock.stamp_us(wall_ns)
        if order.ends:
            ended = self.faults.end(order, at_us)
            text = "fault " + ", ".join(map(str, ended))
            self._fault_askers.append((asker, set(ended), "end"))
            self._say.reply(asker.reply(ACCEPTED, f"{text} ends", fault=ended[0]))
            return
        record = self._begin(order, at_us, f"client {asker.client}" if asker.client else "operator")
        self._fault_askers.append((asker, {record.id}, "begin"))
        self._say.reply(asker.reply(ACCEPTED, f"fault {record.id}: {_phrase(record)}", fault=record.id))

    def _begin(self, order: FaultOrder, at_us: int, owner: str) -> FaultRecord:
        if order.word == "reboot":
            order = replace(order, for_us=REBOOT_US)
        return self.faults.begin(order, at_us, owner)

    def _resolved(self, order: FaultOrder) -> FaultOrder:
        """A link named by a route becomes the pair that the route uses now. Raises CommandError."""
        meter = fault.route_of(order.where) if order.kind == "link" else None
        if meter is None:
            return order
        link = self.roll.route_link(meter)
        if link is None:
            raise CommandError(
                f"{order.where}: no route from the coordinator to {station_name(meter)} is known now; "
                f"allowed: two stations like 3-17, or a route that was discovered (cmd/discover/{meter})"
            )
        return replace(order, where=canonical(f"{link[0]}-{link[1]}"))

    # -- what comes from the stations

    def station_status(self, station: int, record: StatusRecord, payload: bytes, wall_ns: int) -> None:
        """A station's status has come in."""
        before = self.roll.coordinator()
        self.roll.take(station, record, payload)
        if station or record.claim or before is None:
            return
        if record.online and (record.state != "on" or record.boot != before.boot):
            self.jobs.fail_accepted(_COORDINATOR_GONE)
        self._coordinator_lost_ns = None if record.online else self._coordinator_lost_ns or wall_ns

    def job_result(self, result: JobResult) -> bool:
        """The coordinator's word on a job; False where there is no such job."""
        return self.jobs.result(result)

    # -- time

    def tick(self, wall_ns: int) -> None:
        """Do what is due."""
        self._start_if_ready(wall_ns)
        for coming in [coming for coming in self._at_wall if coming[0] <= wall_ns]:
            self._at_wall.remove(coming)
            self._clock_changed(*coming)
        now_us = self._now_us = self.clock.emulated_us(wall_ns)
        if not self._waiting_to_start:
            self._play(now_us, wall_ns)
        for change in self.faults.advance(now_us, wall_ns):
            self._fault_changed(change.record, change.state)
        if self._coordinator_lost_ns is not None and wall_ns >= self._coordinator_lost_ns + LOST_NS:
            self.jobs.fail_accepted(_COORDINATOR_GONE)
        self.jobs.advance(wall_ns)
        generation = self.clock.generation
        if self.clock.look(*self.roll.since_mark(), wall_ns):
            self.roll.mark()
            if self.clock.generation != generation:
                self._at_wall.append((wall_ns + LEAD_NS, None))
        # a fault that somebody else began is what the scene stays on for, a while: at a slow pace its end is far off
        settled = not self.jobs.busy and not any(
            record.until_us and record.owner == SCENARIO for record in self.faults.records
        )
        if self.clock.last_permille and self.playbook.ended(settled, now_us, wall_ns):
            self.playbook.following()
            self.new_run(wall_ns)

    def next_ns(self, wall_ns: int) -> int | None:
        """When something is due next, wall time; None if nothing is foreseen."""
        lead_us = self.clock.stamp_us(wall_ns) - self.clock.emulated_us(wall_ns)
        times = [at for at, _ in self._at_wall]
        for emulated in (self.playbook.next_us(), self.faults.next_us()):
            if emulated is not None and not self._waiting_to_start:
                early = self.clock.wall_of(max(0, emulated - lead_us), wall_ns)
                exact = self.clock.wall_of(emulated, wall_ns)
                times += [wall for wall in (early, exact) if wall is not None and wall > wall_ns]
        times += [wall for wall in (self.faults.next_wall_ns(), self.jobs.next_wall_ns()) if wall is not None]
        return min(times, default=None)

    def _start_if_ready(self, wall_ns: int) -> None:
        if not self._waiting_to_start:
            return
        if self._first_ready_ns is None and self.roll.ready:
            self._first_ready_ns = wall_ns
        patient = self._first_ready_ns is None or wall_ns < self._first_ready_ns + self._gate_ns
        if patient and not self.roll.complete:
            return
        at = self.clock.set_speed(self.playbook.speed_permille, wall_ns)
        self._at_wall.append((at, None))
        self._started()

    def _started(self) -> None:
        self._waiting_to_start = False
        if self._reset_by is not None:
            self._say.reply(self._reset_by.reply(DONE, f"run {self.run:08x}, {self.roll.ready} stations are there"))
            self._reset_by = None

    def _play(self, now_us: int, wall_ns: int) -> None:
        """The jobs and faults of the scene that are due."""
        for timed in self.playbook.faults_due(self.clock.stamp_us(wall_ns)):
            self._strike(timed.order, max(timed.at_us, now_us))
        for order in self.playbook.jobs_due(now_us):
            try:
                self.jobs.submit(order, None, wall_ns)
            except CommandError as error:
                self._say.line(now_us, f"{order.verb} of the scenario: {error}")
            self._keep()

    def _strike(self, order: FaultOrder, at_us: int) -> None:
        meter = fault.route_of(order.where) if order.kind == "link" else None
        if order.kind == "link":
            link = None if meter is None else self.roll.route_link(meter) or (0, meter)
            order = replace(order, where=canonical(order.where if link is None else f"{link[0]}-{link[1]}"))
        try:
            if order.ends:
                self.faults.end(order, at_us)
            else:
                self._begin(order, at_us, SCENARIO)
        except CommandError as error:
            self._say.line(at_us, f"fault of the scenario: {error}")
        self._keep()

    # -- what has become of things

    def _fault_changed(self, record: FaultRecord, state: str) -> None:
        at = record.from_us if state == "begin" else record.until_us
        order, until = record.order, record.until_us if state == "begin" else 0
        self._say.event(
            events.Fault(at, NOBODY, record.id, order.kind, order.where, order.word, order.value, state, until)
        )
        for waiting in list(self._fault_askers):
            asker, numbers, wanted = waiting
            if record.id not in numbers or (state != wanted and state != "end"):
                continue
            numbers.discard(record.id)
            if not numbers:
                self._fault_askers.remove(waiting)
                words = "is in force" if wanted == "begin" else "is over"
                self._say.reply(asker.reply(DONE, f"{_phrase(record)} {words}", fault=record.id))

    def _job_news(self, news: JobNews) -> None:
        order = news.order
        if news.asker is not None:
            self._say.reply(news.asker.reply(news.state, news.detail, job=order.job))
        elif news.state != ACCEPTED:
            where = f" {station_name(order.station)}" if order.station else ""
            self._say.line(self._now_us, f"job {order.job}, {order.verb}{where}, {news.state}: {news.detail}")

    def _clock_changed(self, at_ns: int, asker: Asker | None) -> None:
        now_us, permille = self.clock.emulated_us(at_ns), self.clock.permille(at_ns)
        self._say.event(events.Clock(now_us, NOBODY, self.clock.generation, permille))
        if asker is not None:
            self._say.reply(asker.reply(DONE, f"{self._speed()}, emulated time {now_us / 1_000_000:.6f} s"))

    def _speed(self) -> str:
        if not self.clock.last_permille:
            return "the clock stands"
        return f"{'auto, now ' if self.clock.auto else ''}{self.clock.last_permille / 1000:g} times real time"

    def _fail_askers(self, reason: str) -> None:
        askers = [asker for asker, _, _ in self._fault_askers]
        askers += [asker for asker in (self._reset_by, *(asker for _, asker in self._at_wall)) if asker is not None]
        self._fault_askers.clear()
        self._at_wall.clear()
        self._reset_by = None
        for asker in askers:
            self._say.reply(asker.reply(FAILED, reason))

    # -- inside

    def _keep(self, again: bool = False) -> None:
        """What the next life of the director goes on from."""
        numbers = self.run, self.jobs.next_id, self.faults.next_id, self.clock.auto
        kept = StageKeep(*numbers, *self.playbook.counts).encode()
        if again or kept != self._kept:
            self._kept = kept
            self._say.record(self._topics.keep("director"), kept)

    def _publish_clock(self, record: ClockRecord) -> None:
        self._say.record(self._topics.clock, record.encode())

    def _publish_fault(self, number: int, record: FaultRecord | None) -> None:
        self._say.record(self._topics.fault(number), b"" if record is None else record.encode())

    def _publish_job(self, record: JobRecord) -> None:
        self._say.say(self._topics.job(record.order.job), record.encode())


def _phrase(record: FaultRecord) -> str:
    order = record.order
    value = f" {order.value}" if order.word in fault.RANGES else ""
    return f"{order.kind} {order.where} {order.word if order.word != order.kind else ''}{value}".replace("  ", " ")


def fits(record: RunRecord, scene: Scenario) -> bool:
    """Whether a run that was found on the broker is one of this scene."""
    return (record.scenario, record.text, record.seed, record.profile, record.epoch_s, record.feeder_sha256) == (
        scene.name, scene.text, scene.seed, scene.profile, scene.epoch_s, scene.feeder.sha256,
    )  # fmt: skip
