"""Text and unit of values that were read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.values import readable, scaled
from g3plc.wire import axdr
from g3plc.wire.axdr import Data


def obis(text: str) -> bytes:
    return bytes(int(part) for part in text.split("."))


@pytest.mark.parametrize(
    ("class_id", "name", "attribute", "data", "expected"),
    [
        (3, "1.0.1.8.0.255", 2, Data(axdr.DOUBLE_LONG_UNSIGNED, 8342117), ("8342117", "Wh")),
        (1, "1.0.1.8.0.255", 2, Data(axdr.DOUBLE_LONG_UNSIGNED, 0x3039), ("12345", "Wh")),
        (3, "1.0.2.8.3.255", 2, Data(axdr.LONG64_UNSIGNED, 2**64 - 1), (str(2**64 - 1), "Wh")),
        (3, "1.0.32.7.0.255", 2, Data(axdr.LONG_UNSIGNED, 1985), ("198.5", "V")),
        (3, "1.0.31.7.0.255", 2, Data(axdr.LONG_UNSIGNED, 7), ("0.07", "A")),
        (3, "1.0.1.7.0.255", 2, Data(axdr.DOUBLE_LONG_UNSIGNED, 0), ("0", "W")),
        (3, "1.0.14.7.0.255", 2, Data(axdr.LONG_UNSIGNED, 5001), ("50.01", "Hz")),
        (3, "1.0.99.7.0.255", 2, Data(axdr.LONG, -5), ("-5", "")),
        (8, "0.0.1.0.0.255", 3, Data(axdr.LONG, -60), ("-60", "")),
        (3, "7.0.1.8.0.255", 2, Data(axdr.UNSIGNED, 3), ("3", "")),
        (3, "1.0.32.7.0.255", 3, Data(axdr.STRUCTURE, (Data(axdr.INTEGER, -1), Data(axdr.ENUM, 35))),
         ("structure[integer:-1, enum:35]", "")),
        (8, "0.0.1.0.0.255", 2, Data(axdr.OCTET_STRING, bytes.fromhex("07ea0b170102000000000000")),
         ("2026-11-23T02:00:00Z", "")),
        (1, "0.0.42.0.0.255", 2, Data(axdr.OCTET_STRING, b"GGW000000000017"), ("GGW000000000017", "")),
        (1, "0.0.96.1.0.255", 2, Data(axdr.OCTET_STRING, b"\x00\xff"), ("00ff", "")),
        (1, "0.0.96.1.0.255", 2, Data(axdr.OCTET_STRING, b""), ("", "")),
        (70, "0.0.96.3.10.255", 2, Data(axdr.BOOLEAN, False), ("false", "")),
        (70, "0.0.96.3.10.255", 3, Data(axdr.ENUM, 1), ("enum:1", "")),
        (1, "0.0.96.1.0.255", 2, Data(axdr.UTF8_STRING, "\xe9\n"), ("\\xe9\\x0a", "")),
    ],
)  # fmt: skip
def test_readable(class_id: int, name: str, attribute: int, data: Data, expected: tuple[str, str]) -> None:
    assert readable(class_id, obis(name), attribute, data) == expected


@given(st.integers(-(2**63), 2**64), st.integers(-9, 9))
def test_scaled_is_exact(value: int, scaler: int) -> None:
    text = scaled(value, scaler)
    whole, _, fraction = text.partition(".")
    assert len(fraction) == max(0, -scaler)
    assert int(whole + fraction) == value * 10 ** max(0, scaler)
