"""Applies the director's retained fault records to the stations of one process, each at its stamps.

What is in force is worked out anew from all records whenever one begins, ends or is cleared, so that nothing has to be
undone and the order of arrival does not matter. Neighbours: `records.FaultRecord`, `live_run`, `host`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from emulation.grid import fault
from emulation.grid.feeder import Feeder
from emulation.live.clock import LoopClock
from emulation.live.records import FaultRecord
from emulation.media.links import ChannelFaults

_CHANNEL = ("link", "cable", "noise")


class FaultWatch:
    """The records of one run. Faults of the channel go into `faults`.

    `changed()` is called, on the clock, when `off` or `volts` may have changed: the stations that have no power, with
    the fault that took it, and the forced voltages. `reboot(station, at_us)` is called for stations that have to
    start anew.
    """

    def __init__(
        self,
        clock: LoopClock,
        feeder: Feeder,
        faults: ChannelFaults,
        changed: Callable[[], None],
        reboot: Callable[[int, int], None],
    ) -> None:
        self._clock = clock
        self._feeder = feeder
        self._faults = faults
        self._changed = changed
        self._reboot = reboot
        self._records: dict[int, FaultRecord] = {}
        self._in_force: list[FaultRecord] = []
        self._rebooted: set[int] = set()
        self.off: dict[int, int] = {}
        self.volts: dict[int, int] = {}

    def put(self, record: FaultRecord) -> None:
        """A record came in, new or again."""
        if self._records.get(record.id) == record:
            return
        self._records[record.id] = record
        reached = self._clock.reached
        for when in (record.from_us, record.until_us):
            if when > reached:
                self._clock.at(when, self._work_out, None)
        self._clock.soon(self._work_out, None)

    def clear(self, number: int) -> None:
        """A record was cleared."""
        if self._records.pop(number, None) is not None:
            self._clock.soon(self._work_out, None)

    def keep_only(self, numbers: Iterable[int]) -> None:
        """After the broker came back: records that were not seen again are over."""
        wanted = set(numbers)
        for number in list(self._records):
            if number not in wanted:
                self.clear(number)

    def _work_out(self, _: None) -> None:
        now = self._clock.now
        in_force = [
            record
            for _, record in sorted(self._records.items())
            if record.from_us <= now and (not record.until_us or now < record.until_us or _is_moment(record))
        ]
        if in_force == self._in_force:
            return
        before = [record for record in self._in_force if record.order.kind in _CHANNEL]
        self._in_force = in_force
        if [record for record in in_force if record.order.kind in _CHANNEL] != before:
            self._set_channel()
        self._set_stations()
        self._changed()

    def _set_channel(self) -> None:
        faults = self._faults
        for known in (faults.down, faults.weak_cb, faults.loss_percent, faults.noise_cb, faults.cuts):
            known.clear()
        faults.version += 1
        for record in self._in_force:
            order = record.order
            if order.kind == "link":
                for src, dst in fault.pairs(order.where):
                    faults.link(src, dst, order.word, order.value)
            elif order.kind == "cable":
                faults.cable(int(order.where), order.word)
            elif order.kind == "noise":
                faults.noise(int(order.where), order.value)

    def _set_stations(self) -> None:
        self.off.clear()
        self.volts.clear()
        for record in self._in_force:
            order = record.order
            if order.kind == "cable" and order.power:
                for station in self._beyond(int(order.where)):
                    self.off.setdefault(station, record.id)
            elif order.kind == "voltage":
                self.volts[int(order.where)] = order.value
            elif order.kind == "station" and order.word == "off":
                self.off.setdefault(int(order.where), record.id)
            elif order.kind == "station" and order.word == "reboot" and record.id not in self._rebooted:
                self._rebooted.add(record.id)
                self._reboot(int(order.where), record.from_us)

    def _beyond(self, led: int) -> list[int]:
        """The stations behind a cable."""
        parents = self._feeder.parent_led
        found = []
        for station, home in enumerate(self._feeder.stations):
            here = home
            while here not in (-1, led):
                here = parents[here]
            if here == led:
                found.append(station)
        return found


def _is_moment(record: FaultRecord) -> bool:
    """A reboot happens and is over; it has no length."""
    return record.order.word == "reboot"
