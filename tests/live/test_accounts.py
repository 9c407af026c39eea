"""The shipped accounts: each role can do what it needs and no more, on a mosquitto with the shipped files.

Every topic of the emulation is tried by every account in both directions; the table below says what must come through.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiomqtt
import pytest

from emulation.live.topics import Topics

pytestmark = pytest.mark.live

WAIT_S = 20
ROLES = ("director", "coordinator", "nodes", "gateway", "board", "operator", "viewer", "health")

# Topic under the PAN's prefix; who may write it; who may read it. d director, c coordinator, n nodes, g gateway,
# b board, o operator, v viewer.
TABLE = [
    ("run", "d", "dcngov"),
    ("clock", "d", "dcngov"),
    ("fault/3", "d", "dcngov"),
    ("level/0", "d", "cnov"),
    ("level/17", "d", "nov"),
    ("level/all", "d", "cnov"),
    ("air/0", "cn", "cnov"),
    ("air/17", "n", "cnov"),
    ("event/0/RouteSet", "c", "gov"),
    ("event/17/RouteSet", "n", "gov"),
    ("event/director/Fault", "d", "gov"),
    ("log/0", "c", "ov"),
    ("log/17", "n", "ov"),
    ("log/director", "d", "ov"),
    ("status/0", "c", "dcgov"),
    ("status/17", "n", "dngov"),
    ("status/director", "d", "dgov"),
    ("status/gateway", "g", "dgov"),
    ("keep/0", "c", "c"),
    ("keep/17", "n", "n"),
    ("keep/director", "d", "d"),
    ("keep/gateway", "g", "g"),
    ("cmd/link/3-17", "go", "d"),
    ("cmd/link/route 17", "go", "d"),
    ("cmd/cable/212", "go", "d"),
    ("cmd/collect", "go", "d"),
    ("cmd/speed", "go", "d"),
    ("cmd/reset", "go", "d"),
    ("cmd/station/17", "o", "d"),
    ("cmd/read/17", "o", "d"),
    ("reply/all", "d", "ov"),
    ("reply/shell-1", "d", "ov"),
    ("job/5", "d", "co"),
    ("job/5/result", "c", "do"),
    ("sync/nodes-1", "cng", "d"),
    ("sync/nodes-1/answer", "d", "cng"),
    ("led/frame", "go", "bov"),
    ("led/frame/0", "go", "bov"),
    ("led/config", "g", "bov"),
    ("led/set/theme", "o", "g"),
    ("led/set/hold", "o", "g"),
    ("led/else", "", ""),
    ("board/1/status", "b", "gov"),
    ("board/1/button", "b", "gov"),
    ("board/2/status", "", "gov"),
    ("board/2/button", "", "gov"),
    ("something/else", "", ""),
]
PANS = (0x781D, 0x0001)
FOREIGN = ("gridglow/2/781d/run", "gridglow/1/781d", "elsewhere", "elsewhere/led/frame")


class Judged(NamedTuple):
    port: int
    password: str


def _topics() -> list[tuple[str, str, str]]:
    ours = [(Topics(pan).prefix + rest, writers, readers) for pan in PANS for rest, writers, readers in TABLE]
    return ours + [(topic, "", "") for topic in FOREIGN]


@asynccontextmanager
async def _client(port: int, name: str, password: str) -> AsyncIterator[aiomqtt.Client]:
    nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    async with aiomqtt.Client(
        "127.0.0.1", port, username=name, password=password, socket_options=nodelay, timeout=WAIT_S
    ) as client:
        client.pending_calls_threshold = 10_000
        yield client


async def _heard(client: aiomqtt.Client, end: str) -> list[str]:
    got = []
    async with asyncio.timeout(WAIT_S):
        async for message in client.messages:
            if str(message.topic) == end:
                return got
            got.append(str(message.topic))
    return got


@pytest.mark.parametrize("role", ROLES)
def test_a_role_writes_what_it_needs_and_no_more(judged_broker: Judged, role: str) -> None:
    port, password = judged_broker
    expected = sorted(topic for topic, writers, _ in _topics() if role != "health" and role[0] in writers)

    async def body() -> None:
        async with _client(port, "judge", password) as judge, _client(port, role, f"demo-{role}") as player:
            await judge.subscribe("#", qos=1)
            for topic, _, _ in _topics():
                await player.publish(topic, b"1", qos=1)
            await judge.publish("end", b"", qos=1)
            assert sorted(await _heard(judge, "end")) == expected

    asyncio.run(body())


@pytest.mark.parametrize("role", [role for role in ROLES if role != "health"])
@pytest.mark.parametrize("subscription", ["#", "one by one"])
def test_a_role_reads_what_it_needs_and_no_more(judged_broker: Judged, role: str, subscription: str) -> None:
    port, password = judged_broker
    expected = sorted(topic for topic, _, readers in _topics() if role[0] in readers)
    # The last thing that every role of the table may read: what came before it has come.
    end = next(topic for topic, _, readers in _topics() if role[0] in readers)

    async def body() -> None:
        async with _client(port, "judge", password) as judge, _client(port, role, f"demo-{role}") as player:
            filters: Sequence[str] = ["#"] if subscription == "#" else [topic for topic, _, _ in _topics()]
            for topic_filter in filters:
                await player.subscribe(topic_filter, qos=1)
            for topic, _, _ in _topics():
                if topic != end:
                    await judge.publish(topic, b"1", qos=1)
            await judge.publish(end, b"1", qos=1)
            assert sorted([*await _heard(player, end), end]) == expected

    asyncio.run(body())


def test_retained_state_is_kept_from_those_who_may_not_read_it(judged_broker: Judged) -> None:
    port, password = judged_broker
    prefix = Topics(0x0002).prefix

    async def body() -> None:
        async with _client(port, "judge", password) as judge:
            for rest in ("status/17", "keep/17", "led/config"):
                await judge.publish(prefix + rest, b"1", qos=1, retain=True)
            async with _client(port, "board", "demo-board") as board:
                await board.subscribe(f"{prefix}#", qos=1)
                await judge.publish(f"{prefix}led/frame", b"1", qos=1)
                assert await _heard(board, f"{prefix}led/frame") == [f"{prefix}led/config"]
            for rest in ("status/17", "keep/17", "led/config"):
                await judge.publish(prefix + rest, b"", qos=1, retain=True)

    asyncio.run(body())


def test_health_reads_the_brokers_uptime_and_nothing_else(judged_broker: Judged) -> None:
    port, password = judged_broker

    async def body() -> None:
        async with _client(port, "judge", password) as judge, _client(port, "health", "demo-health") as health:
            for topic_filter in ("#", "$SYS/#"):
                await health.subscribe(topic_filter)
            for topic, _, _ in _topics():
                await judge.publish(topic, b"1", qos=1)
            async with asyncio.timeout(WAIT_S):
                message = await anext(aiter(health.messages))
            assert str(message.topic) == "$SYS/broker/uptime"

    asyncio.run(body())


@pytest.mark.parametrize(
    "access", [("viewer", "demo-operator"), ("nobody", "demo-nobody"), ("viewer", ""), (None, None)]
)
def test_strangers_and_wrong_passwords_are_refused(
    judged_broker: Judged, access: tuple[str | None, str | None]
) -> None:
    async def body() -> None:
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed|bad user"):
            async with aiomqtt.Client(
                "127.0.0.1", judged_broker.port, username=access[0], password=access[1], timeout=WAIT_S
            ):
                pass

    asyncio.run(body())


@pytest.mark.usefixtures("mosquitto_clients")
def test_the_printed_command_line_works(judged_broker: Judged) -> None:
    """The line of README and `gridglow up`, with this broker's port."""
    port, password = judged_broker
    topic = Topics().command("link/3-17")
    words = ["mosquitto_pub", "-p", str(port), "-u", "operator", "-P", "demo-operator", "-t", topic, "-m", "down"]

    async def body() -> None:
        async with _client(port, "judge", password) as judge:
            await judge.subscribe(topic, qos=1)
            done = await asyncio.to_thread(subprocess.run, words, capture_output=True, timeout=WAIT_S, check=False)
            assert (done.returncode, done.stderr) == (0, b"")
            async with asyncio.timeout(WAIT_S):
                assert (await anext(aiter(judge.messages))).payload == b"down"

    asyncio.run(body())


def test_every_account_of_the_rights_has_a_password_and_the_reverse() -> None:
    shipped = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
    entries = (shipped / "passwd").read_text().splitlines()
    accounts = {line.partition(":")[0] for line in entries if not line.startswith("#")}
    users = {line.removeprefix("user ") for line in (shipped / "acl").read_text().splitlines() if line[:5] == "user "}
    assert accounts == users == set(ROLES)
