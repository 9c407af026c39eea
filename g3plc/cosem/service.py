"""GET, SET and ACTION in their normal forms on the objects of a logical device (IEC 62056-5-3 clauses 7.3 to 7.5).

Pure: request and context in, response out, with the data-access-result or action-result that fits. Neighbours:
`objects` for the tables, `server` for who may ask at all.
"""

from __future__ import annotations

from g3plc.cosem.objects import Attribute, Context, Method
from g3plc.wire.xdlms import (
    INVOKE_CONFIRMED,
    OBJECT_CLASS_INCONSISTENT,
    OBJECT_UNDEFINED,
    OTHER_REASON,
    READ_WRITE_DENIED,
    SCOPE_OF_ACCESS_VIOLATED,
    SUCCESS,
    TYPE_UNMATCHED,
    ActionRequestNormal,
    ActionResponseNormal,
    GetRequestNormal,
    GetResponseNormal,
    SetRequestNormal,
    SetResponseNormal,
)
from g3plc.wire.xdlms_initiate import ACTION, GET, SET

Request = GetRequestNormal | SetRequestNormal | ActionRequestNormal
Response = GetResponseNormal | SetResponseNormal | ActionResponseNormal

REQUESTS = (GetRequestNormal, SetRequestNormal, ActionRequestNormal)


def needed_conformance(request: Request) -> int:
    """The bit of the conformance block without which the request may not be made."""
    if isinstance(request, GetRequestNormal):
        return GET
    return SET if isinstance(request, SetRequestNormal) else ACTION


def is_confirmed(request: Request) -> bool:
    """Whether the service-class bit asks for an answer."""
    return request.invoke_id_and_priority & INVOKE_CONFIRMED != 0


def serve(request: Request, context: Context) -> bytes:
    """Carry the request out and return the octets of its response, no more than the client takes."""
    response = _dispatch(request, context).encode()
    if len(response) <= context.max_send_pdu:
        return response
    invoke = request.invoke_id_and_priority
    if isinstance(request, ActionRequestNormal):
        return ActionResponseNormal(invoke, OTHER_REASON).encode()
    return GetResponseNormal(invoke, None, OTHER_REASON).encode()


def _dispatch(request: Request, context: Context) -> Response:
    if isinstance(request, GetRequestNormal):
        return _get(request, context)
    if isinstance(request, SetRequestNormal):
        return SetResponseNormal(request.invoke_id_and_priority, _set(request, context))
    return _action(request, context)


def _missing(class_id: int, name: bytes, context: Context) -> int:
    """Say why (class, name) is no object: the name has another class, or is not known at all."""
    known = context.device.knows(name) and context.device.find(class_id, name) is None
    return OBJECT_CLASS_INCONSISTENT if known else OBJECT_UNDEFINED


def _attribute(class_id: int, name: bytes, number: int, context: Context) -> Attribute | None:
    found = context.device.find(class_id, name)
    return None if found is None else found.attributes.get(number)


def _get(request: GetRequestNormal, context: Context) -> GetResponseNormal:
    invoke = request.invoke_id_and_priority
    attribute = _attribute(request.class_id, request.instance_id, request.attribute_id, context)
    if attribute is None:
        return GetResponseNormal(invoke, None, _missing(request.class_id, request.instance_id, context))
    if attribute.read is None:
        return GetResponseNormal(invoke, None, READ_WRITE_DENIED)
    if request.access_selection is not None:
        return GetResponseNormal(invoke, None, SCOPE_OF_ACCESS_VIOLATED)
    return GetResponseNormal(invoke, attribute.read(context))


def _set(request: SetRequestNormal, context: Context) -> int:
    attribute = _attribute(request.class_id, request.instance_id, request.attribute_id, context)
    if attribute is None:
        return _missing(request.class_id, request.instance_id, context)
    if attribute.write is None or not context.may_write:
        return READ_WRITE_DENIED
    if request.access_selection is not None:
        return SCOPE_OF_ACCESS_VIOLATED
    if request.value.tag not in attribute.tags:
        return TYPE_UNMATCHED
    return attribute.write(context, request.value)


def _method(request: ActionRequestNormal, context: Context) -> Method | None:
    found = context.device.find(request.class_id, request.instance_id)
    return None if found is None else found.methods.get(request.method_id)


def _action(request: ActionRequestNormal, context: Context) -> ActionResponseNormal:
    invoke = request.invoke_id_and_priority
    method = _method(request, context)
    if method is None:
        return ActionResponseNormal(invoke, _missing(request.class_id, request.instance_id, context))
    if not context.may_write:
        return ActionResponseNormal(invoke, READ_WRITE_DENIED)
    parameters = request.parameters
    if (None if parameters is None else parameters.tag) not in method.tags:
        return ActionResponseNormal(invoke, TYPE_UNMATCHED)
    result, returned = method.run(context, parameters)
    return ActionResponseNormal(invoke, result, returned if result == SUCCESS else None)
