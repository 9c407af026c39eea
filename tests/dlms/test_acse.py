"""AARQ, AARE, RLRQ, RLRE and the initiate APDUs within: vectors both ways, sizes, refusals, round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import acse
from g3plc.wire.acse import Aare, Aarq, Rlre, Rlrq
from g3plc.wire.apdu import decode
from g3plc.wire.xdlms_initiate import (
    CONFORMANCE_LN_NORMAL,
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)

TITLE = bytes.fromhex("4D4D4D0000000001")
FULL_CONFORMANCE = 0x001E1D

VECTORS = [
    (
        Aarq(InitiateRequest(FULL_CONFORMANCE).encode()),
        "60 1D A109060760857405080101 BE10040E 01000000 065F1F0400001E1DFFFF",
    ),
    (
        Aarq(InitiateRequest(FULL_CONFORMANCE).encode(), mechanism=1, authentication=b"12345678"),
        "60 36 A109060760857405080101 8A020780 8B0760857405080201 AC0A80083132333435363738"
        "BE10040E 01000000 065F1F0400001E1DFFFF",
    ),
    (
        Aarq(
            b"\x21\x01\x30",
            acse.CONTEXT_LN_CIPHERED,
            acse.MECHANISM_HIGH_GMAC,
            b"K56iVagY",
            TITLE,
            b"\x01",
            16,
            b"\x02\x03",
        ),
        "60 47 A109060760857405080103 A20404020203 A60A04084D4D4D0000000001 A703040101 A903020110 8A020780"
        "8B0760857405080205 AC0A80084B35366956616759 BE050403210130",
    ),
    (
        Aare(InitiateResponse(FULL_CONFORMANCE, 0x04C8).encode()),
        "61 29 A109060760857405080101 A203020100 A305A103020100 BE10040E 0800065F1F0400001E1D04C80007",
    ),
    (
        Aare(
            ConfirmedServiceError(1, 6, 1).encode(),
            acse.REJECTED_PERMANENT,
            acse.SOURCE_PROVIDER,
            acse.NO_REASON_GIVEN,
        ),
        "61 1F A109060760857405080101 A203020101 A305A203020101 BE0604040E010601",
    ),
    (
        Aare(
            b"\x28\x00",
            acse.ACCEPTED,
            acse.SOURCE_USER,
            acse.AUTHENTICATION_REQUIRED,
            acse.CONTEXT_LN_CIPHERED,
            acse.MECHANISM_HIGH_GMAC,
            b"P6wRJ21F",
            TITLE,
            b"\x05",
            2,
        ),
        "61 4C A109060760857405080103 A203020100 A305A10302010E A40A04084D4D4D0000000001 A503040105 A703020102"
        "88020780 890760857405080205 AA0A8008503677524A323146 BE0404022800",
    ),
    (Aare(None, 1, 1, 1), "61 17 A109060760857405080101 A203020101 A305A103020101"),
    (Rlrq(), "62 03 800100"),
    (Rlrq(None), "62 00"),
    (
        Rlrq(1, InitiateRequest(FULL_CONFORMANCE).encode()),
        "62 15 800101 BE10040E 01000000065F1F0400001E1DFFFF",
    ),
    (Rlre(), "63 03 800100"),
    (Rlre(acse.REASON_USER_DEFINED, b"\x28"), "63 08 80011E BE03040128"),
    (InitiateRequest(FULL_CONFORMANCE), "01 00 00 00 06 5F1F04 00001E1D FFFF"),
    (
        InitiateRequest(0x10, 0x0400, bytes(16), False, 5),
        "01 01 10" + "00" * 16 + "01 00 01 05 06 5F1F04 00000010 0400",
    ),
    (InitiateResponse(FULL_CONFORMANCE, 0x04C8), "08 00 06 5F1F04 00001E1D 04C8 0007"),
    (InitiateResponse(FULL_CONFORMANCE, 0x04C8, 7, 0), "08 01 00 06 5F1F04 00001E1D 04C8 0007"),
    (ConfirmedServiceError(1, 6, 1), "0E 01 06 01"),
]
IDS = [f"{type(message).__name__}{place}" for place, (message, _) in enumerate(VECTORS)]


@pytest.mark.parametrize(("message", "octets"), VECTORS, ids=IDS)
def test_vectors_both_ways(message: Aarq, octets: str) -> None:
    wire = bytes.fromhex(octets.replace(" ", ""))
    assert message.encode() == wire
    assert type(message).decode(wire) == message
    assert decode(wire) == message


@pytest.mark.parametrize(("message", "octets"), VECTORS, ids=IDS)
def test_prefixes_and_trailing_octets_are_refused(message: Aarq, octets: str) -> None:
    wire = bytes.fromhex(octets.replace(" ", ""))
    for size in range(len(wire)):
        with pytest.raises(WireError):
            decode(wire[:size])
        with pytest.raises(WireError):
            type(message).decode(wire[:size])
    with pytest.raises(WireError):
        decode(wire + b"\x00")
    with pytest.raises(WireError):
        type(message).decode(b"\xc0" + wire[1:])


def test_sizes_of_an_association_without_security() -> None:
    assert len(Aarq(InitiateRequest().encode()).encode()) == 31
    assert len(Aare(InitiateResponse().encode()).encode()) == 43
    assert len(Aarq(InitiateRequest().encode(), mechanism=1, authentication=bytes(8)).encode()) == 56
    assert len(Rlrq().encode()) == len(Rlre().encode()) == 5


def test_default_conformance_names_no_block_and_no_list() -> None:
    assert CONFORMANCE_LN_NORMAL == 0x00401B


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("60 80 A109060760857405080101 0000", "length form"),
        ("60 00", "without application context"),
        ("60 0B A109060760857405080201", "context name unknown"),
        ("60 0B A109060760857405080181", "context name unknown"),
        ("60 16 A109060760857405080101 A109060760857405080101", "out of order"),
        ("60 10 BE03040101 A109060760857405080101", "out of order"),
        ("60 0E A109060760857405080101 A301FF", "not supported"),
        ("60 0F 80020700 A109060760857405080101", "protocol version"),
        ("60 0F A109060760857405080101 8A020700", "ACSE requirements"),
        ("60 0F A109060760857405080101 8A020780", "without mechanism"),
        ("60 14 A109060760857405080101 8B0760857405080201", "without ACSE requirements"),
        ("60 10 A109060760857405080101 A903020180", "out of range"),
        ("60 12 A109060760857405080101 BE050402 0101 00", "trailing"),
        ("60 11 A109060760857405080101 BE8480000000", "exceeds"),
        ("61 0B A109060760857405080101", "without result"),
        ("61 17 A109060760857405080101 A203020100 A305A303020100", "diagnostic"),
        ("62 04 80020000", "reason"),
        ("62 03 800180", "reason"),
        ("01 02 00 00 06 5F1F04 00001E1D FFFF", "presence flag"),
        ("01 00 00 00 06 5F1F04 01001E1D FFFF", "conformance"),
        ("01 00 00 00 06 5F1F03 00001E1D FFFF", "conformance"),
        ("01 01 84 80000000 00", "truncated"),
        ("0E 01 0B 00", "error class"),
    ],
)
def test_refusals(octets: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        decode(bytes.fromhex(octets.replace(" ", "")))


def test_protocol_version_1_may_be_said() -> None:
    wire = bytes.fromhex("60 0F 80020780 A109060760857405080101")
    assert decode(wire) == Aarq(None)


@pytest.mark.parametrize(
    "message",
    [
        Aarq(None, 128),
        Aarq(None, mechanism=-1),
        Aarq(None, authentication=b"x"),
        Aarq(None, calling_ae_invocation_id=128),
        Aare(None, 128),
        Aare(None, 0, 3),
        Rlrq(128),
        InitiateRequest(1 << 24),
        InitiateRequest(-1),
        InitiateRequest(0, 65536),
        InitiateRequest(quality_of_service=256),
        InitiateResponse(vaa_name=65536),
        ConfirmedServiceError(1, 11, 0),
        ConfirmedServiceError(256, 1, 0),
    ],
)
def test_a_field_out_of_range_is_a_usage_error(message: Aarq) -> None:
    with pytest.raises(UsageError):
        message.encode()


octet_strings = st.none() | st.binary(max_size=300)
sevens = st.integers(0, 127)


@given(
    st.builds(Aarq, octet_strings, sevens, sevens, octet_strings, octet_strings, octet_strings, st.none() | sevens)
    | st.builds(Aare, octet_strings, sevens, st.integers(1, 2), sevens, sevens, sevens, octet_strings)
    | st.builds(Rlrq, st.none() | sevens, octet_strings)
    | st.builds(Rlre, st.none() | sevens, octet_strings)
    | st.builds(
        InitiateRequest,
        st.integers(0, 2**24 - 1),
        st.integers(0, 65535),
        octet_strings,
        st.booleans(),
        st.none() | st.integers(0, 255),
        st.integers(0, 255),
    )
)
def test_round_trip(message: Aarq) -> None:
    assert decode(message.encode()) == message


@given(st.sampled_from([wire for _, wire in VECTORS]), st.data())
def test_damaged_octets_decode_or_raise_wire_error(octets: str, draw: st.DataObject) -> None:
    wire = bytearray.fromhex(octets.replace(" ", ""))
    for _ in range(draw.draw(st.integers(1, 3))):
        wire[draw.draw(st.integers(0, len(wire) - 1))] = draw.draw(st.integers(0, 255))
    try:
        message = decode(bytes(wire))
    except WireError:
        return
    assert decode(message.encode()) == message
