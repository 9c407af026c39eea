"""A log that cannot be flooded: at most a few lines in a while, and then how many were left out."""

from __future__ import annotations

import logging
import time

_LINES = 5
_WINDOW_S = 10.0


class BoundedLog:
    """At most five lines in ten seconds go to `log`; `left_out` counts the others until the next window tells it."""

    __slots__ = ("_lines", "_log", "_until", "left_out")

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._until = 0.0
        self._lines = 0
        self.left_out = 0

    def warning(self, text: str, *fields: object) -> None:
        """A line of level warning."""
        self._line(logging.WARNING, text, fields)

    def error(self, text: str, *fields: object) -> None:
        """A line of level error."""
        self._line(logging.ERROR, text, fields)

    def _line(self, level: int, text: str, fields: tuple[object, ...]) -> None:
        now = time.monotonic()
        if now >= self._until:
            if self.left_out:
                self._log.log(level, "%d more lines of this sort were left out", self.left_out)
            self._until = now + _WINDOW_S
            self._lines = self.left_out = 0
        self._lines += 1
        if self._lines <= _LINES:
            self._log.log(level, text, *fields)
        else:
            self.left_out += 1
