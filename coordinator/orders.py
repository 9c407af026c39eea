"""What an order asks for: judged once, before anything is sent.

Orders come from scenarios, which are checked, and from people over the broker, whose mistakes end here with a word on
what is allowed. Neighbours: `jobs`.
"""

from __future__ import annotations

from collections.abc import Collection

from emulation.scenario import VERBS, JobOrder
from g3plc.core.errors import UsageError
from g3plc.cosem.requests import Action, Get, Request, Set
from g3plc.wire.data_text import parse_data


class OrderError(ValueError):
    """An order that cannot be carried out; the message says what was wrong and what is allowed, in ASCII."""


def check(order: JobOrder, meters: Collection[int]) -> Request | None:
    """Return the request that `order` makes of its meter, None for discover and collect. Raises OrderError."""
    if order.verb not in VERBS:
        raise OrderError(f"unknown verb {order.verb!a}; allowed: {', '.join(VERBS)}")
    if order.verb == "collect":
        return None
    if order.station not in meters:
        raise OrderError(f"no meter {order.station!a}; allowed: {min(meters, default=0)} to {max(meters, default=0)}")
    if order.verb == "discover":
        return None
    if order.hold_us < 0:
        raise OrderError(f"hold of {order.hold_us} us; allowed: 0 and more")
    request = _request(order)
    try:
        request.apdu(order.invoke_id_and_priority)
    except UsageError as problem:
        raise OrderError(f"{problem}; allowed: class 0 to 65535, six octets of OBIS, attribute -128 to 127") from None
    return request


def _request(order: JobOrder) -> Request:
    if order.verb == "read":
        return Get(order.class_id, order.obis, order.attribute)
    try:
        value = parse_data(order.value) if order.value else None
    except ValueError as problem:
        raise OrderError(f"value {problem}") from None
    if order.verb == "act":
        return Action(order.class_id, order.obis, order.attribute, value)
    if value is None:
        raise OrderError("set without a value; allowed: type:value, like unsigned:5")
    return Set(order.class_id, order.obis, order.attribute, value)
