"""The way down to the MAC: numbers requests and hands each confirm to whoever asked.

Neighbours: the MAC (`sap.McpsService`) below; `data_path` and LOADng above.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from g3plc.adp.config import AdpConfig
from g3plc.adp.constants import LAYER
from g3plc.core.env import Env
from g3plc.events import Dropped
from g3plc.sap import BROADCAST, TRANSACTION_OVERFLOW, McpsService

Confirm = Callable[[Any, int], None]


class MacPort:
    """Requests to the MAC, at most `in_flight` unconfirmed."""

    __slots__ = ("_config", "_env", "_handle", "_waiting", "service")

    def __init__(self, env: Env, service: McpsService, config: AdpConfig) -> None:
        self._env = env
        self._config = config
        self._handle = 0
        self._waiting: dict[int, tuple[Confirm, Any]] = {}
        self.service = service

    def send(self, dst: int, msdu: bytes, high_priority: bool, flow: int, confirm: Confirm, arg: Any) -> None:
        """Send an MSDU to a neighbour or to all; `confirm(arg, status)` follows, later."""
        if len(self._waiting) >= self._config.in_flight:
            self._env.note(Dropped, LAYER, "too many requests", dst, len(msdu))
            self._env.clock.after(0, _overflow, (confirm, arg))
            return
        self._handle = handle = self._handle + 1
        self._waiting[handle] = (confirm, arg)
        self.service.mcps_data_request(dst, msdu, handle, dst != BROADCAST, high_priority, flow)

    def confirmed(self, handle: int, status: int) -> None:
        """The MAC's confirm of a request; one that was not asked for is ignored."""
        waiting = self._waiting.pop(handle, None)
        if waiting is not None:
            confirm, arg = waiting
            confirm(arg, status)


def _overflow(waiting: tuple[Confirm, Any]) -> None:
    confirm, arg = waiting
    confirm(arg, TRANSACTION_OVERFLOW)
