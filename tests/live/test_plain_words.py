"""Errors of connections as a person reads them: texts of the system, of asyncio, of TLS and of the MQTT library."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.live.mqtt import BrokerUrl
from emulation.live.plain_words import plain_words
from gridglow.live_client import LiveError, connect

REFUSED = f"[Errno {errno.ECONNREFUSED}] "


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "connection refused"),
        (aiomqtt.MqttError(REFUSED + "Connection refused"), "connection refused"),
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1883)"), "connection refused"),
        (OSError(f"Multiple exceptions: {REFUSED}Connect call failed ('::1', 1883, 0, 0)"), "connection refused"),
        (aiomqtt.MqttError(f"[Errno {errno.ECONNRESET}] whatever"), os.strerror(errno.ECONNRESET).lower()),
        (socket.gaierror(-2, "Name or service not known"), "name or service not known"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"), "wrong version number"),
        (aiomqtt.MqttError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"), "wrong version number"),
        (
            ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:997)"),
            "EOF occurred in violation of protocol",
        ),
        (aiomqtt.MqttCodeError(7, "x"), "the connection was lost"),
        (aiomqtt.MqttError("Operation timed out"), "no answer"),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "no answer"),
        (TimeoutError(), "no answer"),
        (OSError(), "no answer"),
    ],
)
def test_words_for_a_person(error: Exception, words: str) -> None:
    assert plain_words(error) == words


@given(st.text(max_size=60))
def test_any_text_becomes_a_phrase(text: str) -> None:
    assert plain_words(OSError(text))


def test_nobody_at_the_port_is_said_without_a_number() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]

        async def ask() -> None:
            async with connect(BrokerUrl.parse(f"mqtt://127.0.0.1:{port}"), 1):
                pass

        with pytest.raises(LiveError, match=rf"no broker at mqtt://127.0.0.1:{port} \(connection refused\): "):
            asyncio.run(ask())
