"""A client's sessions on one port: numbers them and hands each what the port reports.

Neighbours: `client` for the session itself; the coordinator's application owns one of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from g3plc.core.env import Rng
from g3plc.core.errors import UsageError
from g3plc.cosem.client import ClientSession, OnClosed, OnResult
from g3plc.cosem.config import ClientConfig
from g3plc.cosem.requests import Outcome, Request
from g3plc.sap import CosemPort
from g3plc.wire.xdlms import EVENT_NOTIFICATION_REQUEST

_EVENT_NOTIFICATION: Final = bytes((EVENT_NOTIFICATION_REQUEST,))


class ClientSessions:
    """All sessions that are open on `port`. Session numbers count from `first_number`."""

    __slots__ = ("_by_key", "_next", "_port", "_rng")

    def __init__(self, port: CosemPort, rng: Rng | None = None, first_number: int = 1) -> None:
        self._port = port
        self._rng = rng
        self._next = first_number
        self._by_key: dict[tuple[int, int, int], ClientSession] = {}

    def open(
        self,
        peer: int,
        requests: Iterable[Request] = (),
        config: ClientConfig | None = None,
        on_result: OnResult | None = None,
        on_closed: OnClosed | None = None,
        release_when_done: bool = True,
    ) -> ClientSession:
        """Start a session with `peer`; arguments as for `ClientSession`.

        UsageError where one with the same peer and wrapper ports is still open. The session is gone from here when
        `on_closed` is called, so that the next one may be opened from within it.
        """

        def closed(outcome: Outcome) -> None:
            del self._by_key[session.key]
            if on_closed is not None:
                on_closed(outcome)

        session = ClientSession(
            self._port, peer, self._next, requests, config, on_result, closed, self._rng, release_when_done
        )
        if session.key in self._by_key:
            raise UsageError(f"a session with station {peer} is open on these wrapper ports")
        self._next += 1
        self._by_key[session.key] = session
        session.start()
        return session

    def find(self, peer: int, client_wport: int, server_wport: int) -> ClientSession | None:
        """The open session of this key, or None."""
        return self._by_key.get((peer, client_wport, server_wport))

    def open_sessions(self) -> list[ClientSession]:
        """All open sessions, oldest first."""
        return list(self._by_key.values())

    def received(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes) -> bool:
        """Hand an APDU to its session. False, and nothing noted, if it belongs to none.

        Event notifications belong to no session: a meter sends them on its own initiative.
        """
        if apdu[:1] == _EVENT_NOTIFICATION:
            return False
        session = self._by_key.get((peer, dst_wport, src_wport))
        if session is None:
            return False
        session.received(peer, src_wport, dst_wport, apdu)
        return True

    def sent(self, handle: int, status: int) -> bool:
        """Hand the port's word on a datagram to its session; False if no session waits for it."""
        return any(session.sent(handle, status) for session in self.open_sessions())

    def route_lost(self, peer: int) -> bool:
        """Let the sessions with `peer` repeat what is outstanding; True if any did."""
        repeated = [session.route_lost(peer) for session in self.open_sessions() if session.peer == peer]
        return any(repeated)

    def abort_all(self, reason: str) -> None:
        """End every session at once."""
        for session in self.open_sessions():
            session.abort(reason)
