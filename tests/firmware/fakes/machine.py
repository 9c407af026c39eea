"""What the firmware asks of MicroPython's `machine`, as far as a test can see and do it without a board.

FAKE_BOARD is a folder: `controls` has an octet for the Wi-Fi (place 0, 1: there) and for each pin (1: pulled to
ground), `journal` gets a line for each thing of interest.
"""

import os
import sys
from time import ticks_diff, ticks_ms

FOLDER = os.getenv("FAKE_BOARD")
PWRON_RESET, HARD_RESET, WDT_RESET = 1, 2, 3

_controls = open(FOLDER + "/controls", "rb")
_journal = open(FOLDER + "/journal", "a")
_now = bytearray(64)


def control(place):
    _controls.seek(0)
    _controls.readinto(_now)
    return _now[place]


def tell(*words):
    print(*words, file=_journal)


def reset_cause():
    return WDT_RESET if control(63) else PWRON_RESET


def reset():
    tell("reset")
    sys.exit(7)


class Pin:
    IN, OUT, PULL_UP = 0, 1, 2

    def __init__(self, number, mode=-1, pull=-1):
        self.number = number
        if mode == Pin.IN and pull != Pin.PULL_UP:
            raise ValueError("a button without a pull-up")

    def value(self):
        return 0 if control(self.number) else 1


class WDT:
    """Bites, when it is fed too late, by ending the process."""

    def __init__(self, timeout):
        self._timeout = timeout
        self._fed = self._told = ticks_ms()
        self._longest = 0
        tell("watchdog", timeout)

    def feed(self):
        now = ticks_ms()
        gap = ticks_diff(now, self._fed)
        self._fed = now
        self._longest = max(self._longest, gap)
        if gap > self._timeout:
            tell("bitten", gap)
            sys.exit(8)
        if ticks_diff(now, self._told) > 500:
            self._told = now
            tell("fed", self._longest)
