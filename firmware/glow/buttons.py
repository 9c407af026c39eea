"""Up to three buttons between a pin and ground: a short press when it is let go, a long one while it is held."""

from time import ticks_diff, ticks_ms

from machine import Pin

BOUNCE_MS = 30
LONG_MS = 800


class Buttons:
    """Numbered from 1 in the order of the pins."""

    def __init__(self, pins, tell):
        """`tell(number, press)` is called with "short" or "long"."""
        self._pins = [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in pins]
        self._tell = tell
        self._down = [False] * len(pins)
        self._told = [False] * len(pins)
        self._for_ms = [0] * len(pins)
        self._last = ticks_ms()

    def step(self, now):
        """Look at all of them. Contacts bounce: what changed within the last 30 ms is not asked again."""
        passed_ms = ticks_diff(now, self._last)
        self._last = now
        for i in range(len(self._pins)):
            self._for_ms[i] = min(self._for_ms[i] + passed_ms, LONG_MS)
            if self._for_ms[i] < BOUNCE_MS:
                continue
            down = self._pins[i].value() == 0
            if down != self._down[i]:
                if not down and not self._told[i]:
                    self._tell(i + 1, "short")
                self._down[i] = down
                self._told[i] = False
                self._for_ms[i] = 0
            elif down and not self._told[i] and self._for_ms[i] == LONG_MS:
                self._told[i] = True
                self._tell(i + 1, "long")
