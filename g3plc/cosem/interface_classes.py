"""The interface classes that a meter here is made of (IEC 62056-6-2): each function returns one object.

Data 1, Register 3, Clock 8, Association LN 15, SAP assignment 17, Disconnect control 70. Attribute numbers, types and
versions are the Blue Book's. Neighbours: `objects` for the tables, `nodes.meter_objects` for a meter's set.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from g3plc.core.errors import WireError
from g3plc.cosem.date_time import decode_date_time, encode_date_time
from g3plc.cosem.objects import Attribute, Context, CosemObject, Method, constant
from g3plc.wire.acse import CONTEXT_LN, MECHANISM_LOWEST
from g3plc.wire.axdr import (
    ARRAY,
    BIT_STRING,
    BOOLEAN,
    DATE_TIME,
    ENUM,
    INTEGER,
    LONG,
    LONG_UNSIGNED,
    NULL,
    OCTET_STRING,
    STRUCTURE,
    UNSIGNED,
    Data,
)
from g3plc.wire.xdlms import OTHER_REASON, SUCCESS
from g3plc.wire.xdlms_initiate import DLMS_VERSION

DATA: Final = 1
REGISTER: Final = 3
CLOCK: Final = 8
ASSOCIATION_LN: Final = 15
SAP_ASSIGNMENT: Final = 17
DISCONNECT_CONTROL: Final = 70

OBIS_ASSOCIATION: Final = bytes((0, 0, 40, 0, 0, 255))
OBIS_SAP_ASSIGNMENT: Final = bytes((0, 0, 41, 0, 0, 255))
OBIS_DEVICE_NAME: Final = bytes((0, 0, 42, 0, 0, 255))
OBIS_CLOCK: Final = bytes((0, 0, 1, 0, 0, 255))
OBIS_DISCONNECT: Final = bytes((0, 0, 96, 3, 10, 255))

CONTROL_DISCONNECTED: Final = 0
CONTROL_CONNECTED: Final = 1
_CONTROL_MODE: Final = 2  # remote disconnection and remote reconnection take effect at once
_ASSOCIATED: Final = 2
_CLOCK_BASE_CRYSTAL: Final = 1
_UNDEFINED_DATE: Final = bytes.fromhex("FFFFFFFFFFFFFFFFFF800000")
_CONTEXT_NAME: Final = bytes.fromhex("608574050801")
_MECHANISM_NAME: Final = bytes.fromhex("608574050802")
_SHIFT_LIMIT_S: Final = 900
CLOCK_END_US: Final = 32_503_680_000_000_000
"""3000-01-01, microseconds since 1970: a clock is kept before it, far from where a calendar ends."""

_OCTETS_TAGS: Final = (OCTET_STRING, DATE_TIME)


def data(name: bytes, read: Callable[[], Data]) -> CosemObject:
    """Class 1, version 0: attribute 2 is whatever `read` returns."""
    return CosemObject(DATA, 0, name, {2: Attribute(lambda _context: read())})


def register(name: bytes, read: Callable[[], Data], scaler: int, unit: int) -> CosemObject:
    """Class 3, version 0: attribute 2 the value, 3 its scaler (power of ten) and unit. Method 1, reset, is refused."""
    return CosemObject(REGISTER, 0, name, {2: Attribute(lambda _context: read()), 3: _scaler_unit(scaler, unit)})


@cache
def _scaler_unit(scaler: int, unit: int) -> Attribute:
    """One for all registers of all meters with the same."""
    return constant(Data(STRUCTURE, (Data(INTEGER, scaler), Data(ENUM, unit))))


def clock(local_us: Callable[[], int], set_local_us: Callable[[int], None], deviation_min: int) -> CosemObject:
    """Class 8, version 0. `local_us` reads civil time (microseconds since 1970), `set_local_us` corrects it.

    `deviation_min` is UTC minus local time. Attribute 2 takes a complete date-time of 1970 to 2999; method 6 shifts by
    -900..900 s.
    """

    def read(_context: Context) -> Data:
        return Data(OCTET_STRING, encode_date_time(local_us(), deviation_min))

    def correct(moment: int) -> int:
        if not 0 <= moment < CLOCK_END_US:
            return OTHER_REASON
        set_local_us(moment)
        return SUCCESS

    def write(_context: Context, value: Data) -> int:
        try:
            moment, _, _ = decode_date_time(value.value)
        except WireError:
            return OTHER_REASON
        return correct(moment)

    def shift(_context: Context, value: Data | None) -> tuple[int, Data | None]:
        if value is None or abs(value.value) > _SHIFT_LIMIT_S:
            return OTHER_REASON, None
        return correct(local_us() + value.value * 1_000_000), None

    attributes = {
        2: Attribute(read, write, _OCTETS_TAGS),
        3: constant(Data(LONG, deviation_min)),
        4: constant(Data(UNSIGNED, 0)),
        5: constant(Data(OCTET_STRING, _UNDEFINED_DATE)),
        6: constant(Data(OCTET_STRING, _UNDEFINED_DATE)),
        7: constant(Data(INTEGER, 0)),
        8: constant(Data(BOOLEAN, False)),
        9: constant(Data(ENUM, _CLOCK_BASE_CRYSTAL)),
    }
    return CosemObject(CLOCK, 0, OBIS_CLOCK, attributes, {6: Method(shift, (LONG,))})


def disconnect_control(connected: Callable[[], bool], switch: Callable[[bool], None]) -> CosemObject:
    """Class 70, version 0, control mode 2: method 1 disconnects, 2 reconnects, both at once and both repeatable."""

    def to(state: bool) -> Method:
        def run(_context: Context, _value: Data | None) -> tuple[int, Data | None]:
            switch(state)
            return SUCCESS, None

        return Method(run, (INTEGER, None))

    def control_state(_context: Context) -> Data:
        return Data(ENUM, CONTROL_CONNECTED if connected() else CONTROL_DISCONNECTED)

    attributes = {
        2: Attribute(lambda _context: Data(BOOLEAN, connected())),
        3: Attribute(control_state),
        4: constant(Data(ENUM, _CONTROL_MODE)),
    }
    return CosemObject(DISCONNECT_CONTROL, 0, OBIS_DISCONNECT, attributes, {1: to(False), 2: to(True)})


def sap_assignment(saps: dict[int, bytes]) -> CosemObject:
    """Class 17, version 0: server wrapper ports and the names of their logical devices."""
    rows = tuple(Data(STRUCTURE, (Data(LONG_UNSIGNED, sap), Data(OCTET_STRING, saps[sap]))) for sap in sorted(saps))
    return CosemObject(SAP_ASSIGNMENT, 0, OBIS_SAP_ASSIGNMENT, {2: constant(Data(ARRAY, rows))})


def association_ln() -> CosemObject:
    """Class 15, version 1: the current association, as seen from within it. Lowest level security only."""
    attributes = {
        2: Attribute(_object_list),
        3: Attribute(_partners),
        4: constant(Data(OCTET_STRING, _CONTEXT_NAME + bytes((CONTEXT_LN,)))),
        5: Attribute(_xdlms_context),
        6: constant(Data(OCTET_STRING, _MECHANISM_NAME + bytes((MECHANISM_LOWEST,)))),
        8: constant(Data(ENUM, _ASSOCIATED)),
    }
    return CosemObject(ASSOCIATION_LN, 1, OBIS_ASSOCIATION, attributes)


def _object_list(context: Context) -> Data:
    return Data(ARRAY, tuple(_listed(instance, context) for instance in context.device.objects()))


def _listed(instance: CosemObject, context: Context) -> Data:
    """Return an object_list_element: class, version, logical name, access rights."""
    mask = 3 if context.may_write else 1
    attributes = tuple(
        Data(STRUCTURE, (Data(INTEGER, number), Data(ENUM, attribute.access & mask), Data(NULL)))
        for number, attribute in sorted(instance.attributes.items())
    )
    methods = tuple(
        Data(STRUCTURE, (Data(INTEGER, number), Data(BOOLEAN, context.may_write)))
        for number in sorted(instance.methods)
    )
    rights = Data(STRUCTURE, (Data(ARRAY, attributes), Data(ARRAY, methods)))
    name = Data(OCTET_STRING, instance.logical_name)
    return Data(STRUCTURE, (Data(LONG_UNSIGNED, instance.class_id), Data(UNSIGNED, instance.version), name, rights))


def _partners(context: Context) -> Data:
    return Data(STRUCTURE, (Data(INTEGER, context.client_wport), Data(LONG_UNSIGNED, context.server_wport)))


def _xdlms_context(context: Context) -> Data:
    size = Data(LONG_UNSIGNED, context.max_send_pdu)
    return Data(
        STRUCTURE,
        (
            Data(BIT_STRING, format(context.conformance, "024b")),
            size,
            size,
            Data(UNSIGNED, DLMS_VERSION),
            Data(INTEGER, 0),
            Data(OCTET_STRING, b""),
        ),
    )
