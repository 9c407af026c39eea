"""The board: the geometry of the light, worked out once from the feeder.

From each station a wave runs over the cable tree, weaker with the loss of cable and taps as the emulation's channel
has it (docs/channel.md), and ends where a receiver at the quietest noise would lose every second long ROBO frame.
Brightness is the L of the light: 255 at the sender, `255 (1 - 0.75 a / a_max)` at a loss of `a`, never under
`LEAST_L`. What a station needs is made when first asked for. Losses in 1/100 dB, integers throughout.
Neighbours: `emulation.grid.feeder` (the tree), `emulation.media.cable_tree` (the same losses between stations).
"""

from __future__ import annotations

from array import array
from collections.abc import Set
from itertools import accumulate, pairwise
from typing import NamedTuple

from emulation.grid.feeder import Feeder
from emulation.media.channel_config import ChannelConfig
from g3plc.core.ofdm import ROBO
from g3plc.phy.error_rate import ALWAYS, header_threshold, threshold

FULL_L = 255
LEAST_L = 46
"""0.18 of full: what is drawn at all can be seen."""

ROBO_OCTETS = 133
"""The longest PSDU in ROBO."""
MOST_PATHS = 8192
_SLOPE = 191  # 0.75 of full
_MM_PER_KM = 1_000_000
_MOST_TAPS = 4

NO_CUTS: frozenset[int] = frozenset()


class Reach(NamedTuple):
    """Where a station's wave goes.

    `cells` holds `L << 16 | LED` for every LED in rising distance; those `d` steps away are
    `cells[rings[d]:rings[d + 1]]`. `radius` is the greatest distance.
    """

    cells: array[int]
    rings: array[int]
    radius: int


class Path(NamedTuple):
    """The way along the cable between two stations: its LEDs, both ends included, and L at each as octets."""

    leds: tuple[int, ...]
    brightness: bytes


class Board:
    """Geometry of the light on one feeder. Made once, never changed; tables are kept as they are asked for.

    leds         number of LEDs
    stations     LED of each station, 0 the coordinator
    station_at   station of an LED, where there is one
    parent_led   parent of each LED, -1 for LED 0
    children     LEDs that hang on each LED
    xy           (x, y) of each LED in decimetres
    order, last  a walk through the tree: the LEDs beyond `led` are those with `order[led] <= order < last[led]`
    a_max_cb     loss at which the robust mode fails, in 1/100 dB
    """

    __slots__ = (
        "_cuts", "_loss_cb", "_paths", "_reaches", "_tap_cb", "a_max_cb", "children", "feeder", "last", "leds",
        "order", "parent_led", "station_at", "stations", "xy",
    )  # fmt: skip

    def __init__(self, feeder: Feeder, config: ChannelConfig | None = None) -> None:
        config = config or ChannelConfig()
        self.feeder = feeder
        self.leds = feeder.leds
        self.stations = tuple(feeder.stations)
        self.station_at = {led: station for station, led in enumerate(self.stations)}
        self.parent_led = tuple(feeder.parent_led)
        self.children = tuple(feeder.children)
        self.xy = tuple(feeder.xy)
        self.a_max_cb = decoding_limit_cb(config)
        self._loss_cb, self._tap_cb = self._losses(config)
        self.order, self.last = self._walk()
        self._cuts: frozenset[int] = NO_CUTS
        self._reaches: dict[int, Reach] = {}
        self._paths: dict[tuple[int, int], Path] = {}

    def l_at(self, loss_cb: int) -> int:
        """L at a loss: 255 down to a quarter at the decoding limit, never under `LEAST_L`."""
        return max(LEAST_L, FULL_L - _SLOPE * loss_cb // self.a_max_cb)

    def reach(self, station: int, cuts: Set[int] = NO_CUTS) -> Reach:
        """Where the wave of `station` goes while the cables above the LEDs `cuts` are cut."""
        if cuts != self._cuts:
            self._cuts = frozenset(cuts)
            self._reaches.clear()
        found = self._reaches.get(station)
        if found is None:
            found = self._reaches[station] = self._spread(self.stations[station])
        return found

    def path(self, src: int, dst: int) -> Path:
        """The way from station `src` to station `dst`."""
        found = self._paths.get((src, dst))
        if found is None:
            if len(self._paths) >= MOST_PATHS:
                self._paths.clear()
            found = self._paths[src, dst] = self._way(self.stations[src], self.stations[dst])
        return found

    def loss_cb(self, src: int, dst: int) -> int:
        """Loss of cable and taps between two stations."""
        return self._along(self.path(src, dst).leds)[-1]

    def cut_on(self, leds: tuple[int, ...], cuts: Set[int]) -> int:
        """How many LEDs of a way lie before the first cut cable; all of them if none is cut."""
        for place, (here, there) in enumerate(pairwise(leds), 1):
            if (here if self.parent_led[here] == there else there) in cuts:
                return place
        return len(leds)

    def near(self, led: int, towards: int) -> tuple[int, int, bool]:
        """The LEDs on the side of `led` that `towards` is on: (low, high, inside) over `order`.

        An LED is on that side if `(low <= order[it] < high) == inside`. `led` itself never is.
        """
        place = self.order[towards]
        for child in self.children[led]:
            if self.order[child] <= place < self.last[child]:
                return self.order[child], self.last[child], True
        return self.order[led], self.last[led], False

    # -- tables

    def _losses(self, config: ChannelConfig) -> tuple[list[int], list[int]]:
        """Loss of the cable from each LED to its parent, in 1/1000 of 1/100 dB, and of passing each LED."""
        per_km = {
            "underground": config.underground_cb_km,
            "overhead": config.overhead_cb_km,
            "service": config.service_cb_km,
        }
        feeder, share = self.feeder, config.difficulty
        whole = 100 * _MM_PER_KM
        cable = [
            (1000 * feeder.span_mm[led] * per_km.get(feeder.cable[led], 0) * share + whole // 2) // whole
            for led in range(self.leds)
        ]
        taps = []
        for led in range(self.leds):
            near = len(self.children[led]) + (self.parent_led[led] >= 0) + (led in self.station_at)
            taps.append(1000 * (min(max(near - 2, 0), _MOST_TAPS) * config.tap_cb * share // 100))
        return cable, taps

    def _walk(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        order = [0] * self.leds
        behind = [1] * self.leds
        trail: list[int] = []
        stack = [0]
        while stack:
            led = stack.pop()
            order[led] = len(trail)
            trail.append(led)
            stack.extend(reversed(self.children[led]))
        for led in reversed(trail[1:]):
            behind[self.parent_led[led]] += behind[led]
        return tuple(order), tuple(map(int.__add__, order, behind))

    def _spread(self, start: int) -> Reach:
        limit = 1000 * self.a_max_cb
        cells, rings = array("I"), array("I", [0])
        front = [(start, -1, 0)]
        while front:
            beyond = []
            for led, came_from, loss in front:
                cells.append(self.l_at(loss // 1000) << 16 | led)
                passed = loss + (self._tap_cb[led] if came_from >= 0 else 0)
                for other, edge in self._edges(led):
                    far = passed + self._loss_cb[edge]
                    if other != came_from and far <= limit and edge not in self._cuts:
                        beyond.append((other, led, far))
            rings.append(len(cells))
            front = beyond
        return Reach(cells, rings, len(rings) - 2)

    def _edges(self, led: int) -> list[tuple[int, int]]:
        """Neighbours of an LED, each with the LED whose cable leads there."""
        found = [(child, child) for child in self.children[led]]
        if self.parent_led[led] >= 0:
            found.append((self.parent_led[led], led))
        return found

    def _way(self, start: int, end: int) -> Path:
        leds = tuple(self.feeder.path(start, end))
        return Path(leds, bytes(map(self.l_at, self._along(leds))))

    def _along(self, leds: tuple[int, ...]) -> list[int]:
        """Loss from the first LED to each."""
        steps = [0]
        for place, (here, there) in enumerate(pairwise(leds)):
            edge = here if self.parent_led[here] == there else there
            steps.append(self._loss_cb[edge] + (self._tap_cb[here] if place else 0))
        return [loss // 1000 for loss in accumulate(steps)]


def decoding_limit_cb(config: ChannelConfig) -> int:
    """The loss of cable and taps at which every second longest ROBO frame is lost, at the quietest noise."""
    top_cb = config.tx_level_cb - config.coupling_cb - config.noise_cb
    snr_cb = 0
    while 2 * _good(snr_cb) > ALWAYS * ALWAYS:
        snr_cb -= 1
    while 2 * _good(snr_cb) < ALWAYS * ALWAYS:
        snr_cb += 1
    return max(1, top_cb - snr_cb)


def _good(snr_cb: int) -> int:
    """Chance that header and payload of a longest ROBO frame are received, times 2^64."""
    return (ALWAYS - header_threshold(snr_cb)) * (ALWAYS - threshold(ROBO, ROBO_OCTETS, snr_cb))
