"""IPv6, UDP and the COSEM wrapper."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import cosem_wrapper, ipv6, udp
from g3plc.wire.cosem_wrapper import Wpdu

U16 = st.integers(0, 0xFFFF)
ADDRESS = st.binary(min_size=16, max_size=16)
A = ipv6.link_local(0x781D, 0)
B = ipv6.link_local(0x781D, 7)


def test_addresses() -> None:
    assert str(ipaddress.IPv6Address(ipv6.link_local(0x781D, 1))) == "fe80::781d:ff:fe00:1"
    assert ipv6.link_local(0xFFFF, 0xABCD)[8:] == bytes.fromhex("fcff00fffe00abcd") == ipv6.interface_id(0xFFFF, 0xABCD)
    assert ipv6.short_of(B, 0x781D) == 7
    assert ipv6.short_of(B, 0x7B1D) == 7
    assert ipv6.short_of(B, 0x781E) is None
    assert ipv6.short_of(b"", 0x781D) is None
    ula = bytes.fromhex("fd00000000000001") + B[8:]
    assert ipv6.short_of(ula, 0x781D) is None
    assert ipv6.short_of(ula, 0x781D, ula[:8]) == 7
    assert ipv6.short_of(B[:12] + b"\0\0\0\7", 0x781D) is None


def test_multicast() -> None:
    assert ipv6.multicast_short(ipv6.ALL_NODES) == 0x8001
    assert ipv6.multicast_short(b"\xff" * 16) == 0x9FFF
    assert ipv6.is_multicast(ipv6.ALL_NODES)
    assert not ipv6.is_multicast(A)


def test_ipv6_vector() -> None:
    packet = ipv6.pack(A, B, 17, b"abc", hop_limit=5, traffic_class=0xB9, flow_label=0xABCDE)
    assert packet.hex() == "6b9abcde00031105" + A.hex() + B.hex() + "616263"
    assert ipv6.parse(packet) == ipv6.Ipv6Header(0xB9, 0xABCDE, 3, 17, 5, A, B)


@given(ADDRESS, ADDRESS, st.integers(0, 255), st.binary(max_size=40), st.integers(0, 255), st.integers(0, 0xFFFFF))
def test_ipv6_round_trip_and_length(
    source: bytes, destination: bytes, octet: int, payload: bytes, hop_limit: int, flow_label: int
) -> None:
    packet = ipv6.pack(source, destination, octet, payload, hop_limit, octet, flow_label)
    expected = ipv6.Ipv6Header(octet, flow_label, len(payload), octet, hop_limit, source, destination)
    assert ipv6.parse(packet) == expected
    for end in range(len(packet)):
        with pytest.raises(WireError):
            ipv6.parse(packet[:end])
    with pytest.raises(WireError, match="ipv6 length"):
        ipv6.parse(packet + b"\0")


@given(st.binary(max_size=60))
def test_ipv6_any_octets(octets: bytes) -> None:
    try:
        ipv6.parse(octets)
    except WireError:
        return


def test_ipv6_refusals() -> None:
    with pytest.raises(WireError, match="ipv6 version"):
        ipv6.parse(b"\x40" + bytes(39))


@pytest.mark.parametrize(
    "fields",
    [
        {"source": A[1:]},
        {"next_header": 256},
        {"flow_label": 1 << 20},
        {"traffic_class": 256},
        {"hop_limit": -1},
        {"payload": bytes(0x10000)},
    ],
)
def test_ipv6_out_of_range_is_a_usage_error(fields: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"source": A, "destination": B, "next_header": 17, "payload": b""}
    with pytest.raises(UsageError):
        ipv6.pack(**(arguments | fields))


def slow_checksum(source: bytes, destination: bytes, datagram: bytes) -> int:
    octets = source + destination + len(datagram).to_bytes(4, "big") + b"\0\0\0\x11" + datagram
    octets += bytes(len(octets) % 2)
    total = sum(octets[i] << 8 | octets[i + 1] for i in range(0, len(octets), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF) or 0xFFFF


@given(ADDRESS, ADDRESS, U16, U16, st.binary(max_size=50))
def test_udp_round_trip_and_checksum(source: bytes, destination: bytes, sport: int, dport: int, payload: bytes) -> None:
    datagram = udp.pack(source, destination, sport, dport, payload)
    blank = datagram[:6] + b"\0\0" + datagram[8:]
    assert int.from_bytes(datagram[6:8], "big") == slow_checksum(source, destination, blank)
    assert udp.verify(source, destination, datagram)
    assert udp.parse(source, destination, datagram) == udp.UdpDatagram(sport, dport, payload)
    for end in range(len(datagram)):
        with pytest.raises(WireError):
            udp.parse(source, destination, datagram[:end])
    with pytest.raises(WireError, match="udp length"):
        udp.parse(source, destination, datagram + b"\0")


def test_checksum_zero_is_sent_as_ones() -> None:
    probe = udp.pack(A, B, 4059, 4059, b"\0\0")
    filler = probe[6:8]
    datagram = udp.pack(A, B, 4059, 4059, filler)
    assert datagram[6:8] == b"\xff\xff"
    assert udp.verify(A, B, datagram)
    assert not udp.verify(A, B, datagram[:6] + b"\0\0" + datagram[8:])


@given(st.binary(max_size=20), st.integers(0, 159))
def test_one_wrong_bit_is_seen(payload: bytes, bit: int) -> None:
    datagram = bytearray(udp.pack(A, B, 4059, 61616, payload))
    datagram[bit // 8 % len(datagram)] ^= 1 << bit % 8
    assert not udp.verify(A, B, bytes(datagram))


@given(st.binary(max_size=30))
def test_udp_any_octets(octets: bytes) -> None:
    try:
        udp.parse(A, B, octets)
    except WireError:
        return


def test_udp_refusals() -> None:
    assert not udp.verify(A, B, b"")
    with pytest.raises(UsageError):
        udp.pack(A, B, 0x10000, 1, b"")
    with pytest.raises(UsageError):
        udp.pack(A, B, 1, 1, bytes(0xFFF8))


def test_wrapper_vector() -> None:
    octets = bytes.fromhex("0001 0001 0010 000d c001c1000300000000000000ff")[:21]
    wpdu = Wpdu(1, 0x10, octets[8:])
    assert wpdu.encode() == octets
    assert cosem_wrapper.decode(octets) == wpdu


@given(U16, U16, st.binary(max_size=40))
def test_wrapper_round_trip_and_length(source: int, destination: int, apdu: bytes) -> None:
    octets = Wpdu(source, destination, apdu).encode()
    assert cosem_wrapper.decode(octets) == Wpdu(source, destination, apdu)
    for end in range(len(octets)):
        with pytest.raises(WireError):
            cosem_wrapper.decode(octets[:end])
    with pytest.raises(WireError, match="wrapper length"):
        cosem_wrapper.decode(octets + b"\0")


@given(st.binary(max_size=20), st.booleans())
def test_wrapper_any_octets(octets: bytes, versioned: bool) -> None:
    octets = (b"\0\1" if versioned else b"") + octets
    try:
        wpdu = cosem_wrapper.decode(octets)
    except WireError:
        return
    assert wpdu.encode() == octets


def test_wrapper_refusals() -> None:
    with pytest.raises(WireError, match="wrapper version"):
        cosem_wrapper.decode(b"\0\2" + bytes(6))
    for wpdu in (Wpdu(0x10000, 0, b""), Wpdu(0, -1, b""), Wpdu(0, 0, bytes(0x10000))):
        with pytest.raises(UsageError):
            wpdu.encode()
