"""The text form of COSEM values, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.wire import axdr
from g3plc.wire.axdr import CompactArray, Data, TypeDescription, encode_data
from g3plc.wire.data_text import MAX_TEXT, format_data, parse_data

VECTORS = [
    ("null", "00"),
    ("dont-care", "ff"),
    ("boolean:true", "0301"),
    ("boolean:false", "0300"),
    ("bit-string:0110", "040460"),
    ("bit-string:", "0400"),
    ("double-long:-2147483648", "0580000000"),
    ("double-long-unsigned:12345", "0600003039"),
    ("octet-string:0102ff", "09030102ff"),
    ("octet-string:", "0900"),
    ("visible-string:abc", "0a03616263"),
    ("visible-string:a, [b]", "0a06612c205b625d"),
    ("visible-string:a\\\\b\\x0a", "0a04615c620a"),
    ("utf8-string:caf\\xe9 \\u20ac \\U0001f4a1", "0c0e636166c3a920e282ac20f09f92a1"),
    ("bcd:24", "0d18"),
    ("integer:-1", "0fff"),
    ("long:-200", "10ff38"),
    ("unsigned:5", "1105"),
    ("long-unsigned:65535", "12ffff"),
    ("long64:-1", "14" + "ff" * 8),
    ("long64-unsigned:18446744073709551615", "15" + "ff" * 8),
    ("enum:30", "161e"),
    ("float32:1.5", "173fc00000"),
    ("float32:0x7fc00001", "177fc00001"),
    ("float32:-inf", "17ff800000"),
    ("float64:0.1", "183fb999999999999a"),
    ("date-time:2026-11-23T02:00:00Z", "090c07ea0b17010200000000" + "0000"),
    ("date-time:2026-11-23T02:00:00.50+01:00", "090c07ea0b170102000032ffc400"),
    ("date-time:2026-11-23T02:00:00-00:30", "090c07ea0b17010200000000" + "1e00"),
    ("date-time:2026-11-23T02:00:00", "090c07ea0b17010200000080" + "0000"),
    ("tagged-date-time:07ea0b1701020000ff800000", "1907ea0b1701020000ff800000"),
    ("tagged-date:07ea0b1701", "1a07ea0b1701"),
    ("tagged-time:02000000", "1b02000000"),
    ("structure[integer:-1, enum:35]", "02020fff1623"),
    ("array[]", "0100"),
    ("array[structure[null, visible-string:a\\x2c\\x5b], octet-string:]", "010202020" + "00a03612c5b0900"),
]


@pytest.mark.parametrize(("text", "octets"), VECTORS)
def test_text_and_octets_belong_together(text: str, octets: str) -> None:
    value = parse_data(text)
    assert encode_data(value).hex() == octets
    assert format_data(value) == text


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        (" unsigned: 5 ", "unsigned:5"),
        ("unsigned:+007", "unsigned:7"),
        ("octet-string:0102FF", "octet-string:0102ff"),
        ("octet-string:07ea0b170102000000000000", "date-time:2026-11-23T02:00:00Z"),
        ("null:", "null"),
        ("date-time:2026-11-23 02:00:00+00:00", "date-time:2026-11-23T02:00:00Z"),
        ("utf8-string:café", "utf8-string:caf\\xe9"),
        ("float64:2", "float64:2.0"),
        ("structure[ unsigned:1 ,null ]", "structure[unsigned:1, null]"),
        ("array[ ]", "array[]"),
    ],
)
def test_other_spellings(typed: str, canonical: str) -> None:
    assert format_data(parse_data(typed)) == canonical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "unknown type"),
        ("unsigned", "expected unsigned:value"),
        ("unsigned:256", "allowed: whole numbers from 0 to 255"),
        ("unsigned:-1", "allowed: whole numbers from 0 to 255"),
        ("unsigned:5.0", "allowed: whole numbers"),
        ("unsigned:1_0", "allowed: whole numbers"),
        ("unsigned:٣", "allowed: whole numbers"),
        ("unsigned:" + "9" * 5000, "allowed: whole numbers"),
        ("u8:5", "unknown type 'u8'; allowed: array, bcd, bit-string, boolean, date-time,"),
        ("compact-array[unsigned:1]", "unknown type 'compact-array'"),
        ("boolean:1", "allowed: true, false"),
        ("bit-string:012", "allowed: the digits 0 and 1"),
        ("octet-string:0", "two hex digits for each octet"),
        ("octet-string:01 02", "two hex digits for each octet"),
        ("tagged-date:00", "5 octets"),
        ("visible-string:é", "characters that ascii can hold"),
        ("visible-string:\\n", "allowed after a backslash"),
        ("utf8-string:\\Uffffffff", "allowed after a backslash"),
        ("utf8-string:\\ud800", "characters that utf-8 can hold"),
        ("float32:1e39", "too large"),
        ("float32:nan", "allowed: decimal numbers"),
        ("float32:0x7fc0", "8 hex digits"),
        ("date-time:2026-02-30T00:00:00Z", "day is out of range"),
        ("date-time:tomorrow", "allowed: a time like"),
        ("date-time:2026-11-23T02:00:00+13:00", "-12:00 to +12:00"),
        ("null:5", "takes no value"),
        ("structure", "expected structure[value, value, ...]"),
        ("structure[unsigned:1", "structure is not closed"),
        ("structure[unsigned:1]x", "follows after the value"),
        ("structure[unsigned:1,]", "unknown type"),
        ("array[" * 33 + "]" * 33, "32 levels"),
        ("visible-string:" + "a" * MAX_TEXT, f"at most {MAX_TEXT}"),
    ],
)
def test_refusals_say_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|expected|follows|takes no|too large|not closed|two hex") as refusal:
        parse_data(text)
    message = str(refusal.value)
    assert said in message
    assert message.isascii()


@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9-]{3,20}[:\[].{0,20}", fullmatch=True))
def test_any_text_parses_or_is_refused_in_words(text: str) -> None:
    try:
        value = parse_data(text)
    except ValueError as refusal:
        assert str(refusal).isascii()
    else:
        encode_data(value)


INTEGERS = {
    axdr.DOUBLE_LONG: (-(2**31), 2**31 - 1),
    axdr.DOUBLE_LONG_UNSIGNED: (0, 2**32 - 1),
    axdr.BCD: (0, 255),
    axdr.INTEGER: (-128, 127),
    axdr.LONG: (-(2**15), 2**15 - 1),
    axdr.UNSIGNED: (0, 255),
    axdr.LONG_UNSIGNED: (0, 65535),
    axdr.LONG64: (-(2**63), 2**63 - 1),
    axdr.LONG64_UNSIGNED: (0, 2**64 - 1),
    axdr.ENUM: (0, 255),
}
FIXED = {axdr.FLOAT32: 4, axdr.FLOAT64: 8, axdr.DATE_TIME: 12, axdr.DATE: 5, axdr.TIME: 4}

simple = st.one_of(
    st.sampled_from([Data(axdr.NULL), Data(axdr.DONT_CARE)]),
    st.builds(Data, st.just(axdr.BOOLEAN), st.booleans()),
    st.builds(Data, st.just(axdr.BIT_STRING), st.text("01", max_size=20)),
    st.builds(Data, st.just(axdr.OCTET_STRING), st.binary(max_size=40) | st.binary(min_size=12, max_size=12)),
    st.builds(Data, st.just(axdr.VISIBLE_STRING), st.text(st.characters(max_codepoint=127), max_size=20)),
    st.builds(Data, st.just(axdr.UTF8_STRING), st.text(max_size=20)),
    *(st.builds(Data, st.just(tag), st.integers(*bounds)) for tag, bounds in INTEGERS.items()),
    *(st.builds(Data, st.just(tag), st.binary(min_size=size, max_size=size)) for tag, size in FIXED.items()),
)
values = st.recursive(
    simple,
    lambda inner: st.builds(
        Data, st.sampled_from([axdr.ARRAY, axdr.STRUCTURE]), st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=8,
)


@given(values)
def test_round_trip(value: Data) -> None:
    text = format_data(value)
    assert text.isascii()
    assert text.isprintable()
    assert parse_data(text) == value


def test_compact_array_is_shown() -> None:
    items = (Data(axdr.UNSIGNED, 1), Data(axdr.UNSIGNED, 2))
    value = Data(axdr.COMPACT_ARRAY, CompactArray(TypeDescription(axdr.UNSIGNED), items))
    assert format_data(value) == "compact-array[unsigned:1, unsigned:2]"
