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


class CableTree:
    """Nodes are the stations' LEDs and the joints (LEDs with several children), in rising depth; node 0 is LED 0."""

    __slots__ = ("_cut", "_edge_cb", "_feeder", "_near", "_node_of_led", "_parent", "_stations_at", "_tap_cb", "_taps")

    def __init__(self, feeder: Feeder, config: ChannelConfig) -> None:
        self._feeder = feeder
        self._cut: frozenset[int] = frozenset()
        at_led: dict[int, list[int]] = {}
        for station, led in enumerate(feeder.stations):
            at_led.setdefault(led, []).append(station)
        order = sorted(range(feeder.leds), key=feeder.depth.__getitem__)
        leds = [led for led in order if led in at_led or led == 0 or len(feeder.children[led]) > 1]
        self._node_of_led = {led: node for node, led in enumerate(leds)}
        self._stations_at = [tuple(at_led.get(led, ())) for led in leds]
        self._parent, self._edge_cb = self._fold(order, config)
        self._near: list[list[tuple[int, int, int]]] = [[] for _ in leds]
        for node in range(1, len(leds)):
            above, loss = self._parent[node], self._edge_cb[node]
            self._near[above].append((node, loss, node))
            self._near[node].append((above, loss, node))
        self._taps = [max(len(self._near[node]) + len(self._stations_at[node]) - 2, 0) for node in range(len(leds))]
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
        near, taps, stations_at, cut = self._near, self._tap_cb, self._stations_at, self._cut
        start = self._node_of_led[self._feeder.stations[station]]
        found = [(other, 0) for other in stations_at[start] if other != station]
        stack = [(start, -1, 0)]
        while stack:
            node, came_from, loss = stack.pop()
            for other, edge_cb, edge in near[node]:
                here = loss + edge_cb
                if other == came_from or here > budget_cb or edge in cut:
                    continue
                for found_station in stations_at[other]:
                    found.append((found_station, here))
                stack.append((other, node, here + taps[other]))
        return found

    def between(self, src: int, dst: int) -> tuple[int, int, int, bool]:
        """(cable loss, taps passed, loss of the taps, whether a cut lies between) of the path of two stations."""
        stations = self._feeder.stations
        low, high = sorted((self._node_of_led[stations[src]], self._node_of_led[stations[dst]]))
        ends = (low, high)
        cable_cb = taps = tap_cb = 0
        cut = False
        while low != high:
            # Nodes come in rising depth, so the greater one is never above the other.
            cable_cb += self._edge_cb[high]
            cut = cut or high in self._cut
            low, high = sorted((low, self._parent[high]))
            for node in {high} - {low} if low != high else {high}:
                if node not in ends:
                    pass
        return cable_cb, taps, tap_cb, cut
