"""The director of a live run: the one writer of what must have one owner. Messages in, publications out, no broker.

Writes run, clock, faults, log levels, jobs and replies; answers questions for the time. It is no station: it works
while the coordinator is off, and stations go on while it is not there. At its start it listens first: what an earlier
life left behind, retained, is adopted if it belongs to the playbook; records of other runs are cleared. After a broker
has lost its memory it says everything again.

Neighbours: `stage` (the run), `bulletin` (what is said), `commands` (what people type), `director_shell` (the broker).
"""

from __future__ import annotations

from collections.abc import Callable

from emulation.live.bulletin import NAME, Bulletin, Publication
from emulation.live.command_text import CommandError, Envelope, shown
from emulation.live.commands import parse
from emulation.live.director_status import DirectorStatus
from emulation.live.playbook import Playbook
from emulation.live.records import JobResult, SyncRecord
from emulation.live.replies import ACCEPTED, REFUSED, Asker
from emulation.live.rivals import LISTEN_MS, Rivals
from emulation.live.stage import GATE_NS, Stage
from emulation.live.status_record import StatusRecord
from emulation.live.testament import Testament
from emulation.live.topics import PayloadError, Topics, number_of

SETTLING, WORKING, REFUSING = "settling", "working", "refused"

BEAT_NS = 1_000_000_000
LISTEN_NS = 200_000_000
"""After the echo of our claim: time for another director to object."""
LISTEN_AT_MOST_NS = 2_000_000_000
RIVAL_NS = LISTEN_MS * 1_000_000
"""Where another director is retained as online, or claims first: time for it to be heard beating."""
_MOST_HELD = 64
_REPAIR_NS = 1_000_000_000
_MS = 1_000_000


class Director:
    """See the module's text. All times are wall time, UNIX nanoseconds.

    `instance` names this life of the director. `fresh`: begin a new run whatever was retained. `problem` is set when
    another director is at work: this one has to end.
    """

    def __init__(
        self,
        topics: Topics,
        playbook: Playbook,
        draw_run: Callable[[], int],
        instance: str,
        since_ns: int,
        fresh: bool = False,
        gate_ns: int = GATE_NS,
    ) -> None:
        self.topics = topics
        self.instance = instance
        self.bulletin = Bulletin(topics)
        self.stage = Stage(self.bulletin, playbook, draw_run, gate_ns)
        self.state = SETTLING
        self.problem = ""
        self._fresh = fresh
        self._since_ms = since_ns // _MS
        self._testament = Testament()
        self._held: list[tuple[str, bytes]] = []
        self._settle_ns: int | None = None
        self._echoed = False
        self._rivals = Rivals()
        self._rival = False
        self._beat_ns = 0
        self._told_pace = (False, 0)
        self._repaired_ns: dict[str, int] = {}

    # -- what the shell calls

    def subscriptions(self) -> list[str]:
        """The filters to subscribe to."""
        topics = self.topics
        return [
            topics.run, topics.clock, topics.fault("+"), topics.keep(NAME), topics.status("+"),
            topics.command("#"), topics.job_result("+"), topics.sync("+"),
        ]  # fmt: skip

    def will(self) -> Publication:
        """What the broker says, retained, when we are gone."""
        gone = DirectorStatus(False, self.instance, since_ms=self._since_ms, state="gone")
        return Publication(self.topics.status(NAME), gone.encode(), True)

    def take(self) -> list[Publication]:
        """Everything to be sent."""
        return self.bulletin.take()

    def connected(self, wall_ns: int) -> None:
        """The connection stands and everything is subscribed: claim our place and listen."""
        claim = self._status(wall_ns)
        claim.claim = True
        self.bulletin.say(self.topics.status(NAME), claim.encode())
        self._settle_ns, self._echoed = wall_ns + LISTEN_AT_MOST_NS, False
        self._rivals = Rivals()

    def disconnected(self) -> None:
        """The connection is lost: what is said now is not heard, and what is retained may be forgotten."""
        if self.state == WORKING:
            self.state = SETTLING
        self._settle_ns = None
        self._rival = False
        self._testament = Testament()

    def receive(self, topic: str, payload: bytes, retained: bool, wall_ns: int) -> None:
        """A message: any octets, at any time."""
        levels = self.topics.parts(topic)
        if not levels or self.state == REFUSING:
            return
        try:
            self._dispatch(levels, topic, payload, retained, wall_ns)
        except PayloadError as error:
            self._complain(levels[0], str(error), wall_ns)

    def tick(self, wall_ns: int) -> int | None:
        """Do what is due; returns when to be called again at the latest (None: within a second anyway)."""
        if self.state == REFUSING:
            return None
        if self._settle_ns is not None and wall_ns >= self._settle_ns:
            self._settle(wall_ns)
        if self.stage.run:
            self.stage.tick(wall_ns)
        if self.state == WORKING and (wall_ns >= self._beat_ns + BEAT_NS or self._pace(wall_ns) != self._told_pace):
            self._beat(wall_ns)
        times = [time for time in (self._settle_ns, self.stage.next_ns(wall_ns)) if time is not None]
        return min(times, default=None)

    def goodbye(self, wall_ns: int) -> None:
        """An orderly end: the run goes on without us."""
        if self.state != REFUSING:
            gone = self._status(wall_ns)
            gone.online, gone.state = False, "gone"
            self.bulletin.record(self.topics.status(NAME), gone.encode())

    # -- messages

    def _dispatch(self, levels: list[str], topic: str, payload: bytes, retained: bool, wall_ns: int) -> None:
        first = levels[0]
        if first == "cmd":
            self._command(levels[1:], topic, payload, retained, wall_ns)
        elif first == "status" and len(levels) == 2:
            self._status_of(levels[1], topic, payload, retained, wall_ns)
        elif first == "sync" and len(levels) == 2:
            self._sync(levels[1], topic, payload, retained, wall_ns)
        elif first == "job" and levels[2:] == ["result"]:
            self._job_result(topic, payload, retained, wall_ns)
        elif first in ("run", "clock", "fault", "keep"):
            self._own_record(topic, payload, wall_ns)

    def _command(self, levels: list[str], topic: str, payload: bytes, retained: bool, wall_ns: int) -> None:
        if self.state == SETTLING and not retained and len(self._held) < _MOST_HELD:
            self._held.append((topic, payload))
            return
        envelope = Envelope.read(topic, payload)
        asker = Asker(envelope)
        try:
            if retained:
                raise CommandError("retained commands are not carried out; allowed: publish without retain")
            if self.state == SETTLING:
                raise CommandError("the director is starting; allowed: the same again in a moment")
            self.stage.carry_out(parse(levels, envelope, self.stage.bounds), asker, wall_ns)
        except CommandError as error:
            refusal = asker.refusal(error)
            self.bulletin.reply(refusal)
            what = f"command {shown(topic[len(self.topics.prefix) :])} {shown(refusal.payload)} refused: {error}"
            self._complain("cmd", what, wall_ns)

    def _status_of(self, who: str, topic: str, payload: bytes, retained: bool, wall_ns: int) -> None:
        if who == NAME:
            self._director_status(topic, payload, retained, wall_ns)
        elif who.isascii() and who.isdigit() and payload:
            station = number_of(topic, who, 0xFFFF)
            self.stage.station_status(station, StatusRecord.decode(topic, payload), payload, wall_ns)

    def _director_status(self, topic: str, payload: bytes, retained: bool, wall_ns: int) -> None:
        if not payload:
            return
        other = DirectorStatus.decode(topic, payload)
        if other.instance == self.instance:
            if other.claim and self._settle_ns is not None and not self._echoed:
                self._echoed = True
                pause_ns = RIVAL_NS if self._rival else LISTEN_NS
                self._settle_ns = wall_ns if self.stage.run else wall_ns + pause_ns
        elif other.claim or other.online:
            self._meet(other, retained, wall_ns)

    def _meet(self, other: DirectorStatus, retained: bool, wall_ns: int) -> None:
        """Another director is there, or was: it counts once it is heard beating."""
        if not self.stage.run:
            if not other.claim or other.outranks(self._status(wall_ns)):
                self._listen_on(wall_ns)
        elif other.claim and self.state == WORKING:
            self._beat(wall_ns)
        if other.claim or retained:
            return
        alive = self._rivals.beats(other.instance, other.beat_ms, wall_ns // _MS)
        if alive and (not self.stage.run or other.outranks(self._status(wall_ns))):
            self.state = REFUSING
            self.problem = f"another director ({other.instance}) is at work in PAN {self.topics.pan:04x} on this broker"
        elif self.state == WORKING and wall_ns >= self._beat_ns + BEAT_NS // 2:
            self._beat(wall_ns)

    def _listen_on(self, wall_ns: int) -> None:
        """Somebody may be at work: listen for longer, but once."""
        if not self._rival:
            self._rival = True
            if self._settle_ns is not None and self._echoed:
                self._settle_ns = wall_ns + RIVAL_NS

    def _sync(self, process: str, topic: str, payload: bytes, retained: bool, wall_ns: int) -> None:
        if retained:
            raise PayloadError(topic, "retained, which questions for the time never are")
        question = SyncRecord.decode(topic, payload)
        self.bulletin.say(self.topics.sync_answer(process), SyncRecord(question.sent_ns, wall_ns).encode())

    def _job_result(self, topic: str, payload: bytes, retained: bool, wall_ns: int) -> None:
        if retained:
            raise PayloadError(topic, "retained, which results never are")
        result = JobResult.decode(topic, payload)
        if not self.stage.job_result(result):
            self._complain("stray result", f"{topic}: no such job is under way", wall_ns)

    def _own_record(self, topic: str, payload: bytes, wall_ns: int) -> None:
        """A record that only a director writes: an echo of ours, the will of an earlier life, or somebody's garbage."""
        if self.state == SETTLING:
            self._testament.add(topic, payload)
            return
        if self.bulletin.is_ours(topic, payload):
            return
        if not payload and topic not in (self.topics.run, self.topics.clock, self.topics.keep(NAME)):
            known = {self.topics.fault(record.id) for record in self.stage.faults.records}
            if topic not in known:
                return
        if wall_ns >= self._repaired_ns.get(topic, 0) + _REPAIR_NS:
            self._complain("foreign record", f"{shown(topic)} was written by somebody else: put right", wall_ns)
            if len(self._repaired_ns) > _MOST_HELD:
                self._repaired_ns.clear()
            self._repaired_ns[topic] = wall_ns
            self._put_right(topic)

    def _put_right(self, topic: str) -> None:
        faults = {self.topics.fault(record.id) for record in self.stage.faults.records}
        if topic in faults or topic in (self.topics.run, self.topics.clock, self.topics.keep(NAME)):
            self.stage.republish()
        else:
            self.bulletin.record(topic, b"")

    # -- settling

    def _settle(self, wall_ns: int) -> None:
        """Nobody objected: take the place, go on with what is there or begin anew."""
        self._settle_ns = None
        self.state = WORKING
        testament, stage = self._testament, self.stage
        own = bool(stage.run)
        if own:
            stage.republish()
        elif self._fresh or not testament.adopt(self.topics, stage, wall_ns):
            stage.new_run(wall_ns)
        for topic in testament.strays(self.topics, [record.id for record in stage.faults.records]):
            self.bulletin.record(topic, b"")
        for reason in testament.complaints:
            self._complain("retained", reason, wall_ns)
        self._testament = Testament()
        self._beat(wall_ns)
        held, self._held = self._held, []
        for topic, payload in held:
            self._command(self.topics.parts(topic)[1:], topic, payload, False, wall_ns)

    # -- status

    def _beat(self, wall_ns: int) -> None:
        self._beat_ns, self._told_pace = wall_ns, self._pace(wall_ns)
        self.bulletin.record(self.topics.status(NAME), self._status(wall_ns).encode())

    def _pace(self, wall_ns: int) -> tuple[bool, int]:
        """What people must not read a second too late: whether the run has begun, and how fast it goes."""
        return self.stage.starting, self.stage.clock.permille(wall_ns)

    def _status(self, wall_ns: int) -> DirectorStatus:
        stage, scene = self.stage, self.stage.playbook.scene
        permille = stage.clock.permille(wall_ns)
        state = "starting" if stage.starting else "running" if permille or stage.clock.last_permille else "paused"
        replies = self.bulletin.replies
        return DirectorStatus(
            True, self.instance, False, self._since_ms, wall_ns // _MS,
            SETTLING if self.state == SETTLING else state, stage.run, scene.name, scene.title[:_TITLE],
            stage.now_us(wall_ns), permille, stage.clock.auto, stage.roll.faithful,
            len(scene.feeder.stations), stage.roll.ready, stage.roll.late, stage.roll.heard,
            len(stage.faults.records), stage.jobs.count, replies[ACCEPTED], replies[REFUSED],
        )  # fmt: skip

    def _complain(self, sort: str, text: str, wall_ns: int) -> None:
        self.bulletin.complain(sort, text, self.stage.now_us(wall_ns), wall_ns)


_TITLE = 200
