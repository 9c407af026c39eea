"""The broker that a run brings along: ports, refusals in one line, death and resurrection, a clean end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiomqtt
import pytest

from emulation.live.broker import BrokerError, Kind, embedded_broker, find_mosquitto

pytestmark = pytest.mark.live

KINDS: list[Kind] = ["mosquitto", "amqtt"] if find_mosquitto() else ["amqtt"]
RUN_AND_DIE = """
import asyncio, os, signal
from emulation.live.broker import embedded_broker
async def main():
    async with embedded_broker(prefer="mosquitto") as broker:
        print(broker.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def _talks(url: str) -> bool:
    host, _, port = url.removeprefix("mqtt://").rpartition(":")
    async with aiomqtt.Client(host.strip("[]"), int(port), timeout=5) as client:
        await client.subscribe("a")
        await client.publish("a", b"1")
        async with asyncio.timeout(5):
            return (await anext(aiter(client.messages))).payload == b"1"


@pytest.mark.parametrize("kind", KINDS)
def test_a_free_port_is_found_and_given_back(kind: Kind) -> None:
    async def body() -> None:
        async with embedded_broker(prefer=kind) as broker:
            assert broker.kind == kind
            assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
            assert await _talks(broker.url)
        async with embedded_broker(broker.port, prefer=kind) as again:
            assert again.port == broker.port
            assert await _talks(again.url)

    asyncio.run(body())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bind", ["0.0.0.0", "::1"])
def test_other_addresses(kind: Kind, bind: str) -> None:
    async def body() -> None:
        async with embedded_broker(bind=bind, prefer=kind) as broker:
            assert await _talks(broker.url)

    if bind == "::1" and not _has_ipv6():
        bind = "127.0.0.2"
    asyncio.run(body())


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_refusals_are_one_line(kind: Kind) -> None:
    async def refusal(port: int, bind: str) -> str:
        with pytest.raises(BrokerError) as caught:
            async with embedded_broker(port, bind, prefer=kind):
                pass
        assert "\n" not in str(caught.value)
        return str(caught.value)

    async def body() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            assert await refusal(taken, "127.0.0.1") == (
                f"port {taken} on 127.0.0.1 is in use: take another with --port "
                f"or, if it is a broker, join it with --broker mqtt://127.0.0.1:{taken}"
            )
        assert await refusal(0, "192.0.2.1") == "'192.0.2.1' is no address of this machine"
        assert await refusal(0, "no such host.invalid") == "'no such host.invalid' is no address of this machine"
        assert await refusal(65536, "127.0.0.1") == "port 65536: allowed is 0 (any free one) to 65535"

    asyncio.run(body())


@pytest.mark.skipif("mosquitto" not in KINDS, reason="no mosquitto on this machine")
def test_a_killed_child_comes_back_on_its_port() -> None:
    async def body() -> None:
        async with embedded_broker(prefer="mosquitto") as broker:
            first = broker.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            async with asyncio.timeout(5):
                while broker.pid in (first, None):
                    await asyncio.sleep(0.01)
                while True:
                    try:
                        assert await _talks(broker.url)
                        break
                    except aiomqtt.MqttError:
                        await asyncio.sleep(0.05)
            assert broker.deaths == 1

    asyncio.run(body())


@pytest.mark.skipif("mosquitto" not in KINDS, reason="no mosquitto on this machine")
def test_a_child_that_cannot_live_is_reported() -> None:
    async def body() -> None:
        async with embedded_broker(prefer="mosquitto") as broker, asyncio.timeout(20):
            killed: set[int] = set()
            failed = asyncio.create_task(broker.failed())
            while not failed.done():
                pid = broker.pid
                if pid is not None and pid not in killed:
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
                await asyncio.sleep(0.01)
            with pytest.raises(BrokerError, match=r"^mosquitto died 6 times in a row: "):
                await failed
            assert broker.deaths == 6

    asyncio.run(body())


@pytest.mark.skipif("mosquitto" not in KINDS, reason="no mosquitto on this machine")
def test_the_child_ends_with_a_killed_parent() -> None:
    run = subprocess.run([sys.executable, "-c", RUN_AND_DIE], capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == -signal.SIGKILL
    child = Path("/proc", run.stdout.strip(), "stat")

    async def body() -> None:
        async with asyncio.timeout(5):
            while child.exists() and child.read_text().split()[2] != "Z":
                await asyncio.sleep(0.02)

    asyncio.run(body())


@pytest.mark.parametrize("kind", KINDS)
def test_silent_connections_do_not_hold_up_the_end(kind: Kind) -> None:
    async def body() -> None:
        async with asyncio.timeout(10):
            async with embedded_broker(prefer=kind) as broker:
                _, silent = await asyncio.open_connection("127.0.0.1", broker.port)
                _, half = await asyncio.open_connection("127.0.0.1", broker.port)
                half.write(bytes.fromhex("102c0004"))
                await half.drain()
            silent.close()
            half.close()

    asyncio.run(body())
