"""The director on real brokers, and the commands that people type."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt
import pytest
import typer
from typer.testing import CliRunner

from emulation.live.broker import EmbeddedBroker, Kind, embedded_broker, find_mosquitto
from emulation.live.director_shell import DirectorError, DirectorShell
from emulation.live.director_status import DirectorStatus
from emulation.live.mqtt import BrokerUrl
from emulation.live.playbook import Playbook
from emulation.live.records import JobRecord, JobResult
from emulation.live.replies import Reply
from emulation.live.topics import Topics
from emulation.scenario import loads
from gridglow import live_cli
from gridglow.live_client import LiveClient, LiveError, connect

pytestmark = pytest.mark.live

PAN = 0x4711
T = Topics(PAN)
KINDS: tuple[Kind, ...] = ("mosquitto", "amqtt")
Story = Callable[[EmbeddedBroker, DirectorShell], Awaitable[None]]


def playbook() -> Playbook:
    return Playbook([loads('feeder = "row4"\n', "row.toml", None)])


@asynccontextmanager
async def directing(url: str) -> AsyncIterator[DirectorShell]:
    shell = DirectorShell(BrokerUrl.parse(url), playbook(), PAN)
    task = asyncio.create_task(shell.run())
    try:
        async with asyncio.timeout(10):
            while not shell.works and not task.done():
                await asyncio.sleep(0.02)
        if task.done():
            await task
        yield shell
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, DirectorError):
            await task


def play(kind: Kind, story: Story) -> None:
    """Run a story with a broker and a director."""
    if kind == "mosquitto" and find_mosquitto() is None:
        pytest.skip("no mosquitto on this machine")

    async def inside() -> None:
        async with asyncio.timeout(60), embedded_broker(prefer=kind) as broker, directing(broker.url) as shell:
            await story(broker, shell)

    asyncio.run(inside())


async def ask(client: LiveClient, rest: str, fields: dict[str, Any]) -> list[Reply]:
    replies: list[Reply] = []
    await client.command(rest, fields, replies.append)
    return replies


@pytest.mark.parametrize("kind", KINDS)
def test_commands_are_answered(kind: Kind) -> None:
    async def story(broker: EmbeddedBroker, shell: DirectorShell) -> None:
        async with connect(BrokerUrl.parse(broker.url), PAN) as client:
            replies = await ask(client, "link/1-2", {"word": "down"})
            assert [reply.state for reply in replies] == ["accepted", "done"]
            found = await client.retained(T.run, T.clock, T.fault("+"), T.status("+"))
            assert json.loads(found[T.fault(1)])["where"] == "1-2"
            assert json.loads(found[T.run])["feeder"] == "row4"
            replies = await ask(client, "link/1-9", {"word": "down"})
            assert (replies[0].state, replies[0].allowed) == ("refused", "0 to 3")
            replies = await ask(client, "read/3", {})
            assert (replies[0].state, replies[0].detail) == ("failed", "coordinator is off")

    play(kind, story)


def test_a_job_is_done_by_whoever_is_the_coordinator() -> None:
    async def story(broker: EmbeddedBroker, shell: DirectorShell) -> None:
        url = BrokerUrl.parse(broker.url)

        async def coordinator(listening: asyncio.Event) -> None:
            async with aiomqtt.Client(url.host, url.port) as mqtt:
                await mqtt.subscribe(T.job("+"))
                listening.set()
                async for message in mqtt.messages:
                    job = JobRecord.decode(message.topic.value, bytes(message.payload))  # type: ignore[arg-type]
                    for state in ("accepted", "done"):
                        result = JobResult(job.run, job.order.job, state, "value 5 Wh")
                        await mqtt.publish(T.job_result(job.order.job), result.encode())

        listening = asyncio.Event()
        task = asyncio.create_task(coordinator(listening))
        await listening.wait()
        async with connect(url, PAN) as client:
            replies = await ask(client, "read/3", {"obis": "1.0.1.8.0.255"})
        assert [(reply.state, reply.job) for reply in replies] == [("accepted", 1), ("done", 1)]
        task.cancel()

    play("mosquitto", story)


@pytest.mark.parametrize("kind", KINDS)
def test_a_director_that_comes_back_goes_on_and_a_second_one_ends(kind: Kind) -> None:
    async def story(broker: EmbeddedBroker, shell: DirectorShell) -> None:
        run = shell.director.stage.run
        with pytest.raises(DirectorError, match="another director"):
            async with directing(broker.url):
                pass
        assert shell.director.stage.run == run
        async with connect(BrokerUrl.parse(broker.url), PAN) as client:
            await ask(client, "noise/2", {"value": 20})
            found = await client.retained(T.run, T.fault("+"))
        assert json.loads(found[T.run])["run"] == run
        assert T.fault(1) in found

    play(kind, story)


def test_it_goes_on_with_what_the_broker_has_kept() -> None:
    async def inside() -> None:
        async with asyncio.timeout(60), embedded_broker() as broker:
            async with directing(broker.url) as first, connect(BrokerUrl.parse(broker.url), PAN) as client:
                run = first.director.stage.run
                await ask(client, "link/1-2", {"word": "down"})
            async with directing(broker.url) as second:
                assert second.director.stage.run == run
                assert [record.order.where for record in second.director.stage.faults.records] == ["1-2"]

    asyncio.run(inside())


def test_without_a_director_people_are_told() -> None:
    async def inside() -> None:
        async with (
            asyncio.timeout(60),
            embedded_broker() as broker,
            connect(BrokerUrl.parse(broker.url), PAN) as client,
        ):
            with pytest.raises(LiveError, match="no director answers in PAN 4711"):
                await ask(client, "collect", {})

    asyncio.run(inside())


def test_where_a_director_works_and_does_not_answer_the_account_is_asked_about() -> None:
    async def inside() -> None:
        async with (
            asyncio.timeout(60),
            embedded_broker() as broker,
            connect(BrokerUrl.parse(broker.url), PAN) as client,
            aiomqtt.Client("127.0.0.1", broker.port) as mqtt,
        ):

            async def beat() -> None:
                while True:
                    await mqtt.publish(T.status("director"), DirectorStatus(True, "somebody").encode())
                    await asyncio.sleep(0.5)

            beating = asyncio.create_task(beat())
            with pytest.raises(LiveError, match="does not answer: may this account give commands"):
                await ask(client, "read/3", {})
            beating.cancel()

    asyncio.run(inside())


@pytest.mark.usefixtures("mosquitto_clients")
def test_the_words_of_mosquitto_pub() -> None:
    async def story(broker: EmbeddedBroker, shell: DirectorShell) -> None:
        async with aiomqtt.Client("127.0.0.1", broker.port) as mqtt:
            await mqtt.subscribe(T.reply("all"))
            words = ["mosquitto_pub", "-p", str(broker.port), "-t", T.command("link/1-2"), "-m", "down for 30"]
            await asyncio.to_thread(subprocess.run, words, check=True, timeout=10)
            states = []
            async for message in mqtt.messages:
                reply = Reply.decode(message.topic.value, bytes(message.payload))  # type: ignore[arg-type]
                assert (reply.topic, reply.payload) == (T.command("link/1-2"), "down for 30")
                states.append(reply.state)
                if reply.final:
                    break
            assert states == ["accepted", "done"]

    play("mosquitto", story)


# -- the command line


@pytest.fixture
def cli() -> Callable[..., Any]:
    app = typer.Typer()
    live_cli.mount(app, "Live")
    runner = CliRunner()
    return lambda *words: runner.invoke(app, list(words))


@pytest.mark.parametrize("command", [["read", "17"], ["status"], ["break", "3-17"], ["speed", "2"], ["watch"]])
def test_a_broker_that_is_down_is_said_in_one_line(cli: Callable[..., Any], command: list[str]) -> None:
    done = cli(*command, "--broker", "mqtt://127.0.0.1:9")
    assert done.exit_code == 1
    assert done.output.startswith("gridglow: no broker at mqtt://127.0.0.1:9")
    assert done.output.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["read", "17", "--broker", "http://x"], "--broker"),
        (["read", "17", "--pan", "zz"], "--pan"),
        (["break", "3-17", "--for", "soon"], "--for"),
        (["break", "3-17/#"], "topic"),
        (["logs", "meter-x"], "no station"),
        (["watch", "--type", "Nonsense"], "--type"),
        (["watch", "--layer", "nonsense"], "--layer"),
        (["director", "no-such-scenario"], "no scenario"),
        (["director", "--speed", "99"], "--speed"),
    ],
)
def test_wrong_options_are_refused_before_anything_happens(
    cli: Callable[..., Any], words: list[str], wrong: str
) -> None:
    done = cli(*words)
    assert done.exit_code == 2
    assert wrong in done.output
    assert done.output.count("\n") == 1
