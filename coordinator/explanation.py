"""Why a request failed, in words: the reason, and the last thing known here that explains it.

Both are short ASCII phrases for events and log lines. Neighbours: `errand` asks.
"""

from __future__ import annotations

from typing import Final

from g3plc.cosem.requests import EXCEPTION, NO_ANSWER, RESULT_NAMES, Action, Outcome, Request
from g3plc.sap import NO_ACK, ROUTE_ERROR, STATUS_NAMES, SUCCESS
from g3plc.wire.xdlms import SUCCESS as RESULT_SUCCESS

_NOT_SENT: Final = {
    ROUTE_ERROR: "route discovery failed",
    NO_ACK: "the first hop does not acknowledge",
}


def explain(request: Request, code: int, outcome: Outcome, route_lost: str) -> tuple[str, str]:
    """Return (reason, explained by) of a request that failed, or of its session that was not released.

    `code` is the request's result as in `g3plc.cosem.client`; `route_lost` the reason of the last loss of the route
    while the session lasted, or empty.
    """
    if code in (NO_ANSWER, RESULT_SUCCESS) and not outcome.released:
        return _unanswered(outcome, route_lost)
    if code == EXCEPTION:
        return "exception response", f"the meter does not know the service {request.name}"
    if code == RESULT_SUCCESS:
        return "answer without data", f"{request.name} answered without data"
    name = RESULT_NAMES.get(code, f"result {code}")
    kind = "action-result" if isinstance(request, Action) else "data-access-result"
    return f"refused by the meter: {name}", f"{request.name} answered with {kind} {code}"


def _unanswered(outcome: Outcome, route_lost: str) -> tuple[str, str]:
    reason = outcome.reason
    if reason.startswith("refused"):
        return reason, "the AARE says so"
    if reason == "peer has no association":
        return reason, "exception-response: the meter has probably restarted"
    if reason.startswith("no answer"):
        # the tries are told apart from the reason
        reason = reason.partition(" after ")[0]
    status = outcome.last_status
    if status is not None and status != SUCCESS:
        why = _NOT_SENT.get(status, STATUS_NAMES.get(status, f"status {status}"))
        return reason, f"route lost ({route_lost}), then {why}" if route_lost else why
    if route_lost:
        return reason, f"route lost ({route_lost})"
    if status is None:
        return reason, "the stack did not say that anything left"
    return reason, "all left for the first hop, nothing came back"
