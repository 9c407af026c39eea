"""Payload of `air/<station>`: one msgpack array for a transmission, an announcement, or its withdrawal.

    version, run, frame number, kind, start_us, duration_us, modulation, tone map, delimiter type, power, flow, psdu

`kind` is 0 announce, 1 withdraw, 2 frame, 3 ack. An announcement says when the frame of that number is meant to start;
its other fields are 0 and its psdu is empty, as are all fields of a withdrawal. `power` is the transmission level
over the nominal one in dB, at present always 0. The psdu of an ack is five octets, little-endian: FCS (2) of the
frame that is answered, SSCA (1), short address of its sender (2). Further items are ignored.

`decode` takes any octets and raises PayloadError for those that are no such array.
"""

from __future__ import annotations

import struct
from typing import Any

from emulation.live.packing import pack, unpack
from emulation.live.topics import PayloadError
from g3plc.core.errors import UsageError
from g3plc.core.ofdm import ACK_US, FULL_TONE_MAP, airtime_us
from g3plc.phy.transmission import Transmission
from g3plc.wire.mac_frame import BROADCAST, MIN_PSDU_OCTETS, peek_dst

VERSION = 1
ANNOUNCE, WITHDRAW, FRAME, ACK = range(4)

MOST_OCTETS = 2048
"""A payload that is longer is refused unread."""
MOST_RUN = 0xFFFFFFFF
MOST_US = (1 << 62) - 1
LONGEST_US = 1_000_000

_ITEMS = 12
_MOST_FRAME = (1 << 40) - 1
_MOST_FLOW = (1 << 56) - 1
_MOST_POWER = 100
_ACK = struct.Struct("<HBH")

# place in the array, name, least and most
_INTEGERS = (
    (1, "run", 0, MOST_RUN),
    (2, "frame number", 0, _MOST_FRAME),
    (3, "kind", ANNOUNCE, ACK),
    (4, "start_us", 0, MOST_US),
    (5, "duration_us", 0, LONGEST_US),
    (6, "modulation", 0, 3),
    (7, "tone map", 0, FULL_TONE_MAP),
    (8, "delimiter type", 0, 3),
    (9, "power", -_MOST_POWER, _MOST_POWER),
    (10, "flow", 0, _MOST_FLOW),
)


class AirRecord:
    """What was read. `transmission` is set for frames and acks and still lacks its `key`."""

    __slots__ = ("frame", "kind", "run", "start", "transmission")

    def __init__(self, run: int, frame: int, kind: int, start: int, transmission: Transmission | None) -> None:
        self.run = run
        self.frame = frame
        self.kind = kind
        self.start = start
        self.transmission = transmission


def encode_transmission(run: int, tx: Transmission) -> bytes:
    """The array of a frame, ACK or NACK."""
    answer = tx.dt >= 2
    psdu = _ACK.pack(tx.fcs, tx.ssca, tx.dst) if answer else tx.psdu
    return pack(
        (VERSION, run, tx.frame, ACK if answer else FRAME, tx.start, tx.end - tx.start,
         tx.modulation, tx.tone_map, tx.dt, 0, tx.flow, psdu)
    )  # fmt: skip


def encode_announcement(run: int, frame: int, start: int) -> bytes:
    """The array of an announcement."""
    return pack((VERSION, run, frame, ANNOUNCE, start, 0, 0, 0, 0, 0, 0, b""))


def encode_withdrawal(run: int, frame: int) -> bytes:
    """The array of a withdrawal."""
    return pack((VERSION, run, frame, WITHDRAW, 0, 0, 0, 0, 0, 0, 0, b""))


def decode(topic: str, sender: int, payload: bytes) -> AirRecord:
    """Read the array that came in on the topic of `sender`. PayloadError."""
    items = unpack(topic, payload, MOST_OCTETS)
    if type(items) is not list or len(items) < _ITEMS:
        raise PayloadError(topic, f"no array of at least {_ITEMS} items")
    if items[0] != VERSION or type(items[0]) is not int:
        raise PayloadError(topic, f"version {items[0]!r:.20}; understood: {VERSION}")
    for place, name, least, most in _INTEGERS:
        value = items[place]
        if type(value) is not int or not least <= value <= most:
            raise PayloadError(topic, f"{name} {value!r:.40} is no integer from {least} to {most}")
    if type(items[11]) is not bytes:
        raise PayloadError(topic, "psdu is no octet string")
    run, frame, kind, start = items[1:5]
    transmission = None
    if kind == FRAME:
        transmission = _frame(topic, sender, items)
    elif kind == ACK:
        transmission = _ack(topic, sender, items)
    return AirRecord(run, frame, kind, start, transmission)


def _frame(topic: str, sender: int, items: list[Any]) -> Transmission:
    frame, _, start, duration, modulation, tone_map, dt, _, flow, psdu = items[2:12]
    if dt > 1:
        raise PayloadError(topic, f"delimiter type {dt} of a frame")
    try:
        airtime = airtime_us(len(psdu), modulation, tone_map)
    except UsageError as error:
        raise PayloadError(topic, str(error)) from error
    if duration != airtime:
        raise PayloadError(topic, f"duration_us {duration} of a frame that takes {airtime}")
    return Transmission(
        sender, frame, start, start + duration, psdu, modulation, tone_map, dt, destination(psdu), 0, flow
    )


def _ack(topic: str, sender: int, items: list[Any]) -> Transmission:
    frame, _, start, duration, modulation, tone_map, dt, _, flow, psdu = items[2:12]
    if dt < 2 or duration != ACK_US or len(psdu) != _ACK.size:
        raise PayloadError(topic, f"an ack of delimiter type {dt}, {duration} us, {len(psdu)} octets")
    fcs, ssca, dst = _ACK.unpack(psdu)
    if ssca > 1:
        raise PayloadError(topic, f"SSCA {ssca}")
    return Transmission(sender, frame, start, start + duration, b"", modulation, tone_map, dt, dst, 0, flow, fcs, ssca)


def destination(psdu: bytes) -> int:
    """The short address that a PSDU is for; everybody's if its header names none."""
    dst = peek_dst(psdu) if len(psdu) >= MIN_PSDU_OCTETS else -1
    return BROADCAST if dst < 0 else dst
