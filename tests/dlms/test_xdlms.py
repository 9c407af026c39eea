"""GET, SET, ACTION, event notification, exception response: vectors both ways, refusals, round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core import flow
from g3plc.core.errors import UsageError, WireError
from g3plc.wire import axdr, xdlms
from g3plc.wire.apdu import KIND_NAMES, decode, kind
from g3plc.wire.axdr import Data
from g3plc.wire.xdlms import (
    ActionRequestNormal,
    ActionResponseNormal,
    EventNotification,
    ExceptionResponse,
    GetRequestNormal,
    GetResponseNormal,
    SetRequestNormal,
    SetResponseNormal,
)

ENERGY = bytes.fromhex("0100010800FF")
CLOCK = bytes.fromhex("0000010000FF")
PROFILE = bytes.fromhex("0100630100FF")
DISCONNECT = bytes.fromhex("000060030AFF")
NOON = bytes.fromhex("07E80101FF0C000000800000")
U32 = Data(axdr.DOUBLE_LONG_UNSIGNED, 12345)
RANGE = Data(axdr.STRUCTURE, (Data(axdr.DOUBLE_LONG_UNSIGNED, 1), Data(axdr.DOUBLE_LONG_UNSIGNED, 2)))

VECTORS = [
    (GetRequestNormal(0, 1, ENERGY, 2), "C0 01 00 0001 0100010800FF 02 00"),
    (GetRequestNormal(0, 3, ENERGY, 2), "C0 01 00 0003 0100010800FF 02 00"),
    (GetRequestNormal(0xC1, 3, ENERGY, -1), "C0 01 C1 0003 0100010800FF FF 00"),
    (
        GetRequestNormal(0xC1, 7, PROFILE, 2, (2, RANGE)),
        "C0 01 C1 0007 0100630100FF 02 01 02 0202 0600000001 0600000002",
    ),
    (GetResponseNormal(0, U32), "C4 01 00 00 06 00003039"),
    (GetResponseNormal(0xC1, None, xdlms.OBJECT_UNDEFINED), "C4 01 C1 01 04"),
    (GetResponseNormal(0xC1, None, xdlms.OTHER_REASON), "C4 01 C1 01 FA"),
    (
        SetRequestNormal(0xC1, 8, CLOCK, 2, None, Data(axdr.OCTET_STRING, NOON)),
        "C1 01 C1 0008 0000010000FF 02 00 09 0C 07E80101FF0C000000800000",
    ),
    (
        SetRequestNormal(0x41, 7, PROFILE, 2, (1, Data(axdr.NULL)), Data(axdr.ARRAY, ())),
        "C1 01 41 0007 0100630100FF 02 01 01 00 01 00",
    ),
    (SetResponseNormal(0xC1), "C5 01 C1 00"),
    (SetResponseNormal(0xC1, xdlms.READ_WRITE_DENIED), "C5 01 C1 03"),
    (
        ActionRequestNormal(0xC1, 70, DISCONNECT, 1, Data(axdr.INTEGER, 0)),
        "C3 01 C1 0046 000060030AFF 01 01 0F 00",
    ),
    (ActionRequestNormal(0xC1, 70, DISCONNECT, 2), "C3 01 C1 0046 000060030AFF 02 00"),
    (ActionResponseNormal(0xC1), "C7 01 C1 00 00"),
    (ActionResponseNormal(0xC1, xdlms.TEMPORARY_FAILURE), "C7 01 C1 02 00"),
    (ActionResponseNormal(0xC1, 0, U32), "C7 01 C1 00 01 00 06 00003039"),
    (
        ActionResponseNormal(0xC1, 0, None, xdlms.SCOPE_OF_ACCESS_VIOLATED),
        "C7 01 C1 00 01 01 0D",
    ),
    (ExceptionResponse(1, 2), "D8 01 02"),
    (ExceptionResponse(2, 6, 5), "D8 02 06 00000005"),
    (
        EventNotification(None, 3, bytes.fromhex("0100200700FF"), 2, Data(axdr.LONG_UNSIGNED, 203)),
        "C2 00 0003 0100200700FF 02 12 00CB",
    ),
    (
        EventNotification(NOON, 3, bytes.fromhex("0100200700FF"), 2, Data(axdr.LONG_UNSIGNED, 203)),
        "C2 01 0C 07E80101FF0C000000800000 0003 0100200700FF 02 12 00CB",
    ),
]
IDS = [f"{type(message).__name__}{place}" for place, (message, _) in enumerate(VECTORS)]


@pytest.mark.parametrize(("message", "octets"), VECTORS, ids=IDS)
def test_vectors_both_ways(message: GetRequestNormal, octets: str) -> None:
    wire = bytes.fromhex(octets)
    assert message.encode() == wire
    assert type(message).decode(wire) == message
    assert decode(wire) == message


@pytest.mark.parametrize(("message", "octets"), VECTORS, ids=IDS)
def test_prefixes_and_trailing_octets_are_refused(message: GetRequestNormal, octets: str) -> None:
    wire = bytes.fromhex(octets)
    for size in range(len(wire)):
        with pytest.raises(WireError):
            decode(wire[:size])
        with pytest.raises(WireError):
            type(message).decode(wire[:size])
    with pytest.raises(WireError):
        decode(wire + b"\x00")
    with pytest.raises(WireError):
        type(message).decode(b"\x60" + wire[1:])


def test_sizes_of_the_usual_exchanges() -> None:
    assert len(GetRequestNormal(0xC1, 3, ENERGY, 2).encode()) == 13
    assert len(GetResponseNormal(0xC1, U32).encode()) == 9
    assert len(SetRequestNormal(0xC1, 1, CLOCK, 2, None, Data(axdr.OCTET_STRING, bytes(8))).encode()) == 23
    assert len(ActionRequestNormal(0xC1, 70, DISCONNECT, 1, Data(axdr.INTEGER, 0)).encode()) == 15
    assert len(ActionResponseNormal(0xC1).encode()) == 5


def test_kind_follows_the_first_octet_of_any_octets() -> None:
    assert kind(bytes.fromhex("C40100")) == flow.GET_RESPONSE
    assert flow.KIND_NAMES[kind(b"\x60")] == "AARQ"
    assert kind(b"") == kind(b"\x00\xff") == flow.OTHER


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("", "empty"),
        ("C8 01 00", "unknown APDU tag C8"),
        ("C0", "truncated"),
        ("C0 03 C1 02", "choice 03 not supported"),
        ("C4 02 C1 01 00000001 00 00", "choice 02 not supported"),
        ("C0 01 00 0001 0100010800FF 02 02 00", "presence flag"),
        ("C0 01 00 0001 0100010800FF 02 01 01", "truncated"),
        ("C4 01 00 02 00", "result choice"),
        ("C4 01 00 00 0600003039 00", "trailing"),
        ("C4 01 00 00 09 84 80000000", "truncated"),
        ("C4 01 00 00 01 84 80000000 00", "more elements"),
        ("C4 01 00 00" + "0101" * 3000 + "00", "too deep"),
        ("C7 01 C1 00 02", "presence flag"),
        ("C7 01 C1 03", "truncated"),
        ("D8 01 02 00000005", "trailing"),
        ("D8 02 06 00000005 00", "trailing"),
        ("C2 01 0B 07E80101FF0C0000008000 0003 0100200700FF 02 00", "date-time"),
        ("C2 02 0003 0100200700FF 02 00", "date-time"),
    ],
)
def test_refusals(octets: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "message",
    [
        GetRequestNormal(256, 1, ENERGY, 2),
        GetRequestNormal(0, 65536, ENERGY, 2),
        GetRequestNormal(0, 1, ENERGY[:5], 2),
        GetRequestNormal(0, 1, ENERGY, 128),
        GetRequestNormal(0, 1, ENERGY, 2, (256, U32)),
        GetResponseNormal(0, None, 256),
        SetResponseNormal(-1),
        ActionResponseNormal(0, 0, U32, 1),
        ExceptionResponse(1, 6),
        ExceptionResponse(1, 2, 5),
        ExceptionResponse(1, 6, 2**32),
        EventNotification(bytes(11), 3, ENERGY, 2, U32),
        EventNotification(None, 3, ENERGY[:5], 2, U32),
        EventNotification(None, -1, ENERGY, 2, U32),
    ],
)
def test_a_field_out_of_range_is_a_usage_error(message: GetRequestNormal) -> None:
    with pytest.raises(UsageError):
        message.encode()


data = st.from_type(Data)
u8 = st.integers(0, 255)
described = (u8, st.integers(0, 65535), st.binary(min_size=6, max_size=6), st.integers(-128, 127))
selections = st.none() | st.tuples(u8, data)


@given(
    st.builds(GetRequestNormal, *described, selections)
    | st.builds(GetResponseNormal, u8, data)
    | st.builds(GetResponseNormal, u8, st.none(), u8)
    | st.builds(SetRequestNormal, *described, selections, data)
    | st.builds(SetResponseNormal, u8, u8)
    | st.builds(ActionRequestNormal, *described, st.none() | data)
    | st.builds(ActionResponseNormal, u8, u8, st.none() | data)
    | st.builds(ActionResponseNormal, u8, u8, st.none(), u8)
    | st.builds(EventNotification, st.none() | st.binary(min_size=12, max_size=12), *described[1:], data)
)
def test_round_trip(message: GetRequestNormal) -> None:
    assert decode(message.encode()) == message


@given(st.sampled_from([wire for _, wire in VECTORS]), st.data())
def test_damaged_octets_decode_or_raise_wire_error(octets: str, draw: st.DataObject) -> None:
    wire = bytearray.fromhex(octets)
    for _ in range(draw.draw(st.integers(1, 3))):
        wire[draw.draw(st.integers(0, len(wire) - 1))] = draw.draw(u8)
    try:
        message = decode(bytes(wire))
    except WireError:
        return
    assert decode(message.encode()) == message


@given(st.sampled_from([*sorted(KIND_NAMES), 0, 0xFF]), st.sampled_from([b"", b"\x01"]), st.binary(max_size=60))
def test_any_octets_decode_or_raise_wire_error(tag: int, choice: bytes, rest: bytes) -> None:
    try:
        decode(bytes((tag,)) + choice + rest)
    except WireError:
        pass
