"""Reception rules on the wire of virtual time: capture, interference, half duplex, carrier sense, faults."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from emulation.clocks import SimClock
from emulation.media.sim import SimMedium
from emulation.randomness import mix64
from g3plc import events, sap
from g3plc.core.env import Env
from g3plc.core.flow import GET_REQUEST, flow_tag
from g3plc.core.ofdm import ACK_US, FULL_TONE_MAP, HEADER_US, PREAMBLE_US, ROBO, SLOT_US, airtime_us
from g3plc.phy.link import Link, salts_of
from g3plc.phy.transceiver import Transceiver

START = 7_000_000_000
NOISE = 6600
STRONG, WEAK, BURIED = 9000, 7600, 6100
PSDU = bytes(range(47)) + b"\xd2\xd8"
AIR = airtime_us(len(PSDU), ROBO, FULL_TONE_MAP)
FLOW = flow_tag(1, 5, GET_REQUEST)


class Table:
    """Hand-made links instead of a feeder: (src, dst) to level."""

    def __init__(self, levels: dict[tuple[int, int], int], down: Iterable[tuple[int, int]] = (), loss: int = 0) -> None:
        self._links: dict[int, list[Link]] = {}
        for (src, dst), level in sorted(levels.items()):
            salts = salts_of(mix64(dst))
            link = Link(src, dst, level, NOISE, lambda *_: (0,) * 6, (src, dst) in set(down), loss, salts)
            self._links.setdefault(src, []).append(link)

    def refresh(self, now: int) -> bool:
        return False

    def of(self, src: int, now: int) -> list[Link]:
        return self._links.get(src, [])


class Listener:
    """A PHY user that writes down what it is told, and when."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.told: list[tuple[object, ...]] = []

    def pd_data_confirm(self) -> None:
        self.told.append(("confirm", self.clock.now))

    def pd_data_indication(self, psdu: bytes, rx: sap.RxInfo) -> None:
        self.told.append(("data", self.clock.now, psdu, rx.src, rx.lqi, rx.flow))

    def pd_payload_lost_indication(self, fcs: int, ack_wanted: bool, sender: int, flow: int) -> None:
        self.told.append(("payload lost", self.clock.now, fcs, ack_wanted))

    def pd_ack_indication(self, positive: bool, fcs: int, ssca: int) -> None:
        self.told.append(("ack", self.clock.now, positive, fcs, ssca))

    def pd_channel_indication(self, header: int) -> None:
        self.told.append(("channel", self.clock.now, header))


class Wire:
    """Stations 0..n-1 with the links of a table."""

    def __init__(self, stations: int, table: Table) -> None:
        self.clock = SimClock(START)
        self.medium = SimMedium(self.clock, table, seed=3)  # type: ignore[arg-type]
        self.trace: list[events.Event] = []
        self.ears = []
        self.phys = []
        for node in range(stations):
            env = Env(node, self.clock, lambda purpose: None, self._note(node))  # type: ignore[arg-type, return-value]
            phy = Transceiver(env, self.medium)
            ear = Listener(self.clock)
            phy.user = ear
            phy.attentive = True
            self.medium.attach(node, phy)
            self.phys.append(phy)
            self.ears.append(ear)

    def _note(self, node: int):  # type: ignore[no-untyped-def]
        return lambda kind, *fields: self.trace.append(kind(self.clock.now, node, *fields))

    def send(self, src: int, dst: int, at: int, psdu: bytes = PSDU, ack: bool = True) -> None:
        self.clock.at(at, lambda phy: phy.pd_data_request(psdu, ROBO, FULL_TONE_MAP, ack, dst, 0, FLOW), self.phys[src])

    def lost(self) -> list[events.RxLost]:
        return [event for event in self.trace if isinstance(event, events.RxLost)]


def both(a: int, b: int, level: int) -> dict[tuple[int, int], int]:
    return {(a, b): level, (b, a): level}


def test_a_frame_reaches_its_addressee_at_its_end_and_others_hear_only_the_header() -> None:
    wire = Wire(3, Table({**both(0, 1, STRONG), **both(0, 2, STRONG)}))
    wire.send(0, 1, START + 10)
    wire.clock.run()
    end = START + 10 + AIR
    assert wire.ears[0].told == [("confirm", end)]
    assert wire.ears[1].told == [("data", end, PSDU, 0, 4 * (24 + 10), FLOW)]
    assert wire.ears[2].told == [("channel", end, sap.HEADER_SOF_ACK)]
    kinds = [type(event).__name__ for event in wire.trace]
    assert kinds == ["TxStart", "TxEnd", "RxOk"]
    assert wire.trace[0] == events.TxStart(START + 10, 0, 1, PSDU, ROBO, FULL_TONE_MAP, 1, AIR, 1, 0, GET_REQUEST, FLOW)


def test_a_broadcast_is_delivered_to_every_hearer() -> None:
    wire = Wire(3, Table({(0, 1): STRONG, (0, 2): STRONG}))
    wire.send(0, sap.BROADCAST, START, ack=False)
    wire.clock.run()
    assert [ear.told[0][0] for ear in wire.ears[1:]] == ["data", "data"]


def test_an_ack_is_a_bare_header_that_everybody_in_earshot_hears() -> None:
    wire = Wire(3, Table({(1, 0): STRONG, (1, 2): STRONG}))
    wire.phys[1].pd_ack_request(True, 0xD8D2, 1, 0, FLOW)
    wire.clock.run()
    assert wire.ears[0].told == [("ack", START + ACK_US, True, 0xD8D2, 1)]
    assert wire.ears[2].told == wire.ears[0].told
    assert wire.ears[1].told == []


def test_energy_without_a_header_is_reported_as_such_at_its_end() -> None:
    wire = Wire(2, Table({(0, 1): BURIED - 900}))
    wire.send(0, 1, START)
    wire.clock.run()
    assert wire.ears[1].told == [("channel", START + AIR, sap.HEADER_LOST)]
    assert [(lost.stage, lost.reason) for lost in wire.lost()] == [("header", "noise")]


def test_header_good_payload_lost_tells_the_addressee_the_fcs() -> None:
    """Between the thresholds of header and payload the outcome is drawn: over many frames all three are seen."""
    wire = Wire(2, Table({(0, 1): NOISE - 200}))
    for i in range(60):
        wire.send(0, 1, START + i * 1_000_000)
    wire.clock.run()
    seen = {told[0] for told in wire.ears[1].told}
    assert "payload lost" in seen
    assert next(told for told in wire.ears[1].told if told[0] == "payload lost")[2:] == (0xD8D2, True)


def test_stations_that_start_in_the_same_slot_collide() -> None:
    wire = Wire(4, Table({(1, 0): STRONG, (2, 0): STRONG, (3, 0): STRONG}))
    for src in (1, 2, 3):
        wire.send(src, 0, START)
    wire.clock.run()
    assert "data" not in {told[0] for told in wire.ears[0].told}
    assert {(lost.src, lost.reason) for lost in wire.lost()} == {(src, "collision") for src in (1, 2, 3)}


def test_robo_survives_an_interferer_of_its_own_level() -> None:
    """At 0 dB the robust mode decodes: the first of two equals is received, the second is lost to it."""
    wire = Wire(3, Table({(1, 0): STRONG, (2, 0): STRONG}))
    wire.send(1, 0, START)
    wire.send(2, 0, START)
    wire.clock.run()
    assert [told[3] for told in wire.ears[0].told if told[0] == "data"] == [1]
    assert [(lost.src, lost.reason, lost.by_src) for lost in wire.lost()] == [(2, "collision", 1)]


@pytest.mark.parametrize(("delay", "winner"), [(PREAMBLE_US - 1, 2), (PREAMBLE_US, 1)])
def test_a_stronger_frame_takes_over_only_within_the_preamble(delay: int, winner: int) -> None:
    wire = Wire(3, Table({(1, 0): WEAK, (2, 0): STRONG}))
    wire.send(1, 0, START)
    wire.send(2, 0, START + delay)
    wire.clock.run()
    data = [told for told in wire.ears[0].told if told[0] == "data"]
    assert [told[3] for told in data] == ([2] if winner == 2 else [])
    # the loser's energy says nothing beyond its own end: no EIFS where a frame was captured
    headers = [told[2] for told in wire.ears[0].told if told[0] == "channel"]
    assert headers == [sap.HEADER_IGNORED] if winner == 2 else sap.HEADER_LOST in headers


def test_interference_after_the_header_costs_the_payload_only() -> None:
    wire = Wire(3, Table({(1, 0): WEAK, (2, 0): STRONG}))
    wire.send(1, 0, START)
    wire.send(2, 0, START + HEADER_US + 1000)
    wire.clock.run()
    lost = [(lost.src, lost.stage, lost.reason, lost.by_src) for lost in wire.lost()]
    assert lost == [(1, "payload", "collision", 2), (2, "header", "collision", 1)]
    assert wire.ears[0].told[0][:2] == ("payload lost", START + AIR)
    assert wire.ears[0].told[1] == ("channel", START + HEADER_US + 1000 + AIR, sap.HEADER_IGNORED)


def test_a_much_stronger_frame_survives_a_weak_interferer() -> None:
    wire = Wire(3, Table({(1, 0): STRONG, (2, 0): NOISE}))
    wire.send(1, 0, START)
    wire.send(2, 0, START + 5000)
    wire.clock.run()
    assert wire.ears[0].told[0][0] == "data"


def test_who_sends_hears_nothing() -> None:
    wire = Wire(3, Table({**both(0, 1, STRONG), (2, 0): STRONG}))
    wire.send(0, 1, START)
    wire.send(2, 0, START + AIR // 2)
    wire.clock.run()
    assert ("channel", START + AIR // 2 + AIR, sap.HEADER_LOST) in wire.ears[0].told
    assert [(lost.node, lost.reason) for lost in wire.lost()] == [(0, "half duplex")]


def test_sending_gives_up_the_frame_being_received() -> None:
    wire = Wire(3, Table({**both(0, 1, STRONG), (2, 0): STRONG}))
    wire.send(2, 0, START)
    wire.send(0, 1, START + 3000)
    wire.clock.run()
    assert [(lost.node, lost.src, lost.reason) for lost in wire.lost()] == [(0, 2, "half duplex")]


def test_carrier_sense_takes_one_slot() -> None:
    wire = Wire(2, Table(both(0, 1, STRONG)))
    wire.send(0, 1, START)
    wire.clock.run_until(START + SLOT_US - 1)
    assert not wire.phys[1].plme_busy()
    assert wire.phys[0].plme_busy()
    wire.clock.run_until(START + SLOT_US)
    assert wire.phys[1].plme_busy()
    wire.clock.run_until(START + AIR)
    assert not wire.phys[1].plme_busy()


def test_a_link_that_is_down_is_sensed_but_not_decoded_and_brings_no_eifs() -> None:
    wire = Wire(2, Table(both(0, 1, STRONG), down=[(0, 1)]))
    wire.send(0, 1, START)
    wire.clock.run_until(START + SLOT_US)
    assert wire.phys[1].plme_busy()
    wire.clock.run()
    assert wire.ears[1].told == [("channel", START + AIR, sap.HEADER_FAULT)]
    assert [lost.reason for lost in wire.lost()] == ["fault"]


def test_a_lossy_link_loses_its_share() -> None:
    wire = Wire(2, Table(both(0, 1, STRONG), loss=(1 << 32) * 30 // 100))
    for i in range(400):
        wire.send(0, 1, START + i * 1_000_000)
    wire.clock.run()
    lost = sum(event.reason == "fault" for event in wire.lost())
    assert 80 <= lost <= 160
    assert lost + sum(told[0] == "data" for told in wire.ears[1].told) == 400


def test_a_station_switched_on_in_the_middle_of_a_frame_does_not_receive_it() -> None:
    wire = Wire(2, Table(both(0, 1, STRONG)))
    wire.send(0, 1, START)
    wire.clock.run_until(START + 1000)
    reborn = Transceiver(Env(1, wire.clock, lambda purpose: None), wire.medium)  # type: ignore[arg-type, return-value]
    reborn.user = ear = Listener(wire.clock)
    wire.medium.detach(1)
    wire.medium.attach(1, reborn)
    wire.clock.run()
    assert ear.told == []


# -- what is kept back from those who wait for nothing


def inattentive(levels: dict[tuple[int, int], int], down: Iterable[tuple[int, int]] = ()) -> Wire:
    wire = Wire(1 + max(max(pair) for pair in levels), Table(levels, down))
    for phy in wire.phys:
        phy.attentive = False
    return wire


def test_what_others_say_is_kept_back_from_a_station_that_waits_for_nothing() -> None:
    wire = inattentive({**both(0, 1, STRONG), **both(0, 2, STRONG), (1, 2): STRONG})
    wire.send(0, 1, START)
    wire.clock.run()
    assert wire.ears[1].told == [("data", START + AIR, PSDU, 0, 4 * (24 + 10), FLOW)]
    assert wire.ears[2].told == []
    assert wire.phys[2].plme_recall() == (sap.HEADER_SOF_ACK, START + AIR)
    assert wire.phys[2].plme_recall() is None
    wire.phys[1].pd_ack_request(True, 0xD8D2, 0, 0, FLOW)
    wire.clock.run()
    assert wire.ears[0].told[1:] == [("ack", START + AIR + ACK_US, True, 0xD8D2, 0)]
    assert wire.phys[2].plme_recall() == (sap.HEADER_ACK, START + AIR + ACK_US)


def test_an_ack_with_more_to_follow_and_what_follows_are_told() -> None:
    wire = inattentive({(1, 0): STRONG, (1, 2): STRONG})
    wire.phys[1].pd_ack_request(True, 0xD8D2, 1, 0, FLOW)
    wire.send(1, 0, START + ACK_US + 10)
    wire.clock.run()
    assert [told[0] for told in wire.ears[2].told] == ["ack", "channel"]


def test_a_lost_header_and_a_severed_link_are_known_as_such() -> None:
    wire = inattentive({(0, 1): STRONG, (0, 2): BURIED - 900, (0, 3): STRONG}, down=[(0, 3)])
    wire.send(0, 1, START)
    wire.clock.run()
    assert wire.phys[2].plme_recall() == (sap.HEADER_LOST, START + AIR)
    assert wire.phys[3].plme_recall() == (sap.HEADER_FAULT, START + AIR)


def test_what_was_kept_back_is_void_once_something_newer_is_told() -> None:
    for dst, level in ((sap.BROADCAST, STRONG), (sap.BROADCAST, BURIED - 900), (2, STRONG)):
        wire = inattentive({(0, 1): STRONG, (0, 2): STRONG, (3, 1): STRONG, (3, 2): level})
        wire.send(0, 1, START)
        wire.send(3, dst, START + 2 * AIR, ack=False)
        wire.clock.run()
        assert len(wire.ears[2].told) == 1
        assert wire.phys[2].plme_recall() is None


def test_what_was_kept_back_is_void_after_an_own_transmission() -> None:
    wire = inattentive({(0, 1): STRONG, (0, 2): STRONG, (2, 1): STRONG})
    wire.send(0, 1, START)
    wire.send(2, 1, START + 2 * AIR)
    wire.clock.run()
    assert wire.ears[2].told == [("confirm", START + 3 * AIR)]
    assert wire.phys[2].plme_recall() is None
