"""Frame error rates as 32-bit thresholds: a draw below the threshold means that header or payload is lost.

The curves are the logistic fits of docs/channel.md, interpolated over the PSDU's length, with 1.5 dB of
implementation loss. They are committed as integers (`error_table.py`, written by tools/make_error_table.py), so
that no machine's libm has a say. Used by the media; `power_sum.py` makes the SINR that goes in.
"""

from __future__ import annotations

from array import array

from g3plc.core.errors import UsageError
from g3plc.phy.error_table import CURVES, HEADER_CURVE, LOGISTIC, LOGISTIC_STEP

ALWAYS = 1 << 32
"""Threshold of certain loss: no draw is made at it, nor at 0."""

_LEAST = 4295
"""2^32 times 1e-6: what is under it counts as 0, and likewise near 2^32."""
_CUT_X = 1_381_551
"""ln(1e6 - 1) in 1/100 000, where the logistic reaches the least rate."""


_curves = {
    (modulation, octets): (curve // 1000, 10 * (curve % 1000))
    for modulation, row in enumerate(CURVES)
    for octets, curve in enumerate(row)
    if octets
}
"""Middle in 1/100 dB and slope of each curve."""


def threshold(modulation: int, octets: int, snr_cb: int) -> int:
    """Chance of losing a payload, in 2^-32: 0 (never) .. 2^32 (always).

    `modulation` 0..3, `octets` of the padded PSDU 1..255, `snr_cb` mean SNR (or SINR) over the active carriers in
    1/100 dB. UsageError: modulation or octets out of range.
    """
    try:
        middle_cb, slope = _curves[modulation, octets]
    except KeyError:
        raise UsageError(f"no error rate for modulation {modulation} and {octets} octets") from None
    x = (snr_cb - middle_cb) * slope
    if x > _CUT_X:
        return 0
    return ALWAYS if x < -_CUT_X else _logistic(x)


def header_threshold(snr_cb: int) -> int:
    """Chance of losing a frame control header, in 2^-32: 0 .. 2^32."""
    if snr_cb >= _header_end_cb:
        return 0
    at = snr_cb - _header_start_cb
    return ALWAYS if at < 0 else _header[at]


def header_floor_cb() -> int:
    """The least SNR in 1/100 dB at which a header is not certainly lost."""
    return _header_start_cb


def _row(curve: int) -> tuple[int, int, array[int]]:
    """First SNR with a draw, first SNR without loss, and the thresholds between, for each 1/100 dB."""
    middle_cb, slope = divmod(curve, 1000)
    reach_cb = _CUT_X // (10 * slope)
    cells = array("Q", (_logistic(10 * slope * distance) for distance in range(-reach_cb, reach_cb + 1)))
    return middle_cb - reach_cb, middle_cb + reach_cb + 1, cells


def _logistic(x: int) -> int:
    """2^32 / (1 + exp(x / 100 000)), linear between the table's steps, cut at the least rate."""
    if x < 0:
        return ALWAYS - _logistic(-x)
    index, part = divmod(x, LOGISTIC_STEP)
    here, there = LOGISTIC[index], LOGISTIC[index + 1]
    found = here - ((here - there) * part + LOGISTIC_STEP // 2) // LOGISTIC_STEP
    return found if found >= _LEAST else 0


_header_start_cb, _header_end_cb, _header = _row(HEADER_CURVE)
