"""What a meter measures: mains voltage, the household's current and power, the energy register, the breaker.

Integers only. The register counts the load profile while the breaker is closed and the meter is switched on.
Neighbours: `load_profile` behind it, `meter_objects` shows it as COSEM objects, `voltage_watch` looks at the voltage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulation.randomness import mix
from g3plc.core.env import Clock
from nodes.load_profile import WATT_HOUR_PJ, LoadProfile

_OFFSET: Final = 16  # what an addressed draw is for
_INSTALLED: Final = 17
_DAY_S: Final = 86_400
_HOUR_US: Final = 3_600_000_000

# Drop of the feeder by hour of the day, in 0.1 V: everybody cooks at the same time.
_FEEDER_DROP: Final = (14, 11, 9, 8, 8, 9, 14, 22, 24, 21, 20, 22, 27, 24, 20, 19, 21, 28, 38, 44, 40, 33, 25, 18)
_PHASE_OFFSET: Final = (0, 6, -5)
_SERVICE_DROP_PER_KW: Final = 8

_PHASES: Final = 3
_MAX_KEPT_PJ: Final = (1 << 32) * WATT_HOUR_PJ


class Supply:
    """One metering point, single-phase.

    `civil_origin_us` is civil time (microseconds since 1970) at emulated time 0; `phase` 1 to 3; `nominal` in 0.1 V.
    """

    __slots__ = (
        "_clock", "_counted_pj", "_mark_us", "_nominal", "_offset", "_origin_us", "_profile", "_sag", "connected",
    )  # fmt: skip

    def __init__(
        self, clock: Clock, civil_origin_us: int, seed: int, number: int, phase: int = 1, nominal: int = 2300
    ) -> None:
        self._clock = clock
        self._origin_us = civil_origin_us
        self._profile = LoadProfile(seed, number)
        self._nominal = nominal
        self._offset = _PHASE_OFFSET[(phase - 1) % _PHASES] + mix(seed, number, _OFFSET) % 25 - 12
        self._sag: int | None = None
        self.connected = True
        age_s = (700 + mix(seed, number, _INSTALLED) % 1900) * _DAY_S + mix(seed, number, _INSTALLED, 1) % _DAY_S
        now_us = self.civil_us
        self._mark_us = now_us
        self._counted_pj = self._profile.energy_pj(now_us) - self._profile.energy_pj(
            civil_origin_us - age_s * 1_000_000
        )

    @property
    def civil_us(self) -> int:
        """True civil time, microseconds since 1970."""
        return self._origin_us + self._clock.now

    @property
    def energy_pj(self) -> int:
        """Energy counted since the meter was installed, in picojoules."""
        if not self.connected:
            return self._counted_pj
        profile = self._profile
        return self._counted_pj + profile.energy_pj(self.civil_us) - profile.energy_pj(self._mark_us)

    @property
    def energy_wh(self) -> int:
        """The register as it shows: whole watt-hours, 32 bits, then from 0 again."""
        return self.energy_pj // WATT_HOUR_PJ & 0xFFFFFFFF

    @property
    def power_w(self) -> int:
        """Active power now, in watts."""
        return self._profile.power_w(self.civil_us) if self.connected else 0

    @property
    def voltage(self) -> int:
        """Voltage now, in 0.1 V."""
        if self._sag is not None:
            return self._sag
        hour, rest_us = divmod(self.civil_us, _HOUR_US)
        here = _FEEDER_DROP[hour % 24]
        there = _FEEDER_DROP[(hour + 1) % 24]
        drop = (here * (_HOUR_US - rest_us) + there * rest_us) // _HOUR_US
        return self._nominal + self._offset - drop - self.power_w * _SERVICE_DROP_PER_KW // 1000

    @property
    def current(self) -> int:
        """Current now, in 0.01 A, at a power factor of one."""
        volts = self.voltage
        return self.power_w * 1000 // volts if volts > 0 else 0

    def set_sag(self, volts_tenths: int | None) -> None:
        """Hold the mains voltage at this many 0.1 V (0 and more), or let it go again."""
        self._sag = None if volts_tenths is None else max(0, min(volts_tenths, 0xFFFF))

    def switch(self, connected: bool) -> None:
        """Open or close the breaker; the register stands still while it is open."""
        self._counted_pj = self.energy_pj
        self._mark_us = self.civil_us
        self.connected = connected

    def keep(self) -> dict[str, int]:
        """What survives a reboot."""
        return {"energy_pj": self.energy_pj, "connected": int(self.connected)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from `keep`; what is missing or impossible in it is left as it was."""
        energy = kept.get("energy_pj")
        if isinstance(energy, int) and 0 <= energy < _MAX_KEPT_PJ:
            self._counted_pj = energy
            self._mark_us = self.civil_us
        if kept.get("connected") in (0, 1):
            self.connected = bool(kept["connected"])
