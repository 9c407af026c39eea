"""One set of demands on three brokers: what the agents need of MQTT 3.1.1, whichever broker is there.

A message that must not come is proved by one that must: the same client publishes `end` afterwards.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest

pytestmark = pytest.mark.live

WAIT_S = 20


class Bench:
    """Clients of one broker under a topic of their own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 0
        self.top = f"t{secrets.token_hex(4)}"

    @asynccontextmanager
    async def client(self, **rest: Any) -> AsyncIterator[aiomqtt.Client]:
        nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        async with aiomqtt.Client(self.host, self.port, socket_options=nodelay, timeout=WAIT_S, **rest) as client:
            client.pending_calls_threshold = 10_000
            yield client

    async def until_end(self, client: aiomqtt.Client) -> list[tuple[str, bytes, bool]]:
        """Topic without the common first level, payload and retain flag of all that comes before `end`."""
        await client.subscribe(f"{self.top}-end", qos=1)
        await client.publish(f"{self.top}-end", b"end", qos=1)
        return await self.collect(client)

    async def collect(self, client: aiomqtt.Client) -> list[tuple[str, bytes, bool]]:
        got = []
        async with asyncio.timeout(WAIT_S):
            async for message in client.messages:
                topic = str(message.topic)
                if topic == f"{self.top}-end":
                    break
                got.append((topic.removeprefix(f"{self.top}/"), bytes(message.payload), message.retain))
        return got


def on(broker: str, body: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(body(Bench(broker)))


MATCHES = [
    ("a/b", ["a/b"]),
    ("a/+", ["a/b", "a/c", "a/"]),
    ("+/b", ["a/b", "/b"]),
    ("+/+", ["a/b", "a/c", "a/", "/b"]),
    ("a/#", ["a", "a/b", "a/c", "a/", "a/b/c", "a/b/c/d"]),
    ("a/+/c", ["a/b/c"]),
    ("a/+/#", ["a/b", "a/c", "a/", "a/b/c", "a/b/c/d"]),
    ("#", ["a", "a/b", "a/c", "a/", "/b", "a/b/c", "a/b/c/d", "ab"]),
    ("+", ["a", "ab"]),
    ("A/b", []),
]


@pytest.mark.parametrize(("topic_filter", "expected"), MATCHES)
def test_wildcards(any_broker: str, topic_filter: str, expected: list[str]) -> None:
    async def body(bench: Bench) -> None:
        async with bench.client() as client:
            await client.subscribe(f"{bench.top}/{topic_filter}", qos=1)
            for topic in MATCHES[7][1]:
                await client.publish(f"{bench.top}/{topic}", b"x", qos=1)
            assert sorted(topic for topic, _, _ in await bench.until_end(client)) == sorted(expected)

    on(any_broker, body)


def test_a_hash_does_not_match_the_brokers_own_topics(any_broker: str) -> None:
    async def body(bench: Bench) -> None:
        async with bench.client() as client:
            await client.subscribe("#")
            assert not [topic for topic, _, _ in await bench.until_end(client) if topic.startswith("$")]

    on(any_broker, body)


def test_after_unsubscribe_nothing_comes(any_broker: str) -> None:
    async def body(bench: Bench) -> None:
        async with bench.client() as client:
            await client.subscribe(f"{bench.top}/a", qos=1)
            await client.publish(f"{bench.top}/a", b"1", qos=1)
            assert await bench.until_end(client) == [("a", b"1", False)]
            await client.unsubscribe(f"{bench.top}/a")
            await client.publish(f"{bench.top}/a", b"2", qos=1)
            assert await bench.until_end(client) == []

    on(any_broker, body)


def test_a_retained_message_is_kept_replaced_and_cleared(any_broker: str) -> None:
    async def body(bench: Bench) -> None:
        async def seen_by_a_newcomer() -> list[tuple[str, bytes, bool]]:
            async with bench.client() as newcomer:
                await newcomer.subscribe(f"{bench.top}/#", qos=1)
                return await bench.until_end(newcomer)

        async with bench.client() as owner:
            await owner.subscribe(f"{bench.top}/state", qos=1)
            for value in (b"1", b"2"):
                await owner.publish(f"{bench.top}/state", value, qos=1, retain=True)
            assert await bench.until_end(owner) == [("state", b"1", False), ("state", b"2", False)]
            assert await seen_by_a_newcomer() == [("state", b"2", True)]
            await owner.publish(f"{bench.top}/state", b"", qos=1, retain=True)
            await bench.until_end(owner)
            assert await seen_by_a_newcomer() == []

    on(any_broker, body)


def test_a_retained_message_goes_only_to_who_subscribed_it(any_broker: str) -> None:
    async def body(bench: Bench) -> None:
        async with bench.client() as owner:
            await owner.subscribe(f"{bench.top}/#", qos=1)
            await owner.publish(f"{bench.top}/state", b"1", qos=1, retain=True)
            await bench.until_end(owner)
            async with bench.client() as stranger:
                await stranger.subscribe(f"{bench.top}-other/#", qos=1)
                assert await bench.until_end(stranger) == []
            await owner.publish(f"{bench.top}/state", b"", qos=1, retain=True)

    on(any_broker, body)


def test_all_retained_messages_come_at_once(any_broker: str) -> None:
    topics = [f"status/{station}" for station in range(300)]

    async def body(bench: Bench) -> None:
        async with bench.client() as owner:
            for topic in topics:
                await owner.publish(f"{bench.top}/{topic}", topic.encode(), qos=0, retain=True)
            await bench.until_end(owner)
        async with bench.client() as newcomer:
            await newcomer.subscribe(f"{bench.top}/status/+", qos=1)
            got = await bench.until_end(newcomer)
            assert sorted(got) == sorted((topic, topic.encode(), True) for topic in topics)
            for topic in topics:
                await newcomer.publish(f"{bench.top}/{topic}", b"", qos=0, retain=True)

    on(any_broker, body)


def _string(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def _client_with_will(bench: Bench, retain: bool) -> socket.socket:
    """CONNECT of MQTT 3.1.1 with clean session and a will `gone`, QoS 1."""
    flags = 0x02 | 0x04 | 0x08 | (0x20 if retain else 0)
    identity = f"{bench.top}-{secrets.token_hex(2)}"
    body = _string("MQTT") + bytes((4, flags, 0, 60)) + _string(identity) + _string(f"{bench.top}/will")
    body += _string("gone")
    link = socket.create_connection((bench.host, bench.port), WAIT_S)
    link.sendall(bytes((0x10, len(body))) + body)
    assert link.recv(4) == bytes.fromhex("20020000")
    return link


ENDINGS = ["closed", "reset", "nonsense"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_will_speaks_when_a_connection_breaks(any_broker: str, ending: str) -> None:
    async def body(bench: Bench) -> None:
        async with bench.client() as watcher:
            await watcher.subscribe(f"{bench.top}/will", qos=1)
            link = await asyncio.to_thread(_client_with_will, bench, retain=True)
            if ending == "reset":
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif ending == "nonsense":
                link.sendall(bytes.fromhex("f000"))
            link.close()
            async with asyncio.timeout(WAIT_S):
                message = await anext(aiter(watcher.messages))
            assert (str(message.topic), message.payload) == (f"{bench.top}/will", b"gone")
        async with bench.client() as newcomer:
            await newcomer.subscribe(f"{bench.top}/will", qos=1)
            assert await bench.until_end(newcomer) == [("will", b"gone", True)]
            await newcomer.publish(f"{bench.top}/will", b"", qos=1, retain=True)

    on(any_broker, body)


def test_the_will_is_silent_after_a_goodbye(any_broker: str) -> None:
    async def body(bench: Bench) -> None:
        async with bench.client() as watcher:
            await watcher.subscribe(f"{bench.top}/will", qos=1)
            link = await asyncio.to_thread(_client_with_will, bench, retain=False)
            link.sendall(bytes.fromhex("e000"))
            assert await asyncio.to_thread(link.recv, 1) == b""
            link.close()
            assert await bench.until_end(watcher) == []

    on(any_broker, body)


@pytest.mark.parametrize("qos", [0, 1])
def test_order_over_several_topics(any_broker: str, qos: int) -> None:
    async def body(bench: Bench) -> None:
        async with bench.client() as client:
            await client.subscribe(f"{bench.top}/#", qos=qos)
            sent = [(f"air/{number % 7}", str(number).encode(), False) for number in range(500)]
            for topic, payload, _ in sent:
                await client.publish(f"{bench.top}/{topic}", payload, qos=qos)
            await client.subscribe(f"{bench.top}-end", qos=qos)
            await client.publish(f"{bench.top}-end", b"end", qos=qos)
            assert await bench.collect(client) == sent

    on(any_broker, body)


def test_a_burst_with_qos_1_arrives_whole_and_once(any_broker: str) -> None:
    async def body(bench: Bench) -> None:
        async with bench.client() as slow, bench.client(max_inflight_messages=2000) as storm:
            await slow.subscribe(f"{bench.top}/#", qos=1)
            await asyncio.gather(*(storm.publish(f"{bench.top}/a", str(n).encode(), qos=1) for n in range(2000)))
            got = [int(payload) for _, payload, _ in await bench.until_end(slow)]
            assert sorted(got) == list(range(2000))

    on(any_broker, body)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 100_000, 1_000_000])
def test_payloads_of_any_size_and_octets(any_broker: str, size: int) -> None:
    payload = bytes(itertools.islice(itertools.cycle(range(256)), size))

    async def body(bench: Bench) -> None:
        async with bench.client() as client:
            await client.subscribe(f"{bench.top}/a", qos=1)
            await client.publish(f"{bench.top}/a", payload, qos=1)
            assert await bench.until_end(client) == [("a", payload, False)]

    on(any_broker, body)


def test_fifty_clients_arrive_together(any_broker: str) -> None:
    """As at the start of a PAN: everybody connects, subscribes and publishes a retained status at once."""

    async def station(bench: Bench, number: int, everybody: asyncio.Barrier) -> None:
        async with bench.client(identifier=f"{bench.top}-{number}") as client:
            await client.subscribe(f"{bench.top}/status/{number}", qos=1)
            await client.publish(f"{bench.top}/status/{number}", b"online", qos=1, retain=True)
            for other in range(number - 3, number + 4):
                await client.subscribe(f"{bench.top}/air/{other % 50}", qos=0)
            async with asyncio.timeout(WAIT_S):
                await everybody.wait()
                await client.publish(f"{bench.top}/air/{number}", str(number).encode(), qos=0)
                heard = set()
                async for message in client.messages:
                    if "/air/" in str(message.topic):
                        heard.add(int(message.payload))
                    if len(heard) == 7:
                        break
            assert heard == {other % 50 for other in range(number - 3, number + 4)}
            await client.publish(f"{bench.top}/status/{number}", b"", qos=1, retain=True)

    async def body(bench: Bench) -> None:
        everybody = asyncio.Barrier(50)
        await asyncio.gather(*(station(bench, number, everybody) for number in range(50)))

    on(any_broker, body)


def test_nonsense_on_a_connection_hurts_nobody_else(any_broker: str) -> None:
    async def body(bench: Bench) -> None:
        for octets in (b"\x00" * 64, b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", bytes.fromhex("1003000450"), b""):
            with socket.create_connection((bench.host, bench.port), WAIT_S) as link:
                link.sendall(octets)
        async with bench.client() as client:
            await client.subscribe(f"{bench.top}/a", qos=1)
            await client.publish(f"{bench.top}/a", b"1", qos=1)
            assert await bench.until_end(client) == [("a", b"1", False)]

    on(any_broker, body)
