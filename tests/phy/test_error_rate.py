"""Error rates against the formula they come from, and the committed table against its generator."""

import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError
from g3plc.phy import error_rate, error_table

GENERATOR = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "make_error_table.py"))
ALWAYS = error_rate.ALWAYS
# modulation, octets, SNR in dB at which half of the frames is lost by an ideal receiver
HALVES = [(0, 40, -2.75), (0, 133, -2.35), (1, 60, 1.2), (1, 235, 1.7)] + [
    (2, 60, 4.1),
    (2, 235, 4.6),
    (3, 60, 7.05),
    (3, 226, 7.8),
]


def close(left, right):
    return all(abs(a - b) <= 1 for a, b in zip(left, right, strict=True))


def test_committed_table_is_the_generated_one():
    for committed, made in zip(error_table.CURVES, GENERATOR["curve_integers"](), strict=True):
        assert close(committed, made)
    assert close(error_table.LOGISTIC, GENERATOR["logistic_integers"]())
    assert close(error_table.SUM_STEPS, GENERATOR["sum_integers"]())


@given(st.integers(0, 3), st.integers(1, 255), st.integers(-1500, 2000))
def test_threshold_follows_the_formula(modulation, octets, snr_cb):
    s_db, k = GENERATOR["curve"](modulation, octets)
    found = error_rate.threshold(modulation, octets, snr_cb) / ALWAYS
    # s and k are committed with two decimals: 0.005 dB at a slope of at most k / 4, and 0.005 of k over 1 / k
    assert found == pytest.approx(GENERATOR["rate"](s_db, k, snr_cb / 100), abs=0.012)


@given(st.integers(-1500, 500))
def test_header_follows_the_formula(snr_cb):
    wanted = GENERATOR["rate"](-4.9 + 1.5, 1.9, snr_cb / 100)
    assert error_rate.header_threshold(snr_cb) / ALWAYS == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(("modulation", "octets", "half_db"), HALVES)
def test_anchors_with_implementation_loss(modulation, octets, half_db):
    at = round(half_db * 100) + 150
    assert error_rate.threshold(modulation, octets, at) / ALWAYS == pytest.approx(0.5, abs=0.01)
    assert error_rate.threshold(modulation, octets, at - 400) == ALWAYS
    assert error_rate.threshold(modulation, octets, at + 400) == 0


def test_header_outlives_the_payload():
    at = -250
    assert error_rate.header_threshold(at) / ALWAYS < 0.2
    assert error_rate.threshold(0, 133, at) / ALWAYS > 0.95


def test_rates_under_a_millionth_are_no_rates():
    drawn = [error_rate.header_threshold(snr_cb) for snr_cb in range(-1500, 1500)]
    least = ALWAYS // 1_000_000
    assert drawn[0] == ALWAYS and drawn[-1] == 0
    assert all(cell in (0, ALWAYS) or least <= cell <= ALWAYS - least for cell in drawn)
    floor = error_rate.header_floor_cb()
    assert error_rate.header_threshold(floor - 1) == ALWAYS
    assert error_rate.header_threshold(floor) < ALWAYS


@given(st.integers(0, 3), st.integers(1, 254), st.integers(-2000, 2000))
def test_more_signal_or_fewer_octets_never_hurt(modulation, octets, snr_cb):
    here = error_rate.threshold(modulation, octets, snr_cb)
    assert error_rate.threshold(modulation, octets, snr_cb + 1) <= here
    assert 0 <= here <= ALWAYS


@pytest.mark.parametrize(("modulation", "octets"), [(4, 60), (-1, 60), (0, 0), (0, 256), (0, -4)])
def test_what_has_no_curve_is_refused(modulation, octets):
    with pytest.raises(UsageError):
        error_rate.threshold(modulation, octets, 0)
