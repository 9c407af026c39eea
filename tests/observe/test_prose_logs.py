"""Log lines: prose that names the peer, for every kind of event; files for every station."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulation.observe.prose import clock_text, line
from emulation.observe.record import field_types
from emulation.observe.station_logs import StationLogs
from g3plc import events as ev
from g3plc.events import EVENTS, Event

OBIS = bytes.fromhex("0100010800FF")
T = 3_723_004_999


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            ev.Rreq(T, 5, "forwarded", 0xFFFF, 0, 17, 9, 12, 2, 6, 0, ""),
            "loadng RREQ for meter-17 forwarded, to everybody, cost 12 after 2 hops",
        ),
        (
            ev.Rreq(T, 5, "ignored", 3, 0, 17, 9, 12, 1, 6, 0, "not better"),
            "loadng RREQ for meter-17 ignored, from meter-3, cost 12 after 1 hop: not better",
        ),
        (
            ev.Rrep(T, 5, "received", 17, 17, 0, 9, 4, 1, 6, 0, ""),
            "loadng RREP of meter-17 received, from meter-17, cost 4 after 1 hop",
        ),
        (
            ev.Rerr(T, 5, "sent", 3, 5, 0, 17, 0, ""),
            "loadng RERR sent, to meter-3: meter-17 cannot be reached, says meter-5 to coordinator "
            "(no available route)",
        ),
        (
            ev.RxLost(T, 5, 3, 77, 6_000, 30, "payload", "collision", 9, 4),
            "phy    frame 77 from meter-3 lost in its payload: collision with frame 4 of meter-9 (LQI 30)",
        ),
        (ev.Job(T, 0, 1, "read", 17, "accepted", ""), "job    job 1, read meter-17, accepted"),
        (
            ev.Job(T, 0, 2, "collect", 0, "done", "48 of 48 meters read"),
            "job    job 2, collect, done: 48 of 48 meters read",
        ),
        (ev.Ack(T, 5, 3, 77, "missed"), "mac    frame 77 got no answer from meter-3"),
        (ev.RouteLost(T, 5, 17, 3, "rerr"), "loadng route to meter-17 via meter-3 is gone: an RERR came in"),
        (
            ev.RouteSet(T, 5, 17, 3, 24, 2, 1, 0, 0),
            "loadng route to meter-17 goes via meter-3, cost 24 over 2 hops, 1 weak, not yet proven both ways",
        ),
        (
            ev.ApduSent(T, 0, 17, 16, 1, bytes.fromhex("C0010000010100010800FF0200"), 20, 0, 1),
            "cosem  GET request for 1.0.1.8.0.255 sent to meter-17, 13 octets",
        ),
        (
            ev.ReadDone(T, 0, 17, OBIS, 2, "12345", "Wh", 3, 2, 2_345_678, 1),
            "read   meter-17 read: 1.0.1.8.0.255 is 12345 Wh, over 3 hops, in 2 tries, 2346 ms",
        ),
        (
            ev.SessionAborted(T, 0, 17, 4, "no answer"),
            "cosem  ABRT: association 4 with meter-17 is broken off: no answer",
        ),
        (
            ev.Fault(T, 65535, 1, "link", "3-17", "down", 0, "begin", 4_000_000_000),
            "fault  fault 1 begins: link 3-17 down until 01:06:40.000",
        ),
        (ev.Fault(T, 65535, 1, "link", "3>17", "weak", 20, "end", 0), "fault  fault 1 ends: link 3>17 weak 20 dB"),
        (ev.Fault(T, 65535, 2, "station", "3", "off", 0, "begin", 0), "fault  fault 2 begins: station 3 off"),
        (
            ev.Fault(T, 65535, 3, "noise", "2", "noise", 5, "begin", 0),
            "fault  fault 3 begins: noise at meter-2: +5 dB",
        ),
        (
            ev.Fault(T, 65535, 4, "voltage", "31", "voltage", 198, "begin", 0),
            "fault  fault 4 begins: voltage at meter-31: 198 V",
        ),
        (ev.SessionOpen(T, 17, 0, 5), "cosem  association 5 with coordinator stands"),
        (ev.SessionOpen(T, 17, 0, 0), "cosem  association with coordinator stands"),
        (ev.SessionClosed(T, 17, 0, 0), "cosem  association with coordinator is released"),
    ],
)
def test_a_line_reads_like_prose(event: Event, sentence: str) -> None:
    assert line(event) == f"01:02:03.004 {sentence}"


@pytest.mark.parametrize("kind", EVENTS)
def test_every_kind_of_event_has_a_line_of_ascii(kind: type[Event]) -> None:
    values = {int: 1, bytes: b"\x01\x02\x03\x04", str: "odd"}
    for number in (0, 1, -1, 65535):
        made = kind._make([number if t is int else values[t] for t in field_types(kind).values()])._replace(t=0, node=1)
        text = line(made)
        assert text.isascii()
        assert "\n" not in text
        assert (text == "") == (kind is ev.TxEnd)


def test_the_time_goes_on_after_a_day() -> None:
    assert clock_text(100 * 3_600_000_000 + 5_999) == "100:00:00.005"


def test_each_station_has_its_log(tmp_path: Path, paper: list[Event]) -> None:
    logs = StationLogs(tmp_path / "logs")
    for start in range(0, len(paper), 50):
        logs.observe(paper[start : start + 50])
    logs.observe([ev.Fault(9, 65535, 1, "noise", "1", "12", 12, "begin", 0)])
    logs.close()
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == ["coordinator.log", "meter-1.log", "meter-2.log", "meter-3.log", "network.log"]
    for node in range(4):
        name = f"meter-{node}" if node else "coordinator"
        expected = [line(event) for event in paper if event[1] == node and line(event)]
        assert (tmp_path / "logs" / f"{name}.log").read_text().splitlines() == expected


def test_long_runs_are_written_in_pieces(tmp_path: Path) -> None:
    logs = StationLogs(tmp_path)
    batch: list[Event] = [ev.Defer(t, t % 3, 1, 8) for t in range(4_000)]
    for _ in range(30):
        logs.observe(batch)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) > 0
    logs.close()
    assert sum(len(path.read_text().splitlines()) for path in tmp_path.iterdir()) == 120_000
