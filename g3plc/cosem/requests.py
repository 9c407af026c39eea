"""What a client asks of a server, and what comes of it: plain values between `client` and its caller.

The requests are the services GET, SET and ACTION in their normal forms (IEC 62056-5-3 clauses 7.3 to 7.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from g3plc.wire.axdr import Data
from g3plc.wire.xdlms import (
    SUCCESS,
    ActionRequestNormal,
    ActionResponseNormal,
    GetRequestNormal,
    GetResponseNormal,
    SetRequestNormal,
    SetResponseNormal,
)

NO_ANSWER: Final = 256
"""Result code of ours: the session ended before this request was answered."""
EXCEPTION: Final = 257
"""Result code of ours: the server answered with an exception-response (service unknown or not supported)."""

RESULT_NAMES: Final[dict[int, str]] = {
    SUCCESS: "success",
    1: "hardware fault",
    2: "temporary failure",
    3: "read-write denied",
    4: "object undefined",
    9: "object class inconsistent",
    11: "object unavailable",
    12: "type unmatched",
    13: "scope of access violated",
    14: "data block unavailable",
    250: "other reason",
    NO_ANSWER: "no answer",
    EXCEPTION: "exception response",
}


@dataclass(slots=True)
class Get:
    """Read attribute `attribute` of the object (`class_id`, `obis`, six octets)."""

    class_id: int
    obis: bytes
    attribute: int = 2

    name = "GET"

    def apdu(self, invoke: int) -> bytes:
        """The request's octets with this invoke-id-and-priority."""
        return GetRequestNormal(invoke, self.class_id, self.obis, self.attribute).encode()


@dataclass(slots=True)
class Set:
    """Write `value` to an attribute."""

    class_id: int
    obis: bytes
    attribute: int
    value: Data

    name = "SET"

    def apdu(self, invoke: int) -> bytes:
        """The request's octets with this invoke-id-and-priority."""
        return SetRequestNormal(invoke, self.class_id, self.obis, self.attribute, None, self.value).encode()


@dataclass(slots=True)
class Action:
    """Invoke method `method`, with parameters or without."""

    class_id: int
    obis: bytes
    method: int
    parameters: Data | None = None

    name = "ACTION"

    def apdu(self, invoke: int) -> bytes:
        """The request's octets with this invoke-id-and-priority."""
        return ActionRequestNormal(invoke, self.class_id, self.obis, self.method, self.parameters).encode()


Request = Get | Set | Action
Response = GetResponseNormal | SetResponseNormal | ActionResponseNormal

RESPONSES: Final = (GetResponseNormal, SetResponseNormal, ActionResponseNormal)


def result_of(request: Request, response: Response) -> tuple[Data | None, int] | None:
    """Return (data, result code) if `response` is of the kind that `request` asks for, else None."""
    if isinstance(request, Get):
        return (response.data, response.result) if isinstance(response, GetResponseNormal) else None
    if isinstance(request, Set):
        return (None, response.result) if isinstance(response, SetResponseNormal) else None
    return (response.return_data, response.result) if isinstance(response, ActionResponseNormal) else None


@dataclass(slots=True)
class Outcome:
    """How a session ended.

    `released`: in order, with an RLRE. `reason`: "released", or why it was aborted, in plain ASCII. `datagrams`: all
    APDUs sent, repeats included. `duration_us`: from the first AARQ. `last_status`: the last status that `sent` gave
    (`sap.STATUS_NAMES`), or None if there was none.
    """

    released: bool
    reason: str
    datagrams: int
    duration_us: int
    last_status: int | None
