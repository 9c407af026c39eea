"""What a MAC makes of octets: filters, duplicates, commands, refusals; and that no octets make it fall."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g3plc import events, sap
from g3plc.core.flow import TMR, flow_kind, flow_station
from g3plc.wire.crc import fcs
from g3plc.wire.mac_command import Beacon, BeaconRequest, ToneMapResponse
from g3plc.wire.mac_command import decode as decode_command
from g3plc.wire.mac_frame import AuxHeader, MacFrame, decode

PAN = 0x781D
RIFS, ACK = 5_560, 15_115
SECOND = 1_000_000
MINUTE = 60 * SECOND


def data(msdu=b"hello", dsn=7, src=2, dst=1, pan=PAN, **rest):
    return MacFrame(1, dsn, pan, dst, pan, src, msdu, **rest).encode()


def command(payload, dsn=7, src=2, dst=1, **rest):
    return MacFrame(3, dsn, PAN, dst, PAN, src, payload, **rest).encode()


def dropped(wire):
    return [event.reason for event in wire.of(events.Dropped)]


def test_a_frame_for_us_is_answered_and_delivered(wire):
    a = wire.station(1)
    psdu = data()
    wire.hand(a, psdu)
    assert a.received == [(2, 1, b"hello")]
    assert wire.answers() == []
    now = wire.clock.now
    wire.run(SECOND)
    (ack,) = wire.answers()
    assert (ack.start, ack.dt, ack.ssca, ack.dst) == (now + RIFS, sap.DT_ACK, 0, 2)
    assert ack.fcs == fcs(psdu[:-2])


@pytest.mark.parametrize("pan", [PAN, 0xFFFF, 0x1234])
@pytest.mark.parametrize("src", [2, 3, 0xFFFF])
def test_all_receivers_of_a_broadcast_make_the_same_of_it(wire, pan, src):
    """The first one decodes it for the others."""
    psdu = data(pan=pan, src=src, dst=0xFFFF)
    rx = sap.RxInfo(99, sap.DT_SOF, 0, 0x3F, 120, wire, 0)
    stations = [wire.station(short) for short in (1, 4, 5)]
    for station in stations:
        station.mac.pd_data_indication(psdu, rx)
    assert len({tuple(station.received) for station in stations}) == 1
    drops = [(event.reason, event.octets) for event in wire.of(events.Dropped)]
    assert len(drops) in (0, 3)
    assert len(set(drops)) <= 1


def test_nobody_is_his_own_neighbour(wire):
    """Whatever puts the own address among the neighbours opens a door to forged broadcasts."""
    a = wire.station(1)
    wire.hand(a, MacFrame(0, 7, None, None, PAN, 1, Beacon(0x7FFF).encode()).encode(), sap.DT_SOF)
    assert a.mac.mlme_get(0x120, None) == []
    wire.hand(a, data(src=3, dst=0xFFFF), sap.DT_SOF)
    assert [row.short_address for row in a.mac.mlme_get(0x120, None)] == [3]
    a.mac.mlme_set(0x53, 3)
    assert a.mac.mlme_get(0x120, None) == []
    wire.hand(a, data(src=3, dst=0xFFFF, dsn=8), sap.DT_SOF)
    assert dropped(wire) == ["source address"]
    assert a.received == [(3, 0xFFFF, b"hello")]


def test_received_broadcasts_count_twice_and_the_counters_can_be_set(wire):
    a = wire.station(1)
    wire.hand(a, data(dsn=1))
    for dsn in (2, 3, 4):
        wire.hand(a, data(dst=0xFFFF, dsn=dsn), sap.DT_SOF)
    assert (a.mac.mlme_get(0x102), a.mac.mlme_get(0x107)) == (4, 3)
    wire.hand(a, data(dst=0xFFFF, dsn=5), sap.DT_SOF)
    a.mac.mlme_set(0x107, 100)
    wire.hand(a, data(dst=0xFFFF, dsn=6), sap.DT_SOF)
    assert (a.mac.mlme_get(0x102), a.mac.mlme_get(0x107)) == (6, 101)
    assert a.mac.keep()["counters"]["macRxDataBroadcastCount"] == 101


@pytest.mark.parametrize(
    ("psdu", "reason"),
    [
        (data(pan=0x1234), "other pan"),
        (data(dst=3), "not for us"),
        (data(src=1), "source address"),
        (data(src=0xFFFF), "source address"),
        (MacFrame(1, 7, PAN, 1, None, None, b"x").encode(), "source address"),
        (MacFrame(1, 7, PAN, 1, PAN, b"\x01\x02\x03\x04\x05\x06\x07\x08", b"x").encode(), "source address"),
        (MacFrame(3, 7, PAN, 1, PAN, b"\x01\x02\x03\x04\x05\x06\x07\x08", b"\x07").encode(), "source address"),
        (MacFrame(1, 7, PAN, b"\x01\x02\x03\x04\x05\x06\x07\x08", PAN, 2, b"x").encode(), "not for us"),
        (MacFrame(1, 7, None, None, PAN, 2, b"x").encode(), "not for us"),
        (data(b""), "empty frame"),
        (b"\x01\x00", "psdu too short"),
        (b"", "psdu too short"),
    ],
)
def test_refused_without_answer(wire, psdu, reason):
    a = wire.station(1)
    wire.hand(a, psdu)
    wire.run(SECOND)
    assert dropped(wire) == [reason]
    assert (a.received, wire.log) == ([], [])
    assert a.mac.mlme_get(0x102) == 0


def test_a_frame_without_destination_is_for_the_coordinator(wire):
    coordinator = wire.station(0)
    wire.hand(coordinator, MacFrame(1, 7, None, None, PAN, 2, b"up").encode())
    assert coordinator.received == [(2, 0, b"up")]


def test_bad_fcs_is_counted_and_asked_for_again(wire):
    a = wire.station(1)
    psdu = bytearray(data())
    psdu[-1] ^= 1
    wire.hand(a, bytes(psdu))
    wire.run(SECOND)
    assert dropped(wire) == ["fcs"]
    assert a.mac.mlme_get(0x109) == 1
    assert [(one.dt, one.ssca, one.fcs) for one in wire.answers()] == [
        (sap.DT_NACK, 1, int.from_bytes(psdu[-2:], "little"))
    ]
    wire.hand(a, bytes(psdu), sap.DT_SOF)
    wire.run(SECOND)
    assert len(wire.answers()) == 1


def test_a_secured_frame_is_acknowledged_and_dropped(wire):
    a = wire.station(1)
    wire.hand(a, data(security_enabled=True, aux=AuxHeader(5, 1, 17, 0), version=1))
    wire.run(SECOND)
    assert dropped(wire) == ["secured frame"]
    assert a.received == []
    assert len(wire.answers()) == 1


def test_duplicates(wire):
    a = wire.station(1)
    for pause in (100_000, 2_999_999, 3 * SECOND):
        wire.hand(a, data())
        wire.run(pause)
    # the repeat after 0.1 s renewed the entry, so that the third came within 3 s, too
    assert len(a.received) == 1
    wire.hand(a, data())
    wire.run(SECOND)
    assert len(a.received) == 2
    assert len(wire.answers()) == 4
    wire.hand(a, data(src=3))
    wire.hand(a, data(dsn=8), sap.DT_SOF)
    assert len(a.received) == 4


def test_memory_of_duplicates_is_bounded(wire):
    a = wire.station(1, pos_entries=4)
    for src in (2, 3, 4, 5, 6, 2):
        wire.hand(a, data(src=src))
        wire.run(30_000)
    assert [src for src, _, _ in a.received] == [2, 3, 4, 5, 6, 2]
    wire.hand(a, data(src=6))
    assert len(a.received) == 6


def test_a_neighbours_next_frame_is_not_taken_for_its_last(wire):
    a = wire.station(1)
    for dsn in (7, 8, 8, 9, 255, 0, 0):
        wire.hand(a, data(dsn=dsn))
        wire.run(30_000)
    assert len(a.received) == 5


def test_beacons_and_their_requests_are_counted_and_left(wire):
    a = wire.station(1)
    wire.hand(a, MacFrame(3, 1, 0xFFFF, 0xFFFF, None, None, BeaconRequest().encode()).encode(), sap.DT_SOF)
    wire.hand(a, MacFrame(0, 1, None, None, PAN, 2, Beacon(0x7FFF).encode()).encode(), sap.DT_SOF)
    wire.hand(a, MacFrame(0, 1, None, None, 0x4444, 3, Beacon(0x7FFF).encode()).encode(), sap.DT_SOF)
    wire.run()
    assert (a.mac.ignored, wire.log, wire.events, a.received) == (3, [], [], [])
    assert a.mac.mlme_get(0x104) == 1
    assert [row.short_address for row in [a.mac.mlme_get(0x120)]] == [2]
    wire.hand(a, MacFrame(0, 1, None, None, PAN, 2, b"rubbish").encode(), sap.DT_SOF)
    assert dropped(wire) == ["beacon"]


def test_tone_map_request_and_response(wire):
    a = wire.station(1)
    b = wire.station(2)
    wire.groups_cb = [900, 900, 900, 900, 900, 0]
    a.send(2, b"first")
    wire.run()
    first, response, back = wire.frames()
    assert decode(first.psdu).tmr
    assert (first.modulation, first.tone_map) == (0, 0x3F)
    answer = decode(response.psdu)
    assert (response.src, response.dt, answer.frame_type) == (2, sap.DT_SOF_ACK, 3)
    assert decode_command(answer.payload) == ToneMapResponse(2, 0x1F, 120)
    assert (flow_kind(response.flow), flow_station(response.flow)) == (TMR, 2)
    # the response asks for one in turn, because b knows no tone map for a either
    assert answer.tmr
    assert (back.src, back.modulation, back.tone_map, decode(back.psdu).tmr) == (1, 2, 0x1F, False)
    assert [(e.node, e.neighbour, e.modulation, e.tone_map, e.reverse_lqi) for e in wire.of(events.NeighbourSet)] == [
        (1, 2, 2, 0x1F, 120),
        (2, 1, 2, 0x1F, 120),
    ]
    assert a.confirms[0][1:] == (1, 0)
    assert len(a.confirms) == 1
    assert (a.mac.mlme_get(0x103), a.mac.mlme_get(0x104)) == (1, 1)
    entry = a.mac.neighbour(2)
    assert (entry.short, entry.modulation, entry.tone_map, entry.reverse_lqi) == (2, 2, 0x1F, 120)
    a.send(2, b"second")
    wire.run(SECOND)
    last = wire.frames()[-1]
    assert (last.modulation, last.tone_map, decode(last.psdu).tmr) == (2, 0x1F, False)
    assert [msdu for _, _, msdu in b.received] == [b"first", b"second"]


def test_tone_map_requests_are_answered_only_so_often(wire):
    a = wire.station(1, tmr_interval_us=5 * SECOND)
    wire.station(2)
    for dsn in range(5):
        wire.hand(a, data(dsn=dsn, tmr=True))
        wire.run(900_000)
    assert len(wire.frames(1)) == 1


def test_an_undelivered_response_may_be_asked_for_again(wire):
    a = wire.station(1, tmr_interval_us=60 * SECOND)
    wire.hand(a, data(dsn=1, tmr=True))
    wire.run(10 * SECOND)
    assert len(wire.frames(1)) == 6
    wire.hand(a, data(dsn=2, tmr=True))
    wire.run(10 * SECOND)
    assert len(wire.frames(1)) == 12


def test_broadcasts_ask_for_nothing(wire):
    a = wire.station(1)
    wire.hand(a, data(dst=0xFFFF, tmr=True))
    wire.hand(a, command(ToneMapResponse(3, 0x3F, 9).encode(), dst=0xFFFF))
    wire.run()
    assert wire.log == []
    assert a.mac.neighbour(2) is None


@pytest.mark.parametrize("payload", [b"\x0a", b"\x55", b"\x07\x07", b"\x0a\x07\x3f\x00" + bytes(6)])
def test_bad_commands_are_acknowledged_and_dropped(wire, payload):
    a = wire.station(1)
    wire.hand(a, command(payload))
    wire.run(SECOND)
    assert len(dropped(wire)) == 1
    assert len(wire.answers()) == 1
    assert a.mac.mlme_get(0x104) == 0


def test_neighbour_entries_age(wire):
    a = wire.station(1)
    wire.hand(a, command(ToneMapResponse(1, 0x3F, 99).encode()))
    row = a.mac.mlme_get(0x10A)
    assert (row.short_address, row.modulation, row.reverse_lqi, row.tmr_valid_time) == (2, 1, 99, 10)
    wire.run(10 * MINUTE - 1)
    assert a.mac.neighbour(2) is not None
    assert a.mac.mlme_get(0x10A).tmr_valid_time == 1
    wire.run(1)
    assert a.mac.neighbour(2) is None
    a.send(2)
    wire.run(SECOND)
    assert decode(wire.frames(1)[0].psdu).tmr


def rows(port, attribute):
    out = []
    while True:
        try:
            out.append(port.mac.mlme_get(attribute, len(out)))
        except Exception:
            return out


def test_neighbour_table_is_bounded(wire):
    a = wire.station(1, neighbour_entries=3)
    for src in (9, 3, 4, 5, 3):
        wire.hand(a, command(ToneMapResponse(1, 0x3F, src).encode(), src=src, dsn=src))
        wire.run(SECOND)
    assert [row.short_address for row in rows(a, 0x10A)] == [3, 4, 5]


def test_pos_table(wire):
    a = wire.station(1, pos_entries=3, mac_pos_table_entry_ttl=2, mac_pos_recent_entry_threshold=1)
    for src in (9, 3, 4, 5):
        wire.hand(a, data(src=src))
        wire.run(SECOND)
    table = rows(a, 0x120)
    assert [(row.short_address, row.forward_lqi, row.valid_time) for row in table] == [
        (3, 120, 2),
        (4, 120, 2),
        (5, 120, 2),
    ]
    assert a.mac.mlme_get(0x122) == 3
    wire.run(58 * SECOND)
    assert a.mac.mlme_get(0x122) == 1
    assert [row.valid_time for row in rows(a, 0x120)] == [1, 1, 2]
    wire.run(MINUTE)
    assert [row.short_address for row in rows(a, 0x120)] == [5]
    wire.run(MINUTE)
    assert rows(a, 0x120) == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    octets=st.lists(
        st.tuples(
            st.binary(max_size=80),
            st.booleans(),
            st.sampled_from([0, 1]),
            st.sampled_from(
                [b"", b"\x01\x00\x05\x41\x88\x07\x1d\x78\x01\x00", b"\x04\x00\x05\x61\x88\x07\x1d\x78\x01"]
            ),
        ),
        max_size=8,
    )
)
def test_no_octets_make_it_fall(new_wire, octets):
    wire = new_wire()
    a = wire.station(1)
    a.send(5)
    for tail, sealed, dt, head in octets:
        psdu = head + tail
        if sealed:
            psdu += fcs(psdu).to_bytes(2, "little")
        wire.hand(a, psdu, dt)
        wire.run(50_000)
    wire.run()
    assert len(a.confirms) == 1
    assert a.mac.state == 0


mac_frames = st.builds(
    MacFrame,
    frame_type=st.sampled_from([0, 1, 3]),
    dsn=st.integers(0, 3),
    dst_pan=st.sampled_from([PAN, 0xFFFF, 0x1111]),
    dst=st.sampled_from([1, 0xFFFF, 4, bytes(8)]),
    src_pan=st.just(PAN),
    src=st.sampled_from([2, 3, 1, 0xFFFF, bytes(8)]),
    payload=st.one_of(st.binary(max_size=12), st.just(ToneMapResponse(2, 0x3F, 50).encode()), st.just(bytes(230))),
    tmr=st.booleans(),
    cc=st.booleans(),
    cap=st.booleans(),
    lsf=st.booleans(),
    segment_number=st.integers(0, 3),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(mac_frames, st.sampled_from([0, 1]), st.sampled_from([0, 30_000])), max_size=20))
def test_no_frames_make_it_fall(new_wire, frames):
    wire = new_wire()
    a = wire.station(1)
    for frame, dt, pause in frames:
        wire.hand(a, frame.encode(), dt)
        wire.run(pause)
    wire.run()
    assert a.mac.state == 0
    assert all(0 < len(msdu) <= 400 for _, _, msdu in a.received)
