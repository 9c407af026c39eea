"""Stations among neighbours that lie: forged, mutated, repeated and torn messages between honest ones."""

from __future__ import annotations

import pytest

from emulation.randomness import Stream
from g3plc import sap
from g3plc.events import Dropped
from g3plc.wire import iphc, ipv6, udp
from g3plc.wire import loadng_msg as msg
from g3plc.wire.frag import Frag1, FragN
from g3plc.wire.lowpan import Bc0, Mesh

PAN = 0x781D
MOST_SENT = 400
"""Frames that one lie may set free: a flood of three searches among nine stations."""


class Liar:
    """Makes octets. `heard` are the frames that the honest stations have sent so far."""

    def __init__(self, seed, stations):
        self.below = Stream(seed, 0, 1, "liar").below
        self.stations = stations
        self.heard = []

    def one_of(self, *choices):
        return choices[self.below(len(choices))]

    def octets(self, most):
        return bytes(self.below(256) for _ in range(self.below(most + 1)))

    def somebody(self):
        return self.below(self.stations) if self.below(3) else self.one_of(self.stations, 0x7FFF, 0x8001, 0xFFFF)

    def number(self):
        return self.one_of(1, 2, 2, 3, self.below(1 << 16), 0xFFFF, 0, 0x8000)

    def hops(self):
        return tuple(msg.Hop(self.somebody(), self.below(256), self.below(256)) for _ in range(self.below(33)))

    def routing(self):
        a, b, number = self.somebody(), self.somebody(), self.number()
        metric, cost, limit = self.one_of(15, 15, 0, 7), self.one_of(0, 5, 50, 0xFFFF), self.one_of(0, 1, 8, 15)
        more = metric, cost, limit, self.below(16), self.below(16)
        return self.one_of(
            msg.Rreq(a, b, number, *more, bool(self.below(2)), bool(self.below(2))),
            msg.Rreq(a, b, number, *more),
            msg.Rrep(a, b, number, *more),
            msg.Rrep(a, b, number, *more, ack_required=True),
            msg.Rerr(a, b, self.below(4), self.somebody(), limit),
            msg.RrepAck(a, b, number),
            msg.Preq(a, b, 15, self.hops()[:16]),
            msg.Prep(a, b, 15, self.somebody(), self.hops()),
            msg.RlcReq(a, b, 15),
            msg.RlcRep(a, b, 15, self.below(256)),
        ).encode()

    def mesh(self):
        return Mesh(self.one_of(0, 1, 2, 8, 14, 200), self.somebody(), self.somebody()).encode()

    def datagram(self):
        a, b = self.below(self.stations), self.below(self.stations)
        here, there = ipv6.link_local(PAN, a), ipv6.link_local(PAN, b)
        inner = udp.pack(here, there, self.one_of(4059, 61616, 61440, 1), 4059, self.octets(40))
        return iphc.compress(ipv6.pack(here, there, self.one_of(17, 17, 58), inner), PAN, a, b)

    def fragment(self):
        size, tag = self.one_of(64, 100, 1280, 2047), self.below(3)
        if self.below(2):
            return Frag1(size, tag).encode() + self.datagram()
        return FragN(size, tag, 8 * (1 + self.below((size - 1) // 8))).encode() + self.octets(60) + b"z"

    def again(self):
        return self.heard[self.below(len(self.heard))] if self.heard else self.routing()

    def lie(self):
        whole = self.one_of(
            self.routing, self.routing, self.again, self.again,
            lambda: self.mesh() + self.datagram(),
            lambda: self.mesh() + Bc0(self.below(3)).encode() + self.datagram(),
            self.datagram, self.fragment, lambda: self.mesh() + self.fragment(), lambda: self.octets(50) + b"\x40",
        )()  # fmt: skip
        torn = bytearray(whole[: len(whole) - self.below(8)] if not self.below(6) else whole)
        for _ in range(self.one_of(0, 0, 1, 3)):
            if torn:
                torn[self.below(min(len(torn), self.one_of(8, 20, 400)))] ^= 1 << self.below(8)
        return bytes(torn[:400]) or b"\x40"


def town(make_net, liar, profile, seed):
    rlc, repair = liar.one_of(0, 0, 1), liar.below(2)
    net = make_net(profile, seed, rlc_enabled=rlc, local_repair=repair)
    net.add(range(liar.stations))
    for a in range(liar.stations):
        for b in range(a + 1, liar.stations):
            if b == a + 1 or not liar.below(3):
                net.link(a, b, 20 + liar.below(235))
    return net


def better_and_better(net, liar):
    """The same message again and again, each time at a lower price: all of them are believed and passed on."""
    kind, a, b, number = liar.one_of(msg.Rreq, msg.Rrep), liar.below(liar.stations), liar.somebody(), liar.number()
    victim, src = net.stations[liar.below(liar.stations)], liar.below(liar.stations)
    for cost in (40, 30, 20, 10):
        if not liar.below(3):
            victim.mac.statuses = [liar.one_of(sap.SUCCESS, sap.SUCCESS, sap.NO_ACK) for _ in range(liar.below(5))]
        victim.hear(src, kind(a, b, number, 15, cost, 8, liar.below(4)).encode(), 200)
        net.run(liar.one_of(0, 0.01, 0.2, 0.6, 1.2))


@pytest.mark.parametrize("profile", ["demo", "g3", "metering", "draft15"])
@pytest.mark.parametrize("seed", range(40))
def test_lies_are_survived_and_set_no_more_free_than_a_flood(make_net, profile, seed):
    liar = Liar(seed, (3, 5, 9)[seed % 3])
    net = town(make_net, liar, profile, seed)
    net.stations[0].send(liar.stations - 1)
    for _ in range(30):
        liar.heard = [octets for _, _, octets, *_ in net.sent[-60:]]
        before = len(net.sent)
        if liar.below(5):
            hearer = net.stations[liar.below(liar.stations)]
            hearer.hear(liar.somebody(), liar.lie(), liar.one_of(0, 10, 100, 255), liar.one_of(None, 0xFFFF, 0x8001))
        else:
            better_and_better(net, liar)
        if not liar.below(4):
            net.stations[liar.below(liar.stations)].send(liar.below(liar.stations), bytes(liar.one_of(5, 500, 1200)))
        net.run(liar.one_of(0, 0.01, 0.3, 3, 60))
        assert len(net.sent) - before <= MOST_SENT
    net.run(300)
    quiet = len(net.sent)
    net.run(300)
    assert len(net.sent) == quiet, "what was set free comes to an end"
    for node in net.stations.values():
        assert len(node.loadng.rows("routing_table")) <= node.config.routing_table_size
        assert len(node.loadng.rows("blacklist")) <= node.config.blacklist_size
        assert all(handle in node.confirms for handle in range(1, node.handle + 1)), "each request has its confirm"
    assert all(event.reason.isascii() and event.reason for event in net.of(Dropped))
