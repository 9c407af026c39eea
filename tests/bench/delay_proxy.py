"""A TCP proxy that holds every octet back: `python -m tests.bench.delay_proxy TARGET_PORT MILLISECONDS`.

It prints the port on which it listens. Order is kept; the delay is one way, so that a frame from station to station
is held twice.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress


async def _hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Pass on what comes, each piece after its delay."""
    loop = asyncio.get_running_loop()
    held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def write() -> None:
        while True:
            at, octets = await held.get()
            await asyncio.sleep(max(0.0, at - loop.time()))
            if not octets:
                writer.close()
                return
            writer.write(octets)

    writing = asyncio.create_task(write())
    with suppress(OSError):
        while octets := await reader.read(65536):
            held.put_nowait((loop.time() + delay_s, octets))
    held.put_nowait((loop.time() + delay_s, b""))
    await writing


async def proxy(target: int, delay_s: float) -> None:
    """Serve until killed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", target)
        for one in (writer, to_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(_hold(reader, to_writer, delay_s), _hold(to_reader, writer, delay_s))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(proxy(int(sys.argv[1]), float(sys.argv[2]) / 1000))
