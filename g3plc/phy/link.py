"""What one receiver gets of one sender: level, noise, and the error rates that follow.

A link is directed and belongs to one stretch of time in which neither noise nor faults change; the medium makes a
new one when they do. Levels in 1/100 dBuV, SNR in 1/100 dB, error rates as thresholds for 32-bit draws.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from g3plc.core.ofdm import FULL_TONE_MAP, ROBO, lqi_of, max_psdu
from g3plc.phy import error_rate

CERTAIN = 1 << 32
"""Threshold above every draw: the frame is lost without drawing."""

_CERTAIN_ROBO_CB = bisect_left(
    range(6000), True, key=lambda snr_cb: not error_rate.threshold(ROBO, max_psdu(ROBO, FULL_TONE_MAP), snr_cb)
)
"""The least SNR at which not even the longest frame in ROBO is lost to noise."""

_MASK = 0xFFFFFFFFFFFFFFFF
_PAYLOAD_SALT = 0x9E3779B97F4A7C15
_LOSS_SALT = 0xC2B2AE3D27D4EB4F


def draw(key: int, salt: int) -> int:
    """32 random bits for one transmission (its 64-bit key, well mixed), one receiver and one purpose (an odd salt).

    The middle bits of a 64-bit product: as good as the key, and the same whoever asks in whatever order.
    """
    return key * salt >> 32 & 0xFFFFFFFF


Salts = tuple[int, int, int]
"""Odd, of 64 bits: for headers, payloads and losses to faults."""


def salts_of(word: int) -> Salts:
    """The salts of a receiver from 64 bits of its own."""
    return word | 1, word * _PAYLOAD_SALT & _MASK | 1, word * _LOSS_SALT & _MASK | 1


class Link:
    """From station `src` to station `dst`.

    `offsets_of(src, dst)`: how far the SNR of each of the six tone-map groups lies from the mean; asked when it is
    needed. `down`: a fault makes the pair unable to decode each other. `loss`: threshold of frames lost to a fault,
    0 none. `salts`: the receiver's own, for its draws (`salts_of`).
    `clear`: no frame in ROBO is lost, neither to noise nor to a fault.
    """

    __slots__ = (
        "_payload", "clear", "down", "dst", "header_salt", "header_threshold", "level_cb", "loss",
        "loss_salt", "lqi", "noise_cb", "offsets_of", "payload_salt", "snr_cb", "src",
    )  # fmt: skip

    def __init__(
        self,
        src: int,
        dst: int,
        level_cb: int,
        noise_cb: int,
        offsets_of: Callable[[int, int], Sequence[int]],
        down: bool = False,
        loss: int = 0,
        salts: Salts = (1, 1, 1),
    ) -> None:
        self.src = src
        self.dst = dst
        self.level_cb = level_cb
        self.noise_cb = noise_cb
        self.snr_cb = snr = level_cb - noise_cb
        self.offsets_of = offsets_of
        self.lqi = lqi_of(snr)
        self.down = down
        self.loss = loss
        self.header_threshold = CERTAIN if down else error_rate.header_threshold(snr)
        self.header_salt, self.payload_salt, self.loss_salt = salts
        self.clear = snr >= _CERTAIN_ROBO_CB and not self.header_threshold and not loss
        self._payload: dict[int, int] | None = None

    def lost(self, key: int) -> bool:
        """Whether a fault takes the frame with this key."""
        return bool(self.loss) and draw(key, self.loss_salt) < self.loss

    def payload_threshold(self, modulation: int, tone_map: int, octets: int) -> int:
        """A draw below it loses the payload of a frame of `octets` (PSDU)."""
        key = octets << 8 | modulation << 6 | tone_map
        known = self._payload
        if known is None:
            known = self._payload = {}
        threshold = known.get(key)
        if threshold is None:
            threshold = known[key] = self.payload_threshold_at(modulation, tone_map, octets, 0)
        return threshold

    def payload_threshold_at(self, modulation: int, tone_map: int, octets: int, rise_cb: int) -> int:
        """The same with the noise floor raised by `rise_cb`."""
        snr = self.snr_cb if tone_map == FULL_TONE_MAP else self._mean_snr_cb(tone_map)
        return error_rate.threshold(modulation, octets, snr - rise_cb)

    def _mean_snr_cb(self, tone_map: int) -> int:
        """Mean over the groups in use, in whole 1/100 dB."""
        groups = [snr_cb for group, snr_cb in enumerate(self.groups_cb) if tone_map >> group & 1]
        return sum(groups) // len(groups)

    @property
    def groups_cb(self) -> list[int]:
        """The SNR of each of the six tone-map groups in 1/100 dB, lowest carriers first."""
        snr = self.snr_cb
        return [snr + offset for offset in self.offsets_of(self.src, self.dst)]
