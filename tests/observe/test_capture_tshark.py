"""What a stock Wireshark 4 makes of the captures, alone and with the dissectors that ship."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulation.observe.facts import RunFacts
from emulation.observe.pcap import PcapWriter
from g3plc.core import flow
from g3plc.events import Event
from g3plc.wire import frag, iphc, ipv6, lbp, loadng_msg, lowpan, udp
from gridglow.wireshark_cli import command_line

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark on this machine")


def tshark(capture: Path, *arguments: str, stock: bool = False) -> list[str]:
    """Return the lines that tshark prints; `stock`: without any setting."""
    command = ["tshark", "-r", str(capture)] if stock else command_line(capture, "tshark")
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True, timeout=120)
    assert "lua" not in done.stderr.lower(), done.stderr
    return done.stdout.splitlines()


def write(folder: Path, facts: RunFacts, events: list[Event], whole: bool) -> Path:
    path = folder / "frames.pcapng"
    writer = PcapWriter(path, facts, whole_psdu=whole)
    writer.observe(events)
    writer.close()
    return path


@pytest.fixture(params=[False, True], ids=["283", "147"])
def paper_capture(request: Any, tmp_path: Path, facts: RunFacts, paper: list[Event]) -> Path:
    return write(tmp_path, facts, paper, request.param)


def test_nothing_is_malformed_and_every_checksum_is_right(paper_capture: Path) -> None:
    assert tshark(paper_capture, "-Y", "_ws.malformed") == []
    assert tshark(paper_capture, "-Y", "udp.checksum.status == 0") == []
    sums = tshark(paper_capture, "-Y", "udp", "-T", "fields", "-e", "udp.checksum.status")
    assert sums == ["1"] * 27


def test_messages_go_by_their_names(paper_capture: Path) -> None:
    said = tshark(paper_capture, "-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info")
    lines = [line.replace("\t", ": ") for line in said]
    assert lines[0] == "LOADng: RREQ for meter-3, asked by coordinator, seq 1, cost 0, hops 0, limit 8"
    assert lines[5] == "LOADng: RREP of meter-3, to coordinator, seq 1, cost 24, hops 2, limit 6"
    assert lines[6] == "DLMS: AARQ"
    assert lines[9] == "DLMS: AARE: accepted"
    assert lines[12] == "DLMS: GET request: Data of 1.0.1.8.0.255, attribute 2"
    assert lines[15] == "DLMS: GET response: 12345"
    assert lines[18] == "DLMS: RLRQ: reason 0"
    assert lines[27] == "LOADng: RERR meter-3 unreachable (no available route), from meter-1 to coordinator"


def test_fields_can_be_filtered(tmp_path: Path, facts: RunFacts, paper: list[Event]) -> None:
    path = write(tmp_path, facts, paper, whole=False)
    wanted = {
        "g3.loadng.type == 1 && g3.loadng.cost == 12": 2,
        "g3.loadng.unreachable == 3": 1,
        'g3.dlms.type == 0xc0 && g3.dlms.obis == "1.0.1.8.0.255" && g3.dlms.attribute == 2': 9,
        'g3.dlms.value == "12345" && g3.wrapper.src == 1': 6,
    }
    assert {text: len(tshark(path, "-Y", text)) for text in wanted} == wanted


def test_a_stock_wireshark_opens_it_with_no_setting(tmp_path: Path, facts: RunFacts, paper: list[Event]) -> None:
    path = write(tmp_path, facts, paper, whole=False)
    assert tshark(path, "-Y", "_ws.malformed", stock=True) == []
    protocols = tshark(path, "-T", "fields", "-e", "_ws.col.Protocol", stock=True)
    assert protocols.count("UDP") == 27
    assert protocols.count("IEEE 802.15.4") == 17
    times = tshark(path, "-c", "1", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.comment", stock=True)
    assert times[0].startswith("1736899201.000000")
    assert "coordinator to everybody: RREQ, ROBO" in times[0]
    assert len(tshark(path, "-Y", "wpan-tap.lqi == 88", stock=True)) == 32


@pytest.mark.parametrize("whole", [False, True])
def test_segments_and_fragments_are_put_together(tmp_path: Path, facts: RunFacts, story: Any, whole: bool) -> None:
    tag = flow.flow_tag(0, 1, flow.OTHER)
    source, destination = ipv6.link_local(0x781D, 0), ipv6.link_local(0x781D, 1)
    packet = ipv6.pack(source, destination, 17, udp.pack(source, destination, 5000, 5001, bytes(range(200)) * 3))
    head, taken = iphc.compress_header(packet, 0x781D, 0, 1)
    mesh = lowpan.Mesh(8, 0, 1).encode()
    first = mesh + frag.Frag1(len(packet), 7).encode() + head + packet[taken:328]
    second = mesh + frag.FragN(len(packet), 7, 328).encode() + packet[328:]
    for msdu in (first, second):
        story.segmented(0, 1, [msdu[at : at + 110] for at in range(0, len(msdu), 110)], tag)
    path = write(tmp_path, facts, story.events, whole)
    assert tshark(path, "-Y", "_ws.malformed || udp.checksum.status == 0") == []
    assert tshark(path, "-Y", "udp", "-T", "fields", "-e", "udp.length") == ["608"]


MESSAGES = (
    (loadng_msg.RrepAck(3, 0, 9).encode(), "RREP_ACK from coordinator, for the RREP of meter-3, seq 9"),
    (
        loadng_msg.Preq(3, 0, 15, (loadng_msg.Hop(1, 0, 12),)).encode(),
        "PREQ for meter-3, asked by coordinator over meter-1",
    ),
    (loadng_msg.Prep(0, 3, 15, 3).encode(), "PREP of meter-3, to coordinator"),
    (loadng_msg.RlcReq(2, 1, 15).encode(), "RLCREQ from meter-1 to meter-2"),
    (loadng_msg.RlcRep(1, 2, 15, 9).encode(), "RLCREP from meter-2 to meter-1, link cost 9"),
    (
        loadng_msg.Rreq(3, 0, 9, 15, 12, 6, 2, 1, route_repair=True).encode(),
        "RREQ for meter-3, asked by coordinator, seq 9, cost 12, hops 2, limit 6, weak links 1, repair",
    ),
    (lbp.LbpMessage(lbp.JOINING, bytes(range(8))).encode(), "LBP JOINING, device 0001020304050607"),
    (
        lowpan.Mesh(8, 1, 0).encode() + lbp.LbpMessage(lbp.ACCEPTED, bytes(8), b"eap").encode(),
        "LBP ACCEPTED, device 0000000000000000",
    ),
    (b"\x40\x01\x00", "RREQ [cut off or unknown]"),
    (b"\x40\x01\x63\x00", "type 99 [cut off or unknown]"),
    (b"\x40\x02\x10", "LBP [cut off]"),
)


def test_other_messages(tmp_path: Path, facts: RunFacts, story: Any) -> None:
    for msdu, _ in MESSAGES:
        story.unicast(1, 2, msdu, flow.flow_tag(1, 1, flow.OTHER))
    path = write(tmp_path, facts, story.events, whole=False)
    assert tshark(path, "-T", "fields", "-e", "_ws.col.Info") == [info for _, info in MESSAGES]
    assert tshark(path, "-Y", "_ws.malformed || _ws.lua.error") == []


APDUS = (
    (
        "C1010000080000010000FF0200 090C07E9010F03081E00FF800000",
        "SET request: Clock of 0.0.1.0.0.255, attribute 2 = ",
    ),
    ("C5010000", "SET response: success"),
    ("C501000B", "SET response: object unavailable"),
    ("C301000046000060030AFF01010F00", "ACTION request: Disconnect control of 0.0.96.3.10.255, method 1(0)"),
    ("C70100000000 0600003039", "ACTION response: success"),
    ("C4010001FA", "GET response: other reason"),
    ("C40100000202 0600003039 1600", "GET response: structure {12345, 0}"),
    ("C200 0003 0100200700FF 02 1200C8", "event notification: Register of 1.0.32.7.0.255, attribute 2 = 200"),
    ("D80102", "exception response: state error 1, service error 2"),
    ("6203800100", "RLRQ: reason 0"),
    ("C4", "GET response: [cut off]"),
    ("C001", "GET request: [cut off]"),
    ("99AABB", "APDU 99"),
    ("C40100 00" + "01" * 40, "GET response: [value not decoded]"),
    ("C40100 00 01 84 7FFFFFFF", "GET response: [value not decoded]"),
)


def test_apdus(tmp_path: Path, facts: RunFacts, story: Any) -> None:
    for apdu, _ in APDUS:
        story.unicast(0, 1, story.msdu(0, 1, bytes.fromhex(apdu), 8, True), flow.flow_tag(0, 1, flow.OTHER))
    path = write(tmp_path, facts, story.events, whole=False)
    said = tshark(path, "-T", "fields", "-e", "_ws.col.Info")
    assert [text[: len(info)] for text, (_, info) in zip(said, APDUS, strict=True)] == [info for _, info in APDUS]
    assert tshark(path, "-Y", "_ws.malformed || _ws.lua.error") == []


def test_tone_map_response(tmp_path: Path, facts: RunFacts, story: Any) -> None:
    story.tone_map_response(1, 0)
    path = write(tmp_path, facts, story.events, whole=False)
    fields = ("-T", "fields", "-e", "_ws.col.Info", "-e", "g3.tmr.lqi")
    assert tshark(path, *fields) == ["Tone map response: DBPSK, tone map 3f, LQI 88\t88"]
