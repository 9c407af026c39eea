"""COSEM date-time in twelve octets (IEC 62056-6-2 clause 4.1.6.1): year, month, day, weekday, time, deviation, status.

Civil time enters as microseconds since 1970 in local time; nobody asks the machine for the date. Neighbours:
`interface_classes` (class 8) and the meter's events.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from struct import Struct
from typing import Final

from g3plc.core.errors import WireError

NOT_SPECIFIED: Final = -0x8000
"""Deviation 0x8000: how local time relates to UTC is not said."""

_LAYOUT = Struct(">HBBBBBBBhB")
_ORIGIN: Final = datetime(1970, 1, 1)
_HUNDREDTH_US: Final = 10_000
OCTETS: Final = 12


def encode_date_time(local_us: int, deviation_min: int = 0, status: int = 0) -> bytes:
    """Return the twelve octets of `local_us` (microseconds since 1970, local; years 1..9999).

    `deviation_min` is UTC minus local time in minutes, -720..720 or `NOT_SPECIFIED`; `status` the clock status octet.
    """
    moment = _ORIGIN + timedelta(microseconds=local_us)
    return _LAYOUT.pack(
        moment.year,
        moment.month,
        moment.day,
        moment.isoweekday(),
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond // _HUNDREDTH_US,
        deviation_min,
        status,
    )


def decode_date_time(octets: bytes) -> tuple[int, int, int]:
    """Return (microseconds since 1970 in local time, deviation in minutes, status).

    `WireError` for another length, a date that is not in the calendar, a wrong weekday, and for a field left open other
    than weekday, hundredths and deviation: such a pattern names no moment.
    """
    if len(octets) != OCTETS:
        raise WireError("date-time is twelve octets")
    year, month, day, weekday, hour, minute, second, hundredths, deviation, status = _LAYOUT.unpack(octets)
    if hundredths == 0xFF:
        hundredths = 0
    if hundredths > 99:
        raise WireError("date-time hundredths out of range")
    if deviation != NOT_SPECIFIED and not -720 <= deviation <= 720:
        raise WireError("date-time deviation out of range")
    try:
        moment = datetime(year, month, day, hour, minute, second, hundredths * _HUNDREDTH_US)
    except ValueError:
        raise WireError("date-time is no moment") from None
    if weekday not in (0xFF, moment.isoweekday()):
        raise WireError("date-time weekday does not fit the date")
    return (moment - _ORIGIN) // timedelta(microseconds=1), deviation, status
