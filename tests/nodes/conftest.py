"""A meter on a port that records what it sends, in virtual time from a large offset."""

from __future__ import annotations

import pytest

from emulation.clocks import SimClock, StationClock
from emulation.randomness import Stream
from g3plc.core.env import Env
from nodes.meter import Meter, MeterConfig

START_US = 9_876_543_210_987
EPOCH_S = 1_768_521_600  # 2026-01-16 00:00:00 UTC


class Port:
    """A CosemPort; `status` is what every send gets a little later, None: nothing."""

    def __init__(self, node, clock):
        self.clock = clock
        self.trace = []
        self.env = Env(
            node,
            clock,
            lambda purpose: Stream(7, node, 1, purpose),
            lambda kind, *fields: self.trace.append(kind(clock.now, node, *fields)),
        )
        self.user = None
        self.status = 0
        self.sends = []

    def send(self, peer, src_wport, dst_wport, apdu, session=0):
        self.sends.append((self.clock.now, peer, src_wport, dst_wport, apdu))
        handle = len(self.sends)
        if self.status is not None:
            status = self.status
            self.clock.after(1_000_000, lambda _: self.user.sent(handle, status), None)
        return handle


class Bench:
    def __init__(self, kept=None, clock=None, **settings):
        self.clock = clock or SimClock(START_US)
        settings.setdefault("number", 17)
        self.life = StationClock(self.clock)
        self.port = Port(settings["number"], self.life)
        self.meter = Meter(self.port, MeterConfig(epoch_s=EPOCH_S, seed=5, **settings), kept)
        self.port.user = self.meter
        self.meter.start()

    def ask(self, octets, client=16):
        """Send octets to the management device; returns the answer or None."""
        before = len(self.port.sends)
        self.meter.received(0, client, 1, octets, 0)
        answers = self.port.sends[before:]
        assert all(answer[1:4] == (0, 1, client) for answer in answers)
        return answers[0][4] if answers else None


@pytest.fixture
def bench():
    return Bench
