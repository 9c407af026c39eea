"""Long MSDUs: cut, sent without contention, joined; what happens when a part is lost, out of order or foreign."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g3plc import events, sap
from g3plc.core import ofdm
from g3plc.mac.constants import MIN_SEGMENT_OCTETS
from g3plc.wire.mac_command import ToneMapResponse
from g3plc.wire.mac_frame import MacFrame, decode

CIFS, RIFS, ACK, EIFS, ACK_WAIT, SLOT = 5_560, 5_560, 15_115, 201_375, 26_235, 1_390
LONG = bytes(range(200)) * 2


def learn(wire, port, neighbour, modulation, tone_map=0x3F):
    msdu = ToneMapResponse(modulation, tone_map, 100).encode()
    frame = MacFrame(3, 200, 0x781D, port.short, 0x781D, neighbour, msdu)
    wire.hand(port, frame.encode(), sap.DT_SOF)
    wire.run(1_000_000)


def test_segments_follow_at_cifs(wire):
    a = wire.station(1)
    b = wire.station(2)
    a.send(2, LONG, high=True)
    wire.run(2_000_000)
    sent = [one for one in wire.log if one.src == 1 and one.data][:4]
    acks = [one for one in wire.log if one.src == 2 and not one.data][:4]
    assert [len(one.psdu) for one in sent] == [133, 133, 133, ofdm.padded_octets(57, 0, 0x3F)]
    frames = [decode(one.psdu) for one in sent]
    assert [(f.segment_number, f.cc, f.lsf, f.cap, f.tmr) for f in frames] == [
        (0, True, False, True, False),
        (1, True, False, True, False),
        (2, True, False, True, False),
        (3, False, True, True, True),
    ]
    assert [len(f.payload) for f in frames] == [119, 119, 119, 43]
    assert len({f.dsn for f in frames}) == 1
    assert [one.ssca for one in acks] == [1, 1, 1, 0]
    assert all(ack.start == one.end + RIFS for one, ack in zip(sent, acks, strict=True))
    assert all(one.start == ack.end + CIFS for ack, one in zip(acks, sent[1:], strict=False))
    assert b.received == [(1, 2, LONG)]
    assert a.confirms == [(acks[-1].end, 1, 0)]
    assert [(e.number, e.total, e.peer) for e in wire.of(events.Segment)] == [(i, 4, 2) for i in range(4)]
    assert (a.mac.mlme_get(0x101), b.mac.mlme_get(0x102)) == (1, 1)


@pytest.mark.parametrize("modulation", [0, 1, 2, 3])
@pytest.mark.parametrize("tone_map", [0x01, 0x03, 0x15, 0x3F])
@pytest.mark.parametrize("octets", [1, 119, 120, 400])
def test_every_modulation_and_tone_map_carries_every_msdu(wire, modulation, tone_map, octets):
    a = wire.station(1)
    b = wire.station(2)
    learn(wire, a, 2, modulation, tone_map)
    a.send(2, LONG[:octets])
    wire.run()
    assert b.received == [(1, 2, LONG[:octets])]
    fits = ofdm.max_psdu(modulation, tone_map) - 14 >= MIN_SEGMENT_OCTETS
    used = {(one.modulation, one.tone_map) for one in wire.frames(1)}
    assert used == {(modulation, tone_map) if fits else (0, 0x3F)}
    for one in wire.frames(1):
        frame = decode(one.psdu)
        size = len(frame.payload) + 14
        assert len(one.psdu) == ofdm.padded_octets(size, one.modulation, one.tone_map)


@pytest.mark.parametrize("broken", [0, 1, 2, 3])
def test_a_broken_segment_is_repeated_alone(wire, broken):
    a = wire.station(1)
    b = wire.station(2)
    hit = []

    def fate(sent, receiver):
        if sent.data and sent.src == 1 and decode(sent.psdu).segment_number == broken and not hit:
            hit.append(sent)
            return "payload"
        return ""

    wire.fate = fate
    a.send(2, LONG)
    wire.run(3_000_000)
    numbers = [decode(one.psdu).segment_number for one in wire.frames(1)][:5]
    assert numbers == sorted([0, 1, 2, 3, broken])
    assert b.received == [(1, 2, LONG)]
    assert a.statuses == [0]
    frames = wire.frames(1)[:5]
    assert all(later.start - one.end == ACK_WAIT for one, later in itertools.pairwise(frames))


@pytest.mark.parametrize("lost", ["frame", "ack"])
@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_missed_segment_starts_the_frame_again(wire, lost, at):
    a = wire.station(1)
    b = wire.station(2)
    learn(wire, a, 2, 0)
    hit = []

    def fate(sent, receiver):
        number = len(wire.frames(1)) - 1
        if not hit and number == at and sent.data == (lost == "frame"):
            hit.append(sent)
            return "header"
        return ""

    wire.fate = fate
    a.send(2, LONG)
    wire.run(4_000_000)
    numbers = [decode(one.psdu).segment_number for one in wire.frames(1)]
    assert numbers[: at + 5] == [*range(at + 1), 0, 1, 2, 3]
    assert b.received == [(1, 2, LONG)]
    assert a.statuses == [0]


def test_falling_modulation_cuts_anew(wire):
    a = wire.station(1)
    b = wire.station(2)
    learn(wire, a, 2, 3)
    wire.fate = lambda sent, receiver: "header" if sent.modulation and sent.data else ""
    a.send(2, LONG)
    wire.run(5_000_000)
    assert [one.modulation for one in wire.frames(1)] == [3, 3, 2, 1, 0, 0, 0, 0]
    assert b.received == [(1, 2, LONG)]
    assert a.statuses == [0]


def segment(number, payload, dsn=7, last=False, src=2, dst=1, frame_type=1):
    return MacFrame(
        frame_type, dsn, 0x781D, dst, 0x781D, src, payload, cc=not last, lsf=last, segment_number=number
    ).encode()  # fmt: skip


def feed(wire, port, *psdus, pause=100_000):
    for psdu in psdus:
        wire.hand(port, psdu)
        wire.run(pause)


def dropped(wire):
    return [event.reason for event in wire.of(events.Dropped)]


def test_segments_out_of_order_are_refused_in_silence(wire):
    a = wire.station(1)
    feed(wire, a, segment(0, b"a"), segment(2, b"c"))
    assert [one.ssca for one in wire.answers()] == [1]
    assert dropped(wire) == ["segment order"]
    feed(wire, a, segment(1, b"b"), segment(2, b"c", last=True))
    assert [one.ssca for one in wire.answers()] == [1, 1, 0]
    assert a.received == [(2, 1, b"abc")]


def test_a_segment_without_its_beginning_is_refused(wire):
    a = wire.station(1)
    feed(wire, a, segment(1, b"b"), segment(1, b"b", last=True))
    assert wire.answers() == []
    assert a.received == []


def test_the_last_accepted_segment_may_come_twice(wire):
    a = wire.station(1)
    feed(wire, a, segment(0, b"a"), segment(1, b"b"), segment(1, b"b"), segment(2, b"c", last=True))
    assert [one.ssca for one in wire.answers()] == [1, 1, 1, 0]
    assert a.received == [(2, 1, b"abc")]


def test_segment_0_starts_afresh(wire):
    a = wire.station(1)
    feed(wire, a, segment(0, b"aa"), segment(1, b"bb"), segment(0, b"a"), segment(1, b"ab"))
    feed(wire, a, segment(2, b"b", last=True))
    assert a.received == [(2, 1, b"aabb")]


def test_all_segments_of_a_delivered_frame_are_acknowledged_but_not_delivered(wire):
    a = wire.station(1)
    feed(wire, a, segment(0, b"a"), segment(1, b"b", last=True))
    feed(wire, a, segment(0, b"a"), segment(1, b"b", last=True))
    assert [one.ssca for one in wire.answers()] == [1, 0, 1, 0]
    assert a.received == [(2, 1, b"ab")]


def test_two_sources_at_a_time(wire):
    a = wire.station(1)
    feed(wire, a, segment(0, b"a"), segment(0, b"x", src=3), segment(1, b"b", last=True))
    feed(wire, a, segment(1, b"y", src=3, last=True))
    assert a.received == [(2, 1, b"ab"), (3, 1, b"xy")]


@pytest.mark.parametrize("change", [{"dsn": 8}, {"dst": 0xFFFF}, {"frame_type": 3}])
def test_segments_of_another_frame_do_not_fit(wire, change):
    a = wire.station(1)
    feed(wire, a, segment(0, b"a"), segment(1, b"b", last=True, **change))
    assert a.received == []
    assert "segment order" in dropped(wire)


def test_a_whole_frame_ends_the_senders_half_one(wire):
    a = wire.station(1)
    feed(wire, a, segment(0, b"a"), segment(0, b"new", dsn=8, last=True), segment(1, b"b", last=True))
    assert a.received == [(2, 1, b"new")]


def test_reassembly_times_out(wire):
    a = wire.station(1, reassembly_ttl_us=500_000)
    feed(wire, a, segment(0, b"a"), pause=499_999)
    feed(wire, a, segment(1, b"b"), pause=500_000)
    feed(wire, a, segment(2, b"c", last=True))
    assert a.received == []
    assert dropped(wire) == ["segment order"]


def test_reassemblies_are_bounded(wire):
    a = wire.station(1, reassemblies=3)
    for src in (2, 3, 4, 5):
        feed(wire, a, segment(0, b"a", src=src))
    for src in (2, 3, 4, 5):
        feed(wire, a, segment(1, b"b", src=src, last=True))
    assert [src for src, _, _ in a.received] == [3, 4, 5]


def test_an_msdu_has_400_octets_at_most(wire):
    a = wire.station(1)
    feed(wire, a, segment(0, bytes(200)), segment(1, bytes(200)), segment(2, b"x", last=True))
    assert a.received == []
    assert [one.ssca for one in wire.answers()] == [1, 1]
    feed(wire, a, segment(0, bytes(200), dsn=9), segment(1, bytes(200), dsn=9, last=True))
    assert [len(msdu) for _, _, msdu in a.received] == [400]


def test_a_receiver_of_segments_keeps_silent_for_the_next(wire):
    a = wire.station(1)
    now = wire.clock.now
    wire.hand(a, segment(0, b"a"))
    a.send(sap.BROADCAST)
    wire.run()
    assert wire.frames(1)[0].start == now + RIFS + ACK + EIFS + 8 * SLOT


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    msdu=st.binary(min_size=1, max_size=400),
    modulation=st.integers(0, 3),
    losses=st.lists(st.sampled_from(["", "", "header", "payload"]), max_size=14),
)
def test_one_confirm_and_at_most_one_delivery(new_wire, msdu, modulation, losses):
    wire = new_wire()
    a = wire.station(1)
    b = wire.station(2)
    learn(wire, a, 2, modulation)
    fates = iter(losses)
    wire.fate = lambda sent, receiver: next(fates, "")
    a.send(2, msdu)
    wire.run()
    assert len(a.confirms) == 1
    assert b.received in ([(1, 2, msdu)], [])
    if a.statuses == [0]:
        assert b.received == [(1, 2, msdu)]
    assert a.mac.state == b.mac.state == 0
