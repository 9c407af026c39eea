from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.clocks import SimClock
from nodes.load_profile import WATT_HOUR_PJ, LoadProfile
from nodes.load_shapes import HALF_HOURS, KINDS, SEASONS
from nodes.supply import Supply

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NOW_US = 1_768_521_600_000_000


def test_tables_have_their_sizes():
    for kind in KINDS:
        assert (len(kind.working_day), len(kind.weekend), len(kind.seasons)) == (HALF_HOURS, HALF_HOURS, SEASONS)
        assert min(*kind.working_day, *kind.weekend) >= 60


@given(st.integers(0, 60), st.integers(-(10**15), 3 * 10**15), st.integers(0, 10**13), st.integers(0, 10**13))
def test_energy_rises_and_adds_up(number, start_us, first_us, second_us):
    profile = LoadProfile(3, number)
    a, b, c = (profile.energy_pj(start_us + us) for us in (0, first_us, first_us + second_us))
    assert a <= b <= c
    # at least 20 W at any time, never more than 9 kW
    assert (c - b) // 1_000_000 in range(20 * second_us, 9000 * second_us + 1)


def test_energy_is_the_integral_of_the_power():
    profile = LoadProfile(3, 17)
    step_us = 15_000_000
    for start_us in (NOW_US, NOW_US + 200 * DAY_US, NOW_US - 31 * DAY_US - 12345678):
        steps = range(DAY_US // step_us)
        total = sum(profile.power_w(start_us + n * step_us + step_us // 2) for n in steps) * step_us * 1_000_000
        exact = profile.energy_pj(start_us + DAY_US) - profile.energy_pj(start_us)
        # power is cut to whole watts, energy is not
        assert 0 <= exact - total <= DAY_US * 1_000_000 + 40 * step_us * 2_000_000_000


@pytest.mark.parametrize("number", range(1, 49))
def test_a_day_is_that_of_a_household(number):
    profile = LoadProfile(5, number)
    for start_us in (NOW_US, NOW_US + 180 * DAY_US):
        day_wh = (profile.energy_pj(start_us + DAY_US) - profile.energy_pj(start_us)) // WATT_HOUR_PJ
        assert 2000 <= day_wh <= 70_000


def test_households_differ_and_are_drawn_from_seed_and_number():
    assert len({LoadProfile(5, n).energy_pj(NOW_US) for n in range(48)}) == 48
    assert {LoadProfile(5, n).kind for n in range(48)} == {kind.name for kind in KINDS}
    assert LoadProfile(5, 3).energy_pj(NOW_US) == LoadProfile(5, 3).energy_pj(NOW_US)
    assert LoadProfile(5, 3).energy_pj(NOW_US) != LoadProfile(6, 3).energy_pj(NOW_US)


def test_register_looks_like_a_meter_of_some_years():
    clock = SimClock(10**12)
    for number in range(1, 49):
        supply = Supply(clock, NOW_US, 5, number)
        assert 1_000_000 < supply.energy_wh < 90_000_000


def test_voltage_stays_near_nominal_and_moves():
    clock = SimClock(10**12)
    supplies = [Supply(clock, NOW_US, 5, number, number % 3 + 1) for number in range(1, 49)]
    seen = set()
    for _ in range(24):
        clock.run_until(clock.now + HOUR_US)
        seen.update(supply.voltage for supply in supplies)
    assert 2150 < min(seen) < max(seen) < 2350
    assert len(seen) > 30


def test_register_golden():
    supply = Supply(SimClock(10**12), NOW_US, 5, 17)
    assert (supply.energy_pj, supply.power_w, supply.voltage, supply.current) == (
        100640152165552 * 10**9,
        250,
        2269,
        110,
    )
