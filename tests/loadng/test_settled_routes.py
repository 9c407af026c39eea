"""Where an RREP goes: routes that it settles, and the way it takes when a neighbour does not answer."""

from __future__ import annotations

from g3plc import sap
from g3plc.events import Rrep, Rreq
from g3plc.wire import loadng_msg as msg

EVERYBODY = 0xFFFF


def flood(cost, sequence=10, destination=30):
    return msg.Rreq(destination, 9, sequence, 15, cost, 6, 2).encode()


def test_the_second_chance_goes_where_link_and_path_together_are_best(make_net):
    net = make_net("demo", weak_lqi=0)
    net.add((5,))
    node = net.stations[5]
    node.hear(1, flood(20, destination=5), 200, EVERYBODY)
    node.hear(2, flood(21, destination=5), 60, EVERYBODY)
    node.hear(3, flood(23, destination=5), 200, EVERYBODY)
    node.mac.statuses = [sap.NO_ACK, sap.SUCCESS]
    net.run(2)
    assert [dst for _, dst, *_ in net.sent] == [1, 3]


def test_a_route_that_an_rrep_has_taken_is_settled(make_net):
    net = make_net("demo")
    net.add((5,))
    node = net.stations[5]
    node.mac.statuses = [sap.SUCCESS] * 9
    node.hear(1, flood(40, destination=5), 200, EVERYBODY)
    net.run(1)
    node.hear(2, flood(10, destination=5), 200, EVERYBODY)
    net.run(1)
    assert [(rrep.peer, rrep.action) for rrep in net.of(Rrep)] == [(1, "sent")]
    node.hear(2, flood(10, sequence=11, destination=5), 200, EVERYBODY)
    net.run(1)
    assert [(rrep.peer, rrep.action) for rrep in net.of(Rrep)] == [(1, "sent"), (2, "sent")]


def test_a_route_whose_rrep_was_lost_may_move_again(make_net):
    net = make_net("demo")
    net.add((5,))
    node = net.stations[5]
    node.mac.statuses = [sap.NO_ACK, sap.SUCCESS]
    node.hear(1, flood(40, destination=5), 200, EVERYBODY)
    net.run(1)
    node.hear(2, flood(10, destination=5), 200, EVERYBODY)
    net.run(1)
    assert [rrep.peer for rrep in net.of(Rrep, action="sent")] == [1, 2]
    assert node.adp.route(9).next_hop == 2


def test_a_station_on_the_way_keeps_the_route_of_the_rrep(make_net):
    net = make_net("demo", trickle_enabled=0)
    net.add((5,))
    node = net.stations[5]
    node.mac.statuses = [sap.SUCCESS] * 9
    node.hear(1, flood(40), 200, EVERYBODY)
    net.run(1)
    node.hear(7, msg.Rrep(9, 30, 3, 15, 0, 8, 0, 0).encode(), 200)
    net.run(1)
    node.hear(2, flood(10), 200, EVERYBODY)
    net.run(1)
    assert node.adp.route(9).next_hop == 1
    assert len(net.of(Rreq, action="forwarded")) == 1
