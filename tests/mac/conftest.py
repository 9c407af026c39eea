"""Real MACs on a perfect shared wire: everybody hears everybody, and a test says which frames get lost.

A `Wire` logs every transmission and every event. `Ghost` energy stands for stations outside the test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulation.clocks import SimClock
from g3plc import sap
from g3plc.core import ofdm
from g3plc.core.env import Env
from g3plc.mac.config import mac_config
from g3plc.mac.layer import Mac
from g3plc.wire.loadng_msg import Rreq

T0 = 10**15 + 12_345
PAN = 0x781D


class Dice:
    """Gives the numbers that were put in, then zeros; `asked` are the bounds it was asked for."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.asked: list[int] = []

    def below(self, n: int) -> int:
        self.asked.append(n)
        return min(self.numbers.pop(0), n - 1) if self.numbers else 0


class Sent:
    """One transmission on the wire."""

    def __init__(self, src: int, start: int, end: int, dt: int, psdu: bytes = b"", **rest: int) -> None:
        self.src, self.start, self.end, self.dt, self.psdu = src, start, end, dt, psdu
        self.modulation = rest.get("modulation", 0)
        self.tone_map = rest.get("tone_map", 0x3F)
        self.dst = rest.get("dst", sap.BROADCAST)
        self.attempt = rest.get("attempt", 0)
        self.flow = rest.get("flow", 0)
        self.fcs = rest.get("fcs", -1)
        self.ssca = rest.get("ssca", 0)
        self.header = rest.get("header", -1)

    @property
    def data(self) -> bool:
        return self.dt <= sap.DT_SOF_ACK


class Port:
    """The PHY of one station, and the recorder above its MAC."""

    def __init__(self, wire: Wire, short: int, changes: dict[str, int], kept: Any, numbers: list[int]) -> None:
        self.wire, self.short = wire, short
        self.frame_number = 0
        self.sending: Sent | None = None
        self.confirms: list[tuple[int, int, int]] = []
        self.received: list[tuple[int, int, bytes]] = []
        self.received_at: list[int] = []
        self.on_confirm: Callable[[int, int], None] = lambda handle, status: None
        self.on_data: Callable[[int, int, bytes], None] = lambda src, dst, msdu: None
        self.dice = Dice(numbers)
        env = Env(short, wire.clock, lambda purpose: self.dice, self._note)
        config = mac_config(**{"mac_pan_id": PAN, "mac_short_address": short} | changes)
        self.mac = Mac(env, self, config, kept)
        self.mac.user = self

    def _note(self, kind: Any, *fields: object) -> None:
        self.wire.events.append(kind(self.wire.clock.now, self.short, *fields))

    # PhyService
    def pd_data_request(self, psdu, modulation, tone_map, ack_wanted, dst, attempt, flow):  # type: ignore[no-untyped-def]
        now = self.wire.clock.now
        end = now + ofdm.airtime_us(len(psdu), modulation, tone_map)
        self._send(
            Sent(
                self.short, now, end, sap.DT_SOF_ACK if ack_wanted else sap.DT_SOF, psdu,
                modulation=modulation, tone_map=tone_map, dst=dst, attempt=attempt, flow=flow,
            )
        )  # fmt: skip

    def pd_ack_request(self, positive, fcs, ssca, dst, flow):  # type: ignore[no-untyped-def]
        now = self.wire.clock.now
        dt = sap.DT_ACK if positive else sap.DT_NACK
        self._send(Sent(self.short, now, now + ofdm.ACK_US, dt, dst=dst, flow=flow, fcs=fcs, ssca=ssca))

    def plme_busy(self) -> bool:
        noticed = self.wire.clock.now - ofdm.SLOT_US
        return self.sending is not None or any(one.start <= noticed for one in self.wire.air)

    def plme_announce(self, start_us: int) -> None:
        pass

    def plme_withdraw(self) -> None:
        pass

    def plme_recall(self) -> None:
        """This wire tells everything at once."""

    def _send(self, one: Sent) -> None:
        assert self.sending is None, "two transmissions of one station at a time"
        self.frame_number += 1
        self.sending = one
        self.wire.put(one)

    # McpsUser
    def mcps_data_confirm(self, handle: int, status: int) -> None:
        self.confirms.append((self.wire.clock.now, handle, status))
        self.on_confirm(handle, status)

    def rreq_indication(self, src: int, rreq: Rreq, rx: sap.RxInfo) -> None:
        raise AssertionError("nobody here leaves an RREQ for others")

    def mcps_data_indication(self, src: int, dst: int, msdu: bytes, rx: sap.RxInfo) -> None:
        self.received.append((src, dst, msdu))
        self.received_at.append(self.wire.clock.now)
        self.on_data(src, dst, msdu)

    # shorthands
    def send(self, dst: int, msdu: bytes = b"hello", handle: int = 1, ack: bool = True, high: bool = False) -> None:
        before = len(self.confirms), len(self.wire.log)
        self.mac.mcps_data_request(dst, msdu, handle, ack, high, 0)
        assert (len(self.confirms), len(self.wire.log)) == before, "a request was answered from within"

    @property
    def statuses(self) -> list[int]:
        return [status for _, _, status in self.confirms]


class Wire:
    """The medium. `fate(sent, receiver)` returns "", "header" or "payload": what gets lost on the way."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.ports: dict[int, Port] = {}
        self.air: list[Sent] = []
        self.log: list[Sent] = []
        self.events: list[Any] = []
        self.fate: Callable[[Sent, int], str] = lambda sent, receiver: ""
        self.spoil: dict[tuple[int, int], bool] = {}
        self.groups_cb = [2000] * 6

    def station(self, short: int, *, kept: Any = None, numbers: list[int] | None = None, **changes: int) -> Port:
        port = self.ports[short] = Port(self, short, changes, kept, [0, 0, *(numbers or [])])
        return port

    def put(self, one: Sent) -> None:
        for other in self.air:
            self.spoil[id(one), 0] = self.spoil[id(other), 0] = True
        self.air.append(one)
        self.log.append(one)
        self.clock.at(one.end, self._end, one)

    def ghost(self, duration: int, header: int, ssca: int = 0) -> Sent:
        """Foreign energy from now on; `header` is what the hearers learn (-1: an ACK for others)."""
        now = self.clock.now
        one = Sent(-1, now, now + duration, sap.DT_ACK if header < 0 else sap.DT_SOF, header=header, ssca=ssca)
        self.put(one)
        return one

    def hand(self, port: Port, psdu: bytes, dt: int = sap.DT_SOF_ACK) -> None:
        """Octets from nowhere, to one station, now."""
        port.mac.pd_data_indication(psdu, sap.RxInfo(99, dt, 0, 0x3F, 120, self, 0))

    def frames(self, src: int | None = None) -> list[Sent]:
        return [one for one in self.log if one.data and src in (None, one.src)]

    def answers(self) -> list[Sent]:
        return [one for one in self.log if not one.data]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def run(self, us: int = 60_000_000) -> None:
        self.clock.run_until(self.clock.now + us)

    def _end(self, one: Sent) -> None:
        self.air.remove(one)
        deaf = {port.short for port in self.ports.values() if port.sending not in (None, one)}
        sender = self.ports.get(one.src)
        if sender is not None:
            sender.sending = None
            if one.data:
                sender.mac.pd_data_confirm()
        for port in list(self.ports.values()):
            if port.short != one.src:
                self._arrive(one, port, port.short in deaf or (id(one), 0) in self.spoil)

    def _arrive(self, one: Sent, port: Port, lost: bool) -> None:
        mac = port.mac
        fate = "header" if lost else self.fate(one, port.short)
        if fate == "header":
            mac.pd_channel_indication(sap.HEADER_LOST)
        elif not one.data:
            mac.pd_ack_indication(one.dt == sap.DT_ACK, one.fcs, one.ssca)
        elif one.header >= 0:
            mac.pd_channel_indication(one.header)
        elif one.dst not in (port.short, sap.BROADCAST):
            mac.pd_channel_indication(one.dt)
        elif fate == "payload":
            if one.dst == sap.BROADCAST:
                mac.pd_channel_indication(one.dt)
            else:
                fcs = int.from_bytes(one.psdu[-2:], "little")
                mac.pd_payload_lost_indication(fcs, one.dt == sap.DT_SOF_ACK, one.src, one.flow)
        else:
            mac.pd_data_indication(
                one.psdu,
                sap.RxInfo(one.src, one.dt, one.modulation, one.tone_map, 120, self, one.flow),
            )


@pytest.fixture
def clock() -> SimClock:
    return SimClock(start_us=T0)


@pytest.fixture
def wire(clock: SimClock) -> Wire:
    return Wire(clock)


@pytest.fixture
def new_wire() -> Callable[..., Wire]:
    """For tests that need many, or one whose equal-time callbacks run in another order than that of insertion."""
    return lambda tie_order=None: Wire(SimClock(start_us=T0, order=tie_order))
