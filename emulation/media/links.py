"""Who hears whom now: the channel with the faults of the moment laid over it.

Both media use this: the one in virtual time asks for all receivers of a sender, an agent on a broker for itself.
"""

from __future__ import annotations

from emulation.media.channel import Channel
from emulation.randomness import mix64
from g3plc.phy.link import Link, Salts, salts_of

PERCENT = (1 << 32) // 100

SENSE_FLOOR_CB = -800
"""Energy so far under the noise is not sensed: one header in five thousand would be decoded, and as interference it
adds less than 0.7 dB. Such pairs have no link."""


class ChannelFaults:
    """The faults in force, as the channel sees them. Change them through the methods, which count `version` up.

    Pairs are directed (sender, receiver); attenuation and noise in 1/100 dB; loss in percent of frames.
    """

    __slots__ = ("cuts", "down", "loss_percent", "noise_cb", "version", "weak_cb")

    def __init__(self) -> None:
        self.down: set[tuple[int, int]] = set()
        self.weak_cb: dict[tuple[int, int], int] = {}
        self.loss_percent: dict[tuple[int, int], int] = {}
        self.noise_cb: dict[int, int] = {}
        self.cuts: set[int] = set()
        self.version = 0

    def clear(self) -> None:
        """No fault is in force."""
        for known in (self.down, self.weak_cb, self.loss_percent, self.noise_cb, self.cuts):
            known.clear()
        self.version += 1

    def link(self, src: int, dst: int, word: str, value: int) -> None:
        """`word` for the directed pair: down, up (all faults of the pair are over), weak (dB), loss (percent)."""
        pair = (src, dst)
        if word == "up":
            self.down.discard(pair)
            self.weak_cb.pop(pair, None)
            self.loss_percent.pop(pair, None)
        elif word == "down":
            self.down.add(pair)
        elif word == "weak":
            self.weak_cb[pair] = value * 100
        else:
            self.loss_percent[pair] = value
        self.version += 1

    def cable(self, led: int, word: str) -> None:
        """`cut` or `mend` the cable between `led` and its parent LED."""
        if word == "cut":
            self.cuts.add(led)
        else:
            self.cuts.discard(led)
        self.version += 1

    def noise(self, station: int, decibel: int) -> None:
        """More noise at a receiver, in dB; 0 clears."""
        if decibel:
            self.noise_cb[station] = decibel * 100
        else:
            self.noise_cb.pop(station, None)
        self.version += 1


class LinkTable:
    """Links by sender, made when first asked for and thrown away when noise or faults change."""

    __slots__ = ("_bucket", "_channel", "_known_salts", "_links", "_offsets_of", "_version", "faults")

    def __init__(self, channel: Channel, faults: ChannelFaults) -> None:
        self._channel = channel
        self._offsets_of = channel.group_offsets_cb
        self.faults = faults
        self._links: dict[int, list[Link]] = {}
        self._known_salts: dict[int, Salts] = {}
        self._bucket = -1
        self._version = 0

    def refresh(self, now: int) -> bool:
        """Forget the links if they are out of date at `now`; true if they were."""
        bucket = self._channel.bucket(now)
        faults = self.faults
        if bucket == self._bucket and faults.version == self._version:
            return False
        if faults.version != self._version:
            self._channel.set_cuts(sorted(faults.cuts))
        self._bucket = bucket
        self._version = faults.version
        self._links.clear()
        return True

    def of(self, src: int, now: int) -> list[Link]:
        """The links from `src` to every station that its energy reaches, by station number."""
        links = self._links.get(src)
        if links is None:
            links = self._links[src] = [
                link
                for dst, level in self._channel.levels_cb(src)
                if (link := self._make(src, dst, level, now)) is not None
            ]
        return links

    def _make(self, src: int, dst: int, level: int, now: int) -> Link | None:
        channel, faults = self._channel, self.faults
        pair = (src, dst)
        noise = channel.noise_cb(dst, now)
        # Added only where there is something to add, so that the links of a receiver share one number.
        if pair in faults.weak_cb:
            level -= faults.weak_cb[pair]
        if dst in faults.noise_cb:
            noise += faults.noise_cb[dst]
        if level - noise < SENSE_FLOOR_CB:
            return None
        return Link(
            src,
            dst,
            level,
            noise,
            self._offsets_of,
            pair in faults.down,
            faults.loss_percent.get(pair, 0) * PERCENT,
            self._salts(dst),
        )

    def _salts(self, dst: int) -> Salts:
        salts = self._known_salts.get(dst)
        if salts is None:
            salts = self._known_salts[dst] = salts_of(mix64(dst))
        return salts
