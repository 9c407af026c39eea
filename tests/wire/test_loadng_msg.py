"""LOADng and LBP messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import lbp, loadng_msg
from g3plc.wire.lbp import LbpMessage
from g3plc.wire.loadng_msg import Hop, Prep, Preq, Rerr, RlcRep, RlcReq, Rrep, RrepAck, Rreq

U4 = st.integers(0, 15)
U8 = st.integers(0, 255)
U16 = st.integers(0, 0xFFFF)
FLAG = st.booleans()
HOPS = st.lists(st.builds(Hop, U16, U8, U8), max_size=15).map(tuple)
MESSAGES = st.one_of(
    st.builds(Rreq, U16, U16, U16, U4, U16, U4, U4, U4, FLAG, FLAG),
    st.builds(Rrep, U16, U16, U16, U4, U16, U4, U4, U4, FLAG, FLAG),
    st.builds(Rerr, U16, U16, U8, U16, U4),
    st.builds(RrepAck, U16, U16, U16),
    st.builds(Preq, U16, U16, U4, HOPS),
    st.builds(Prep, U16, U16, U4, U16, HOPS),
    st.builds(RlcReq, U16, U16, U4),
    st.builds(RlcRep, U16, U16, U4, U8),
)

VECTORS = [
    ("4001 00 0000 0007 0005 0f 000c 62 10", Rreq(0, 7, 5, 15, 12, 6, 2, 1)),
    ("4001 00 0102 0304 0506 ce 0708 9a b0", Rreq(0x102, 0x304, 0x506, 14, 0x708, 9, 10, 11, True, True)),
    ("4001 01 0102 0304 0506 80 0708 9a b0", Rrep(0x102, 0x304, 0x506, 0, 0x708, 9, 10, 11, True)),
    ("4001 01 0102 0304 0506 4f 0708 80 00", Rrep(0x102, 0x304, 0x506, 15, 0x708, 8, ack_required=True)),
    ("4001 02 0102 0304 01 0506 70", Rerr(0x102, 0x304, 1, 0x506, 7)),
    ("4001 03 0102 0304 0506", RrepAck(0x102, 0x304, 0x506)),
    ("4001 fc 0102 0304 f0 000000", Preq(0x102, 0x304, 15)),
    ("4001 fc 0102 0304 f0 000000 0005 80 0c", Preq(0x102, 0x304, 15, (Hop(5, 0x80, 12),))),
    ("4001 fd 0102 0304 f0 00 0506 0005 00 0c", Prep(0x102, 0x304, 15, 0x506, (Hop(5, 0, 12),))),
    ("4001 fe 0102 0304 f0", RlcReq(0x102, 0x304, 15)),
    ("4001 ff 0102 0304 f0 0c", RlcRep(0x102, 0x304, 15, 12)),
]


@pytest.mark.parametrize(("octets", "message"), VECTORS)
def test_vectors_both_ways(octets: str, message: loadng_msg.Message) -> None:
    assert message.encode() == bytes.fromhex(octets)
    assert loadng_msg.decode(bytes.fromhex(octets)) == message


@given(MESSAGES)
def test_round_trip(message: loadng_msg.Message) -> None:
    assert loadng_msg.decode(message.encode()) == message


@given(MESSAGES, st.binary(min_size=1, max_size=3))
def test_other_lengths_are_refused(message: loadng_msg.Message, tail: bytes) -> None:
    octets = message.encode()
    with pytest.raises(WireError):
        loadng_msg.decode(octets + tail)
    for end in range(len(octets)):
        if isinstance(message, Preq | Prep) and end >= 11 and (end - 11) % 4 == 0:
            continue
        with pytest.raises(WireError):
            loadng_msg.decode(octets[:end])


@given(st.sampled_from([0, 1, 2, 3, 4, 251, 252, 253, 254, 255]), st.binary(max_size=24))
def test_any_octets_decode_or_are_refused(message_type: int, body: bytes) -> None:
    octets = b"\x40\x01" + bytes((message_type,)) + body
    try:
        message = loadng_msg.decode(octets)
    except WireError:
        return
    assert len(message.encode()) == len(octets)
    assert loadng_msg.decode(message.encode()) == message


@given(st.binary(max_size=20))
def test_octets_without_prefix_are_refused(octets: bytes) -> None:
    if octets[:2] != b"\x40\x01":
        with pytest.raises(WireError, match="loadng header"):
            loadng_msg.decode(octets)


def test_forwarding_changes_the_hop_fields_only() -> None:
    rreq = Rreq(1, 2, 3, 15, 10, 8, 0, 0, True, True)
    assert rreq.forwarded(0, 22, 7, 1, 1) == Rreq(1, 2, 3, 0, 22, 7, 1, 1, True, True)
    rrep = Rrep(1, 2, 3, 15, 10, 8, 0, 0, True, True)
    assert rrep.forwarded(0, 22, 7, 1, 1) == Rrep(1, 2, 3, 0, 22, 7, 1, 1, True, False)
    assert rrep.forwarded(0, 22, 7, 1, 1, ack_required=True).ack_required
    assert rreq.hop_limit == rrep.hop_limit == 8
    assert Rerr(1, 2, 0, 3, 8).forwarded(7) == Rerr(1, 2, 0, 3, 7)
    assert Preq(1, 2, 15).appended(Hop(4, 0, 9)).appended(Hop(5, 0, 8)).hops == (Hop(4, 0, 9), Hop(5, 0, 8))
    assert Prep(1, 2, 15, 2).appended(Hop(4, 0, 9)) == Prep(1, 2, 15, 2, (Hop(4, 0, 9),))


@pytest.mark.parametrize(
    "message",
    [
        Rreq(0x10000, 0, 0, 0, 0, 0),
        Rreq(0, 0, 0, 16, 0, 0),
        Rreq(0, 0, 0, 0, 0, -1),
        Rrep(0, 0, 0, 0, 0x10000, 0),
        Rrep(0, 0, 0, 0, 0, 0, hop_count=16),
        Rerr(0, 0, 256, 0, 0),
        Rerr(0, 0, 0, 0, 16),
        RrepAck(0, 0, 0x10000),
        Preq(0, 0, 16),
        Preq(0, 0, 0, (Hop(0, 0, 256),)),
        Prep(0, 0, 16, 0),
        RlcReq(0, 0, 16),
        RlcRep(0, 0, 16, 0),
        RlcRep(0, 0, 0, 256),
    ],
)
def test_out_of_range_is_a_usage_error(message: Any) -> None:
    with pytest.raises(UsageError):
        message.encode()


def test_lbp_vector() -> None:
    octets = bytes.fromhex("4002 90 00 781dfffe00000001 0c01")
    message = LbpMessage(lbp.ACCEPTED, octets[4:12], b"\x0c\x01")
    assert lbp.decode(octets) == message
    assert message.encode() == octets
    assert len(LbpMessage(lbp.JOINING, bytes(8)).encode()) == lbp.HEADER_OCTETS == 12


@given(
    st.builds(
        LbpMessage,
        code=st.sampled_from([1, 4, 9, 10, 11, 12]),
        eui64=st.binary(min_size=8, max_size=8),
        data=st.binary(max_size=64),
        transaction_id=U8,
        media_type=FLAG,
        disable_backup=FLAG,
    )
)
def test_lbp_round_trip_and_truncation(message: LbpMessage) -> None:
    octets = message.encode()
    assert lbp.decode(octets) == message
    for end in range(lbp.HEADER_OCTETS):
        with pytest.raises(WireError):
            lbp.decode(octets[:end])


@given(st.binary(max_size=20), st.booleans())
def test_lbp_any_octets(octets: bytes, prefixed: bool) -> None:
    try:
        message = lbp.decode((b"\x40\x02" if prefixed else b"") + octets)
    except WireError:
        return
    assert lbp.decode(message.encode()) == message


def test_lbp_refusals() -> None:
    for code in (0, 2, 3, 5, 8, 13, 15):
        with pytest.raises(WireError, match="lbp code"):
            lbp.decode(b"\x40\x02" + bytes((code << 4, 0)) + bytes(8))
        with pytest.raises(UsageError):
            LbpMessage(code, bytes(8)).encode()
    with pytest.raises(UsageError):
        LbpMessage(1, bytes(7)).encode()
    with pytest.raises(UsageError):
        LbpMessage(1, bytes(8), transaction_id=256).encode()
