"""Where the way through the MQTT library is too long: everything that reaches into aiomqtt and paho is here.

Measured with both as they come: every message that goes out is written by a callback of the loop, which is registered
and removed again through a pipe to itself, and every message that comes in is a task; each costs a tenth of a
millisecond. A flood of 500 stations is twenty thousand messages in a second, nearly all of them events and log lines.
So publications of QoS 0 are encoded here (MQTT 3.1.1, 3.3), many are handed over as one packet, what is handed over is
written at once, and what comes in is handed on at once.

Neighbour: `mqtt` (the connection).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiomqtt

_PUBLISH = 0x30
_NOTHING_SPECIAL = 0
"""A packet type for which paho does nothing but write."""


def publication(topic: str, payload: bytes, retain: bool) -> bytes:
    """A PUBLISH of QoS 0."""
    name = topic.encode()
    rest = 2 + len(name) + len(payload)
    head = bytearray((_PUBLISH | retain,))
    while rest > 0x7F:
        head.append(rest & 0x7F | 0x80)
        rest >>= 7
    head.append(rest)
    return b"".join((head, len(name).to_bytes(2, "big"), name, payload))


def send(client: aiomqtt.Client, packets: bytes) -> None:
    """Write whole packets, one or many; what does not fit into the socket follows before anything else is sent."""
    client._client._packet_queue(_NOTHING_SPECIAL, packets, 0, 0)


def is_full(client: aiomqtt.Client) -> bool:
    """Whether something waits because the socket takes no more."""
    return client._client.want_write()


def write_at_once(client: aiomqtt.Client) -> None:
    """Have the library write what it is given at once, and only what does not fit into the socket later."""
    paho = client._client
    patient = paho.on_socket_register_write

    def write(paho: Any, userdata: Any, sock: Any) -> None:
        paho.loop_write()
        # The connection may have turned out to be broken, and its socket to be closed.
        if paho.socket() is sock and paho.want_write() and patient is not None:
            patient(paho, userdata, sock)

    paho.on_socket_register_write = write


def hand_over(client: aiomqtt.Client, handler: Callable[[str, bytes, bool], None]) -> None:
    """Call `handler(topic, payload, retained)` for each message as it comes in, in place of `client.messages`."""

    def handle(paho: Any, userdata: Any, message: Any) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # no topic that anybody has subscribed to
        handler(topic, message.payload, message.retain)

    client._client.on_message = handle


def ended(client: aiomqtt.Client) -> asyncio.Future[None]:
    """Done when the connection has ended; its error tells how."""
    return client._disconnected


def heed(client: aiomqtt.Client) -> None:
    """Whoever uses a connection is told how it ended: asyncio is not to complain that nobody asked the library's note.

    The library makes that note anew for each connection.
    """
    client._disconnected.add_done_callback(_seen)


def _seen(disconnected: asyncio.Future[None]) -> None:
    if not disconnected.cancelled():
        disconnected.exception()
