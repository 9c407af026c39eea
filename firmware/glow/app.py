"""The board: listens, draws, tells how it is. One loop, no threads; see the modules for what each part does."""

import gc
import json
from time import sleep_ms, ticks_diff, ticks_ms, ticks_us, time

import machine

from glow import VERSION
from glow.buttons import Buttons
from glow.link import Link
from glow.offline import Offline
from glow.ring import Ring
from glow.strip import Strip

SILENT_MS = 3000
STATUS_MS = 10000
SOON_MS = 1000
PATTERN_MS = 25
NAP_MS = 10
FRAME_MS = 25
SPARE_PLACES = 6
WIRE_US = 30
LATCH_US = 300
MESSAGES = 16
"""After so many, each of which leaves some garbage, the heap is swept."""


class Board:
    """Everything the board has, from its settings."""

    def __init__(self, settings):
        self._settings = settings
        # What is large comes first.
        self._link = Link(settings, self._take, self._begin, self._idle)
        # As many pictures as may wait at 40 a second, or as fast as the strip can take them, and some for jitter.
        wire_ms = (WIRE_US * settings.LED_COUNT + LATCH_US) // 1000 + 1
        places = settings.DELAY_MS // max(FRAME_MS, wire_ms) + SPARE_PLACES
        self._ring = Ring(settings.FIRST_LED, settings.LED_COUNT, places, settings.DELAY_MS, wire_ms)
        self._strip = Strip(settings)
        self._offline = Offline(settings)
        self._buttons = Buttons(settings.BUTTON_PINS, self._press)
        self._watchdog = machine.WDT(timeout=1000 * settings.WATCHDOG_S) if settings.WATCHDOG_S else None
        self._live = False
        self._heard = self._drawn = self._told = ticks_ms()
        self._started_s = int(time())
        self._litter = self._sweep_us = self._told_shown = 0
        self._told_up = False
        self._told_message = ""
        self._woken = "restarted by the watchdog" if machine.reset_cause() == machine.WDT_RESET else ""
        gc.collect()
        gc.threshold(-1)
        self._heap_low = gc.mem_free()

    def run(self):
        """For ever."""
        self._link.join()
        self._self_test()
        self._offline.begin(ticks_ms())
        while True:
            self._feed()
            now = ticks_ms()
            self._link.step(now)
            self._link.listen(self._ring.wait_ms(now, NAP_MS))
            self._draw()
            now = ticks_ms()
            self._buttons.step(now)
            self._tell(now)

    def _self_test(self):
        length_ms = 1000 * self._settings.SELF_TEST_S
        began = ticks_ms()
        while ticks_diff(ticks_ms(), began) < length_ms:
            self._feed()
            self._offline.test(ticks_diff(ticks_ms(), began), length_ms)
            self._strip.show(self._offline.canvas)
            sleep_ms(NAP_MS)

    def _feed(self):
        if self._watchdog:
            self._watchdog.feed()

    def _begin(self):
        self._ring.begin(ticks_ms())

    def _take(self, message):
        now = ticks_ms()
        self._litter += 1
        if self._ring.take(message, now):
            self._heard = now
            self._live = True

    def _idle(self):
        self._feed()
        self._draw()

    def _draw(self):
        """Show what is due; then, in the gap before the next picture, sweep the heap."""
        now = ticks_ms()
        pixels = self._ring.due(now)
        if pixels is not None:
            self._strip.show(pixels)
        elif self._live and ticks_diff(now, self._heard) > SILENT_MS:
            self._live = False
            self._offline.begin(now)
        elif not self._live and ticks_diff(now, self._drawn) >= PATTERN_MS:
            self._drawn = now
            if self._offline.step(now, self._link.why()):
                self._strip.show(self._offline.canvas)
        else:
            return
        if self._litter >= MESSAGES:
            self._sweep()

    def _sweep(self):
        self._litter = 0
        self._heap_low = min(self._heap_low, gc.mem_free())
        began = ticks_us()
        gc.collect()
        self._sweep_us = max(self._sweep_us, ticks_diff(ticks_us(), began))

    def _press(self, button, press):
        self._link.publish("button", json.dumps({"button": button, "press": press}))

    def _message(self):
        total, settings = self._ring.picture.total, self._settings
        if total and total != settings.LED_COUNT:
            what = "pictures of {} LEDs, this strip is LEDs {} to {}"
            return what.format(total, settings.FIRST_LED, settings.FIRST_LED + settings.LED_COUNT - 1)
        return self._offline.trouble or self._woken

    def _tell(self, now):
        """Publish the status: now and then, when the connection is new, and when there is something else to say."""
        since_ms = ticks_diff(now, self._told)
        if not self._link.up:
            self._told_up = False
            return
        message = self._message()
        if self._told_up and since_ms < (STATUS_MS if message == self._told_message else SOON_MS):
            return
        self._told_up = True
        self._told = now
        self._told_message = message
        ring = self._ring
        fps = (ring.shown - self._told_shown) * 1000 / max(1, since_ms)
        self._told_shown = ring.shown
        status = {
            "online": True,
            "firmware": VERSION,
            "led_count": self._settings.LED_COUNT,
            "leds_shown": ring.picture.fits(),
            "order": self._settings.ORDER,
            "session": max(0, ring.picture.session),
            "fps": round(fps, 1),
            "shown": ring.shown,
            "late": ring.late,
            "dropped": ring.dropped,
            "malformed": ring.malformed,
            "heap_free": gc.mem_free(),
            "heap_low": min(self._heap_low, gc.mem_free()),
            "gc_us": self._sweep_us,
            "rssi": self._link.rssi(),
            "uptime_s": int(time()) - self._started_s,
            "message": message,
        }
        self._sweep_us = 0
        self._link.publish("status", json.dumps(status), True)
