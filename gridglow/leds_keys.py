"""Single keys from the terminal, which is always put back as it was.

Where standard input is no terminal there are no keys. Neighbours: `leds_run`, `board_walk_run`.
"""

from __future__ import annotations

import os
import select
import sys
from types import TracebackType
from typing import Any

try:
    import termios
    import tty
except ImportError:  # no such terminals on this system: no keys
    termios = None  # type: ignore[assignment]

_MOST_OCTETS = 64
_ARROWS = {"\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left"}


class Keys:
    """Reads keys without waiting for a line, as long as its `with` block runs."""

    def __init__(self) -> None:
        self._fd = -1
        self._before: Any = None

    @property
    def there(self) -> bool:
        """Whether somebody can press keys."""
        return self._fd >= 0

    def __enter__(self) -> Keys:
        if termios is not None and sys.stdin is not None and sys.stdin.isatty():
            self._fd = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._fd >= 0:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
            self._fd = -1

    def pressed(self) -> list[str]:
        """The keys since the last call: a character each; arrows as `left`, `right`, `up`, `down`."""
        if self._fd < 0 or not select.select([self._fd], [], [], 0)[0]:
            return []
        octets = os.read(self._fd, _MOST_OCTETS)
        if not octets:  # the terminal is gone
            return ["q"]
        return keys_of(octets.decode("utf-8", "replace"))


def keys_of(text: str) -> list[str]:
    """The keys in what a terminal has sent."""
    found, at = [], 0
    while at < len(text):
        arrow = _ARROWS.get(text[at : at + 3])
        found.append(arrow or text[at])
        at += 3 if arrow else 1
    return found
