"""Writes g3plc/phy/error_table.py: the integers behind frame error rates and sums of powers.

The rates are logistic fits to a simulation of the receiver on white noise, moved up by an implementation loss:
PER = 1 / (1 + exp(k * (SNR - loss - s))), s and k interpolated over log2(octets). docs/channel.md gives the fits.
Run it with `python tools/make_error_table.py` after a change of the constants below and commit the result.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, log, log2, log10
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "g3plc" / "phy" / "error_table.py"

LOSS_DB = 1.5
HEADER = (-4.9, 1.9)
"""s in dB and k per dB of the frame control header."""
FITS = (
    ((40, -2.75, 4.3), (133, -2.35, 5.7)),
    ((60, 1.2, 5.1), (235, 1.7, 6.4)),
    ((60, 4.1, 4.1), (235, 4.6, 5.7)),
    ((60, 7.05, 3.5), (226, 7.8, 4.2)),
)
"""Per modulation a short and a long PSDU: octets, s in dB, k per dB."""
OCTETS = 256
STEP = 5_000
"""Step of the logistic table in 1/100 000."""
LEAST = 1e-6
"""Rates under it count as 0, rates above 1 - it as 1."""
LAST_X = log(1 / LEAST - 1)
WIDTH = 120


def curve(modulation: int, octets: int) -> tuple[float, float]:
    """s (dB, implementation loss included) and k (per dB) of a PSDU of `octets`.

    s goes on along the line through both fits outside of them; k stays within them, so that a very short frame
    does not get a flatter curve than was ever seen.
    """
    (short, s_short, k_short), (long, s_long, k_long) = FITS[modulation]
    part = (log2(octets) - log2(short)) / (log2(long) - log2(short))
    inside = min(max(part, 0.0), 1.0)
    return s_short + part * (s_long - s_short) + LOSS_DB, k_short + inside * (k_long - k_short)


def rate(s_db: float, k: float, snr_db: float) -> float:
    """The error rate of a curve, cut at LEAST and 1 - LEAST."""
    x = k * (snr_db - s_db)
    return 0.0 if x > LAST_X else 1.0 if x < -LAST_X else 1 / (1 + exp(x))


def curve_integers() -> list[list[int]]:
    """Per modulation and number of octets (0: unused) s in 1/100 dB times 1000 plus k in 1/100."""
    return [
        [0, *(round(s * 100) * 1000 + round(k * 100) for s, k in (curve(m, octets) for octets in range(1, OCTETS)))]
        for m in range(len(FITS))
    ]


def logistic_integers() -> list[int]:
    """2^32 / (1 + exp(x)) for x = 0, STEP, 2 STEP ... up to the cut and one step on."""
    count = int(LAST_X * 100_000 / STEP) + 2
    return [round(2**32 / (1 + exp(i * STEP / 100_000))) for i in range(count)]


def sum_integers() -> list[int]:
    """For n = 0, 1, 2 ... the least distance of two powers in 1/100 dB from which the sum gains less than 301 - n."""
    gains = [round(1000 * log10(1 + 10 ** (-distance / 1000))) for distance in range(4000)]
    return [next(d for d, gain in enumerate(gains) if gain < most) for most in range(301, 0, -1)]


def rows(numbers: Iterable[int]) -> str:
    """Numbers with commas, as many on a line as fit."""
    lines, line = [], "   "
    for number in numbers:
        word = f" {number},"
        if len(line) + len(word) > WIDTH:
            lines.append(line)
            line = "   "
        line += word
    return "\n".join([*lines, line])


def module() -> str:
    """The text of the table's module."""
    header = round((HEADER[0] + LOSS_DB) * 100) * 1000 + round(HEADER[1] * 100)
    curves = "".join(f"    (\n{rows(numbers)}\n    ),\n" for numbers in curve_integers())
    return f'''"""Integers of error rates and sums of powers, written by tools/make_error_table.py, not edited by hand.

Used by `error_rate.py` and `power_sum.py`, which say what they mean.
"""

# fmt: off
HEADER_CURVE = {header}
LOGISTIC_STEP = {STEP}
CURVES: tuple[tuple[int, ...], ...] = (
{curves})
LOGISTIC: tuple[int, ...] = (
{rows(logistic_integers())}
)
SUM_STEPS: tuple[int, ...] = (
{rows(sum_integers())}
)
'''


if __name__ == "__main__":
    TARGET.write_text(module(), encoding="utf-8")
