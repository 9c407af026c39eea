"""The two exceptions of the stack; normal outcomes are status values, not exceptions.

`WireError` is for octets that came from outside and cannot be what they claim to be. It is caught once, at the
entry of the layer that decodes, and becomes a `Dropped` event. `UsageError` is for a caller of ours that asks for
something impossible: it propagates.
"""

from __future__ import annotations


class WireError(Exception):
    """Octets that do not decode. `reason` is a short ASCII phrase, fit for a `Dropped` event and a log line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UsageError(Exception):
    """A request that the interface does not allow (value out of range, unknown attribute, wrong state)."""
