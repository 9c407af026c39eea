"""What the messages of `led/frame` say: a picture out of key frames, their parts, and deltas (docs/led-frame.md).

Knows nothing of time: `ring` does. Nothing is allocated after the start.
"""

from glow import fast

SHOWN, WAITING, DROPPED, MALFORMED = 0, 1, 2, 3
"""What came of a message: a picture; a part of one; nothing, its key frame is not held; nothing, it is no message."""

HEADER = 16
PART = 1440
LONGEST = HEADER + 3 * PART
OVERTAKEN = 256
"""A message so far behind or less has been overtaken; one further behind is of a sender that counts anew."""


class Picture:
    """LEDs `first` to `first + count` of the picture that is sent; what was not sent is dark."""

    def __init__(self, first, count):
        self.first = first
        self.count = count
        self.session = -1
        self.total = 0
        self._key = bytearray(3 * count)
        self._draft = bytearray(3 * count)
        self.forget()

    def forget(self):
        """No key frame is held any more, and no message is an old one."""
        self._held = self._drafted = self._last = -1
        self._missing = self._draft_total = 0

    def fits(self):
        """How many of the strip's LEDs are in the picture."""
        return max(0, min(self.total - self.first, self.count))

    def take(self, message, target):
        """Take a message; with SHOWN the whole picture is in `target`, else `target` is as it was."""
        size = len(message)
        if size < HEADER or message[0] != 1:
            return MALFORMED
        session = message[2] << 8 | message[3]
        sequence = message[4] << 8 | message[5]
        key = message[8] << 8 | message[9]
        total = message[10] << 8 | message[11]
        if message[1] == 1:
            return self._take_key(message, session, sequence, key, total, target)
        if message[1] != 2 or not total or message[12] or message[13]:
            return MALFORMED
        if not fast.patch(target, message, size, total, 0, 0):
            return MALFORMED
        if session != self.session or key != self._held or total != self.total or self._is_old(sequence):
            return DROPPED
        self._last = sequence
        fast.copy(target, 0, self._key, 0, 3 * self.count)
        fast.patch(target, message, size, total, self.first, self.count)
        return SHOWN

    def _take_key(self, message, session, sequence, key, total, target):
        part = (sequence - key) & 0xFFFF
        led = message[12] << 8 | message[13]
        leds = message[14] << 8 | message[15]
        if led != part * PART or led >= total or leds != min(PART, total - led) or len(message) != HEADER + 3 * leds:
            return MALFORMED
        if session != self.session:
            self.session = session
            self.forget()
        if key != self._drafted or total != self._draft_total:
            if self._is_old(sequence):
                return DROPPED
            self._begin(key, total)
        if self._last < 0 or not self._is_old(sequence):
            self._last = sequence
        begin = max(led, self.first)
        end = min(led + leds, self.first + self.count)
        bit = part - self.first // PART
        if begin >= end:
            return WAITING
        if not self._missing >> bit & 1:
            return DROPPED
        fast.copy(self._draft, 3 * (begin - self.first), message, HEADER + 3 * (begin - led), 3 * (end - begin))
        self._missing &= ~(1 << bit)
        if self._missing:
            return WAITING
        self._key, self._draft = self._draft, self._key
        self._held = key
        self.total = total
        fast.copy(target, 0, self._key, 0, 3 * self.count)
        return SHOWN

    def _begin(self, key, total):
        """A new key frame; the old one is held until all parts that touch the strip are there."""
        self._drafted = key
        self._draft_total = total
        fast.fill(self._draft, 0, self.count, 0, 0, 0)
        last = min(total, self.first + self.count) - 1
        parts = last // PART - self.first // PART + 1
        self._missing = (1 << parts) - 1 if last >= self.first else 0
        if not self._missing:
            self.total = total

    def _is_old(self, sequence):
        return self._last >= 0 and (self._last - sequence) & 0xFFFF < OVERTAKEN
