"""Names of message kinds and of PHY modes, as observers print them.

A kind is one of `g3plc.core.flow`, or the first octet of an APDU. Neighbours: `g3plc.core.flow`, `g3plc.wire.apdu`.
"""

from __future__ import annotations

from g3plc.core import flow

MODULATION_NAMES = ("ROBO", "DBPSK", "DQPSK", "D8PSK")

REQUESTS = frozenset({flow.AARQ, flow.RLRQ, flow.GET_REQUEST, flow.SET_REQUEST, flow.ACTION_REQUEST})
RESPONSES = frozenset(
    {flow.AARE, flow.RLRE, flow.GET_RESPONSE, flow.SET_RESPONSE, flow.ACTION_RESPONSE, flow.EXCEPTION}
)
ROUTING = frozenset(range(flow.RREQ, flow.RLCREP + 1))

_APDU_TAGS = {
    0x60: flow.AARQ,
    0x61: flow.AARE,
    0x62: flow.RLRQ,
    0x63: flow.RLRE,
    0xC0: flow.GET_REQUEST,
    0xC4: flow.GET_RESPONSE,
    0xC1: flow.SET_REQUEST,
    0xC5: flow.SET_RESPONSE,
    0xC3: flow.ACTION_REQUEST,
    0xC7: flow.ACTION_RESPONSE,
    0xC2: flow.EVENT_NOTIFICATION,
    0xD8: flow.EXCEPTION,
}
_NAMES = [flow.KIND_NAMES.get(_APDU_TAGS.get(kind, kind), "DATA") for kind in range(256)]


def normal_kind(kind: int) -> int:
    """Return the kind of `core.flow` for either form."""
    return _APDU_TAGS.get(kind, kind)


def kind_name(kind: int) -> str:
    """Return the name of a kind: `RREQ`, `GET_REQUEST`, `DATA` for anything else."""
    return _NAMES[kind & 0xFF]


def readable(kind: int) -> str:
    """Return the name for prose and diagrams: `GET request`, `RREP_ACK`, `event notification`."""
    return _READABLE[kind & 0xFF]


_WORDS = {
    "EVENT_NOTIFICATION": "event notification",
    "EXCEPTION": "exception",
    "DATA": "datagram",
    "TMR": "tone map response",
    "BEACON": "beacon",
    "BEACON_REQUEST": "beacon request",
}


def _as_read(name: str) -> str:
    for suffix in ("REQUEST", "RESPONSE"):
        if name not in _WORDS and name.endswith("_" + suffix):
            return name.removesuffix("_" + suffix).replace("_", " ") + " " + suffix.lower()
    return _WORDS.get(name, name)


_READABLE = [_as_read(name) for name in _NAMES]


def modulation_name(modulation: int) -> str:
    """Return the name of a modulation number."""
    return MODULATION_NAMES[modulation] if 0 <= modulation < 4 else f"modulation {modulation}"
