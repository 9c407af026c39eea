"""Applies faults to a run in virtual time: when they begin, what they touch, when they end.

What is in force is worked out anew from all open faults whenever one begins or ends, so that faults may overlap and
nothing has to be undone. Each fault has a number, shown in the `Fault` events of its begin and its end. Fault events
carry station 65535: they are nobody's doing inside the network. Neighbours: `grid.fault` (the words), `sim` (the host).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from emulation.grid import fault
from emulation.grid.fault import FaultOrder
from g3plc import events

if TYPE_CHECKING:
    from emulation.sim import Simulation

NOBODY = 0xFFFF


class FaultBoard:
    """The faults of one run."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._count = 0
        self._open: dict[int, tuple[FaultOrder, int]] = {}
        self._off: set[int] = set()
        self._volts: dict[int, int] = {}
        self._note = simulation.trace.note_for(NOBODY, simulation.clock)

    @property
    def pending(self) -> int:
        """How many faults will end by themselves."""
        return sum(1 for _, until in self._open.values() if until)

    def strike(self, order: FaultOrder) -> None:
        """Begin a fault, or end those that the order's word ends. One of the same sort and place is replaced."""
        order = self._resolved(order)
        concerned = _undone if order.ends else _same
        over = {number: begun for number, (begun, _) in self._open.items() if concerned(begun, order)}
        begin: list[tuple[FaultOrder, int]] = []
        if order.ends:
            for number, begun in over.items():
                until = self._open[number][1]
                begin += [(replace(begun, where=where), until) for where in _left_over(begun, order)]
        else:
            begin.append((order, self._simulation.clock.now + order.for_us if order.for_us else 0))
        self._change(list(over), begin)

    def _expire(self, number: int) -> None:
        if number in self._open:
            self._change([number], [])

    def _change(self, over: list[int], begin: list[tuple[FaultOrder, int]]) -> None:
        gone = [(number, self._open.pop(number)[0]) for number in over]
        come: list[tuple[int, FaultOrder, int]] = []
        for order, until in begin:
            self._count = number = self._count + 1
            self._open[number] = (order, until)
            come.append((number, order, until))
            if until:
                self._simulation.clock.at(until, self._expire, number)
        self._work_out()
        for number, order in gone:
            self._say(number, order, "end", 0)
        for number, order, until in come:
            self._say(number, order, "begin", until)
            if order.word == "reboot":
                self._reboot(number)

    def _reboot(self, number: int) -> None:
        """A reboot is over when it has begun. A station without power stays off."""
        order, _ = self._open.pop(number)
        station = int(order.where)
        if station not in self._off:
            self._simulation.switch_off(station)
            self._switch_on(station)
        self._say(number, order, "end", 0)

    def _say(self, number: int, order: FaultOrder, state: str, until_us: int) -> None:
        self._note(events.Fault, number, order.kind, order.where, order.word, order.value, state, until_us)

    def _resolved(self, order: FaultOrder) -> FaultOrder:
        """A link named by a route becomes the pair that the route uses now."""
        meter = fault.route_of(order.where) if order.kind == "link" else None
        if meter is None:
            return order
        link = self._simulation.route_link(meter) or (0, meter)
        return replace(order, where=f"{link[0]}-{link[1]}")

    # -- what is in force

    def _work_out(self) -> None:
        in_force = [order for order, _ in self._open.values()]
        self._set_channel(in_force)
        self._set_voltages({int(order.where): order.value for order in in_force if order.kind == "voltage"})
        off = {station for order in in_force for station in self._without_power(order)}
        back, gone = sorted(self._off - off), sorted(off - self._off)
        self._off = off
        for station in gone:
            self._simulation.switch_off(station)
        for station in back:
            self._switch_on(station)

    def _set_channel(self, in_force: list[FaultOrder]) -> None:
        faults = self._simulation.faults
        faults.clear()
        for order in in_force:
            if order.kind == "link":
                for src, dst in fault.pairs(order.where):
                    faults.link(src, dst, order.word, order.value)
            elif order.kind == "cable":
                faults.cable(int(order.where), order.word)
            elif order.kind == "noise":
                faults.noise(int(order.where), order.value)

    def _set_voltages(self, volts: dict[int, int]) -> None:
        before, self._volts = self._volts, volts
        for station in sorted(before.keys() | volts.keys()):
            if before.get(station) != volts.get(station):
                self._force_voltage(station, volts.get(station))

    def _force_voltage(self, station: int, volts: int | None) -> None:
        application = self._simulation.applications.get(station)
        if application is not None:
            application.voltage(volts)

    def _switch_on(self, station: int) -> None:
        self._simulation.switch_on(station)
        if station in self._volts:
            self._force_voltage(station, self._volts[station])

    def _without_power(self, order: FaultOrder) -> list[int]:
        """The stations that a fault keeps switched off."""
        if order.kind == "station":
            return [int(order.where)] if order.word == "off" else []
        return self._beyond(int(order.where)) if order.kind == "cable" and order.power else []

    def _beyond(self, led: int) -> list[int]:
        """The stations that hang on a cable."""
        feeder = self._simulation.scenario.feeder
        found = []
        for station, home in enumerate(feeder.stations):
            here = home
            while here not in (-1, led):
                here = feeder.parent_led[here]
            if here == led:
                found.append(station)
        return found


def _same(begun: FaultOrder, order: FaultOrder) -> bool:
    """Whether two orders begin the same sort of fault at the same place."""
    if begun.kind != order.kind or order.kind != "link":
        return begun.kind == order.kind and begun.where == order.where
    return begun.word == order.word and set(fault.pairs(begun.where)) == set(fault.pairs(order.where))


def _undone(begun: FaultOrder, order: FaultOrder) -> bool:
    """Whether an ending order concerns a fault, even if only one of its directions."""
    if begun.kind != order.kind or order.kind != "link":
        return begun.kind == order.kind and begun.where == order.where
    return not set(fault.pairs(begun.where)).isdisjoint(fault.pairs(order.where))


def _left_over(begun: FaultOrder, order: FaultOrder) -> list[str]:
    """The directions of a link that an ending order leaves as they are."""
    if order.kind != "link":
        return []
    ended = fault.pairs(order.where)
    return [f"{src}>{dst}" for src, dst in fault.pairs(begun.where) if (src, dst) not in ended]
