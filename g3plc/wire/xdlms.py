"""xDLMS APDUs of an open association: GET, SET, ACTION (normal), event, exception (IEC 62056-5-3 clauses 7, 8).

Every class has `encode()` and an exact `decode(octets)`; `apdu.decode` finds the class by tag and choice. Neighbours:
`axdr` for values, `xdlms_initiate` for what opens an association, `cosem_wrapper` carries the octets,
`g3plc.cosem` speaks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final

from g3plc.core.errors import UsageError, WireError
from g3plc.wire.axdr import Data, decode_data, encode_data

EVENT_NOTIFICATION_REQUEST: Final = 0xC2
GET_REQUEST: Final = 0xC0
SET_REQUEST: Final = 0xC1
ACTION_REQUEST: Final = 0xC3
GET_RESPONSE: Final = 0xC4
SET_RESPONSE: Final = 0xC5
ACTION_RESPONSE: Final = 0xC7
EXCEPTION_RESPONSE: Final = 0xD8

NORMAL: Final = 1
"""The choice octet of every request and response that is neither a list nor a block."""

INVOKE_ID_MASK: Final = 0x0F
INVOKE_CONFIRMED: Final = 0x40
INVOKE_HIGH_PRIORITY: Final = 0x80

SUCCESS: Final = 0
HARDWARE_FAULT: Final = 1
TEMPORARY_FAILURE: Final = 2
READ_WRITE_DENIED: Final = 3
OBJECT_UNDEFINED: Final = 4
OBJECT_CLASS_INCONSISTENT: Final = 9
OBJECT_UNAVAILABLE: Final = 11
TYPE_UNMATCHED: Final = 12
SCOPE_OF_ACCESS_VIOLATED: Final = 13
DATA_BLOCK_UNAVAILABLE: Final = 14
LONG_GET_ABORTED: Final = 15
NO_LONG_GET_IN_PROGRESS: Final = 16
LONG_SET_ABORTED: Final = 17
NO_LONG_SET_IN_PROGRESS: Final = 18
DATA_BLOCK_NUMBER_INVALID: Final = 19
OTHER_REASON: Final = 250
"""Data-Access-Result; Action-Result shares the numbers up to 14, 15 and 16 concern a long action there."""

SERVICE_NOT_ALLOWED: Final = 1
SERVICE_UNKNOWN: Final = 2
"""state-error of an exception response."""

OPERATION_NOT_POSSIBLE: Final = 1
SERVICE_NOT_SUPPORTED: Final = 2
SERVICE_ERROR_OTHER_REASON: Final = 3
PDU_TOO_LONG: Final = 4
DECIPHERING_ERROR: Final = 5
INVOCATION_COUNTER_ERROR: Final = 6
"""service-error of an exception response; only the last one carries a counter."""

_DESCRIBED = Struct(">BBBH6sbB")  # tag, choice, invoke-id-and-priority, class, instance, attribute or method, flag
_RESPONSE = Struct(">BBBB")  # tag, choice, invoke-id-and-priority, result or choice of result
_EVENT = Struct(">H6sb")  # class, instance, attribute
_COUNTER = Struct(">BBBI")
_GET_WITHOUT_SELECTION: Final = 13
_EVENT_TIME_OCTETS: Final = 12


def _describe(
    request: GetRequestNormal | SetRequestNormal | ActionRequestNormal, tag: int, member: int, flag: bool
) -> bytes:
    """Return the thirteen octets with which every normal request begins."""
    name = request.instance_id
    if len(name) != 6:
        raise UsageError("a logical name has six octets")
    try:
        return _DESCRIBED.pack(tag, NORMAL, request.invoke_id_and_priority, request.class_id, name, member, flag)
    except StructError as problem:
        raise UsageError(f"request field out of range: {problem}") from problem


def _described(octets: bytes, tag: int, what: str) -> tuple[int, int, bytes, int, int]:
    """Return (invoke-id-and-priority, class, instance, attribute or method, flag behind them)."""
    if len(octets) < _GET_WITHOUT_SELECTION:
        raise WireError(f"{what} truncated")
    found, choice, iip, class_id, instance_id, member, flag = _DESCRIBED.unpack_from(octets)
    if found != tag or choice != NORMAL:
        raise WireError(f"not a {what}")
    if flag > 1:
        raise WireError(f"{what}: presence flag {flag:02X}")
    return iip, class_id, instance_id, member, flag


def _answered(octets: bytes, tag: int, what: str) -> tuple[int, int]:
    """Return (invoke-id-and-priority, result octet) of a normal response."""
    if len(octets) < _RESPONSE.size:
        raise WireError(f"{what} truncated")
    found, choice, iip, result = _RESPONSE.unpack_from(octets)
    if found != tag or choice != NORMAL:
        raise WireError(f"not a {what}")
    return iip, result


def _at_end(octets: bytes, offset: int, what: str) -> None:
    if offset != len(octets):
        raise WireError(f"{what} has trailing octets")


def _octets(*values: int) -> bytes:
    try:
        return bytes(values)
    except (ValueError, TypeError) as problem:
        raise UsageError(f"response field out of range: {problem}") from problem


def _selection_octets(selection: tuple[int, Data] | None) -> bytes:
    return b"" if selection is None else _octets(selection[0]) + encode_data(selection[1])


def _selection(octets: bytes, flag: int, what: str) -> tuple[tuple[int, Data] | None, int]:
    """Return (access selection, offset behind it)."""
    offset = _GET_WITHOUT_SELECTION
    if flag == 0:
        return None, offset
    if offset >= len(octets):
        raise WireError(f"{what} truncated")
    parameters, end = decode_data(octets, offset + 1)
    return (octets[offset], parameters), end


def _data_or_result(octets: bytes, offset: int, what: str) -> tuple[Data | None, int | None]:
    """Return (data, None) or (None, data-access-result) of a Get-Data-Result at the end of an APDU."""
    choice = octets[offset]
    offset += 1
    if choice == 0:
        data, end = decode_data(octets, offset)
        _at_end(octets, end, what)
        return data, None
    if choice != 1:
        raise WireError(f"{what}: result choice {choice:02X}")
    if offset >= len(octets):
        raise WireError(f"{what} truncated")
    _at_end(octets, offset + 1, what)
    return None, octets[offset]


@dataclass(slots=True)
class GetRequestNormal:
    """Read one attribute. `access_selection` is (selector 0..255, parameters) or None."""

    invoke_id_and_priority: int
    class_id: int
    instance_id: bytes
    attribute_id: int
    access_selection: tuple[int, Data] | None = None

    def encode(self) -> bytes:
        """Return the octets; 13 without access selection. `UsageError` for a field out of range."""
        selection = self.access_selection
        head = _describe(self, GET_REQUEST, self.attribute_id, selection is not None)
        return head if selection is None else head + _selection_octets(selection)

    @classmethod
    def decode(cls, octets: bytes) -> GetRequestNormal:
        """Return the request; anything else than exactly one raises `WireError`."""
        what = "GetRequestNormal"
        iip, class_id, instance_id, attribute_id, flag = _described(octets, GET_REQUEST, what)
        selection, end = _selection(octets, flag, what)
        _at_end(octets, end, what)
        return cls(iip, class_id, instance_id, attribute_id, selection)


@dataclass(slots=True)
class GetResponseNormal:
    """Answer to a GET: `data`, or where that is None the data-access-result in `result`."""

    invoke_id_and_priority: int
    data: Data | None
    result: int = SUCCESS

    def encode(self) -> bytes:
        """Return the octets. `UsageError` for a field out of range."""
        if self.data is None:
            return _octets(GET_RESPONSE, NORMAL, self.invoke_id_and_priority, 1, self.result)
        return _octets(GET_RESPONSE, NORMAL, self.invoke_id_and_priority, 0) + encode_data(self.data)

    @classmethod
    def decode(cls, octets: bytes) -> GetResponseNormal:
        """Return the response; anything else than exactly one raises `WireError`."""
        what = "GetResponseNormal"
        iip, _ = _answered(octets, GET_RESPONSE, what)
        data, result = _data_or_result(octets, 3, what)
        return cls(iip, data, SUCCESS if result is None else result)


@dataclass(slots=True)
class SetRequestNormal:
    """Write one attribute."""

    invoke_id_and_priority: int
    class_id: int
    instance_id: bytes
    attribute_id: int
    access_selection: tuple[int, Data] | None
    value: Data

    def encode(self) -> bytes:
        """Return the octets. `UsageError` for a field out of range."""
        selection = self.access_selection
        head = _describe(self, SET_REQUEST, self.attribute_id, selection is not None)
        return head + _selection_octets(selection) + encode_data(self.value)

    @classmethod
    def decode(cls, octets: bytes) -> SetRequestNormal:
        """Return the request; anything else than exactly one raises `WireError`."""
        what = "SetRequestNormal"
        iip, class_id, instance_id, attribute_id, flag = _described(octets, SET_REQUEST, what)
        selection, offset = _selection(octets, flag, what)
        value, end = decode_data(octets, offset)
        _at_end(octets, end, what)
        return cls(iip, class_id, instance_id, attribute_id, selection, value)


@dataclass(slots=True)
class SetResponseNormal:
    """Answer to a SET: the data-access-result."""

    invoke_id_and_priority: int
    result: int = SUCCESS

    def encode(self) -> bytes:
        """Return the four octets. `UsageError` for a field out of range."""
        return _octets(SET_RESPONSE, NORMAL, self.invoke_id_and_priority, self.result)

    @classmethod
    def decode(cls, octets: bytes) -> SetResponseNormal:
        """Return the response; anything else than exactly one raises `WireError`."""
        what = "SetResponseNormal"
        iip, result = _answered(octets, SET_RESPONSE, what)
        _at_end(octets, _RESPONSE.size, what)
        return cls(iip, result)


@dataclass(slots=True)
class ActionRequestNormal:
    """Invoke one method."""

    invoke_id_and_priority: int
    class_id: int
    instance_id: bytes
    method_id: int
    parameters: Data | None = None

    def encode(self) -> bytes:
        """Return the octets. `UsageError` for a field out of range."""
        parameters = self.parameters
        head = _describe(self, ACTION_REQUEST, self.method_id, parameters is not None)
        return head if parameters is None else head + encode_data(parameters)

    @classmethod
    def decode(cls, octets: bytes) -> ActionRequestNormal:
        """Return the request; anything else than exactly one raises `WireError`."""
        what = "ActionRequestNormal"
        iip, class_id, instance_id, method_id, flag = _described(octets, ACTION_REQUEST, what)
        parameters = None
        end = _GET_WITHOUT_SELECTION
        if flag:
            parameters, end = decode_data(octets, end)
        _at_end(octets, end, what)
        return cls(iip, class_id, instance_id, method_id, parameters)


@dataclass(slots=True)
class ActionResponseNormal:
    """Answer to an ACTION: the action-result, then return parameters as data, as a data-access-result, or none."""

    invoke_id_and_priority: int
    result: int = SUCCESS
    return_data: Data | None = None
    return_result: int | None = None

    def encode(self) -> bytes:
        """Return the octets. `UsageError` for a field out of range, or both kinds of return parameters."""
        head = _octets(ACTION_RESPONSE, NORMAL, self.invoke_id_and_priority, self.result)
        if self.return_data is not None:
            if self.return_result is not None:
                raise UsageError("return parameters are data or a result, not both")
            return head + b"\x01\x00" + encode_data(self.return_data)
        if self.return_result is not None:
            return head + _octets(1, 1, self.return_result)
        return head + b"\x00"

    @classmethod
    def decode(cls, octets: bytes) -> ActionResponseNormal:
        """Return the response; anything else than exactly one raises `WireError`."""
        what = "ActionResponseNormal"
        iip, result = _answered(octets, ACTION_RESPONSE, what)
        if len(octets) < 5:
            raise WireError(f"{what} truncated")
        flag = octets[4]
        if flag == 0:
            _at_end(octets, 5, what)
            return cls(iip, result)
        if flag != 1:
            raise WireError(f"{what}: presence flag {flag:02X}")
        if len(octets) < 6:
            raise WireError(f"{what} truncated")
        return cls(iip, result, *_data_or_result(octets, 5, what))


@dataclass(slots=True)
class ExceptionResponse:
    """The server could not handle the request at all. `invocation_counter` (u32) goes with service-error 6 only."""

    state_error: int
    service_error: int
    invocation_counter: int | None = None

    def encode(self) -> bytes:
        """Return three octets, or seven with the counter. `UsageError` for a counter missing or out of place."""
        counter = self.invocation_counter
        if (counter is not None) != (self.service_error == INVOCATION_COUNTER_ERROR):
            raise UsageError("the invocation counter goes with invocation-counter-error")
        if counter is None:
            return _octets(EXCEPTION_RESPONSE, self.state_error, self.service_error)
        try:
            return _COUNTER.pack(EXCEPTION_RESPONSE, self.state_error, self.service_error, counter)
        except StructError as problem:
            raise UsageError(f"exception field out of range: {problem}") from problem

    @classmethod
    def decode(cls, octets: bytes) -> ExceptionResponse:
        """Return the response; anything else than exactly one raises `WireError`."""
        what = "ExceptionResponse"
        if len(octets) < 3:
            raise WireError(f"{what} truncated")
        if octets[0] != EXCEPTION_RESPONSE:
            raise WireError(f"not a {what}")
        if octets[2] != INVOCATION_COUNTER_ERROR:
            _at_end(octets, 3, what)
            return cls(octets[1], octets[2])
        if len(octets) < _COUNTER.size:
            raise WireError(f"{what} truncated")
        _at_end(octets, _COUNTER.size, what)
        return cls(*_COUNTER.unpack(octets)[1:])


@dataclass(slots=True)
class EventNotification:
    """A value sent by the server on its own initiative. `time` is a date-time of 12 octets, or None."""

    time: bytes | None
    class_id: int
    instance_id: bytes
    attribute_id: int
    value: Data

    def encode(self) -> bytes:
        """Return the octets. `UsageError` for a field out of range."""
        time = self.time
        if len(self.instance_id) != 6:
            raise UsageError("a logical name has six octets")
        if time is not None and len(time) != _EVENT_TIME_OCTETS:
            raise UsageError("a date-time has twelve octets")
        try:
            described = _EVENT.pack(self.class_id, self.instance_id, self.attribute_id)
        except StructError as problem:
            raise UsageError(f"event field out of range: {problem}") from problem
        head = b"\xc2\x00" if time is None else b"\xc2\x01\x0c" + time
        return head + described + encode_data(self.value)

    @classmethod
    def decode(cls, octets: bytes) -> EventNotification:
        """Return the notification; anything else than exactly one raises `WireError`."""
        what = "EventNotification"
        if len(octets) < 2:
            raise WireError(f"{what} truncated")
        if octets[0] != EVENT_NOTIFICATION_REQUEST:
            raise WireError(f"not a {what}")
        time = None
        offset = 2
        if octets[1]:
            if octets[1] != 1 or octets[2:3] != b"\x0c":
                raise WireError(f"{what}: time is not a date-time")
            offset = 3 + _EVENT_TIME_OCTETS
            time = octets[3:offset]
        if len(octets) < offset + _EVENT.size:
            raise WireError(f"{what} truncated")
        class_id, instance_id, attribute_id = _EVENT.unpack_from(octets, offset)
        value, end = decode_data(octets, offset + _EVENT.size)
        _at_end(octets, end, what)
        return cls(time, class_id, instance_id, attribute_id, value)
