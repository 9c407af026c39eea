"""A selector whose timers are exact and that outlives sockets closed behind its back.

`select` takes a time-out in microseconds, where epoll rounds up to whole milliseconds. But one closed file descriptor
in its sets makes every call of it fail, and the MQTT library registers sockets by callbacks that may run when a broker
that went away has closed them already. Such sockets are forgotten here; whoever owned them knows that they are gone.

Neighbours: `command_line.run_loop` (uses it), `mqtt` (the connections).
"""

from __future__ import annotations

import os
import selectors


class ExactSelector(selectors.SelectSelector):
    """See the module's text. For fewer than a thousand file descriptors, by the nature of `select`."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for the registered files; after dead ones were found, what is ready is found at the next call."""
        try:
            return super().select(timeout)
        except (OSError, ValueError):
            if not self._forget_closed():
                raise
            return []

    def _forget_closed(self) -> bool:
        """Take out what is not open any more; whether there was any."""
        closed = [key.fd for key in self.get_map().values() if not _is_open(key.fd)]
        for fd in closed:
            self.unregister(fd)
        return bool(closed)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
