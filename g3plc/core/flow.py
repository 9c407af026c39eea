"""The tag that links the frames of one datagram: an opaque integer which protocol decisions never read.

A flow is (originating station, counter, message kind) in one integer of 56 bits. It exists for the observers alone:
forwarders copy it, fragments keep it, and a run with all tags zero takes the same course.
"""

from __future__ import annotations

OTHER = 0
RREQ, RREP, RERR, RREP_ACK, PREQ, PREP, RLCREQ, RLCREP = range(1, 9)
TMR, BEACON_REQUEST, BEACON, LBP = range(9, 13)
AARQ, AARE, RLRQ, RLRE = range(16, 20)
GET_REQUEST, GET_RESPONSE, SET_REQUEST, SET_RESPONSE, ACTION_REQUEST, ACTION_RESPONSE = range(20, 26)
EVENT_NOTIFICATION, EXCEPTION = 26, 27
ACK, NACK = 30, 31

KIND_NAMES: dict[int, str] = {
    OTHER: "DATA",
    RREQ: "RREQ",
    RREP: "RREP",
    RERR: "RERR",
    RREP_ACK: "RREP_ACK",
    PREQ: "PREQ",
    PREP: "PREP",
    RLCREQ: "RLCREQ",
    RLCREP: "RLCREP",
    TMR: "TMR",
    BEACON_REQUEST: "BEACON_REQUEST",
    BEACON: "BEACON",
    LBP: "LBP",
    AARQ: "AARQ",
    AARE: "AARE",
    RLRQ: "RLRQ",
    RLRE: "RLRE",
    GET_REQUEST: "GET_REQUEST",
    GET_RESPONSE: "GET_RESPONSE",
    SET_REQUEST: "SET_REQUEST",
    SET_RESPONSE: "SET_RESPONSE",
    ACTION_REQUEST: "ACTION_REQUEST",
    ACTION_RESPONSE: "ACTION_RESPONSE",
    EVENT_NOTIFICATION: "EVENT_NOTIFICATION",
    EXCEPTION: "EXCEPTION",
    ACK: "ACK",
    NACK: "NACK",
}


def flow_tag(station: int, counter: int, kind: int) -> int:
    """The tag of datagram `counter` (0..2^32-1) of `station` (0..65535), a message of `kind` (0..255)."""
    return station << 40 | (counter & 0xFFFFFFFF) << 8 | kind


def flow_station(flow: int) -> int:
    """The station that originated the datagram."""
    return flow >> 40


def flow_counter(flow: int) -> int:
    """The originator's number of the datagram."""
    return flow >> 8 & 0xFFFFFFFF


def flow_kind(flow: int) -> int:
    """The message kind, one of the constants above."""
    return flow & 0xFF
