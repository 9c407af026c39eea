"""Puts fragments together (RFC 4944 5.3): bounded, each datagram with a time-out.

A fragment that comes twice is ignored; one that overlaps another differently, or whose datagram is longer than an IPv6
packet of this link may be, ends its datagram. Neighbour: `receiver`, which has decompressed the first fragment.
"""

from __future__ import annotations

from g3plc.adp.config import AdpConfig
from g3plc.adp.constants import FRAGMENT_UNIT, LAYER, MAX_NSDU_OCTETS
from g3plc.core.env import Env, Timer
from g3plc.core.errors import WireError
from g3plc.events import Dropped

Key = tuple[int, int, int, int]
"""(originator, final destination, datagram tag, datagram size)."""


class _Datagram:
    """Fragments by offset."""

    __slots__ = ("key", "octets", "parts", "timer")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.parts: dict[int, bytes] = {}
        self.octets = 0
        self.timer: Timer | None = None


class Reassembly:
    """Datagrams under way to this station."""

    __slots__ = ("_config", "_datagrams", "_env")

    def __init__(self, env: Env, config: AdpConfig) -> None:
        self._env = env
        self._config = config
        self._datagrams: dict[Key, _Datagram] = {}

    def add(self, key: Key, offset: int, part: bytes) -> bytes | None:
        """Add octets of the uncompressed datagram; return it when it is complete.

        Raises WireError: `datagram too long`, `fragment length` (not a multiple of 8 before the end, or beyond it),
        `fragment overlap` or `too many reassemblies`.
        """
        size = key[3]
        if size > MAX_NSDU_OCTETS:
            raise WireError("datagram too long")
        end = offset + len(part)
        if end > size or (end < size and end % FRAGMENT_UNIT):
            raise WireError("fragment length")
        datagram = self._datagrams.get(key)
        if datagram is None:
            if end - offset == size:
                return part
            datagram = self._start(key)
        known = datagram.parts.get(offset)
        if known is not None and len(known) == len(part):
            return None
        if any(at < end and offset < at + len(octets) for at, octets in datagram.parts.items()):
            self._end(datagram)
            raise WireError("fragment overlap")
        datagram.parts[offset] = part
        datagram.octets += len(part)
        if datagram.octets < size:
            return None
        self._end(datagram)
        return b"".join([datagram.parts[at] for at in sorted(datagram.parts)])

    def _start(self, key: Key) -> _Datagram:
        if len(self._datagrams) >= self._config.reassemblies:
            raise WireError("too many reassemblies")
        datagram = self._datagrams[key] = _Datagram(key)
        datagram.timer = self._env.clock.after(self._config.reassembly_timeout_us, self._expired, datagram)
        return datagram

    def _end(self, datagram: _Datagram) -> None:
        del self._datagrams[datagram.key]
        if datagram.timer is not None:
            datagram.timer.cancel()

    def _expired(self, datagram: _Datagram) -> None:
        del self._datagrams[datagram.key]
        env = self._env
        env.note(Dropped, LAYER, "reassembly timeout", datagram.key[0], datagram.octets)
