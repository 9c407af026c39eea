"""A live night on a loop whose time is the test's, beside the same in virtual time: what latency does to the network.

Four processes, a broker that takes a millisecond and a half, and nothing of the machine in it: what differs is the
medium and its contention by announcements. Whoever sends into a channel that has been busy for a slot has not known it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from emulation.live.clock import LoopClock, Pace
from emulation.live.live_run import LiveRun
from emulation.live.records import RunRecord
from emulation.live.topics import Topics
from emulation.media.channel import Channel
from emulation.media.links import ChannelFaults, LinkTable
from emulation.observe.tap import Trace
from emulation.scenario import Scenario, load
from g3plc import events as ev
from g3plc.core.ofdm import SLOT_US
from g3plc.events import Event
from g3plc.sap import DT_SOF_ACK
from gridglow.one_pan import applications
from gridglow.simulate import run as in_virtual_time

ORIGIN_NS = 1_795_000_000_000_000_000
LATENCY_S = 0.0015
LEAD_S = 0.3
GROUPS = (range(13), range(13, 25), range(25, 37), range(37, 49))
SEEDS = (1, 2, 3)
WITHIN = 0.25
"""Each seed's course is one of many: a tenth more or less of everything is chance."""


class Kept:
    """An observer that keeps everything."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, events: Sequence[Event]) -> None:
        self.events += events

    def close(self) -> None:
        """Nothing to let go of."""


class Night:
    """The processes of a run, joined by a broker that keeps the order."""

    def __init__(self, loop: Any, scenario: Scenario, seed: int) -> None:
        self.loop = loop
        self.kept = Kept()
        self.errors: list[Exception] = []
        self.complaints: list[str] = []
        feeder = scenario.feeder
        record = RunRecord(
            4711, seed, scenario.epoch_s, scenario.profile, feeder.name, feeder.sha256, scenario.name, scenario.text
        )
        self.runs = [self._process(record, scenario, local) for local in GROUPS]
        for one in self.runs:
            one.clock.set_pace(Pace(1, ORIGIN_NS + int((loop.time() + LEAD_S) * 1e9), 0, 1000))
            for station in sorted(one.local):
                one.clock.soon(self._on, (one, station))
        for job in scenario.jobs:
            self.runs[0].clock.at(job.at_us, lambda order: self.principal.submit(order), job)

    @property
    def principal(self) -> Any:
        return self.runs[0].lives[0].application

    def play(self) -> list[Event]:
        self.loop.run(LEAD_S + 2)
        while self.principal.busy:
            self.loop.run(1)
        for one in self.runs:
            one.trace.flush()
        return sorted(self.kept.events, key=lambda event: event[0])

    def _process(self, record: RunRecord, scenario: Scenario, local: range) -> LiveRun:
        trace = Trace([self.kept])
        clock = LoopClock(self.loop, ORIGIN_NS)
        clock.on_turn = trace.flush
        return LiveRun(
            record, scenario, applications, clock, trace, Topics(), local, self._publish,
            lambda sender, why: self.complaints.append(why),
        )  # fmt: skip

    def _on(self, item: tuple[LiveRun, int]) -> None:
        one, station = item
        one.switch_on(station, 1, {}, {}, self.errors.append)

    def _publish(self, topic: str, payload: bytes) -> bool:
        def deliver() -> None:
            for one in self.runs:
                one.medium.receive(int(topic.rsplit("/", 1)[1]), topic, payload)

        self.loop.call_at(self.loop.time() + LATENCY_S, deliver)
        return True


def counts(events: Sequence[Event]) -> Counter[str]:
    found = Counter(type(event).__name__ for event in events)
    lost = {
        (event.src, event.frame) for event in events if isinstance(event, ev.RxLost) and event.reason == "collision"
    }
    return Counter(transmissions=found["TxStart"], deferrals=found["Defer"], collisions=len(lost))


def into_busy(events: Sequence[Event], scenario: Scenario, seed: int) -> tuple[int, int]:
    """Frames sent, and those of them sent while energy of another station had been there for a slot."""
    channel = Channel(scenario.feeder, seed, scenario.channel, scenario.epoch_s * 1_000_000)
    table = LinkTable(channel, ChannelFaults())
    sent = [event for event in events if isinstance(event, ev.TxStart)]
    heard: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for event in sent:
        table.refresh(event.t)
        for link in table.of(event.node, event.t):
            heard[link.dst].append((event.t, event.t + event.duration_us))
    frames = [event for event in sent if event.dt <= DT_SOF_ACK]
    return len(frames), sum(_busy(heard[event.node], event.t) for event in frames)


def _busy(heard: list[tuple[int, int]], now: int) -> bool:
    noticed = bisect_right(heard, (now - SLOT_US, 1 << 62))
    return any(end > now for _, end in heard[max(0, noticed - 50) : noticed])


def test_every_meter_is_read_and_nobody_sends_into_what_is_known(loop: Any) -> None:
    scenario = load("night")
    night = Night(loop, scenario, scenario.seed)
    events = night.play()
    assert not night.errors and not night.complaints
    assert {event.meter for event in events if isinstance(event, ev.ReadDone)} == set(range(1, 49))
    assert not any(one.medium.late.total() for one in night.runs)
    frames, busy = into_busy(events, scenario, scenario.seed)
    assert busy < frames * 0.005, "follow-up segments aside"


def test_the_course_is_that_of_virtual_time(loop: Any) -> None:
    live, virtual = Counter[str](), Counter[str]()
    for seed in SEEDS:
        scenario = load("night")
        live += counts(Night(loop, scenario, seed).play())
        kept = Kept()
        in_virtual_time(scenario, seed, observers=[kept])
        virtual += counts(kept.events)
    for name, count in virtual.items():
        assert abs(live[name] - count) < WITHIN * count, (name, live, virtual)
