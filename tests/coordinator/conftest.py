"""A network of CosemPorts without a stack below: delay, loss, duplication, routes that come and go.

The test owns time and decides the fate of every datagram. Meters are real COSEM servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coordinator.application import Coordinator
from emulation.clocks import SimClock, StationClock
from emulation.randomness import Stream
from emulation.scenario import CollectionPlan, JobOrder
from g3plc import events
from g3plc.core.env import Env
from g3plc.core.errors import UsageError
from g3plc.cosem import interface_classes as ic
from g3plc.cosem.objects import LogicalDevice
from g3plc.cosem.server import Server
from g3plc.sap import ROUTE_ERROR, SUCCESS, Route
from g3plc.wire.axdr import DOUBLE_LONG_UNSIGNED, LONG_UNSIGNED, Data

START_US = 10**15 + 7
SECOND = 1_000_000
ENERGY = bytes((1, 0, 1, 8, 0, 255))
VOLTAGE = bytes((1, 0, 32, 7, 0, 255))


class Port:
    """One station's port on the network."""

    def __init__(self, network: Network, station: int) -> None:
        self.network = network
        self.station = station
        self.user: Any = None
        self.heard: dict[int, int] = {}
        self._handle = 0
        self.new_life()

    def new_life(self) -> None:
        """Timers of the life before are gone."""
        if self.user is not None:
            self.clock.stop()
        self.clock = StationClock(self.network.clock)
        self.env = Env(self.station, self.clock, lambda purpose: Stream(1, self.station, 1, purpose), self._note)

    def _note(self, kind: Callable[..., events.Event], *fields: object) -> None:
        self.network.events.append(kind(self.network.clock.now, self.station, *fields))

    def send(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes, session: int = 0) -> int:
        self._handle += 1
        self._note(events.ApduSent, peer, src_wport, dst_wport, apdu, apdu[0], 0, session)
        self.network.carry(self, peer, (src_wport, dst_wport, apdu), self._handle)
        return self._handle

    def discover(self, peer: int) -> None:
        self.network.search(self, peer, lambda status: self.user.discovered(peer, status))

    def trace_path(self, peer: int) -> None:
        raise UsageError("not here")

    def route(self, peer: int) -> Route | None:
        return next((route for route in self.routes() if route.destination == peer), None)

    def routes(self) -> list[Route]:
        hops = self.network.hops if self.station == 0 else {0: 1}
        return [
            Route(peer, self.network.via.get(peer, peer), 4 * hops[peer], hops[peer], 0, 0) for peer in sorted(hops)
        ]

    def mac_get(self, attribute: int, index: int | None = 0) -> Any:
        rows = [(short, lqi, 255) for short, lqi in sorted(self.heard.items())]
        if attribute != 0x120 or (index is not None and index >= len(rows)):
            raise UsageError("no such row")
        return rows if index is None else rows[index]

    def adp_get(self, attribute: int, index: int = 0) -> Any:
        raise UsageError("not here")


class Meter:
    """A COSEM server with a fixed register of 1000 Wh times its number, and nothing else of a meter."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.breaker = True
        self.clock_us = 0
        number = port.station
        objects = [
            ic.register(ENERGY, lambda: Data(DOUBLE_LONG_UNSIGNED, 1000 * number), 0, 30),
            ic.data(ENERGY, lambda: Data(DOUBLE_LONG_UNSIGNED, 12345)),
            ic.register(VOLTAGE, lambda: Data(LONG_UNSIGNED, 1985), -1, 35),
            ic.clock(lambda: self.clock_us, self.set_clock, 0),
            ic.disconnect_control(lambda: self.breaker, self.switch),
        ]
        self.server = Server(port.env, {1: LogicalDevice(b"TST%d" % number, objects)})

    def set_clock(self, local_us: int) -> None:
        self.clock_us = local_us

    def switch(self, on: bool) -> None:
        self.breaker = on

    def received(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes, flow: int) -> None:
        for answer in self.server.handle(peer, src_wport, dst_wport, apdu):
            self.port.send(peer, dst_wport, src_wport, answer)

    def sent(self, handle: int, status: int) -> None:
        """Servers do not repeat."""


class Network:
    """`meters` meters and the coordinator; routes from there are in `hops` (and `via`: next hop where not direct).

    `fate(src, dst, apdu)` gives the delays after which a datagram arrives, one for each copy; nothing: lost. A search
    takes `search_us` and finds the meters of `reachable` at their distance.
    """

    def __init__(self, meters: int, plan: CollectionPlan | None = None) -> None:
        self.clock = SimClock(START_US)
        self.events: list[events.Event] = []
        self.hops: dict[int, int] = {}
        self.via: dict[int, int] = {}
        self.reachable = {meter: 1 + meter % 3 for meter in range(1, meters + 1)}
        self.search_us = 2 * SECOND
        self.searches: list[int] = []
        self.fate: Callable[[int, int, bytes], list[int]] = lambda src, dst, apdu: [50_000]
        self.ports = {station: Port(self, station) for station in range(meters + 1)}
        self.meters = {station: Meter(self.ports[station]) for station in range(1, meters + 1)}
        for station, meter in self.meters.items():
            self.ports[station].user = meter
        self.plan = plan or CollectionPlan()
        self.coordinator = self.switch_on(None)

    def switch_on(self, kept: dict[str, Any] | None) -> Coordinator:
        port = self.ports[0]
        port.new_life()
        self.coordinator = port.user = Coordinator(port, self.plan, sorted(self.meters), kept)
        self.coordinator.start()
        return self.coordinator

    # --- the test's hands

    def submit(self, verb: str, station: int = 0, job: int = 1, **fields: Any) -> None:
        self.coordinator.submit(JobOrder(job, 0, verb, station, **fields))

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + round(seconds * SECOND))

    def finish(self, limit_s: int = 36_000) -> None:
        """Run until the coordinator has nothing left to do."""
        limit = self.clock.now + limit_s * SECOND
        while self.coordinator.busy:
            assert self.clock.now < limit, "still busy"
            self.run(1)

    def of(self, kind: type[events.Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def deliver(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes) -> None:
        """Let the coordinator receive octets."""
        self.coordinator.received(peer, src_wport, dst_wport, apdu, 0)

    # --- what the ports do

    def carry(self, port: Port, peer: int, what: tuple[int, int, bytes], handle: int) -> None:
        if port.station == 0 and peer not in self.hops:
            self.search(port, peer, lambda status: self._found(port, peer, what, handle, status))
        else:
            self._leave(port, peer, what, handle)

    def search(self, port: Port, peer: int, then: Callable[[int], object]) -> None:
        self.searches.append(peer)

        def over(_arg: None) -> None:
            found = peer in self.reachable
            if found:
                self.hops[peer] = self.reachable[peer]
            then(SUCCESS if found else ROUTE_ERROR)

        self.clock.after(self.search_us, over, None)

    def _found(self, port: Port, peer: int, what: tuple[int, int, bytes], handle: int, status: int) -> None:
        if status == SUCCESS:
            self._leave(port, peer, what, handle)
        else:
            port.user.sent(handle, status)

    def _leave(self, port: Port, peer: int, what: tuple[int, int, bytes], handle: int) -> None:
        user = port.user
        self.clock.after(10_000, lambda _arg: user.sent(handle, SUCCESS) if port.user is user else None, None)
        for delay_us in self.fate(port.station, peer, what[2]):
            self.clock.after(delay_us, self._arrive, (port.station, peer, what))

    def _arrive(self, travel: tuple[int, int, tuple[int, int, bytes]]) -> None:
        src, dst, what = travel
        port = self.ports[dst]
        port.env.note(events.ApduReceived, src, *what, what[2][0], 0, 0)
        port.user.received(src, *what, 0)


@pytest.fixture
def network() -> Iterator[Callable[..., Network]]:
    """A factory of networks; at the end of the test all that happened must be fit for a canonical record."""
    made: list[Network] = []

    def make(meters: int, **plan: Any) -> Network:
        made.append(Network(meters, CollectionPlan(**plan)))
        return made[-1]

    yield make
    for each in made:
        for event in each.events:
            assert all(isinstance(part, int | bytes) or (isinstance(part, str) and part.isascii()) for part in event), (
                event
            )
