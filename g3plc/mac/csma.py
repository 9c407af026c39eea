"""Channel access: CSMA/CA with two priorities and an adaptive contention window (G.9903 Annex C).

After each transmission comes the contention period: slot 0 for follow-up segments, the high-priority window, the
normal window. `contention_at` says when it starts, which is all of the virtual carrier sense; the layer sets it at the
end of each transmission in earshot, and `transmit` asks here for the slot of its frame and reports what it found there.
"""

from __future__ import annotations

from g3plc.core.env import Rng
from g3plc.core.ofdm import SLOT_US
from g3plc.mac.config import MacConfig
from g3plc.mac.constants import IDLE_SPACING_US

_LONG_AGO_US = 1 << 50


class ChannelAccess:
    """State of one station. `cw` (slots) and `min_cw_count` live on from frame to frame, `nb` and `nbf` do not.

    `contention_at`: start of the contention period, in microseconds. `follow_up_until`: until then, whoever is on the
    channel is sending a follow-up segment. `answer_until`: end of our own last ACK or NACK.
    """

    __slots__ = (
        "_config", "_rng", "answer_until", "contention_at", "cw", "follow_up_until", "min_cw_count", "nb", "nbf",
    )  # fmt: skip

    def __init__(self, config: MacConfig, rng: Rng, now: int) -> None:
        self._config = config
        self._rng = rng
        self.contention_at = self.follow_up_until = self.answer_until = now - _LONG_AGO_US
        self.cw = 1 << config.mac_min_be
        self.min_cw_count = 0
        self.nb = 0
        self.nbf = 0

    def start(self) -> None:
        """A new channel access procedure begins."""
        self.nb = 0
        self.nbf = 0

    def draw(self, now: int, high_priority: bool, broadcast: bool) -> int:
        """The time of the slot drawn for a frame, in microseconds."""
        config = self._config
        base = self._base(now)
        window = config.mac_high_priority_window_size
        if high_priority:
            return base + (1 + self._rng.below(window)) * SLOT_US
        if self.cw == 1 << config.mac_min_be:
            self.min_cw_count += 1
            self.nbf = 0
        else:
            self.min_cw_count = 0
        if self.min_cw_count > config.mac_min_cw_attempts:
            self.cw = 1 << config.mac_max_be
        slots = 1 << config.mac_max_be if broadcast and config.mac_broadcast_max_cw_enable else self.cw
        return base + (1 + window + self._rng.below(slots)) * SLOT_US

    def _base(self, now: int) -> int:
        """Slot 0: of the period to come, of the grid of the running one, or a fresh one on an idle channel."""
        elapsed = now - self.contention_at
        if elapsed <= 0:
            return self.contention_at
        config = self._config
        if elapsed < (1 + config.mac_high_priority_window_size + (1 << config.mac_max_be)) * SLOT_US:
            return now + -elapsed % SLOT_US
        return now + IDLE_SPACING_US

    def defer(self, now: int) -> bool:
        """The slot was busy. True: often enough to give the frame up."""
        if now < self.follow_up_until:
            return False
        config = self._config
        self.nb += 1
        self.nbf += 1
        if self.nbf >= config.mac_csma_fairness_limit and self.nbf % config.mac_k == 0:
            self._narrow()
        else:
            wider, most = 2 * self.cw, 1 << config.mac_max_be
            self.cw = wider if wider < most else most
        return self.nb >= config.mac_max_csma_backoffs

    def won(self) -> None:
        """The slot was free and is taken."""
        self._narrow()

    def _narrow(self) -> None:
        least = 1 << self._config.mac_min_be
        narrower = self.cw - self._config.mac_a * least
        self.cw = narrower if narrower > least else least
