"""The COSEM server: APDUs of any peer in, answers out; associations by (peer, client wPort, server wPort).

IEC 62056-5-3. Sans-IO: `handle` takes one APDU and returns the answers (at most one); it is total over any octets.
Times come from the environment's clock, life cycles from the table in `association`. Neighbours: `acceptor` judges
AARQs, `service` carries requests out, a station's application moves the octets.

Events: SessionOpen, SessionClosed, SessionAborted with session 0 (the number is the client's own and not on the wire),
and Dropped with layer `cosem` for what gets no answer or an exception-response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from g3plc import events
from g3plc.core.env import Env, Timer
from g3plc.core.errors import WireError
from g3plc.cosem import association as life
from g3plc.cosem.acceptor import Verdict, judge, too_many
from g3plc.cosem.association import TABLE, Association, Key
from g3plc.cosem.config import ServerConfig
from g3plc.cosem.objects import Context, LogicalDevice
from g3plc.cosem.service import REQUESTS, Request, is_confirmed, needed_conformance, serve
from g3plc.wire import acse, apdu, xdlms
from g3plc.wire.acse import Aarq, Rlre, Rlrq
from g3plc.wire.xdlms import ExceptionResponse, GetRequestNormal

NO_SESSION: Final = 0

_NOT_ALLOWED: Final = ExceptionResponse(xdlms.SERVICE_NOT_ALLOWED, xdlms.OPERATION_NOT_POSSIBLE).encode()
_NOT_SUPPORTED: Final = ExceptionResponse(xdlms.SERVICE_UNKNOWN, xdlms.SERVICE_NOT_SUPPORTED).encode()

# Tags that a server never answers: responses, notifications and exceptions. An answer to those could go on for ever.
_UNANSWERABLE: Final = frozenset(
    {0x08, 0x0C, 0x0D, 0x0E, 0x0F, acse.AARQ, acse.AARE, acse.RLRE, 0xC2, 0xC4, 0xC5, 0xC7}
    | {0xCA, 0xCC, 0xCD, 0xCF, 0xD2, 0xD4, 0xD5, 0xD7, 0xD8, 0xDA, 0xE0}
)


class _Arrival:
    """One APDU on its way through the table: which input it is, and what was decoded of it."""

    __slots__ = ("input", "octets", "reason", "request", "verdict")

    def __init__(self, kind: int, octets: bytes, reason: str = "") -> None:
        self.input = kind
        self.octets = octets
        self.reason = reason
        self.request: Request | None = None
        self.verdict: Verdict | None = None


class Server:
    """A server with one logical device per server wrapper port."""

    __slots__ = ("_associations", "_config", "_devices", "_env", "_timer")

    def __init__(self, env: Env, devices: Mapping[int, LogicalDevice], config: ServerConfig | None = None) -> None:
        self._env = env
        self._devices = dict(devices)
        self._config = config if config is not None else ServerConfig()
        self._associations: dict[Key, Association] = {}
        self._timer: Timer | None = None

    def handle(self, peer: int, client_wport: int, server_wport: int, octets: bytes) -> list[bytes]:
        """Return the answers to one APDU, to be sent from `server_wport` to `peer`'s `client_wport`."""
        device = self._devices.get(server_wport)
        if device is None:
            self._drop(peer, octets, "no such server wPort")
            return []
        key = (peer, client_wport, server_wport)
        found = self._associations.get(key)
        if found is None:
            found = Association(key, self._context(device, key, 0, self._config.max_receive_pdu), self._env.clock.now)
        arrival = self._classify(found, octets)
        answer = self._step(found, arrival)
        return [answer] if answer else []

    def open_associations(self) -> list[Key]:
        """The keys of all open associations, oldest first."""
        return [key for key, kept in self._associations.items() if kept.state == life.OPEN]

    def _context(self, device: LogicalDevice, key: Key, conformance: int, most: int) -> Context:
        config = self._config
        may_write = key[1] in config.clients and key[1] not in config.read_only_clients
        return Context(device, key[1], key[2], conformance, most, may_write)

    def _classify(self, found: Association, octets: bytes) -> _Arrival:
        try:
            message = apdu.decode(octets)
        except WireError as problem:
            answerable = bool(octets) and octets[0] not in _UNANSWERABLE
            return _Arrival(life.UNKNOWN_REQUEST if answerable else life.FOREIGN, octets, problem.reason)
        if isinstance(message, Aarq):
            return self._classify_aarq(found, message, octets)
        if isinstance(message, REQUESTS):
            return self._classify_request(found, message, octets)
        if isinstance(message, Rlrq):
            return _Arrival(life.RLRQ, octets, "release of no association")
        return _Arrival(life.FOREIGN, octets, "not for a server")

    def _classify_aarq(self, found: Association, message: Aarq, octets: bytes) -> _Arrival:
        if found.state == life.OPEN and octets == found.aarq and not found.asked:
            return _Arrival(life.AARQ_AGAIN, octets)
        verdict = judge(message, found.key[1], self._config)
        if verdict.refused is None and found.state != life.OPEN and self._full():
            verdict = too_many()
        arrival = _Arrival(life.AARQ if verdict.refused is None else life.AARQ_REFUSED, octets, verdict.refused or "")
        arrival.verdict = verdict
        return arrival

    def _classify_request(self, found: Association, message: Request, octets: bytes) -> _Arrival:
        if found.state == life.OPEN and not needed_conformance(message) & found.context.conformance:
            column = life.UNKNOWN_REQUEST if is_confirmed(message) else life.FOREIGN
            return _Arrival(column, octets, "service not negotiated")
        answered = is_confirmed(message) or (
            isinstance(message, GetRequestNormal) and self._config.answer_unconfirmed_get
        )
        arrival = _Arrival(life.REQUEST if answered else life.SILENT_REQUEST, octets, "request without association")
        arrival.request = message
        return arrival

    def _step(self, found: Association, arrival: _Arrival) -> bytes:
        """Take one transition of the table; returns the answer's octets, empty for none."""
        found.state, action = TABLE[found.state, arrival.input]
        if found.state == life.IDLE:
            self._associations.pop(found.key, None)
        else:
            if arrival.input != life.FOREIGN:
                found.last_us = self._env.clock.now
            self._associations[found.key] = found
            self._arm()
        return _ACTIONS[action](self, found, arrival)

    def _full(self) -> bool:
        """Whether all places are taken by open associations; if not, the oldest released one makes room."""
        if len(self._associations) < self._config.max_associations:
            return False
        for key, kept in self._associations.items():
            if kept.state == life.RELEASED:
                del self._associations[key]
                return False
        return True

    # --- actions of the table

    def _accept(self, found: Association, arrival: _Arrival) -> bytes:
        verdict = arrival.verdict
        if verdict is None:
            return b""
        context = self._context(found.context.device, found.key, verdict.conformance, verdict.max_send_pdu)
        found.opened(arrival.octets, verdict.aare, context)
        self._env.note(events.SessionOpen, found.key[0], NO_SESSION)
        return verdict.aare

    def _restart(self, found: Association, arrival: _Arrival) -> bytes:
        self._aborted(found, "new association request")
        return self._accept(found, arrival)

    def _repeat_aare(self, found: Association, arrival: _Arrival) -> bytes:
        return found.aare

    def _refuse(self, found: Association, arrival: _Arrival) -> bytes:
        self._drop(found.key[0], arrival.octets, f"AARQ refused: {arrival.reason}")
        return arrival.verdict.aare if arrival.verdict is not None else b""

    def _abort_and_refuse(self, found: Association, arrival: _Arrival) -> bytes:
        self._aborted(found, "new association request")
        return self._refuse(found, arrival)

    def _serve(self, found: Association, arrival: _Arrival) -> bytes:
        request = arrival.request
        if request is None:
            return b""
        found.asked = True
        invoke_id = request.invoke_id_and_priority & xdlms.INVOKE_ID_MASK
        answer = None
        if not isinstance(request, GetRequestNormal):
            answer = found.answer_to(invoke_id, arrival.octets)
        if answer is None:
            answer = serve(request, found.context)
            if arrival.input == life.SILENT_REQUEST:
                answer = b""
            found.remember(invoke_id, arrival.octets, answer)
        return answer

    def _not_allowed(self, found: Association, arrival: _Arrival) -> bytes:
        self._drop(found.key[0], arrival.octets, arrival.reason)
        return _NOT_ALLOWED

    def _release(self, found: Association, arrival: _Arrival) -> bytes:
        found.rlre = Rlre().encode()
        self._env.note(events.SessionClosed, found.key[0], NO_SESSION)
        return found.rlre

    def _repeat_rlre(self, found: Association, arrival: _Arrival) -> bytes:
        return found.rlre

    def _explain(self, found: Association, arrival: _Arrival) -> bytes:
        found.asked = True
        self._drop(found.key[0], arrival.octets, arrival.reason)
        return _NOT_SUPPORTED

    def _dropped(self, found: Association, arrival: _Arrival) -> bytes:
        self._drop(found.key[0], arrival.octets, arrival.reason)
        return b""

    def _abort(self, found: Association, arrival: _Arrival) -> bytes:
        self._aborted(found, arrival.reason)
        return b""

    def _forget(self, found: Association, arrival: _Arrival) -> bytes:
        return b""

    # --- events and time

    def _drop(self, peer: int, octets: bytes, reason: str) -> None:
        self._env.note(events.Dropped, "cosem", reason, peer, len(octets))

    def _aborted(self, found: Association, reason: str) -> None:
        self._env.note(events.SessionAborted, found.key[0], NO_SESSION, reason)

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self._env.clock.after(self._config.inactivity_us, self._look, None)

    def _look(self, _arg: None) -> None:
        """Let every association go that has been silent for too long; look again when the next may be due."""
        self._timer = None
        limit = self._config.inactivity_us
        now = self._env.clock.now
        for found in list(self._associations.values()):
            if now - found.last_us >= limit:
                self._step(found, _Arrival(life.EXPIRED, b"", "inactivity"))
        if self._associations:
            due = min(found.last_us for found in self._associations.values()) + limit
            self._timer = self._env.clock.at(due, self._look, None)


_ACTIONS: Final[tuple[Callable[[Server, Association, _Arrival], bytes], ...]] = (
    Server._accept,
    Server._restart,
    Server._repeat_aare,
    Server._refuse,
    Server._abort_and_refuse,
    Server._serve,
    Server._not_allowed,
    Server._release,
    Server._repeat_rlre,
    Server._explain,
    Server._dropped,
    Server._abort,
    Server._forget,
)
"""By the action numbers of `association`."""
