"""Tells the coordinator of a voltage under the threshold, on the meter's own initiative (EventNotification).

One notification per dip: the next one only after the voltage has been well above the threshold again. Until the first
hop has taken it, it is repeated with growing pauses, a bounded number of times, always with the octets of the moment of
the dip; a route that breaks soon after its departure makes it go once more. Neighbours: `meter`, which owns one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from g3plc.core.env import Timer
from g3plc.sap import SUCCESS, CosemPort

TRIES: Final = 6
FIRST_PAUSE_US: Final = 5_000_000
CONFIRM_TIMEOUT_US: Final = 180_000_000
ROUTE_WATCH_US: Final = 15_000_000
"""A route lost within this time after departure has probably lost the notification too."""

_NO_HANDLE: Final = -1


class VoltageWatch:
    """`notification` builds the octets from the voltage; `peer` and wrapper ports say where they go.

    `threshold` and `hysteresis` in 0.1 V.
    """

    __slots__ = (
        "_apdu", "_below", "_departed_us", "_dst_wport", "_handle", "_hysteresis", "_notification", "_peer", "_port",
        "_src_wport", "_threshold", "_timer", "_tries",
    )  # fmt: skip

    def __init__(
        self,
        port: CosemPort,
        peer: int,
        src_wport: int,
        dst_wport: int,
        threshold: int,
        hysteresis: int,
        notification: Callable[[int], bytes],
    ) -> None:
        self._port = port
        self._peer = peer
        self._src_wport = src_wport
        self._dst_wport = dst_wport
        self._threshold = threshold
        self._hysteresis = hysteresis
        self._notification = notification
        self._below = False
        self._apdu = b""
        self._tries = 0
        self._handle = _NO_HANDLE
        self._departed_us: int | None = None
        self._timer: Timer | None = None

    def look(self, voltage: int) -> None:
        """The voltage (0.1 V) has changed."""
        if self._below:
            self._below = voltage < self._threshold + self._hysteresis
        elif voltage < self._threshold:
            self._below = True
            self._apdu = self._notification(voltage)
            self._tries = 0
            self._send(None)

    def sent(self, handle: int, status: int) -> bool:
        """Take the port's word on a datagram; False if it is none of ours."""
        if handle != self._handle or not self._apdu:
            return False
        self._handle = _NO_HANDLE
        if status == SUCCESS:
            self._cancel()
            self._departed_us = self._port.env.clock.now
        else:
            self._pause()
        return True

    def route_lost(self, peer: int) -> None:
        """Repeat a notification that left a short while ago."""
        if peer != self._peer or self._departed_us is None or not self._apdu:
            return
        if self._port.env.clock.now - self._departed_us <= ROUTE_WATCH_US and self._tries < TRIES:
            self._send(None)

    def _send(self, _arg: None) -> None:
        self._tries += 1
        self._departed_us = None
        self._cancel()
        self._handle = self._port.send(self._peer, self._src_wport, self._dst_wport, self._apdu)
        self._timer = self._port.env.clock.after(CONFIRM_TIMEOUT_US, self._unconfirmed, None)

    def _unconfirmed(self, _arg: None) -> None:
        self._handle = _NO_HANDLE
        self._pause()

    def _pause(self) -> None:
        self._cancel()
        if self._tries >= TRIES:
            self._apdu = b""
            return
        self._timer = self._port.env.clock.after(FIRST_PAUSE_US << self._tries - 1, self._send, None)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
