"""The selector of live processes: a socket that is closed while it is registered must not end the loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from emulation.live.selector import ExactSelector


def on_it(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(ExactSelector())) as runner:
        runner.run(work())


@pytest.mark.parametrize("register", ["add_reader", "add_writer"])
def test_a_closed_socket_is_forgotten(register: str) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        gone, (ours, theirs) = socket.socket(), socket.socketpair()
        number = gone.fileno()
        getattr(loop, register)(number, lambda: None)
        gone.close()
        came: asyncio.Future[bytes] = loop.create_future()
        loop.add_reader(ours.fileno(), lambda: came.done() or came.set_result(ours.recv(9)))
        theirs.send(b"still here")
        assert await asyncio.wait_for(came, 5) == b"still her"
        loop.remove_reader(ours.fileno())
        ours.close()
        theirs.close()

    on_it(work)


def test_registered_after_it_was_closed() -> None:
    """As the library does it: by a callback that is late."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        gone = socket.socket()
        loop.call_soon(loop.add_writer, gone.fileno(), lambda: None)
        gone.close()
        for _ in range(5):
            await asyncio.sleep(0.001)

    on_it(work)
