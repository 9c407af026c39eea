"""ACSE APDUs that open and close an association: AARQ, AARE, RLRQ, RLRE (IEC 62056-5-3 clause 8; ISO/IEC 8650-1).

Neighbours: `ber` for the elements, `xdlms_initiate` for what travels as user information, `xdlms` for what comes
between opening and closing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from g3plc.core.errors import UsageError, WireError
from g3plc.wire.ber import decode_exact, decode_tlv, encode_tlv

AARQ: Final = 0x60
AARE: Final = 0x61
RLRQ: Final = 0x62
RLRE: Final = 0x63

CONTEXT_LN: Final = 1
CONTEXT_SN: Final = 2
CONTEXT_LN_CIPHERED: Final = 3
CONTEXT_SN_CIPHERED: Final = 4
"""Last arc of the application context name 2.16.756.5.8.1.x."""

MECHANISM_LOWEST: Final = 0
MECHANISM_LOW: Final = 1
MECHANISM_HIGH: Final = 2
MECHANISM_HIGH_MD5: Final = 3
MECHANISM_HIGH_SHA1: Final = 4
MECHANISM_HIGH_GMAC: Final = 5
MECHANISM_HIGH_SHA256: Final = 6
MECHANISM_HIGH_ECDSA: Final = 7
"""Last arc of the authentication mechanism name 2.16.756.5.8.2.x."""

ACCEPTED: Final = 0
REJECTED_PERMANENT: Final = 1
REJECTED_TRANSIENT: Final = 2
"""`Aare.result`."""

SOURCE_USER: Final = 1
SOURCE_PROVIDER: Final = 2
"""`Aare.diagnostic_source`: acse-service-user, acse-service-provider."""

DIAGNOSTIC_NULL: Final = 0
NO_REASON_GIVEN: Final = 1
APPLICATION_CONTEXT_NAME_NOT_SUPPORTED: Final = 2
CALLING_AP_TITLE_NOT_RECOGNIZED: Final = 3
AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED: Final = 11
AUTHENTICATION_MECHANISM_NAME_REQUIRED: Final = 12
AUTHENTICATION_FAILURE: Final = 13
AUTHENTICATION_REQUIRED: Final = 14
"""`Aare.diagnostic` where the source is the user; of the provider: 0 null, 1 no reason, 2 no common ACSE version."""

REASON_NORMAL: Final = 0
REASON_URGENT: Final = 1
REASON_NOT_FINISHED: Final = 1
REASON_USER_DEFINED: Final = 30
"""Reasons of release; 1 is urgent in a request and not-finished in a response."""

_CONTEXT_NAME: Final = bytes.fromhex("60857405 0801")
_MECHANISM_NAME: Final = bytes.fromhex("60857405 0802")
_VERSION_1: Final = b"\x07\x80"  # a bit-string: seven unused bits, bit 0 set
_AUTHENTICATION_UNIT: Final = b"\x07\x80"

_REQUEST_TAGS: Final = b"\x80\xa1\xa2\xa6\xa7\xa9\x8a\x8b\xac\xbe"
_RESPONSE_TAGS: Final = b"\x80\xa1\xa2\xa3\xa4\xa5\xa7\x88\x89\xaa\xbe"
_RELEASE_TAGS: Final = b"\x80\xbe"
"""Element tags that are understood, in the order in which they must come."""


def _elements(contents: bytes, order: bytes, what: str) -> dict[int, bytes]:
    """Return tag to contents of all elements; unknown, repeated or misplaced ones raise `WireError`."""
    found: dict[int, bytes] = {}
    offset = 0
    place = -1
    while offset < len(contents):
        tag, value, offset = decode_tlv(contents, offset)
        at = order.find(tag)
        if at < 0:
            raise WireError(f"{what}: element {tag:02X} not supported")
        if at <= place:
            raise WireError(f"{what}: element {tag:02X} out of order")
        place = at
        found[tag] = value
    return found


def _name(octets: bytes, stem: bytes, what: str) -> int:
    """Return the last arc of an object identifier that begins with `stem`."""
    if len(octets) != 7 or not octets.startswith(stem) or octets[6] > 0x7F:
        raise WireError(f"{what} unknown")
    return octets[6]


def _context(found: dict[int, bytes], what: str) -> int:
    if 0xA1 not in found:
        raise WireError(f"{what} without application context name")
    return _name(decode_exact(found[0xA1], 0x06, "application context name"), _CONTEXT_NAME, "application context name")


def _check_fixed(found: dict[int, bytes], requirements: int, what: str) -> None:
    """Refuse another protocol version than 1 and other functional units than authentication."""
    if found.get(0x80, _VERSION_1) != _VERSION_1:
        raise WireError(f"{what}: protocol version not supported")
    if found.get(requirements, _AUTHENTICATION_UNIT) != _AUTHENTICATION_UNIT:
        raise WireError(f"{what}: ACSE requirements not supported")


def _integer(contents: bytes, what: str) -> int:
    """Return an INTEGER of 0..127, the only ones that ACSE here uses."""
    value = decode_exact(contents, 0x02, what)
    if len(value) != 1 or value[0] > 0x7F:
        raise WireError(f"{what} out of range")
    return value[0]


def _small(value: int, what: str) -> bytes:
    if not 0 <= value <= 0x7F:
        raise UsageError(f"{what} out of range")
    return bytes((value,))


def _octet_string(found: dict[int, bytes], tag: int, what: str) -> bytes | None:
    return decode_exact(found[tag], 0x04, what) if tag in found else None


def _authentication(found: dict[int, bytes], tag: int, what: str) -> bytes | None:
    return decode_exact(found[tag], 0x80, what) if tag in found else None


def _optional(tag: int, inner: int, value: bytes | None) -> bytes:
    return b"" if value is None else encode_tlv(tag, encode_tlv(inner, value))


def _context_element(context: int) -> bytes:
    return encode_tlv(0xA1, encode_tlv(0x06, _CONTEXT_NAME + _small(context, "application context")))


def _security_elements(first_tag: int, authentication_tag: int, mechanism: int | None, value: bytes | None) -> bytes:
    """Return ACSE requirements, mechanism name and authentication value, none of them where there is no mechanism."""
    if mechanism is None:
        if value is not None:
            raise UsageError("an authentication value needs a mechanism")
        return b""
    name = _MECHANISM_NAME + _small(mechanism, "mechanism")
    return (
        encode_tlv(first_tag, _AUTHENTICATION_UNIT)
        + encode_tlv(first_tag + 1, name)
        + _optional(authentication_tag, 0x80, value)
    )


def _security(
    found: dict[int, bytes], first_tag: int, authentication_tag: int, what: str
) -> tuple[int | None, bytes | None]:
    """Return (mechanism, authentication value); the value needs the mechanism, the mechanism the functional unit."""
    value = _authentication(found, authentication_tag, f"{what} authentication value")
    name = found.get(first_tag + 1)
    if name is None:
        if value is not None or first_tag in found:
            raise WireError(f"{what}: authentication without mechanism name")
        return None, None
    if first_tag not in found:
        raise WireError(f"{what}: mechanism name without ACSE requirements")
    return _name(name, _MECHANISM_NAME, "mechanism name"), value


@dataclass(slots=True)
class Aarq:
    """The client opens an association.

    `user_information` is the octets of an InitiateRequest, in the clear or ciphered, or None. `mechanism` is one of the
    MECHANISM constants or None (then lowest level security is meant); `authentication` the password or challenge;
    `calling_ap_title` the client's system title; `calling_ae_qualifier` its certificate; `calling_ae_invocation_id`
    its user id (0..127).
    """

    user_information: bytes | None
    application_context: int = CONTEXT_LN
    mechanism: int | None = None
    authentication: bytes | None = None
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    calling_ae_invocation_id: int | None = None
    called_ap_title: bytes | None = None

    def encode(self) -> bytes:
        """Return the octets; 31 for a public client. `UsageError` for a field out of range."""
        user = self.calling_ae_invocation_id
        contents = (
            _context_element(self.application_context)
            + _optional(0xA2, 0x04, self.called_ap_title)
            + _optional(0xA6, 0x04, self.calling_ap_title)
            + _optional(0xA7, 0x04, self.calling_ae_qualifier)
            + _optional(0xA9, 0x02, None if user is None else _small(user, "AE invocation id"))
            + _security_elements(0x8A, 0xAC, self.mechanism, self.authentication)
            + _optional(0xBE, 0x04, self.user_information)
        )
        return encode_tlv(AARQ, contents)

    @classmethod
    def decode(cls, octets: bytes) -> Aarq:
        """Return the AARQ; anything else than exactly one, or an element not listed here, raises `WireError`."""
        found = _elements(decode_exact(octets, AARQ, "AARQ"), _REQUEST_TAGS, "AARQ")
        _check_fixed(found, 0x8A, "AARQ")
        mechanism, value = _security(found, 0x8A, 0xAC, "AARQ")
        return cls(
            _octet_string(found, 0xBE, "user information"),
            _context(found, "AARQ"),
            mechanism,
            value,
            _octet_string(found, 0xA6, "calling AP title"),
            _octet_string(found, 0xA7, "calling AE qualifier"),
            _integer(found[0xA9], "calling AE invocation id") if 0xA9 in found else None,
            _octet_string(found, 0xA2, "called AP title"),
        )


@dataclass(slots=True)
class Aare:
    """The server's answer to an AARQ.

    `user_information` is the octets of an InitiateResponse or a ConfirmedServiceError, or None; `responding_ap_title`
    the server's system title; the other fields as in `Aarq`.
    """

    user_information: bytes | None
    result: int = ACCEPTED
    diagnostic_source: int = SOURCE_USER
    diagnostic: int = DIAGNOSTIC_NULL
    application_context: int = CONTEXT_LN
    mechanism: int | None = None
    authentication: bytes | None = None
    responding_ap_title: bytes | None = None
    responding_ae_qualifier: bytes | None = None
    responding_ae_invocation_id: int | None = None

    def encode(self) -> bytes:
        """Return the octets; 43 without security. `UsageError` for a field out of range."""
        if self.diagnostic_source not in (SOURCE_USER, SOURCE_PROVIDER):
            raise UsageError("diagnostic source is user or provider")
        user = self.responding_ae_invocation_id
        diagnostic = encode_tlv(0x02, _small(self.diagnostic, "diagnostic"))
        contents = (
            _context_element(self.application_context)
            + _optional(0xA2, 0x02, _small(self.result, "result"))
            + _optional(0xA3, 0xA0 | self.diagnostic_source, diagnostic)
            + _optional(0xA4, 0x04, self.responding_ap_title)
            + _optional(0xA5, 0x04, self.responding_ae_qualifier)
            + _optional(0xA7, 0x02, None if user is None else _small(user, "AE invocation id"))
            + _security_elements(0x88, 0xAA, self.mechanism, self.authentication)
            + _optional(0xBE, 0x04, self.user_information)
        )
        return encode_tlv(AARE, contents)

    @classmethod
    def decode(cls, octets: bytes) -> Aare:
        """Return the AARE; anything else than exactly one, or an element not listed here, raises `WireError`."""
        found = _elements(decode_exact(octets, AARE, "AARE"), _RESPONSE_TAGS, "AARE")
        _check_fixed(found, 0x88, "AARE")
        if 0xA2 not in found or 0xA3 not in found:
            raise WireError("AARE without result or diagnostic")
        source, diagnostic, end = decode_tlv(found[0xA3])
        if source not in (0xA1, 0xA2) or end != len(found[0xA3]):
            raise WireError("AARE: diagnostic malformed")
        mechanism, value = _security(found, 0x88, 0xAA, "AARE")
        return cls(
            _octet_string(found, 0xBE, "user information"),
            _integer(found[0xA2], "result"),
            source & 0x0F,
            _integer(diagnostic, "diagnostic"),
            _context(found, "AARE"),
            mechanism,
            value,
            _octet_string(found, 0xA4, "responding AP title"),
            _octet_string(found, 0xA5, "responding AE qualifier"),
            _integer(found[0xA7], "responding AE invocation id") if 0xA7 in found else None,
        )


def _encode_release(tag: int, reason: int | None, user_information: bytes | None) -> bytes:
    contents = b"" if reason is None else encode_tlv(0x80, _small(reason, "reason"))
    return encode_tlv(tag, contents + _optional(0xBE, 0x04, user_information))


def _decode_release(octets: bytes, tag: int, what: str) -> tuple[int | None, bytes | None]:
    found = _elements(decode_exact(octets, tag, what), _RELEASE_TAGS, what)
    reason = found.get(0x80)
    if reason is not None and (len(reason) != 1 or reason[0] > 0x7F):
        raise WireError(f"{what}: reason out of range")
    return None if reason is None else reason[0], _octet_string(found, 0xBE, "user information")


@dataclass(slots=True)
class Rlrq:
    """The client closes the association. `user_information` as in `Aarq`."""

    reason: int | None = REASON_NORMAL
    user_information: bytes | None = None

    def encode(self) -> bytes:
        """Return the octets; five with a reason alone. `UsageError` for a reason out of range."""
        return _encode_release(RLRQ, self.reason, self.user_information)

    @classmethod
    def decode(cls, octets: bytes) -> Rlrq:
        """Return the RLRQ; anything else than exactly one raises `WireError`."""
        return cls(*_decode_release(octets, RLRQ, "RLRQ"))


@dataclass(slots=True)
class Rlre:
    """The server's answer to an RLRQ. `user_information` as in `Aare`."""

    reason: int | None = REASON_NORMAL
    user_information: bytes | None = None

    def encode(self) -> bytes:
        """Return the octets; five with a reason alone. `UsageError` for a reason out of range."""
        return _encode_release(RLRE, self.reason, self.user_information)

    @classmethod
    def decode(cls, octets: bytes) -> Rlre:
        """Return the RLRE; anything else than exactly one raises `WireError`."""
        return cls(*_decode_release(octets, RLRE, "RLRE"))
