"""What a station's next life goes on from: the numbers of the last one, advanced so that none is used twice.

After an orderly stop they are the last ones used, and go on by themselves. After an unclean one the record is up to two
seconds old: sequence numbers are advanced by 1024, those of eight bits by 64. Counts of what has happened stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulation.live.records import KeepRecord

STEP = 1024
STEP_8_BIT = 64

_SEQUENCES: dict[str, int] = {
    "frame": 0xFFFFFFFF, "datagrams": 0xFFFFFFFF, "frame_counter": 0xFFFFFFFF, "commands": 0xFFFFFFFF,
    "session": 0x3FFFFFFF, "sequence": 0xFFFF, "datagram_tag": 0xFFFF,
}  # fmt: skip
"""Name of a sequence number and its greatest value, which is all ones."""
_SEQUENCES_8_BIT = frozenset({"dsn", "bsn", "broadcast_sequence"})
_DEEPEST = 4


def next_life(kept: KeepRecord | None, run: int) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """(boot number, stack's part, application's part) for a life in `run`; a record of another run is of no use."""
    if kept is None or kept.run != run:
        return 1, {}, {}
    if kept.clean:
        return kept.boot + 1, kept.stack, kept.application
    return kept.boot + 1, advanced(kept.stack), advanced(kept.application)


def advanced(kept: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """The same with every sequence number moved on."""
    found: dict[str, Any] = {}
    for name, value in kept.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            value = advanced(value, depth + 1)
        elif type(value) is int and name in _SEQUENCES:
            value = value + STEP & _SEQUENCES[name]
        elif type(value) is int and name in _SEQUENCES_8_BIT:
            value = value + STEP_8_BIT & 0xFF
        found[name] = value
    return found
