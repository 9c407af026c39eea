"""A COSEM client's session with one server: AARQ and AARE, GET, SET and ACTION, RLRQ and RLRE (IEC 62056-5-3).

Sans-IO over a `CosemPort`; strict: what is not exactly the awaited answer from the right peer and wrapper ports is
dropped with a `Dropped` event of layer `cosem`, and the wait goes on.

How to use it
    session = ClientSession(port, peer, session_number, [Get(3, obis)], config, on_result, on_closed)
    session.start()                      sends the AARQ
    session.request(Action(...))         any time before the release: queued behind the others
    session.release()                    only where `release_when_done` is False: RLRQ once the queue is empty
    session.abort("operator")            ends it at once, no octets are sent
and hand it what the port reports: `received`, `sent`, `route_lost`. With several sessions on one port let
`client_sessions.ClientSessions` do that.

What comes back
    on_result(request, data, code, attempts, duration_us): exactly once for every request, in their order. `code` is a
        data-access-result or action-result, 0 success; or `requests.EXCEPTION`; or `requests.NO_ANSWER` where the
        session ended first (attempts 0: never sent). `data` is the value of a GET or the return parameters of an
        ACTION, else None. `attempts` counts datagrams of this request, `duration_us` runs from the first of them.
    on_closed(outcome): exactly once, after the last on_result. No callback runs from within `__init__` or `start`;
        `request` may be called from on_result, and a new session may be started from on_closed.

Time
    The answer is awaited for `answer_timeout_us` from the moment at which `sent` says SUCCESS: queueing and a route
    discovery, bounded by `confirm_timeout_us`, do not eat into it. A datagram that could not be sent is repeated after
    `retry_pause_us`; one that left and was not answered at the end of its time, and with it the route is looked for
    anew: the word that it is broken may have been lost. Both times grow with each try. A lost route to the peer repeats
    the outstanding datagram at once, unless that has not left yet: it will take the new route. All of these count as
    tries; after `tries` of them, or after `exchange_timeout_us`, or when the peer answers that it has no association
    (it rebooted), the session is aborted: `SessionAborted` is noted, what the paper calls ABRT. A repeat carries the
    same octets, invoke id included, so that the server can tell it from a new request.

Events: SessionOpen, SessionClosed, SessionAborted, Dropped. APDUs are traced by the port.
Neighbours: `client_states` (the table), `client_reception` (what an APDU means), `requests`, `config`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from g3plc import events
from g3plc.core.env import Rng, Timer
from g3plc.core.errors import UsageError
from g3plc.cosem import client_states as life
from g3plc.cosem.client_reception import Meaning, interpret
from g3plc.cosem.client_states import TABLE
from g3plc.cosem.config import ClientConfig
from g3plc.cosem.requests import EXCEPTION, NO_ANSWER, Outcome, Request
from g3plc.sap import STATUS_NAMES, SUCCESS, CosemPort
from g3plc.wire.acse import Aarq, Rlrq
from g3plc.wire.axdr import Data
from g3plc.wire.xdlms_initiate import InitiateRequest

OnResult = Callable[[Request, "Data | None", int, int, int], object]
OnClosed = Callable[[Outcome], object]

_NO_HANDLE: Final = -1


class ClientSession:
    """One session; see the module's text. `session` is the caller's number for it, carried by all its events."""

    __slots__ = (
        "_apdu", "_bound", "_datagrams", "_detail", "_exchange_us", "_handle", "_invoke", "_last_status", "_limit",
        "_lost", "_lost_us", "_meaning", "_on_closed", "_on_result", "_outstanding", "_queue", "_release_when_done",
        "_rng", "_started_us", "_state", "_timer", "_tries", "_what", "config", "peer", "port", "session",
    )  # fmt: skip

    def __init__(
        self,
        port: CosemPort,
        peer: int,
        session: int,
        requests: Iterable[Request] = (),
        config: ClientConfig | None = None,
        on_result: OnResult | None = None,
        on_closed: OnClosed | None = None,
        rng: Rng | None = None,
        release_when_done: bool = True,
    ) -> None:
        self.port = port
        self.peer = peer
        self.session = session
        self.config = config if config is not None else ClientConfig()
        self._queue: deque[Request] = deque(requests)
        self._on_result = on_result
        self._on_closed = on_closed
        self._rng = rng
        self._release_when_done = release_when_done
        self._state = life.NEW
        self._invoke = 0
        self._started_us = port.env.clock.now
        self._datagrams = 0
        self._last_status: int | None = None
        self._detail = ""
        self._meaning: Meaning | None = None
        # the exchange under way
        self._apdu = b""
        self._what = ""
        self._outstanding: Request | None = None
        self._tries = 0
        self._lost = 0
        self._lost_us = -1
        self._limit = 0
        self._exchange_us = 0
        self._handle = _NO_HANDLE
        self._timer: Timer | None = None
        self._bound: Timer | None = None

    @property
    def state(self) -> int:
        """One of the states of `client_states`."""
        return self._state

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""
        return self._state == life.CLOSED

    @property
    def key(self) -> tuple[int, int, int]:
        """(peer, client wPort, server wPort): one session at a time may use it."""
        return self.peer, self.config.client_wport, self.config.server_wport

    def start(self) -> None:
        """Send the AARQ. UsageError if the session has been started before."""
        self._step(life.START)

    def request(self, request: Request) -> None:
        """Queue one more request. UsageError once the release has begun or the session has ended."""
        if self._state not in (life.RELEASING, life.CLOSED):
            self._queue.append(request)
        self._step(life.SUBMIT)

    def release(self) -> None:
        """Release the association as soon as nothing is queued or outstanding."""
        self._release_when_done = True
        self._step(life.RELEASE)

    def abort(self, reason: str) -> None:
        """End the session at once without a word to the peer."""
        self._detail = reason
        self._step(life.ABORT)

    def received(self, peer: int, src_wport: int, dst_wport: int, octets: bytes) -> bool:
        """Take an APDU from station `peer`; False if it was dropped."""
        if peer != self.peer or src_wport != self.config.server_wport or dst_wport != self.config.client_wport:
            self._drop(peer, octets, "not from the session's peer or wPort")
            return False
        meaning = interpret(octets, self._outstanding, self._invoke, self.config)
        self._meaning = meaning
        self._detail = meaning.detail
        action = self._step(meaning.input)
        if action == life.DROP:
            self._drop(peer, octets, meaning.detail or f"unexpected {life.INPUT_NAMES[meaning.input]}")
        return action != life.DROP

    def sent(self, handle: int, status: int) -> bool:
        """Take the port's word on a datagram; False if it is not the one that this session waits for."""
        if handle != self._handle or self._state == life.CLOSED:
            return False
        self._handle = _NO_HANDLE
        self._last_status = status
        if status == SUCCESS:
            self._step(life.DEPARTED)
        elif self._lost_us != self.port.env.clock.now or not self._repeat_lost():
            self._detail = f"{self._what} not sent: {STATUS_NAMES.get(status, f'status {status:#04x}')}"
            self._again(life.PAUSE)
        return True

    def route_lost(self, peer: int) -> bool:
        """Repeat an outstanding datagram to `peer` at once, if a try is left; False if there was nothing to repeat.

        One that is still on its way out takes whatever route there is now; where it is itself what found the route
        broken, `sent` says so in the same moment.
        """
        if peer != self.peer or not self._what:
            return False
        if self._handle != _NO_HANDLE:
            self._lost_us = self.port.env.clock.now
            return False
        return self._repeat_lost()

    # --- transitions

    def _step(self, column: int) -> int:
        self._state, action = TABLE[self._state, column]
        _ACTIONS[action](self)
        return action

    def _repeat_lost(self) -> bool:
        """Repeat over another route, if a try is left."""
        if self._tries >= self._limit:
            return False
        self._lost += 1
        self._step(life.REPEAT)
        return True

    def _again(self, column: int) -> None:
        """Go on with `column` while tries are left."""
        self._step(column if self._tries < self._limit else life.EXHAUSTED)

    def _send_aarq(self) -> None:
        self._started_us = self.port.env.clock.now
        proposal = InitiateRequest(self.config.conformance, self.config.max_receive_pdu)
        self._exchange("AARQ", Aarq(proposal.encode()).encode(), self.config.tries)

    def _send_request(self) -> None:
        request = self._queue.popleft()
        self._invoke = self._next_invoke()
        self._outstanding = request
        self._exchange(request.name, request.apdu(self._invoke), self.config.tries)

    def _send_rlrq(self) -> None:
        self._exchange("RLRQ", Rlrq().encode(), self.config.release_tries)

    def _next_invoke(self) -> int:
        """The fixed octet, or the flags with the ids 1 to 15 in turn."""
        if self.config.fixed_invoke is not None:
            return self.config.fixed_invoke
        return self.config.invoke_flags & 0xF0 | (self._invoke & 0x0F) % 15 + 1

    def _exchange(self, what: str, octets: bytes, limit: int) -> None:
        self._what = what
        self._apdu = octets
        self._tries = self._lost = 0
        self._limit = limit
        clock = self.port.env.clock
        self._exchange_us = clock.now
        self._bound = clock.after(self.config.exchange_timeout_us, self._overdue, None)
        self._send_again()

    def _send_again(self) -> None:
        self._tries += 1
        self._datagrams += 1
        config = self.config
        self._handle = self.port.send(self.peer, config.client_wport, config.server_wport, self._apdu, self.session)
        self._restart_timer(config.confirm_timeout_us, self._silent)

    def _await(self) -> None:
        self._restart_timer(self._grown(self.config.answer_timeout_us), self._silent)

    def _rest(self) -> None:
        self._restart_timer(self._grown(self.config.retry_pause_us), self._rested)

    def _open(self) -> None:
        self._settle()
        self.port.env.note(events.SessionOpen, self.peer, self.session)
        self._go_on()

    def _deliver(self) -> None:
        meaning = self._meaning
        if meaning is not None:
            self._result(meaning.data, meaning.code)
        self._go_on()

    def _deliver_exception(self) -> None:
        self._result(None, EXCEPTION)
        self._go_on()

    def _close(self) -> None:
        self._settle()
        self.port.env.note(events.SessionClosed, self.peer, self.session)
        self._end(True, "released")

    def _abort_session(self) -> None:
        self.port.env.note(events.SessionAborted, self.peer, self.session, self._detail)
        self._discard()

    def _discard(self) -> None:
        reason = self._detail
        if self._outstanding is not None:
            self._result(None, NO_ANSWER)
        self._settle()
        for request in self._queue:
            if self._on_result is not None:
                self._on_result(request, None, NO_ANSWER, 0, 0)
        self._queue.clear()
        self._end(False, reason)

    def _reject(self) -> None:
        raise UsageError(f"the session is {life.STATE_NAMES[self._state]}")

    def _nothing(self) -> None:
        """The table's word for an input that changes nothing; a drop is noted by `received`, which has the octets."""

    # --- parts of actions

    def _go_on(self) -> None:
        """With nothing outstanding: the next request, or the release if that is wanted."""
        if self._state != life.READY:
            return
        if self._queue:
            self._step(life.SUBMIT)
        elif self._release_when_done:
            self._step(life.RELEASE)

    def _settle(self) -> None:
        """The exchange is over."""
        for timer in (self._timer, self._bound):
            if timer is not None:
                timer.cancel()
        self._timer = self._bound = None
        self._handle = _NO_HANDLE
        self._what = ""
        self._outstanding = None

    def _result(self, data: Data | None, code: int) -> None:
        request = self._outstanding
        attempts = self._tries
        duration_us = self.port.env.clock.now - self._exchange_us
        self._settle()
        if request is not None and self._on_result is not None:
            self._on_result(request, data, code, attempts, duration_us)

    def _end(self, released: bool, reason: str) -> None:
        duration_us = self.port.env.clock.now - self._started_us if self._datagrams else 0
        if self._on_closed is not None:
            self._on_closed(Outcome(released, reason, self._datagrams, duration_us, self._last_status))

    def _grown(self, first_us: int) -> int:
        """`first_us` with the back-off of this try, and jitter. Repeats over a lost route are no sign of congestion."""
        wait_us = first_us
        for _ in range(1, self._tries - self._lost):
            wait_us = wait_us * self.config.backoff_percent // 100
            if wait_us >= self.config.max_wait_us:
                break
        wait_us = min(wait_us, max(first_us, self.config.max_wait_us))
        if self._rng is not None and self.config.jitter_us > 0:
            wait_us += self._rng.below(self.config.jitter_us)
        return wait_us

    def _restart_timer(self, delay_us: int, fn: Callable[[None], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.port.env.clock.after(delay_us, fn, None)

    def _silent(self, _arg: None) -> None:
        self._detail = f"no answer to {self._what} after {self._tries} tries"
        if self._tries < self._limit:
            self.port.discover(self.peer)
        self._again(life.REPEAT)

    def _rested(self, _arg: None) -> None:
        self._step(life.REPEAT)

    def _overdue(self, _arg: None) -> None:
        self._detail = f"no answer to {self._what} in time"
        self._step(life.EXHAUSTED)

    def _drop(self, peer: int, octets: bytes, reason: str) -> None:
        self.port.env.note(events.Dropped, "cosem", reason, peer, len(octets))


_ACTIONS: Final[tuple[Callable[[ClientSession], None], ...]] = (
    ClientSession._send_aarq,
    ClientSession._send_request,
    ClientSession._send_rlrq,
    ClientSession._send_again,
    ClientSession._await,
    ClientSession._rest,
    ClientSession._open,
    ClientSession._deliver,
    ClientSession._deliver_exception,
    ClientSession._close,
    ClientSession._abort_session,
    ClientSession._discard,
    ClientSession._reject,
    ClientSession._nothing,
    ClientSession._nothing,
)
"""By the action numbers of `client_states`."""
