"""What happens when acknowledgements do not come, or say no: retries, their modulation, their end."""

from __future__ import annotations

import itertools

import pytest

from g3plc import events, sap
from g3plc.wire.mac_command import ToneMapResponse
from g3plc.wire.mac_frame import MacFrame, decode

EIFS, CIFS, RIFS, ACK, ACK_WAIT, SLOT = 201_375, 5_560, 5_560, 15_115, 26_235, 1_390


def learn(wire, port, neighbour, modulation, tone_map=0x3F):
    msdu = ToneMapResponse(modulation, tone_map, 100).encode()
    frame = MacFrame(3, 200, 0x781D, port.short, 0x781D, neighbour, msdu)
    wire.hand(port, frame.encode(), sap.DT_SOF)
    wire.run(1_000_000)


@pytest.mark.parametrize(
    ("modulation", "falling"),
    [
        (3, [3, 3, 2, 1, 0, 0]),
        (2, [2, 2, 2, 1, 0, 0]),
        (1, [1, 1, 1, 1, 0, 0]),
        (0, [0, 0, 0, 0, 0, 0]),
    ],
)
def test_retries_fall_back(wire, modulation, falling):
    a = wire.station(1)
    learn(wire, a, 2, modulation, 0x3E)
    a.send(2, b"x" * 60)
    wire.run()
    frames = wire.frames(1)
    assert [one.modulation for one in frames] == falling
    assert [one.tone_map for one in frames] == [0x3E] * 4 + [0x3F] * 2
    assert [one.attempt for one in frames] == [0, 1, 2, 3, 4, 5]
    assert len({decode(one.psdu).dsn for one in frames}) == 1
    assert a.confirms == [(frames[-1].end + ACK_WAIT, 1, sap.NO_ACK)]
    assert [event.result for event in wire.of(events.Ack)] == ["missed"] * 6
    assert [event.frame for event in wire.of(events.Ack)] == [1, 2, 3, 4, 5, 6]


def test_a_neighbour_that_never_answered_is_asked_again_for_its_tone_map(wire):
    a = wire.station(1)
    learn(wire, a, 2, 3)
    assert a.mac.neighbour(2) is not None
    a.send(2)
    wire.run()
    assert a.mac.neighbour(2) is None


@pytest.mark.parametrize("retries", [0, 1, 3, 10])
def test_number_of_retries(wire, retries):
    a = wire.station(1, mac_max_frame_retries=retries)
    a.send(2)
    wire.run()
    assert len(wire.frames(1)) == retries + 1
    assert a.statuses == [sap.NO_ACK]
    assert a.mac.mlme_get(0x106) == retries + 1


def test_first_try_uses_the_neighbours_modulation_whatever_the_number_of_retries(wire):
    a = wire.station(1, mac_max_frame_retries=1)
    learn(wire, a, 2, 3)
    a.send(2)
    wire.run()
    assert [one.modulation for one in wire.frames(1)] == [3, 0]


def test_lost_ack_is_a_repeat_that_is_delivered_once(wire):
    a = wire.station(1)
    b = wire.station(2)
    wire.fate = lambda sent, receiver: "header" if wire.log.index(sent) == 1 else ""
    a.send(2, b"once")
    wire.run()
    assert b.received == [(1, 2, b"once")]
    assert [one.dt for one in wire.answers()][:2] == [sap.DT_ACK, sap.DT_ACK]
    assert a.statuses == [sap.SUCCESS]
    assert [event.result for event in wire.of(events.Ack) if event.node == 1][:2] == ["missed", "ack"]
    first, second = wire.frames(1)[:2]
    # the broken ACK costs EIFS, and so does the end of the wait
    assert second.start == first.end + ACK_WAIT + EIFS + 8 * SLOT


def test_nack_brings_the_frame_again_at_cifs(wire):
    a = wire.station(1)
    b = wire.station(2)
    wire.fate = lambda sent, receiver: "payload" if sent is wire.log[0] else ""
    a.send(2)
    wire.run()
    first, nack, second, ack = wire.log[:4]
    assert (nack.dt, nack.ssca, nack.fcs) == (sap.DT_NACK, 1, int.from_bytes(first.psdu[-2:], "little"))
    assert nack.start == first.end + RIFS
    assert second.start == nack.end + CIFS
    assert (second.psdu, second.attempt) == (first.psdu, 1)
    assert ack.dt == sap.DT_ACK
    assert a.statuses == [sap.SUCCESS]
    assert b.received == [(1, 2, b"hello")]
    assert b.mac.mlme_get(0x109) == 1
    assert [event.result for event in wire.of(events.Ack) if event.node == 1][:2] == ["nack", "ack"]


def test_nacks_are_answered_at_once_only_so_often(wire):
    a = wire.station(1, mac_max_frame_retries=2)
    wire.station(2)
    wire.fate = lambda sent, receiver: "payload" if sent.src == 1 else ""
    a.send(2)
    wire.run()
    frames = wire.frames(1)
    # three tries, each of a segment and its three repeats
    assert len(frames) == 12
    gaps = [later.start - earlier.end for earlier, later in itertools.pairwise(frames)]
    at_once = RIFS + ACK + CIFS
    anew = RIFS + ACK + EIFS + 8 * SLOT
    assert gaps == [at_once] * 3 + [anew] + [at_once] * 3 + [anew] + [at_once] * 3
    assert [one.attempt for one in frames] == list(range(12))
    assert a.statuses == [sap.NO_ACK]


def answer(wire, port, positive, ssca, same_fcs):
    """Let `port`, which has just sent a frame, hear an answer RIFS after its end."""
    frame = wire.frames(port.short)[-1]
    wire.clock.run_until(frame.end + RIFS + ACK)
    fcs = int.from_bytes(frame.psdu[-2:], "little")
    port.mac.pd_ack_indication(positive, fcs if same_fcs else fcs ^ 1, ssca)


@pytest.mark.parametrize(
    ("positive", "ssca", "same_fcs", "result"),
    [(False, 0, True, "nack"), (True, 0, False, "missed"), (True, 1, False, "missed"), (False, 1, False, "missed")],
)
def test_big_fails(wire, positive, ssca, same_fcs, result):
    a = wire.station(1)
    a.send(2)
    wire.run(40_000)
    answer(wire, a, positive, ssca, same_fcs)
    now = wire.clock.now
    assert [event.result for event in wire.of(events.Ack)] == [result]
    wire.run(600_000)
    assert wire.frames(1)[1].start == now + EIFS + 8 * SLOT
    assert wire.frames(1)[1].attempt == 1


def test_data_in_place_of_the_ack_is_a_big_fail(wire):
    a = wire.station(1)
    a.send(2)
    wire.run(40_000)
    frame = wire.frames(1)[0]
    wire.clock.run_until(frame.end + 10_000)
    wire.hand(a, MacFrame(1, 9, 0x781D, 1, 0x781D, 3, b"crossing").encode())
    now = wire.clock.now
    assert [event.result for event in wire.of(events.Ack)] == ["missed"]
    wire.run(600_000)
    assert wire.answers()[0].start == now + RIFS
    assert wire.frames(1)[1].start == now + EIFS + 8 * SLOT
    assert a.received == [(3, 1, b"crossing")]


def test_broken_data_in_place_of_the_ack_is_a_big_fail(wire):
    a = wire.station(1)
    a.send(2)
    wire.run(40_000)
    wire.clock.run_until(wire.frames(1)[0].end + 10_000)
    a.mac.pd_payload_lost_indication(0x1234, True, 3, 0)
    assert [event.result for event in wire.of(events.Ack)] == ["missed"]
    wire.run(100_000)
    assert [(one.dt, one.fcs, one.dst) for one in wire.answers()] == [(sap.DT_NACK, 0x1234, 3)]


def test_unicast_without_ack(wire):
    a = wire.station(1)
    b = wire.station(2)
    a.send(2, b"quiet", ack=False)
    wire.run(1_000_000)
    assert wire.frames()[0].dt == sap.DT_SOF
    assert decode(wire.frames()[0].psdu).ack_request is False
    assert b.received == [(1, 2, b"quiet")]
    assert a.confirms[0] == (wire.frames()[0].end, 1, 0)
    assert wire.frames(1)[0].psdu == wire.log[0].psdu


def test_broadcast_is_never_acknowledged(wire):
    a = wire.station(1)
    b, c = wire.station(2), wire.station(3)
    a.send(sap.BROADCAST, b"all", ack=True)
    wire.run()
    assert [(one.dt, one.modulation, one.tone_map) for one in wire.log] == [(sap.DT_SOF, 0, 0x3F)]
    assert b.received == c.received == [(1, sap.BROADCAST, b"all")]
    assert (a.mac.mlme_get(0x101), a.mac.mlme_get(0x108)) == (1, 1)
    assert (b.mac.mlme_get(0x102), b.mac.mlme_get(0x107)) == (1, 1)


def test_queue_is_bounded(wire):
    a = wire.station(1, queue_frames=3)
    for handle in range(6):
        a.send(sap.BROADCAST, handle=handle)
    now = wire.clock.now
    wire.run()
    # one in hand and three waiting
    assert a.confirms[:2] == [(now, 4, sap.TRANSACTION_OVERFLOW), (now, 5, sap.TRANSACTION_OVERFLOW)]
    assert [handle for _, handle, status in a.confirms if status == 0] == [0, 1, 2, 3]


def test_requests_expire_in_the_queue(wire):
    a = wire.station(1, queue_ttl_us=1_000_000)
    a.send(9, handle=1)
    a.send(9, handle=2)
    wire.run()
    assert [(handle, status) for _, handle, status in a.confirms] == [
        (1, sap.NO_ACK),
        (2, sap.TRANSACTION_EXPIRED),
    ]


@pytest.mark.parametrize(
    ("dst", "msdu", "status"),
    [
        (2, b"", sap.INVALID_PARAMETER),
        (1, b"to myself", sap.INVALID_PARAMETER),
        (0x10000, b"x", sap.INVALID_PARAMETER),
        (-1, b"x", sap.INVALID_PARAMETER),
        (2, bytes(401), sap.FRAME_TOO_LONG),
    ],
)
def test_refused_requests(wire, dst, msdu, status):
    a = wire.station(1)
    a.send(dst, msdu)
    wire.run()
    assert a.statuses == [status]
    assert wire.log == []


def test_a_request_from_within_a_confirm(wire):
    a = wire.station(1)
    wire.station(2)
    a.on_confirm = lambda handle, status: a.send(2, handle=handle + 1) if handle < 4 else None
    a.send(2, handle=1)
    a.send(2, handle=10)
    wire.run()
    assert [handle for _, handle, _ in a.confirms] == [1, 10, 2, 3, 4]
