"""The capture files, octet by octet: blocks, order, joined segments, fates in comments."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from emulation.observe.facts import RunFacts
from emulation.observe.pcap import PcapWriter
from g3plc.core import flow
from g3plc.events import Ack, Event, RxLost, RxOk, TxStart

GET_FLOW = flow.flow_tag(0, 1, flow.GET_REQUEST)


class Packet:
    def __init__(self, stamp_us: int, octets: bytes, comment: str) -> None:
        self.stamp_us = stamp_us
        self.octets = octets
        self.comment = comment

    @property
    def mac(self) -> bytes:
        """What stands behind the TAP header."""
        return self.octets[struct.unpack_from("<H", self.octets, 2)[0] :]

    @property
    def lqi(self) -> int | None:
        return self.octets[16] if struct.unpack_from("<H", self.octets, 2)[0] == 20 else None


def read(path: Path) -> tuple[int, str, list[Packet]]:
    """Return link type, section comment and packets of a pcapng file, checking its structure on the way."""
    octets = path.read_bytes()
    at, link_type, about, packets = 0, -1, "", []
    while at < len(octets):
        kind, total = struct.unpack_from("<II", octets, at)
        assert total % 4 == 0
        assert struct.unpack_from("<I", octets, at + total - 4)[0] == total
        body = octets[at + 8 : at + total - 4]
        if kind == 0x0A0D0D0A:
            assert body[:8] == bytes.fromhex("4d3c2b1a01000000")
            about = options(body[16:])[1].decode()
        elif kind == 1:
            link_type = struct.unpack_from("<H", body)[0]
            assert options(body[8:])[9] == b"\x06"
        else:
            assert kind == 6
            interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
            assert (interface, captured) == (0, original)
            said = options(body[20 + captured + (-captured & 3) :])
            packets.append(Packet(high << 32 | low, body[20 : 20 + captured], said[1].decode()))
        at += total
    return link_type, about, packets


def options(octets: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while True:
        code, size = struct.unpack_from("<HH", octets, at)
        if code == 0:
            assert at + 4 == len(octets)
            return found
        found[code] = octets[at + 4 : at + 4 + size]
        at += 4 + size + (-size & 3)


def capture(path: Path, facts: RunFacts, events: Sequence[Event], whole: bool = False) -> list[Packet]:
    writer = PcapWriter(path / "frames.pcapng", facts, whole_psdu=whole)
    for start in range(0, len(events), 7):
        writer.observe(events[start : start + 7])
    writer.close()
    return read(path / "frames.pcapng")[2]


def test_the_file_says_what_it_is(tmp_path: Path, facts: RunFacts) -> None:
    for whole, link_type in ((False, 283), (True, 147)):
        capture(tmp_path, facts, [], whole)
        assert read(tmp_path / "frames.pcapng")[:2] == (
            link_type,
            "scenario row4, seed 7, profile demo, feeder row4",
        )


def test_one_record_for_each_frame_and_try_in_the_order_of_starts(
    tmp_path: Path, facts: RunFacts, paper: list[Event]
) -> None:
    packets = capture(tmp_path, facts, paper)
    starts = [e for e in paper if isinstance(e, TxStart) and e.dt < 2]
    assert [packet.stamp_us for packet in packets] == [facts.epoch_s * 1_000_000 + e.t for e in starts]
    for packet, e in zip(packets, starts, strict=True):
        size = (e.psdu[1] & 3) << 8 | e.psdu[2]
        assert packet.mac == e.psdu[3 : 12 + size]
        assert packet.octets[4:12] == bytes((0, 0, 1, 0, 0, 0, 0, 0))


def test_psdu_form_keeps_every_octet(tmp_path: Path, facts: RunFacts, paper: list[Event]) -> None:
    packets = capture(tmp_path, facts, paper, whole=True)
    assert [packet.octets for packet in packets] == [e.psdu for e in paper if isinstance(e, TxStart) and e.dt < 2]


def test_segments_are_joined_behind_the_first_header(tmp_path: Path, facts: RunFacts, story: Any) -> None:
    parts = [bytes([number]) * 80 for number in range(3)]
    story.segmented(0, 1, parts, GET_FLOW)
    story.unicast(1, 2, b"\x41after", GET_FLOW)
    packets = capture(tmp_path, facts, story.events)
    assert len(packets) == 2
    first = next(e for e in story.events if isinstance(e, TxStart))
    assert packets[0].mac == first.psdu[3:12] + b"".join(parts)
    assert packets[0].comment == "coordinator to meter-1: GET request, ROBO, 3 segments joined, acknowledged"
    assert packets[0].lqi == 79
    whole = capture(tmp_path, facts, story.events, whole=True)
    assert [packet.comment.split(", ")[2] for packet in whole[:3]] == ["segment 1", "segment 2", "segment 3"]


def test_a_segment_sent_again_is_joined_once(tmp_path: Path, facts: RunFacts, story: Any) -> None:
    def segment(number: int, payload: bytes, last: bool, outcome: str) -> None:
        frame = story.start(0, 1, story.psdu(0, 1, payload, number, last), GET_FLOW)
        if outcome == "ack":
            story.add(RxOk(story.now, 1, 0, frame, 8000, 70))
        else:
            story.add(RxLost(story.now, 1, 0, frame, 8000, 70, "payload", "noise", -1, -1))
        story.now += 20_000
        story.add(Ack(story.now, 0, 1, frame, outcome))

    segment(0, b"a" * 50, False, "ack")
    segment(1, b"b" * 50, True, "nack")
    segment(1, b"b" * 50, True, "ack")
    packets = capture(tmp_path, facts, story.events)
    assert len(packets) == 1
    assert packets[0].mac[9:] == b"a" * 50 + b"b" * 50
    assert packets[0].comment.endswith("acknowledged after a segment was lost in the payload: noise and sent again")


def test_a_try_that_is_given_up_between_segments_is_shown_as_far_as_it_went(
    tmp_path: Path, facts: RunFacts, story: Any
) -> None:
    for attempt, outcome in ((0, "missed"), (1, "ack")):
        frame = story.start(0, 1, story.psdu(0, 1, b"a" * 50, 0, False), GET_FLOW, attempt)
        story.now += 26_000
        story.add(Ack(story.now, 0, 1, frame, outcome))
    packets = capture(tmp_path, facts, story.events)
    assert [packet.mac[9:] for packet in packets] == [b"a" * 50] * 2
    assert packets[0].comment == "coordinator to meter-1: GET request, ROBO, lost: not heard by the addressee"
    assert "try 2" in packets[1].comment


@pytest.mark.parametrize(
    ("outcome", "comment", "lqi"),
    [
        ("ack", "acknowledged", 88),
        ("ack lost", "received, but the sender did not hear the ACK", 88),
        ("nack", "lost in the payload: collision with frame 12 of meter-7 (NACK)", None),
        ("missed", "lost: not heard by the addressee", None),
    ],
)
def test_the_fate_of_a_unicast(
    tmp_path: Path, facts: RunFacts, story: Any, outcome: str, comment: str, lqi: int | None
) -> None:
    story.unicast(4, 5, b"\x41payload", GET_FLOW, outcome, attempt=2)
    (packet,) = capture(tmp_path, facts, story.events)
    assert packet.comment == f"meter-4 to meter-5: GET request, ROBO, try 3, {comment}"
    assert packet.lqi == lqi


def test_the_fate_of_a_broadcast(tmp_path: Path, facts: RunFacts, story: Any) -> None:
    story.broadcast(3, b"\x40\x01", flow.flow_tag(3, 1, flow.RREQ), [2, 4], [5])
    story.broadcast(3, b"\x40\x01", flow.flow_tag(3, 1, flow.RREQ), list(range(10, 22)))
    first, second = capture(tmp_path, facts, story.events)
    assert first.comment == (
        "meter-3 to everybody: RREQ, ROBO, received by 2: meter-2 (LQI 89), meter-4 (LQI 89); "
        "lost at 1: meter-5 (noise)"
    )
    assert first.lqi is None
    assert second.comment.endswith("meter-17 (LQI 76) and 4 more")


def test_overlapping_frames_keep_their_own_fates(tmp_path: Path, facts: RunFacts, story: Any) -> None:
    one, two = story.psdu(1, 0, b"\x41one"), story.psdu(5, 6, b"\x41two")
    story.add(TxStart(1_000, 1, 1, one, 0, 63, 1, 60_000, 0, 0, 20, GET_FLOW))
    story.add(TxStart(2_000, 5, 1, two, 0, 63, 1, 60_000, 6, 0, 20, GET_FLOW))
    story.add(RxLost(61_000, 0, 1, 1, 8000, 80, "header", "collision", 5, 1))
    story.add(RxOk(62_000, 6, 5, 1, 8000, 80))
    story.add(Ack(90_000, 5, 6, 1, "ack"))
    story.add(Ack(95_000, 1, 0, 1, "missed"))
    first, second = capture(tmp_path, facts, story.events)
    assert first.comment.endswith("lost in the header: collision with frame 1 of meter-5")
    assert second.comment.endswith("acknowledged")


def test_octets_that_are_no_frame_are_kept_and_named(tmp_path: Path, facts: RunFacts, story: Any) -> None:
    for psdu in (b"", b"\x01", bytes(8), b"\xff" * 12, b"\x01\x03\xff\x41\x88" + bytes(20)):
        story.start(1, 2, psdu or b"\0", GET_FLOW) if psdu else story.add(
            TxStart(story.now, 1, 99, b"", 0, 63, 1, 20_000, 2, 0, 20, GET_FLOW)
        )
        story.now += 200_000
    packets = capture(tmp_path, facts, story.events)
    assert len(packets) == 5
    assert sum("not a MAC frame" in packet.comment for packet in packets) >= 4
    capture(tmp_path, facts, story.events, whole=True)


def test_a_station_that_is_switched_off_leaves_its_frames_unsettled(
    tmp_path: Path, facts: RunFacts, story: Any
) -> None:
    story.start(1, 2, story.psdu(1, 2, b"\x41x"), GET_FLOW)
    (packet,) = capture(tmp_path, facts, story.events)
    assert packet.comment.endswith("fate unknown")
