"""`gridglow watch` and `gridglow status`: frames of a real run said layer by layer, tables from retained records."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from emulation.grid import fault
from emulation.live import air, event_map
from emulation.live.director_status import DirectorStatus
from emulation.live.records import ClockRecord, FaultRecord
from emulation.live.status_record import StatusRecord
from emulation.live.topics import Topics
from emulation.scenario import load
from g3plc import events
from g3plc.phy.transmission import Transmission
from gridglow.dissect import dissect
from gridglow.live_status import faults_view, online, status_view
from gridglow.live_watch import Filter, Watch
from gridglow.simulate import run

T = Topics()


class Recorder:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def observe(self, seen: Any) -> None:
        self.events.extend(seen)

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(scope="module")
def trace() -> list[Any]:
    recorder = Recorder()
    run(load("row4"), observers=[recorder])
    return recorder.events


def test_every_frame_of_the_papers_sequence_is_understood(trace: list[Any]) -> None:
    frames = [event.psdu for event in trace if isinstance(event, events.TxStart) and event.psdu]
    lines = [line for psdu in frames for line in dissect(psdu)]
    assert not [text for layer, text in lines if layer == "-"]
    text = "\n".join(f"{layer} {said}" for layer, said in lines)
    for wanted in (
        "mac data", "loadng RREQ", "loadng RREP", "loadng RERR", "adp mesh header, coordinator to meter-3",
        "ip UDP, port 4059 to 4059", "cosem AARQ", "cosem GetRequest class 1, 1.0.1.8.0.255, attribute 2",
        "cosem GetResponse double-long-unsigned:", "cosem RLRE", "mac tone map response",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_cut_off_and_changed_frames_never_break_it(trace: list[Any]) -> None:
    frames = {event.kind: event.psdu for event in trace if isinstance(event, events.TxStart) and event.psdu}
    for psdu in frames.values():
        for end in range(len(psdu)):
            assert dissect(psdu[:end])[-1][0] == "-"


@given(st.binary(max_size=300))
def test_any_octets_are_said_somehow(octets: bytes) -> None:
    assert dissect(octets)


def send(watch: Watch, event: Any) -> list[str]:
    """What is shown of a TxStart as a frame on the air."""
    tx = Transmission(
        event.node, event.frame, event.t, event.t + event.duration_us, event.psdu, event.modulation, event.tone_map,
        event.dt, event.next_hop, 0, event.flow,
    )  # fmt: skip
    return watch.lines(T.air(event.node), air.encode_transmission(7, tx))


def test_frames_and_events_are_filtered(trace: list[Any]) -> None:
    frames = [event for event in trace if isinstance(event, events.TxStart) and event.psdu]
    everything = Watch(T, Filter())
    assert all(send(everything, event) for event in frames)
    routing = Watch(T, Filter(layers={"loadng"}))
    shown = [lines for event in frames if (lines := send(routing, event))]
    assert 0 < len(shown) < len(frames)
    assert all(lines[1].split()[0] == "loadng" for lines in shown)
    rerr = Watch(T, Filter(types={"rerr"}))
    errors = [lines[0] for lines in (send(rerr, event) for event in frames) if lines]
    assert errors and all("RERR" in line for line in errors)
    route = next(event for event in trace if isinstance(event, events.RouteSet))
    payload = event_map.encode(route)
    topic = T.event(route.node, "RouteSet")
    assert "route to" in everything.lines(topic, payload)[0]
    assert rerr.lines(topic, payload) == []
    assert Watch(T, Filter(types={"routeset"})).lines(topic, payload)
    assert Watch(T, Filter({17})).filters()[0] == T.air(17)


@given(st.sampled_from([T.air(1), T.air("x"), T.event(1, "RouteSet"), T.event(1, "No"), "x"]), st.binary(max_size=80))
def test_garbage_shows_nothing(topic: str, payload: bytes) -> None:
    Watch(T, Filter()).lines(topic, payload)


def drawn(view: Any) -> str:
    console = Console(file=io.StringIO(), width=140, color_system=None)
    console.print(view)
    out: Any = console.file
    return str(out.getvalue())


def test_status_tells_what_is_retained_and_survives_garbage() -> None:
    now_ms = 1_795_000_000_000
    order = fault.parse("link", "3-17", "weak 20", 49, 411)
    found = {
        T.clock: ClockRecord(7, 1, (now_ms - 2000) * 1_000_000, 1_000_000, 500).encode(),
        T.fault(1): FaultRecord(7, 1, order, 0, 5_000_000, "operator").encode(),
        T.status("director"): DirectorStatus(
            True, "d", beat_ms=now_ms, state="running", run=7, title="A title", stations=49, ready=2, faithful=False,
            late=5, heard=100,
        ).encode(),
        T.status(0): StatusRecord(True, "a", 0, beat_ms=now_ms, state="on").encode(),
        T.status(17): StatusRecord(
            True, "b", 17, beat_ms=now_ms, state="on", routes=[[0, 15, 2]], offset_us=-2100
        ).encode(),
        T.status(18): StatusRecord(False, "c", 18, state="gone").encode(),
    }  # fmt: skip
    heard = dict.fromkeys(online(T, found), now_ms)
    text = drawn(status_view(T, found, heard, now_ms))
    for wanted in (
        "A title", "00:00:02.000", "0.5 times", "not faithful", "link 3-17", "weak 20", "00:00:05.000",
        "meter-15, 2 hops", "offline", "2 of 49", "the wall clock of 1 station is up to -2.1 ms off",
    ):  # fmt: skip
        assert wanted in text, wanted
    garbage = dict.fromkeys((*found, T.status("x"), T.fault("y")), b"\xff")
    assert "no director" in drawn(status_view(T, garbage, {}, now_ms))
    assert "no fault is in force" in drawn(faults_view(T, garbage))


def test_status_does_not_compare_two_hosts_clocks() -> None:
    now_ms = 1_795_000_000_000
    ahead_ms = now_ms + 10_000
    found = {
        T.clock: ClockRecord(7, 1, (ahead_ms - 2000) * 1_000_000, 1_000_000, 500).encode(),
        T.status("director"): DirectorStatus(True, "d", beat_ms=ahead_ms, run=7, stations=2, ready=2).encode(),
        T.status(0): StatusRecord(True, "a", 0, beat_ms=ahead_ms, state="on").encode(),
        T.status(1): StatusRecord(True, "b", 1, beat_ms=now_ms, state="on").encode(),
    }
    text = drawn(status_view(T, found, dict.fromkeys(online(T, found), now_ms), now_ms))
    assert "no director" not in text and "silent" not in text
    assert "00:00:02.000" in text and "2 of 2" in text
    text = drawn(status_view(T, found, {T.status(0): now_ms}, now_ms))
    assert "no director" in text and "silent" in text and "1 of 2" in text


def test_status_without_a_director_counts_the_stations_themselves() -> None:
    now_ms = 1_795_000_000_000
    found = {
        T.clock: ClockRecord(7, 1, (now_ms - 2000) * 1_000_000, 1_000_000, 500).encode(),
        T.status("director"): DirectorStatus(False, "d", state="gone").encode(),
        T.status(0): StatusRecord(True, "a", 0, state="on").encode(),
        T.status(1): StatusRecord(True, "b", 1, state="on").encode(),
        T.status(2): StatusRecord(False, "c", 2, state="gone").encode(),
    }
    text = drawn(status_view(T, found, dict.fromkeys(online(T, found), now_ms), now_ms))
    assert "no director" in text and "2 of 3 stations are on" in text
