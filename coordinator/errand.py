"""An errand: one request to one meter, from association to release, and what became of it.

Neighbours: `g3plc.cosem.client_sessions` speaks to the meter, `turns` keeps errands to one meter apart, `jobs` and
`collector` send errands and report their outcome, `explanation` puts a failure into words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from coordinator.explanation import explain
from coordinator.turns import Turns
from g3plc.core.env import Timer
from g3plc.cosem import client_states as life
from g3plc.cosem.client import ClientSession
from g3plc.cosem.client_sessions import ClientSessions
from g3plc.cosem.config import ClientConfig
from g3plc.cosem.requests import NO_ANSWER, Get, Outcome, Request
from g3plc.sap import CosemPort
from g3plc.wire.axdr import Data
from g3plc.wire.xdlms import SUCCESS

_NO_SESSION: Final = 0


class Errand:
    """What is to be asked of `meter`, and later the answer.

    `hold_us`: how long the association stands before the request goes out. `answered(errand)` is called when the meter
    has done what it was asked, `finished(errand)` when the session is over, answered or not.

    Afterwards: `session` its number; `ok` whether the meter did what it was asked; `data` and `code` as in
    `g3plc.cosem.client`; `attempts` transmissions of the request, or of the AARQ where that was not answered;
    `duration_us` from the AARQ to the answer without `hold_us`; `reason` and `explained_by` why it failed; `released`
    whether the association ended in order.
    """

    __slots__ = (
        "answered", "attempts", "code", "config", "data", "duration_us", "explained_by", "finished", "hold_us", "meter",
        "reason", "released", "request", "route_lost", "session", "started_us",
    )  # fmt: skip

    def __init__(
        self,
        meter: int,
        request: Request,
        config: ClientConfig,
        answered: Callable[[Errand], None],
        finished: Callable[[Errand], None],
        hold_us: int = 0,
    ) -> None:
        self.meter = meter
        self.request = request
        self.config = config
        self.answered = answered
        self.finished = finished
        self.hold_us = hold_us
        self.session = _NO_SESSION
        self.started_us = 0
        self.data: Data | None = None
        self.code = NO_ANSWER
        self.attempts = 0
        self.duration_us = 0
        self.route_lost = ""
        self.released = False
        self.reason = ""
        self.explained_by = ""

    @property
    def ok(self) -> bool:
        """Whether the meter did what it was asked."""
        return self.code == SUCCESS and (self.data is not None or not isinstance(self.request, Get))


class Errands:
    """The errands under way on `port`. Sessions are numbered from `first_session`."""

    __slots__ = ("_holding", "_port", "_sessions", "_turns", "_under_way", "next_session")

    def __init__(self, port: CosemPort, turns: Turns, first_session: int) -> None:
        self._port = port
        self._turns = turns
        self._sessions = ClientSessions(port, port.env.rng("app"), first_session)
        self._under_way: dict[int, tuple[Errand, ClientSession]] = {}
        self._holding: dict[int, Timer] = {}
        self.next_session = first_session

    def send(self, errand: Errand) -> None:
        """Go on this errand once its meter is free."""
        self._turns.ask(errand.meter, lambda: self._start(errand))

    def open_sessions(self) -> list[tuple[int, int]]:
        """(meter, session number) of every session that is not over."""
        return [(errand.meter, errand.session) for errand, _ in self._under_way.values()]

    # --- from the port

    def received(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes) -> bool:
        """Hand on an APDU; False if no session waits for anything from there."""
        taken = self._sessions.received(peer, src_wport, dst_wport, apdu)
        found = self._under_way.get(peer)
        if found is not None and found[0].hold_us:
            self._hold(*found)
        return taken

    def sent(self, handle: int, status: int) -> None:
        """Hand on the port's word on a datagram."""
        self._sessions.sent(handle, status)

    def route_lost(self, peer: int, reason: str) -> None:
        """Let a session with `peer` repeat at once what was under way."""
        found = self._under_way.get(peer)
        if found is not None:
            found[0].route_lost = reason
            self._sessions.route_lost(peer)

    # --- course of an errand

    def _start(self, errand: Errand) -> None:
        errand.started_us = self._port.env.clock.now

        def result(_request: Request, data: Data | None, code: int, attempts: int, _duration_us: int) -> None:
            errand.data, errand.code, errand.attempts = data, code, attempts
            errand.duration_us = self._port.env.clock.now - errand.started_us - errand.hold_us
            if errand.ok:
                errand.answered(errand)

        def closed(outcome: Outcome) -> None:
            self._over(errand, outcome)

        at_once: tuple[Request, ...] = () if errand.hold_us else (errand.request,)
        session = self._sessions.open(errand.meter, at_once, errand.config, result, closed, not errand.hold_us)
        errand.session = session.session
        self.next_session = session.session + 1
        self._under_way[errand.meter] = errand, session

    def _hold(self, errand: Errand, session: ClientSession) -> None:
        """Start to wait when the association stands."""
        if session.state == life.READY and errand.meter not in self._holding:
            self._holding[errand.meter] = self._port.env.clock.after(errand.hold_us, self._held, errand.meter)

    def _held(self, meter: int) -> None:
        errand, session = self._under_way[meter]
        session.request(errand.request)
        session.release()

    def _over(self, errand: Errand, outcome: Outcome) -> None:
        del self._under_way[errand.meter]
        timer = self._holding.pop(errand.meter, None)
        if timer is not None:
            timer.cancel()
        errand.released = outcome.released
        if errand.code == NO_ANSWER and not errand.attempts:
            errand.attempts = outcome.datagrams
        if not errand.ok or not errand.released:
            errand.reason, errand.explained_by = explain(errand.request, errand.code, outcome, errand.route_lost)
        errand.finished(errand)
        self._turns.done(errand.meter)
