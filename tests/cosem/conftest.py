"""A datagram link between two applications: loss, duplication and delay from an addressed stream, in virtual time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from emulation.clocks import SimClock
from emulation.randomness import Stream
from g3plc import events
from g3plc.core.env import Env
from g3plc.cosem.client_sessions import ClientSessions
from g3plc.cosem.config import ServerConfig
from g3plc.cosem.interface_classes import association_ln
from g3plc.cosem.objects import Attribute, CosemObject, LogicalDevice, Method, constant
from g3plc.cosem.server import Server
from g3plc.wire.axdr import DOUBLE_LONG_UNSIGNED, INTEGER, UNSIGNED, Data

START_US = 9_876_543_210_987
HOP_US = 50_000


class Port:
    """A CosemPort. `refuse` is a list of statuses that the next sends get instead of SUCCESS. While `stale`, the route
    leads nowhere though the first hop takes everything; `discover` finds a good one at once."""

    def __init__(self, link, node):
        self.link = link
        self.node = node
        self.env = Env(node, link.clock, lambda purpose: Stream(7, node, 1, purpose), self.note)
        self.user = None
        self.refuse = []
        self.silent = False
        self.stale = False
        self.sends = []
        self.searches = []

    def note(self, kind, *fields):
        self.link.trace.append(kind(self.link.clock.now, self.node, *fields))

    def send(self, peer, src_wport, dst_wport, apdu, session=0):
        self.link.handles += 1
        handle = self.link.handles
        self.sends.append((self.link.clock.now, peer, src_wport, dst_wport, apdu))
        if self.silent:
            return handle
        status = self.refuse.pop(0) if self.refuse else 0
        self.link.clock.after(HOP_US // 2, lambda _: self.user.sent(handle, status), None)
        if status == 0 and not self.stale:
            self.link.carry(self.node, peer, src_wport, dst_wport, apdu)
        return handle

    def discover(self, peer):
        self.searches.append((self.link.clock.now, peer))
        self.stale = False

    @property
    def octets(self):
        return [sent[4] for sent in self.sends]


class Link:
    def __init__(self, seed=1, loss=0, duplicates=0, jitter_us=0, copy_us=HOP_US // 2):
        self.clock = SimClock(START_US)
        self.stream = Stream(seed, 0, 1, "link")
        self.loss = loss
        self.duplicates = duplicates
        self.jitter_us = jitter_us
        self.copy_us = copy_us
        self.handles = 100
        self.trace = []
        self.ports = {}

    def port(self, node):
        self.ports[node] = Port(self, node)
        return self.ports[node]

    def carry(self, src, dst, src_wport, dst_wport, apdu):
        delays = [HOP_US + self.stream.below(self.jitter_us + 1)]
        if self.stream.below(1000) < self.duplicates:
            delays.append(delays[0] + self.stream.below(self.copy_us))
        for delay in delays:
            if self.stream.below(1000) >= self.loss:
                self.clock.after(delay, self._arrive, (src, dst, src_wport, dst_wport, apdu))

    def _arrive(self, datagram):
        src, dst, src_wport, dst_wport, apdu = datagram
        self.ports[dst].user.received(src, src_wport, dst_wport, apdu, 0)

    def noted(self, kind, node=None):
        return [event for event in self.trace if isinstance(event, kind) and node in (None, event.node)]


OBIS_COUNTER = bytes((0, 0, 96, 15, 0, 255))
OBIS_VALUE = bytes((1, 0, 1, 8, 0, 255))


def make_device(runs, store):
    """An object that counts its invocations, a register, and one that can be written."""

    def run(_context, data):
        runs.append(data.value)
        return 0, Data(UNSIGNED, len(runs))

    def write(_context, data):
        runs.append(data.value)
        store["value"] = data.value
        return 0

    return LogicalDevice(
        b"GGWtest",
        [
            association_ln(),
            CosemObject(
                1,
                0,
                OBIS_COUNTER,
                {2: Attribute(lambda _c: Data(UNSIGNED, store["value"]), write, (UNSIGNED,)), 3: Attribute(None)},
                {1: Method(run, (INTEGER,))},
            ),
            CosemObject(3, 0, OBIS_VALUE, {2: constant(Data(DOUBLE_LONG_UNSIGNED, 12345))}),
        ],
    )


class ServerUser:
    def __init__(self, port, config=None):
        self.port = port
        self.runs = []
        self.store = {"value": 0}
        self.config = config
        port.user = self
        self.reboot()

    def reboot(self):
        self.server = Server(self.port.env, {1: make_device(self.runs, self.store)}, self.config)

    def received(self, peer, src_wport, dst_wport, apdu, flow):
        for answer in self.server.handle(peer, src_wport, dst_wport, apdu):
            self.port.send(peer, dst_wport, src_wport, answer)

    def sent(self, handle, status):
        pass


class ClientUser:
    def __init__(self, port):
        self.port = port
        self.sessions = ClientSessions(port, port.env.rng("app"))
        self.results = []
        self.outcomes = []
        self.foreign = []
        port.user = self

    def open(self, requests=(), config=None, peer=17, **options):
        return self.sessions.open(
            peer,
            requests,
            config,
            lambda *result: self.results.append(result),
            self.outcomes.append,
            **options,
        )

    def received(self, peer, src_wport, dst_wport, apdu, flow):
        if not self.sessions.received(peer, src_wport, dst_wport, apdu):
            self.foreign.append(apdu)

    def sent(self, handle, status):
        self.sessions.sent(handle, status)


@pytest.fixture
def pair():
    """A function that joins a client (station 0) and a server (station 17) by a link."""

    def build(server_config: ServerConfig | None = None, **link_options):
        link = Link(**link_options)
        return SimpleNamespace(
            link=link,
            clock=link.clock,
            client=ClientUser(link.port(0)),
            server=ServerUser(link.port(17), server_config),
            events=events,
            counter=OBIS_COUNTER,
            value=OBIS_VALUE,
        )

    return build


@pytest.fixture
def alone(pair):
    """A function that opens a session to a silent peer; it returns (world, session)."""

    def build(requests=(), config=None, **options):
        world = pair()
        world.server.port.user = world.client  # what is sent to 17 is lost on a client without sessions of that key
        return world, world.client.open(requests, config, **options)

    return build
