"""The night's collection: every meter once, whatever the seed, and nothing left behind."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Any

import pytest

from g3plc import events as ev
from g3plc.core import flow

NORMAL_SEEDS = (1, 7)
SOME_SEEDS = (2, 3, 5, 10, 11, 13)
MANY_SEEDS = range(
    int(os.environ.get("GRIDGLOW_FIRST_SEED", "10")), int(os.environ.get("GRIDGLOW_LAST_SEED", "59")) + 1
)


@pytest.fixture(scope="module", params=NORMAL_SEEDS)
def night(request: pytest.FixtureRequest, shipped: Any) -> Any:
    return shipped("night", request.param)


def test_every_meter_is_read_exactly_once(night: Any) -> None:
    done = night.of(ev.ReadDone)
    assert sorted(e.meter for e in done) == list(range(1, 49))
    assert not night.of(ev.ReadFailed)
    last = night.of(ev.Collection)[-1]
    assert (last.action, last.meters, last.read, last.failed) == ("finished", 48, 48, 0)
    assert night.of(ev.Job)[-1].detail == "48 of 48 meters read"


def test_progress_is_told_meter_by_meter(night: Any) -> None:
    steps = night.of(ev.Collection)
    assert [e.action for e in steps] == ["started", *["progress"] * 48, "finished"]
    assert [e.read for e in steps] == [0, *range(1, 49), 48]


def test_every_session_is_opened_and_ended_on_both_sides(night: Any) -> None:
    for meter in range(1, 49):
        ours = night.of(ev.SessionOpen, node=0, peer=meter), night.of(ev.SessionClosed, node=0, peer=meter)
        aborted = night.of(ev.SessionAborted, node=0, peer=meter)
        assert len(ours[0]) >= 1 and len(ours[0]) == len(ours[1]) + len([e for e in aborted if e.session in {
            opened.session for opened in ours[0]}])  # fmt: skip
        theirs = night.of((ev.SessionOpen, ev.SessionClosed, ev.SessionAborted), node=meter)
        assert len(theirs) % 2 == 0 and isinstance(theirs[0], ev.SessionOpen)
        assert [isinstance(e, ev.SessionOpen) for e in theirs] == [True, False] * (len(theirs) // 2)


def test_the_value_read_is_the_one_that_the_meter_sent(night: Any) -> None:
    for done in night.of(ev.ReadDone):
        answer = [
            e for e in night.of(ev.ApduReceived, node=0, peer=done.meter, kind=flow.GET_RESPONSE) if e.t <= done.t
        ][-1]
        assert answer.apdu[3:5] == b"\x00\x06" and str(int.from_bytes(answer.apdu[5:9], "big")) == done.value
        sent = night.of(ev.ApduSent, node=done.meter, flow=answer.flow)
        assert [e.apdu for e in sent] == [answer.apdu]


def test_hops_told_are_hops_taken(night: Any) -> None:
    """The hop count of a reading is the length of the way that its request or its answer took."""
    for done in night.of(ev.ReadDone):
        request = night.of(ev.ApduSent, node=0, peer=done.meter, session=done.session, kind=flow.GET_REQUEST)[-1]
        assert 1 <= done.hops <= 8
        way = night.hops(request.flow)
        assert way[0][0] == 0 and way[-1][1] == done.meter
        joined = all(first[1] == second[0] for first, second in pairwise(way))
        assert joined or len(way) > done.hops  # a repeat may have gone another way


def test_nobody_speaks_who_is_silent(night: Any) -> None:
    """Half duplex: no station starts to send while it is sending; every transmission ends."""
    until: dict[int, int] = {}
    for event in night.events:
        if isinstance(event, ev.TxStart):
            assert until.get(event.node, -1) < event.t
            until[event.node] = event.t + event.duration_us
    starts = {(e.node, e.frame) for e in night.of(ev.TxStart)}
    ends = {(e.node, e.frame) for e in night.of(ev.TxEnd)}
    assert len(starts) == len(night.of(ev.TxStart))
    assert ends <= starts and len(starts - ends) <= 3


def test_every_outcome_belongs_to_a_transmission(night: Any) -> None:
    frames = {(e.node, e.frame): e for e in night.of(ev.TxStart)}
    for got in night.of((ev.RxOk, ev.RxLost)):
        sent = frames[got.src, got.frame]
        assert got.t == sent.t + sent.duration_us
        assert sent.next_hop in (got.node, 0xFFFF)
        assert 0 <= got.lqi <= 255
    told = [(e.node, e.frame) for e in night.of(ev.Ack)]
    assert len(told) == len(set(told))
    answers = {(e.node, e.next_hop, e.t + e.duration_us) for e in night.of(ev.TxStart, dt=2)}
    for ack in night.of(ev.Ack):
        sent = frames[ack.node, ack.frame]
        assert sent.dt == 1 and sent.next_hop == ack.peer
        assert ack.result != "ack" or (ack.peer, ack.node, ack.t) in answers


def test_the_hops_look_like_a_real_pan(shipped: Any) -> None:
    """About half of the meters at one hop, a third at two, the rest at three to five."""
    counts: dict[int, int] = {}
    for seed in NORMAL_SEEDS:
        for done in shipped("night", seed).of(ev.ReadDone):
            counts[done.hops] = counts.get(done.hops, 0) + 1
    total = sum(counts.values())
    assert 0.35 <= counts[1] / total <= 0.65
    assert 0.20 <= counts[2] / total <= 0.45
    assert 0.05 <= sum(count for hops, count in counts.items() if hops >= 3) / total <= 0.35
    assert max(counts) <= 8


@pytest.mark.parametrize("seed", SOME_SEEDS)
def test_48_of_48_over_some_seeds(network: Any, seed: int) -> None:
    run = network("night", seed)
    assert run.read == set(range(1, 49)), run.of(ev.ReadFailed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_48_of_48_over_many_seeds(network: Any, seed: int) -> None:
    run = network("night", seed)
    assert run.read == set(range(1, 49)), run.of(ev.ReadFailed)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["g3", "metering", "draft15"])
@pytest.mark.parametrize("more", ["", "[adp]\nrlc_enabled = 1\n"])
def test_every_profile_reads_the_board(network: Any, texts: Any, profile: str, more: str) -> None:
    plan = "[collection]\ntimeout = 60\npause = 60\n"
    text = f'profile = "{profile}"\n' + texts.board.replace("600", "80000") + plan + more + texts.job(1, "collect")
    run = network(text, 4)
    assert len(run.read) >= 46, run.of(ev.ReadFailed)
