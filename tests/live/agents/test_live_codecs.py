"""Payloads of the live topics: vectors, round trips, and any octets at all."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation.grid.fault import FaultOrder
from emulation.live import air, event_map
from emulation.live.records import (
    ClockRecord,
    FaultRecord,
    JobRecord,
    JobResult,
    KeepRecord,
    RunRecord,
    SyncRecord,
)
from emulation.live.status_record import StatusRecord
from emulation.live.topics import PayloadError, Topics
from emulation.scenario import JobOrder
from g3plc import events, sap
from g3plc.core.ofdm import ACK_US, FULL_TONE_MAP, ROBO, airtime_us
from g3plc.phy.transmission import Transmission
from g3plc.wire.mac_frame import encode_data

PAN, RUN = 0x781D, 0xDEADBEEF
TOPIC = Topics().air(3)
PSDU = encode_data(PAN, 17, 3, 5, b"x" * 20, True)
AIRTIME = airtime_us(len(PSDU), ROBO, FULL_TONE_MAP)


def frame_items(**changes: Any) -> list[Any]:
    names = ("version", "run", "frame", "kind", "start", "duration", "modulation", "tone_map", "dt", "power", "flow",
             "psdu")  # fmt: skip
    values = (1, RUN, 77, air.FRAME, 5_000_000, AIRTIME, ROBO, FULL_TONE_MAP, 1, 0, 3 << 40 | 2, PSDU)
    items = dict(zip(names, values, strict=True)) | changes
    return list(items.values())


def decode(items: Any) -> air.AirRecord:
    return air.decode(TOPIC, 3, msgpack.packb(items))


def test_topics_carry_version_and_pan() -> None:
    topics = Topics(0xAB)
    assert topics.air(17) == "gridglow/1/00ab/air/17"
    assert topics.job_result(4) == "gridglow/1/00ab/job/4/result"
    assert topics.parts("gridglow/1/00ab/fault/3") == ["fault", "3"]
    assert topics.parts("gridglow/1/781d/fault/3") == []


def test_frame_is_the_documented_array() -> None:
    tx = Transmission(3, 77, 5_000_000, 5_000_000 + AIRTIME, PSDU, ROBO, FULL_TONE_MAP, 1, 17, 2, 3 << 40 | 2)
    octets = air.encode_transmission(RUN, tx)
    assert msgpack.unpackb(octets) == frame_items()
    back = air.decode(TOPIC, 3, octets).transmission
    assert back is not None
    assert (back.src, back.dst, back.psdu, back.start, back.end, back.dt) == (3, 17, PSDU, tx.start, tx.end, 1)
    assert back.flow == tx.flow


def test_ack_carries_what_it_answers() -> None:
    tx = Transmission(3, 78, 9, 9 + ACK_US, b"", ROBO, FULL_TONE_MAP, sap.DT_NACK, 17, 0, 5, 0xD8D2, 1)
    octets = air.encode_transmission(RUN, tx)
    assert msgpack.unpackb(octets)[11] == bytes.fromhex("d2d8 01 1100")
    record = air.decode(TOPIC, 3, octets)
    back = record.transmission
    assert back is not None and record.kind == air.ACK
    assert (back.fcs, back.ssca, back.dst, back.dt, back.psdu) == (0xD8D2, 1, 17, sap.DT_NACK, b"")


def test_announcement_and_withdrawal() -> None:
    record = air.decode(TOPIC, 3, air.encode_announcement(RUN, 9, 12_345))
    assert (record.kind, record.frame, record.start, record.transmission) == (air.ANNOUNCE, 9, 12_345, None)
    record = air.decode(TOPIC, 3, air.encode_withdrawal(RUN, 9))
    assert (record.kind, record.frame, record.run) == (air.WITHDRAW, 9, RUN)


def test_further_items_are_ignored() -> None:
    assert decode([*frame_items(), "later", {"x": 1}]).frame == 77


def test_frame_without_destination_is_for_everybody() -> None:
    assert air.destination(b"\0" * 8) == 0xFFFF
    assert air.destination(b"\0") == 0xFFFF


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2}, {"version": True}, {"run": -1}, {"run": "x"}, {"frame": 1.0}, {"frame": float("nan")},
        {"kind": 4}, {"kind": None}, {"start": -1}, {"start": 1 << 63}, {"duration": AIRTIME + 1}, {"modulation": 4},
        {"tone_map": 0}, {"dt": 2}, {"dt": True}, {"psdu": "text"}, {"psdu": b""}, {"psdu": b"x" * 600},
        {"kind": air.ACK}, {"kind": air.ACK, "dt": 2, "duration": ACK_US}, {"flow": 1 << 56}, {"power": 1 << 20},
        {"kind": air.ACK, "dt": 2, "duration": ACK_US, "psdu": b"\0\0\2\0\0"},
    ],
)  # fmt: skip
def test_wrong_fields_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PayloadError):
        decode(frame_items(**changes))


def test_every_truncated_frame_is_refused() -> None:
    octets = msgpack.packb(frame_items())
    for size in range(len(octets)):
        with pytest.raises(PayloadError):
            air.decode(TOPIC, 3, octets[:size])
    with pytest.raises(PayloadError):
        air.decode(TOPIC, 3, octets + b"\0")
    with pytest.raises(PayloadError):
        air.decode(TOPIC, 3, b"\x90" * 1_000_000)


EVENT = events.RxLost(5, 3, 4, 6, 7000, 90, "header", "late", -1, -1)
DECODERS = [
    RunRecord.decode, ClockRecord.decode, JobRecord.decode, JobResult.decode, KeepRecord.decode, SyncRecord.decode,
    StatusRecord.decode, lambda topic, payload: FaultRecord.decode(topic, payload, 49, 411),
    lambda topic, payload: air.decode(topic, 3, payload),
    lambda topic, payload: event_map.decode(topic, "Ack", payload),
]  # fmt: skip


def test_event_round_trip() -> None:
    assert event_map.decode("t", "RxLost", event_map.encode(EVENT)) == EVENT
    for kind, fields in (("Nothing", EVENT._asdict()), ("RxLost", {}), ("RxLost", EVENT._asdict() | {"lqi": "x"})):
        with pytest.raises(PayloadError):
            event_map.decode("t", kind, msgpack.packb(fields))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
KEYS = sorted(
    {"run", "seed", "epoch", "profile", "feeder", "generation", "wall_ns", "emulated_us", "speed", "id", "kind",
     "where", "word", "value", "from_us", "until_us", "verb", "station", "arguments", "status", "detail", "boot",
     "clean", "stack", "online", "instance", "sent_ns"}
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(payload=st.binary(max_size=64), which=st.sampled_from(DECODERS))
def test_any_octets_decode_or_are_refused(payload: bytes, which: Any) -> None:
    try:
        which("topic", payload)
    except PayloadError as error:
        assert error.topic == "topic" and error.reason


@settings(max_examples=300, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(KEYS), json_values, max_size=8), which=st.sampled_from(DECODERS))
def test_any_fields_decode_or_are_refused(fields: dict[str, Any], which: Any) -> None:
    try:
        which("topic", json.dumps(fields).encode())
    except PayloadError:
        pass


@settings(max_examples=200, deadline=None)
@given(items=st.lists(st.integers(-5, 1 << 60) | st.binary(max_size=8) | json_values, max_size=14))
def test_any_array_decodes_or_is_refused(items: list[Any]) -> None:
    try:
        packed = msgpack.packb(items)
    except (ValueError, OverflowError):
        return
    try:
        air.decode(TOPIC, 3, packed)
    except PayloadError:
        pass


@pytest.mark.parametrize(
    "record",
    [
        RunRecord(RUN, 1, 1_795_000_000, "demo", "board", "ab" * 32, "night", 'title = "x"'),
        ClockRecord(RUN, 4, 1_795_000_000_123_456_789, 5_000_000, 50),
        JobRecord(RUN, JobOrder(7, 0, "set", 17, 3, bytes((1, 0, 1, 8, 0, 255)), 2, "u32 5", 0xC1, 9)),
        JobResult(RUN, 7, "done", "12 kWh"),
        KeepRecord(RUN, 3, True, {"frame": 5, "mac": {"dsn": 3}}, {"register": 12}),
        SyncRecord(5, 6),
    ],
)
def test_records_come_back(record: Any) -> None:
    assert type(record).decode("topic", record.encode()) == record


@pytest.mark.parametrize("order", [
    FaultOrder("link", "3>17", "down"), FaultOrder("link", "3-17", "weak", 12), FaultOrder("noise", "5", "noise", 9),
    FaultOrder("cable", "212", "cut", power=True), FaultOrder("voltage", "7", "voltage", 180),
    FaultOrder("station", "17", "reboot"), FaultOrder("link", "1-2", "loss", 30),
])  # fmt: skip
def test_fault_records_come_back(order: FaultOrder) -> None:
    record = FaultRecord(RUN, 12, order, 5, 9, "operator")
    assert FaultRecord.decode("topic", record.encode(), 49, 411) == record


@pytest.mark.parametrize("changes", [
    {"speed": 17}, {"speed": 0.01}, {"speed": float("nan")}, {"speed": "1"}, {"generation": -1}, {"run": 1 << 32},
    {"wall_ns": 1.5}, {"speed": True}, {"emulated_us": None},
])  # fmt: skip
def test_impossible_clocks_are_refused(changes: dict[str, Any]) -> None:
    good = {"run": 1, "generation": 1, "wall_ns": 1, "emulated_us": 1, "speed": 1.0}
    ClockRecord.decode("topic", json.dumps(good).encode())
    with pytest.raises(PayloadError) as caught:
        ClockRecord.decode("topic", json.dumps(good | changes).encode())
    assert next(iter(changes)) in str(caught.value) or "NaN" in str(caught.value)


@pytest.mark.parametrize("payload", [
    b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"run": ' + b"9" * 5000 + b"}", b"{" * 1_000_000,
])  # fmt: skip
def test_no_json_object_is_refused(payload: bytes) -> None:
    for decoder in DECODERS:
        with pytest.raises(PayloadError):
            decoder("topic", payload)


@pytest.mark.parametrize(("payload", "reason"), [
    (b"\xff\xfe", "octet 0 is not UTF-8"), (b"{\"a\": ", "no JSON: Expecting value at character 6"),
    (b'{"run": ' + b"9" * 5000 + b"}", "no JSON: a number of too many digits"),
    (b'{"run": NaN}', "no JSON: NaN is no number"), (b"[" * 100_000, "no JSON: nested too deep"),
])  # fmt: skip
def test_what_is_wrong_with_json_is_said_in_words_of_its_own(payload: bytes, reason: str) -> None:
    with pytest.raises(PayloadError) as caught:
        RunRecord.decode("topic", payload)
    assert str(caught.value).endswith(reason)


def test_of_two_agents_the_first_stays_and_of_two_at_once_the_lower() -> None:
    old, young = StatusRecord(True, "f", 3, since_ms=0), StatusRecord(True, "a", 3, since_ms=60_000)
    assert old.outranks(young) and not young.outranks(old)
    twin = StatusRecord(True, "b", 3, since_ms=61_000)
    assert young.outranks(twin) and not twin.outranks(young)
