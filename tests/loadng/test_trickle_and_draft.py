"""Cluster trickle, forwarding delays, second chances; the rules of draft-15; paths and reverse link costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from g3plc import sap
from g3plc.events import BlacklistSet, Dropped, Prep, Preq, RouteSet, Rrep, RrepAck, Rreq
from g3plc.loadng.profile_doc import render
from g3plc.wire import loadng_msg as msg

EVERYBODY = 0xFFFF
MS = 1_000


def flood(cost, sequence=10, destination=30, weak=0, originator=9):
    return msg.Rreq(destination, originator, sequence, 15, cost, 6, 2, weak).encode()


def trickling(make_net, **changes):
    settings = {
        "trickle_enabled": 1,
        "trickle_k": 3,
        "trickle_min_lqi": 90,
        "trickle_deviation": 4,
        "trickle_interval_us": 600 * MS,
        "delay_low_lqi_us": 200 * MS,
        "delay_high_lqi_us": 200 * MS,
    }
    net = make_net("g3", **(settings | changes))
    net.add((5,))
    return net, net.stations[5]


def after(net, node, copies, wait=0.1):
    """An RREQ comes in, then copies (neighbour, cost, LQI); tell whether it was repeated."""
    node.hear(1, flood(20), 255, EVERYBODY)  # own cost becomes 24
    net.run(wait)
    for src, cost, lqi in copies:
        node.hear(src, flood(cost), lqi, EVERYBODY)
    net.run(1)
    return bool(net.of(Rreq, action="forwarded"))


@pytest.mark.parametrize(
    ("copies", "repeated"),
    [
        ([(11, 24, 90), (12, 24, 90)], True),
        ([(11, 24, 90), (12, 24, 90), (13, 24, 90)], False),
        ([(11, 24, 90), (12, 24, 90), (13, 24, 89)], True),
        ([(11, 28, 90), (12, 21, 90), (13, 24, 255)], False),
        ([(11, 29, 90), (12, 24, 90), (13, 24, 90)], True),
        ([(11, 19, 90), (12, 24, 90), (13, 24, 90)], True),
    ],
)
def test_k_copies_of_about_the_own_cost_silence_a_station(make_net, copies, repeated):
    assert after(*trickling(make_net), copies) is repeated


def test_copies_count_for_the_interval(make_net):
    copies = [(11, 24, 90), (12, 24, 90), (13, 24, 90)]
    assert after(*trickling(make_net, trickle_interval_us=90 * MS), copies) is True


def test_neighbours_and_repeated_searches_are_spared(make_net):
    copies = [(11, 24, 90), (12, 24, 90), (13, 24, 90)]
    net, node = trickling(make_net, trickle_spares_neighbours=1)
    node.hear(30, flood(0, originator=30, destination=31), 200, EVERYBODY)
    assert after(net, node, copies) is True
    net, node = trickling(make_net, trickle_spares_neighbours=1)
    node.hear(1, flood(20, sequence=9), 255, EVERYBODY)
    net.run(5)
    before = len(net.of(Rreq, action="forwarded"))
    assert after(net, node, copies)
    assert len(net.of(Rreq, action="forwarded")) == before + 1


def test_an_own_copy_silences_what_is_little_better(make_net):
    for cost, weak, repeats in ((17, 0, 1), (15, 0, 2), (40, 0, 1)):
        net, node = trickling(make_net, trickle_counts_own=1, kh=4)
        node.hear(1, flood(20, weak=weak), 255, EVERYBODY)
        net.run(0.3)
        node.hear(2, flood(cost, weak=weak), 255, EVERYBODY)
        net.run(1)
        assert len(net.of(Rreq, action="forwarded")) == repeats


def test_an_own_copy_with_more_weak_links_silences_nothing(make_net):
    net, node = trickling(make_net, trickle_counts_own=1)
    node.hear(1, flood(20, weak=1), 255, EVERYBODY)
    net.run(0.3)
    node.hear(2, flood(20), 255, EVERYBODY)
    net.run(1)
    assert len(net.of(Rreq, action="forwarded")) == 2


def test_a_neighbour_by_a_weak_link_is_not_spared(make_net):
    copies = [(11, 24, 90), (12, 24, 90), (13, 24, 90)]
    net, node = trickling(make_net, trickle_spares_neighbours=1)
    node.hear(30, flood(0, originator=30, destination=31), 51, EVERYBODY)
    before = len(net.of(Rreq, action="forwarded"))
    node.hear(1, flood(20), 255, EVERYBODY)
    net.run(0.1)
    for src, cost, lqi in copies:
        node.hear(src, flood(cost), lqi, EVERYBODY)
    net.run(1)
    events = net.of(Rreq, action="forwarded")[before:]
    assert [event for event in events if event.destination == 30] == []


def test_a_better_copy_during_the_delay_is_sent_in_its_place(make_net):
    net, node = trickling(make_net, trickle_enabled=0)
    node.hear(1, flood(20), 255, EVERYBODY)
    net.run(0.1)
    node.hear(2, flood(10), 255, EVERYBODY)
    net.run(1)
    (event,) = net.of(Rreq, action="forwarded")
    assert (event.cost, event.t - net.events[0].t) == (14, 200 * MS)


@pytest.mark.parametrize(("lqi", "delay"), [(0, 400), (52, 400), (86, 300), (120, 200), (255, 200)])
def test_delay_by_lqi(make_net, lqi, delay):
    net = make_net("g3", delay_low_lqi_us=400 * MS, delay_high_lqi_us=200 * MS)
    net.add((5,))
    net.stations[5].hear(1, flood(20), lqi, EVERYBODY)
    net.run(1)
    received, forwarded = net.of(Rreq, action="received")[0], net.of(Rreq, action="forwarded")[0]
    assert forwarded.t - received.t == delay * MS


def test_the_random_part_stays_within_its_bound(make_net):
    net = make_net("g3", max_random_delay_us=100 * MS)
    net.add(range(40))
    for node in net.stations.values():
        node.hear(50, flood(20, originator=60), 255, EVERYBODY)
    net.run(1)
    start = net.of(Rreq, action="received")[0].t
    delays = sorted(event.t - start for event in net.of(Rreq, action="forwarded"))
    assert 0 <= delays[0] < 20 * MS < 80 * MS < delays[-1] < 100 * MS


def test_in_a_crowd_few_repeat_and_all_hear(make_net):
    net = make_net("demo")
    net.add(range(31))
    for a in range(31):
        for b in range(a):
            net.link(a, b, 160)
    net.stations[0].discover(99)
    net.run(3)
    assert {event.node for event in net.of(Rreq, action="received")} == set(range(1, 31))
    assert len(net.of(Rreq, action="forwarded")) <= 15
    net.stations[0].discover(98)
    net.run(1.5)
    assert len([e for e in net.of(Rreq, action="forwarded") if e.destination == 98]) <= 6


def test_an_rrep_gets_a_second_chance_by_another_neighbour(make_net):
    net = make_net("demo")
    net.add((5,))
    node = net.stations[5]
    node.hear(1, flood(20, destination=5), 200, EVERYBODY)
    node.hear(2, flood(25, destination=5), 200, EVERYBODY)
    node.hear(3, flood(60, destination=5), 200, EVERYBODY)
    node.mac.statuses = [sap.NO_ACK, sap.SUCCESS]
    net.run(2)
    assert [dst for _, dst, *_ in net.sent] == [1, 2]
    assert node.adp.route(9).next_hop == 2
    assert net.of(BlacklistSet)[0].neighbour == 1


def test_no_second_chance_by_one_that_may_be_behind_us(make_net):
    net = make_net("demo")
    net.add((5,))
    node = net.stations[5]
    node.hear(1, flood(20, destination=5), 200, EVERYBODY)
    node.hear(3, flood(60, destination=5), 200, EVERYBODY)
    node.mac.statuses = [sap.NO_ACK]
    net.run(2)
    assert [dst for _, dst, *_ in net.sent] == [1]


def test_rreps_have_priority_in_demo_only(make_net):
    for name, high in (("demo", True), ("g3", False), ("draft15", False)):
        net = make_net(name)
        a, *_ = net.line(3)
        a.discover(2)
        net.run(10)
        assert {item[4] for item in net.sent if item[2][:3] == b"\x40\x01\x01"} == {high}
        assert {item[4] for item in net.sent if item[2][:3] == b"\x40\x01\x00"} == {False}


def test_draft_answers_each_better_rreq_at_once(make_net):
    net = make_net("draft15")
    net.add((5,))
    node = net.stations[5]
    for src, cost in ((1, 40), (2, 30), (3, 35)):
        node.hear(src, flood(cost, destination=5), 255, EVERYBODY)
    assert [(event.peer, event.t) for event in net.of(Rrep, action="sent")] == [
        (1, net.clock.now),
        (2, net.clock.now),
    ]


def test_draft_proves_links_by_rrep_ack(make_net):
    net = make_net("draft15")
    a, b, c = net.line(3)
    a.discover(2)
    net.run(0.95)
    assert a.routes_found == [(2, sap.SUCCESS)]
    net.run(0.05)
    assert [(event.node, event.peer) for event in net.of(RrepAck, action="received")] == [(2, 1), (1, 0)]
    assert b.adp.route(0).next_hop == 0
    assert c.adp.route(0).next_hop == 1
    net.run(5)
    assert not net.of(RrepAck, action="missed")
    assert not net.of(BlacklistSet)


def test_draft_blacklists_who_owes_an_rrep_ack(make_net):
    net = make_net("draft15")
    a, b, _ = net.line(3)
    net.lose = lambda src, dst, msdu: msdu[2:3] == b"\x03"
    a.discover(2)
    net.run(10)
    assert {(event.node, event.peer) for event in net.of(RrepAck, action="missed")} == {(2, 1), (1, 0)}
    assert net.of(BlacklistSet, node=1)[0].neighbour == 0
    assert b.adp.route(0) is None, "the MAC's ACK proves nothing here"


def test_draft_acks_an_rrep_that_is_not_better(make_net):
    net = make_net("draft15")
    net.add((5,))
    node = net.stations[5]
    rrep = msg.Rrep(5, 9, 10, 15, 4, 6, ack_required=True)
    node.hear(1, rrep.encode())
    node.hear(2, rrep.encode())
    assert [event.peer for event in net.of(RrepAck, action="sent")] == [1, 2]
    node.hear(1, msg.RrepAck(9, 1, 99).encode())
    assert net.of(RrepAck, action="ignored")


def test_draft_lets_an_rreq_clear_what_was_proven(make_net):
    for name, carries in (("draft15", False), ("g3", True)):
        net = make_net(name)
        net.add((5,))
        node = net.stations[5]
        node.hear(1, msg.Rrep(5, 1, 10, 15, 0, 6).encode())
        assert node.adp.route(1) is not None
        node.hear(1, flood(20), 200, EVERYBODY)
        assert (node.adp.route(1) is not None) is carries


def test_draft_only_broadcasts_rreqs_and_never_repairs(make_net):
    net = make_net("draft15")
    a, *_ = net.line(3)
    for _ in range(2):
        a.discover(2)
        net.run(5)
    assert [event.peer for event in net.of(Rreq, action="sent")] == [EVERYBODY] * 2
    net.cut(1, 2)
    a.send(2)
    net.run(5)
    assert a.lost == [(2, "no available route")]
    assert not net.of(BlacklistSet)


def test_path_discovery_collects_both_ways(make_net):
    net = make_net("demo")
    a, *_ = net.line(4)
    net.link(1, 2, 88, 76)
    a.send(3)
    net.run(5)
    a.adp.adpm_path_discovery_request(3)
    net.run(5)
    assert a.paths == [(3, sap.SUCCESS, [(1, 14), (2, 20), (3, 14), (2, 14), (1, 26), (0, 14)])]
    assert [event.action for event in net.of(Preq)] == ["sent", *["received", "forwarded"] * 2, "received"]
    assert net.of(Prep, action="received")[-1].hops == bytes.fromhex("0001000e000200140003000e0002000e0001001a0000000e")


def test_path_discovery_without_route_or_answer(make_net):
    net = make_net("demo")
    a, *_ = net.line(3)
    a.adp.adpm_path_discovery_request(2)
    assert a.paths == []
    net.run(1)
    assert a.paths == [(2, sap.ROUTE_ERROR, [])]
    a.send(2)
    net.run(5)
    net.cut(1, 2)
    a.adp.adpm_path_discovery_request(2)
    net.run(39)
    assert len(a.paths) == 1
    net.run(2)
    assert a.paths[1:] == [(2, sap.ROUTE_ERROR, [])]


def test_path_discovery_tells_how_far_it_got(make_net):
    net = make_net("demo")
    a, b, *_ = net.line(4)
    a.send(3)
    net.run(5)
    b.loadng.forget(3, "loop")
    a.adp.adpm_path_discovery_request(3)
    net.run(5)
    ((destination, status, hops),) = a.paths
    assert (destination, status, [address for address, _ in hops]) == (3, sap.ROUTE_ERROR, [1, 0])


def test_a_preq_that_runs_in_a_circle_is_dropped(make_net):
    net = make_net("demo")
    net.add((5,))
    node = net.stations[5]
    node.hear(1, msg.Preq(9, 0, 15, (msg.Hop(5, 0, 3), msg.Hop(1, 0, 3))).encode())
    assert [event.action for event in net.of(Preq)] == ["ignored"]


def test_reverse_link_costs_are_asked_for(make_net):
    net = make_net("g3", rlc_enabled=1, rreq_wait_us=0)
    a, b = net.line(2, 255)
    net.links[1, 0] = 100
    b.hear(0, flood(20), 255, EVERYBODY)
    assert not net.of(Rreq)
    net.run(1)
    # forward 0, reverse round(10 * 155 / 255) = 6, and 4 for the hop
    assert net.of(RouteSet, node=1, destination=9)[0].cost == 20 + 6 + 4
    assert [octets[2] for _, _, octets, *_ in net.sent][:2] == [254, 255]
    assert a.adp.route(1) is None


def test_without_answer_the_reverse_cost_is_guessed(make_net):
    net = make_net("g3", rlc_enabled=1, add_rev_link_cost=3)
    net.add((5,))
    node = net.stations[5]
    node.hear(1, flood(20), 255, EVERYBODY)
    net.run(3.9)
    assert not net.of(Rreq)
    net.run(0.2)
    assert net.of(RouteSet, destination=9)[0].cost == 27


def test_only_who_was_asked_is_believed(make_net):
    net = make_net("g3")
    net.add((5,))
    node = net.stations[5]
    node.hear(1, msg.RlcRep(5, 1, 15, 0).encode())
    node.hear(1, msg.RlcReq(5, 2, 15).encode())
    assert [event.reason for event in net.of(Dropped)] == ["rlc not asked", "rlc address"]


def test_the_document_of_profiles_is_true():
    path = Path(__file__).parents[2] / "docs" / "routing-profiles.md"
    assert path.read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("pause_s", [0, 0.5, 0.9, 1.5])
def test_a_better_rrep_by_the_same_way_owes_one_rrep_ack(make_net, pause_s):
    """The first one's wait is over with the second one: it is missed once, and blacklists once."""
    net = make_net("draft15")
    net.add((5,))
    node = net.stations[5]
    net.link(5, 1)
    node.hear(1, msg.Rreq(9, 0, 1, 15, 4, 6, 1).encode(), dst=EVERYBODY)
    net.run(1)
    node.mac.statuses = [sap.SUCCESS] * 9
    for cost in (40, 20):
        node.hear(2, msg.Rrep(0, 9, 7, 15, cost, 6, ack_required=True).encode())
        net.run(pause_s)
    net.run(5)
    sent = net.of(Rrep, action="forwarded", node=5)
    assert [(event.peer, event.sequence) for event in sent] == [(1, 7)] * 2
    assert len(net.of(RrepAck, action="missed", node=5)) == (2 if pause_s > 1 else 1)
