"""One connection to a broker that comes back by itself: a thin layer over aiomqtt.

A fresh client for every attempt, with a back-off in between and all subscriptions made again. Publishing is
synchronous and never blocks: messages wait in a bounded queue for the sending task; what cannot be sent is counted.
While the connection is down nothing waits: a frame that is sent later is of no use, and retained state is published
anew by whoever owns it (`on_up`). Incoming messages are handed to the first handler whose filter matches; a handler
that raises costs its message and nothing else.

Neighbours: `host` and `agent` own connections; `broker` runs brokers.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote, urlsplit

import aiomqtt

from emulation.live.mqtt_short_cuts import ended, hand_over, heed, is_full, publication, send, write_at_once
from emulation.live.plain_words import plain_words
from emulation.live.rate import BoundedLog

Handler = Callable[[str, bytes, bool], None]
"""(topic, payload, retained)."""

KEEPALIVE_S = 10
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_TIMEOUT_S = 5.0
_CONNACK_S = 2.0
"""Of a broker that dies before its CONNACK the library says nothing: it has to be given up soon."""
_MOST_AT_ONCE = 2048
_PAUSE_S = 0.004
"""So many octets that are not urgent go out at once, and so much later the next: a broker has to take them one by one,
and whatever is urgent then waits behind them."""
_NODELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)

_log = logging.getLogger("gridglow.mqtt")
_silent = logging.getLogger("gridglow.mqtt.library")
_silent.setLevel(logging.CRITICAL)


class BrokerUrlError(ValueError):
    """An address that is none; the message says what is expected."""


@dataclass(slots=True, frozen=True)
class BrokerUrl:
    """`mqtt://user:password@host:port`, or `mqtts://` for TLS; ports 1883 and 8883 by default."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, text: str) -> BrokerUrl:
        """Read an address. BrokerUrlError."""
        expected = "expected mqtt://[user:password@]host[:port] or mqtts://..."
        try:
            parts = urlsplit(text if "//" in text else f"mqtt://{text}")
            port = parts.port
            (parts.hostname or "").encode("idna")
        except ValueError as error:
            raise BrokerUrlError(f"{text!r}: {error}; {expected}") from error
        strange = not text.isprintable() or " " in text or parts.path not in ("", "/")
        if strange or parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == 0:
            raise BrokerUrlError(f"{text!r}: {expected}")
        tls = parts.scheme == "mqtts"
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password is not None else None
        return cls(parts.hostname, port or (8883 if tls else 1883), tls, user, password)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


@dataclass(slots=True, frozen=True)
class Will:
    """What the broker publishes, retained, when the connection breaks."""

    topic: str
    payload: bytes


class Connection:
    """See the module's text. `run` lives until it is cancelled.

    `on_up` is called after each time the connection stands and all is subscribed, `on_down` when it is lost. `dropped`
    counts messages that could not be sent, `failures` handlers that raised, `losses` connections lost. Pauses between
    attempts to connect grow up to `longest_pause_s`. Without `says_absent` nothing is logged of a broker that is not
    there at first: one of many connections says it for all.
    """

    def __init__(
        self,
        url: BrokerUrl,
        client_id: str,
        will: Will | None = None,
        most_waiting: int = 20_000,
        on_up: Callable[[], None] | None = None,
        on_down: Callable[[], None] | None = None,
        longest_pause_s: float = _LONGEST_PAUSE_S,
        says_absent: bool = True,
    ) -> None:
        self.url = url
        self.client_id = client_id
        self.will = will
        self._most_waiting = most_waiting
        self._on_up = on_up
        self._on_down = on_down
        self._longest_pause_s = longest_pause_s
        self._says_absent = says_absent
        self._exact: dict[str, Handler] = {}
        self._filters: list[tuple[aiomqtt.Wildcard, Handler]] = []
        self._urgent: deque[bytes] = deque()
        self._outgoing: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._client: aiomqtt.Client | None = None
        self._complaints = BoundedLog(_log)
        self.up = asyncio.Event()
        self.dropped = 0
        self.failures = 0
        self.losses = 0

    # -- what its owner calls

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        """Send a message soon (QoS 0); False, and counted, if the connection is down or its queue is full."""
        return self._put(self._outgoing, publication(topic, payload, retain))

    def publish_urgent(self, topic: str, payload: bytes) -> bool:
        """Send a message now, ahead of everything that is not urgent; urgent messages keep their order."""
        packet, client = publication(topic, payload, False), self._client
        if client is None or self._urgent or is_full(client):
            return self._put(self._urgent, packet)
        send(client, packet)
        return True

    def _put(self, queue: deque[bytes], packet: bytes) -> bool:
        if not self.up.is_set() or len(queue) >= self._most_waiting:
            self.dropped += 1
            return False
        queue.append(packet)
        self._wake.set()
        return True

    def handle(self, topic: str, handler: Handler) -> None:
        """Have messages on a topic or filter handled, subscribed to whenever the connection comes up."""
        if "+" in topic or "#" in topic:
            self._filters = [known for known in self._filters if known[0].value != topic]
            self._filters.append((aiomqtt.Wildcard(topic), handler))
        else:
            self._exact[topic] = handler

    async def subscribe(self, topics: dict[str, Handler]) -> None:
        """Have these topics handled; returns when the broker has confirmed, or at once while the connection is down."""
        for topic, handler in topics.items():
            self.handle(topic, handler)
        if self._client is not None and topics:
            try:
                await self._client.subscribe([(topic, 0) for topic in topics], timeout=_TIMEOUT_S)
            except aiomqtt.MqttError:
                pass  # the connection is breaking; the next one subscribes to everything

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        pause = _FIRST_PAUSE_S
        waiting = False
        while True:
            try:
                client = client_of(self.url, _CONNACK_S, self.client_id, self.will)
                async with client:
                    pause, waiting = _FIRST_PAUSE_S, False
                    await self._serve(client)
            except (aiomqtt.MqttError, OSError, ssl.SSLError) as error:
                _let_cancel_through()
                if self._lost():
                    _log.warning("%s: connection to %s lost: %s", self.client_id, self.url, plain_words(error))
                elif not waiting:
                    waiting = True
                    reason = hopeless(self.url, error)
                    if reason or self._says_absent or self.losses:
                        _log.warning("%s: %s", self.client_id, reason or absent(self.url, error))
            finally:
                self._lost()
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._longest_pause_s)

    async def drain(self, timeout: float = 1.0) -> None:
        """Wait until what was published has left, or the time is over."""
        deadline = asyncio.get_running_loop().time() + timeout
        while (self._urgent or self._outgoing) and self.up.is_set() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.005)

    # -- inside

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Until the connection breaks."""
        self._client = client
        heed(client)
        write_at_once(client)
        early: list[tuple[str, bytes, bool]] = []
        hand_over(client, lambda *message: early.append(message))
        self.up.set()
        filters = [(topic, 0) for topic in (*self._exact, *(wildcard.value for wildcard, _ in self._filters))]
        sender = asyncio.create_task(self._send_all(client))
        try:
            if filters:
                await client.subscribe(filters, timeout=_TIMEOUT_S)
            if self._on_up is not None:
                self._on_up()
            hand_over(client, self._dispatch)
            for message in early:
                self._dispatch(*message)
            done, _ = await asyncio.wait((sender, ended(client)), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def _lost(self) -> bool:
        if not self.up.is_set():
            return False
        self._client = None
        self.up.clear()
        self.losses += 1
        self.dropped += len(self._urgent) + len(self._outgoing)
        self._urgent.clear()
        self._outgoing.clear()
        if self._on_down is not None:
            self._on_down()
        return True

    async def _send_all(self, client: aiomqtt.Client) -> None:
        time = asyncio.get_running_loop().time
        while True:
            await self._wake.wait()
            self._wake.clear()
            given_up_at = time() + _TIMEOUT_S
            while self._urgent or self._outgoing:
                if not is_full(client):
                    send(client, b"".join(self._next_packets()))
                    given_up_at = time() + _TIMEOUT_S
                elif time() > given_up_at:
                    raise aiomqtt.MqttError(f"nothing could be sent for {_TIMEOUT_S:.0f} s")
                await asyncio.sleep(_PAUSE_S)

    def _next_packets(self) -> list[bytes]:
        """What is urgent, and as much of the rest as is read quickly at the other end."""
        packets = list(self._urgent)
        self._urgent.clear()
        outgoing, left = self._outgoing, _MOST_AT_ONCE
        while outgoing and left > 0:
            packets.append(outgoing.popleft())
            left -= len(packets[-1])
        return packets

    def _dispatch(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            handler = self._exact.get(topic) or self._by_filter(topic)
            if handler is not None:
                handler(topic, payload, retained)
        except Exception as error:
            self.failures += 1
            self._complaints.error("a message on %s could not be handled: %r", topic, error)

    def _by_filter(self, topic: str) -> Handler | None:
        name = aiomqtt.Topic(topic)
        return next((known for wildcard, known in self._filters if name.matches(wildcard)), None)


def client_of(url: BrokerUrl, timeout: float, client_id: str | None = None, will: Will | None = None) -> aiomqtt.Client:
    """A client of the library, for one connection; `timeout`, in seconds, is for its CONNACK and its SUBACKs."""
    client = aiomqtt.Client(
        url.host,
        url.port,
        username=url.user,
        password=url.password,
        identifier=client_id,
        will=aiomqtt.Will(will.topic, will.payload, 1, True) if will is not None else None,
        tls_context=_trusted() if url.tls else None,
        keepalive=KEEPALIVE_S,
        timeout=timeout,
        socket_options=_NODELAY,
        logger=_silent,
    )
    heed(client)
    return client


def absent(url: BrokerUrl, error: Exception) -> str:
    """That a broker which may still come is waited for, and why."""
    return f"no broker at {url} ({plain_words(error)}): waiting for it"


def hopeless(url: BrokerUrl, error: Exception) -> str:
    """Why it is of no use to try the same again, for a person; nothing where the broker may still come."""
    reason = str(error)
    if "authori" in reason.lower() or "password" in reason.lower():
        return f"the broker at {url} does not let us in: give user and password, mqtt://user:password@host:port"
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        why = reason.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or reason
        return f"the certificate of the broker at {url} is not trusted ({why}): name its CA's file in SSL_CERT_FILE"
    return ""


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities of this machine, or those of the file that SSL_CERT_FILE names; read once for all connections."""
    return ssl.create_default_context()


def _let_cancel_through() -> None:
    """A client that fails while it closes raises that in place of the cancellation that made it close."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
