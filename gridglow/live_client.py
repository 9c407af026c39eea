"""A person's connection to a live run: gives commands and waits for the director's answers, listens to topics.

Everything that can go wrong ends in a LiveError of one line. Neighbours: `live_cli` (the commands),
`emulation.live.replies` (the answers).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiomqtt

from emulation.live.director_status import DirectorStatus
from emulation.live.json_fields import dump
from emulation.live.mqtt import BrokerUrl, client_of, hopeless
from emulation.live.plain_words import plain_words
from emulation.live.replies import EVERYBODY, Reply
from emulation.live.topics import PayloadError, Topics

CONNECT_S = 3.0
ANSWER_S = 3.5
"""The director answers at once; a coordinator that is off is noticed after two seconds."""
QUIET_S = 0.25
"""When nothing retained has come for so long, everything is there."""
_AT_MOST_S = 2.0
_QUOTED = 60
"""So many letters of a command tell whether it is ours that is quoted."""


class LiveError(Exception):
    """Why a command has come to nothing; one line."""


class Message(NamedTuple):
    """One message."""

    topic: str
    payload: bytes
    retained: bool


class LiveClient:
    """A connection that stands; made by `connect`."""

    def __init__(self, client: aiomqtt.Client, url: BrokerUrl, topics: Topics) -> None:
        self._client = client
        self._url = url
        self._name = f"cli-{secrets.token_hex(4)}"
        self._count = 0
        self._director_works = False
        self.topics = topics

    async def listen(self, *filters: str) -> None:
        """Subscribe."""
        await self._client.subscribe([(topic, 0) for topic in filters])

    async def publish(self, topic: str, payload: bytes) -> None:
        """Say something to whom it concerns; nobody need answer."""
        await self._client.publish(topic, payload)

    async def messages(self) -> AsyncIterator[Message]:
        """What comes in, without end."""
        async for message in self._client.messages:
            if isinstance(message.payload, bytes | bytearray):
                yield Message(message.topic.value, bytes(message.payload), message.retain)

    async def retained(self, *filters: str) -> dict[str, bytes]:
        """What is retained on some topics, once all of it has come in."""
        found: dict[str, bytes] = {}
        await self.listen(*filters)
        messages = self.messages()
        loop = asyncio.get_running_loop()
        latest = loop.time() + _AT_MOST_S
        quiet_at = loop.time() + QUIET_S
        while loop.time() < min(quiet_at, latest):
            try:
                async with asyncio.timeout_at(min(quiet_at, latest)):
                    message = await anext(messages)
            except TimeoutError:
                break
            if message.payload:
                found[message.topic] = message.payload
            if message.retained:
                quiet_at = loop.time() + QUIET_S
        return found

    async def command(
        self,
        rest: str,
        fields: dict[str, Any],
        seen: Callable[[Reply], None],
        also: Callable[[Message], None] | None = None,
        filters: tuple[str, ...] = (),
    ) -> Reply:
        """Give a command and return its final answer; `seen` is told of each, `also` of messages on `filters`.

        LiveError when nobody answers or the director goes away.
        """
        self._count += 1
        number = self._count
        director = self.topics.status("director")
        await self.listen(self.topics.reply(self._name), self.topics.reply(EVERYBODY), director, *filters)
        payload = dump({**fields, "client": self._name, "id": number})
        said = (self.topics.command(rest), payload.decode()[:_QUOTED])
        await self._client.publish(said[0], payload)
        answered = False
        messages = self.messages()
        # one deadline: the director's status comes every second, and is no answer
        deadline = asyncio.get_running_loop().time() + ANSWER_S
        while True:
            try:
                async with asyncio.timeout_at(None if answered else deadline):
                    message = await anext(messages)
            except TimeoutError:
                raise LiveError(self._nobody()) from None
            if message.topic == director:
                self._check_director(message, answered)
                continue
            reply = self._reply(message, number, said)
            if reply is None:
                if also is not None:
                    also(message)
                continue
            answered = True
            seen(reply)
            if reply.final:
                return reply

    def _reply(self, message: Message, number: int, said: tuple[str, str]) -> Reply | None:
        """The answer in a message, if it is one to this command.

        A command in which the director could not even read who asks is refused before everybody, in its own words.
        """
        own = message.topic == self.topics.reply(self._name)
        if not own and message.topic != self.topics.reply(EVERYBODY):
            return None
        try:
            reply = Reply.decode(message.topic, message.payload)
        except PayloadError as error:
            if not own:
                return None
            raise LiveError(f"an answer that cannot be read: {error}") from None
        mine = reply.id == number if own else (reply.topic, reply.payload[:_QUOTED]) == said
        return reply if mine else None

    def _check_director(self, message: Message, answered: bool) -> None:
        try:
            status = DirectorStatus.decode(message.topic, message.payload)
        except PayloadError:
            return
        # said now, not kept by the broker: it is at work
        self._director_works = status.online and not status.claim and not message.retained
        if not status.online and not status.claim and (answered or message.retained):
            raise LiveError("the director is gone" if answered else self._nobody())

    def _nobody(self) -> str:
        if self._director_works:
            return (
                f"the director in PAN {self.topics.pan:04x} at {self._url} is at work and does not answer: "
                "may this account give commands? Another one is named with mqtt://user:password@host:port"
            )
        return (
            f"no director answers in PAN {self.topics.pan:04x} at {self._url}: "
            "is `gridglow up` or `gridglow director` running there?"
        )


@asynccontextmanager
async def connect(url: BrokerUrl, pan: int) -> AsyncIterator[LiveClient]:
    """A client as long as the block runs. LiveError: no broker, not let in, or the connection broke."""
    client = client_of(url, CONNECT_S, f"gridglow-cli-{secrets.token_hex(4)}")
    connected = False
    try:
        async with client:
            connected = True
            yield LiveClient(client, url, Topics(pan))
    except BrokenPipeError:
        raise
    except (aiomqtt.MqttError, OSError) as error:
        if connected:
            raise LiveError(f"the connection to {url} broke: {plain_words(error)}") from None
        raise LiveError(_why(url, error)) from None


def _why(url: BrokerUrl, error: Exception) -> str:
    hint = "is `gridglow up` running, or `docker compose up`?"
    return (
        hopeless(url, error)
        or f"no broker at {url} ({plain_words(error)}): {hint} Another one is named with --broker or GRIDGLOW_BROKER"
    )
