"""MAC frames: vectors both ways, truncation, padding, round trips, hostile octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import crc, mac_frame
from g3plc.wire.mac_frame import AuxHeader, MacFrame

RREQ = bytes.fromhex("01000e4188051d78ffff07004001000000000700050f000c6210d2d8")

U16 = st.integers(0, 0xFFFF)
ADDRESS = st.none() | U16 | st.binary(min_size=8, max_size=8)


def sealed(body: bytes) -> bytes:
    return body + crc.fcs(body).to_bytes(2, "little")


@st.composite
def frames(draw: st.DrawFn) -> MacFrame:
    dst, src = draw(ADDRESS), draw(ADDRESS)
    dst_pan = None if dst is None else draw(U16)
    src_pan = None if src is None else draw(st.just(dst_pan) if dst_pan is not None and draw(st.booleans()) else U16)
    secured = draw(st.booleans())
    segment_number = draw(st.integers(0, 63))
    aux = None
    if secured and not segment_number:
        key_index = draw(st.none() | st.integers(0, 255))
        counter = draw(st.integers(0, 0xFFFFFFFF))
        aux = AuxHeader(draw(st.integers(0, 7)), 0 if key_index is None else 1, counter, key_index)
    return MacFrame(
        frame_type=draw(st.sampled_from([0, 1, 3])),
        dsn=draw(st.integers(0, 255)),
        dst_pan=dst_pan,
        dst=dst,
        src_pan=src_pan,
        src=src,
        payload=draw(st.binary(max_size=120) | st.binary(min_size=1023, max_size=1023)),
        ack_request=draw(st.booleans()),
        security_enabled=secured,
        aux=aux,
        version=draw(st.integers(0, 1)),
        tmr=draw(st.booleans()),
        cc=draw(st.booleans()),
        cap=draw(st.booleans()),
        lsf=draw(st.booleans()),
        segment_number=segment_number,
    )


def test_fcs_check_value() -> None:
    assert crc.fcs(b"123456789") == 0x31C3
    assert crc.fcs(b"") == 0
    assert crc.stored_fcs(RREQ) == crc.fcs(RREQ[:-2]) == 0xD8D2


def test_vector_both_ways() -> None:
    frame = mac_frame.decode(RREQ)
    assert frame == MacFrame(1, 5, 0x781D, 0xFFFF, 0x781D, 7, RREQ[12:26])
    assert (frame.dst_mode, frame.src_mode) == (2, 2)
    assert frame.encode() == RREQ
    assert frame.overhead_octets() == 14
    assert mac_frame.encode_data(0x781D, 0xFFFF, 7, 5, RREQ[12:26]) == RREQ


def test_first_octet_of_segment_control() -> None:
    plain = MacFrame(1, 0, 1, 2, 1, 3, b"")
    assert plain.encode()[0] == 0x01
    plain.tmr = True
    assert plain.encode()[0] == 0x09
    plain.tmr, plain.lsf = False, False
    plain.cc = True
    assert plain.encode()[0] == 0x04
    assert mac_frame.encode_data(1, 2, 3, 0, b"", flags=mac_frame.SC_LSF | mac_frame.SC_CAP)[0] == 0x03


def test_segment_number_and_length_share_two_octets() -> None:
    psdu = MacFrame(1, 0, 1, 2, 1, 3, bytes(0x155), segment_number=0x2A).encode()
    assert psdu[1:3] == bytes((0x2A << 2 | 0x1, 0x55))


def test_secured_rreq_is_38_octets() -> None:
    aux = AuxHeader(5, 1, 0x01020304, 1)
    payload = RREQ[12:26] + bytes(4)
    frame = MacFrame(1, 5, 0x781D, 0xFFFF, 0x781D, 7, payload, security_enabled=True, aux=aux, version=1)
    psdu = frame.encode()
    assert len(psdu) == 38
    assert psdu[12:18] == bytes.fromhex("0d 04030201 01")
    assert mac_frame.decode(psdu) == frame
    assert mac_frame.encode_data(0x781D, 0xFFFF, 7, 5, payload, secured=True, aux=aux) == psdu


def test_follow_up_segment_of_a_secured_frame_has_no_aux_header() -> None:
    psdu = mac_frame.encode_data(1, 2, 3, 9, b"tail", ack_request=True, segment_number=1, secured=True)
    assert len(psdu) == 18
    frame = mac_frame.decode(psdu)
    assert frame.security_enabled
    assert frame.ack_request
    assert frame.aux is None
    assert frame.payload == b"tail"


def test_beacon_request_is_13_octets() -> None:
    psdu = MacFrame(3, 1, 0xFFFF, 0xFFFF, None, None, b"\x07").encode()
    assert len(psdu) == 13
    assert mac_frame.decode(psdu).src is None
    assert mac_frame.peek_dst(psdu) == 0xFFFF


def test_pan_id_is_written_twice_when_it_differs() -> None:
    frame = MacFrame(1, 1, 0x1111, 2, 0x2222, 3, b"x")
    psdu = frame.encode()
    assert psdu[3:14] == bytes.fromhex("0188 01 1111 0200 2222 0300")
    assert mac_frame.decode(psdu) == frame


def test_extended_addresses_keep_their_order() -> None:
    eui = bytes(range(8))
    frame = MacFrame(1, 1, 0x1111, 2, 0x1111, eui, b"x")
    assert frame.encode()[10:18] == eui
    assert mac_frame.decode(frame.encode()) == frame
    assert (frame.dst_mode, frame.src_mode) == (2, 3)


@given(frames(), st.integers(0, 40))
def test_round_trip_with_padding(frame: MacFrame, padding: int) -> None:
    psdu = frame.encode()
    assert len(psdu) == frame.overhead_octets() + len(frame.payload)
    assert mac_frame.decode(psdu) == frame
    padded = frame.encode(pad_to=len(psdu) + padding)
    assert len(padded) == len(psdu) + padding
    assert padded[:-2] == psdu[:-2] + bytes(padding)
    assert mac_frame.decode(padded) == frame


@given(frames())
def test_every_truncated_prefix_is_refused_even_with_a_good_fcs(frame: MacFrame) -> None:
    frame.payload = frame.payload[:20]
    psdu = frame.encode()
    for end in range(len(psdu) - 2):
        with pytest.raises(WireError):
            mac_frame.decode(sealed(psdu[:end]))


@given(frames())
def test_peek_sees_the_destination_of_a_decoded_frame(frame: MacFrame) -> None:
    expected = frame.dst if isinstance(frame.dst, int) else -1
    assert mac_frame.peek_dst(frame.encode()) == expected


@given(st.binary(min_size=8, max_size=40))
def test_peek_never_raises(psdu: bytes) -> None:
    assert -1 <= mac_frame.peek_dst(psdu) <= 0xFFFF


@given(st.binary(max_size=60), st.booleans())
def test_any_octets_decode_or_are_refused(body: bytes, good_fcs: bool) -> None:
    try:
        frame = mac_frame.decode(sealed(body) if good_fcs else body)
    except WireError:
        return
    assert mac_frame.decode(frame.encode()) == frame


@pytest.mark.parametrize("position", range(len(RREQ)))
def test_one_wrong_octet_breaks_the_fcs(position: int) -> None:
    broken = bytearray(RREQ)
    broken[position] ^= 0x10
    with pytest.raises(WireError, match="fcs"):
        mac_frame.decode(bytes(broken))


@pytest.mark.parametrize(
    ("control", "reason"),
    [
        (0x8842, "frame type"),
        (0x8844, "frame type"),
        (0xA841, "frame version"),
        (0x8441, "address mode"),
        (0x4841, "address mode"),
        (0x0841, "address mode"),
    ],
)
def test_refused_frame_controls(control: int, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        mac_frame.decode(sealed(RREQ[:3] + control.to_bytes(2, "little") + RREQ[5:-2]))


def test_length_beyond_the_frame_is_refused() -> None:
    with pytest.raises(WireError, match="segment length"):
        mac_frame.decode(sealed(b"\x01\x00\x0f" + RREQ[3:-2]))


def test_key_id_mode_beyond_one_is_refused() -> None:
    psdu = mac_frame.encode_data(1, 2, 3, 9, bytes(12), secured=True, aux=AuxHeader(5, 1, 1, 0))
    with pytest.raises(WireError, match="key id mode"):
        mac_frame.decode(sealed(psdu[:12] + b"\x15" + psdu[13:-2]))


@pytest.mark.parametrize(
    "frame",
    [
        MacFrame(2, 0, None, None, None, None, b""),
        MacFrame(1, 256, None, None, None, None, b""),
        MacFrame(1, 0, None, 1, None, None, b""),
        MacFrame(1, 0, 1, 0x10000, None, None, b""),
        MacFrame(1, 0, 1, b"short", None, None, b""),
        MacFrame(1, 0, None, None, None, None, bytes(1024)),
        MacFrame(1, 0, None, None, None, None, b"", segment_number=64),
        MacFrame(1, 0, None, None, None, None, b"", security_enabled=True),
        MacFrame(1, 0, None, None, None, None, b"", aux=AuxHeader(5, 1, 0, 0)),
        MacFrame(1, 0, None, None, None, None, b"", security_enabled=True, aux=AuxHeader(5, 0, 0, 0)),
        MacFrame(1, 0, None, None, None, None, b"", security_enabled=True, aux=AuxHeader(5, 1, 1 << 32, 0)),
    ],
)
def test_impossible_frames_are_a_usage_error(frame: MacFrame) -> None:
    with pytest.raises(UsageError):
        frame.encode()


def test_a_frame_longer_than_the_room_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        mac_frame.encode_data(1, 2, 3, 4, bytes(10), pad_to=23)
    assert len(mac_frame.encode_data(1, 2, 3, 4, bytes(10), pad_to=24)) == 24
