"""Every event of a run is what the closed list says: number, type, ASCII; in order of time; of stations that exist."""

from __future__ import annotations

from typing import Any

import pytest

from emulation.observe.record import ill_formed
from g3plc import events as ev
from g3plc.core import flow as flows

NOBODY = 0xFFFF
ACTIONS = {
    ev.Rreq: {"sent", "received", "forwarded", "ignored"},
    ev.Rrep: {"sent", "received", "forwarded", "ignored"},
    ev.Rerr: {"sent", "received", "forwarded", "ignored"},
    ev.Queue: {"waiting", "released", "discarded"},
    ev.Collection: {"started", "progress", "finished"},
}


@pytest.fixture(scope="module", params=["night:1", "heal:1", "sag:1", "row4:1", "night:3"])
def run(request: pytest.FixtureRequest, shipped: Any) -> Any:
    name, _, seed = request.param.partition(":")
    return shipped(name, int(seed))


def test_number_type_and_ascii(run: Any) -> None:
    assert [reason for event in run.events if (reason := ill_formed(event))] == []


def test_time_goes_forward(run: Any) -> None:
    times = [event.t for event in run.events]
    assert times == sorted(times) and times[0] >= 0


def test_nodes_exist(run: Any) -> None:
    stations = set(range(len(run.scenario.feeder.stations)))
    assert {event.node for event in run.events} <= stations | {NOBODY}
    assert {type(event) for event in run.events if event.node == NOBODY} <= {ev.Fault, ev.Clock}


def test_words_are_those_of_the_list(run: Any) -> None:
    for kind, words in ACTIONS.items():
        assert {event.action for event in run.of(kind)} <= words
    assert {e.result for e in run.of(ev.Ack)} <= {"ack", "nack", "missed"}
    assert {e.stage for e in run.of(ev.RxLost)} <= {"header", "payload"}
    assert {e.reason for e in run.of(ev.RxLost)} <= {"noise", "collision", "half duplex", "late", "fault"}
    assert {e.reason for e in run.of(ev.RouteLost)} <= {"rerr", "no ack", "aged", "replaced", "loop"}
    assert {e.layer for e in run.of(ev.Dropped)} <= {"phy", "mac", "adp", "loadng", "ip", "udp", "cosem"}
    assert all(e.reason for e in run.of((ev.Dropped, ev.SessionAborted, ev.ReadFailed)))
    assert {e.status for e in run.of(ev.Job)} <= {"accepted", "done", "failed"}


def test_a_collision_names_a_frame_and_nothing_else_does(run: Any) -> None:
    frames = {(e.node, e.frame) for e in run.of(ev.TxStart)}
    for lost in run.of(ev.RxLost):
        if lost.reason == "collision":
            assert (lost.by_src, lost.by_frame) in frames
        if lost.by_src == -1:
            assert lost.by_frame == -1 and lost.reason != "collision"


def test_flows_lead_from_frames_to_datagrams_and_back(run: Any) -> None:
    sent = {e.flow: e for e in run.of(ev.ApduSent)}
    assert len(sent) == len(run.of(ev.ApduSent))
    for flow, event in sent.items():
        assert (flows.flow_station(flow), flows.flow_kind(flow)) == (event.node, event.kind)
    for event in run.of(ev.ApduReceived):
        origin = sent[event.flow]
        assert (origin.node, origin.peer, origin.apdu) == (event.peer, event.node, event.apdu)
        assert (origin.src_wport, origin.dst_wport) == (event.src_wport, event.dst_wport)
    for tx in run.of(ev.TxStart):
        assert tx.kind in flows.KIND_NAMES and (tx.dt >= 2) == (tx.psdu == b"")
        if flows.flow_kind(tx.flow) >= flows.AARQ and tx.dt < 2:
            assert sent[tx.flow].apdu in tx.psdu


def test_routes_lead_to_neighbours(run: Any) -> None:
    """Every next hop of every table is a station whose frames or ACKs have been heard."""
    pairs = {(e.node, e.src) for e in run.of(ev.RxOk)} | {(e.node, e.peer) for e in run.of(ev.Ack, result="ack")}
    for entry in run.of(ev.RouteSet):
        assert (entry.node, entry.next_hop) in pairs
        assert entry.destination != entry.node and 1 <= entry.hop_count <= 15
        assert entry.valid_until_us > entry.t and entry.weak_links <= entry.hop_count


def test_sessions_have_numbers_of_their_own(run: Any) -> None:
    opened = [e.session for e in run.of(ev.SessionOpen, node=0)]
    assert len(opened) == len(set(opened)) and all(number > 0 for number in opened)
    for ended in run.of((ev.SessionClosed, ev.SessionAborted), node=0):
        assert run.of(ev.ApduSent, node=0, session=ended.session)
