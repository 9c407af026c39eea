"""The wire in virtual time: every transmission goes to the stations in its sender's earshot, and to nobody else.

Two callbacks of the clock carry a transmission: its start is the sender's own doing, its end is one entry for all
receivers. The cost depends on who hears it, not on how many stations there are.

Most receivers hear one transmission at a time. They are told of it when it is over, in one go; where another comes
beside it meanwhile, its start is made known first, and all goes step by step. What two others say to each other is
only left for the MAC to find, where it waits for nothing.
"""

from __future__ import annotations

from emulation.clocks import SimClock
from emulation.media.links import LinkTable
from emulation.randomness import mix, mix_on
from g3plc.core.ofdm import EIFS_US, ROBO, SLOT_US
from g3plc.phy.link import Link
from g3plc.phy.transceiver import Transceiver
from g3plc.phy.transmission import Transmission
from g3plc.sap import BROADCAST

Hearer = tuple[Transceiver, Link, int]
"""Who hears, how, and bit n for station n."""

EVEN = 1 << 31
"""Header error threshold of one half."""


class _OnTheWire:
    """A transmission under way.

    `reach`: bit n set for each station n that gets its energy, and for the sender. `told`, `untold`: for the receivers
    that know that it has started, and that do not.
    """

    __slots__ = ("hearers", "reach", "told", "tx", "untold")

    def __init__(self, tx: Transmission, hearers: list[Hearer], reach: int) -> None:
        self.tx = tx
        self.hearers = hearers
        self.reach = reach
        self.told = 0
        self.untold = reach ^ 1 << tx.src

    def tell(self, whom: int) -> None:
        """Tell these stations of the start, if they do not know."""
        whom &= self.untold
        if not whom:
            return
        self.told |= whom
        self.untold ^= whom
        tx = self.tx
        for transceiver, link, bit in self.hearers:
            if whom & bit:
                transceiver.energy_start(tx, link)


class SimMedium:
    """Joins the transceivers of all stations that are switched on.

    `transmissions` counts what was carried; `hearers` sums the stations that hear the header of each more often than
    not (stations under that get its energy, too).
    """

    def __init__(self, clock: SimClock, table: LinkTable, seed: int) -> None:
        self._clock = clock
        self._table = table
        self._seed = seed
        self._stations: dict[int, Transceiver] = {}
        self._keys: dict[int, int] = {}
        self._bits: dict[int, int] = {}
        self._hearers: dict[int, tuple[list[Hearer], int, int]] = {}
        self._wire: list[_OnTheWire] = []
        self._follow_ups_until = -1
        self.transmissions = 0
        self.hearers = 0

    def attach(self, station: int, transceiver: Transceiver) -> None:
        """Switch a station on (a new life replaces the old one)."""
        self._tell_all()
        self._stations[station] = transceiver
        self._bits[station] = 1 << station
        self._hearers.clear()

    def detach(self, station: int) -> None:
        """Switch a station off: it hears no more; what it is sending goes on to its end."""
        self._tell_all()
        gone = self._stations.pop(station, None)
        if gone is not None:
            gone.deafen()
        self._hearers.clear()

    def transmit(self, tx: Transmission) -> None:
        """Carry `tx` to its hearers."""
        src = tx.src
        key = self._keys.get(src)
        if key is None:
            key = self._keys[src] = mix(self._seed, src)
        tx.key = mix_on(key, tx.frame)
        if self._table.refresh(tx.start):
            self._hearers.clear()
        listeners = self._hearers.get(src)
        if listeners is None:
            listeners = self._hearers[src] = self._listeners(src, tx.start)
        hearers, good, reach = listeners
        self.transmissions += 1
        self.hearers += good
        item = _OnTheWire(tx, hearers, reach)
        beside = 0
        for other in self._wire:
            shared = other.reach & reach
            if shared:
                beside |= shared
                other.tell(shared)
        if beside:
            item.tell(beside)
        self._wire.append(item)
        self._clock.at(tx.end, self._end, item)

    def announce(self, station: int, frame: int, start: int) -> None:
        """Nothing to settle ahead of time: the clock is common to all."""

    def withdraw(self, station: int) -> None:
        """Nothing was announced."""

    def occupied(self, station: int) -> bool:
        """Energy of which the station has not been told has been there for a slot."""
        noticed = self._clock.now - SLOT_US
        bit = self._bits[station]
        for item in self._wire:  # noqa: SIM110 - a generator costs more than the search
            if item.untold & bit and item.tx.start <= noticed:
                return True
        return False

    def _tell_all(self) -> None:
        for item in self._wire:
            item.tell(item.untold)

    def _listeners(self, src: int, now: int) -> tuple[list[Hearer], int, int]:
        stations = self._stations
        hearers = [
            (stations[link.dst], link, self._bits[link.dst])
            for link in self._table.of(src, now)
            if link.dst in stations
        ]
        reach = sum(bit for _, _, bit in hearers) | 1 << src
        return hearers, sum(link.header_threshold < EVEN for _, link, _ in hearers), reach

    def _end(self, item: _OnTheWire) -> None:
        tx = item.tx
        self._wire.remove(item)
        sender = self._stations.get(tx.src)
        if sender is not None:
            sender.transmitted(tx)
        if tx.ssca:
            self._follow_ups_until = tx.end + EIFS_US
        if tx.dst == BROADCAST or tx.end <= self._follow_ups_until:
            self._end_for_all(item)
        else:
            self._end_between_two(item)

    def _end_for_all(self, item: _OnTheWire) -> None:
        tx, told = item.tx, item.told
        plain = tx.dst == BROADCAST and tx.modulation == ROBO
        for transceiver, link, bit in item.hearers:
            if told and told & bit:
                transceiver.energy_end(tx, link)
            elif plain and link.clear:
                transceiver.received(tx, link)
            else:
                transceiver.energy_alone(tx, link)

    def _end_between_two(self, item: _OnTheWire) -> None:
        """A frame or an ACK for one station: to the same effect, but kept back from those who need not know yet."""
        tx, told = item.tx, item.told
        addressee = self._stations.get(tx.dst)
        for transceiver, link, bit in item.hearers:
            if told and told & bit:
                transceiver.energy_end(tx, link)
            elif transceiver.attentive or transceiver is addressee:
                transceiver.energy_alone(tx, link)
            else:
                transceiver.unsaid = tx
                transceiver.unsaid_link = link
