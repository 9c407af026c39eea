"""The server's judgement of an AARQ: which association it opens, or with what diagnostic it is refused.

IEC 62056-5-3 clause 7.2; refusals of the xDLMS part carry a ConfirmedServiceError. Neighbours: `server`.
"""

from __future__ import annotations

from g3plc.core.errors import WireError
from g3plc.cosem.config import ServerConfig
from g3plc.wire.acse import (
    APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
    AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
    CALLING_AP_TITLE_NOT_RECOGNIZED,
    CONTEXT_LN,
    MECHANISM_LOWEST,
    NO_REASON_GIVEN,
    REJECTED_PERMANENT,
    REJECTED_TRANSIENT,
    SOURCE_PROVIDER,
    SOURCE_USER,
    Aare,
    Aarq,
)
from g3plc.wire.xdlms_initiate import (
    DLMS_VERSION,
    DLMS_VERSION_TOO_LOW,
    ERROR_CLASS_INITIATE,
    INCOMPATIBLE_CONFORMANCE,
    INITIATE_ERROR,
    INITIATE_OTHER,
    PDU_SIZE_TOO_SHORT,
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)

LEAST_PDU = 12
"""A client that takes less than this cannot be answered (IEC 62056-5-3: pdu-size-too-short)."""


class Verdict:
    """The octets of the AARE; with `refused` None the association's conformance and the most octets to send."""

    __slots__ = ("aare", "conformance", "max_send_pdu", "refused")

    def __init__(self, aare: Aare, refused: str | None, conformance: int = 0, max_send_pdu: int = 0) -> None:
        self.aare = aare.encode()
        self.refused = refused
        self.conformance = conformance
        self.max_send_pdu = max_send_pdu


def _refusal(reason: str, diagnostic: int, user_information: bytes | None = None) -> Verdict:
    aare = Aare(user_information, REJECTED_PERMANENT, SOURCE_USER, diagnostic)
    return Verdict(aare, reason)


def _initiate_refusal(reason: str, error: int) -> Verdict:
    problem = ConfirmedServiceError(INITIATE_ERROR, ERROR_CLASS_INITIATE, error).encode()
    return _refusal(reason, NO_REASON_GIVEN, problem)


def too_many() -> Verdict:
    """Refusal of one association more than the server keeps: transient, by the service provider."""
    return Verdict(Aare(None, REJECTED_TRANSIENT, SOURCE_PROVIDER, NO_REASON_GIVEN), "too many associations")


def judge(aarq: Aarq, client_wport: int, config: ServerConfig) -> Verdict:
    """Accept `aarq` from this client or say why not. Ciphered contexts and passwords are not supported."""
    if aarq.application_context != CONTEXT_LN:
        return _refusal("application context not supported", APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
    if aarq.mechanism not in (None, MECHANISM_LOWEST):
        return _refusal("authentication mechanism not supported", AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED)
    if client_wport not in config.clients:
        return _refusal("client not known", CALLING_AP_TITLE_NOT_RECOGNIZED)
    if aarq.user_information is None:
        return _refusal("no initiate request", NO_REASON_GIVEN)
    try:
        proposal = InitiateRequest.decode(aarq.user_information)
    except WireError as problem:
        return _initiate_refusal(problem.reason, INITIATE_OTHER)
    return _negotiate(proposal, config)


def _negotiate(proposal: InitiateRequest, config: ServerConfig) -> Verdict:
    if proposal.dlms_version < DLMS_VERSION:
        return _initiate_refusal("DLMS version too low", DLMS_VERSION_TOO_LOW)
    conformance = proposal.conformance & config.conformance
    if conformance == 0:
        return _initiate_refusal("nothing in common in the conformance blocks", INCOMPATIBLE_CONFORMANCE)
    size = proposal.client_max_receive_pdu_size
    if 0 < size < LEAST_PDU:
        return _initiate_refusal("client's PDU size too short", PDU_SIZE_TOO_SHORT)
    if proposal.dedicated_key is not None or not proposal.response_allowed:
        return _initiate_refusal("dedicated key or silence asked for", INITIATE_OTHER)
    answer = InitiateResponse(conformance, config.max_receive_pdu)
    most = config.max_receive_pdu if size == 0 else min(size, config.max_receive_pdu)
    return Verdict(Aare(answer.encode()), None, conformance, most)
