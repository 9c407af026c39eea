"""The time sequence of the paper's figure 2, step by step, from the trace: A the coordinator; B, C, D meters 1, 2, 3.

Each part is told on its own: the route is built, used, broken, and built again.
"""

from __future__ import annotations

from typing import Any

import pytest

from g3plc import events as ev
from g3plc.core import flow
from g3plc.mac.config import MacConfig

A, B, C, D = range(4)
ALL = 0xFFFF
SECOND = 1_000_000
GET = bytes.fromhex("C0 01 00 00 01 01 00 01 08 00 FF 02 00")
REGISTER_ANSWER = bytes.fromhex("C4 01 00 00 06")
NORMAL_SEEDS = (1, 2, 3, 4, 7, 1_000_003)

READ_AT = 6 * SECOND
BREAK_AT = 17_500_000
BACK_AT = 30 * SECOND


@pytest.fixture(scope="module", params=NORMAL_SEEDS)
def row4(request: pytest.FixtureRequest, shipped: Any) -> Any:
    return shipped("row4", request.param)


def route_is_built(run: Any) -> None:
    """1. RREQ A to all, forwarded by B and C; RREP D to C to B to A; every table on the way."""
    part = run.between(0, READ_AT - 1)
    request = part.one(ev.Rreq, action="sent")
    assert (request.node, request.peer, request.originator, request.destination) == (A, ALL, A, D)
    assert [(tx.node, tx.next_hop) for tx in part.of(ev.TxStart, kind=flow.RREQ)] == [(A, ALL), (B, ALL), (C, ALL)]
    assert [e.node for e in part.of(ev.Rreq, action="forwarded")] == [B, C]

    story = part.story()
    story.then(ev.Rreq, node=A, action="sent", hop_count=0)
    story.then(ev.RouteSet, node=B, destination=A, next_hop=A, hop_count=1, bidirectional=0)
    story.then(ev.Rreq, node=B, action="forwarded", originator=A, destination=D, hop_count=1)
    story.then(ev.RouteSet, node=C, destination=A, next_hop=B, hop_count=2, bidirectional=0)
    story.then(ev.Rreq, node=C, action="forwarded", originator=A, destination=D, hop_count=2)
    story.then(ev.RouteSet, node=D, destination=A, next_hop=C, hop_count=3, bidirectional=0)
    story.then(ev.Rreq, node=D, action="received", peer=C, originator=A, destination=D, hop_count=2)
    story.then(ev.Rrep, node=D, action="sent", peer=C, originator=D, destination=A, hop_count=0)
    story.then(ev.RouteSet, node=C, destination=D, next_hop=D, hop_count=1, bidirectional=1)
    story.then(ev.Rrep, node=C, action="forwarded", peer=B, originator=D, destination=A, hop_count=1)
    story.then(ev.RouteSet, node=B, destination=D, next_hop=C, hop_count=2, bidirectional=1)
    story.then(ev.Rrep, node=B, action="forwarded", peer=A, originator=D, destination=A, hop_count=2)
    story.then(ev.RouteSet, node=A, destination=D, next_hop=B, hop_count=3, bidirectional=1)
    story.then(ev.Rrep, node=A, action="received", peer=B, originator=D, destination=A, hop_count=2)
    story.then(ev.Job, job=1, status="done", detail="route over 3 hops, next hop meter-1")

    # each RREP is a unicast, acknowledged hop by hop
    replies = part.of(ev.TxStart, kind=flow.RREP)
    assert list(dict.fromkeys((tx.node, tx.next_hop) for tx in replies)) == [(D, C), (C, B), (B, A)]
    for sender in (D, C, B):
        frames = {tx.frame for tx in replies if tx.node == sender}
        assert [ack.result for ack in part.of(ev.Ack, node=sender) if ack.frame in frames][-1] == "ack"
    assert tables_stand(part.tables(READ_AT))


def tables_stand(tables: dict[int, dict[int, tuple[int, int, int]]]) -> bool:
    """The routing tables of all four at the end of a discovery: (next hop, hops, carries data)."""
    assert tables[A] == {B: (B, 1, 1), D: (B, 3, 1)}
    assert tables[B] == {A: (A, 1, 1), C: (C, 1, 1), D: (C, 2, 1)}
    assert tables[C] == {A: (B, 2, 1), B: (B, 1, 1), D: (D, 1, 1)}
    assert tables[D] == {A: (C, 3, 1), C: (C, 1, 1)}
    return True


def there_and_back(run: Any, story: Any, request_kind: int, answer_kind: int) -> tuple[Any, Any]:
    """A request from A to D and its answer, each over three hops; both APDUs as they arrived."""
    sent = story.then(ev.ApduSent, node=A, peer=D, kind=request_kind)
    arrived = story.then(ev.ApduReceived, node=D, peer=A, kind=request_kind)
    answer = story.then(ev.ApduSent, node=D, peer=A, kind=answer_kind)
    back = story.then(ev.ApduReceived, node=A, peer=D, kind=answer_kind)
    assert (arrived.apdu, arrived.flow, back.apdu, back.flow) == (sent.apdu, sent.flow, answer.apdu, answer.flow)
    assert run.hops(sent.flow) == [(A, B), (B, C), (C, D)]
    assert run.hops(answer.flow) == [(D, C), (C, B), (B, A)]
    for apdu, tag in ((sent.apdu, sent.flow), (answer.apdu, answer.flow)):
        assert all(apdu in tx.psdu for tx in run.of(ev.TxStart, flow=tag) if tx.dt < 2)
    return arrived, back


def route_is_used(run: Any) -> None:
    """2. AARQ, AARE, GET, its answer, RLRQ, RLRE, each over three hops."""
    part = run.between(READ_AT, 15 * SECOND - 1)
    story = part.story()
    there_and_back(part, story, flow.AARQ, flow.AARE)
    story.then(ev.SessionOpen, node=A, peer=D)
    asked, answered = there_and_back(part, story, flow.GET_REQUEST, flow.GET_RESPONSE)
    assert asked.apdu == GET
    assert answered.apdu[:5] == REGISTER_ANSWER and len(answered.apdu) == 9
    done = story.then(ev.ReadDone, node=A, meter=D)
    assert (done.hops, done.attempts, done.value) == (3, 1, str(int.from_bytes(answered.apdu[5:], "big")))
    there_and_back(part, story, flow.RLRQ, flow.RLRE)
    story.then(ev.SessionClosed, node=A, peer=D)
    assert [e.kind for e in part.of(ev.ApduSent)] == [
        flow.AARQ, flow.AARE, flow.GET_REQUEST, flow.GET_RESPONSE, flow.RLRQ, flow.RLRE,
    ]  # fmt: skip
    assert {e.node for e in part.of(ev.SessionOpen)} == {e.node for e in part.of(ev.SessionClosed)} == {A, D}
    assert not part.of((ev.Rreq, ev.Rrep, ev.Rerr, ev.RouteLost, ev.SessionAborted))


def link_breaks(run: Any) -> None:
    """3. Link B-C down: the GET fails at B after all retries; RERR B to A; RREQ from A and its repeat, no answer."""
    retries = run.simulation.stations[B].mac_get(0x59)
    assert retries == MacConfig().mac_max_frame_retries
    story = run.between(15 * SECOND, BACK_AT).story()
    story.then(ev.SessionOpen, node=A, peer=D)
    story.then(ev.Fault, kind="link", where="1-2", word="down", state="begin")
    asked = story.then(ev.ApduSent, node=A, peer=D, kind=flow.GET_REQUEST, apdu=GET)
    lost = story.then(ev.RouteLost, node=B, destination=D, next_hop=C, reason="no ack")
    tries = [tx for tx in run.of(ev.TxStart, node=B, flow=asked.flow) if tx.dt < 2]
    assert [(tx.next_hop, tx.attempt) for tx in tries] == [(C, attempt) for attempt in range(retries + 1)]
    assert [run.one(ev.Ack, node=B, frame=tx.frame).result for tx in tries] == ["missed"] * (retries + 1)
    assert all(asked.t < tx.t < lost.t for tx in tries)
    assert not run.of(ev.ApduReceived, node=D, flow=asked.flow)

    told = story.then(ev.Rerr, node=B, action="sent", peer=A, originator=B, destination=A, unreachable=D, code=0)
    story.then(ev.Rerr, node=A, action="received", peer=B, originator=B, unreachable=D)
    story.then(ev.RouteLost, node=A, destination=D, next_hop=B, reason="rerr")
    again = story.then(ev.ApduSent, node=A, peer=D, kind=flow.GET_REQUEST, apdu=GET, session=asked.session)
    story.then(ev.Queue, node=A, action="waiting", destination=D, flow=again.flow)
    first = story.then(ev.Rreq, node=A, action="sent", peer=ALL, originator=A, destination=D)
    story.then(ev.Rreq, node=B, action="forwarded", sequence=first.sequence)
    second = story.then(ev.Rreq, node=A, action="sent", peer=ALL, originator=A, destination=D)
    story.then(ev.Rreq, node=B, action="forwarded", sequence=second.sequence)
    story.then(ev.Queue, node=A, action="discarded", destination=D, flow=again.flow)
    assert second.sequence == first.sequence + 1 and second.t - first.t >= SECOND
    silent = run.between(told.t, BACK_AT)
    assert len(silent.of(ev.Rreq, action="sent")) == 2
    assert not silent.of(ev.Rreq, node=C) and not silent.of(ev.Rreq, node=D) and not silent.of(ev.Rrep)
    assert not run.of(ev.SessionAborted)


def route_is_built_again(run: Any) -> None:
    """4. The link is back: RREQ, RREP, the GET of the same session is answered, the session released."""
    story = run.story()
    opened = [e for e in run.of(ev.SessionOpen, node=A) if e.t < BREAK_AT][-1]
    story.then(ev.Fault, kind="link", state="end")
    asked = story.then(ev.ApduSent, node=A, peer=D, kind=flow.GET_REQUEST, apdu=GET, session=opened.session)
    request = story.then(ev.Rreq, node=A, action="sent", peer=ALL, originator=A, destination=D)
    for forwarder in (B, C):
        story.then(ev.Rreq, node=forwarder, action="forwarded", sequence=request.sequence)
    story.then(ev.Rrep, node=D, action="sent", peer=C, destination=A)
    story.then(ev.Rrep, node=C, action="forwarded", peer=B, destination=A)
    story.then(ev.RouteSet, node=B, destination=D, next_hop=C, hop_count=2, bidirectional=1)
    story.then(ev.Rrep, node=B, action="forwarded", peer=A, destination=A)
    story.then(ev.RouteSet, node=A, destination=D, next_hop=B, hop_count=3, bidirectional=1)
    story.then(ev.Queue, node=A, action="released", destination=D, flow=asked.flow)
    story.then(ev.ApduReceived, node=D, flow=asked.flow, apdu=GET)
    answer = story.then(ev.ApduReceived, node=A, peer=D, kind=flow.GET_RESPONSE)
    assert answer.apdu[:5] == REGISTER_ANSWER
    done = story.then(ev.ReadDone, node=A, meter=D, session=opened.session)
    assert done.hops == 3 and done.attempts == 3
    there_and_back(run, story, flow.RLRQ, flow.RLRE)
    story.then(ev.SessionClosed, node=A, peer=D, session=opened.session)
    story.then(ev.Job, job=3, status="done")
    tables_stand(run.tables(run.events[-1].t))


PARTS = (route_is_built, route_is_used, link_breaks, route_is_built_again)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_figure_2(row4: Any, part: Any) -> None:
    part(row4)


def test_costs_add_up_along_the_row(row4: Any) -> None:
    discovered = row4.between(0, READ_AT)
    costs = {(e.node, e.destination): e.cost for e in discovered.of(ev.RouteSet)}
    assert all(cost > 0 for cost in costs.values())
    for (node, near), cost in costs.items():
        for (other, far), more in costs.items():
            if node == other and abs(far - node) > abs(near - node):
                assert more > cost, (node, near, far)


def test_each_hears_only_its_neighbours(row4: Any) -> None:
    got = {(e.src, e.node) for e in row4.of(ev.RxOk)}
    assert got == {(a, b) for a in range(4) for b in range(4) if abs(a - b) == 1}


def test_the_register_counts_on(row4: Any) -> None:
    first, second = row4.of(ev.ReadDone)
    assert int(first.value) <= int(second.value) <= int(first.value) + 100
    assert (first.unit, first.obis) == ("Wh", bytes((1, 0, 1, 8, 0, 255)))


@pytest.mark.slow
def test_figure_2_over_many_seeds(network: Any) -> None:
    for seed in range(100, 500):
        run = network("row4", seed)
        for part in PARTS:
            try:
                part(run)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, {part.__name__}: {error}") from error
