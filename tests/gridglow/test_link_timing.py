"""One hop of the emulated link: accounted for to the microsecond, and held against the reference figures."""

from __future__ import annotations

from itertools import pairwise

import pytest

from g3plc import sap
from g3plc.core.errors import UsageError
from g3plc.core.ofdm import D8PSK, MODULATION_NAMES
from g3plc.events import Ack, NeighbourSet, RxOk, TxStart
from g3plc.wire.mac_frame import decode
from gridglow.link import REFERENCE, SIZES
from gridglow.one_hop import GAP_US, RECEIVER, SENDER, Hop, measure

SLOT, RIFS, CIFS, ACK, IDLE_SPACING = 1_390, 5_560, 5_560, 15_115, 5_560
BITS, REPETITION, PARITY = (1, 1, 2, 3), (4, 1, 1, 1), (8, 16, 16, 16)
SECURITY_OCTETS = 10

cells = pytest.mark.parametrize(
    ("modulation", "size"), [(modulation, size) for modulation in range(4) for size in SIZES]
)


def airtime_us(octets, modulation):
    """15.115 ms and 0.695 ms a symbol: 36 carriers, symbols in units of four."""
    coded = ((octets + PARITY[modulation]) * 8 + 6) * 2 * REPETITION[modulation]
    return 15_115 + 695 * 4 * -(-coded // (4 * 36 * BITS[modulation]))


def transmissions(hop, since):
    return [event for event in hop.events if type(event) is TxStart and event.t >= since]


def frames_and_acks(hop, since):
    sent = transmissions(hop, since)
    frames = [event for event in sent if event.node == SENDER]
    acks = [event for event in sent if event.node == RECEIVER]
    assert [event.dt for event in frames] == [sap.DT_SOF_ACK] * len(frames)
    assert [event.dt for event in acks] == [sap.DT_ACK] * len(frames)
    return frames, acks


@pytest.mark.parametrize("modulation", range(4))
def test_the_receiver_asks_for_the_modulation(modulation):
    hop = Hop(modulation, seed=4)
    wishes = [event for event in hop.events if type(event) is NeighbourSet and event.node == SENDER]
    assert [(event.neighbour, event.modulation, event.tone_map) for event in wishes] == [(RECEIVER, modulation, 0x3F)]
    since = hop.clock.now
    hop.one_by_one(100, 3)
    frames, _ = frames_and_acks(hop, since)
    assert {event.modulation for event in frames} == {modulation}
    assert not any(decode(event.psdu).tmr for event in frames)


@cells
def test_delay_to_the_microsecond(modulation, size):
    """From the PSDUs really sent and the back-offs really drawn."""
    hop = Hop(modulation, seed=11)
    slots = set()
    for _ in range(5):
        asked = hop.clock.now + GAP_US
        (delay,) = hop.one_by_one(size, 1)
        frames, acks = frames_and_acks(hop, asked)
        slot, rest = divmod(frames[0].t - asked - IDLE_SPACING, SLOT)
        assert rest == 0
        assert 8 <= slot <= 15
        slots.add(slot)
        airtimes = [airtime_us(len(event.psdu), modulation) for event in frames]
        assert [event.duration_us for event in frames] == airtimes
        between = (len(frames) - 1) * (RIFS + ACK + CIFS)
        assert delay == IDLE_SPACING + slot * SLOT + sum(airtimes) + between
        for frame, airtime, ack in zip(frames, airtimes, acks, strict=True):
            assert ack.t == frame.t + airtime + RIFS
            assert ack.duration_us == ACK
        assert [later.t - ack.t for ack, later in zip(acks, frames[1:], strict=False)] == [ACK + CIFS] * (
            len(frames) - 1
        )
        assert sum(decode(event.psdu).payload != b"" for event in frames) == len(frames)
        assert sum(len(decode(event.psdu).payload) for event in frames) == size + 9
    assert len(slots) > 1


@cells
def test_back_to_back_to_the_microsecond(modulation, size):
    """The next channel access starts CIFS after the ACK; there is no idle spacing."""
    hop = Hop(modulation, seed=5)
    since = hop.clock.now
    pace = hop.back_to_back(size, 8)
    frames, acks = frames_and_acks(hop, since)
    parts = len(frames) // 8
    drawn = [
        (frame.t - ack.t - ACK - CIFS) // SLOT
        for ack, frame in zip(acks[parts - 1 :: parts], frames[parts::parts], strict=False)
    ]
    assert all(8 <= slot <= 15 for slot in drawn)
    airtimes = sum(airtime_us(len(event.psdu), modulation) for event in frames[:parts])
    fixed = airtimes + parts * (RIFS + ACK + CIFS)
    assert pace == (7 * fixed + sum(drawn) * SLOT) // 7


@cells
def test_reference_figures_with_the_octets_of_security(modulation, size):
    """Ten octets more in the datagram stand for the auxiliary header and the integrity code; 16 ms for the access."""
    hop = Hop(modulation, seed=3)
    since = hop.clock.now
    hop.one_by_one(size + SECURITY_OCTETS, 1)
    frames, acks = frames_and_acks(hop, since)
    busy_us = acks[-1].t + ACK + CIFS - frames[0].t
    reference_ms, reference_kbit_s = REFERENCE[modulation, size]
    assert abs(busy_us + 16_000 - reference_ms * 1000) <= 1_000
    assert abs(size * 8_000 / (busy_us + 16_000) - float(reference_kbit_s)) < 0.15


def test_the_link_is_clean():
    """Every frame arrives at once, every datagram as it was sent."""
    hop = Hop(D8PSK, seed=1)
    since = hop.clock.now
    hop.one_by_one(300, 10)
    hop.back_to_back(300, 10)
    frames, _ = frames_and_acks(hop, since)
    assert [event.attempt for event in frames] == [0] * len(frames)
    received = [event for event in hop.events if type(event) is RxOk and event.node == RECEIVER and event.t >= since]
    assert [event.frame for event in received] == [event.frame for event in frames]
    assert {event.result for event in hop.events if type(event) is Ack} == {"ack"}


@pytest.mark.parametrize("size", [1, 20, 391])
def test_a_measurement_agrees_with_its_parts(size):
    one = measure(D8PSK, size, 9, 20)
    assert one.airtime_us == sum(airtime_us(octets, D8PSK) for octets in one.psdus)
    assert one.least_delay_us <= one.delay_us <= one.most_delay_us
    assert (one.most_delay_us - one.least_delay_us) % SLOT == 0
    assert one.bits_per_s == size * 8_000_000 // one.cycle_us


def test_longer_datagrams_and_slower_modulations_take_longer():
    for size in SIZES:
        delays = [measure(modulation, size, 2, 4).delay_us for modulation in range(4)]
        assert all(fast < slow for slow, fast in pairwise(delays)), MODULATION_NAMES
    for modulation in range(4):
        delays = [measure(modulation, size, 2, 4).delay_us for size in SIZES]
        assert all(short < long for short, long in pairwise(delays))


@pytest.mark.parametrize(("modulation", "size"), [(4, 20), (-1, 20), (0, 0), (3, 392)])
def test_what_cannot_be_measured(modulation, size):
    with pytest.raises(UsageError):
        measure(modulation, size, 1)
