"""The MAC's memory of its neighbours: neighbour table, POS table and, with the latter, the frame each sent last.

G.9903 9.3 (macNeighbourTable, macPOSTable, macDuplicateDetectionTTL). Entries age by comparison with the clock when
they are looked at: there are no timers. Each table is bounded and throws out its oldest entry.
"""

from __future__ import annotations

from typing import NamedTuple

MINUTE_US = 60_000_000


class NeighbourRow(NamedTuple):
    """A row of macNeighbourTable as the PIB shows it; `tmr_valid_time` in minutes, begun ones counted."""

    short_address: int
    tone_map: int
    modulation: int
    tx_gain: int
    tx_res: int
    tx_coef: bytes
    modulation_scheme: int
    reverse_lqi: int
    tmr_valid_time: int


class PosRow(NamedTuple):
    """A row of macPOSTable as the PIB shows it; `valid_time` in minutes, begun ones counted."""

    short_address: int
    forward_lqi: int
    valid_time: int


class NeighbourEntry:
    """How a neighbour asked to be sent to, in its last tone-map response. `valid_until` in microseconds."""

    __slots__ = (
        "modulation", "reverse_lqi", "scheme", "short", "tone_map", "tx_coef", "tx_gain", "tx_res", "valid_until",
    )  # fmt: skip

    def __init__(
        self,
        short: int,
        modulation: int,
        tone_map: int,
        reverse_lqi: int,
        valid_until: int,
        tx_gain: int = 0,
        tx_res: int = 0,
        tx_coef: bytes = bytes(6),
        scheme: int = 0,
    ) -> None:
        self.short = short
        self.modulation = modulation
        self.tone_map = tone_map
        self.reverse_lqi = reverse_lqi
        self.valid_until = valid_until
        self.tx_gain = tx_gain
        self.tx_res = tx_res
        self.tx_coef = tx_coef
        self.scheme = scheme


class NeighbourTable:
    """Neighbours with a tone-map response, by short address. `entries` is open to be read."""

    __slots__ = ("_limit", "entries")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.entries: dict[int, NeighbourEntry] = {}

    def valid(self, short: int, now: int) -> NeighbourEntry | None:
        """The entry of `short` if its tone-map response is still good."""
        entry = self.entries.get(short)
        return entry if entry is not None and now < entry.valid_until else None

    def put(self, entry: NeighbourEntry) -> None:
        """Enter or replace."""
        entries = self.entries
        if entry.short not in entries and len(entries) >= self._limit:
            del entries[min(entries.values(), key=lambda known: known.valid_until).short]
        entries[entry.short] = entry

    def forget(self, short: int) -> None:
        """Drop the entry of `short`, if there is one."""
        self.entries.pop(short, None)

    def rows(self, now: int) -> list[NeighbourRow]:
        """The valid entries by short address."""
        return [
            NeighbourRow(
                entry.short, entry.tone_map, entry.modulation, entry.tx_gain, entry.tx_res, entry.tx_coef,
                entry.scheme, entry.reverse_lqi, -(-(entry.valid_until - now) // MINUTE_US),
            )
            for _, entry in sorted(self.entries.items())
            if now < entry.valid_until
        ]  # fmt: skip


class PosEntry:
    """A neighbour heard at `heard` (microseconds) with `lqi`; answer no tone-map request before `tmr_after`.

    `dsn`: of its frame delivered last. One is enough to tell duplicates: a station has one frame in hand and repeats it
    with its number before it begins the next.
    """

    __slots__ = ("dsn", "heard", "lqi", "tmr_after")

    def __init__(self) -> None:
        self.heard = 0
        self.lqi = 0
        self.tmr_after = 0
        self.dsn = -1


class PosTable:
    """Every neighbour that was heard, by short address. `entries` is open to the fast path of `receive`."""

    __slots__ = ("_limit", "entries")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.entries: dict[int, PosEntry] = {}

    def heard(self, short: int, lqi: int, now: int) -> PosEntry:
        """Note a frame from `short`."""
        entry = self.entries.get(short) or self.enter(short)
        entry.heard = now
        entry.lqi = lqi
        return entry

    def enter(self, short: int) -> PosEntry:
        """Make an entry for a neighbour that has none."""
        entries = self.entries
        if len(entries) >= self._limit:
            del entries[min(entries.items(), key=lambda item: item[1].heard)[0]]
        entry = entries[short] = PosEntry()
        return entry

    def answer_again(self, short: int) -> None:
        """The last tone-map response to `short` did not arrive: its next request may be answered at once."""
        entry = self.entries.get(short)
        if entry is not None:
            entry.tmr_after = 0

    def rows(self, now: int, ttl_us: int) -> list[PosRow]:
        """The entries heard less than `ttl_us` ago, by short address."""
        return [
            PosRow(short, entry.lqi, -(-(entry.heard + ttl_us - now) // MINUTE_US))
            for short, entry in sorted(self.entries.items())
            if now < entry.heard + ttl_us
        ]
