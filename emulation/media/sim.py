"""The wire in virtual time: every transmission goes to the stations in its sender's earshot, and to nobody else.

Two callbacks of the clock carry a transmission: its start is the sender's own doing, its end is one entry for all
receivers. The cost depends on who hears it, not on how many stations there are.
"""

from __future__ import annotations

from emulation.clocks import SimClock
from emulation.media.links import LinkTable
from emulation.randomness import mix
from g3plc.phy.link import Link
from g3plc.phy.transceiver import Transceiver
from g3plc.phy.transmission import Transmission

Hearer = tuple[Transceiver, Link]

EVEN = 1 << 31
"""Header error threshold of one half."""


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
        self._hearers: dict[int, tuple[list[Hearer], int]] = {}
        self.transmissions = 0
        self.hearers = 0

    def attach(self, station: int, transceiver: Transceiver) -> None:
        """Switch a station on (a new life replaces the old one)."""
        self._stations[station] = transceiver
        self._hearers.clear()

    def detach(self, station: int) -> None:
        """Switch a station off: it hears no more; what it is sending goes on to its end."""
        gone = self._stations.pop(station, None)
        if gone is not None:
            gone.deafen()
        self._hearers.clear()

    def transmit(self, tx: Transmission) -> None:
        """Carry `tx` to its hearers."""
        src = tx.src
        tx.key = mix(self._seed, src, tx.frame)
        if self._table.refresh(tx.start):
            self._hearers.clear()
        listeners = self._hearers.get(src)
        if listeners is None:
            listeners = self._hearers[src] = self._listeners(src, tx.start)
        hearers, good = listeners
        self.transmissions += 1
        self.hearers += good
        for transceiver, link in hearers:
            transceiver.energy_start(tx, link)
        self._clock.at(tx.end, self._end, (tx, hearers))

    def announce(self, station: int, frame: int, start: int) -> None:
        """Nothing to settle ahead of time: the clock is common to all."""

    def withdraw(self, station: int) -> None:
        """Nothing was announced."""

    def announced(self, station: int, now: int) -> bool:
        """What is on the wire is known to all at once."""
        return False

    def _listeners(self, src: int, now: int) -> tuple[list[Hearer], int]:
        stations = self._stations
        hearers = [(stations[link.dst], link) for link in self._table.of(src, now) if link.dst in stations]
        return hearers, sum(link.header_threshold < EVEN for _, link in hearers)

    def _end(self, item: tuple[Transmission, list[Hearer]]) -> None:
        tx, hearers = item
        sender = self._stations.get(tx.src)
        if sender is not None:
            sender.transmitted(tx)
        for transceiver, link in hearers:
            transceiver.energy_end(tx, link)
