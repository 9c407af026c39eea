"""Pictures as DDP, the protocol of WLED and other pixel controllers: UDP datagrams to port 4048.

Ten octets of header (version 1 and, on a picture's last packet, the push flag; sequence 1 to 15; RGB with 8 bits; the
default display; offset and length in octets), then at most 480 pixels R G B. Names are resolved in a thread; a host
that is not there, or a network that is not, costs its packets and nothing else. Source: 3waylabs.com/ddp.
Neighbours: `gateway` (when), docs/led-gateway.md (WLED's settings).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from struct import Struct
from typing import Any

from emulation.live.rate import BoundedLog

PORT = 4048
PIXELS = 480
AGAIN_S = 60.0
"""A name is looked up again after so long,"""
RETRY_S = 5.0
"""and after so long where that failed."""

_HEADER = Struct(">BBBBIH")
_VERSION, _PUSH = 0x40, 0x01
_RGB_8, _DISPLAY = 0x0B, 1
_SEQUENCES = 15
_MOST_HOST = 253

_log = logging.getLogger("gridglow.ddp")


class DdpError(ValueError):
    """A host that cannot be one; the message says what is expected."""


@dataclass(slots=True, frozen=True)
class DdpHost:
    """Where to: a name or an address, and a UDP port."""

    name: str
    port: int = PORT

    @classmethod
    def parse(cls, text: str) -> DdpHost:
        """Read `host`, `host:port`, `[address]` or `[address]:port`. DdpError."""
        expected = f"{text!r}: expected HOST or HOST:PORT, an IPv6 address in brackets"
        name, colon, digits = text.strip().rpartition(":")
        if text.strip().startswith("["):
            inside, bracket, digits = text.strip()[1:].partition("]")
            name, colon, digits = inside, digits[:1], digits[1:]
            if not bracket or colon not in ("", ":"):
                raise DdpError(expected)
        elif not colon:
            name, digits = digits, ""
        if not name or len(name) > _MOST_HOST or not name.isascii() or not name.isprintable() or " " in name:
            raise DdpError(expected)
        if not colon:
            return cls(name)
        if ":" in name and not text.strip().startswith("["):
            raise DdpError(expected)
        if not (digits.isascii() and digits.isdigit()) or not 1 <= int(digits[:6]) <= 65535:
            raise DdpError(f"{text!r}: the port is a number from 1 to 65535")
        return cls(name, int(digits))

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def hosts_of(text: str) -> list[DdpHost]:
    """Hosts of a list with commas. DdpError."""
    return [DdpHost.parse(part) for part in text.split(",") if part.strip()]


def packets(rgb: bytes, sequence: int) -> list[bytes]:
    """A picture as datagrams, the first with `sequence` (1 to 15), each with the next."""
    step, found = 3 * PIXELS, []
    for offset in range(0, len(rgb), step):
        piece = rgb[offset : offset + step]
        flags = _VERSION | _PUSH if offset + step >= len(rgb) else _VERSION
        found.append(_HEADER.pack(flags, sequence, _RGB_8, _DISPLAY, offset, len(piece)) + piece)
        sequence = sequence % _SEQUENCES + 1
    return found


class DdpOutput:
    """Sends pictures to some hosts; make it inside a running loop, `run` looks the names up until it is cancelled."""

    def __init__(self, hosts: list[DdpHost]) -> None:
        self.targets = [_Target(host) for host in hosts]
        self._sockets: dict[int, socket.socket] = {}
        self._sequence = 1
        self._complaints = BoundedLog(_log)

    def send(self, rgb: bytes) -> None:
        """A picture, to every host whose address is known. Never blocks."""
        found = packets(rgb, self._sequence)
        self._sequence = (self._sequence + len(found) - 1) % _SEQUENCES + 1
        for target in self.targets:
            if target.address is not None:
                self._send_to(target, found)

    def _send_to(self, target: _Target, found: list[bytes]) -> None:
        try:
            sender = self._socket(target.family)
            for packet in found:
                sender.sendto(packet, target.address)
                target.packets += 1
        except OSError as error:
            # What a full buffer or a missing network costs is this picture.
            target.errors += 1
            target.problem = error.strerror or str(error)
            self._complaints.warning("DDP to %s: %s", target.host, target.problem)
        else:
            target.problem = ""

    def _socket(self, family: int) -> socket.socket:
        sender = self._sockets.get(family)
        if sender is None:
            sender = socket.socket(family, socket.SOCK_DGRAM)
            sender.setblocking(False)
            self._sockets[family] = sender
        return sender

    async def run(self) -> None:
        """Look the names up, again and again."""
        try:
            await asyncio.gather(*(self._follow(target) for target in self.targets))
        finally:
            for sender in self._sockets.values():
                sender.close()
            self._sockets.clear()

    async def _follow(self, target: _Target) -> None:
        while True:
            try:
                target.family, target.address = await _resolve(target.host)
                target.problem = ""
            except OSError as error:
                if not target.problem:
                    self._complaints.warning("DDP to %s: %s", target.host, error.strerror or error)
                target.problem = f"cannot be found: {error.strerror or error}"
            await asyncio.sleep(RETRY_S if target.problem else AGAIN_S)


class _Target:
    """A host, its address once it is known, and what became of it."""

    __slots__ = ("address", "errors", "family", "host", "packets", "problem")

    def __init__(self, host: DdpHost) -> None:
        self.host = host
        self.family = 0
        self.address: Any = None
        self.packets = 0
        self.errors = 0
        self.problem = ""

    def shown(self) -> dict[str, Any]:
        """For `status/gateway`."""
        address = self.address[0] if self.address is not None else None
        return {
            "host": str(self.host), "address": address, "packets": self.packets, "errors": self.errors,
            "problem": self.problem[:200],
        }  # fmt: skip


async def _resolve(host: DdpHost) -> tuple[int, Any]:
    """Family and address of a host. OSError.

    In a thread of its own, which nobody waits for: a resolver can be silent for half a minute, and the loop's executor
    would hold up the end of the process as long.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[tuple[int, Any]] = loop.create_future()

    def tell(result: tuple[int, Any] | OSError) -> None:
        if found.done():
            return
        if isinstance(result, OSError):
            found.set_exception(result)
        else:
            found.set_result(result)

    def look() -> None:
        result: tuple[int, Any] | OSError
        try:
            family, _, _, _, address = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_DGRAM)[0]
            result = (family, address)
        except OSError as error:
            result = error
        except UnicodeError:
            result = OSError(f"{host.name!r} is no name of a host")
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=look, name=f"resolve {host}", daemon=True).start()
    return await found
