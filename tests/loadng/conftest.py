"""Real adaptation layers and LOADngs over a small MAC without contention, on a topology that a test draws.

A frame takes 20 ms; an acknowledged one is confirmed 5 ms later, an unacknowledged one after 200 ms. Each station
sends one frame at a time. Links are directed, each with the LQI at its receiver.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from emulation.clocks import SimClock
from emulation.randomness import Stream
from g3plc import sap
from g3plc.adp.config import AdpConfig
from g3plc.adp.layer import Adp
from g3plc.core.env import Env
from g3plc.loadng.layer import Loadng
from g3plc.loadng.profiles import profile
from g3plc.sap import BROADCAST, RxInfo
from g3plc.wire import ipv6, udp

sys.modules.setdefault("routing_net", sys.modules[__name__])
T0 = 10**15 + 777
PAN = 0x781D
AIR_US = 20_000
ACK_US = 5_000
NO_ACK_US = 200_000
SECOND = 1_000_000


class Flat:
    """The same SNR on all carriers."""

    groups_cb = (0,) * 6


def rx_info(src: int, lqi: int, flow: int, now: int) -> RxInfo:
    return RxInfo(src, 0, 0, 0x3F, lqi, Flat(), flow)


class Known:
    """A neighbour-table entry."""

    def __init__(self, short: int, reverse_lqi: int) -> None:
        self.short, self.modulation, self.tone_map, self.reverse_lqi = short, 0, 0x3F, reverse_lqi


class TinyMac:
    def __init__(self, net: Net, short: int) -> None:
        self.net, self.short = net, short
        self.free_at = 0
        self.user: Any = None
        self.known: dict[int, Known] = {}
        self.statuses: list[int] = []

    def mcps_data_request(self, dst: int, msdu: bytes, handle: int, ack: bool, high_priority: bool, flow: int) -> None:
        assert ack == (dst != BROADCAST)
        assert 0 < len(msdu) <= 400
        start = max(self.net.clock.now, self.free_at)
        self.free_at = start + AIR_US + ACK_US
        self.net.clock.at(start + AIR_US, self._arrive, (dst, msdu, handle, flow, high_priority))

    def _arrive(self, item: tuple[int, bytes, int, int, bool]) -> None:
        dst, msdu, handle, flow, high = item
        net = self.net
        net.sent.append((self.short, dst, msdu, flow, high))
        heard = [b for (a, b) in sorted(net.links) if a == self.short and (dst in (b, BROADCAST))]
        heard = [b for b in heard if b in net.stations and not net.lose(self.short, b, msdu)]
        status, wait = sap.SUCCESS, ACK_US
        if self.statuses:
            status = self.statuses.pop(0)
            heard = []
        elif dst != BROADCAST and not (heard and (dst, self.short) in net.links):
            status, wait = sap.NO_ACK, NO_ACK_US
            self.free_at = max(self.free_at, net.clock.now + wait)
        for b in heard:
            rx = rx_info(self.short, net.links[self.short, b], flow, net.clock.now)
            net.stations[b].adp.mcps_data_indication(self.short, dst, msdu, rx)
        net.clock.after(wait, self._confirm, (handle, status))

    def _confirm(self, item: tuple[int, int]) -> None:
        if self.short in self.net.stations:
            self.user.mcps_data_confirm(*item)

    def mlme_get(self, attribute: int, index: int = 0) -> Any:
        raise sap_error(attribute)

    def mlme_set(self, attribute: int, value: Any, index: int = 0) -> None:
        raise sap_error(attribute)

    def neighbour(self, short: int) -> Known | None:
        return self.known.get(short)


def sap_error(attribute: int) -> Exception:
    return LookupError(f"no MAC attribute {attribute}")


class Node:
    """One station, and the recorder above it."""

    def __init__(self, net: Net, short: int, kept: dict[str, int] | None, changes: dict[str, int]) -> None:
        self.net, self.short = net, short
        self.confirms: dict[int, int] = {}
        self.packets: list[tuple[bytes, int]] = []
        self.routes_found: list[tuple[int, int]] = []
        self.paths: list[tuple[int, int, list[tuple[int, int]]]] = []
        self.lost: list[tuple[int, str]] = []
        self.handle = 0
        env = Env(short, net.clock, lambda purpose: Stream(net.seed, short, 1, purpose), self._note)
        self.mac = TinyMac(net, short)
        self.adp_config = AdpConfig()
        self.adp = Adp(env, self.mac, short, PAN, self.adp_config, kept)
        config = profile(net.profile).loadng_config()
        for name, value in changes.items():
            setattr(config, name, value)
        self.config = config
        self.loadng = Loadng(env, self.adp, short, config, kept)
        self.mac.user = self.adp
        self.adp.bind(self.loadng, self)

    def _note(self, kind: Any, *fields: object) -> None:
        self.net.events.append(kind(self.net.clock.now, self.short, *fields))

    def send(self, peer: int, payload: bytes = b"hello", discover: bool = True) -> int:
        """Send a UDP datagram; return the handle."""
        return self.send_to(ipv6.link_local(PAN, peer), payload, discover)

    def send_to(self, destination: bytes, payload: bytes, discover: bool = True) -> int:
        self.handle += 1
        source = ipv6.link_local(PAN, self.short)
        datagram = udp.pack(source, destination, 4059, 4059, payload)
        packet = ipv6.pack(source, destination, 17, datagram)
        self.adp.adpd_data_request(packet, self.handle, discover, False, self.handle << 8)
        return self.handle

    def discover(self, peer: int, hops: int = 8) -> None:
        self.adp.adpm_route_discovery_request(peer, hops)

    def hear(self, src: int, msdu: bytes, lqi: int = 120, dst: int | None = None) -> None:
        """A frame comes in from nowhere."""
        to = self.short if dst is None else dst
        self.adp.mcps_data_indication(src, to, msdu, rx_info(src, lqi, 0, self.net.clock.now))

    @property
    def payloads(self) -> list[bytes]:
        return [packet[48:] for packet, _ in self.packets]

    def adpd_data_confirm(self, handle: int, status: int) -> None:
        assert handle not in self.confirms
        self.confirms[handle] = status

    def adpd_data_indication(self, nsdu: bytes, lqi: int, flow: int) -> None:
        header = ipv6.parse(nsdu)
        if header.next_header == 17:
            udp.parse(header.source, header.destination, nsdu[40:])
        self.packets.append((nsdu, flow))

    def adpm_route_discovery_confirm(self, destination: int, status: int) -> None:
        self.routes_found.append((destination, status))

    def adpm_path_discovery_confirm(self, destination: int, status: int, hops: list[tuple[int, int]]) -> None:
        self.paths.append((destination, status, hops))

    def adpm_network_status_indication(self, destination: int, reason: str) -> None:
        self.lost.append((destination, reason))


class Net:
    def __init__(self, profile_name: str = "demo", seed: int = 1, **changes: int) -> None:
        self.profile, self.seed, self.changes = profile_name, seed, changes
        self.clock = SimClock(T0)
        self.stations: dict[int, Node] = {}
        self.links: dict[tuple[int, int], int] = {}
        self.events: list[Any] = []
        self.sent: list[tuple[int, int, bytes, int, bool]] = []
        self.lose: Callable[[int, int, bytes], bool] = lambda src, dst, msdu: False

    def add(self, shorts: Iterable[int], kept: dict[str, int] | None = None) -> None:
        for short in shorts:
            self.stations[short] = Node(self, short, kept, self.changes)

    def link(self, a: int, b: int, lqi: int = 200, back: int | None = None) -> None:
        self.links[a, b] = lqi
        self.links[b, a] = lqi if back is None else back

    def cut(self, a: int, b: int) -> None:
        self.links.pop((a, b), None)
        self.links.pop((b, a), None)

    def line(self, length: int, lqi: int = 200) -> list[Node]:
        self.add(range(length))
        for short in range(length - 1):
            self.link(short, short + 1, lqi)
        return [self.stations[short] for short in range(length)]

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + int(seconds * SECOND))

    def of(self, kind: Any, **fields: Any) -> list[Any]:
        """The events of a kind with these field values."""
        return [
            event
            for event in self.events
            if type(event) is kind and all(getattr(event, name) == value for name, value in fields.items())
        ]


@pytest.fixture
def make_net() -> Callable[..., Net]:
    """Build a network: `make_net(profile, seed, **changes to LOADng's parameters)`."""
    return Net
