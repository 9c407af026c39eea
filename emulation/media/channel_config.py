"""What an operator may set of the channel: the `[channel]` table of a scenario, key by key.

All values are integers; `_cb` is 1/100 dB. The defaults are calibrated on the board's feeder (docs/channel.md), not
measured. `Channel` reads this, the scenario loader fills it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from g3plc.core.errors import UsageError


def _key(default: int, low: int, high: int, unit: str, doc: str) -> int:
    key: int = field(default=default, metadata={"low": low, "high": high, "unit": unit, "doc": doc})
    return key


@dataclass(slots=True)
class ChannelConfig:
    """The channel's constants. `keys()` lists them with range, unit and meaning."""

    difficulty: int = _key(100, 10, 1000, "percent", "scales the loss of cables and taps")
    tx_level_cb: int = _key(12_000, 6_000, 14_000, "1/100 dBuV", "transmit level, total RMS at the mains terminals")
    coupling_cb: int = _key(800, 0, 6_000, "1/100 dB", "loss of both couplings, paid once by every path")
    underground_cb_km: int = _key(9_000, 0, 100_000, "1/100 dB/km", "loss of underground cable, its loads included")
    overhead_cb_km: int = _key(7_000, 0, 100_000, "1/100 dB/km", "loss of overhead line, its loads included")
    service_cb_km: int = _key(9_000, 0, 100_000, "1/100 dB/km", "loss of a house's service cable")
    tap_cb: int = _key(300, 0, 4_000, "1/100 dB", "loss for each branch that hangs on the way between two stations")
    phase_cb: int = _key(600, 0, 4_000, "1/100 dB", "loss between stations on different phases")
    shadow_cb: int = _key(400, 0, 2_000, "1/100 dB", "standard deviation of a pair's shadow, alike both ways")
    asymmetry_cb: int = _key(100, 0, 2_000, "1/100 dB", "standard deviation of a further shadow of each direction")
    noise_cb: int = _key(6_600, 0, 14_000, "1/100 dBuV", "noise at a receiver at the quietest hour, mean")
    noise_spread_cb: int = _key(400, 0, 2_000, "1/100 dB", "standard deviation of the meters' noise")
    coordinator_noise_cb: int = _key(0, -4_000, 4_000, "1/100 dB", "the coordinator's noise over the mean")
    drift_cb: int = _key(200, 0, 2_000, "1/100 dB", "rise of the noise from the quietest hour to the evening's peak")
    walk_cb: int = _key(40, 0, 1_000, "1/100 dB", "standard deviation of a receiver's own slow change")
    tilt: int = _key(15, 0, 100, "percent", "loss of the highest tone-map group over the lowest, of cable and taps")
    ripple_cb: int = _key(150, 0, 1_000, "1/100 dB", "standard deviation of a tone-map group around the tilt")

    def __post_init__(self) -> None:
        """UsageError: a value out of its range."""
        for key in fields(self):
            _check(key.name, getattr(self, key.name), key.metadata)

    @classmethod
    def of(cls, table: Mapping[str, object]) -> ChannelConfig:
        """From a scenario's table; what it does not name keeps its default.

        UsageError, naming the key and what is allowed: unknown key, not an integer, out of range.
        """
        known = {key.name: key for key in fields(cls)}
        values: dict[str, int] = {}
        for name, value in table.items():
            if name not in known:
                raise UsageError(f"{name}: unknown key of [channel] (allowed: {', '.join(known)})")
            values[name] = _check(name, value, known[name].metadata)
        return cls(**values)

    @classmethod
    def keys(cls) -> list[tuple[str, int, int, int, str, str]]:
        """All keys as (name, default, least, greatest, unit, meaning), for documents and help texts."""
        plain = cls()
        return [
            (key.name, getattr(plain, key.name), data["low"], data["high"], data["unit"], data["doc"])
            for key in fields(cls)
            for data in (key.metadata,)
        ]


def _check(name: str, value: object, data: Mapping[str, Any]) -> int:
    low, high = data["low"], data["high"]
    if type(value) is not int or not low <= value <= high:
        raise UsageError(f"{name}: {value!r} is not an integer within {low}..{high} ({data['unit']})")
    return value
