"""Safety: what no input can make the strip do. Always on, between the renderer and every output.

* **Low-pass**: each LED goes towards its new value by a share of the difference for each millisecond.
* **Flash limit**: the luminance of an LED swings (up counts once, down once) by a tenth of full white or more at most
  3 times in any second. It rises by so much only if it may fall again within the second, else it rises by less: what
  comes too often is dimmer, and nothing is left standing bright.
* **Area limit**: LEDs that change by that much in the same frame are at most a quarter of all, but for one frame in
  any second; the others wait.
* **Saturated red** (red is four fifths of an LED's light, or more) comes and goes slowly.
* **Current**: the sum of all PWM values stays under what the supply gives; the whole picture is scaled. It is kept by
  rising no further than the supply allows, so that it never forces a swing.

Sparse: only LEDs whose value differs from the wanted one are worked on. Luminance is 2126 R + 7152 G + 722 B of linear
PWM (Rec. 709), 2 550 000 for full white. Integers throughout. Neighbours: `effects` before it, the outputs behind it.
"""

from __future__ import annotations

import re

MA_PER_CHANNEL = 20
MOST_SWINGS = 3
WINDOW_MS = 1000
SWING, SURE_SWING = 245_000, 270_000
"""A little under and over a tenth of full luminance: a swing begins to count at the one, and its time is that at which
it passes the other, so that it makes no difference how exactly somebody measures a tenth."""
RED_PER_S = 96
"""PWM steps in a second of saturated red."""

_RISE, _FALL = 24, 20
"""Of 256: the share of the difference in each millisecond."""
_STALLED_MS = 16
"""A frame of the same display time is taken as so much later; no display is faster."""
_LONG_MS = 250
_GAIN_BITS = 10
_GAIN_ONE = 1 << _GAIN_BITS
_RUNS = re.compile(rb"[^\0]+", re.DOTALL)
_LONG_AGO = -1 << 40


def _shares(per_ms: int) -> tuple[int, ...]:
    """Share of the difference, in 65536ths, that is made up in so many milliseconds."""
    left, found = 65_536, []
    for _ in range(_LONG_MS + 1):
        found.append(65_536 - left)
        left = left * (256 - per_ms) >> 8
    found[-1] = 65_536
    return tuple(found)


_RISES, _FALLS = _shares(_RISE), _shares(_FALL)


class Limiter:
    """The limiters of one strip of `leds`; `step` makes the next safe frame. `settled`: it is the wanted one.

    `held` counts how often an LED was kept from a swing.
    """

    __slots__ = (
        "_big_ms", "_clock_ms", "_direction", "_extremes", "_gain", "_gain_ms", "_last_ms", "_out", "_scales",
        "_starts", "_sum", "_swings", "_swung", "held", "settled",
    )  # fmt: skip

    def __init__(self, leds: int) -> None:
        self._out = bytearray(3 * leds)
        self._sum = 0
        self._direction = bytearray(leds)
        self._extremes: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self._swings: dict[int, tuple[int, int, int]] = {}
        self._swung = 0
        self._big_ms = _LONG_AGO
        self._clock_ms = 0
        self._last_ms = 0
        self._gain = _GAIN_ONE
        self._gain_ms = 0
        self._scales: dict[int, bytes] = {}
        self.held = 0
        self.settled = True

    def step(self, wanted: bytes, t_ms: int, supply_ma: int) -> bytes:
        """The safe frame at display time `t_ms` on the way to `wanted`, three octets for each LED."""
        gone_ms = t_ms - self._last_ms
        self._last_ms = max(self._last_ms, t_ms)
        gone_ms = gone_ms if gone_ms > 0 else _STALLED_MS
        self._clock_ms += gone_ms
        most = max(0, supply_ma) * 255 // MA_PER_CHANNEL
        if self._sum > most:
            self._shed(most)
        wanted = self._scaled(wanted, most)
        changed = self._changed(wanted)
        self.settled = not changed
        if changed:
            gone_ms = min(gone_ms, _LONG_MS)
            self._move(wanted, changed, _RISES[gone_ms], _FALLS[gone_ms], max(1, RED_PER_S * gone_ms // 1000), most)
        return bytes(self._out)

    # -- current

    def _scaled(self, wanted: bytes, most: int) -> bytes:
        """The wanted frame within the supply: its scale falls at once and recovers within a second or so."""
        total = sum(wanted)
        fits = _GAIN_ONE if total <= most else most * _GAIN_ONE // total
        recovered = self._gain + (self._clock_ms - self._gain_ms)
        self._gain = gain = min(fits, recovered, _GAIN_ONE)
        self._gain_ms = self._clock_ms
        if gain == _GAIN_ONE:
            return wanted
        scale = self._scales.get(gain)
        if scale is None:
            scale = self._scales[gain] = bytes(value * gain >> _GAIN_BITS for value in range(256))
        return wanted.translate(scale)

    def _shed(self, most: int) -> None:
        """The supply was made smaller: down at once, whatever it looks like."""
        scale = bytes(value * most // self._sum for value in range(256))
        self._out = self._out.translate(scale)
        self._sum = sum(self._out)

    # -- flashes

    def _changed(self, wanted: bytes) -> list[int]:
        """The LEDs whose value is not the wanted one."""
        out = self._out
        if wanted == out:
            return []
        size = len(out)
        differs = (int.from_bytes(wanted, "big") ^ int.from_bytes(out, "big")).to_bytes(size, "big")
        found: list[int] = []
        past = 0
        for run in _RUNS.finditer(differs):
            first = max(past, run.start() // 3)
            past = (run.end() + 2) // 3
            found.extend(range(first, past))
        return found

    def _move(self, wanted: bytes, changed: list[int], rise: int, fall: int, red: int, most: int) -> None:
        out = self._out
        self._swung = 0
        moves: list[tuple[int, int, int, int]] = []
        rises = 0
        for led in changed:
            at = 3 * led
            r0, g0, b0, r1, g1, b1 = out[at], out[at + 1], out[at + 2], wanted[at], wanted[at + 1], wanted[at + 2]
            r = r0 + ((r1 - r0) * rise + 65_535 >> 16) if r1 > r0 else r0 - ((r0 - r1) * fall + 65_535 >> 16)
            g = g0 + ((g1 - g0) * rise + 65_535 >> 16) if g1 > g0 else g0 - ((g0 - g1) * fall + 65_535 >> 16)
            b = b0 + ((b1 - b0) * rise + 65_535 >> 16) if b1 > b0 else b0 - ((b0 - b1) * fall + 65_535 >> 16)
            if r0 > 4 * (g0 + b0) or r > 4 * (g + b) or r1 > 4 * (g1 + b1):
                r, g, b = _slow(r0, r, red), _slow(g0, g, red), _slow(b0, b, red)
            rises += (r - r0 if r > r0 else 0) + (g - g0 if g > g0 else 0) + (b - b0 if b > b0 else 0)
            moves.append((at, r, g, b))
        room = most - self._sum
        if rises > room:
            moves = [self._less(move, room, rises) for move in moves]
        for at, r, g, b in moves:
            self._guard(at, r, g, b)

    def _less(self, move: tuple[int, int, int, int], room: int, rises: int) -> tuple[int, int, int, int]:
        """A move that rises by `room`/`rises` of what it would."""
        at, r, g, b = move
        r0, g0, b0 = self._out[at : at + 3]
        return (
            at,
            r0 + (r - r0) * room // rises if r > r0 else r,
            g0 + (g - g0) * room // rises if g > g0 else g,
            b0 + (b - b0) * room // rises if b > b0 else b,
        )

    def _guard(self, at: int, r: int, g: int, b: int) -> None:
        """Set an LED unless that would be a swing too many."""
        out = self._out
        led = at // 3
        r0, g0, b0 = out[at], out[at + 1], out[at + 2]
        before, after = 2126 * r0 + 7152 * g0 + 722 * b0, 2126 * r + 7152 * g + 722 * b
        extreme = self._extremes.get(led, 0)
        rising = self._direction[led]
        swings = extreme - after >= SWING if rising else after - extreme >= SWING
        if swings or not -SWING < after - before < SWING:
            if not self._may(led, swings, after > before):
                self.held += 1
                swings = False
                limit = extreme - SWING + 1 if rising else extreme + SWING - 1
                r, g, b = self._within(at, r, g, b, before, after, limit)
                after = 2126 * r + 7152 * g + 722 * b
            if swings:
                self._starts[led] = extreme
                self._direction[led] = rising = after > before
                extreme = after
        if not swings and led in self._starts:
            self._goes_on(led, before, after)
        if (after > extreme) if rising else (after < extreme):
            extreme = after
        self._extremes[led] = extreme
        self._sum += r + g + b - r0 - g0 - b0
        out[at], out[at + 1], out[at + 2] = r, g, b

    def _may(self, led: int, swings: bool, up: bool) -> bool:
        """Whether the LED may change that much now; if so it counts."""
        now_ms = self._clock_ms
        last = self._swings.get(led, (_LONG_AGO, _LONG_AGO, _LONG_AGO))
        if swings and now_ms - last[1 if up else 0] <= WINDOW_MS:
            return False
        if 4 * (self._swung + 1) > len(self._direction) and self._big_ms != now_ms:
            if now_ms - self._big_ms <= WINDOW_MS:
                return False
            self._big_ms = now_ms
        self._swung += 1
        if swings:
            self._swings[led] = (last[1], last[2], now_ms)
        return True

    def _goes_on(self, led: int, before: int, after: int) -> None:
        """A swing that has just begun to count and gets larger: its time is now."""
        start = self._starts[led]
        if abs(before - start) < SURE_SWING and abs(after - start) > abs(before - start):
            first, second, _ = self._swings[led]
            self._swings[led] = (first, second, self._clock_ms)

    def _within(self, at: int, r: int, g: int, b: int, before: int, after: int, limit: int) -> tuple[int, int, int]:
        """As far towards the new value as luminance `limit` allows, else where it is."""
        r0, g0, b0 = self._out[at : at + 3]
        way, room = after - before, limit - before
        if way and (room > 0) == (way > 0) and room:
            part = min(255, 256 * room // way)
            nearer = r0 + ((r - r0) * part >> 8), g0 + ((g - g0) * part >> 8), b0 + ((b - b0) * part >> 8)
            light = 2126 * nearer[0] + 7152 * nearer[1] + 722 * nearer[2]
            if -SWING < light - before < SWING and (light <= limit if way > 0 else light >= limit):
                return nearer
        return r0, g0, b0


def _slow(before: int, after: int, most: int) -> int:
    return min(max(after, before - most), before + most)
