"""What an APDU that reached a client's session means to it: one input of the table in `client_states`.

Pure and strict (IEC 62056-5-3): exact octets, the very invoke-id-and-priority, the kind of response that was asked for,
and in an AARE nothing that was not proposed. Neighbours: `client`.
"""

from __future__ import annotations

from g3plc.core.errors import WireError
from g3plc.cosem import client_states as life
from g3plc.cosem.config import ClientConfig
from g3plc.cosem.requests import RESPONSES, Request, Response, result_of
from g3plc.wire import apdu
from g3plc.wire.acse import (
    ACCEPTED,
    APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
    AUTHENTICATION_FAILURE,
    AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
    AUTHENTICATION_MECHANISM_NAME_REQUIRED,
    AUTHENTICATION_REQUIRED,
    CALLING_AP_TITLE_NOT_RECOGNIZED,
    CONTEXT_LN,
    SOURCE_USER,
    Aare,
    Rlre,
)
from g3plc.wire.axdr import Data
from g3plc.wire.xdlms import SERVICE_NOT_ALLOWED, ExceptionResponse
from g3plc.wire.xdlms_initiate import DLMS_VERSION, ConfirmedServiceError, InitiateResponse

_DIAGNOSTICS: dict[int, str] = {
    APPLICATION_CONTEXT_NAME_NOT_SUPPORTED: "application context not supported",
    CALLING_AP_TITLE_NOT_RECOGNIZED: "client not known",
    AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED: "authentication mechanism not supported",
    AUTHENTICATION_MECHANISM_NAME_REQUIRED: "authentication mechanism required",
    AUTHENTICATION_FAILURE: "authentication failure",
    AUTHENTICATION_REQUIRED: "authentication required",
}


class Meaning:
    """An input of the table; `detail` says why it is junk or a refusal; `data` and `code` are an answer's."""

    __slots__ = ("code", "data", "detail", "input")

    def __init__(self, column: int, detail: str = "", data: Data | None = None, code: int = 0) -> None:
        self.input = column
        self.detail = detail
        self.data = data
        self.code = code


def interpret(octets: bytes, outstanding: Request | None, invoke: int, config: ClientConfig) -> Meaning:
    """Return what `octets` mean while `outstanding`, sent with `invoke`, waits for its answer (None: nothing does)."""
    try:
        message = apdu.decode(octets)
    except WireError as problem:
        return Meaning(life.JUNK, problem.reason)
    if isinstance(message, RESPONSES):
        return _response(message, outstanding, invoke)
    if isinstance(message, Aare):
        return _aare(message, config)
    if isinstance(message, Rlre):
        return Meaning(life.RELEASED)
    if isinstance(message, ExceptionResponse):
        if message.state_error == SERVICE_NOT_ALLOWED:
            return Meaning(life.NO_ASSOCIATION, "peer has no association")
        return Meaning(life.EXCEPTION)
    return Meaning(life.JUNK, f"unexpected {apdu.KIND_NAMES[octets[0]]}")


def _response(message: Response, outstanding: Request | None, invoke: int) -> Meaning:
    if outstanding is None:
        return Meaning(life.JUNK, "response to nothing")
    if message.invoke_id_and_priority != invoke:
        return Meaning(life.JUNK, "wrong invoke id")
    result = result_of(outstanding, message)
    if result is None:
        return Meaning(life.JUNK, "response of another service")
    return Meaning(life.ANSWERED, "", *result)


def _aare(message: Aare, config: ClientConfig) -> Meaning:
    if message.result != ACCEPTED:
        return Meaning(life.REFUSED, f"refused: {_why(message)}")
    if message.application_context != CONTEXT_LN or message.mechanism is not None:
        return Meaning(life.REFUSED, "refused: AARE of another application context")
    try:
        agreed = InitiateResponse.decode(message.user_information or b"")
    except WireError:
        return Meaning(life.REFUSED, "refused: AARE without initiate response")
    if agreed.dlms_version != DLMS_VERSION or agreed.conformance & ~config.conformance:
        return Meaning(life.REFUSED, "refused: AARE grants what was not proposed")
    return Meaning(life.ACCEPTED)


def _why(message: Aare) -> str:
    """Put the diagnostic, or the service error inside, into words."""
    if message.user_information is not None:
        try:
            error = ConfirmedServiceError.decode(message.user_information)
        except WireError:
            pass
        else:
            return f"initiate error {error.error}"
    if message.diagnostic_source == SOURCE_USER and message.diagnostic in _DIAGNOSTICS:
        return _DIAGNOSTICS[message.diagnostic]
    return f"result {message.result}, diagnostic {message.diagnostic}"
