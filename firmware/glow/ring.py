"""When a picture is shown: presentation times against our own clock, and a ring of pictures that wait.

The gateway's clock is mapped by the least (arrival - presentation time) of the last ten seconds, in milliseconds modulo
65536; a picture is shown at its mapped time plus a fixed delay, so that the network's jitter does not show.
Neighbours: `frames` makes the pictures, `screen` draws them. Nothing is allocated after the start.
"""

from array import array
from time import ticks_add, ticks_diff

from glow.frames import DROPPED, MALFORMED, SHOWN, Picture

SECONDS = 10
FAR_MS = 2000
ALL_LATE_MS = 1500
"""When nothing has been in time for so long the map is wrong, whatever made it so, and starts again."""
NOTHING = 0x10000


def signed(difference):
    """A difference of 16 bits, as -32768 to 32767."""
    return ((difference + 0x8000) & 0xFFFF) - 0x8000


class Ring:
    """Pictures in the order of their messages. All times are those of `ticks_ms`; `wire_ms` is the strip's for one."""

    def __init__(self, first, count, places, delay_ms, wire_ms):
        self.picture = Picture(first, count)
        self.shown = self.late = self.dropped = self.malformed = 0
        self._delay = delay_ms
        self._wire = wire_ms
        # One more than wait: a message is unpacked before it is known whether there is room for it.
        self._pixels = [bytearray(3 * count) for _ in range(places + 1)]
        self._due = [0] * (places + 1)
        self._head = self._waiting = 0
        self._least = array("l", [NOTHING] * SECONDS)
        self.begin(0)

    def begin(self, now):
        """After a subscription: the first picture is a retained one, as old as it likes."""
        self.picture.forget()
        self._fresh = True
        self._restart(self._head, now)

    def take(self, message, now):
        """Take a message of `led/frame`; whether it was one."""
        places = len(self._pixels)
        place = (self._head + self._waiting) % places
        session = self.picture.session
        what = self.picture.take(message, self._pixels[place])
        if what == MALFORMED:
            self.malformed += 1
            return False
        if what == DROPPED:
            self.dropped += 1
        if session != self.picture.session:
            self._restart(place, now)
        if what == SHOWN:
            due = self._due_at(message[6] << 8 | message[7], place, now)
            if due is None:
                self.late += 1
            else:
                self._put(place, due)
        return True

    def due(self, now):
        """The picture to be shown now, good until the next `take`, or None; pictures that it overtakes are late."""
        found = None
        while self._waiting and ticks_diff(now, self._due[self._head]) >= 0:
            if found is not None:
                self.late += 1
            found = self._pixels[self._head]
            self._head = (self._head + 1) % len(self._pixels)
            self._waiting -= 1
        if found is not None:
            self.shown += 1
        return found

    def wait_ms(self, now, most):
        """Until the next picture is due; `most` where none waits."""
        return max(0, min(most, ticks_diff(self._due[self._head], now))) if self._waiting else most

    def _restart(self, head, now):
        self.dropped += self._waiting
        self._head = head
        self._waiting = 0
        self._in_time = now
        self._second = -1
        self._now_least = NOTHING

    def _put(self, place, due):
        """Let it wait. Where the strip could not show all, or the ring is full, the one before makes room.

        So pictures keep the distance that the strip needs, and what is sent last is always shown.
        """
        places = len(self._pixels)
        if self._waiting:
            last = (place - 1) % places
            before = self._due[(place - 2) % places]
            crowded = self._waiting > 1 and ticks_diff(self._due[last], before) < self._wire
            if crowded or self._waiting + 1 == places:
                self._pixels[last], self._pixels[place] = self._pixels[place], self._pixels[last]
                self._due[last] = due
                self.dropped += 1
                return
        self._due[place] = due
        self._waiting += 1

    def _due_at(self, stamp, place, now):
        """When a picture of this presentation time is due; None for one that is late."""
        if self._fresh:
            self._fresh = False
            return now
        gap = (now - stamp) & 0xFFFF
        self._forget_old(now // 1000)
        behind = signed(gap - self._now_least) if self._now_least != NOTHING else 0
        late = behind > self._delay
        if abs(behind) > FAR_MS or (late and ticks_diff(now, self._in_time) > ALL_LATE_MS):
            self._restart(place, now)
            self._forget_old(now // 1000)
            behind = self._delay
            late = False
        if behind < 0 or self._now_least == NOTHING:
            self._now_least = gap
            behind = max(behind, 0)
        least = self._least[self._second % SECONDS]
        if least == NOTHING or signed(gap - least) < 0:
            self._least[self._second % SECONDS] = gap
        if late:
            return None
        self._in_time = now
        return ticks_add(now, self._delay - behind)

    def _forget_old(self, second):
        """Empty the seconds that have passed since the last message, and find the least of those that are left."""
        if second == self._second:
            return
        passed = second - self._second if self._second >= 0 else SECONDS
        for back in range(SECONDS if passed < 0 else min(passed, SECONDS)):
            self._least[(second - back) % SECONDS] = NOTHING
        self._second = second
        self._now_least = NOTHING
        for gap in self._least:
            if gap != NOTHING and (self._now_least == NOTHING or signed(gap - self._now_least) < 0):
                self._now_least = gap
