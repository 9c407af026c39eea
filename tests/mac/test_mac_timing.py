"""When things happen, to the microsecond: interframe spaces, slots, acknowledgements, whole exchanges."""

from __future__ import annotations

import itertools

import pytest

from g3plc import sap
from g3plc.core import ofdm
from g3plc.wire.mac_command import ToneMapResponse
from g3plc.wire.mac_frame import MacFrame

SLOT, RIFS, CIFS, ACK, ACK_WAIT, EIFS = 1_390, 5_560, 5_560, 15_115, 26_235, 201_375
NORMAL, HIGH = 8 * SLOT, SLOT
"""From the start of the contention period to the first slot of each window."""
LONGEST_PERIOD = (1 + 7 + 256) * SLOT


def learn(wire, port, neighbour, modulation, tone_map=0x3F):
    """Let `neighbour` tell `port` how it wants to be sent to."""
    msdu = ToneMapResponse(modulation, tone_map, 100).encode()
    frame = MacFrame(3, 200, 0x781D, port.short, 0x781D, neighbour, msdu)
    wire.hand(port, frame.encode(), sap.DT_SOF)
    wire.run(1_000_000)


@pytest.mark.parametrize(("high", "draw"), [(False, 0), (False, 7), (True, 0), (True, 6)])
def test_idle_channel_spacing_then_slots(wire, high, draw):
    a = wire.station(1, numbers=[draw])
    b = wire.station(2)
    t0 = wire.clock.now
    a.send(2, high=high)
    wire.run()
    frame, ack = wire.log[:2]
    assert frame.start == t0 + 5_560 + (HIGH if high else NORMAL) + draw * SLOT
    assert frame.dt == sap.DT_SOF_ACK
    assert frame.end - frame.start == ofdm.airtime_us(len(frame.psdu), 0, 0x3F)
    assert (ack.src, ack.dt, ack.ssca, ack.dst) == (2, sap.DT_ACK, 0, 1)
    assert ack.start == frame.end + RIFS
    assert ack.end == ack.start + ACK
    assert ack.fcs == int.from_bytes(frame.psdu[-2:], "little")
    assert a.confirms == [(ack.end, 1, sap.SUCCESS)]
    assert b.received_at == [frame.end]
    assert b.received == [(1, 2, b"hello")]


def test_the_next_frame_waits_cifs_after_the_ack(wire):
    a = wire.station(1)
    wire.station(2)
    a.send(sap.BROADCAST, handle=1)
    a.send(sap.BROADCAST, handle=2)
    wire.run()
    first, second = wire.frames()
    assert second.start == first.end + CIFS + NORMAL
    assert a.confirms == [(first.end, 1, 0), (second.end, 2, 0)]
    a.send(2, handle=3)
    a.send(sap.BROADCAST, handle=4)
    wire.run()
    ack = wire.answers()[0]
    fourth = next(one for one in wire.frames(1) if one.start > ack.end)
    assert fourth.start == ack.end + CIFS + NORMAL


@pytest.mark.parametrize(
    ("header", "gap"),
    [
        (sap.HEADER_SOF, CIFS),
        (sap.HEADER_SOF_ACK, ACK_WAIT),
        (sap.HEADER_LOST, EIFS),
        (sap.HEADER_FAULT, CIFS),
    ],
)
def test_silence_after_foreign_energy(wire, header, gap):
    a = wire.station(1)
    ghost = wire.ghost(50_000, header)
    wire.run(50_000)
    a.send(sap.BROADCAST)
    wire.run()
    assert wire.frames(1)[0].start == ghost.end + gap + NORMAL


@pytest.mark.parametrize(("ssca", "gap"), [(0, CIFS), (1, EIFS)])
def test_silence_after_a_foreign_ack(wire, ssca, gap):
    a = wire.station(1)
    ghost = wire.ghost(ACK, -1, ssca)
    wire.run(ACK)
    a.send(sap.BROADCAST)
    wire.run()
    assert wire.frames(1)[0].start == ghost.end + gap + NORMAL


def test_energy_beside_a_captured_frame_only_extends(wire):
    a = wire.station(1)
    wire.ghost(30_000, sap.HEADER_SOF_ACK)
    wire.run(35_000)
    wire.ghost(10_000, sap.HEADER_IGNORED)
    wire.run(10_000)
    a.send(sap.BROADCAST, handle=1)
    wire.run()
    t0 = wire.clock.now - 60_000_000 - 45_000
    assert wire.frames(1)[0].start == t0 + 30_000 + ACK_WAIT + NORMAL


def test_a_good_header_ends_the_long_silence(wire):
    """The times are set, not stretched: what was heard last counts."""
    a = wire.station(1)
    wire.ghost(20_000, sap.HEADER_LOST)
    wire.run(20_000)
    ghost = wire.ghost(30_000, sap.HEADER_SOF)
    wire.run(30_000)
    a.send(sap.BROADCAST)
    wire.run()
    assert wire.frames(1)[0].start == ghost.end + CIFS + NORMAL


@pytest.mark.parametrize("late", [1, SLOT - 1, SLOT, 3 * SLOT + 17, LONGEST_PERIOD - 1])
def test_slots_lie_on_the_grid_of_the_contention_period(wire, late):
    a = wire.station(1)
    ghost = wire.ghost(50_000, sap.HEADER_SOF)
    wire.run(50_000 + CIFS + late)
    a.send(sap.BROADCAST)
    wire.run()
    offset = wire.frames(1)[0].start - (ghost.end + CIFS)
    assert offset == -(-late // SLOT) * SLOT + NORMAL


def test_after_the_contention_period_the_channel_is_idle(wire):
    a = wire.station(1)
    wire.ghost(50_000, sap.HEADER_SOF)
    wire.run(50_000 + CIFS + LONGEST_PERIOD)
    now = wire.clock.now
    a.send(sap.BROADCAST)
    wire.run()
    assert wire.frames(1)[0].start == now + 5_560 + NORMAL


def test_a_busy_slot_is_put_off_to_the_next_period(wire):
    a = wire.station(1)
    a.send(sap.BROADCAST)
    wire.run(5_560 + 4 * SLOT)
    ghost = wire.ghost(90_000, sap.HEADER_SOF)
    wire.run()
    assert wire.frames(1)[0].start == ghost.end + CIFS + NORMAL


def test_energy_of_less_than_a_slot_is_not_noticed(wire):
    a = wire.station(1)
    t0 = wire.clock.now
    a.send(sap.BROADCAST)
    wire.run(5_560 + NORMAL - SLOT + 1)
    wire.ghost(90_000, sap.HEADER_SOF)
    wire.run()
    assert wire.frames(1)[0].start == t0 + 5_560 + NORMAL


def test_two_stations_that_draw_one_slot_collide_and_try_again(wire):
    # both MACs first draw slot 3, and then different ones
    a = wire.station(1, numbers=[3, 0])
    b = wire.station(2, numbers=[3, 5])
    wire.station(3)
    a.send(3, b"from a")
    b.send(3, b"from b")
    wire.run()
    first, second = wire.frames()[:2]
    assert first.start == second.start
    third, fourth = wire.frames()[2:4]
    # neither hears the other while it sends; what it then does not get is its ACK
    assert third.start == first.end + ACK_WAIT + EIFS + NORMAL
    assert fourth.start > third.end
    assert sorted(a.statuses + b.statuses) == [0, 0]
    assert sorted(wire.ports[3].received) == [(1, 3, b"from a"), (2, 3, b"from b")]


def test_ack_wait_then_eifs(wire):
    a = wire.station(1, mac_max_frame_retries=1)
    t0 = wire.clock.now
    a.send(2)
    wire.run()
    first, second = wire.frames()
    assert first.start == t0 + 5_560 + NORMAL
    assert second.start == first.end + ACK_WAIT + EIFS + NORMAL
    assert a.confirms == [(second.end + ACK_WAIT, 1, sap.NO_ACK)]
    assert a.mac.mlme_get(0x106) == 2


# G3-PLC reference table: UDP octets -> milliseconds in ROBO, DBPSK, DQPSK, D8PSK; one hop, 33 octets of overhead of
# which 10 are security, 16 ms of channel access, the ACK and CIFS after it.
REFERENCE_MS = {
    20: (135, 80, 69, 66),
    50: (171, 91, 74, 69),
    100: (233, 105, 82, 74),
    200: (427, 135, 96, 129),
    300: (621, 218, 160, 140),
    380: (787, 243, 171, 149),
}


@pytest.mark.parametrize("udp", REFERENCE_MS)
@pytest.mark.parametrize("modulation", [0, 1, 2, 3])
def test_reference_durations(wire, udp, modulation):
    a = wire.station(1)
    b = wire.station(2)
    learn(wire, a, 2, modulation)
    msdu = bytes(range(256)) * 2
    a.send(2, msdu[: udp + 9 + 10])
    wire.run()
    frames, acks = wire.frames(), wire.answers()
    duration_us = acks[-1].end + CIFS - frames[0].start
    assert abs(duration_us / 1000 + 16 - REFERENCE_MS[udp][modulation]) <= 1
    assert b.received == [(1, 2, msdu[: udp + 19])]


def test_mean_access_delay_of_an_idle_channel(wire):
    """(8 + 3.5) slots after the start of the period, on average over the smallest window."""
    starts = []
    for draw in range(8):
        a = wire.station(1, numbers=[draw])
        now = wire.clock.now
        a.send(sap.BROADCAST)
        wire.run()
        starts.append(wire.log[-1].start - now - 5_560)
    assert sum(starts) / 8 == 11.5 * SLOT


def test_an_unacknowledged_frame_is_followed_at_cifs_by_its_segments(wire):
    a = wire.station(1)
    b = wire.station(2)
    msdu = bytes(range(250))
    a.send(sap.BROADCAST, msdu)
    wire.run()
    frames = wire.frames()
    assert [one.dt for one in frames] == [0, 0, 0]
    assert all(later.start == earlier.end + CIFS for earlier, later in itertools.pairwise(frames))
    assert b.received == [(1, sap.BROADCAST, msdu)]
    assert a.confirms == [(frames[-1].end, 1, 0)]
