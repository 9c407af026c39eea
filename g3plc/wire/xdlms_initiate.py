"""xDLMS InitiateRequest, InitiateResponse, ConfirmedServiceError and the conformance block (IEC 62056-5-3 clause 8).

They travel as the user information of AARQ and AARE. Neighbours: `acse` carries them, `xdlms` has what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final

from g3plc.core.errors import UsageError, WireError
from g3plc.wire.ber import decode_length, encode_length

INITIATE_REQUEST: Final = 0x01
INITIATE_RESPONSE: Final = 0x08
CONFIRMED_SERVICE_ERROR: Final = 0x0E

DLMS_VERSION: Final = 6
VAA_NAME_LN: Final = 7
"""The vaa-name of every server with logical name referencing."""

GENERAL_PROTECTION: Final = 0x400000
GENERAL_BLOCK_TRANSFER: Final = 0x200000
READ: Final = 0x100000
WRITE: Final = 0x080000
UNCONFIRMED_WRITE: Final = 0x040000
DELTA_VALUE_ENCODING: Final = 0x020000
ATTRIBUTE_0_SUPPORTED_WITH_SET: Final = 0x008000
PRIORITY_MGMT_SUPPORTED: Final = 0x004000
ATTRIBUTE_0_SUPPORTED_WITH_GET: Final = 0x002000
BLOCK_TRANSFER_WITH_GET_OR_READ: Final = 0x001000
BLOCK_TRANSFER_WITH_SET_OR_WRITE: Final = 0x000800
BLOCK_TRANSFER_WITH_ACTION: Final = 0x000400
MULTIPLE_REFERENCES: Final = 0x000200
INFORMATION_REPORT: Final = 0x000100
DATA_NOTIFICATION: Final = 0x000080
ACCESS: Final = 0x000040
PARAMETERIZED_ACCESS: Final = 0x000020
GET: Final = 0x000010
SET: Final = 0x000008
SELECTIVE_ACCESS: Final = 0x000004
EVENT_NOTIFICATION: Final = 0x000002
ACTION: Final = 0x000001

CONFORMANCE_LN_NORMAL: Final = PRIORITY_MGMT_SUPPORTED | GET | SET | EVENT_NOTIFICATION | ACTION
"""What client and server here can do: GET, SET and ACTION in their normal forms, and events."""

INITIATE_ERROR: Final = 1
"""ConfirmedServiceError.service: initiateError; 5 is read, 6 write."""

ERROR_CLASS_INITIATE: Final = 6
ERROR_CLASS_OTHER: Final = 10
"""ConfirmedServiceError.error_class: the choices `initiate` and `other`, the last one, of ServiceError."""

INITIATE_OTHER: Final = 0
DLMS_VERSION_TOO_LOW: Final = 1
INCOMPATIBLE_CONFORMANCE: Final = 2
PDU_SIZE_TOO_SHORT: Final = 3
REFUSED_BY_THE_VDE_HANDLER: Final = 4
"""ConfirmedServiceError.error where the class is `initiate`."""

# Version; tag and length of the conformance block; its count of unused bits (0) and 24 bits, as one u32; PDU size.
_PROPOSAL = Struct(">B3sIH")
_AGREEMENT = Struct(">B3sIHH")  # the same and the vaa-name
_CONFORMANCE_TAG: Final = b"\x5f\x1f\x04"


def _present(octets: bytes, offset: int, what: str) -> tuple[bool, int]:
    """Return (presence flag, offset behind it)."""
    if offset >= len(octets):
        raise WireError(f"{what} truncated")
    flag = octets[offset]
    if flag > 1:
        raise WireError(f"{what}: presence flag {flag:02X}")
    return flag == 1, offset + 1


def _optional_octet(octets: bytes, offset: int, what: str) -> tuple[int | None, int]:
    """Return (octet or None, offset behind it)."""
    present, offset = _present(octets, offset, what)
    if not present:
        return None, offset
    if offset >= len(octets):
        raise WireError(f"{what} truncated")
    return octets[offset], offset + 1


def _conformance(tag: bytes, word: int, what: str) -> int:
    if tag != _CONFORMANCE_TAG or word > 0xFFFFFF:
        raise WireError(f"{what}: conformance block malformed")
    return word


def _rest(layout: Struct, octets: bytes, offset: int, what: str) -> tuple[int, ...]:
    """Return the fields of `layout`, which must fill the octets left, with the conformance block as one int."""
    left = len(octets) - offset
    if left < layout.size:
        raise WireError(f"{what} truncated")
    if left > layout.size:
        raise WireError(f"{what} has trailing octets")
    version, tag, word, *others = layout.unpack_from(octets, offset)
    return version, _conformance(tag, word, what), *others


def _packed(layout: Struct, version: int, conformance: int, *others: int) -> bytes:
    if conformance >> 24:
        raise UsageError("the conformance block has 24 bits")
    try:
        return layout.pack(version, _CONFORMANCE_TAG, conformance, *others)
    except StructError as problem:
        raise UsageError(f"initiate field out of range: {problem}") from problem


def _quality_octets(quality_of_service: int | None) -> bytes:
    if quality_of_service is None:
        return b"\x00"
    if not 0 <= quality_of_service <= 0xFF:
        raise UsageError("quality of service is one octet")
    return bytes((1, quality_of_service))


@dataclass(slots=True)
class InitiateRequest:
    """The client's proposal.

    `conformance` is the 24-bit block with its first bit highest; `client_max_receive_pdu_size` in octets, 0..65535
    (0: no limit); `quality_of_service` the octet or None; `dedicated_key` 16 octets or None.
    """

    conformance: int = CONFORMANCE_LN_NORMAL
    client_max_receive_pdu_size: int = 0xFFFF
    dedicated_key: bytes | None = None
    response_allowed: bool = True
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION

    def encode(self) -> bytes:
        """Return the octets; 14 with no option used. `UsageError` for a field out of range."""
        key = self.dedicated_key
        parts = [b"\x01"]
        parts.append(b"\x00" if key is None else b"\x01" + encode_length(len(key)) + key)
        parts.append(b"\x00" if self.response_allowed else b"\x01\x00")
        parts.append(_quality_octets(self.quality_of_service))
        size = self.client_max_receive_pdu_size
        parts.append(_packed(_PROPOSAL, self.dlms_version, self.conformance, size))
        return b"".join(parts)

    @classmethod
    def decode(cls, octets: bytes) -> InitiateRequest:
        """Return the request; anything else than exactly one raises `WireError`."""
        what = "InitiateRequest"
        if octets[:1] != b"\x01":
            raise WireError(f"not an {what}")
        key = None
        present, offset = _present(octets, 1, what)
        if present:
            size, offset = decode_length(octets, offset)
            key = octets[offset : offset + size]
            offset += size
        response, offset = _optional_octet(octets, offset, what)
        quality, offset = _optional_octet(octets, offset, what)
        version, conformance, size = _rest(_PROPOSAL, octets, offset, what)
        return cls(conformance, size, key, response != 0, quality, version)


@dataclass(slots=True)
class InitiateResponse:
    """The server's answer; fields as in `InitiateRequest`, `vaa_name` u16."""

    conformance: int = CONFORMANCE_LN_NORMAL
    server_max_receive_pdu_size: int = 0xFFFF
    vaa_name: int = VAA_NAME_LN
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION

    def encode(self) -> bytes:
        """Return the octets; 14 with no option used. `UsageError` for a field out of range."""
        size = self.server_max_receive_pdu_size
        rest = _packed(_AGREEMENT, self.dlms_version, self.conformance, size, self.vaa_name)
        return b"\x08" + _quality_octets(self.quality_of_service) + rest

    @classmethod
    def decode(cls, octets: bytes) -> InitiateResponse:
        """Return the response; anything else than exactly one raises `WireError`."""
        what = "InitiateResponse"
        if octets[:1] != b"\x08":
            raise WireError(f"not an {what}")
        quality, offset = _optional_octet(octets, 1, what)
        version, conformance, size, vaa_name = _rest(_AGREEMENT, octets, offset, what)
        return cls(conformance, size, vaa_name, quality, version)


@dataclass(slots=True)
class ConfirmedServiceError:
    """Refusal of an initiate: `service`, `error_class` (choice of ServiceError) and `error` (its number), u8 each."""

    service: int
    error_class: int
    error: int

    def encode(self) -> bytes:
        """Return the four octets. `UsageError` for a field out of range."""
        if self.error_class > ERROR_CLASS_OTHER:
            raise UsageError("confirmed service error field out of range")
        try:
            return bytes((CONFIRMED_SERVICE_ERROR, self.service, self.error_class, self.error))
        except ValueError as problem:
            raise UsageError("confirmed service error field out of range") from problem

    @classmethod
    def decode(cls, octets: bytes) -> ConfirmedServiceError:
        """Return the error; anything else than exactly one raises `WireError`."""
        if octets[:1] != b"\x0e":
            raise WireError("not a ConfirmedServiceError")
        if len(octets) != 4:
            raise WireError("ConfirmedServiceError is four octets")
        if octets[2] > ERROR_CLASS_OTHER:
            raise WireError(f"ConfirmedServiceError: error class {octets[2]:02X}")
        return cls(octets[1], octets[2], octets[3])
