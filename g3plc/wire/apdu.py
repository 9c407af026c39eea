"""All COSEM APDUs by their first octets: `decode` to the message classes, `kind` for whoever only needs the type.

Tags: IEC 62056-5-3 clause 8, COSEMpdu. Neighbours: `acse`, `xdlms`, `xdlms_initiate` hold the classes; `apdu_xml`
writes them as XML. Lists, blocks and ciphered APDUs are further rows of the tables here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from g3plc.core import flow
from g3plc.core.errors import WireError
from g3plc.wire.acse import AARE, AARQ, RLRE, RLRQ, Aare, Aarq, Rlre, Rlrq
from g3plc.wire.xdlms import (
    ACTION_REQUEST,
    ACTION_RESPONSE,
    EVENT_NOTIFICATION_REQUEST,
    EXCEPTION_RESPONSE,
    GET_REQUEST,
    GET_RESPONSE,
    NORMAL,
    SET_REQUEST,
    SET_RESPONSE,
    ActionRequestNormal,
    ActionResponseNormal,
    EventNotification,
    ExceptionResponse,
    GetRequestNormal,
    GetResponseNormal,
    SetRequestNormal,
    SetResponseNormal,
)
from g3plc.wire.xdlms_initiate import (
    CONFIRMED_SERVICE_ERROR,
    INITIATE_REQUEST,
    INITIATE_RESPONSE,
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)

Apdu: TypeAlias = (
    Aarq
    | Aare
    | Rlrq
    | Rlre
    | InitiateRequest
    | InitiateResponse
    | ConfirmedServiceError
    | GetRequestNormal
    | GetResponseNormal
    | SetRequestNormal
    | SetResponseNormal
    | ActionRequestNormal
    | ActionResponseNormal
    | ExceptionResponse
    | EventNotification
)

KIND_NAMES: Final[dict[int, str]] = {
    INITIATE_REQUEST: "InitiateRequest",
    INITIATE_RESPONSE: "InitiateResponse",
    CONFIRMED_SERVICE_ERROR: "ConfirmedServiceError",
    AARQ: "AARQ",
    AARE: "AARE",
    RLRQ: "RLRQ",
    RLRE: "RLRE",
    GET_REQUEST: "GetRequest",
    SET_REQUEST: "SetRequest",
    EVENT_NOTIFICATION_REQUEST: "EventNotification",
    ACTION_REQUEST: "ActionRequest",
    GET_RESPONSE: "GetResponse",
    SET_RESPONSE: "SetResponse",
    ACTION_RESPONSE: "ActionResponse",
    EXCEPTION_RESPONSE: "ExceptionResponse",
}
"""Kind, which is the first octet, to the name for logs and diagrams."""

Decoder: TypeAlias = Callable[[bytes], Apdu]

_BY_TAG: Final[dict[int, Decoder]] = {
    INITIATE_REQUEST: InitiateRequest.decode,
    INITIATE_RESPONSE: InitiateResponse.decode,
    CONFIRMED_SERVICE_ERROR: ConfirmedServiceError.decode,
    AARQ: Aarq.decode,
    AARE: Aare.decode,
    RLRQ: Rlrq.decode,
    RLRE: Rlre.decode,
    EVENT_NOTIFICATION_REQUEST: EventNotification.decode,
    EXCEPTION_RESPONSE: ExceptionResponse.decode,
}
_BY_CHOICE: Final[dict[int, dict[int, Decoder]]] = {
    GET_REQUEST: {NORMAL: GetRequestNormal.decode},
    SET_REQUEST: {NORMAL: SetRequestNormal.decode},
    ACTION_REQUEST: {NORMAL: ActionRequestNormal.decode},
    GET_RESPONSE: {NORMAL: GetResponseNormal.decode},
    SET_RESPONSE: {NORMAL: SetResponseNormal.decode},
    ACTION_RESPONSE: {NORMAL: ActionResponseNormal.decode},
}


_FLOW_KINDS: Final[dict[int, int]] = {
    AARQ: flow.AARQ,
    AARE: flow.AARE,
    RLRQ: flow.RLRQ,
    RLRE: flow.RLRE,
    GET_REQUEST: flow.GET_REQUEST,
    GET_RESPONSE: flow.GET_RESPONSE,
    SET_REQUEST: flow.SET_REQUEST,
    SET_RESPONSE: flow.SET_RESPONSE,
    ACTION_REQUEST: flow.ACTION_REQUEST,
    ACTION_RESPONSE: flow.ACTION_RESPONSE,
    EVENT_NOTIFICATION_REQUEST: flow.EVENT_NOTIFICATION,
    EXCEPTION_RESPONSE: flow.EXCEPTION,
}


def kind(octets: bytes) -> int:
    """The message kind (`core.flow`) of any octets, by the first of them; OTHER for what is no known APDU."""
    return _FLOW_KINDS.get(octets[0], flow.OTHER) if octets else flow.OTHER


def decode(octets: bytes) -> Apdu:
    """Return the one APDU that `octets` holds from first to last; anything else raises `WireError`."""
    if not octets:
        raise WireError("empty APDU")
    tag = octets[0]
    decoder = _BY_TAG.get(tag)
    if decoder is not None:
        return decoder(octets)
    choices = _BY_CHOICE.get(tag)
    if choices is None:
        raise WireError(f"unknown APDU tag {tag:02X}")
    if len(octets) < 2:
        raise WireError("APDU truncated")
    decoder = choices.get(octets[1])
    if decoder is None:
        raise WireError(f"{KIND_NAMES[tag]}: choice {octets[1]:02X} not supported")
    return decoder(octets)
