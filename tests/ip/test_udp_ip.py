"""UDP on port 4059 over a recorded adaptation layer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation.clocks import SimClock
from g3plc.core.env import Env
from g3plc.core.errors import UsageError
from g3plc.events import Dropped
from g3plc.ip.udp_ip import COSEM_PORT, MAX_PAYLOAD_OCTETS, UdpIp
from g3plc.wire import ipv6, udp

PAN = 0x781D


class Cable:
    """Two ends; what one sends the other receives, and both remember."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.requests: list[tuple[bytes, int, bool, bool, int]] = []
        self.told: list[tuple[object, ...]] = []
        env = Env(1, SimClock(10**15), lambda purpose: None, lambda kind, *f: self.events.append(kind(0, 1, *f)))
        self.end = UdpIp(env, self, 1, PAN)
        self.end.bind(self)

    def adpd_data_request(self, nsdu, handle, discover_route, high_priority, flow):
        self.requests.append((nsdu, handle, discover_route, high_priority, flow))

    def datagram_indication(self, peer, source_port, payload, lqi, flow):
        self.told.append(("datagram", peer, source_port, payload, lqi, flow))

    def datagram_confirm(self, handle, status):
        self.told.append(("confirm", handle, status))

    def route_discovery_confirm(self, peer, status):
        self.told.append(("route", peer, status))

    def path_discovery_confirm(self, peer, status, hops):
        self.told.append(("path", peer, status, hops))

    def route_lost_indication(self, peer, reason):
        self.told.append(("lost", peer, reason))


def incoming(source=2, destination=1, payload=b"hi", port=COSEM_PORT, pan=PAN, next_header=17):
    src, dst = ipv6.link_local(pan, source), ipv6.link_local(PAN, destination)
    return ipv6.pack(src, dst, next_header, udp.pack(src, dst, 61616, port, payload))


def test_a_datagram_out():
    cable = Cable()
    cable.end.datagram_request(7, b"payload", 3, 99)
    ((nsdu, *rest),) = cable.requests
    assert rest == [3, True, False, 99]
    header = ipv6.parse(nsdu)
    assert (header.source, header.destination) == (ipv6.link_local(PAN, 1), ipv6.link_local(PAN, 7))
    datagram = udp.parse(header.source, header.destination, nsdu[40:])
    assert (datagram.source_port, datagram.destination_port, datagram.payload) == (4059, 4059, b"payload")


def test_a_datagram_in():
    cable = Cable()
    cable.end.adpd_data_indication(incoming(), 123, 99)
    assert cable.told == [("datagram", 2, 61616, b"hi", 123, 99)]


def test_confirms_and_indications_go_up():
    cable = Cable()
    cable.end.adpd_data_confirm(3, 0)
    cable.end.adpm_route_discovery_confirm(4, 0x83)
    cable.end.adpm_path_discovery_confirm(4, 0, [(4, 5)])
    cable.end.adpm_network_status_indication(4, "loop")
    assert cable.told == [("confirm", 3, 0), ("route", 4, 0x83), ("path", 4, 0, [(4, 5)]), ("lost", 4, "loop")]


@pytest.mark.parametrize(
    ("nsdu", "layer", "reason"),
    [
        (b"", "ip", "ipv6 header"),
        (incoming(destination=3), "ip", "foreign destination"),
        (incoming(source=1), "ip", "foreign source"),
        (incoming(pan=0x1234), "ip", "foreign source"),
        (incoming(next_header=6), "ip", "next header"),
        (incoming(port=4060), "udp", "port closed"),
        (incoming()[:-1] + b"?", "udp", "udp checksum"),
        (incoming()[:46] + b"\0\0" + incoming()[48:], "udp", "udp checksum"),
    ],
)
def test_refusals(nsdu, layer, reason):
    cable = Cable()
    cable.end.adpd_data_indication(nsdu, 1, 1)
    assert cable.told == []
    assert [(event.layer, event.reason) for event in cable.events if type(event) is Dropped] == [(layer, reason)]


def test_the_longest_payload():
    cable = Cable()
    cable.end.datagram_request(7, bytes(MAX_PAYLOAD_OCTETS), 1, 0)
    assert len(cable.requests[0][0]) == 1280
    with pytest.raises(UsageError):
        cable.end.datagram_request(7, bytes(70000), 1, 0)


@given(st.binary(max_size=120))
@settings(deadline=None)
def test_any_octets_are_survived(octets):
    cable = Cable()
    cable.end.adpd_data_indication(octets, 1, 1)
    cable.end.adpd_data_indication(incoming()[:40] + octets, 1, 1)
