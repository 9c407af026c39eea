"""MAC payloads made by the MAC itself: beacon, beacon request, tone map response.

ITU-T G.9903 MAC commands on top of IEEE 802.15.4-2006 clauses 7.2.2.1 and 7.3. They are the `payload` of a
`mac_frame.MacFrame` of type beacon or command. The Recommendation leaves the bit packing of the tone map response to
a table that was not available; the packing here is the one fixed by this implementation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

COMMAND_BEACON_REQUEST = 0x07
COMMAND_TONE_MAP_RESPONSE = 0x0A

BEACON_OCTETS = 6
BEACON_REQUEST_OCTETS = 1
TONE_MAP_RESPONSE_OCTETS = 10

_BEACON = struct.Struct("<HBBH")
_TONE_MAP_RESPONSE = struct.Struct(">BBBB6s")

# beacon order 15, superframe order 15, final CAP slot 15: a PAN without superframes
_SUPERFRAME = 0x0FFF
_PAN_COORDINATOR = 0x4000
_ASSOCIATION_PERMIT = 0x8000


@dataclass(slots=True)
class BeaconRequest:
    """Beacon request command: asks everyone in earshot that has joined for a beacon."""

    def encode(self) -> bytes:
        """Return the single octet of the command."""
        return b"\x07"


@dataclass(slots=True)
class ToneMapResponse:
    """How a receiver wants to be sent to.

    `modulation`: 0 ROBO, 1 DBPSK, 2 DQPSK, 3 D8PSK. `coherent`: modulation scheme. `tone_map`: 6 bits, least
    significant bit = lowest group of six carriers, never 0. `lqi`: 0..255, quarter decibels above -10 dB.
    `tx_gain`: 0..15 steps of 3 dB (`tx_res` True) or 6 dB. `tx_coef`: six octets, one per group.
    """

    modulation: int
    tone_map: int
    lqi: int
    coherent: bool = False
    tx_gain: int = 0
    tx_res: bool = False
    tx_coef: bytes = bytes(6)

    def encode(self) -> bytes:
        """Return the 10 octets, command id first. Raises UsageError when a field is out of range."""
        if not (0 <= self.modulation <= 3 and 0 < self.tone_map <= 0x3F and 0 <= self.lqi <= 0xFF):
            raise UsageError("modulation, tone map or LQI out of range")
        if not 0 <= self.tx_gain <= 15 or len(self.tx_coef) != 6:
            raise UsageError("transmit gain or coefficients out of range")
        return _TONE_MAP_RESPONSE.pack(
            COMMAND_TONE_MAP_RESPONSE,
            self.tx_res << 7 | self.tx_gain << 3 | self.modulation,
            self.coherent << 7 | self.tone_map,
            self.lqi,
            self.tx_coef,
        )


Command = BeaconRequest | ToneMapResponse


def decode(payload: bytes) -> Command:
    """Return the command in the payload of a MAC command frame.

    Raises WireError: `mac command` (empty or unknown), `beacon request` or `tone map response` (length or a reserved
    value).
    """
    if not payload:
        raise WireError("mac command")
    if payload[0] == COMMAND_TONE_MAP_RESPONSE:
        return _decode_tone_map_response(payload)
    if payload[0] != COMMAND_BEACON_REQUEST:
        raise WireError("mac command")
    if len(payload) != BEACON_REQUEST_OCTETS:
        raise WireError("beacon request")
    return BeaconRequest()


def _decode_tone_map_response(payload: bytes) -> ToneMapResponse:
    if len(payload) != TONE_MAP_RESPONSE_OCTETS:
        raise WireError("tone map response")
    _, transmit, tones, lqi, tx_coef = _TONE_MAP_RESPONSE.unpack(payload)
    modulation = transmit & 7
    tone_map = tones & 0x7F
    if modulation > 3 or not 0 < tone_map <= 0x3F:
        raise WireError("tone map response")
    return ToneMapResponse(
        modulation, tone_map, lqi, bool(tones & 0x80), transmit >> 3 & 15, bool(transmit & 0x80), tx_coef
    )


@dataclass(slots=True)
class Beacon:
    """Payload of a beacon frame in a PAN without superframes.

    `rc_coord`: route cost from the sender to the coordinator, 0..0xFFFF (0 coordinator, 0x7FFF joined but no route).
    """

    rc_coord: int
    pan_coordinator: bool = False
    association_permit: bool = True

    def encode(self) -> bytes:
        """Return the 6 octets. Raises UsageError when the cost is out of range."""
        superframe = _SUPERFRAME
        if self.pan_coordinator:
            superframe |= _PAN_COORDINATOR
        if self.association_permit:
            superframe |= _ASSOCIATION_PERMIT
        try:
            return _BEACON.pack(superframe, 0, 0, self.rc_coord)
        except struct.error as error:
            raise UsageError("route cost out of range") from error


def decode_beacon(payload: bytes) -> Beacon:
    """Return the beacon in the payload of a beacon frame.

    Raises WireError `beacon`: length, a superframe, guaranteed time slots or pending addresses.
    """
    if len(payload) != BEACON_OCTETS:
        raise WireError("beacon")
    superframe, gts, pending, rc_coord = _BEACON.unpack(payload)
    if superframe & 0x3FFF != _SUPERFRAME or gts or pending:
        raise WireError("beacon")
    return Beacon(rc_coord, bool(superframe & _PAN_COORDINATOR), bool(superframe & _ASSOCIATION_PERMIT))
