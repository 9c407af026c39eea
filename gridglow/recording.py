"""Events of a live run put into the order of emulated time, and the evidence made of them.

Pure but for the files: messages in, no broker. Neighbours: `record_run` (the broker), `emulation.observe.evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from emulation.faults import NOBODY
from emulation.live import event_map
from emulation.live.records import RunRecord
from emulation.live.topics import PayloadError, Topics
from emulation.media.channel import Channel
from emulation.media.links import ChannelFaults, LinkTable
from emulation.observe.evidence import Evidence
from emulation.observe.facts import RunFacts
from emulation.observe.metrics import Metrics
from emulation.observe.record import Digest
from emulation.observe.tap import Failure, Observer
from emulation.scenario import Scenario
from g3plc.events import Event, TxStart
from gridglow.report import Results
from gridglow.simulate import program_version

WINDOW_S = 1.0
"""Processes and broker are not of one pace: an event waits so long, wall time, for those that happened before it."""
MOST_HELD = 200_000


class Reorder:
    """A window of wall time in which events get into their order. `late` counts those that came after their turn."""

    def __init__(self) -> None:
        self._held: list[tuple[int, int, float, Event]] = []
        self._count = 0
        self._last_us = 0
        self.late = 0

    def put(self, event: Event, wall_s: float) -> None:
        """An event has come in; one whose turn is over is left out."""
        if event[0] < self._last_us:
            self.late += 1
            return
        self._count += 1
        heappush(self._held, (event[0], self._count, wall_s, event))

    def take(self, wall_s: float) -> list[Event]:
        """The events that have waited long enough, oldest first. `wall_s` infinite: all."""
        held, taken = self._held, []
        while held and (held[0][2] <= wall_s - WINDOW_S or len(held) > MOST_HELD):
            taken.append(heappop(held)[3])
        if taken:
            self._last_us = taken[-1][0]
        return taken


class Hearers:
    """An observer that adds up how many stations each transmission reaches, by the channel, with every station on."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        channel = Channel(scenario.feeder, seed, scenario.channel, scenario.epoch_s * 1_000_000)
        self._table = LinkTable(channel, ChannelFaults())
        self._sent = 0
        self._heard = 0

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        for event in events:
            if isinstance(event, TxStart):
                self._table.refresh(event.t)
                self._sent += 1
                self._heard += len(self._table.of(event.node, event.t))

    def close(self) -> None:
        """Nothing to let go of."""

    def mean(self) -> float:
        """Hearers of a transmission."""
        return round(self._heard / max(1, self._sent), 2)


class Recording:
    """The record of one run into `folder`. OSError where that cannot be written.

    `refused` counts messages that no event could be made of, `events` those that were written, `failures` the
    observers that gave up.
    """

    def __init__(self, folder: Path, run: RunRecord, scenario: Scenario, topics: Topics, wall_s: float) -> None:
        facts = facts_of(run, scenario, topics.pan)
        self.run = run.run
        self._topics = topics
        self._began_s = wall_s
        self._stations = range(scenario.meters + 1)
        self._evidence = Evidence(folder, facts)
        self._metrics, self._digest, self.results = Metrics(facts), Digest(), Results()
        self._hearers = Hearers(scenario, run.seed)
        self._observers: list[Observer] = [
            self._metrics, self._digest, self.results, self._hearers, *self._evidence.observers,
        ]  # fmt: skip
        self._order = Reorder()
        self._first_us = -1
        self.last_us = 0
        self.events = 0
        self.refused = 0
        self.failures: list[Failure] = []

    @property
    def late(self) -> int:
        """Events that came too late for their place, and are missing."""
        return self._order.late

    def receive(self, topic: str, payload: bytes, wall_s: float) -> None:
        """A message on `event/<station>/<Kind>`: any octets."""
        levels = self._topics.parts(topic)
        try:
            event = event_map.decode(topic, levels[2] if len(levels) == 3 else "", payload)
        except PayloadError:
            self.refused += 1
            return
        if not self._is_of(event, levels[1]):
            self.refused += 1
            return
        self._order.put(event, wall_s)

    def write(self, wall_s: float) -> None:
        """Write what has waited long enough."""
        events = self._order.take(wall_s)
        if not events:
            return
        if self._first_us < 0:
            self._first_us = events[0][0]
        self.last_us = events[-1][0]
        self.events += len(events)
        for observer in tuple(self._observers):
            try:
                observer.observe(events)
            except OSError:
                raise
            except Exception as error:
                self.failures.append(Failure(observer, error))
                self._observers.remove(observer)

    def finish(self, wall_s: float) -> dict[str, Any]:
        """Write the rest, close the files, return the summary."""
        self.write(float("inf"))
        figures = {
            "emulated_s": (self.last_us - max(self._first_us, 0)) / 1_000_000,
            "wall_s": round(wall_s - self._began_s, 3),
            "hearers": self._hearers.mean(),
            "digest": self._digest.hexdigest(),
            "live": True,
            "missed": self.late,
        }
        summary = self._metrics.summary(**figures)
        self._evidence.finish(summary, figures)
        return summary

    def _is_of(self, event: Event, who: str) -> bool:
        """Whether an event came in under the name of its station: nobody is recorded in another's name."""
        return event[1] == NOBODY if who == "director" else event[1] in self._stations and who == str(event[1])


def facts_of(run: RunRecord, scenario: Scenario, pan: int) -> RunFacts:
    """The header of the evidence."""
    return RunFacts(
        run.scenario, run.seed, run.feeder, run.feeder_sha256, run.epoch_s, run.profile, scenario.meters,
        program_version(), pan, {"scenario": run.text, "feeder": scenario.feeder.source},
    )  # fmt: skip
