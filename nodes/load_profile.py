"""A household's load over time: power now, and the energy since an origin as an exact integer, in closed form.

Load is the seeded household's table (`load_shapes`) times a season and a day factor, scaled and shifted in time, plus a
refrigerator that runs a part of each period. Everything is constant between its steps, so that energy is a sum of
prefix sums: exact, monotonic, and as cheap after ten years as after one second. No float takes part.

Times are microseconds of civil (local) time since 1970; energies are picojoules (microwatt times microsecond), of which
`WATT_HOUR_PJ` make one watt-hour.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from typing import Final

from emulation.randomness import mix
from nodes.load_shapes import HALF_HOURS, KINDS, SEASONS, Kind

WATT_HOUR_PJ: Final = 3_600 * 10**12

_SLOT_US: Final = 1_800_000_000
_DAY_US: Final = HALF_HOURS * _SLOT_US
_CYCLE_DAYS: Final = 364
"""The year of the tables: 52 whole weeks, so that a weekday stays a weekday."""
_ORIGIN_US: Final = 978_307_200_000_000
"""Monday 2001-01-01, where day 0 of a cycle lies."""
_SATURDAY: Final = 5
_PERMILLE: Final = 1000

_KIND, _SCALE, _SHIFT, _FRIDGE, _DAY = range(5)  # what an addressed draw is for
_FRIDGE_PERIOD_US: Final = 2_700_000_000
_FRIDGE_ON_US: Final = 900_000_000
_UW: Final = 1_000_000


class _Calendar:
    """What all households of a kind share: factors by day of the cycle and prefix sums (W permille half-hours)."""

    __slots__ = ("cycle", "day_factors", "day_prefix", "shapes", "slot_prefix")

    def __init__(self, index: int, kind: Kind) -> None:
        self.shapes = tuple(kind.weekend if day >= _SATURDAY else kind.working_day for day in range(7))
        self.slot_prefix = tuple((0, *accumulate(shape)) for shape in self.shapes)
        self.day_factors = tuple(
            kind.seasons[min(day // 28, SEASONS - 1)] * (900 + mix(_DAY, index, day) % 201) // _PERMILLE
            for day in range(_CYCLE_DAYS)
        )
        days = (factor * self.slot_prefix[day % 7][HALF_HOURS] for day, factor in enumerate(self.day_factors))
        self.day_prefix = (0, *accumulate(days))
        self.cycle = self.day_prefix[_CYCLE_DAYS]


@cache
def _calendar(index: int) -> _Calendar:
    return _Calendar(index, KINDS[index])


class LoadProfile:
    """The load of one household, drawn from (seed, number): kind, size, habits."""

    __slots__ = ("_calendar", "_fridge_phase_us", "_fridge_w", "_scale", "_shift_us", "kind")

    def __init__(self, seed: int, number: int) -> None:
        index = mix(seed, number, _KIND) % len(KINDS)
        self.kind = KINDS[index].name
        self._calendar = _calendar(index)
        self._scale = 650 + mix(seed, number, _SCALE) % 901
        self._shift_us = (mix(seed, number, _SHIFT) % 7201 - 3600) * 1_000_000
        fridge = mix(seed, number, _FRIDGE)
        self._fridge_w = 70 + fridge % 81
        self._fridge_phase_us = (fridge >> 8) % _FRIDGE_PERIOD_US

    def power_w(self, civil_us: int) -> int:
        """The power drawn at this moment, in whole watts."""
        day, within = divmod(civil_us - self._shift_us - _ORIGIN_US, _DAY_US)
        calendar = self._calendar
        watts = calendar.shapes[day % 7][within // _SLOT_US] * calendar.day_factors[day % _CYCLE_DAYS]
        running = (civil_us + self._fridge_phase_us) % _FRIDGE_PERIOD_US < _FRIDGE_ON_US
        return watts * self._scale // _UW + (self._fridge_w if running else 0)

    def energy_pj(self, civil_us: int) -> int:
        """The energy drawn up to this moment since an origin of the profile's own: only differences have a meaning."""
        days, within = divmod(civil_us - self._shift_us - _ORIGIN_US, _DAY_US)
        cycles, day = divmod(days, _CYCLE_DAYS)
        slot, rest_us = divmod(within, _SLOT_US)
        calendar = self._calendar
        factor = calendar.day_factors[day]
        slots = cycles * calendar.cycle + calendar.day_prefix[day] + factor * calendar.slot_prefix[day % 7][slot]
        shaped = slots * _SLOT_US + factor * calendar.shapes[day % 7][slot] * rest_us
        return shaped * self._scale + self._fridge_pj(civil_us)

    def _fridge_pj(self, civil_us: int) -> int:
        periods, rest_us = divmod(civil_us + self._fridge_phase_us, _FRIDGE_PERIOD_US)
        return (periods * _FRIDGE_ON_US + min(rest_us, _FRIDGE_ON_US)) * self._fridge_w * _UW
