"""The feeder as the channel sees it: stations and joints only, with the loss of the cable between them.

The LEDs between two of these nodes are folded into one edge, so that a walk costs stations and joints, not LEDs. A walk
stops where the loss passes a budget, which keeps a feeder of 2 000 meters as cheap per station as a small one.
Losses in 1/100 dB. `channel.py` adds what does not come from the cable.
"""

from __future__ import annotations

from collections.abc import Iterable

from emulation.grid.feeder import Feeder
from emulation.media.channel_config import ChannelConfig

_MM_PER_KM = 1_000_000

# Loads in parallel add less and less: a busbar of twenty feeders does not cost twenty taps.
_MOST_TAPS = 4


class CableTree:
    """Nodes are the stations' LEDs and the joints (LEDs with several children), in rising depth; node 0 is LED 0."""

    __slots__ = ("_cut", "_edge_cb", "_feeder", "_near", "_node_of_led", "_parent", "_station_at", "_tap_cb", "_taps")

    def __init__(self, feeder: Feeder, config: ChannelConfig) -> None:
        self._feeder = feeder
        self._cut: frozenset[int] = frozenset()
        at_led = {led: station for station, led in enumerate(feeder.stations)}
        order = sorted(range(feeder.leds), key=feeder.depth.__getitem__)
        leds = [led for led in order if led in at_led or len(feeder.children[led]) > 1]
        self._node_of_led = {led: node for node, led in enumerate(leds)}
        self._station_at = [at_led.get(led, -1) for led in leds]
        self._parent, self._edge_cb = self._fold(order, config)
        self._near: list[list[tuple[int, int, int]]] = [[] for _ in leds]
        for node in range(1, len(leds)):
            above, loss = self._parent[node], self._edge_cb[node]
            self._near[above].append((node, loss, node))
            self._near[node].append((above, loss, node))
        self._taps = [
            min(max(len(near) + (station >= 0) - 2, 0), _MOST_TAPS)
            for near, station in zip(self._near, self._station_at, strict=True)
        ]
        self._tap_cb = [taps * config.tap_cb * config.difficulty // 100 for taps in self._taps]

    def _fold(self, order: list[int], config: ChannelConfig) -> tuple[list[int], list[int]]:
        """Per node the node above and the loss of the cable to it."""
        feeder, node_of_led = self._feeder, self._node_of_led
        per_km = {
            "underground": config.underground_cb_km,
            "overhead": config.overhead_cb_km,
            "service": config.service_cb_km,
        }
        above = [-1] * feeder.leds
        weight = [0] * feeder.leds
        for led in order[1:]:
            up = feeder.parent_led[led]
            weight[led] = feeder.span_mm[led] * per_km[feeder.cable[led]]
            node = node_of_led.get(up)
            if node is None:
                above[led] = above[up]
                weight[led] += weight[up]
            else:
                above[led] = node
        whole = 100 * _MM_PER_KM
        loss = [(weight[led] * config.difficulty + whole // 2) // whole for led in node_of_led]
        return [above[led] for led in node_of_led], loss

    def set_cuts(self, leds: Iterable[int]) -> bool:
        """Cut the cable between each of `leds` and its parent LED, mend all others; true if anything changed."""
        cut = frozenset(self._edge_of(led) for led in leds)
        changed = cut != self._cut
        self._cut = cut
        return changed

    def _edge_of(self, led: int) -> int:
        while led not in self._node_of_led:
            led = self._feeder.children[led][0]
        return self._node_of_led[led]

    def within(self, station: int, budget_cb: int) -> list[tuple[int, int]]:
        """The other stations whose path loss from `station` is at most `budget_cb`, as (station, loss)."""
        near, taps, station_at, cut = self._near, self._tap_cb, self._station_at, self._cut
        start = self._node_of_led[self._feeder.stations[station]]
        found: list[tuple[int, int]] = []
        stack = [(start, -1, 0)]
        while stack:
            node, came_from, loss = stack.pop()
            for other, edge_cb, edge in near[node]:
                here = loss + edge_cb
                if other == came_from or here > budget_cb or edge in cut:
                    continue
                if station_at[other] >= 0:
                    found.append((station_at[other], here))
                stack.append((other, node, here + taps[other]))
        return found

    def between(self, src: int, dst: int) -> tuple[int, int, int, bool]:
        """(cable loss, taps passed, loss of the taps, whether a cut lies between) of the path of two stations."""
        stations = self._feeder.stations
        ends = (self._node_of_led[stations[src]], self._node_of_led[stations[dst]])
        here, there = ends
        edges, passed = set(), set()
        while here != there:
            # Nodes come in rising depth, so the one with the greater number is never above the other.
            if here < there:
                here, there = there, here
            edges.add(here)
            here = self._parent[here]
            passed.add(here)
        passed.difference_update(ends)
        cable_cb = sum(self._edge_cb[node] for node in edges)
        tap_cb = sum(self._tap_cb[node] for node in passed)
        return cable_cb, sum(self._taps[node] for node in passed), tap_cb, not edges.isdisjoint(self._cut)
