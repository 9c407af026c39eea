"""amqtt in our own loop, for machines without a mosquitto: MQTT 3.1.1 with the faults closed that would show.

amqtt 0.12 hands every retained message that matches anybody's subscription to every client that connects, and it leaves
a connection open when the first octets on it are no CONNECT. Both are closed here by overriding its own methods.
Limits that stay: no MQTT 5, no will when a client falls silent without closing, delivery with the subscription's QoS.
Neighbours: `broker` chooses it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, NoReturn

from amqtt.broker import Broker  # type: ignore[import-untyped]
from amqtt.contexts import BrokerConfig  # type: ignore[import-untyped]
from amqtt.errors import AMQTTError  # type: ignore[import-untyped]

from emulation.live.broker import BrokerError, Kind, listening_socket, local_url
from emulation.live.plain_words import plain_words

_log = logging.getLogger("gridglow.broker")

_STOP_S = 5.0
_MOST_KNOWN = 1 << 15
"""Topics of which it is remembered who listens."""
_CONNECT_S = 10.0
"""How long a new connection may take until its CONNECT."""
_CONFIGURATION = {
    "listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:0"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


class _Amqtt(Broker):  # type: ignore[misc]
    """amqtt's broker on a socket that is already bound."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(BrokerConfig.from_dict(_CONFIGURATION))
        self._listener = listener
        self._subscriptions = _Subscriptions()
        self._strangers: set[asyncio.Task[object]] = set()

    async def _create_server_instance(self, listener_name: str, *_: object) -> asyncio.Server:
        return await asyncio.start_server(
            partial(self.stream_connected, listener_name=listener_name), sock=self._listener
        )

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Serve one connection; whatever its octets do to the library, it ends with the connection closed."""
        try:
            await super().stream_connected(reader, writer, listener_name)
        except (Exception, asyncio.CancelledError) as error:
            # Cancelled too: this is the task's outermost frame, and the streams of Python 3.11 stumble over it.
            _log.info("connection from %s given up: %r", writer.get_extra_info("peername"), error)
        finally:
            writer.close()

    async def _initialize_client_session(self, *connection: Any) -> Any:
        """Whoever says nothing after connecting is sent away, and does not hold up the end."""
        task = asyncio.current_task()
        if task is not None:
            self._strangers.add(task)
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await super()._initialize_client_session(*connection)
        finally:
            self._strangers.discard(task)

    async def shutdown(self) -> None:
        """End all connections and the broker."""
        for stranger in list(self._strangers):
            stranger.cancel()
        await super().shutdown()

    async def _publish_retained_messages_for_subscription(self, subscription: tuple[str, int], session: Any) -> None:
        """Only for subscriptions of this very session."""
        if any(owner is session for owner, _ in self.subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _handle_message_delivery(self, client_session: Any, handler: Any, wait_deliver: Any) -> bool:
        """All that has arrived from a client at once, where the library takes one message for each turn of the loop."""
        going: bool = await super()._handle_message_delivery(client_session, handler, wait_deliver)
        waiting = client_session.delivered_message_queue
        while going and not waiting.empty():
            arrived: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            arrived.set_result(waiting.get_nowait())
            going = await super()._handle_message_delivery(client_session, handler, arrived)
        return going

    async def _run_broadcast(self, running_tasks: Any) -> None:
        """All that has to go out, each to the filters that match, where the library tries every filter every time."""
        self._hand_out(await self._broadcast_queue.get(), running_tasks)
        while not self._broadcast_queue.empty():
            self._hand_out(self._broadcast_queue.get_nowait(), running_tasks)

    def _hand_out(self, message: dict[str, Any], tasks: Any) -> None:
        """Nothing is kept for clients that are away: ours are anonymous, to whom nothing is promised."""
        topic = message["topic"]
        for subscriptions in self._subscriptions.matching(topic):
            for session, qos in subscriptions:
                handler = self._get_handler(session)
                if handler is not None and session.transitions.state == "connected":
                    sending = handler.mqtt_publish(topic, message["data"], message.get("qos", qos), retain=False)
                    tasks.append(asyncio.ensure_future(sending))

    def _matches(self, topic: str, a_filter: str) -> bool:
        return matches(topic, a_filter)


_Subscribers = list[tuple[Any, int]]


class _Subscriptions(dict[str, _Subscribers]):
    """Filter to subscribers, as the library keeps them; and for each topic the ones that match it.

    Most filters are topics, which need no comparing; the few others are compared once for each topic.
    """

    def __init__(self) -> None:
        super().__init__()
        self._wild: dict[str, _Subscribers] = {}
        self._known: dict[str, list[_Subscribers]] = {}

    def __setitem__(self, topic_filter: str, subscribers: _Subscribers) -> None:
        if "+" in topic_filter or "#" in topic_filter:
            self._known.clear()
            self._wild[topic_filter] = subscribers
        super().__setitem__(topic_filter, subscribers)

    def __delitem__(self, topic_filter: str) -> None:
        if self._wild.pop(topic_filter, None) is not None:
            self._known.clear()
        super().__delitem__(topic_filter)

    def clear(self) -> None:
        """Nobody listens any more."""
        self._known.clear()
        self._wild.clear()
        super().clear()

    def matching(self, topic: str) -> list[_Subscribers]:
        """The subscribers of every filter that matches."""
        known = self._known.get(topic)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[topic] = [who for wild, who in self._wild.items() if matches(topic, wild)]
        exact = self.get(topic)
        return known if exact is None or topic in self._wild else [exact, *known]


def matches(topic: str, topic_filter: str) -> bool:
    """MQTT 3.1.1, 4.7."""
    if topic.startswith("$") and topic_filter.startswith(("+", "#")):
        return False
    levels, wanted = topic.split("/"), topic_filter.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        levels = levels[: len(wanted)]
    return len(levels) == len(wanted) and all(want in ("+", have) for want, have in zip(wanted, levels, strict=True))


class Amqtt:
    """The running broker; it lives and dies with the loop."""

    kind: Kind = "amqtt"
    pid = None
    deaths = 0

    def __init__(self, bind: str, port: int) -> None:
        self.port = port
        self.url = local_url(bind, port)

    async def failed(self) -> NoReturn:
        """Wait for ever: a broker inside the loop cannot die alone."""
        while True:
            await asyncio.sleep(3600)


@asynccontextmanager
async def amqtt(bind: str, port: int) -> AsyncIterator[Amqtt]:
    """Run amqtt as long as the block runs; see `broker.embedded_broker`."""
    # What goes wrong with one client is an error with traceback to the library; here it is that client's own affair.
    for name, level in (("amqtt", logging.CRITICAL), ("transitions", logging.WARNING)):
        if logging.getLogger(name).level == logging.NOTSET:
            logging.getLogger(name).setLevel(level)
    listener = listening_socket(bind, port)
    broker = _Amqtt(listener)
    try:
        await broker.start()
    except (AMQTTError, OSError) as error:
        listener.close()
        raise BrokerError(f"amqtt did not start: {plain_words(error)}") from None
    try:
        yield Amqtt(bind, int(listener.getsockname()[1]))
    finally:
        with suppress(TimeoutError, AMQTTError):
            async with asyncio.timeout(_STOP_S):
                await broker.shutdown()
        listener.close()
