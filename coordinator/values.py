"""What a value that was read means to people: its text, and the unit that goes with it.

Scaler and unit of a Register stand in an attribute of their own (IEC 62056-6-2 clause 4.3.2). The coordinator does not
fetch it with every reading: it knows the companion profile of its meters, by OBIS value groups (IEC 62056-6-1). Values
of objects that the profile does not name are shown as they came. Neighbours: `jobs` and `collector` report with this.
"""

from __future__ import annotations

from typing import Final

from g3plc.wire import axdr
from g3plc.wire.axdr import Data
from g3plc.wire.data_text import escaped, format_civil, format_data

_VALUE: Final = 2
_WITH_A_UNIT: Final = (1, 3, 4)
"""Data, Register, Extended register: their attribute 2 is the quantity itself."""

_ELECTRICITY: Final = 1
_ENERGY: Final = 8
_MOMENT: Final = 7
_MAXIMUM: Final = 6

_UNITS: Final[dict[tuple[int, int], tuple[int, str]]] = {
    **dict.fromkeys([(c, _ENERGY) for c in (1, 2)], (0, "Wh")),
    **dict.fromkeys([(c, _ENERGY) for c in (3, 4, 5, 6, 7, 8)], (0, "varh")),
    **dict.fromkeys([(c, _MOMENT) for c in (1, 2)], (0, "W")),
    **dict.fromkeys([(9, _MOMENT), (9, _MAXIMUM)], (0, "VA")),
    **dict.fromkeys([(c, _MOMENT) for c in (12, 32, 52, 72)], (-1, "V")),
    **dict.fromkeys([(c, _MOMENT) for c in (11, 31, 51, 71)], (-2, "A")),
    (14, _MOMENT): (-2, "Hz"),
}
"""(group C, group D) of electricity objects to (scaler, unit)."""

_NUMBERS: Final = frozenset(
    {
        axdr.DOUBLE_LONG,
        axdr.DOUBLE_LONG_UNSIGNED,
        axdr.INTEGER,
        axdr.LONG,
        axdr.UNSIGNED,
        axdr.LONG_UNSIGNED,
        axdr.LONG64,
        axdr.LONG64_UNSIGNED,
    }
)


def readable(class_id: int, obis: bytes, attribute: int, data: Data) -> tuple[str, str]:
    """Return (value, unit) of an attribute that was read, both ASCII; the unit is empty where there is none."""
    if data.tag in _NUMBERS:
        scaler, unit = scaler_unit(class_id, obis, attribute)
        return scaled(data.value, scaler), unit
    if data.tag in (axdr.VISIBLE_STRING, axdr.UTF8_STRING):
        return escaped(data.value), ""
    if data.tag == axdr.OCTET_STRING:
        return _octets(data.value), ""
    if data.tag == axdr.BOOLEAN:
        return ("true" if data.value else "false"), ""
    return format_data(data), ""


def scaler_unit(class_id: int, obis: bytes, attribute: int) -> tuple[int, str]:
    """Return (power of ten, unit) of an attribute by the companion profile; (0, "") where it says nothing."""
    if attribute != _VALUE or class_id not in _WITH_A_UNIT or obis[0] != _ELECTRICITY:
        return 0, ""
    return _UNITS.get((obis[2], obis[3]), (0, ""))


def scaled(value: int, scaler: int) -> str:
    """Return `value` times ten to the power of `scaler` (-128..127) as an exact decimal number."""
    if scaler >= 0:
        return str(value * 10**scaler)
    digits = f"{abs(value):0{1 - scaler}d}"
    return f"{'-' if value < 0 else ''}{digits[:scaler]}.{digits[scaler:]}"


def _octets(octets: bytes) -> str:
    """Return names as text, moments as ISO 8601, everything else in hex."""
    civil = format_civil(octets)
    if civil:
        return civil
    if octets and all(0x20 <= octet < 0x7F for octet in octets):
        return octets.decode("ascii")
    return octets.hex()
