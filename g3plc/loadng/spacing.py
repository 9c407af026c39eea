"""adpRREQWait: the least time between two requests (RREQ, RLCREQ) that start at this station.

Those that come too early wait their turn, first in, first out. Neighbours: `discovery` and `rlc`, which bound how many
they ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from g3plc.core.env import Env, Timer
from g3plc.loadng.config import LoadngConfig


class Spacing:
    """Runs `fn(arg)` as soon as a request is allowed; `fn` tells whether it made one."""

    __slots__ = ("_config", "_env", "_next_us", "_queue", "_timer")

    def __init__(self, env: Env, config: LoadngConfig) -> None:
        self._env = env
        self._config = config
        self._queue: list[tuple[Callable[[Any], bool], Any]] = []
        self._next_us = 0
        self._timer: Timer | None = None

    def when_allowed(self, fn: Callable[[Any], bool], arg: Any) -> None:
        """Queue `fn(arg)`; it runs at once if nothing waits and the last request is long enough ago."""
        self._queue.append((fn, arg))
        if self._timer is None:
            self._run(None)

    def _run(self, _arg: None) -> None:
        self._timer = None
        clock = self._env.clock
        while self._queue:
            if clock.now < self._next_us:
                self._timer = clock.at(self._next_us, self._run, None)
                return
            fn, arg = self._queue.pop(0)
            if fn(arg):
                self._next_us = clock.now + self._config.rreq_wait_us
