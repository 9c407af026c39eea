"""A-XDR Data: vectors of every type both ways, hostile octets, round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import axdr
from g3plc.wire.axdr import CompactArray, Data, TypeDescription, decode_data, encode_data

U8 = TypeDescription(axdr.UNSIGNED)
U16 = TypeDescription(axdr.LONG_UNSIGNED)

VECTORS = [
    (Data(axdr.NULL), "00"),
    (Data(axdr.ARRAY, (Data(axdr.INTEGER, 1), Data(axdr.INTEGER, -1))), "01 02 0F01 0FFF"),
    (Data(axdr.ARRAY, ()), "01 00"),
    (Data(axdr.STRUCTURE, (Data(axdr.INTEGER, -2), Data(axdr.ENUM, 30))), "02 02 0FFE 161E"),
    (Data(axdr.BOOLEAN, True), "03 01"),
    (Data(axdr.BOOLEAN, False), "03 00"),
    (Data(axdr.BIT_STRING, ""), "04 00"),
    (Data(axdr.BIT_STRING, "10101"), "04 05 A8"),
    (Data(axdr.BIT_STRING, "0000000011"), "04 0A 00C0"),
    (Data(axdr.DOUBLE_LONG, -2), "05 FFFFFFFE"),
    (Data(axdr.DOUBLE_LONG_UNSIGNED, 12345), "06 00003039"),
    (Data(axdr.OCTET_STRING, b""), "09 00"),
    (Data(axdr.OCTET_STRING, b"\x01\x02"), "09 02 0102"),
    (Data(axdr.OCTET_STRING, bytes(127)), "09 7F" + "00" * 127),
    (Data(axdr.OCTET_STRING, bytes(128)), "09 8180" + "00" * 128),
    (Data(axdr.OCTET_STRING, bytes(256)), "09 820100" + "00" * 256),
    (Data(axdr.VISIBLE_STRING, "ABC"), "0A 03 414243"),
    (Data(axdr.UTF8_STRING, "é"), "0C 02 C3A9"),
    (Data(axdr.BCD, 0x12), "0D 12"),
    (Data(axdr.INTEGER, -2), "0F FE"),
    (Data(axdr.LONG, -3), "10 FFFD"),
    (Data(axdr.UNSIGNED, 5), "11 05"),
    (Data(axdr.LONG_UNSIGNED, 230), "12 00E6"),
    (Data(axdr.LONG64, -2), "14 FFFFFFFFFFFFFFFE"),
    (Data(axdr.LONG64_UNSIGNED, 1), "15 0000000000000001"),
    (Data(axdr.ENUM, 3), "16 03"),
    (Data(axdr.FLOAT32, bytes.fromhex("3F800000")), "17 3F800000"),
    (Data(axdr.FLOAT64, bytes.fromhex("7FF0000000000001")), "18 7FF0000000000001"),
    (Data(axdr.DATE_TIME, bytes(range(12))), "19 000102030405060708090A0B"),
    (Data(axdr.DATE, bytes(range(5))), "1A 0001020304"),
    (Data(axdr.TIME, bytes(range(4))), "1B 00010203"),
    (Data(axdr.DONT_CARE), "FF"),
    (
        Data(
            axdr.COMPACT_ARRAY,
            CompactArray(U16, (Data(axdr.LONG_UNSIGNED, 1), Data(axdr.LONG_UNSIGNED, 2))),
        ),
        "13 12 04 0001 0002",
    ),
    (
        Data(
            axdr.COMPACT_ARRAY,
            CompactArray(
                TypeDescription(
                    axdr.STRUCTURE,
                    0,
                    (U8, TypeDescription(axdr.ARRAY, 2, (U8,)), TypeDescription(axdr.OCTET_STRING)),
                ),
                (
                    Data(
                        axdr.STRUCTURE,
                        (
                            Data(axdr.UNSIGNED, 1),
                            Data(axdr.ARRAY, (Data(axdr.UNSIGNED, 2), Data(axdr.UNSIGNED, 3))),
                            Data(axdr.OCTET_STRING, b"\xaa"),
                        ),
                    ),
                ),
            ),
        ),
        "13 02 03 11 01 0002 11 09 05 01 02 03 01AA",
    ),
    (Data(axdr.COMPACT_ARRAY, CompactArray(TypeDescription(axdr.NULL), ())), "13 00 00"),
]


@pytest.mark.parametrize(("data", "octets"), VECTORS, ids=[octets[:20] for _, octets in VECTORS])
def test_vectors_both_ways(data: Data, octets: str) -> None:
    wire = bytes.fromhex(octets)
    assert encode_data(data) == wire
    assert decode_data(wire, 0) == (data, len(wire))
    assert decode_data(b"\xee" + wire + b"\xee", 1) == (data, 1 + len(wire))


def test_every_tag_has_a_vector() -> None:
    assert {data.tag for data, _ in VECTORS} == set(axdr.TAG_NAMES)


@pytest.mark.parametrize(("data", "octets"), VECTORS, ids=[octets[:20] for _, octets in VECTORS])
def test_every_truncated_prefix_is_refused(data: Data, octets: str) -> None:
    wire = bytes.fromhex(octets)
    for size in range(len(wire)):
        with pytest.raises(WireError):
            decode_data(wire[:size], 0)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("02 01" * 3000 + "00", "too deep"),
        ("01 84 80000000 0000", "more elements"),
        ("01 01" * 32 + "01 00", "too deep"),
        ("09 84 80000000 00", "truncated"),
        ("04 84 FFFFFFFF 00", "truncated"),
        ("09 80 00", "length form"),
        ("09 85 0000000001 00", "length form"),
        ("0A 01 FF", "ascii"),
        ("0C 01 FF", "utf-8"),
        ("07 00", "unknown data tag 7"),
        ("13 13 11 01 00", "not allowed"),
        ("13 00 02 0000", "empty elements"),
        ("13 01 FFFF 00 01 00", "empty elements"),
        ("13" + "01 FFFF" * 31 + "11 02 0000", "truncated"),
        ("13" + "01 0001" * 40 + "11 02 0000", "too deep"),
        ("13 12 03 000100", "truncated"),
        ("13 02 84 80000000 00", "more elements"),
        ("13 02 82 FFF0" + "00" * 0xFFEF + "11" + "02 0000", "empty elements"),
        ("13 02 02 11 01 FFFF 02 00 02 0000", "empty elements"),
    ],
)
def test_hostile_octets_are_refused(octets: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        decode_data(bytes.fromhex(octets), 0)


def test_depth_of_32_is_allowed_and_33_is_not_written() -> None:
    wire = bytes.fromhex("01 01" * 31 + "01 00")
    data, end = decode_data(wire, 0)
    assert end == len(wire)
    assert encode_data(data) == wire
    with pytest.raises(UsageError):
        encode_data(Data(axdr.ARRAY, (data,)))


@pytest.mark.parametrize(
    "data",
    [
        Data(axdr.UNSIGNED, 256),
        Data(axdr.INTEGER, -129),
        Data(axdr.LONG64, 2**63),
        Data(axdr.UNSIGNED, "1"),
        Data(axdr.OCTET_STRING, 5),
        Data(axdr.VISIBLE_STRING, "é"),
        Data(axdr.BIT_STRING, "012"),
        Data(axdr.DATE_TIME, bytes(11)),
        Data(axdr.NULL, 0),
        Data(axdr.STRUCTURE, None),
        Data(7, 0),
        Data(axdr.COMPACT_ARRAY, CompactArray(U8, (Data(axdr.LONG_UNSIGNED, 1),))),
        Data(axdr.COMPACT_ARRAY, CompactArray(TypeDescription(axdr.ARRAY, 70_000, (U8,)), ())),
        Data(axdr.COMPACT_ARRAY, CompactArray(TypeDescription(7), ())),
    ],
)
def test_a_value_that_does_not_fit_its_tag_is_a_usage_error(data: Data) -> None:
    with pytest.raises(UsageError):
        encode_data(data)


def test_equality_and_repr() -> None:
    assert Data(axdr.UNSIGNED, 1) != Data(axdr.ENUM, 1)
    assert repr(Data(axdr.UNSIGNED, 1)) == "Data(UNSIGNED, 1)"


@given(st.from_type(Data))
def test_round_trip(data: Data) -> None:
    wire = encode_data(data)
    assert decode_data(wire, 0) == (data, len(wire))


@given(st.binary(max_size=64), st.sampled_from(sorted(axdr.TAG_NAMES)))
def test_any_octets_decode_or_raise_wire_error(octets: bytes, tag: int) -> None:
    wire = bytes((tag,)) + octets
    try:
        data, end = decode_data(wire, 0)
    except WireError:
        return
    assert end <= len(wire)
    assert decode_data(encode_data(data), 0)[0] == data
