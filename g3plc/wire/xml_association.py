"""What opens and closes an association as XML elements in the Gurux dialect, both ways: ACSE and initiate APDUs.

Element names are those of Gurux where it has one (it writes AARQ as AssociationRequest), else those of IEC 62056-5-3.
Neighbours: `acse`, `xdlms_initiate` have the messages, `apdu_xml` the table of all elements.
"""

from __future__ import annotations

from typing import Final

from g3plc.core.errors import WireError
from g3plc.wire import acse
from g3plc.wire.acse import Aare, Aarq, Rlre, Rlrq
from g3plc.wire.xdlms_initiate import DLMS_VERSION, ConfirmedServiceError, InitiateRequest, InitiateResponse
from g3plc.wire.xml_tree import (
    Children,
    Element,
    branch,
    failure,
    hex_number,
    hex_octets,
    leaf,
    named_number,
    number_name,
    only_child,
    value_of,
)

_CONTEXTS: Final = {
    "LN": acse.CONTEXT_LN,
    "SN": acse.CONTEXT_SN,
    "LN_WITH_CIPHERING": acse.CONTEXT_LN_CIPHERED,
    "SN_WITH_CIPHERING": acse.CONTEXT_SN_CIPHERED,
}
_MECHANISMS: Final = {
    "None": acse.MECHANISM_LOWEST,
    "Low": acse.MECHANISM_LOW,
    "High": acse.MECHANISM_HIGH,
    "HighMd5": acse.MECHANISM_HIGH_MD5,
    "HighSha1": acse.MECHANISM_HIGH_SHA1,
    "HighGmac": acse.MECHANISM_HIGH_GMAC,
    "HighSha256": acse.MECHANISM_HIGH_SHA256,
    "HighEcdsa": acse.MECHANISM_HIGH_ECDSA,
}
_REQUEST_REASONS: Final = {
    "Normal": acse.REASON_NORMAL,
    "Urgent": acse.REASON_URGENT,
    "UserDefined": acse.REASON_USER_DEFINED,
}
_RESPONSE_REASONS: Final = {
    "Normal": acse.REASON_NORMAL,
    "NotFinished": acse.REASON_NOT_FINISHED,
    "UserDefined": acse.REASON_USER_DEFINED,
}
_SOURCES: Final = {"ACSEServiceUser": acse.SOURCE_USER, "ACSEServiceProvider": acse.SOURCE_PROVIDER}

_CONFORMANCE_BITS: Final = [
    "ReservedZero",
    "GeneralProtection",
    "GeneralBlockTransfer",
    "Read",
    "Write",
    "UnconfirmedWrite",
    "DeltaValueEncoding",
    "ReservedSeven",
    "Attribute0SupportedWithSet",
    "PriorityMgmtSupported",
    "Attribute0SupportedWithGet",
    "BlockTransferWithGetOrRead",
    "BlockTransferWithSetOrWrite",
    "BlockTransferWithAction",
    "MultipleReferences",
    "InformationReport",
    "DataNotification",
    "Access",
    "ParameterizedAccess",
    "Get",
    "Set",
    "SelectiveAccess",
    "EventNotification",
    "Action",
]
_CONFORMANCE: Final = {name: 1 << (23 - place) for place, name in enumerate(_CONFORMANCE_BITS)}

_SERVICE_ERRORS: Final[dict[str, str]] = {
    "ApplicationReference": "Other TimeElapsed ApplicationUnreachable ApplicationReferenceInvalid "
    "ApplicationContextUnsupported ProviderCommunicationError DecipheringError",
    "HardwareResource": "Other MemoryUnavailable ProcessorResourceUnavailable MassStorageUnavailable "
    "OtherResourceUnavailable",
    "VdeStateError": "Other NoDlmsContext LoadingDataSet StatusNochange StatusInoperable",
    "Service": "Other PduSize ServiceUnsupported",
    "Definition": "Other ObjectUndefined ObjectClassInconsistent ObjectAttributeInconsistent",
    "Access": "Other ScopeOfAccessViolated ObjectAccessInvalid HardwareFault ObjectUnavailable",
    "Initiate": "Other DlmsVersionTooLow IncompatibleConformance PduSizeTooShort RefusedByTheVDEHandler",
    "LoadDataSet": "Other PrimitiveOutOfSequence NotLoadable DatasetSizeTooLarge NotAwaitedSegment "
    "InterpretationFailure StorageFailure DataSetNotReady",
    "ChangeScope": "",
    "Task": "Other NoRemoteControl tiStopped tiRunning tiUnusable",
    "OtherError": "Other",
}
"""Error classes in the order of their choices in ServiceError, each with the names of its numbers from 0 on."""

_ERROR_CLASSES: Final = list(_SERVICE_ERRORS)


def _error_names(error_class: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(_SERVICE_ERRORS[error_class].split())}


def _octets_leaf(tag: str, octets: bytes | None) -> list[Element]:
    return [] if octets is None else [leaf(tag, octets.hex().upper())]


def _number_leaf(tag: str, number: int | None) -> list[Element]:
    return [] if number is None else [leaf(tag, f"{number:02X}")]


def _optional_octets(children: Children, tag: str) -> bytes | None:
    element = children.optional(tag)
    return None if element is None else hex_octets(element)


def _optional_number(children: Children, tag: str) -> int | None:
    element = children.optional(tag)
    return None if element is None else hex_number(element, 8)


def _conformance_element(tag: str, conformance: int) -> Element:
    bits = [Element("ConformanceBit", {"Name": name}) for name, bit in _CONFORMANCE.items() if conformance & bit]
    return branch(tag, *bits)


def _conformance(element: Element) -> int:
    conformance = 0
    for child in element.children:
        bit = _CONFORMANCE.get(value_of(child, "Name"))
        if child.tag != "ConformanceBit" or bit is None:
            raise failure(child, "no conformance bit of that name")
        conformance |= bit
    return conformance


def initiate_request_element(request: InitiateRequest) -> Element:
    """Return the InitiateRequest element."""
    return branch(
        "InitiateRequest",
        *_octets_leaf("DedicatedKey", request.dedicated_key),
        *([] if request.response_allowed else [leaf("ResponseAllowed", "false")]),
        *_number_leaf("ProposedQualityOfService", request.quality_of_service),
        leaf("ProposedDlmsVersionNumber", f"{request.dlms_version:02X}"),
        _conformance_element("ProposedConformance", request.conformance),
        leaf("ProposedMaxPduSize", f"{request.client_max_receive_pdu_size:04X}"),
    )


def read_initiate_request(element: Element) -> InitiateRequest:
    """Return the message of an InitiateRequest element; `WireError` with line and element where it is wrong."""
    children = Children(element)
    key = _optional_octets(children, "DedicatedKey")
    allowed = children.optional("ResponseAllowed")
    if allowed is not None and value_of(allowed).strip().lower() not in ("true", "false"):
        raise failure(allowed, "true or false expected")
    quality = _optional_number(children, "ProposedQualityOfService")
    version = _optional_number(children, "ProposedDlmsVersionNumber")
    conformance = _conformance(children.take("ProposedConformance"))
    size = hex_number(children.take("ProposedMaxPduSize"), 16)
    children.done()
    return InitiateRequest(
        conformance,
        size,
        key,
        allowed is None or value_of(allowed).strip().lower() == "true",
        quality,
        DLMS_VERSION if version is None else version,
    )


def initiate_response_element(response: InitiateResponse) -> Element:
    """Return the InitiateResponse element."""
    return branch(
        "InitiateResponse",
        *_number_leaf("NegotiatedQualityOfService", response.quality_of_service),
        leaf("NegotiatedDlmsVersionNumber", f"{response.dlms_version:02X}"),
        _conformance_element("NegotiatedConformance", response.conformance),
        leaf("NegotiatedMaxPduSize", f"{response.server_max_receive_pdu_size:04X}"),
        leaf("VaaName", f"{response.vaa_name:04X}"),
    )


def read_initiate_response(element: Element) -> InitiateResponse:
    """Return the message of an InitiateResponse element; `WireError` with line and element where it is wrong."""
    children = Children(element)
    quality = _optional_number(children, "NegotiatedQualityOfService")
    version = _optional_number(children, "NegotiatedDlmsVersionNumber")
    conformance = _conformance(children.take("NegotiatedConformance"))
    size = hex_number(children.take("NegotiatedMaxPduSize"), 16)
    vaa_name = hex_number(children.take("VaaName"), 16)
    children.done()
    return InitiateResponse(conformance, size, vaa_name, quality, DLMS_VERSION if version is None else version)


def service_error_element(error: ConfirmedServiceError) -> Element:
    """Return the ConfirmedServiceError element."""
    name = _ERROR_CLASSES[error.error_class]
    return branch(
        "ConfirmedServiceError",
        leaf("Service", f"{error.service:02X}"),
        branch("ServiceError", leaf(name, number_name(error.error, _error_names(name)))),
    )


def read_service_error(element: Element) -> ConfirmedServiceError:
    """Return the message of a ConfirmedServiceError element; `WireError` with line and element where it is wrong."""
    children = Children(element)
    service = hex_number(children.take("Service"), 8)
    error = only_child(children.take("ServiceError"))
    children.done()
    if error.tag not in _SERVICE_ERRORS:
        raise failure(error, "no error class of that name")
    return ConfirmedServiceError(service, _ERROR_CLASSES.index(error.tag), named_number(error, _error_names(error.tag)))


def _user_information_element(octets: bytes | None) -> list[Element]:
    """Return the initiate APDU within, where writing it gives the same octets again; else the octets as they are."""
    if octets is None:
        return []
    try:
        if octets[:1] == b"\x01" and (request := InitiateRequest.decode(octets)).encode() == octets:
            return [initiate_request_element(request)]
        if octets[:1] == b"\x08" and (response := InitiateResponse.decode(octets)).encode() == octets:
            return [initiate_response_element(response)]
        if octets[:1] == b"\x0e":
            return [service_error_element(ConfirmedServiceError.decode(octets))]
    except WireError:
        # What is no initiate APDU in the clear is still user information.
        pass
    return _octets_leaf("UserInformation", octets)


def _user_information(children: Children) -> bytes | None:
    request = children.optional("InitiateRequest")
    if request is not None:
        return read_initiate_request(request).encode()
    response = children.optional("InitiateResponse")
    if response is not None:
        return read_initiate_response(response).encode()
    error = children.optional("ConfirmedServiceError")
    if error is not None:
        return read_service_error(error).encode()
    return _optional_octets(children, "UserInformation")


def _context(children: Children) -> int:
    return named_number(children.take("ApplicationContextName"), _CONTEXTS)


def _security_elements(
    requirements: str, authentication: str, mechanism: int | None, value: bytes | None
) -> list[Element]:
    if mechanism is None:
        return []
    name = leaf("MechanismName", number_name(mechanism, _MECHANISMS))
    return [leaf(requirements, "1"), name, *_octets_leaf(authentication, value)]


def _security(children: Children, requirements: str, authentication: str) -> tuple[int | None, bytes | None]:
    """Return (mechanism, authentication value). The requirements follow from the mechanism and are only checked."""
    required = children.optional(requirements)
    if required is not None and hex_number(required, 8) != 1:
        raise failure(required, "1 expected")
    mechanism = children.optional("MechanismName")
    value = _optional_octets(children, authentication)
    if mechanism is None:
        if required is not None:
            raise failure(required, "<MechanismName> missing beside it")
        return None, value
    return named_number(mechanism, _MECHANISMS), value


def aarq_element(aarq: Aarq) -> Element:
    """Return the AssociationRequest element."""
    return branch(
        "AssociationRequest",
        leaf("ApplicationContextName", number_name(aarq.application_context, _CONTEXTS)),
        *_octets_leaf("CalledAPTitle", aarq.called_ap_title),
        *_octets_leaf("CallingAPTitle", aarq.calling_ap_title),
        *_octets_leaf("CallingAEQualifier", aarq.calling_ae_qualifier),
        *_number_leaf("CallingAEInvocationId", aarq.calling_ae_invocation_id),
        *_security_elements("SenderACSERequirements", "CallingAuthentication", aarq.mechanism, aarq.authentication),
        *_user_information_element(aarq.user_information),
    )


def read_aarq(element: Element) -> Aarq:
    """Return the message of an AssociationRequest element; `WireError` with line and element where it is wrong."""
    children = Children(element)
    mechanism, value = _security(children, "SenderACSERequirements", "CallingAuthentication")
    aarq = Aarq(
        _user_information(children),
        _context(children),
        mechanism,
        value,
        _optional_octets(children, "CallingAPTitle"),
        _optional_octets(children, "CallingAEQualifier"),
        _optional_number(children, "CallingAEInvocationId"),
        _optional_octets(children, "CalledAPTitle"),
    )
    children.done()
    return aarq


def aare_element(aare: Aare) -> Element:
    """Return the AssociationResponse element."""
    source = number_name(aare.diagnostic_source, _SOURCES)
    return branch(
        "AssociationResponse",
        leaf("ApplicationContextName", number_name(aare.application_context, _CONTEXTS)),
        leaf("AssociationResult", f"{aare.result:02X}"),
        branch("ResultSourceDiagnostic", leaf(source, f"{aare.diagnostic:02X}")),
        *_octets_leaf("RespondingAPTitle", aare.responding_ap_title),
        *_octets_leaf("RespondingAEQualifier", aare.responding_ae_qualifier),
        *_number_leaf("RespondingAEInvocationId", aare.responding_ae_invocation_id),
        *_security_elements(
            "ResponderACSERequirement", "RespondingAuthentication", aare.mechanism, aare.authentication
        ),
        *_user_information_element(aare.user_information),
    )


def read_aare(element: Element) -> Aare:
    """Return the message of an AssociationResponse element; `WireError` with line and element where it is wrong."""
    children = Children(element)
    mechanism, value = _security(children, "ResponderACSERequirement", "RespondingAuthentication")
    diagnostic = only_child(children.take("ResultSourceDiagnostic"))
    if diagnostic.tag not in _SOURCES:
        raise failure(diagnostic, f"one of {', '.join(_SOURCES)} expected")
    aare = Aare(
        _user_information(children),
        hex_number(children.take("AssociationResult"), 8),
        _SOURCES[diagnostic.tag],
        hex_number(diagnostic, 8),
        _context(children),
        mechanism,
        value,
        _optional_octets(children, "RespondingAPTitle"),
        _optional_octets(children, "RespondingAEQualifier"),
        _optional_number(children, "RespondingAEInvocationId"),
    )
    children.done()
    return aare


def _release_element(tag: str, reason: int | None, names: dict[str, int], user_information: bytes | None) -> Element:
    reasons = [] if reason is None else [leaf("Reason", number_name(reason, names))]
    return branch(tag, *reasons, *_user_information_element(user_information))


def _read_release(element: Element, names: dict[str, int]) -> tuple[int | None, bytes | None]:
    children = Children(element)
    reason = children.optional("Reason")
    user_information = _user_information(children)
    children.done()
    return None if reason is None else named_number(reason, names), user_information


def rlrq_element(rlrq: Rlrq) -> Element:
    """Return the ReleaseRequest element."""
    return _release_element("ReleaseRequest", rlrq.reason, _REQUEST_REASONS, rlrq.user_information)


def read_rlrq(element: Element) -> Rlrq:
    """Return the message of a ReleaseRequest element; `WireError` with line and element where it is wrong."""
    return Rlrq(*_read_release(element, _REQUEST_REASONS))


def rlre_element(rlre: Rlre) -> Element:
    """Return the ReleaseResponse element."""
    return _release_element("ReleaseResponse", rlre.reason, _RESPONSE_REASONS, rlre.user_information)


def read_rlre(element: Element) -> Rlre:
    """Return the message of a ReleaseResponse element; `WireError` with line and element where it is wrong."""
    return Rlre(*_read_release(element, _RESPONSE_REASONS))
