"""The sum of two powers given as levels, by an integer table: interference at a receiver adds up this way.

Levels are in 1/100 dB of any common reference. The gain over the stronger level depends on their distance alone
and falls from 3.01 dB to nothing at 29.4 dB. The table comes from tools/make_error_table.py.
"""

from __future__ import annotations

from g3plc.phy.error_table import SUM_STEPS

_GAIN = [
    len(SUM_STEPS) - n
    for n, (start, end) in enumerate(zip((0, *SUM_STEPS), SUM_STEPS, strict=False))
    for _ in range(start, end)
]
_REACH = len(_GAIN)


def add(a_cb: int, b_cb: int) -> int:
    """The level of both powers together, in 1/100 dB; the order does not matter."""
    distance = a_cb - b_cb
    if distance < 0:
        return b_cb + _GAIN[-distance] if -distance < _REACH else b_cb
    return a_cb + _GAIN[distance] if distance < _REACH else a_cb
