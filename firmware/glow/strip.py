"""The strip: order of its colours, brightness, and the limit of what its supply can give. It trusts nobody."""

from machine import Pin
from neopixel import NeoPixel

from glow import fast

CHANNEL_MA = 20
ONE = 2048


class Strip:
    """`show` takes G R B octets of PWM, one LED after the other."""

    def __init__(self, settings):
        self._np = NeoPixel(Pin(settings.LED_PIN, Pin.OUT), settings.LED_COUNT)
        self._octets = 3 * settings.LED_COUNT
        order = settings.ORDER
        self._order = order.index("G") << 8 | order.index("R") << 4 | order.index("B")
        self._brightness = int(settings.BRIGHTNESS * ONE)
        # Worked out once, so that a picture needs no number that does not fit into a machine word.
        self._supply = settings.SUPPLY_MA * 255 // CHANNEL_MA * ONE
        self._free = self._supply // max(1, self._brightness)

    def show(self, pixels):
        """Draw. A picture that takes too much current becomes darker as a whole; no LED is cut off."""
        scale = self._brightness
        lit = fast.total(pixels, self._octets)
        if lit > self._free:
            scale = self._supply // lit
        fast.paint(self._np.buf, pixels, self._octets, scale, self._order)
        self._np.write()
