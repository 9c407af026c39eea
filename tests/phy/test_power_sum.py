from math import log10

from hypothesis import given
from hypothesis import strategies as st

from g3plc.phy.power_sum import add

LEVELS = st.integers(-20_000, 20_000)


def test_equal_powers_gain_three_decibel():
    assert add(6000, 6000) == 6301


def test_a_weak_power_adds_nothing():
    assert add(6000, 3000) == 6000
    assert add(-100_000, 6000) == 6000


@given(LEVELS, LEVELS)
def test_sum_follows_the_formula(a, b):
    found = add(a, b)
    assert found == add(b, a) >= max(a, b)
    high, low = max(a, b), min(a, b)
    assert abs(found - high - 1000 * log10(1 + 10 ** ((low - high) / 1000))) <= 0.51
