"""One msgpack object in a payload, in and out."""

from __future__ import annotations

from typing import Any

import msgpack  # type: ignore[import-untyped]

from emulation.live.topics import PayloadError


def pack(value: Any) -> bytes:
    """The octets of a value of integers, octets, text, sequences and maps."""
    return bytes(msgpack.packb(value))


def unpack(topic: str, payload: bytes, most_octets: int) -> Any:
    """The value in a payload of at most so many octets. PayloadError for whatever is not exactly one object."""
    if len(payload) > most_octets:
        raise PayloadError(topic, f"{len(payload)} octets; at most {most_octets}")
    try:
        return msgpack.unpackb(payload)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise PayloadError(topic, f"no msgpack: {error or type(error).__name__}"[:120]) from error
