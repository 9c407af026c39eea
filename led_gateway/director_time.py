"""Keeps the gateway's clock at the director's: asks for the time over the broker, as processes with stations do.

Neighbours: `gateway`, `emulation.live.sync` (what is made of the answers).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from emulation.live import sync
from emulation.live.clock import LoopClock
from emulation.live.mqtt import Connection
from emulation.live.records import SyncRecord
from emulation.live.sync import Sync
from emulation.live.topics import PayloadError, Topics


class DirectorTime:
    """`name` is that of the gateway in `sync/<name>`; `wanted()` says whether there is a run; `refused` counts."""

    def __init__(
        self, clock: LoopClock, connection: Connection, topics: Topics, name: str, wanted: Callable[[], object]
    ) -> None:
        self._clock = clock
        self._connection = connection
        self._topic = topics.sync(name)
        self._wanted = wanted
        self._sync = Sync()
        self.refused = 0
        connection.handle(topics.sync_answer(name), self._answer)

    async def run(self) -> None:
        """Ask, at first often, until cancelled."""
        while True:
            await asyncio.sleep(sync.FIRST_EVERY_S if self._sync.asked < sync.FIRST else sync.EVERY_S)
            if self._connection.up.is_set() and self._wanted():
                self._connection.publish(self._topic, self._sync.question(self._wall_ns()))

    def _wall_ns(self) -> int:
        """Our own, without the correction."""
        return self._clock.wall_ns() - self._clock.offset_ns

    def _answer(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            self._sync.answered(SyncRecord.decode(topic, payload), self._wall_ns())
        except PayloadError:
            self.refused += 1
        else:
            self._clock.set_offset(self._sync.offset_ns)
