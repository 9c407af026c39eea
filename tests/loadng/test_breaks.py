"""Links that break: RERR to the source, or local repair, by profile."""

from __future__ import annotations

import pytest

from g3plc import sap
from g3plc.events import BlacklistSet, Dropped, RepairEnd, RepairStart, Rerr, RouteLost, Rreq
from g3plc.wire import loadng_msg as msg
from g3plc.wire.lowpan import Mesh


def diamond(make_net, profile, **changes):
    """0 - 1 - 2 - 4 with a detour 1 - 3 - 4 that costs more."""
    net = make_net(profile, **changes)
    net.add(range(5))
    net.link(0, 1)
    net.link(1, 2)
    net.link(2, 4)
    net.link(1, 3, 100)
    net.link(3, 4, 100)
    return net


def test_the_papers_scene(make_net):
    net = make_net("demo")
    a, b, _, d = net.line(4)
    a.send(3)
    net.run(5)
    assert d.payloads == [b"hello"]
    net.cut(1, 2)
    t = net.clock.now
    handle = a.send(3)
    net.run(2)
    assert a.confirms[handle] == sap.SUCCESS, "the first hop had it"
    assert [(event.node, event.peer, event.unreachable, event.code) for event in net.of(Rerr, action="sent")] == [
        (1, 0, 3, 0)
    ]
    assert [event.until_us > 0 for event in net.of(BlacklistSet, node=1, neighbour=2)] == [True]
    assert net.of(RouteLost, node=0, destination=3)[0].reason == "rerr"
    assert a.lost == [(3, "no available route")]
    again = a.send(3)
    net.run(20)
    sent = [event for event in net.of(Rreq, action="sent", node=0) if event.t > t]
    assert len(sent) == 2, "the request and its repetition"
    assert a.confirms[again] == sap.ROUTE_ERROR
    assert not net.of(RepairStart)
    net.link(1, 2)
    a.send(3)
    net.run(5)
    assert d.payloads == [b"hello"] * 2
    assert b.adp.route(3).next_hop == 2


def test_a_break_at_the_source_without_repair(make_net):
    net = make_net("demo")
    a, b, *_ = net.line(3)
    a.send(2)
    net.run(5)
    net.cut(0, 1)
    handle = a.send(2)
    net.run(1)
    assert a.confirms[handle] == sap.NO_ACK
    assert a.lost == [(2, "no ack")]
    assert {event.destination for event in net.of(RouteLost, node=0, reason="no ack")} == {1, 2}
    assert not net.of(Rerr)
    assert b.packets == []


def test_local_repair_half_way(make_net):
    net = diamond(make_net, "g3", rreq_wait_us=0)
    a, b = net.stations[0], net.stations[1]
    a.send(4)
    net.run(10)
    assert b.adp.route(4).next_hop == 2
    net.cut(1, 2)
    handle = a.send(4, b"on the detour")
    net.run(15)
    assert a.confirms[handle] == sap.SUCCESS
    assert net.stations[4].payloads[-1] == b"on the detour"
    assert [(event.node, event.destination, event.next_hop) for event in net.of(RepairStart)] == [(1, 4, 2)]
    assert [event.ok for event in net.of(RepairEnd)] == [1]
    repair = net.of(Rreq, action="sent", node=1)[0]
    assert (repair.flags & 8, repair.hop_limit) == (8, 7)
    assert a.lost == []
    assert not net.of(Rerr)


def test_a_repair_that_fails_ends_in_an_rerr(make_net):
    net = make_net("g3", rreq_wait_us=0)
    a, *_ = net.line(4)
    a.send(3)
    net.run(10)
    net.cut(1, 2)
    a.send(3)
    net.run(39)
    assert not net.of(Rerr)
    net.run(3)
    assert [event.ok for event in net.of(RepairEnd)] == [0]
    assert [(event.action, event.node) for event in net.of(Rerr)] == [("sent", 1), ("received", 0)]
    assert a.lost == [(3, "no available route")]
    assert a.adp.route(3) is None


def test_repair_at_the_source_sends_the_datagram_once_more(make_net):
    net = diamond(make_net, "g3", rreq_wait_us=0)
    b = net.stations[1]
    b.send(4)
    net.run(10)
    net.cut(1, 2)
    handle = b.send(4)
    net.run(10)
    assert b.confirms[handle] == sap.SUCCESS
    assert len(net.stations[4].packets) == 2
    assert b.lost == []


def test_the_second_failure_is_final(make_net):
    net = diamond(make_net, "g3", rreq_wait_us=0)
    b = net.stations[1]
    b.send(4)
    net.run(10)
    net.cut(1, 2)
    handle = b.send(4)
    net.run(3)
    assert handle not in b.confirms
    b.mac.statuses = [sap.NO_ACK]
    net.run(10)
    assert b.confirms[handle] == sap.NO_ACK
    assert b.lost == [(4, "no ack")]


@pytest.mark.parametrize("status", [sap.CHANNEL_ACCESS_FAILURE, sap.TRANSACTION_OVERFLOW, sap.SECURITY_ERROR])
def test_other_statuses_go_to_the_user_alone(make_net, status):
    net = make_net("g3")
    a, _ = net.line(2)
    a.send(1)
    net.run(10)
    a.mac.statuses = [status]
    handle = a.send(1)
    net.run(1)
    assert a.confirms[handle] == status
    assert a.adp.route(1) is not None
    assert not net.of(BlacklistSet)


def test_an_rerr_on_its_way_deletes_only_routes_through_its_sender(make_net):
    net = make_net("demo")
    net.add((5,))
    node = net.stations[5]
    for next_hop, destination in ((1, 20), (2, 21), (3, 9)):
        node.hear(next_hop, msg.Rrep(5, destination, 1, 15, 4, 6).encode())
    for unreachable in (20, 21):
        node.hear(1, msg.Rerr(9, 30, 0, unreachable, 6).encode())
    assert node.adp.route(20) is None
    assert node.adp.route(21) is not None
    assert node.lost == []


def test_an_rerr_for_us_is_believed_whichever_way_it_came(make_net):
    """It says that our own datagram went no further; the way back need not be the way there."""
    net = make_net("demo")
    net.add((5,))
    node = net.stations[5]
    for next_hop, destination in ((1, 20), (2, 21), (3, 22)):
        node.hear(next_hop, msg.Rrep(5, destination, 1, 15, 4, 6).encode())
    node.hear(1, msg.Rerr(5, 30, 0, 21, 6).encode())
    node.hear(1, msg.Rerr(5, 30, 1, 20, 6).encode())
    assert node.adp.route(21) is None
    assert node.adp.route(20) is None
    assert node.adp.route(22) is not None
    assert node.lost == [(21, "no available route"), (20, "hop limit exceeded")]


def test_an_rerr_travels_to_the_source_within_its_hop_limit(make_net):
    net = make_net("demo")
    net.add((5,))
    node = net.stations[5]
    node.hear(1, msg.Rrep(5, 0, 1, 15, 4, 6).encode())
    node.hear(2, msg.Rerr(0, 9, 0, 20, 4).encode())
    node.hear(2, msg.Rerr(0, 9, 0, 20, 1).encode())
    node.hear(1, msg.Rerr(0, 9, 0, 20, 4).encode())
    node.hear(2, msg.Rerr(7, 9, 0, 20, 4).encode())
    node.hear(2, msg.Rerr(0, 5, 0, 20, 4).encode())
    net.run(1)
    assert [(event.action, event.reason) for event in net.of(Rerr) if event.action != "received"] == [
        ("forwarded", ""),
        ("ignored", "hop limit"),
        ("ignored", "loop"),
        ("ignored", "no route"),
        ("ignored", "own"),
    ]
    assert [(dst, msg.decode(octets)) for _, dst, octets, *_ in net.sent] == [(1, msg.Rerr(0, 9, 0, 20, 3))]


def relay(make_net, profile="demo"):
    """Station 5 with verified routes to 0 (by 1) and to 9 (by 2)."""
    net = make_net(profile)
    net.add((5,))
    net.link(5, 1)
    net.link(5, 2)
    node = net.stations[5]
    for next_hop, destination in ((1, 0), (2, 9)):
        node.hear(next_hop, msg.Rrep(5, destination, 1, 15, 4, 6).encode())
    return net, node


def frame(hops_left, originator=0, destination=9):
    return Mesh(hops_left, originator, destination).encode() + b"\x60\x00whatever"


def outcome(net):
    net.run(1)
    sent = [(dst, octets) for _, dst, octets, *_ in net.sent]
    return sent, [event.reason for event in net.of(Dropped, layer="adp")]


def test_a_forwarded_frame_keeps_all_but_its_hops_left(make_net):
    net, node = relay(make_net)
    node.mac.statuses = [sap.SUCCESS]
    node.hear(1, frame(8))
    assert outcome(net) == ([(2, frame(7))], [])


def test_hops_left_0_is_dropped_without_a_word(make_net):
    net, node = relay(make_net)
    node.hear(1, frame(0))
    assert outcome(net) == ([], ["hops used up"])
    assert node.adp.route(9) is not None


def test_hops_left_1_is_an_rerr_and_the_route_goes(make_net):
    net, node = relay(make_net)
    node.mac.statuses = [sap.SUCCESS]
    node.hear(1, frame(1))
    assert outcome(net) == ([(1, msg.Rerr(0, 5, 1, 9, 8).encode())], ["hops used up"])
    assert node.adp.route(9) is None


def test_a_frame_from_its_own_next_hop_is_a_loop(make_net):
    net, node = relay(make_net)
    node.mac.statuses = [sap.SUCCESS]
    node.hear(2, frame(5))
    sent, reasons = outcome(net)
    assert (sent, reasons) == ([(1, msg.Rerr(0, 5, 0, 9, 8).encode())], ["loop"])
    assert net.of(RouteLost, node=5, destination=9)[0].reason == "loop"


def test_an_own_frame_that_comes_back_is_a_loop(make_net):
    net, node = relay(make_net)
    node.hear(2, frame(5, originator=5))
    assert outcome(net) == ([], ["loop"])
    assert node.lost == [(9, "loop")]


def test_no_route_is_an_rerr_or_a_repair(make_net):
    net, node = relay(make_net)
    node.mac.statuses = [sap.SUCCESS]
    node.hear(1, frame(5, destination=30))
    assert outcome(net)[0] == [(1, msg.Rerr(0, 5, 0, 30, 8).encode())]
    net, node = relay(make_net, "g3")
    node.hear(1, frame(5, destination=30))
    net.run(1)
    (request,) = net.of(Rreq, action="sent")
    assert (request.destination, request.hop_limit, request.flags) == (30, 4, 8)
    node.hear(2, msg.Rrep(5, 30, 1, 15, 4, 6, route_repair=True).encode())
    node.mac.statuses = [sap.SUCCESS]
    net.run(1)
    assert net.sent[-1][1:3] == (2, frame(4, destination=30))


def test_a_success_clears_the_blacklist(make_net):
    net = make_net("demo")
    net.add(range(3))
    net.link(0, 1)
    net.link(0, 2)
    a = net.stations[0]
    for peer in (1, 2):
        a.send(peer)
    net.run(5)
    a.mac.statuses = [sap.NO_ACK]
    a.send(1)
    net.run(0.5)
    assert net.of(BlacklistSet)[-1].until_us > 0
    a.hear(1, msg.Rrep(0, 1, 900, 15, 0, 6).encode())
    a.send(1)
    net.run(1)
    assert net.of(BlacklistSet)[-1].until_us == 0
