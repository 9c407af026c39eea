"""The wire of live processes: two of them, joined by a carrier that delays, loses and repeats as the test says."""

from __future__ import annotations

from typing import Any

import pytest

from emulation.live import air
from emulation.live.clock import LoopClock, Pace
from emulation.live.medium import FUTURE_US, MqttMedium
from emulation.live.topics import Topics
from g3plc import events, sap
from g3plc.core.env import Env
from g3plc.core.ofdm import ACK_US, FULL_TONE_MAP, ROBO, SLOT_US, airtime_us
from g3plc.phy.link import Link
from g3plc.phy.transceiver import Transceiver
from g3plc.phy.transmission import Transmission
from g3plc.wire.mac_frame import encode_data

ORIGIN = 1_795_000_000_000_000_000
RUN = 4711
START = 1_000_000
NOISE, STRONG = 6600, 9000
TOPICS = Topics()
STATIONS = 4
MS = 1000


def psdu_for(dst: int) -> bytes:
    return encode_data(0x781D, dst, 0, 1, b"m" * 20, True)


AIR = airtime_us(len(psdu_for(1)), ROBO, FULL_TONE_MAP)


class Table:
    """Every station hears every other one well, unless the pair is in `deaf`."""

    def __init__(self) -> None:
        self.deaf: set[tuple[int, int]] = set()

    def refresh(self, now: int) -> bool:
        return True

    def of(self, src: int, now: int) -> list[Link]:
        return [
            Link(src, dst, STRONG, NOISE, lambda *_: (0,) * 6)
            for dst in range(STATIONS)
            if dst != src and (src, dst) not in self.deaf
        ]


class Ear:
    """A PHY user that writes down what it is told, and when."""

    def __init__(self, clock: LoopClock) -> None:
        self.clock = clock
        self.told: list[tuple[Any, ...]] = []

    def pd_data_confirm(self) -> None:
        self.told.append(("confirm", self.clock.now))

    def pd_data_indication(self, psdu: bytes, rx: sap.RxInfo) -> None:
        self.told.append(("data", self.clock.now, rx.src))

    def pd_payload_lost_indication(self, fcs: int, ack_wanted: bool, sender: int, flow: int) -> None:
        self.told.append(("payload lost", self.clock.now))

    def pd_ack_indication(self, positive: bool, fcs: int, ssca: int) -> None:
        self.told.append(("ack", self.clock.now, positive, fcs, ssca))

    def pd_channel_indication(self, header: int) -> None:
        self.told.append(("channel", self.clock.now, header))


class Town:
    """Stations 0 and 1 in one process, 2 and 3 in another, unless told otherwise."""

    def __init__(
        self, loop: Any, permille: int = 1000, processes: tuple[tuple[int, ...], ...] = ((0, 1), (2, 3))
    ) -> None:
        self.loop = loop
        self.table = Table()
        self.delay_s = 0.002
        self.broken = False
        self.said: list[tuple[str, bytes]] = []
        self.complaints: list[tuple[int, str]] = []
        self.trace: list[Any] = []
        self.errors: list[Exception] = []
        self.phys: dict[int, Transceiver] = {}
        self.ears: dict[int, Ear] = {}
        self.clocks: list[LoopClock] = []
        self.media = [self._process(stations) for stations in processes]
        for clock in self.clocks:
            clock.set_pace(Pace(1, ORIGIN + int(loop.seconds * 1e9), 0, permille))

    def _process(self, stations: tuple[int, ...]) -> MqttMedium:
        clock = LoopClock(self.loop, ORIGIN)
        self.clocks.append(clock)
        medium = MqttMedium(
            clock, self.table, 3, RUN, TOPICS, stations, self.publish,  # type: ignore[arg-type]
            lambda station: self.note(clock, station), lambda sender, why: self.complaints.append((sender, why)),
            RUN - 1,
        )  # fmt: skip
        for station in stations:
            env = Env(station, clock, lambda purpose: None, self.note(clock, station))  # type: ignore[arg-type, return-value]
            phy = Transceiver(env, medium)
            phy.user = self.ears[station] = Ear(clock)
            medium.attach(station, phy, self.errors.append)
            self.phys[station] = phy
        return medium

    def note(self, clock: LoopClock, station: int) -> Any:
        return lambda kind, *fields: self.trace.append(kind(clock.now, station, *fields))

    def publish(self, topic: str, payload: bytes) -> bool:
        if self.broken:
            return False
        self.said.append((topic, payload))
        self.loop.call_at(self.loop.seconds + self.delay_s, lambda: self.deliver(topic, payload))
        return True

    def deliver(self, topic: str, payload: bytes, retained: bool = False) -> None:
        for medium in self.media:
            medium.receive(int(topic.rsplit("/", 1)[1]), topic, payload, retained)

    def send(self, src: int, dst: int, at: int = START) -> None:
        phy = self.phys[src]
        phy_clock = self.ears[src].clock
        phy_clock.at(at, lambda _: phy.pd_data_request(psdu_for(dst), ROBO, FULL_TONE_MAP, True, dst, 0, 0), None)

    def frame(self, src: int, start: int, frame: int = 9, dst: int = 1, run: int = RUN) -> bytes:
        """A record that another process could have sent."""
        tx = Transmission(src, frame, start, start + AIR, psdu_for(dst), ROBO, FULL_TONE_MAP, 1, dst, 0, 0)
        return air.encode_transmission(run, tx)

    def told(self, station: int) -> list[tuple[Any, ...]]:
        return self.ears[station].told

    def all(self, kind: type) -> list[Any]:
        return [event for event in self.trace if type(event) is kind]


@pytest.fixture
def town(loop: Any) -> Town:
    return Town(loop)


def test_a_frame_arrives_at_its_end_in_both_processes(town: Town) -> None:
    town.send(0, 2)
    town.loop.run(2)
    assert town.told(0) == [("confirm", START + AIR)]
    assert town.told(2) == [("data", START + AIR, 0)]
    assert town.told(1) == town.told(3) == [("channel", START + AIR, sap.HEADER_SOF_ACK)]
    assert len(town.said) == 1


def test_stations_of_one_process_hear_each_other_through_the_broker_only(town: Town) -> None:
    town.broken = True
    town.send(0, 1)
    town.loop.run(2)
    assert town.told(0) == [("confirm", START + AIR)]
    assert not town.told(1) and not town.told(2)


def test_an_ack_carries_its_fcs(town: Town) -> None:
    clock = town.ears[2].clock
    clock.at(START, lambda _: town.phys[2].pd_ack_request(False, 0xBEEF, 1, 0, 0), None)
    town.loop.run(2)
    assert town.told(0) == [("ack", START + ACK_US, False, 0xBEEF, 1)]


@pytest.mark.parametrize("permille", [50, 1000, 4000])
def test_speed_changes_nothing_but_the_wall(loop: Any, permille: int) -> None:
    town = Town(loop, permille)
    town.send(0, 2)
    town.loop.run(30)
    assert town.told(2) == [("data", START + AIR, 0)]


def test_what_comes_in_after_its_own_end_is_lost_and_counted(town: Town) -> None:
    town.delay_s = (AIR + 5 * MS) / 1e6
    town.send(0, 2)
    town.loop.run(2)
    assert not town.told(2)
    late = town.all(events.LateFrame)
    assert [(event.node, event.src) for event in late] == [(2, 0)]
    assert late[0].late_us >= 4 * MS
    assert [event.reason for event in town.all(events.RxLost)] == ["late"]
    assert town.media[1].late == {2: 1, 3: 1} and town.media[1].heard == {2: 1, 3: 1}


def test_the_last_moment_is_in_time(town: Town) -> None:
    town.delay_s = (AIR - 2 * MS) / 1e6
    town.send(0, 2)
    town.loop.run(2)
    assert town.told(2) == [("data", START + AIR, 0)]


def test_order_of_arrival_does_not_matter(loop: Any) -> None:
    """0 starts a little before 3; 3's record overtakes; station 2 still captures 0, the first."""
    town = Town(loop, processes=((0, 1), (2,)))
    later = START + SLOT_US // 2
    overtaking = town.frame(3, later, dst=1)
    town.loop.call_at(town.loop.seconds + (START + 3 * MS) / 1e6, lambda: town.deliver(TOPICS.air(3), overtaking))
    town.delay_s = 0.006
    town.send(0, 2)
    town.loop.run(2)
    assert [event.src for event in town.all(events.RxLost) + town.all(events.RxOk) if event.node == 2] == [0]


def test_a_station_that_sent_meanwhile_did_not_hear_the_beginning(town: Town) -> None:
    """Its record comes in when the listener has already stopped sending; half duplex all the same."""
    town.send(2, 3, START)
    town.send(0, 2, START + AIR - 3 * MS)
    town.delay_s = 0.005
    town.loop.run(2)
    lost = [event for event in town.all(events.RxLost) if event.node == 2]
    assert [(event.src, event.reason) for event in lost] == [(0, "half duplex")]


def announce(town: Town, station: int, at: int, start: int) -> None:
    town.ears[station].clock.at(at, town.phys[station].plme_announce, start)


def sense(town: Town, station: int, at: int) -> list[bool]:
    found: list[bool] = []
    town.ears[station].clock.at(at, lambda _: found.append(town.phys[station].plme_busy()), None)
    return found


def test_contention_is_settled_before_anybody_sends(town: Town) -> None:
    announce(town, 0, START - 12 * MS, START)
    first, second, same = (sense(town, who, at) for who, at in ((0, START), (2, START + SLOT_US), (3, START)))
    town.loop.run(2)
    assert (first, second, same) == ([False], [True], [False])
    assert not town.media[0].sense_doubt


def test_an_announcement_without_lead_is_doubtful(town: Town) -> None:
    announce(town, 0, START - 2 * MS, START)
    town.loop.run(2)
    assert town.media[0].sense_doubt == {0: 1}


def test_who_waited_in_vain_is_told(town: Town) -> None:
    announce(town, 0, START - 12 * MS, START)
    busy = sense(town, 2, START + SLOT_US)
    town.ears[0].clock.at(START + 3 * SLOT_US, lambda _: town.phys[0].plme_withdraw(), None)
    town.loop.run(2)
    assert busy == [True]
    assert [(what, header) for what, _, header in town.told(2)] == [("channel", sap.HEADER_IGNORED)]


def test_who_waits_for_a_station_that_died_is_told_in_the_end(loop: Any) -> None:
    town = Town(loop, processes=((0,), (2, 3)))
    town.loop.run(START / 1e6 - 0.012)
    town.deliver(TOPICS.air(1), air.encode_announcement(RUN, 5, START))
    busy = sense(town, 2, START + SLOT_US)
    town.loop.run(2)
    assert busy == [True] and town.told(2)[-1][2] == sap.HEADER_IGNORED


GARBAGE = [b"", b"\0" * 1_000_000, b"\xc1", b"[1,2]", b"\x93\x01\x02\x03", b"\xff" * 40]


def test_garbage_is_counted_and_said(town: Town) -> None:
    for payload in GARBAGE:
        town.deliver(TOPICS.air(0), payload)
    for medium in town.media:
        assert medium.refused == {"malformed": len(GARBAGE)}
    assert len(town.complaints) == 2 * len(GARBAGE)


def test_what_was_on_its_way_when_a_run_ended_is_counted_without_a_word(town: Town) -> None:
    town.loop.run(1)
    town.deliver(TOPICS.air(0), town.frame(0, town.clocks[1].reached, run=RUN - 1))
    assert town.media[1].refused == {"of the run before": 1}
    assert town.complaints == []


def test_frames_of_another_run_from_the_future_retained_or_seen_before_are_refused(town: Town) -> None:
    town.loop.run(1)
    now = town.clocks[1].reached
    good = town.frame(0, now + 5 * MS)
    topic = TOPICS.air(0)
    refused = town.media[1].refused
    for payload, retained in (
        (town.frame(0, now, run=RUN + 1), False), (town.frame(0, now + FUTURE_US + 1), False), (good, True)
    ):  # fmt: skip
        town.deliver(topic, payload, retained)
    assert refused == {"of another run": 1, "from the future": 1, "retained, which frames never are": 1}
    for _ in range(3):
        town.deliver(topic, good)
    assert refused["seen before"] == 2
    town.loop.run(1)
    assert town.told(3) == [("channel", now + 5 * MS + AIR, sap.HEADER_SOF_ACK)]
    assert not town.all(events.LateFrame)


def test_nobody_speaks_in_the_name_of_a_station_of_ours(town: Town) -> None:
    town.send(0, 2)
    town.loop.run(START / 1e6 + 0.01)
    for _ in range(2):
        town.deliver(*town.said[0])
    town.deliver(TOPICS.air(0), town.frame(0, START + 7 * MS, dst=2))
    town.loop.run(1)
    assert town.media[0].refused == {"in the name of a station of ours": 3}
    assert town.told(1) == [("channel", START + AIR, sap.HEADER_SOF_ACK)]


def test_a_station_that_is_off_hears_nothing_and_is_told_nothing(town: Town) -> None:
    town.send(0, 2)
    town.loop.run(START / 1e6 + 0.01)
    town.media[1].detach(2)
    town.loop.run(1)
    assert not town.told(2)
    assert town.told(3)


def test_a_stall_of_our_own_delays_the_wall_and_loses_nothing(town: Town) -> None:
    """The machine stands for longer than the frame lasts; the process's own stations hear it, others rightly do not."""

    def stall(_: None) -> None:
        town.loop.seconds += 0.150

    town.ears[0].clock.at(START - 1 * MS, stall, None)
    town.send(0, 1)
    town.loop.run(2)
    assert AIR < 140 * MS
    assert town.told(1) == [("data", START + AIR, 0)]
    assert town.told(0) == [("confirm", START + AIR)]
    assert not town.media[0].late
    assert town.media[1].late == {2: 1, 3: 1} and not town.told(2)


def test_nothing_waits_for_what_cannot_come_back(loop: Any) -> None:
    """A station alone in its process does not hear itself."""
    town = Town(loop, processes=((0,), (1, 2)))

    def stall(_: None) -> None:
        loop.seconds += 0.150

    town.ears[0].clock.at(START - 1 * MS, stall, None)
    town.send(0, 1)
    loop.run(START / 1e6 + 0.1499)
    assert town.told(0) == [("confirm", START + AIR)]


def test_what_never_comes_back_is_not_waited_for_long(town: Town) -> None:
    def stall(_: None) -> None:
        town.loop.seconds += 0.150

    town.ears[0].clock.at(START - 1 * MS, stall, None)
    town.delay_s = 100
    town.send(0, 1)
    town.loop.run(2)
    assert town.told(0) == [("confirm", START + AIR)]


def test_what_one_receiver_raises_is_not_the_others_affair(town: Town) -> None:
    def fail(header: int) -> None:
        raise ZeroDivisionError

    town.ears[2].pd_channel_indication = fail  # type: ignore[method-assign]
    town.send(0, 1)
    town.loop.run(2)
    assert [type(error) for error in town.errors] == [ZeroDivisionError]
    assert town.told(3) == [("channel", START + AIR, sap.HEADER_SOF_ACK)]
    assert town.told(1)
