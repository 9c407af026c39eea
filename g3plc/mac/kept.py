"""What of the MAC outlives a reboot: sequence numbers, the frame counter, the PIB's counters.

IEEE 802.15.4-2006 7.4.2 (macDSN, macBSN start at random), G.9903 9.3. The host stores `as_dict()` and hands it to the
station's next life; how far the numbers are advanced after an unclean stop is the host's choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from g3plc.core.env import Rng
from g3plc.mac.constants import COUNTER_NAMES, RX_BROADCAST, RX_DATA


class Kept:
    """`dsn` and `bsn` are the last ones used; `counters` is indexed by `constants.TX_DATA` and the rest.

    `broadcasts`: data frames for all that came in since `book`, for what comes most often is counted once.
    """

    __slots__ = ("broadcasts", "bsn", "commands", "counters", "dsn", "frame_counter")

    def __init__(self, rng: Rng, kept: Mapping[str, Any] | None) -> None:
        known = kept or {}
        dsn, bsn = rng.below(256), rng.below(256)
        self.dsn: int = int(known.get("dsn", dsn)) & 0xFF
        self.bsn: int = int(known.get("bsn", bsn)) & 0xFF
        self.frame_counter: int = int(known.get("frame_counter", 0)) & 0xFFFFFFFF
        self.commands: int = int(known.get("commands", 0)) & 0xFFFFFFFF
        counts = known.get("counters", {})
        self.counters: list[int] = [int(counts.get(name, 0)) for name in COUNTER_NAMES]
        self.broadcasts = 0

    def next_dsn(self) -> int:
        """Count up and return the sequence number of a new data or command frame."""
        self.dsn = dsn = (self.dsn + 1) & 0xFF
        return dsn

    def book(self) -> list[int]:
        """The counters, with all that was counted."""
        self.counters[RX_DATA] += self.broadcasts
        self.counters[RX_BROADCAST] += self.broadcasts
        self.broadcasts = 0
        return self.counters

    def as_dict(self) -> dict[str, Any]:
        """Integers under plain names, fit for JSON."""
        return {
            "dsn": self.dsn,
            "bsn": self.bsn,
            "frame_counter": self.frame_counter,
            "commands": self.commands,
            "counters": dict(zip(COUNTER_NAMES, self.book(), strict=True)),
        }
