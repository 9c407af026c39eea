"""The composite cost of a link (G.9903 Annex B), in integers.

Directional cost Kr*Mr + Km*Mm + Kc*(unused tones) + Kq*(LQI between high and low), rounded to nearest with a half going
down; link cost = the worse direction + Krt*(fill of the routing table) + Kh. Neighbours: `rlc` supplies reverse costs.
"""

from __future__ import annotations

from collections.abc import Callable

from g3plc.core.ofdm import D8PSK, DBPSK, DQPSK, FULL_TONE_MAP, GROUPS, ROBO
from g3plc.loadng.config import LoadngConfig
from g3plc.loadng.constants import MAX_COST, MAX_LINK_COST
from g3plc.loadng.routing_table import RoutingTable
from g3plc.sap import Neighbour, RxInfo
from g3plc.wire.loadng_msg import METRIC_HOP_COUNT

_MODULATION_STEPS = {ROBO: 3, DBPSK: 3, DQPSK: 2, D8PSK: 1}
_CACHED = 2048
_KNOWN: dict[tuple[int, ...], dict[int, int]] = {}
"""Directional costs that were worked out, by weights: most stations of a process have the same."""


def round_half_down(numerator: int, denominator: int) -> int:
    """Return the integer nearest to a non-negative fraction; an exact half goes down."""
    return (2 * numerator + denominator - 1) // (2 * denominator)


def _known(config: LoadngConfig) -> dict[int, int]:
    weights = config.kr, config.km, config.kc, config.kq, config.low_lqi, config.high_lqi
    return _KNOWN.setdefault(weights, {})


class LinkCosts:
    """Costs of the links to this station's neighbours."""

    __slots__ = ("_cache", "_config", "_neighbour", "_table", "measured")

    def __init__(self, config: LoadngConfig, table: RoutingTable, neighbour: Callable[[int], Neighbour | None]) -> None:
        self._config = config
        self._table = table
        self._neighbour = neighbour
        self._cache = _known(config)
        self.measured: dict[int, int] = {}
        """Reverse costs that neighbours told (RLCREP)."""

    def reset(self) -> None:
        """Go by the weights that the configuration has now."""
        self._cache = _known(self._config)

    def directional(self, modulation: int, tone_map: int, lqi: int) -> int:
        """The cost of one direction, 0..255, from what its receiver saw."""
        key = (modulation << 6 | tone_map & 0x3F) << 8 | lqi
        cost = self._cache.get(key)
        if cost is None:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            cost = self._cache[key] = self._directional(modulation, (tone_map & 0x3F).bit_count(), lqi)
        return cost

    def _directional(self, modulation: int, groups: int, lqi: int) -> int:
        config = self._config
        span = max(1, config.high_lqi - config.low_lqi)
        below = max(0, min(span, config.high_lqi - lqi))
        whole = config.kr * (modulation == ROBO) + config.km * _MODULATION_STEPS.get(modulation, 0)
        numerator = whole * GROUPS * span + config.kc * (GROUPS - groups) * span + config.kq * below * GROUPS
        return min(MAX_LINK_COST, round_half_down(numerator, GROUPS * span))

    def knows_reverse(self, neighbour: int) -> bool:
        """Tell whether the cost from here to `neighbour` is known rather than guessed."""
        return neighbour in self.measured or self._neighbour(neighbour) is not None

    def least(self, rx: RxInfo) -> int:
        """What the link costs at least, 0..255, whatever the reverse direction is like."""
        cost = self.directional(rx.modulation, rx.tone_map, rx.lqi) + self._config.kh
        return cost if cost < MAX_LINK_COST else MAX_LINK_COST

    def cost(self, neighbour: int, rx: RxInfo) -> int:
        """The cost of the link to `neighbour`, 0..255, of whom a frame has just been received."""
        return self._cost(neighbour, self.directional(rx.modulation, rx.tone_map, rx.lqi))

    def heard(self, neighbour: int, lqi: int) -> int:
        """The same, of whom a broadcast was received with `lqi`: broadcasts go in ROBO on all tones."""
        return self._cost(neighbour, self.directional(ROBO, FULL_TONE_MAP, lqi))

    def _cost(self, neighbour: int, forward: int) -> int:
        config = self._config
        entry = self._neighbour(neighbour)
        if entry is not None:
            reverse = self.directional(entry.modulation, entry.tone_map, entry.reverse_lqi)
        else:
            reverse = self.measured.get(neighbour, forward + config.add_rev_link_cost)
        cost = (forward if forward > reverse else reverse) + config.kh
        if config.krt:
            cost += round_half_down(config.krt * len(self._table.entries), config.routing_table_size)
        return cost if cost < MAX_LINK_COST else MAX_LINK_COST

    def extend(self, metric_type: int, route_cost: int, link_cost: int) -> tuple[int, int]:
        """Return (metric type, cost) of a route one link longer. A foreign metric becomes hop count at its worst."""
        if metric_type != self._config.metric_type:
            return METRIC_HOP_COUNT, MAX_COST
        cost = route_cost + link_cost
        return metric_type, cost if cost < MAX_COST else MAX_COST
