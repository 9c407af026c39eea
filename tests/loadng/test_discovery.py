"""Route discovery, from the originator to the destination and back."""

from __future__ import annotations

import pytest

from g3plc import sap
from g3plc.core.errors import UsageError
from g3plc.events import Queue, RouteLost, RouteSet, Rrep, Rreq
from g3plc.loadng.profiles import PROFILES, profile
from g3plc.wire import loadng_msg

SECOND = 1_000_000


@pytest.mark.parametrize("name", list(PROFILES))
def test_a_line_is_crossed_and_every_table_on_the_way_learns(make_net, name):
    net = make_net(name)
    a, b, c, d = net.line(4)
    handle = a.send(3, b"over three hops")
    net.run(60)
    assert a.confirms == {handle: sap.SUCCESS}
    assert d.payloads == [b"over three hops"]
    assert [(r.destination, r.next_hop, r.hop_count) for r in a.adp.routes() if r.destination == 3] == [(3, 1, 3)]
    assert b.adp.route(3).next_hop == 2
    assert c.adp.route(0).next_hop == 1
    assert d.adp.route(0).next_hop == 2
    back = d.send(0, b"and back", discover=False)
    net.run(1)
    assert d.confirms[back] == sap.SUCCESS
    assert a.payloads == [b"and back"]


def test_the_unused_datagram_waits_and_is_released(make_net):
    net = make_net("demo")
    a, *_ = net.line(3)
    a.send(2)
    net.run(10)
    assert [event.action for event in net.of(Queue)] == ["waiting", "released"]


def test_a_direct_neighbour_is_discovered_not_assumed(make_net):
    net = make_net("demo")
    a, b = net.line(2)
    a.send(1)
    net.run(5)
    assert [event.peer for event in net.of(Rreq, action="sent")] == [0xFFFF]
    assert b.payloads == [b"hello"]


def test_without_leave_to_discover_the_confirm_is_a_route_error(make_net):
    net = make_net("demo")
    a, _ = net.line(2)
    handle = a.send(1, discover=False)
    assert a.confirms == {}, "a confirm must not come from within the request"
    net.run(1)
    assert a.confirms == {handle: sap.ROUTE_ERROR}
    assert not net.of(Rreq)


def test_one_search_serves_all_datagrams_to_a_destination(make_net):
    net = make_net("demo")
    a, *_, d = net.line(4)
    for number in range(5):
        a.send(3, bytes([number]))
    a.discover(3)
    net.run(10)
    assert len(net.of(Rreq, action="sent")) == 1
    assert d.payloads == [bytes([number]) for number in range(5)]
    assert a.routes_found == [(3, sap.SUCCESS)]


def test_a_search_fails_after_its_retries_and_discards_what_waited(make_net):
    net = make_net("demo")
    a, *_ = net.line(3)
    handle = a.send(9)
    a.discover(9)
    net.run(30)
    sent = net.of(Rreq, action="sent", node=0)
    assert len(sent) == 2
    # the answer is awaited 4 s from the MAC's confirm, 25 ms after the request
    assert sent[1].t - sent[0].t == 4 * SECOND + 25_000
    assert sent[1].sequence == sent[0].sequence + 1
    assert a.confirms == {handle: sap.ROUTE_ERROR}
    assert a.routes_found == [(9, sap.ROUTE_ERROR)]
    assert [event.action for event in net.of(Queue)] == ["waiting", "discarded"]


def test_g3_waits_twice_the_net_traversal_time_from_the_request(make_net):
    net = make_net("g3")
    a, *_ = net.line(2)
    a.discover(9)
    net.run(39.9)
    assert a.routes_found == []
    net.run(0.2)
    assert a.routes_found == [(9, sap.ROUTE_ERROR)]


def test_requests_are_spaced_and_taken_in_order(make_net):
    net = make_net("g3", rreq_wait_us=30 * SECOND)
    a, *_ = net.line(4)
    for destination in (3, 2, 9):
        a.discover(destination)
    net.run(100)
    sent = net.of(Rreq, action="sent", node=0)
    assert [event.destination for event in sent] == [3, 2, 9]
    assert [event.t - sent[0].t for event in sent] == [0, 30 * SECOND, 60 * SECOND]


def test_too_many_searches_fail_at_once(make_net):
    net = make_net("g3", discoveries=2)
    a, *_ = net.line(2)
    for destination in (20, 21, 22):
        a.discover(destination)
    net.run(1)
    assert a.routes_found == [(22, sap.ROUTE_ERROR)]


@pytest.mark.parametrize("destination", [0, 0x8001, 0xFFFF])
def test_a_search_for_oneself_or_a_group_is_refused(make_net, destination):
    net = make_net("demo")
    a, _ = net.line(2)
    a.discover(destination)
    net.run(1)
    assert a.routes_found == [(destination, sap.ROUTE_ERROR)]


def test_a_late_rrep_is_still_used(make_net):
    net = make_net("demo")
    a, _ = net.line(2)
    a.discover(7)
    net.run(20)
    assert a.routes_found == [(7, sap.ROUTE_ERROR)]
    rrep = loadng_msg.Rrep(0, 7, 40, 15, 5, 6, 1)
    a.hear(1, rrep.encode())
    assert a.adp.route(7).next_hop == 1


def test_an_rrep_during_the_retry_ends_the_search(make_net):
    net = make_net("demo")
    a, _ = net.line(2)
    handle = a.send(7)
    net.run(5)
    a.hear(1, loadng_msg.Rrep(0, 7, 40, 15, 5, 6, 1).encode())
    net.run(0.1)
    assert a.confirms == {handle: sap.SUCCESS}


def test_the_best_path_of_the_wait_wins(make_net):
    # 0-1-5 is short and dear (two links of LQI 60), 0-2-3-5 is long and cheaper only by its weak-link count
    net = make_net("g3", weak_lqi=90)
    net.add((0, 1, 2, 3, 5))
    net.link(0, 1, 60)
    net.link(1, 5, 60)
    net.link(0, 2, 200)
    net.link(2, 3, 200)
    net.link(3, 5, 200)
    net.stations[0].discover(5)
    net.run(10)
    route = net.stations[0].adp.route(5)
    assert (route.next_hop, route.hop_count, route.weak_links) == (2, 3, 0)
    sent = net.of(Rrep, action="sent")
    assert [event.peer for event in sent] == [3]
    first = net.of(Rreq, action="received", node=5)[0]
    assert sent[0].t - first.t == 4 * SECOND


def test_a_better_rreq_after_the_rrep_brings_another(make_net):
    net = make_net("g3")
    net.add((5,))
    node = net.stations[5]
    node.hear(1, loadng_msg.Rreq(5, 0, 10, 15, 40, 6, 2).encode(), dst=0xFFFF)
    net.run(5)
    node.hear(2, loadng_msg.Rreq(5, 0, 10, 15, 20, 6, 2).encode(), dst=0xFFFF)
    net.run(3.9)
    assert len(net.of(Rrep, action="sent")) == 1
    net.run(0.2)
    sent = net.of(Rrep, action="sent")
    assert [event.peer for event in sent] == [1, 2]
    assert sent[1].sequence == sent[0].sequence + 1


def test_ties_go_to_fewer_hops(make_net):
    net = make_net("g3", kq=0)
    net.add((5,))
    node = net.stations[5]
    node.hear(1, loadng_msg.Rreq(5, 0, 10, 15, 8, 4, 3).encode(), dst=0xFFFF)
    node.hear(2, loadng_msg.Rreq(5, 0, 10, 15, 8, 6, 1).encode(), dst=0xFFFF)
    node.hear(3, loadng_msg.Rreq(5, 0, 10, 15, 8, 5, 2).encode(), dst=0xFFFF)
    net.run(5)
    assert net.of(Rrep, action="sent")[0].peer == 2


def test_a_known_route_is_asked_by_unicast(make_net):
    net = make_net("demo")
    a, *_ = net.line(4)
    a.send(3)
    net.run(5)
    before = len(net.sent)
    a.discover(3)
    net.run(2)
    frames = [(src, dst) for src, dst, *_ in net.sent[before:]]
    assert frames == [(0, 1), (1, 2), (2, 3), (3, 2), (2, 1), (1, 0)]
    assert a.routes_found == [(3, sap.SUCCESS)]


def test_a_unicast_rreq_that_fails_becomes_a_flood(make_net):
    net = make_net("demo")
    net.add(range(4))
    for pair in ((0, 1), (1, 3), (0, 2), (2, 3)):
        net.link(*pair)
    a = net.stations[0]
    a.send(3)
    net.run(5)
    broken = a.adp.route(3).next_hop
    net.cut(0, broken)
    a.discover(3)
    net.run(10)
    assert a.adp.route(3).next_hop == 3 - broken
    assert a.routes_found == [(3, sap.SUCCESS)]


def test_a_unicast_rreq_that_fails_half_way_becomes_a_flood_there(make_net):
    net = make_net("demo")
    net.add(range(5))
    for pair in ((0, 1), (1, 2), (2, 4), (1, 3), (3, 4)):
        net.link(*pair)
    a = net.stations[0]
    a.send(4)
    net.run(5)
    middle = net.stations[1].adp.route(4).next_hop
    net.cut(1, middle)
    a.discover(4)
    net.run(10)
    assert a.routes_found == [(4, sap.SUCCESS)]
    assert net.stations[1].adp.route(4).next_hop == 5 - middle


def test_g3_keeps_unicast_for_routes_without_weak_links(make_net):
    net = make_net("g3", rreq_wait_us=0)
    net.add((0, 1))
    net.link(0, 1, 40)
    a = net.stations[0]
    a.discover(1)
    net.run(10)
    a.discover(1)
    net.run(10)
    assert [event.peer for event in net.of(Rreq, action="sent")] == [0xFFFF, 0xFFFF]


def test_the_hop_limit_ends_a_flood(make_net):
    net = make_net("demo", trickle_enabled=0)
    nodes = net.line(6)
    nodes[0].discover(5, 3)
    net.run(1)
    assert [event.node for event in net.of(Rreq, action="forwarded")] == [1, 2]
    assert net.of(Rreq, action="ignored", reason="hop limit")[0].node == 3


def test_a_rrep_must_not_turn_back_to_who_sent_it(make_net):
    net = make_net("demo")
    net.line(3)
    b = net.stations[1]
    b.hear(0, loadng_msg.Rreq(9, 0, 1, 15, 0, 8).encode(), dst=0xFFFF)
    b.hear(0, loadng_msg.Rrep(0, 9, 1, 15, 0, 8).encode())
    assert net.of(Rrep, action="ignored", reason="loop")


def test_an_rreq_alone_makes_no_route_for_data(make_net):
    net = make_net("demo")
    net.line(3)
    b = net.stations[1]
    b.hear(0, loadng_msg.Rreq(9, 0, 1, 15, 0, 8).encode(), dst=0xFFFF)
    assert b.adp.route(0) is None
    assert net.of(RouteSet, node=1)[0].bidirectional == 0


def test_the_macs_ack_of_an_rrep_proves_the_way_back(make_net):
    net = make_net("demo")
    a, b = net.line(2)
    a.discover(1)
    net.run(2)
    assert b.adp.route(0).next_hop == 0
    net = make_net("demo")
    a, b = net.line(2)
    b.mac.statuses = [sap.NO_ACK]
    a.discover(1)
    net.run(0.9)
    assert b.adp.route(0) is None


def test_routes_age_and_traffic_keeps_them_young(make_net):
    net = make_net("demo", route_ttl_us=60 * SECOND)
    a, *_ = net.line(3)
    a.send(2)
    net.run(30)
    a.send(2)
    net.run(50)
    assert a.adp.route(2) is not None
    net.run(20)
    assert a.adp.route(2) is None
    assert net.of(RouteLost, node=0, destination=2)[0].reason == "aged"


def test_the_table_is_bounded_and_gives_up_unverified_entries_first(make_net):
    net = make_net("demo", routing_table_size=6)
    a, *_ = net.line(2)
    a.discover(1)
    net.run(3)
    for originator in range(100, 200):
        a.hear(1, loadng_msg.Rreq(90, originator, 1, 15, 0, 8).encode(), dst=0xFFFF)
    assert a.adp.route(1) is not None
    assert len({event.destination for event in net.of(RouteLost, node=0, reason="replaced")}) == 95


def test_a_reboot_with_kept_numbers_is_believed_at_once(make_net):
    net = make_net("demo")
    a, *_, d = net.line(3)
    for _ in range(3):
        a.discover(2)
        net.run(6)
    kept = a.loadng.keep()
    assert kept["sequence"] == 3
    net.stations.pop(0)
    net.add((0,), kept={"sequence": kept["sequence"] + 1})
    reborn = net.stations[0]
    reborn.send(2)
    net.run(6)
    assert d.payloads == [b"hello"]


def test_an_unknown_profile_names_those_that_exist():
    with pytest.raises(UsageError, match="g3, metering, demo, draft15"):
        profile("quick")


def test_datagrams_beyond_the_queue_are_refused(make_net):
    net = make_net("demo")
    a, _ = net.line(2)
    handles = [a.send(9) for _ in range(20)]
    net.run(0.1)
    refused = [handle for handle in handles if a.confirms.get(handle) == sap.TRANSACTION_OVERFLOW]
    assert refused == handles[16:]
    net.run(30)
    assert sorted(a.confirms) == handles
