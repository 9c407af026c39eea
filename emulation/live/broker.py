"""A broker for a run that brings its own: a mosquitto of this machine as a child, otherwise amqtt in the loop.

    async with embedded_broker() as broker:
        print(broker.url, broker.kind)

Which one it is makes no difference to a client of MQTT 3.1.1; docs/deploy.md lists where they differ. The two are in
`broker_mosquitto` and `broker_amqtt`; here are the choice between them and the port.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, NoReturn, Protocol

from emulation.live.plain_words import plain_words

Kind = Literal["mosquitto", "amqtt"]

# Debian keeps daemons where the PATH of an ordinary user does not look.
_ALSO = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


class BrokerError(Exception):
    """No broker can be had, or it cannot be kept running; the message is one line for the person at the terminal."""


class EmbeddedBroker(Protocol):
    """A running broker: `mqtt://` address for clients of this machine, kind, port, how often it died."""

    @property
    def url(self) -> str:
        """Where clients of this machine reach it, `mqtt://host:port`."""

    @property
    def kind(self) -> Kind:
        """Which program it is."""

    @property
    def port(self) -> int:
        """TCP port, the real one where 0 was asked for."""

    @property
    def pid(self) -> int | None:
        """Process of the child at this moment; None for a broker inside our own process."""

    @property
    def deaths(self) -> int:
        """How often it ended by itself and was started again."""

    async def failed(self) -> NoReturn:
        """Wait until it cannot be kept running; raises `BrokerError`. Nothing happens as long as all is well."""


@asynccontextmanager
async def embedded_broker(
    port: int = 0, bind: str = "127.0.0.1", prefer: Kind | None = None
) -> AsyncIterator[EmbeddedBroker]:
    """Run a broker as long as the block runs; anonymous, without persistence.

    `port` 0 takes a free one; `bind` is an address of this machine, `0.0.0.0` for all; `prefer` insists on one kind.
    Raises `BrokerError` when the port is taken, the address is not of this machine, or the preferred kind is missing.
    """
    program = None if prefer == "amqtt" else find_mosquitto()
    if program is not None:
        from emulation.live.broker_mosquitto import mosquitto

        async with mosquitto(program, bind, port) as child:
            yield child
    elif prefer == "mosquitto":
        raise BrokerError("no mosquitto on this machine: install it (Debian: apt-get install mosquitto)")
    else:
        from emulation.live.broker_amqtt import amqtt

        async with amqtt(bind, port) as inside:
            yield inside


def find_mosquitto() -> str | None:
    """Path of a mosquitto program, or None."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", os.defpath), *_ALSO]))


def listening_socket(bind: str, port: int) -> socket.socket:
    """A socket bound to the address, not yet listening; `BrokerError` says in one line why there is none."""
    if not 0 <= port <= 65535:
        raise BrokerError(f"port {port}: allowed is 0 (any free one) to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            bind, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise BrokerError(f"{bind!r} is no address of this machine") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        # Two sockets with SO_REUSEADDR may share a port until one of them listens: ask for it at once.
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise BrokerError(_why_not(error, bind, port)) from None
    return listener


def local_url(bind: str, port: int) -> str:
    """The address under which clients of this machine reach a broker bound to `bind`."""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
    return f"mqtt://[{host}]:{port}" if ":" in host else f"mqtt://{host}:{port}"


def _why_not(error: OSError, bind: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        there = local_url(bind, port)
        join = f"if it is a broker, join it with --broker {there}"
        return f"port {port} on {bind} is in use: take another with --port or, {join}"
    if error.errno == errno.EACCES:
        return f"port {port} on {bind} needs rights that this user does not have: take one above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{bind!r} is no address of this machine"
    return f"cannot listen on {bind} port {port}: {plain_words(error)}"
