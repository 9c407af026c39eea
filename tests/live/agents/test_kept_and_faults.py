"""What the next life goes on from, and which faults are in force when."""

from __future__ import annotations

from typing import Any

import pytest

from emulation.grid.fault import FaultOrder
from emulation.grid.feeder import Feeder
from emulation.live.clock import LoopClock, Pace
from emulation.live.fault_watch import FaultWatch
from emulation.live.kept import advanced, next_life
from emulation.live.records import FaultRecord, KeepRecord, SyncRecord
from emulation.live.sync import Sync
from emulation.media.links import ChannelFaults

RUN = 7
STACK = {"frame": 100, "datagrams": 5, "mac": {"dsn": 250, "bsn": 3, "frame_counter": 9, "counters": {"dsn": 4}},
         "adp": {"broadcast_sequence": 200, "datagram_tag": 65_535}, "loadng": {"sequence": 65_000}}  # fmt: skip


def test_after_an_orderly_stop_numbers_go_on_from_the_last() -> None:
    kept = KeepRecord(RUN, 3, True, STACK, {"energy_pj": 5})
    assert next_life(kept, RUN) == (4, STACK, {"energy_pj": 5})


def test_after_an_unclean_one_they_are_far_ahead() -> None:
    boot, stack, application = next_life(KeepRecord(RUN, 3, False, STACK, {"energy_pj": 5, "session": 8}), RUN)
    assert boot == 4
    assert stack["frame"] == 1124 and stack["datagrams"] == 1029
    assert stack["mac"]["dsn"] == (250 + 64) % 256 and stack["mac"]["frame_counter"] == 1033
    assert stack["adp"] == {"broadcast_sequence": 8, "datagram_tag": 1023}
    assert stack["loadng"]["sequence"] == (65_000 + 1024) % 65_536
    assert application == {"energy_pj": 5, "session": 1032}


def test_of_another_run_nothing_is_kept() -> None:
    assert next_life(KeepRecord(RUN + 1, 3, True, STACK, {}), RUN) == (1, {}, {})
    assert next_life(None, RUN) == (1, {}, {})


def test_strange_contents_are_left_as_they_are() -> None:
    strange: dict[str, Any] = {"frame": "x", "dsn": True, "mac": [1], "deep": {"a": {"b": {"c": {"d": {"dsn": 1}}}}}}
    assert advanced(strange) == strange


class Watched:
    """A watch on the board's feeder; `told` are reboots."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.clock = LoopClock(loop, 0)
        self.clock.set_pace(Pace(1, int(loop.seconds * 1e9), 0, 1000))
        self.faults = ChannelFaults()
        self.told: list[tuple[int, int]] = []
        self.changes = 0
        self.watch = FaultWatch(
            self.clock, Feeder.load("board"), self.faults, self.changed, lambda *what: self.told.append(what)
        )

    def changed(self) -> None:
        self.changes += 1

    def put(self, number: int, order: FaultOrder, start_s: float, end_s: float = 0) -> None:
        self.watch.put(FaultRecord(RUN, number, order, int(start_s * 1e6), int(end_s * 1e6), ""))


@pytest.fixture
def watched(loop: Any) -> Watched:
    return Watched(loop)


def test_a_fault_begins_and_ends_at_its_stamps(watched: Watched) -> None:
    watched.put(1, FaultOrder("link", "3-17", "down"), 1, 3)
    watched.loop.run(0.9)
    assert not watched.faults.down
    watched.loop.run(0.2)
    assert watched.faults.down == {(3, 17), (17, 3)}
    watched.loop.run(2)
    assert not watched.faults.down
    assert watched.faults.version > 0


def test_faults_overlap_and_each_ends_by_itself(watched: Watched) -> None:
    watched.put(1, FaultOrder("link", "3>17", "down"), 0)
    watched.put(2, FaultOrder("link", "3-17", "down"), 1, 2)
    watched.put(3, FaultOrder("noise", "5", "noise", 9), 0)
    watched.loop.run(1.5)
    assert watched.faults.down == {(3, 17), (17, 3)} and watched.faults.noise_cb == {5: 900}
    watched.loop.run(1)
    assert watched.faults.down == {(3, 17)}
    watched.watch.clear(3)
    watched.loop.run(0.1)
    assert not watched.faults.noise_cb


def test_power_voltage_and_reboots(watched: Watched) -> None:
    watched.put(4, FaultOrder("station", "9", "off"), 0)
    watched.put(5, FaultOrder("cable", "1", "cut", power=True), 0, 2)
    watched.put(6, FaultOrder("voltage", "8", "voltage", 180), 0)
    watched.put(7, FaultOrder("station", "3", "reboot"), 1)
    watched.loop.run(1.5)
    assert watched.watch.off[9] == 4 and 5 in watched.watch.off.values()
    assert watched.watch.volts == {8: 180}
    assert watched.told == [(3, 1_000_000)]
    watched.loop.run(1)
    assert watched.watch.off == {9: 4} and watched.told == [(3, 1_000_000)]


def test_records_not_seen_again_are_over(watched: Watched) -> None:
    watched.put(1, FaultOrder("link", "3-17", "down"), 0)
    watched.put(2, FaultOrder("link", "4-18", "down"), 0)
    watched.loop.run(0.1)
    watched.watch.keep_only([2])
    watched.loop.run(0.1)
    assert watched.faults.down == {(4, 18), (18, 4)}


def test_the_same_record_again_changes_nothing(watched: Watched) -> None:
    for _ in range(3):
        watched.put(1, FaultOrder("link", "3-17", "down"), 0)
        watched.loop.run(0.1)
    assert watched.changes == 1


@pytest.mark.parametrize(("true_ms", "way_ms", "believed_ms"), [(0, 1, 0), (40, 1, 40), (-7, 2, -7), (0.3, 5, 0)])
def test_offsets_are_believed_when_they_exceed_the_way(true_ms: float, way_ms: float, believed_ms: float) -> None:
    sync, now = Sync(), 10**18
    for extra in (9, 0, 3):
        way = int((way_ms + extra) * 1e6)
        director = now + way // 2 + int(true_ms * 1e6)
        sent = SyncRecord.decode("t", sync.question(now)).sent_ns
        sync.answered(SyncRecord(sent, director), now + way)
        now += 10**9
    assert abs(sync.offset_ns - believed_ms * 1e6) < 1000


def test_answers_from_nowhere_are_ignored() -> None:
    sync = Sync()
    for answer in (SyncRecord(5, 0), SyncRecord(10**18, 5), SyncRecord(0, 5)):
        sync.answered(answer, 10**17)
    assert sync.offset_ns == 0
