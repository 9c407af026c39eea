"""BER tag-length-value, as far as ACSE APDUs need it (ITU-T X.690 clause 8; one-octet tags, definite lengths).

Neighbours: `acse` is built on it; `axdr` shares the length octets, which A-XDR (IEC 61334-6) takes from BER.
"""

from __future__ import annotations

from g3plc.core.errors import WireError


def encode_length(length: int) -> bytes:
    """Return the shortest length octets: one below 128, else 0x80 + n and n octets (the same in A-XDR and BER)."""
    if length < 0x80:
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + length.to_bytes(size, "big")


def decode_length(buf: bytes, offset: int) -> tuple[int, int]:
    """Return (length, offset behind it); refuses the indefinite form and more than four octets of length."""
    if offset >= len(buf):
        raise WireError("length truncated")
    first = buf[offset]
    offset += 1
    if first < 0x80:
        return first, offset
    size = first & 0x7F
    if size == 0 or size > 4:
        raise WireError("length form not allowed")
    end = offset + size
    if end > len(buf):
        raise WireError("length truncated")
    return int.from_bytes(buf[offset:end], "big"), end


def encode_tlv(tag: int, contents: bytes) -> bytes:
    """Return tag, length and `contents`."""
    return bytes((tag,)) + encode_length(len(contents)) + contents


def decode_tlv(buf: bytes, offset: int = 0) -> tuple[int, bytes, int]:
    """Return (tag, contents, offset behind it); the length must fit into `buf`."""
    if offset >= len(buf):
        raise WireError("BER element truncated")
    length, start = decode_length(buf, offset + 1)
    end = start + length
    if end > len(buf):
        raise WireError("BER length exceeds the octets left")
    return buf[offset], buf[start:end], end


def decode_exact(buf: bytes, tag: int, what: str) -> bytes:
    """Return the contents of `buf`, which must be one element of that `tag` and nothing behind it."""
    found, contents, end = decode_tlv(buf)
    if found != tag:
        raise WireError(f"{what}: tag {found:02X} instead of {tag:02X}")
    if end != len(buf):
        raise WireError(f"{what} has trailing octets")
    return contents
