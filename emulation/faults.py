"""Applies faults to a run in virtual time: when they begin, what they touch, when they end.

Each fault has a number, shown in the `Fault` events of its begin and its end. Fault events carry station 65535:
they are nobody's doing inside the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulation.grid import fault
from emulation.grid.fault import FaultOrder
from g3plc import events

if TYPE_CHECKING:
    from emulation.sim import Simulation

NOBODY = 0xFFFF

_UNDO = {"link": "up", "cable": "mend", "station": "on", "noise": "clear", "voltage": "clear"}


class FaultBoard:
    """The faults of one run. `pending` counts those that will end by themselves."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._count = 0
        self._open: dict[int, FaultOrder] = {}
        self._note = simulation.trace.note_for(NOBODY, simulation.clock)
        self.pending = 0

    def strike(self, order: FaultOrder) -> None:
        """Begin a fault, or end those that the order's word ends."""
        order = self._resolved(order)
        self._apply(order)
        if order.ends:
            for number, begun in list(self._open.items()):
                if begun.kind == order.kind and begun.where == order.where:
                    self._close(number)
            return
        self._count += 1
        until = self._simulation.clock.now + order.for_us if order.for_us else 0
        self._open[self._count] = order
        self._say(self._count, order, "begin", until)
        if order.for_us:
            self.pending += 1
            self._simulation.clock.at(until, self._expire, self._count)

    def _expire(self, number: int) -> None:
        self.pending -= 1
        order = self._open.get(number)
        if order is not None:
            self._apply(FaultOrder(order.kind, order.where, _UNDO[order.kind], power=order.power))
            self._close(number)

    def _close(self, number: int) -> None:
        self._say(number, self._open.pop(number), "end", 0)

    def _say(self, number: int, order: FaultOrder, state: str, until_us: int) -> None:
        self._note(events.Fault, number, order.kind, order.where, order.word, order.value, state, until_us)

    def _resolved(self, order: FaultOrder) -> FaultOrder:
        """A link named by a route becomes the pair that the route uses now."""
        meter = fault.route_of(order.where) if order.kind == "link" else None
        if meter is None:
            return order
        link = self._simulation.route_link(meter) or (0, meter)
        return FaultOrder("link", f"{link[0]}-{link[1]}", order.word, order.value, order.for_us)

    def _apply(self, order: FaultOrder) -> None:
        simulation = self._simulation
        if order.kind == "link":
            for src, dst in fault.pairs(order.where):
                simulation.faults.link(src, dst, order.word, order.value)
            return
        number = int(order.where)
        if order.kind == "cable":
            simulation.faults.cable(number, order.word)
            if order.power:
                self._power_beyond(number, order.word == "mend")
        elif order.kind == "noise":
            simulation.faults.noise(number, order.value)
        elif order.kind == "voltage":
            application = simulation.applications.get(number)
            if application is not None:
                application.voltage(None if order.ends else order.value)
        else:
            self._station(number, order.word)

    def _station(self, station: int, word: str) -> None:
        if word in ("off", "reboot"):
            self._simulation.switch_off(station)
        if word in ("on", "reboot"):
            self._simulation.switch_on(station)

    def _power_beyond(self, led: int, on: bool) -> None:
        """Switch the stations beyond a cable on or off with it."""
        feeder = self._simulation.scenario.feeder
        for station, home in enumerate(feeder.stations):
            here = home
            while here not in (-1, led):
                here = feeder.parent_led[here]
            if here == led:
                (self._simulation.switch_on if on else self._simulation.switch_off)(station)
