"""APDUs as XML and back, in the dialect of the Gurux translator (its "simple XML").

`to_xml` pads numbers to their width; `from_xml` takes any shorter hex, any white space, and children in any order.
Neighbours: `apdu` has the octets, `xml_association` and `xml_data` write their parts, `xml_tree` the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from g3plc.core.errors import UsageError
from g3plc.wire import xdlms
from g3plc.wire import xml_association as association
from g3plc.wire.acse import Aare, Aarq, Rlre, Rlrq
from g3plc.wire.apdu import Apdu, decode
from g3plc.wire.axdr import Data
from g3plc.wire.xdlms import (
    ActionRequestNormal,
    ActionResponseNormal,
    EventNotification,
    ExceptionResponse,
    GetRequestNormal,
    GetResponseNormal,
    SetRequestNormal,
    SetResponseNormal,
)
from g3plc.wire.xdlms_initiate import ConfirmedServiceError, InitiateRequest, InitiateResponse
from g3plc.wire.xml_data import data_element, element_data
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
    parse,
    render,
    value_of,
)

_RESULTS: Final = {
    "Success": xdlms.SUCCESS,
    "HardwareFault": xdlms.HARDWARE_FAULT,
    "TemporaryFailure": xdlms.TEMPORARY_FAILURE,
    "ReadWriteDenied": xdlms.READ_WRITE_DENIED,
    "UndefinedObject": xdlms.OBJECT_UNDEFINED,
    "InconsistentClass": xdlms.OBJECT_CLASS_INCONSISTENT,
    "UnavailableObject": xdlms.OBJECT_UNAVAILABLE,
    "UnmatchedType": xdlms.TYPE_UNMATCHED,
    "AccessViolated": xdlms.SCOPE_OF_ACCESS_VIOLATED,
    "DataBlockUnavailable": xdlms.DATA_BLOCK_UNAVAILABLE,
    "LongGetOrReadAborted": xdlms.LONG_GET_ABORTED,
    "NoLongGetOrReadInProgress": xdlms.NO_LONG_GET_IN_PROGRESS,
    "LongSetOrWriteAborted": xdlms.LONG_SET_ABORTED,
    "NoLongSetOrWriteInProgress": xdlms.NO_LONG_SET_IN_PROGRESS,
    "DataBlockNumberInvalid": xdlms.DATA_BLOCK_NUMBER_INVALID,
    "OtherReason": xdlms.OTHER_REASON,
}
_STATE_ERRORS: Final = {
    "ServiceNotAllowed": xdlms.SERVICE_NOT_ALLOWED,
    "ServiceUnknown": xdlms.SERVICE_UNKNOWN,
}
_SERVICE_ERRORS: Final = {
    "OperationNotPossible": xdlms.OPERATION_NOT_POSSIBLE,
    "ServiceNotSupported": xdlms.SERVICE_NOT_SUPPORTED,
    "OtherReason": xdlms.SERVICE_ERROR_OTHER_REASON,
    "PduTooLong": xdlms.PDU_TOO_LONG,
    "DecipheringError": xdlms.DECIPHERING_ERROR,
    "InvocationCounterError": xdlms.INVOCATION_COUNTER_ERROR,
}


def to_xml(octets: bytes) -> str:
    """Return the XML of one APDU, ending with a line feed; `WireError` where the octets are none."""
    apdu = decode(octets)
    return render(_WRITERS[type(apdu)](apdu))


def from_xml(text: str) -> bytes:
    """Return the octets of the APDU in `text`; `WireError` with line, element and reason where it is none."""
    element = parse(text)
    reader: Callable[[Element], Apdu] | None
    choices = _CHOICE_READERS.get(element.tag)
    if choices is None:
        reader = _READERS.get(element.tag)
    else:
        element = only_child(element)
        reader = choices.get(element.tag)
    if reader is None:
        raise failure(element, "no APDU of that name")
    try:
        return reader(element).encode()
    except UsageError as problem:
        raise failure(element, str(problem)) from None


def abort_to_xml(reason: str) -> str:
    """Return what stands in a log of XML for an association that was aborted; ABRT has no octets to read back."""
    return render(Element("ABRT", {"Reason": reason}))


def _invoke_id(iip: int) -> Element:
    return leaf("InvokeIdAndPriority", f"{iip:02X}")


def _read_invoke_id(children: Children) -> int:
    return hex_number(children.take("InvokeIdAndPriority"), 8)


def _descriptor(kind: str, class_id: int, instance_id: bytes, member: int) -> Element:
    return branch(
        f"{kind}Descriptor",
        leaf("ClassId", f"{class_id:04X}"),
        leaf("InstanceId", instance_id.hex().upper()),
        leaf(f"{kind}Id", f"{member & 0xFF:02X}"),
    )


def _read_descriptor(children: Children, kind: str) -> tuple[int, bytes, int]:
    """Return (class, instance, attribute or method)."""
    parts = Children(children.take(f"{kind}Descriptor"))
    class_id = hex_number(parts.take("ClassId"), 16)
    instance_id = hex_number(parts.take("InstanceId"), 48).to_bytes(6, "big")
    member = hex_number(parts.take(f"{kind}Id"), 8, signed=True)
    parts.done()
    return class_id, instance_id, member


def _attribute(request: GetRequestNormal | SetRequestNormal | EventNotification) -> Element:
    return _descriptor("Attribute", request.class_id, request.instance_id, request.attribute_id)


def _selection(selection: tuple[int, Data] | None) -> list[Element]:
    if selection is None:
        return []
    selector, parameters = selection
    return [
        branch(
            "AccessSelection",
            leaf("AccessSelector", f"{selector:02X}"),
            branch("AccessParameters", data_element(parameters)),
        )
    ]


def _read_selection(children: Children) -> tuple[int, Data] | None:
    element = children.optional("AccessSelection")
    if element is None:
        return None
    parts = Children(element)
    selector = hex_number(parts.take("AccessSelector"), 8)
    parameters = element_data(only_child(parts.take("AccessParameters")))
    parts.done()
    return selector, parameters


def _data_or_result(data: Data | None, result: int) -> Element:
    if data is None:
        return leaf("DataAccessError", number_name(result, _RESULTS))
    return branch("Data", data_element(data))


def _read_data_or_result(element: Element) -> tuple[Data | None, int | None]:
    inner = only_child(element)
    if inner.tag == "Data":
        return element_data(only_child(inner)), None
    if inner.tag == "DataAccessError":
        return None, named_number(inner, _RESULTS)
    raise failure(inner, "<Data> or <DataAccessError> expected")


def _get_request(apdu: GetRequestNormal) -> Element:
    parts = (_invoke_id(apdu.invoke_id_and_priority), _attribute(apdu), *_selection(apdu.access_selection))
    return branch("GetRequest", branch("GetRequestNormal", *parts))


def _read_get_request(element: Element) -> GetRequestNormal:
    children = Children(element)
    iip = _read_invoke_id(children)
    request = GetRequestNormal(iip, *_read_descriptor(children, "Attribute"), _read_selection(children))
    children.done()
    return request


def _get_response(apdu: GetResponseNormal) -> Element:
    result = branch("Result", _data_or_result(apdu.data, apdu.result))
    return branch("GetResponse", branch("GetResponseNormal", _invoke_id(apdu.invoke_id_and_priority), result))


def _read_get_response(element: Element) -> GetResponseNormal:
    children = Children(element)
    iip = _read_invoke_id(children)
    data, result = _read_data_or_result(children.take("Result"))
    children.done()
    return GetResponseNormal(iip, data, xdlms.SUCCESS if result is None else result)


def _set_request(apdu: SetRequestNormal) -> Element:
    parts = (_invoke_id(apdu.invoke_id_and_priority), _attribute(apdu), *_selection(apdu.access_selection))
    return branch("SetRequest", branch("SetRequestNormal", *parts, branch("Value", data_element(apdu.value))))


def _read_set_request(element: Element) -> SetRequestNormal:
    children = Children(element)
    iip = _read_invoke_id(children)
    class_id, instance_id, attribute_id = _read_descriptor(children, "Attribute")
    selection = _read_selection(children)
    value = element_data(only_child(children.take("Value")))
    children.done()
    return SetRequestNormal(iip, class_id, instance_id, attribute_id, selection, value)


def _set_response(apdu: SetResponseNormal) -> Element:
    result = leaf("Result", number_name(apdu.result, _RESULTS))
    return branch("SetResponse", branch("SetResponseNormal", _invoke_id(apdu.invoke_id_and_priority), result))


def _read_set_response(element: Element) -> SetResponseNormal:
    children = Children(element)
    response = SetResponseNormal(_read_invoke_id(children), named_number(children.take("Result"), _RESULTS))
    children.done()
    return response


def _action_request(apdu: ActionRequestNormal) -> Element:
    descriptor = _descriptor("Method", apdu.class_id, apdu.instance_id, apdu.method_id)
    parts = [_invoke_id(apdu.invoke_id_and_priority), descriptor]
    if apdu.parameters is not None:
        parts.append(branch("MethodInvocationParameters", data_element(apdu.parameters)))
    return branch("ActionRequest", branch("ActionRequestNormal", *parts))


def _read_action_request(element: Element) -> ActionRequestNormal:
    children = Children(element)
    iip = _read_invoke_id(children)
    descriptor = _read_descriptor(children, "Method")
    parameters = children.optional("MethodInvocationParameters")
    children.done()
    return ActionRequestNormal(iip, *descriptor, None if parameters is None else element_data(only_child(parameters)))


def _action_response(apdu: ActionResponseNormal) -> Element:
    parts = [_invoke_id(apdu.invoke_id_and_priority), leaf("Result", number_name(apdu.result, _RESULTS))]
    if apdu.return_data is not None or apdu.return_result is not None:
        parts.append(branch("ReturnParameters", _data_or_result(apdu.return_data, apdu.return_result or 0)))
    return branch("ActionResponse", branch("ActionResponseNormal", *parts))


def _read_action_response(element: Element) -> ActionResponseNormal:
    children = Children(element)
    iip = _read_invoke_id(children)
    result = named_number(children.take("Result"), _RESULTS)
    returned = children.optional("ReturnParameters")
    children.done()
    if returned is None:
        return ActionResponseNormal(iip, result)
    return ActionResponseNormal(iip, result, *_read_data_or_result(returned))


def _exception(apdu: ExceptionResponse) -> Element:
    parts = [
        leaf("StateError", number_name(apdu.state_error, _STATE_ERRORS)),
        leaf("ServiceError", number_name(apdu.service_error, _SERVICE_ERRORS)),
    ]
    if apdu.invocation_counter is not None:
        parts.append(leaf("InvocationCounter", f"{apdu.invocation_counter:08X}"))
    return branch("ExceptionResponse", *parts)


def _read_exception(element: Element) -> ExceptionResponse:
    children = Children(element)
    state = named_number(children.take("StateError"), _STATE_ERRORS)
    service = named_number(children.take("ServiceError"), _SERVICE_ERRORS)
    counter = children.optional("InvocationCounter")
    children.done()
    return ExceptionResponse(state, service, None if counter is None else hex_number(counter, 32))


def _event(apdu: EventNotification) -> Element:
    time = [] if apdu.time is None else [leaf("Time", apdu.time.hex().upper())]
    value = branch("AttributeValue", data_element(apdu.value))
    return branch("EventNotificationRequest", *time, _attribute(apdu), value)


def _read_event(element: Element) -> EventNotification:
    children = Children(element)
    time = children.optional("Time")
    class_id, instance_id, attribute_id = _read_descriptor(children, "Attribute")
    value = element_data(only_child(children.take("AttributeValue")))
    children.done()
    octets = None if time is None else hex_octets(time, 12)
    return EventNotification(octets, class_id, instance_id, attribute_id, value)


def _read_abort(element: Element) -> Apdu:
    raise failure(element, f"ABRT ({value_of(element, 'Reason')[:40]!a}) has no octets")


_WRITERS: Final[dict[type, Callable[[Any], Element]]] = {
    Aarq: association.aarq_element,
    Aare: association.aare_element,
    Rlrq: association.rlrq_element,
    Rlre: association.rlre_element,
    InitiateRequest: association.initiate_request_element,
    InitiateResponse: association.initiate_response_element,
    ConfirmedServiceError: association.service_error_element,
    GetRequestNormal: _get_request,
    GetResponseNormal: _get_response,
    SetRequestNormal: _set_request,
    SetResponseNormal: _set_response,
    ActionRequestNormal: _action_request,
    ActionResponseNormal: _action_response,
    ExceptionResponse: _exception,
    EventNotification: _event,
}
_READERS: Final[dict[str, Callable[[Element], Apdu]]] = {
    "AssociationRequest": association.read_aarq,
    "AssociationResponse": association.read_aare,
    "ReleaseRequest": association.read_rlrq,
    "ReleaseResponse": association.read_rlre,
    "InitiateRequest": association.read_initiate_request,
    "InitiateResponse": association.read_initiate_response,
    "ConfirmedServiceError": association.read_service_error,
    "ExceptionResponse": _read_exception,
    "EventNotificationRequest": _read_event,
    "ABRT": _read_abort,
}
_CHOICE_READERS: Final[dict[str, dict[str, Callable[[Element], Apdu]]]] = {
    "GetRequest": {"GetRequestNormal": _read_get_request},
    "GetResponse": {"GetResponseNormal": _read_get_response},
    "SetRequest": {"SetRequestNormal": _read_set_request},
    "SetResponse": {"SetResponseNormal": _read_set_response},
    "ActionRequest": {"ActionRequestNormal": _read_action_request},
    "ActionResponse": {"ActionResponseNormal": _read_action_response},
}
