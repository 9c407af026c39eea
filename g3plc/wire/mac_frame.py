"""MAC frame on the wire: segment control, 802.15.4 header, auxiliary security header, payload, padding, FCS.

ITU-T G.9903 MAC frame format on top of IEEE 802.15.4-2006 clause 7.2. Two G3 additions: three octets of segment
control in front of the header, whose SL field says how much payload is real (so that padding can be told from it),
and an FCS that is not reflected. There is no acknowledgement frame: ACK is a PHY frame control header.
MAC payloads of beacons and commands are in `mac_command`, those of data frames in `lowpan`.

Octet order: 802.15.4 fields are little-endian, segment control is most significant bit first, extended addresses
appear in memory order.
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

FRAME_BEACON = 0
FRAME_DATA = 1
FRAME_COMMAND = 3

ADDRESS_NONE = 0
ADDRESS_SHORT = 2
ADDRESS_EXTENDED = 3

BROADCAST = 0xFFFF

SC_LSF = 0x01
SC_CAP = 0x02
SC_CC = 0x04
SC_TMR = 0x08

MIN_PSDU_OCTETS = 8
MAX_SEGMENT_OCTETS = 0x3FF
DATA_OVERHEAD_OCTETS = 14

Address = int | bytes | None

_SECURITY = 0x0008
_ACK_REQUEST = 0x0020
_PAN_COMPRESSION = 0x0040
_DATA_FC = FRAME_DATA | _PAN_COMPRESSION | ADDRESS_SHORT << 10 | ADDRESS_SHORT << 14

# sc0 sc1 sc2 | frame control | sequence | PAN | destination | source
_DATA_HEADER = struct.Struct("<BBBHBHHH")
_DATA_HEADER_OCTETS = _DATA_HEADER.size
_U16 = struct.Struct("<H")
_FC_DSN = struct.Struct("<HB")
_AUX = struct.Struct("<BI")
_AUX_INDEXED = struct.Struct("<BIB")

_SC_FLAGS = tuple((bool(i & SC_TMR), bool(i & SC_CC), bool(i & SC_CAP), bool(i & SC_LSF)) for i in range(16))

# frame control of the common data frame -> (security enabled, ack request, version)
_FAST_FC = {
    _DATA_FC | security | ack | version << 12: (bool(security), bool(ack), version)
    for security in (0, _SECURITY)
    for ack in (0, _ACK_REQUEST)
    for version in (0, 1)
}


@dataclass(slots=True)
class AuxHeader:
    """Auxiliary security header: level 0..7, key-id mode 0 or 1, frame counter (32 bits), key index.

    `key_index` is an octet with key-id mode 1 (G3: 0 or 1, which of two group keys) and None with mode 0.
    """

    level: int
    key_id_mode: int
    frame_counter: int
    key_index: int | None

    def encode(self) -> bytes:
        """Return the 6 (mode 1) or 5 (mode 0) octets. Raises UsageError when a field is out of range."""
        if not 0 <= self.level <= 7 or (self.key_id_mode, self.key_index is None) not in ((0, True), (1, False)):
            raise UsageError("security header")
        control = self.level | self.key_id_mode << 3
        try:
            if self.key_index is None:
                return _AUX.pack(control, self.frame_counter)
            return _AUX_INDEXED.pack(control, self.frame_counter, self.key_index)
        except struct.error as error:
            raise UsageError("security header") from error


def address_mode(address: Address) -> int:
    """Return the 802.15.4 addressing mode of an address: none 0, short 2 (int), extended 3 (eight octets)."""
    if address is None:
        return ADDRESS_NONE
    if isinstance(address, int):
        return ADDRESS_SHORT
    if len(address) == 8:
        return ADDRESS_EXTENDED
    raise UsageError("extended address is not eight octets")


@dataclass(slots=True)
class MacFrame:
    """One MAC frame, that is one segment.

    `dst`, `src`: None, a short address (int) or an extended one (eight octets, order of the wire); the PAN ids are
    None exactly when the address is None. `payload` is the part of the MAC payload in this segment, MIC included,
    0..1023 octets. `aux` is present exactly in segment 0 of a secured frame. `cap` is high priority, `cc` says that
    more segments follow without contention, `tmr` asks for a tone map response, `lsf` marks the last segment.
    """

    frame_type: int
    dsn: int
    dst_pan: int | None
    dst: Address
    src_pan: int | None
    src: Address
    payload: bytes
    ack_request: bool = False
    security_enabled: bool = False
    aux: AuxHeader | None = None
    version: int = 0
    tmr: bool = False
    cc: bool = False
    cap: bool = False
    lsf: bool = True
    segment_number: int = 0

    @property
    def dst_mode(self) -> int:
        """Addressing mode of the destination: 0, 2 or 3."""
        return address_mode(self.dst)

    @property
    def src_mode(self) -> int:
        """Addressing mode of the source: 0, 2 or 3."""
        return address_mode(self.src)

    def mhr(self) -> bytes:
        """Return the 802.15.4 header alone (frame control to source address, no auxiliary header).

        Equal PAN ids are written once, as 802.15.4-2006 7.5.6.1 demands. Raises UsageError.
        """
        if self.frame_type not in (FRAME_BEACON, FRAME_DATA, FRAME_COMMAND) or self.version not in (0, 1):
            raise UsageError("frame type or version")
        if (self.dst is None) != (self.dst_pan is None) or (self.src is None) != (self.src_pan is None):
            raise UsageError("address and PAN id go together")
        compressed = self.dst is not None and self.src is not None and self.dst_pan == self.src_pan
        control = self.frame_type | self.dst_mode << 10 | self.version << 12 | self.src_mode << 14
        if self.security_enabled:
            control |= _SECURITY
        if self.ack_request:
            control |= _ACK_REQUEST
        if compressed:
            control |= _PAN_COMPRESSION
        try:
            return (
                _FC_DSN.pack(control, self.dsn)
                + _encode_address(self.dst_pan, self.dst)
                + _encode_address(None if compressed else self.src_pan, self.src)
            )
        except struct.error as error:
            raise UsageError("header field out of range") from error

    def overhead_octets(self) -> int:
        """Return how many octets of the PSDU are not payload nor padding (14 for a plain short-address frame)."""
        return 3 + len(self.mhr()) + (0 if self.aux is None else len(self.aux.encode())) + 2

    def encode(self, pad_to: int = 0) -> bytes:
        """Return the PSDU; with `pad_to`, filled with zeros before the FCS up to that many octets in all.

        Raises UsageError when a field is out of range or the frame is longer than `pad_to`.
        """
        if (self.aux is not None) != (self.security_enabled and self.segment_number == 0):
            raise UsageError("auxiliary header belongs in segment 0 of a secured frame")
        size = len(self.payload)
        if not 0 <= self.segment_number <= 0x3F or size > MAX_SEGMENT_OCTETS:
            raise UsageError("segment number or length")
        flags = (self.tmr and SC_TMR) | (self.cc and SC_CC) | (self.cap and SC_CAP) | (self.lsf and SC_LSF)
        head = bytes((flags, self.segment_number << 2 | size >> 8, size & 0xFF)) + self.mhr()
        if self.aux is not None:
            head += self.aux.encode()
        return _seal(head + self.payload, pad_to)


def encode_data(
    pan: int,
    dst: int,
    src: int,
    dsn: int,
    payload: bytes,
    ack_request: bool = False,
    flags: int = SC_LSF,
    segment_number: int = 0,
    secured: bool = False,
    aux: AuxHeader | None = None,
    pad_to: int = 0,
) -> bytes:
    """Return the PSDU of a data frame with short addresses inside one PAN (the hot case of `MacFrame.encode`).

    `flags` is a sum of SC_TMR, SC_CC, SC_CAP, SC_LSF. Secured frames are sent as version 1, others as version 0.
    Raises UsageError when a field is out of range or the frame is longer than `pad_to`.
    """
    size = len(payload)
    if size > MAX_SEGMENT_OCTETS or (aux is not None) != (secured and segment_number == 0):
        raise UsageError("segment length or security header")
    control = _DATA_FC
    if ack_request:
        control |= _ACK_REQUEST
    if secured:
        control |= _SECURITY | 1 << 12
    try:
        head = _DATA_HEADER.pack(flags, segment_number << 2 | size >> 8, size & 0xFF, control, dsn, pan, dst, src)
    except struct.error as error:
        raise UsageError("header field out of range") from error
    if aux is not None:
        head += aux.encode()
    return _seal(head + payload, pad_to)


def decode(psdu: bytes) -> MacFrame:
    """Return the frame in a PSDU; padding after the payload is ignored.

    Raises WireError: `fcs`, `psdu too short`, `frame type`, `frame version`, `address mode`, `key id mode`,
    `segment length` (the SL field says more than there is) or `mac header` (the header is cut off). Reserved bits are
    ignored.
    """
    size = len(psdu)
    if size < MIN_PSDU_OCTETS:
        raise WireError("psdu too short")
    if crc_hqx(psdu[:-2], 0) != psdu[-2] | psdu[-1] << 8:
        raise WireError("fcs")
    if size < DATA_OVERHEAD_OCTETS:
        return _decode_any(psdu)
    sc0, sc1, sc2, control, dsn, pan, dst, src = _DATA_HEADER.unpack_from(psdu)
    fast = _FAST_FC.get(control)
    if fast is None:
        return _decode_any(psdu)
    secured, ack_request, version = fast
    at = _DATA_HEADER_OCTETS
    aux = None
    segment_number = sc1 >> 2
    if secured and not segment_number:
        aux, at = _decode_aux(psdu, at)
    end = at + ((sc1 & 3) << 8 | sc2)
    if end > size - 2:
        raise WireError("segment length")
    tmr, cc, cap, lsf = _SC_FLAGS[sc0 & 15]
    return MacFrame(
        FRAME_DATA, dsn, pan, dst, pan, src, psdu[at:end],
        ack_request, secured, aux, version, tmr, cc, cap, lsf, segment_number,
    )  # fmt: skip


def peek_dst(psdu: bytes) -> int:
    """Return the short destination address (0xFFFF broadcast), or -1 when there is none or it is extended.

    Looks at fixed offsets of a PSDU of at least 8 octets; checks neither FCS nor anything else and never raises.
    """
    if psdu[4] & 0x0C != 0x08 or len(psdu) < 12:
        return -1
    return psdu[8] | psdu[9] << 8


def _seal(body: bytes, pad_to: int) -> bytes:
    if pad_to:
        if len(body) + 2 > pad_to:
            raise UsageError("frame longer than the size asked for")
        body = body.ljust(pad_to - 2, b"\0")
    return body + _U16.pack(crc_hqx(body, 0))


def _encode_address(pan: int | None, address: Address) -> bytes:
    head = b"" if pan is None else _U16.pack(pan)
    if address is None:
        return head
    return head + (_U16.pack(address) if isinstance(address, int) else address)


def _decode_aux(psdu: bytes, at: int) -> tuple[AuxHeader, int]:
    mode = psdu[at] >> 3 & 3
    if mode > 1:
        raise WireError("key id mode")
    layout = _AUX_INDEXED if mode else _AUX
    end = at + layout.size
    if end > len(psdu) - 2:
        raise WireError("mac header")
    fields = layout.unpack_from(psdu, at)
    return AuxHeader(fields[0] & 7, mode, fields[1], fields[2] if mode else None), end


def _decode_address(psdu: bytes, at: int, mode: int, pan: int | None) -> tuple[int | None, Address, int]:
    """Return (PAN id, address, next offset); `pan` is the PAN id already known, or None when it is in the octets."""
    if mode == ADDRESS_NONE:
        return None, None, at
    if pan is None:
        if at + 2 > len(psdu) - 2:
            raise WireError("mac header")
        (pan,) = _U16.unpack_from(psdu, at)
        at += 2
    end = at + (2 if mode == ADDRESS_SHORT else 8)
    if end > len(psdu) - 2:
        raise WireError("mac header")
    if mode == ADDRESS_SHORT:
        return pan, psdu[at] | psdu[at + 1] << 8, end
    return pan, psdu[at:end], end


def _check_control(control: int) -> None:
    """Refuse a frame control that G3 does not send: acknowledgement and reserved types, versions, address modes."""
    if control & 7 not in (FRAME_BEACON, FRAME_DATA, FRAME_COMMAND):
        raise WireError("frame type")
    if control >> 12 & 3 > 1:
        raise WireError("frame version")
    dst_mode = control >> 10 & 3
    src_mode = control >> 14
    if dst_mode == 1 or src_mode == 1 or (control & _PAN_COMPRESSION and not (dst_mode and src_mode)):
        raise WireError("address mode")


def _decode_any(psdu: bytes) -> MacFrame:
    """Decode any frame of at least 8 octets whose FCS is right."""
    control, dsn = _FC_DSN.unpack_from(psdu, 3)
    _check_control(control)
    compressed = bool(control & _PAN_COMPRESSION)
    dst_pan, dst, at = _decode_address(psdu, 6, control >> 10 & 3, None)
    src_pan, src, at = _decode_address(psdu, at, control >> 14, dst_pan if compressed else None)
    secured = bool(control & _SECURITY)
    segment_number = psdu[1] >> 2
    aux = None
    if secured and not segment_number:
        aux, at = _decode_aux(psdu, at)
    end = at + ((psdu[1] & 3) << 8 | psdu[2])
    if end > len(psdu) - 2:
        raise WireError("segment length")
    tmr, cc, cap, lsf = _SC_FLAGS[psdu[0] & 15]
    return MacFrame(
        frame_type=control & 7,
        dsn=dsn,
        dst_pan=dst_pan,
        dst=dst,
        src_pan=src_pan,
        src=src,
        payload=psdu[at:end],
        ack_request=bool(control & _ACK_REQUEST),
        security_enabled=secured,
        aux=aux,
        version=control >> 12 & 3,
        tmr=tmr,
        cc=cc,
        cap=cap,
        lsf=lsf,
        segment_number=segment_number,
    )
