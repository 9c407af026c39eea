"""What the strip shows without a gateway: a self-test at boot, then a recorded loop or a slow white breath.

The recording is a file of `gridglow board record`: `GLOWREC1`, then records of milliseconds since the start (32 bits),
length (16 bits) and a message of `led/frame`.
"""

from array import array
from time import ticks_diff

from glow import fast
from glow.frames import LONGEST, MALFORMED, SHOWN, Picture

FRONT = 8
TEST_LEVEL = 64
CHANNELS = (1, 0, 2)
"""Places of red, green, blue in G R B: the order of the self-test."""
BREATH_MS = 6000
BREATH_LEVEL = 24
NO_WIFI, NO_BROKER, NO_FRAMES = 0, 1, 2
MARKS = ((0, 64, 22), (30, 64, 0), None)
"""Colour (G R B) of the strip's first LED for each of them: magenta, amber, none."""
REST_MS = 1000
LONGEST_LOOP_MS = 1 << 29


class Recording:
    """A recorded loop on the board's own flash, read as it plays. ValueError for what is none, OSError without one."""

    def __init__(self, path, first, count):
        self._file = open(path, "rb")
        self._picture = Picture(first, count)
        self._head = bytearray(6)
        self._message = memoryview(bytearray(LONGEST))
        self.begin(0)

    def begin(self, now):
        """Play from the start."""
        self._file.seek(0)
        if self._file.read(8) != b"GLOWREC1":
            raise ValueError("it is no recording")
        self._picture.forget()
        self._began = now
        self._at = 0
        self._next()
        if not self._length:
            raise ValueError("it is empty")

    def step(self, now, canvas):
        """Bring `canvas` to this time; whether it has changed."""
        changed = False
        while ticks_diff(now, self._began) >= self._at:
            if self._length:
                message = self._message[: self._length]
                read = self._file.readinto(message)
                what = self._picture.take(message, canvas)
                if read != self._length or what == MALFORMED:
                    raise ValueError("a bad record")
                changed = changed or what == SHOWN
                self._next()
            else:
                self.begin(now)
        return changed

    def _next(self):
        read = self._file.readinto(self._head)
        if not read:
            self._at += REST_MS
            self._length = 0
            return
        h = self._head
        self._at = h[0] << 24 | h[1] << 16 | h[2] << 8 | h[3]
        self._length = h[4] << 8 | h[5]
        if read != 6 or not 0 < self._length <= LONGEST or self._at > LONGEST_LOOP_MS:
            raise ValueError("a bad record")


class Offline:
    """Draws into its own canvas. All times are those of `ticks_ms`."""

    def __init__(self, settings):
        self.canvas = bytearray(3 * settings.LED_COUNT)
        self.trouble = ""
        self._count = settings.LED_COUNT
        self._depths = settings.depths
        self._recording = None
        self._path = settings.LOOP_FILE
        self._began = 0
        if self._path:
            try:
                self._recording = Recording(self._path, settings.FIRST_LED, settings.LED_COUNT)
            except OSError:
                pass
            except ValueError as error:
                self._refuse(error)

    def begin(self, now):
        """The gateway has fallen silent."""
        self._began = now
        if self._recording:
            self._try(self._recording.begin, now)

    def step(self, now, why):
        """Bring the canvas to this time; whether it has changed. `why` is what is missing."""
        if self._recording:
            return self._try(self._recording.step, now, self.canvas)
        half = BREATH_MS // 2
        risen = half - abs(ticks_diff(now, self._began) % BREATH_MS - half)
        level = 1 + BREATH_LEVEL * risen // half * risen // half
        fast.fill(self.canvas, 0, self._count, level, level, level)
        if MARKS[why]:
            fast.fill(self.canvas, 0, 1, *MARKS[why])
        return True

    def test(self, elapsed_ms, length_ms):
        """The self-test at this time of it: three fronts run from the root to the leaves, red, green, blue."""
        third = length_ms // 3
        place = elapsed_ms % third * (max(self._depths) + FRONT) // third
        channel = CHANNELS[min(2, elapsed_ms // third)]
        fast.front(self.canvas, self._depths, self._count, place, FRONT, channel, TEST_LEVEL)

    def _try(self, what, *arguments):
        try:
            return what(*arguments)
        except (OSError, ValueError) as error:
            self._refuse(error)
            self._recording = None
            return False

    def _refuse(self, error):
        self.trouble = f"{self._path}: {error}"
        print(self.trouble)


def depths(branches, first, count):
    """How far each LED of the strip is from the root, in LEDs, as 16 bits each; along the strip where none is told.

    A branch is (first LED, last LED, LED that it hangs on), -1 for the root's.
    """
    if not branches:
        return array("H", range(count))
    deep = array("H", [0] * (1 + max(last for _, last, _ in branches)))
    for begin, last, parent in branches:
        for led in range(begin, last + 1):
            deep[led] = deep[parent] + 1 if parent >= 0 else 0
            parent = led
    return array("H", [deep[led] if led < len(deep) else 0 for led in range(first, first + count)])
