"""What is retained on the broker before the director speaks: what its earlier life left, and strangers' garbage.

Neighbours: `director` collects, `stage` goes on from it.
"""

from __future__ import annotations

from emulation.live.bulletin import NAME
from emulation.live.records import ClockRecord, FaultRecord, RunRecord
from emulation.live.stage import Stage, fits
from emulation.live.stage_keep import StageKeep
from emulation.live.topics import PayloadError, Topics

_MOST = 4096


class Testament:
    """The retained records by topic; later ones replace earlier ones. `complaints` says what was no good."""

    def __init__(self) -> None:
        self._found: dict[str, bytes] = {}
        self.complaints: list[str] = []

    def add(self, topic: str, payload: bytes) -> None:
        """A record of run, clock, fault or keep has come in."""
        if not payload:
            self._found.pop(topic, None)
        elif len(self._found) < _MOST:
            self._found[topic] = payload

    def adopt(self, topics: Topics, stage: Stage, wall_ns: int) -> bool:
        """Let the stage go on with the run that is found; False if there is none that is any good."""
        found = self._found
        if topics.run not in found or topics.clock not in found:
            return False
        try:
            run = RunRecord.decode(topics.run, found[topics.run])
            clock = ClockRecord.decode(topics.clock, found[topics.clock])
        except PayloadError as error:
            self.complaints.append(str(error))
            return False
        playbook = stage.playbook
        if not run.run or clock.run != run.run or not playbook.resume(run.scenario, run.text, 0):
            return False
        if not fits(run, playbook.scene):
            return False
        stage.adopt(run, clock, self._faults(topics, stage, run.run), self._keep(topics, run.run), wall_ns)
        return True

    def strays(self, topics: Topics, known: list[int]) -> list[str]:
        """Topics of faults that are not in force: to be cleared."""
        mine = {topics.fault(number) for number in known}
        prefix = topics.fault("")
        return [topic for topic in self._found if topic.startswith(prefix) and topic not in mine]

    def _faults(self, topics: Topics, stage: Stage, run: int) -> list[FaultRecord]:
        bounds = stage.bounds
        records = []
        for topic, payload in self._found.items():
            if not topic.startswith(topics.fault("")):
                continue
            try:
                record = FaultRecord.decode(topic, payload, bounds.stations, bounds.leds)
            except PayloadError as error:
                self.complaints.append(str(error))
                continue
            if record.run == run and topics.fault(record.id) == topic:
                records.append(record)
        return records

    def _keep(self, topics: Topics, run: int) -> StageKeep:
        payload = self._found.get(topics.keep(NAME))
        if payload is not None:
            try:
                keep = StageKeep.decode(topics.keep(NAME), payload)
                if keep.run == run:
                    return keep
            except PayloadError as error:
                self.complaints.append(str(error))
        return StageKeep(run)
