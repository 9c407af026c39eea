"""DDP octet by octet, and that no host holds anything up."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from led_gateway.ddp import PIXELS, DdpError, DdpHost, DdpOutput, hosts_of, packets


def test_411_leds_are_one_packet_with_push() -> None:
    rgb = bytes(n % 251 for n in range(3 * 411))
    (packet,) = packets(rgb, 1)
    assert packet[:10].hex() == "41010b010000000004d1"
    assert packet[10:] == rgb


def test_1000_leds_are_three_packets_the_last_with_push() -> None:
    rgb = bytes(n % 251 for n in range(3 * 1000))
    found = packets(rgb, 14)
    assert [packet[:10].hex() for packet in found] == [
        "400e0b010000000005a0",
        "400f0b01000005a005a0",
        "41010b0100000b400078",
    ]
    assert b"".join(packet[10:] for packet in found) == rgb
    assert [len(packet) - 10 for packet in found] == [1440, 1440, 120]


@given(st.integers(1, 5 * PIXELS), st.integers(1, 15))
def test_any_picture(leds: int, sequence: int) -> None:
    rgb = bytes(3 * leds)
    found = packets(rgb, sequence)
    assert len(found) == -(-leds // PIXELS)
    at = 0
    for number, packet in enumerate(found):
        assert packet[0] == (0x41 if number == len(found) - 1 else 0x40)
        assert packet[1] == (sequence - 1 + number) % 15 + 1
        assert int.from_bytes(packet[4:8], "big") == at
        assert int.from_bytes(packet[8:10], "big") == len(packet) - 10 <= 1440
        at += len(packet) - 10
    assert at == 3 * leds


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("wled.local", "wled.local", 4048), ("192.0.2.7:5000", "192.0.2.7", 5000), ("[::1]", "::1", 4048),
        ("[fe80::1]:4049", "fe80::1", 4049), (" wled-2 ", "wled-2", 4048),
    ],
)  # fmt: skip
def test_hosts(text: str, host: str, port: int) -> None:
    parsed = DdpHost.parse(text)
    assert (parsed.name, parsed.port) == (host, port)
    assert DdpHost.parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text", ["", ":", "host:", "host:0", "host:65536", "host:x", "host:²", "::1", "[::1", "[::1]x", "a b"]
)
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(DdpError):
        DdpHost.parse(text)


@given(st.text(max_size=30))
def test_any_text_is_a_host_or_refused(text: str) -> None:
    try:
        host = DdpHost.parse(text)
    except DdpError:
        return
    assert 1 <= host.port <= 65535
    assert host.name.isascii()


def test_a_list_of_hosts() -> None:
    assert [str(host) for host in hosts_of("a, b:1,,[::1]")] == ["a:4048", "b:1", "[::1]:4048"]


def test_two_hosts_get_the_same_and_one_that_is_not_there_harms_nobody() -> None:
    """Names that cannot be found, a port where nobody listens, and two listeners."""

    async def body() -> None:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
        ):
            for listener in (one, two):
                listener.bind(("127.0.0.1", 0))
                listener.settimeout(5)
            names = ["no-such-host.invalid", *(f"127.0.0.1:{listener.getsockname()[1]}" for listener in (one, two))]
            output = DdpOutput([DdpHost.parse(name) for name in [*names, "127.0.0.1:9"]])
            running = asyncio.create_task(output.run())
            async with asyncio.timeout(10):
                while any(target.address is None for target in output.targets[1:]):
                    output.send(bytes(9))
                    await asyncio.sleep(0.01)
            rgb = bytes(range(240)) * 10
            for _ in range(4):
                output.send(rgb)
            got = [await asyncio.to_thread(_pictures, listener, 4, len(rgb)) for listener in (one, two)]
            assert got == [[rgb] * 4] * 2
            assert output.targets[0].packets == 0
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(body())


def _pictures(listener: socket.socket, count: int, size: int) -> list[bytes]:
    """The pictures of this size, put together as a controller does."""
    found: list[bytes] = []
    picture, before = bytearray(size), 0
    while len(found) < count:
        packet = listener.recv(2000)
        assert len(packet) - 10 == int.from_bytes(packet[8:10], "big")
        if len(packet) == 19 and packet[0] == 0x41 and not int.from_bytes(packet[4:8], "big"):
            continue
        assert not before or packet[1] == before % 15 + 1
        before = packet[1]
        at = int.from_bytes(packet[4:8], "big")
        picture[at : at + len(packet) - 10] = packet[10:]
        if packet[0] & 1:
            found.append(bytes(picture))
    return found
