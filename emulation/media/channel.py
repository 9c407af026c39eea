"""The channel: attenuation between any two stations and noise at each, as pure functions of (feeder, seed, config).

After loading everything is integer arithmetic in 1/100 dB, and every random part is addressed (by pair, receiver,
hour), so that any process works out any link for itself and agrees with all others. The model and its calibration
are described in docs/channel.md. `cable_tree.py` gives the loss of cable and taps; faults other than cut cables are
laid over it by the medium. Error rates are in `g3plc.phy.error_rate`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from emulation.grid.feeder import Feeder
from emulation.media.cable_tree import CableTree
from emulation.media.channel_config import ChannelConfig
from emulation.randomness import mix, mix64, mix_on
from g3plc.core.ofdm import GROUPS
from g3plc.phy.error_rate import header_floor_cb

BUCKET_US = 900_000_000
"""Noise is constant for a quarter of an hour of civil time."""
BUCKETS_PER_HOUR = 4

_SHADOW, _ASYMMETRY, _NOISE, _WALK, _RIPPLE = range(1, 6)

# Percent of `drift_cb` at each full hour, linear between: quiet at night, a bump in the morning, worst at 20 h.
_DAY = (20, 8, 2, 0, 0, 5, 20, 40, 45, 38, 32, 32, 38, 35, 30, 30, 38, 55, 80, 97, 100, 90, 65, 40)

# The sum of eight uniform octets is close to normal: mean 1020, standard deviation 209; cut at 2.5 of them.
_OCTETS_MEAN = 1020
_SIGMA = 209
_MOST = _SIGMA * 5 // 2

# Tone-map patterns: loss in steps of 4 dB up to 124 dB, times ripples.
_TILTS = 32
_TILT_STEP_CB = 400
_RIPPLES = 64

Offsets = tuple[int, int, int, int, int, int]
Hearers = tuple["array[int]", "array[int]"]
"""Stations by number, and the level at each. Arrays: they stay for the whole run, for every sender."""


class AttenuationParts:
    """Where the loss from `src` to `dst` comes from, in 1/100 dB; `cut`: a cut cable lies between, nothing arrives."""

    __slots__ = (
        "asymmetry_cb",
        "cable_cb",
        "coupling_cb",
        "cut",
        "distance_mm",
        "level_cb",
        "phase_cb",
        "shadow_cb",
        "tap_cb",
        "taps",
        "total_cb",
    )

    def __init__(
        self, distance_mm: int, cable_cb: int, taps: int, tap_cb: int, phase_cb: int, coupling_cb: int, shadow_cb: int,
        asymmetry_cb: int, tx_level_cb: int, cut: bool,
    ) -> None:  # fmt: skip
        self.distance_mm = distance_mm
        self.cable_cb = cable_cb
        self.taps = taps
        self.tap_cb = tap_cb
        self.phase_cb = phase_cb
        self.coupling_cb = coupling_cb
        self.shadow_cb = shadow_cb
        self.asymmetry_cb = asymmetry_cb
        self.total_cb = cable_cb + tap_cb + phase_cb + coupling_cb + shadow_cb + asymmetry_cb
        self.level_cb = tx_level_cb - self.total_cb
        self.cut = cut


class Channel:
    """Levels, noise and tone-map groups for the stations of `feeder`.

    `epoch_us` is civil time (microseconds since any midnight) at emulated time 0; it sets the hour of the noise.
    """

    __slots__ = (
        "_budget_cb",
        "_config",
        "_feeder",
        "_hearers",
        "_keys",
        "_least_level",
        "_noise",
        "_noise_base",
        "_noise_bucket",
        "_offsets",
        "_ripples",
        "_tree",
        "epoch_us",
    )

    def __init__(self, feeder: Feeder, seed: int, config: ChannelConfig | None = None, epoch_us: int = 0) -> None:
        self._config = config = config or ChannelConfig()
        self._feeder = feeder
        self.epoch_us = epoch_us
        self._keys = {purpose: mix(seed, purpose) for purpose in (_SHADOW, _ASYMMETRY, _NOISE, _WALK, _RIPPLE)}
        self._tree = CableTree(feeder, config)
        stations = range(len(feeder.stations))
        self._noise_base = [self._base_noise_cb(station) for station in stations]
        self._noise = list(self._noise_base)
        self._noise_bucket = [-1 << 63 for _ in stations]
        least = header_floor_cb() - _most_cb(config.walk_cb)
        self._least_level = [base + least for base in self._noise_base]
        self._budget_cb = (
            config.tx_level_cb - config.coupling_cb + _most_cb(config.shadow_cb) + _most_cb(config.asymmetry_cb)
        ) - min(self._least_level)
        self._hearers: dict[int, Hearers] = {}
        self._offsets: dict[int, Offsets] = {}
        self._ripples: dict[int, list[int]] = {}

    # -- levels

    def earshot(self, src: int) -> tuple[int, ...]:
        """The stations that can hear `src`, by number: at the least noise their header error rate is under 1 - 1e-6.

        It counts cut cables, so ask again after `set_cuts`.
        """
        return tuple(self._hearers_of(src)[0])

    def levels_cb(self, src: int) -> Iterator[tuple[int, int]]:
        """The stations in earshot, each with the level of `src` there in 1/100 dBuV."""
        return zip(*self._hearers_of(src), strict=True)

    def level_cb(self, src: int, dst: int) -> int | None:
        """The level of `src` at `dst` in 1/100 dBuV; None if `dst` is not in its earshot and never will be."""
        stations, levels = self._hearers_of(src)
        at = bisect_left(stations, dst)
        return levels[at] if at < len(stations) and stations[at] == dst else None

    def set_cuts(self, leds: Iterable[int]) -> None:
        """Cut the cable between each of these LEDs and its parent LED, mend all others."""
        if self._tree.set_cuts(leds):
            self._hearers.clear()

    def _hearers_of(self, src: int) -> Hearers:
        return self._hearers.get(src) or self._make_hearers(src)

    def _make_hearers(self, src: int) -> Hearers:
        config, phases, least = self._config, self._feeder.phases, self._least_level
        top_cb = config.tx_level_cb - config.coupling_cb
        own_phase = phases[src]
        stations, levels = array("i"), array("i")
        for dst, loss_cb in sorted(self._tree.within(src, self._budget_cb)):
            level = top_cb - loss_cb
            if own_phase and phases[dst] and own_phase != phases[dst]:
                level -= config.phase_cb
            level -= self._shadow_cb(src, dst) + self._asymmetry_cb(src, dst)
            if level >= least[dst]:
                stations.append(dst)
                levels.append(level)
        self._hearers[src] = stations, levels
        return stations, levels

    def _shadow_cb(self, src: int, dst: int) -> int:
        pair = src << 24 | dst if src < dst else dst << 24 | src
        return _normal_cb(mix64(self._keys[_SHADOW] ^ pair), self._config.shadow_cb)

    def _asymmetry_cb(self, src: int, dst: int) -> int:
        return _normal_cb(mix64(self._keys[_ASYMMETRY] ^ (src << 24 | dst)), self._config.asymmetry_cb)

    def attenuation_parts(self, src: int, dst: int) -> AttenuationParts:
        """What the path from `src` to another station `dst` loses where, also beyond earshot. For people."""
        config, feeder = self._config, self._feeder
        cable_cb, taps, tap_cb, cut = self._tree.between(src, dst)
        phases = {feeder.phases[src], feeder.phases[dst]}
        return AttenuationParts(
            feeder.distance_mm(feeder.stations[src], feeder.stations[dst]),
            cable_cb,
            taps,
            tap_cb,
            config.phase_cb if len(phases) > 1 and 0 not in phases else 0,
            config.coupling_cb,
            self._shadow_cb(src, dst),
            self._asymmetry_cb(src, dst),
            config.tx_level_cb,
            cut,
        )

    # -- noise

    def bucket(self, now_us: int) -> int:
        """Number of the quarter of an hour of civil time; noise changes with it only."""
        return (now_us + self.epoch_us) // BUCKET_US

    def noise_cb(self, dst: int, now_us: int) -> int:
        """Noise at receiver `dst` in 1/100 dBuV."""
        bucket = (now_us + self.epoch_us) // BUCKET_US
        if self._noise_bucket[dst] != bucket:
            self._noise[dst] = self._noise_base[dst] + self._drift_cb(bucket) + self._walk_cb(dst, bucket)
            self._noise_bucket[dst] = bucket
        return self._noise[dst]

    def _base_noise_cb(self, station: int) -> int:
        config = self._config
        if station == 0:
            return config.noise_cb + config.coordinator_noise_cb
        return config.noise_cb + _normal_cb(mix64(self._keys[_NOISE] ^ station), config.noise_spread_cb)

    def _drift_cb(self, bucket: int) -> int:
        hour, quarter = divmod(bucket, BUCKETS_PER_HOUR)
        here, there = _DAY[hour % 24], _DAY[(hour + 1) % 24]
        share = here * (BUCKETS_PER_HOUR - quarter) + there * quarter
        return share * self._config.drift_cb // (100 * BUCKETS_PER_HOUR)

    def _walk_cb(self, dst: int, bucket: int) -> int:
        """A line between seeded points at the full hours: any hour is known without those before it."""
        hour, quarter = divmod(bucket, BUCKETS_PER_HOUR)
        here, there = (
            _normal_cb(mix(self._keys[_WALK], dst, at & 0xFFFFFFFF), self._config.walk_cb) for at in (hour, hour + 1)
        )
        return (here * (BUCKETS_PER_HOUR - quarter) + there * quarter) // BUCKETS_PER_HOUR

    # -- tone-map groups

    def group_offsets_cb(self, src: int, dst: int) -> Offsets:
        """SNR of the six tone-map groups over the mean, lowest carriers first, in 1/100 dB; their sum is 0.

        Higher groups lose more the more the path loses; a ripple of the pair's own, alike both ways, is added.
        """
        config = self._config
        level = self.level_cb(src, dst)
        loss_cb = config.tx_level_cb - config.coupling_cb - level if level is not None else 0
        steepness = min(max(loss_cb, 0) // _TILT_STEP_CB, _TILTS - 1)
        pair = src << 24 | dst if src < dst else dst << 24 | src
        pattern = mix64(self._keys[_RIPPLE] ^ pair) % _RIPPLES
        offsets = self._offsets.get(steepness * _RIPPLES + pattern)
        return self._make_offsets(steepness, pattern) if offsets is None else offsets

    def _make_offsets(self, steepness: int, pattern: int) -> Offsets:
        """One of a bounded palette, so that a thousand links share their tuples."""
        config = self._config
        tilt_cb = steepness * _TILT_STEP_CB * config.tilt // 100
        ripples = self._ripples.get(pattern)
        if ripples is None:
            key, sigma_cb = mix_on(mix(self._keys[_RIPPLE]), pattern), config.ripple_cb
            ripples = self._ripples[pattern] = [_normal_cb(mix_on(key, group), sigma_cb) for group in range(GROUPS)]
        raw = [
            tilt_cb * (GROUPS - 1 - 2 * group) // (2 * (GROUPS - 1)) + ripple_cb
            for group, ripple_cb in enumerate(ripples)
        ]
        mean, rest = divmod(sum(raw), GROUPS)
        a, b, c, d, e, f = (value - mean - (group < rest) for group, value in enumerate(raw))
        offsets = self._offsets[steepness * _RIPPLES + pattern] = (a, b, c, d, e, f)
        return offsets


def _most_cb(sigma_cb: int) -> int:
    return (2 * _MOST * sigma_cb + _SIGMA) // (2 * _SIGMA)


def _normal_cb(octets: int, sigma_cb: int) -> int:
    """A normal deviate of standard deviation `sigma_cb` from 64 random bits, cut at 2.5 standard deviations."""
    deviation = sum(octets.to_bytes(8, "big")) - _OCTETS_MEAN
    deviation = -_MOST if deviation < -_MOST else _MOST if deviation > _MOST else deviation
    return (2 * deviation * sigma_cb + _SIGMA) // (2 * _SIGMA)
