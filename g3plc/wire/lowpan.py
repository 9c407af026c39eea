"""Header stack of the adaptation layer: mesh, broadcast and command headers (RFC 4944 clauses 5.1-5.2 and 11).

An MSDU is Mesh? BC0? then one of FRAG1 / FRAGN (`frag`), IPHC (`iphc`), uncompressed IPv6 or ESC; an ESC header
names a command: LOADng (`loadng_msg`) or LBP (`lbp`). G3 uses 16-bit mesh addresses only. All fields big-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from g3plc.core.errors import UsageError, WireError

ESC = 0x40
IPV6 = 0x41
BC0 = 0x50

COMMAND_LOADNG = 0x01
COMMAND_LBP = 0x02

KIND_UNKNOWN = 0
KIND_IPV6 = 1
KIND_IPHC = 2
KIND_FRAG1 = 3
KIND_FRAGN = 4
KIND_ESC = 5

MESH_OCTETS = 5
BC0_OCTETS = 2
MAX_HOPS_LEFT = 0xFF

_MESH = struct.Struct(">BHH")
_DEEP_MESH = struct.Struct(">BBHH")
_DEEP = 0xF


def _kind(octet: int) -> int:
    if octet in (ESC, IPV6):
        return KIND_ESC if octet == ESC else KIND_IPV6
    if octet >> 5 == 0b011:
        return KIND_IPHC
    return {0b11000: KIND_FRAG1, 0b11100: KIND_FRAGN}.get(octet >> 3, KIND_UNKNOWN)


KINDS = tuple(_kind(octet) for octet in range(256))
"""First octet of what follows mesh and broadcast headers -> KIND_*; KIND_UNKNOWN for a dispatch not used in G3."""


@dataclass(slots=True)
class Mesh:
    """Mesh header: hops left (0..255), originator and final destination, 16-bit short addresses.

    More than 14 hops left take the `deep` form, one octet longer.
    """

    hops_left: int
    originator: int
    destination: int

    def encode(self) -> bytes:
        """Return 5 octets, or 6 from 15 hops on. Raises UsageError when a field is out of range."""
        try:
            if 0 <= self.hops_left < _DEEP:
                return _MESH.pack(0xB0 | self.hops_left, self.originator, self.destination)
            return _DEEP_MESH.pack(0xB0 | _DEEP, self.hops_left, self.originator, self.destination)
        except struct.error as error:
            raise UsageError("mesh header field out of range") from error


@dataclass(slots=True)
class Bc0:
    """Broadcast header: sequence number 0..255, which with the mesh originator names one broadcast."""

    sequence: int

    def encode(self) -> bytes:
        """Return the 2 octets. Raises UsageError when the number is out of range."""
        if not 0 <= self.sequence <= 0xFF:
            raise UsageError("broadcast sequence number out of range")
        return bytes((BC0, self.sequence))


def split(msdu: bytes) -> tuple[Mesh | None, Bc0 | None, int]:
    """Return (mesh header, broadcast header, offset of the rest); the rest has at least one octet of a known dispatch.

    `KINDS[msdu[offset]]` says what the rest is. Raises WireError: `mesh header` (cut off), `mesh address mode` (64-bit
    addresses), `broadcast header`, `no payload` or `dispatch`.
    """
    mesh: Mesh | None = None
    bc0: Bc0 | None = None
    at = 0
    size = len(msdu)
    if size and msdu[0] >> 6 == 0b10:
        mesh, at = _split_mesh(msdu)
    if at < size and msdu[at] == BC0:
        if at + BC0_OCTETS > size:
            raise WireError("broadcast header")
        bc0 = Bc0(msdu[at + 1])
        at += BC0_OCTETS
    if at >= size:
        raise WireError("no payload")
    if not KINDS[msdu[at]]:
        raise WireError("dispatch")
    return mesh, bc0, at


def with_hops_left(msdu: bytes, hops_left: int) -> bytes:
    """Return an MSDU that starts with a mesh header, with its hops left replaced: what a forwarder sends on.

    `msdu` is one that `split` accepted with a mesh header. Raises UsageError when there is none or the number is out
    of range.
    """
    if not msdu or msdu[0] >> 4 != 0xB:
        raise UsageError("no mesh header")
    if hops_left < _DEEP and msdu[0] != 0xBF and hops_left >= 0:
        return bytes((0xB0 | hops_left,)) + msdu[1:]
    mesh, at = _split_mesh(msdu)
    return Mesh(hops_left, mesh.originator, mesh.destination).encode() + msdu[at:]


def command_id(msdu: bytes, at: int) -> int:
    """Return the command (COMMAND_LOADNG or COMMAND_LBP) of the ESC header at offset `at`.

    Raises WireError `esc command` when it is cut off or unknown.
    """
    if at + 2 > len(msdu) or msdu[at] != ESC or msdu[at + 1] not in (COMMAND_LOADNG, COMMAND_LBP):
        raise WireError("esc command")
    return msdu[at + 1]


def _split_mesh(msdu: bytes) -> tuple[Mesh, int]:
    if msdu[0] >> 4 != 0xB:
        raise WireError("mesh address mode")
    layout = _DEEP_MESH if msdu[0] & 0xF == _DEEP else _MESH
    if layout.size > len(msdu):
        raise WireError("mesh header")
    fields = layout.unpack_from(msdu)
    hops_left = fields[1] if layout is _DEEP_MESH else fields[0] & 0xF
    return Mesh(hops_left, fields[-2], fields[-1]), layout.size
