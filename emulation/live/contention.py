"""Who gets the channel, settled from stamps before anybody sends.

Carrier sense to one slot is finer than a broker's latency. So a station says when it means to start as soon as it has
drawn its slot, and at its own start it takes as busy every announcement or frame in its earshot that starts at least
a slot earlier; the same slot is a true collision. A station that knows already that it will find the channel busy
takes its announcement back at once, and renews it when the reason goes away, so that stations that hear it but not
the reason need not wait for a frame that does not come. An announcement that nothing follows lapses after the
longest frame.

Stations of this process have claims; announcements of all stations, one's own process included, come in through
the broker. Times are emulated microseconds. Neighbour: `medium`.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from g3plc.core.ofdm import HEADER_US, MAX_SYMBOLS, SLOT_US, SYMBOL_US

LAPSE_US = HEADER_US + MAX_SYMBOLS * SYMBOL_US
"""After its start an announcement without its frame counts for so long: a frame that comes later is late."""


class Claim:
    """What a station of this process has announced. `standing`: it has not been taken back."""

    __slots__ = ("frame", "standing", "start")

    def __init__(self, frame: int, start: int) -> None:
        self.frame = frame
        self.start = start
        self.standing = False


class Contention:
    """The announcements in the air.

    `hearers(sender)`: stations of this process in earshot of a sender. `announce(station, frame, start)`,
    `withdraw(station, frame)`: tell the others. `released(station)`: what the station was told to wait for will not
    come.
    """

    def __init__(
        self,
        hearers: Callable[[int], Container[int]],
        announce: Callable[[int, int, int], None],
        withdraw: Callable[[int, int], None],
        released: Callable[[int], None],
    ) -> None:
        self._hearers = hearers
        self._announce = announce
        self._withdraw = withdraw
        self._released = released
        self._claims: dict[int, Claim] = {}
        self._announced: dict[int, tuple[int, int]] = {}
        self._on_air: dict[int, tuple[int, int]] = {}
        self._waiting: dict[int, int] = {}

    # -- stations of this process

    def claim(self, station: int, frame: int, start: int) -> None:
        """A slot was drawn."""
        before = self._claims.get(station)
        claim = self._claims[station] = Claim(frame, start)
        if self._blocker(station, start) is None:
            claim.standing = True
            self._announce(station, frame, start)
        elif before is not None and before.standing:
            self._withdraw(station, before.frame)

    def give_up(self, station: int) -> None:
        """The slot was busy: the frame will not start then."""
        claim = self._claims.pop(station, None)
        if claim is not None and claim.standing:
            self._withdraw(station, claim.frame)

    def started(self, station: int) -> None:
        """The station's frame starts; the frame itself tells the others."""
        self._claims.pop(station, None)

    def busy(self, station: int, now: int) -> bool:
        """Whether an announcement keeps a station from starting now. It is told when the reason goes away.

        Frames that are known already are the receiver's own business.
        """
        blocker = self._announcer(station, now - SLOT_US)
        if blocker is None:
            return False
        self._waiting[station] = blocker
        return True

    def drop(self, station: int) -> None:
        """The station is switched off."""
        self.give_up(station)
        self._waiting.pop(station, None)

    # -- what comes in

    def announced(self, sender: int, frame: int, start: int) -> None:
        """A station means to start then."""
        before = self._announced.get(sender)
        self._announced[sender] = (frame, start)
        if before is not None and start > before[1]:
            self._release(sender)
        self._review(sender)

    def withdrawn(self, sender: int) -> None:
        """A station has taken back what it announced."""
        if self._announced.pop(sender, None) is not None:
            self._release(sender)
            self._review(sender)

    def frame(self, sender: int, start: int, end: int) -> None:
        """A frame of a station is on the air; with it an announcement is made true."""
        self._announced.pop(sender, None)
        self._on_air[sender] = (start, end)
        hearers = self._hearers(sender)
        for station in [station for station, blocker in self._waiting.items() if blocker == sender]:
            del self._waiting[station]
            if station not in hearers:
                self._released(station)
        self._review(sender)

    def answer(self, sender: int, start: int, end: int) -> None:
        """An ACK or NACK is on the air; what its sender has announced still stands."""
        self._on_air[sender] = (start, end)
        self._review(sender)

    def over(self, sender: int, end: int) -> None:
        """What a station had on the air has ended."""
        if self._on_air.get(sender, (0, 0))[1] <= end:
            self._on_air.pop(sender, None)

    def lapse(self, now: int) -> None:
        """Forget announcements that nothing followed."""
        for sender in [sender for sender, (_, start) in self._announced.items() if start + LAPSE_US <= now]:
            self.withdrawn(sender)

    @property
    def waits(self) -> bool:
        """Whether a station waits for what was announced."""
        return bool(self._waiting)

    # -- parts

    def _blocker(self, station: int, start: int) -> int | None:
        """A station whose energy will be noticed at `start`."""
        noticed = start - SLOT_US
        for sender, (begin, end) in self._on_air.items():
            if begin <= noticed and end > start and station in self._hearers(sender):
                return sender
        return self._announcer(station, noticed)

    def _announcer(self, station: int, noticed: int) -> int | None:
        """A station in earshot that means to have started by then."""
        for sender, (_, begin) in self._announced.items():
            if noticed - LAPSE_US < begin <= noticed and sender != station and station in self._hearers(sender):
                return sender
        return None

    def _review(self, sender: int) -> None:
        """Something has changed about `sender`: which claims in its earshot does that touch?"""
        if not self._claims:
            return
        hearers = self._hearers(sender)
        for station, claim in self._claims.items():
            if station not in hearers:
                continue
            free = self._blocker(station, claim.start) is None
            if free and not claim.standing:
                self._announce(station, claim.frame, claim.start)
            elif not free and claim.standing:
                self._withdraw(station, claim.frame)
            claim.standing = free

    def _release(self, sender: int) -> None:
        for station in [station for station, blocker in self._waiting.items() if blocker == sender]:
            del self._waiting[station]
            self._released(station)
