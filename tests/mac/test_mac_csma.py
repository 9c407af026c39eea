"""The contention window from frame to frame: what is drawn, when it widens and narrows, when a frame is given up."""

from __future__ import annotations

import pytest

from emulation.randomness import Stream
from g3plc import events, sap
from g3plc.core import ofdm

SLOT = 1_390
BUSY_US = 60_000


def windows(port):
    """The bounds of all draws after DSN and BSN."""
    return port.dice.asked[2:]


def jam(wire, times, header=sap.HEADER_SOF):
    """Put energy on the channel whenever the frame's slot is near, so that it is found busy `times` times."""
    for _ in range(times):
        before = len(wire.of(events.Defer))
        while len(wire.of(events.Defer)) == before:
            wire.ghost(BUSY_US, header)
            wire.run(BUSY_US)
            if len(wire.of(events.Defer)) == before:
                wire.run(5_560 + 8 * SLOT - 2 * SLOT)


def test_windows_of_both_priorities(wire):
    a = wire.station(1)
    a.send(sap.BROADCAST)
    a.send(sap.BROADCAST, high=True)
    wire.run()
    # the second request takes the place of the first, which draws again after it
    assert windows(a) == [8, 7, 8]


def test_window_doubles_up_to_the_largest_and_lives_on(wire):
    a = wire.station(1)
    a.send(sap.BROADCAST)
    jam(wire, 7)
    wire.run()
    assert [event.cw for event in wire.of(events.Defer)] == [16, 32, 64, 128, 256, 256, 256]
    assert [event.nb for event in wire.of(events.Defer)] == [1, 2, 3, 4, 5, 6, 7]
    assert windows(a) == [8, 16, 32, 64, 128, 256, 256, 256]
    # success narrows it by macA * 2^macMinBE = 64, and the next frame starts from there
    assert a.mac.contention_window == 192
    a.send(sap.BROADCAST)
    wire.run()
    assert windows(a)[-1] == 192
    assert a.mac.contention_window == 128
    for _ in range(3):
        a.send(sap.BROADCAST)
        wire.run()
    assert windows(a)[-3:] == [128, 64, 8]
    assert a.mac.contention_window == 8


def test_high_priority_keeps_its_window_but_counts(wire):
    a = wire.station(1)
    a.send(sap.BROADCAST, high=True)
    wire.run(2_000)
    wire.ghost(BUSY_US, sap.HEADER_SOF)
    wire.run()
    assert windows(a) == [7, 7]
    assert [(event.nb, event.cw) for event in wire.of(events.Defer)] == [(1, 16)]


def test_fairness_narrows_every_k_th_time(wire):
    a = wire.station(1, mac_max_be=5, mac_csma_fairness_limit=6, mac_k=3, mac_a=3)
    a.send(sap.BROADCAST)
    jam(wire, 13)
    wire.run()
    # the first draw, from the smallest window, sets NBF to 0; from the 6th busy slot on every 3rd narrows by 24
    assert [event.cw for event in wire.of(events.Defer)] == [16, 32, 32, 32, 32, 8, 16, 32, 32, 32, 32, 8, 16]
    assert windows(a)[:8] == [8, 16, 32, 32, 32, 32, 8, 16]


def test_too_many_draws_from_the_smallest_window(wire):
    a = wire.station(1, mac_min_cw_attempts=3)
    for _ in range(5):
        a.send(sap.BROADCAST)
        wire.run()
    assert windows(a) == [8, 8, 8, 256, 192]


def test_broadcasts_from_the_largest_window(wire):
    a = wire.station(1, mac_broadcast_max_cw_enable=1)
    wire.station(2)
    a.send(sap.BROADCAST)
    a.send(2)
    a.send(sap.BROADCAST, high=True)
    wire.run()
    assert windows(a)[:4] == [256, 7, 256, 8]


def test_channel_access_failure(wire):
    a = wire.station(1, mac_max_csma_backoffs=4)
    a.send(2, handle=77)
    jam(wire, 3)
    assert a.confirms == []
    jam(wire, 1)
    assert [(handle, status) for _, handle, status in a.confirms] == [(77, sap.CHANNEL_ACCESS_FAILURE)]
    assert wire.frames(1) == []
    assert a.mac.mlme_get(0x105) == 1
    # the next frame starts its own count
    a.send(sap.BROADCAST, handle=78)
    jam(wire, 3)
    wire.run()
    assert a.statuses == [sap.CHANNEL_ACCESS_FAILURE, sap.SUCCESS]


@pytest.mark.parametrize(
    ("draw", "ssca", "counts"),
    [
        # the slot falls before the end of the interframe space after the ACK of the first segment
        (7, 1, (0, 64)),
        (7, 0, (1, 128)),
        # it falls into the next segment
        (30, 1, (0, 64)),
        (30, 0, (1, 128)),
    ],
)
def test_follow_up_segments_of_others_are_not_counted(wire, draw, ssca, counts):
    a = wire.station(1, numbers=[draw], mac_min_be=6)
    wire.ghost(BUSY_US, sap.HEADER_SOF_ACK)
    wire.run(BUSY_US - 1_000)
    a.send(sap.BROADCAST)
    wire.run(1_000 + 5_560)
    wire.ghost(ofdm.ACK_US, -1, ssca)
    wire.run(ofdm.ACK_US + 5_560)
    wire.ghost(BUSY_US, sap.HEADER_SOF_ACK)
    wire.run(BUSY_US + 5_560)
    last = wire.ghost(ofdm.ACK_US, -1, 0)
    wire.run()
    first = wire.of(events.Defer)[0]
    assert (first.nb, first.cw) == counts
    assert wire.frames(1)[0].start >= last.end + 5_560 + 8 * SLOT


def test_a_station_that_hears_no_ack_waits_for_the_energy_to_end(wire):
    """Two overlapping energies: the end of the first is not the end of the wait."""
    a = wire.station(1)
    a.send(sap.BROADCAST)
    wire.run(5_560 + 5 * SLOT)
    wire.ghost(40_000, sap.HEADER_LOST)
    wire.run(10_000)
    last = wire.ghost(60_000, sap.HEADER_LOST)
    wire.run(35_000)
    assert a.mac.state == 4
    wire.run()
    assert wire.frames(1)[0].start == last.end + ofdm.EIFS_US + 8 * SLOT
    assert len(wire.of(events.Defer)) == 1


def test_our_own_answer_makes_us_defer_without_hanging(wire):
    a = wire.station(1)
    b = wire.station(2)
    a.send(2)
    wire.run(5_560 + 8 * SLOT + 10_000)
    # b draws while the frame to it is in the air; its slot falls into the answer that it owes
    b.send(sap.BROADCAST, high=True)
    wire.run()
    assert b.statuses == [0]
    assert a.statuses == [0]
    ack = wire.answers()[0]
    assert wire.frames(2)[0].start == ack.end + 5_560 + SLOT


def test_high_priority_overtakes_in_the_queue(wire):
    a = wire.station(1)
    for handle, high in ((1, False), (2, False), (3, True), (4, True)):
        a.send(sap.BROADCAST, handle=handle, high=high)
    wire.run()
    assert [handle for _, handle, _ in a.confirms] == [3, 4, 1, 2]


def test_high_priority_overtakes_a_frame_that_waits_for_silence(wire):
    a, _ = wire.station(1), wire.station(2)
    a.send(sap.BROADCAST, handle=1)
    jam(wire, 1)
    a.send(2, handle=2, high=True)
    wire.run()
    assert [handle for _, handle, _ in a.confirms] == [2, 1]


def test_high_priority_does_not_overtake_a_retry(wire):
    a = wire.station(1)
    a.send(9, handle=1)
    wire.clock.run_until(wire.clock.now + 200_000)
    assert len(wire.frames(1)) == 1
    a.send(sap.BROADCAST, handle=2, high=True)
    wire.run()
    assert [handle for _, handle, _ in a.confirms] == [1, 2]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_priority_wins_the_contention_period(wire, order):
    ports = {short: wire.station(short, numbers=[0 if short == 1 else 6]) for short in order}
    ports[1].send(sap.BROADCAST)
    ports[2].send(sap.BROADCAST, high=True)
    wire.run()
    assert [one.src for one in wire.frames()] == [2, 1]


@pytest.mark.parametrize("shuffled", [False, True])
def test_many_stations_share_the_channel(new_wire, shuffled):
    """Saturation: everybody gets through, and nothing is sent while something else is noticed."""
    ties = Stream(4, 0, 1, "ties")
    wire = new_wire((lambda: ties.below(1 << 62)) if shuffled else None)
    ports = [wire.station(short) for short in range(1, 9)]
    for port in ports:
        stream = Stream(4, port.short, 1, "mac")
        port.dice.below = stream.below
        for handle in range(6):
            port.send(port.short % 8 + 1, bytes([port.short, handle]) * 20, handle=handle)
    wire.run(120_000_000)
    for port in ports:
        assert port.statuses == [0] * 6
        peer = (port.short - 2) % 8 + 1
        assert [msdu for _, _, msdu in port.received] == [bytes([peer, handle]) * 20 for handle in range(6)]
    for one in wire.frames():
        assert not [other for other in wire.log if other.start <= one.start - SLOT and other.end > one.start]
