"""What a station does with an RREQ or RREP: refuse, learn, pass on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation.clocks import SimClock
from g3plc.core.env import Env
from g3plc.events import BlacklistSet, Dropped, RouteSet, Rrep, Rreq
from g3plc.loadng.config import LoadngConfig
from g3plc.loadng.link_cost import LinkCosts, round_half_down
from g3plc.loadng.routing_table import RoutingTable, is_newer
from g3plc.sap import NO_ACK, RxInfo
from g3plc.wire import loadng_msg as msg

EVERYBODY = 0xFFFF


class Flat:
    """The same SNR on all carriers."""

    groups_cb = (0,) * 6


def rreq(originator=9, sequence=10, cost=20, weak=0, hop_limit=6, hop_count=2, destination=30, metric=15):
    return msg.Rreq(destination, originator, sequence, metric, cost, hop_limit, hop_count, weak).encode()


@pytest.fixture
def node(make_net):
    net = make_net("g3")
    net.add((5,))
    return net.stations[5]


def table_row(node, destination):
    return [row for row in node.loadng.rows("routing_table") if row[0] == destination]


def reasons(node):
    return [event.reason for event in node.net.of(Rreq, action="ignored")]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (rreq(cost=20), "not better"),
        (rreq(cost=5, weak=1), "not better"),
        (rreq(sequence=9, cost=0), "stale"),
        (rreq(sequence=10 + 0x8000 + 1, cost=0), "stale"),
        (rreq(originator=5), "own"),
        (rreq(originator=0x8001), "address"),
        (rreq(destination=0xFFFF), "address"),
        (rreq(metric=0, cost=1), "not better"),
    ],
)
def test_what_betters_nothing_is_not_passed_on(node, second, reason):
    node.hear(1, rreq(), dst=EVERYBODY)
    node.net.run(1)
    node.hear(2, second, dst=EVERYBODY)
    node.net.run(1)
    assert reasons(node) == [reason]
    assert len(node.net.of(Rreq, action="forwarded")) == 1


@pytest.mark.parametrize(
    "second",
    [rreq(cost=19), rreq(cost=20, hop_count=1), rreq(sequence=11, cost=60000, weak=9), rreq(sequence=10 + 0x7FFF)],
)
def test_what_is_better_or_newer_is_passed_on_again(node, second):
    node.hear(1, rreq(), dst=EVERYBODY)
    node.hear(2, second, dst=EVERYBODY)
    node.net.run(1)
    assert len(node.net.of(Rreq, action="forwarded")) == 2
    assert node.net.of(RouteSet, destination=9)[-1].next_hop == 2


def test_sequence_numbers_wrap(node):
    for sequence in (0xFFFE, 0xFFFF, 0, 1):
        node.hear(1, rreq(sequence=sequence), dst=EVERYBODY)
    node.net.run(1)
    assert len(node.net.of(Rreq, action="forwarded")) == 4


@pytest.mark.parametrize("sequence", [0, 1, 32767, 32768, 65534, 65535])
def test_an_entry_learnt_as_previous_hop_is_older_than_any_number(node, sequence):
    node.hear(7, rreq(originator=9), dst=EVERYBODY)
    node.hear(7, rreq(originator=7, sequence=sequence, cost=0, hop_count=0), dst=EVERYBODY)
    node.net.run(1)
    assert [event.originator for event in node.net.of(Rreq, action="forwarded")] == [9, 7]


def test_fields_of_a_forwarded_rreq(node):
    node.hear(1, rreq(cost=20, weak=1, hop_limit=6, hop_count=2), lqi=40, dst=EVERYBODY)
    node.net.run(1)
    (src, dst, octets, _, high) = node.net.sent[0]
    forwarded = msg.decode(octets)
    # LQI 40: round(10 * 215 / 255) + 4 = 12, and weak
    assert (src, dst, high) == (5, EVERYBODY, False)
    assert forwarded == msg.Rreq(30, 9, 10, 15, 32, 5, 3, 2)


def test_a_foreign_metric_becomes_hop_count_at_its_worst(node):
    node.hear(1, rreq(metric=14), dst=EVERYBODY)
    node.net.run(1)
    forwarded = msg.decode(node.net.sent[0][2])
    assert (forwarded.metric_type, forwarded.route_cost) == (0, 0xFFFF)
    node.hear(2, rreq(cost=500), dst=EVERYBODY)
    node.net.run(1)
    assert msg.decode(node.net.sent[1][2]).metric_type == 15, "a real metric beats hop count"


def test_hop_count_15_is_the_end(node):
    node.hear(1, rreq(hop_count=14, hop_limit=9), dst=EVERYBODY)
    node.net.run(1)
    assert reasons(node) == ["hop limit"]


def test_every_loadng_message_teaches_its_previous_hop(node):
    node.hear(1, rreq(), dst=EVERYBODY)
    node.hear(2, rreq(), dst=EVERYBODY)  # not better
    node.hear(3, rreq(originator=5), dst=EVERYBODY)  # own
    node.hear(4, msg.Rerr(5, 20, 0, 21, 6).encode())
    node.hear(6, msg.Rrep(5, 22, 1, 15, 0, 6).encode())
    known = {event.destination: event.bidirectional for event in node.net.of(RouteSet)}
    assert [known[short] for short in (1, 2, 3, 4, 6)] == [0, 0, 0, 1, 1]


def test_blacklisted_neighbours_are_not_heard_until_time_or_success(make_net):
    net = make_net("demo")
    net.add(range(4))
    for pair in ((0, 1), (1, 2), (2, 3), (0, 2)):
        net.link(*pair)
    b = net.stations[1]
    b.send(2)
    net.run(3)
    b.mac.statuses = [NO_ACK]
    b.send(2)
    net.run(1)
    (put,) = net.of(BlacklistSet, node=1)
    assert (put.neighbour, put.until_us) == (2, put.t + 30_000_000)
    b.hear(2, rreq(), dst=EVERYBODY)
    assert [event.reason for event in net.of(Rreq, node=1, action="ignored")][-1] == "blacklisted"
    assert b.adp.adpm_get(0x1E) == (2, 1)
    net.run(30)
    b.hear(2, rreq(), dst=EVERYBODY)
    assert net.of(BlacklistSet, node=1)[-1].until_us == 0
    assert net.of(Rreq, node=1, originator=9, action="received")


def test_a_blacklist_of_all_neighbours_is_emptied(make_net):
    net = make_net("demo")
    a, _ = net.line(2)
    a.send(1)
    net.run(3)
    a.mac.statuses = [NO_ACK]
    a.send(1)
    net.run(1)
    assert [event.until_us == 0 for event in net.of(BlacklistSet, node=0)] == [False, True]


def test_an_rrep_is_taken_from_a_blacklisted_neighbour(make_net):
    net = make_net("demo")
    net.add(range(3))
    net.link(0, 1)
    net.link(0, 2)
    a = net.stations[0]
    for peer in (1, 2):
        a.send(peer)
    net.run(5)
    a.mac.statuses = [NO_ACK]
    a.send(1)
    net.run(1)
    assert a.adp.adpm_get(0x1E)[0] == 1
    a.hear(1, msg.Rrep(0, 8, 3, 15, 4, 6).encode())
    assert a.adp.route(8).next_hop == 1


def test_stale_and_own_rreps_are_dropped(node):
    node.hear(1, msg.Rrep(5, 9, 10, 15, 4, 6).encode())
    node.hear(2, msg.Rrep(5, 9, 9, 15, 0, 6).encode())
    node.hear(2, msg.Rrep(5, 9, 10, 15, 4, 6).encode())
    node.hear(2, msg.Rrep(7, 5, 11, 15, 0, 6).encode())
    assert [event.reason for event in node.net.of(Rrep, action="ignored")] == ["stale", "not better", "own"]
    assert node.adp.route(9).next_hop == 1


@pytest.mark.parametrize(
    ("own", "heard", "then"),
    [
        (100, 20_000, 20_001), (100, 101, 102), (100, 100, 101), (100, 99, 101), (100, 100 + 0x8000, 101),
        (100, 100 + 0x7FFF, 100 + 0x8000), (0xFFFF, 5, 6), (0xFFF0, 0xFFFF, 0), (5, 0xFFFF, 6),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["rreq", "rrep"])
def test_who_is_overtaken_in_its_own_name_goes_past_it(make_net, own, heard, then, kind):
    """Forged, or sent before a reboot that forgot the number: else nobody would listen to this station any more."""
    net = make_net("demo")
    net.add((5,), {"sequence": own})
    node = net.stations[5]
    forged = rreq(originator=5, sequence=heard) if kind == "rreq" else msg.Rrep(7, 5, heard, 15, 0, 6).encode()
    node.hear(1, forged, dst=EVERYBODY if kind == "rreq" else 5)
    assert node.loadng.keep() == {"sequence": own if then == (own + 1) & 0xFFFF else heard}
    node.discover(9)
    net.run(1)
    assert [event.sequence for event in net.of(Rreq, action="sent")] == [then]
    assert not net.of(Rreq, action="forwarded") and not net.of(Rrep, action="forwarded")


@pytest.mark.parametrize("kind", ["rreq", "rrep"])
def test_a_number_is_forgotten_once_no_older_message_can_be_alive(node, kind):
    """Though the station is heard all the time, and its entry does not age: it has a word of its own again."""

    def from_there(sequence):
        if kind == "rreq":
            node.hear(9, rreq(originator=9, sequence=sequence, cost=0, hop_count=0), dst=EVERYBODY)
        else:
            node.hear(9, msg.Rrep(5, 9, sequence, 15, 0, 6).encode())

    def refused():
        events = node.net.of(Rreq if kind == "rreq" else Rrep, action="ignored")
        return [event.reason for event in events if event.originator == 9]

    from_there(20_000)
    for tick in range(17):
        node.net.run(10)
        from_there(100 + tick)
        node.hear(9, rreq(originator=8, sequence=tick), dst=EVERYBODY)
    assert refused() == ["stale"] * 17
    node.net.run(10)
    from_there(200)
    assert refused() == ["stale"] * 17
    from_there(199)
    assert refused() == ["stale"] * 18


def test_forged_originators_do_not_break_a_route_in_use(node):
    node.hear(1, msg.Rrep(5, 9, 10, 15, 4, 6).encode())
    for neighbour in range(20, 40):
        node.hear(neighbour, rreq(originator=9, sequence=9, cost=0), dst=EVERYBODY)
        node.hear(neighbour, rreq(originator=0xFFFF), dst=EVERYBODY)
    node.net.run(1)
    assert node.adp.route(9).next_hop == 1


@given(st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_octets_are_survived(octets):
    from routing_net import Net

    net = Net("demo")
    net.add((5,))
    node = net.stations[5]
    node.hear(1, b"\x40\x01" + octets)
    node.hear(2, b"\x40\x01" + octets, dst=EVERYBODY)
    net.run(10)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 7),
            st.integers(0, 255),
            st.sampled_from([msg.Rreq, msg.Rrep]),
            st.integers(0, 9),
            st.integers(0, 9),
            st.integers(0, 0xFFFF),
            st.sampled_from([0, 15]),
            st.integers(0, 0xFFFF),
            st.integers(0, 15),
            st.integers(0, 15),
            st.integers(0, 15),
        ),
        max_size=12,
    ),
    st.sampled_from(["g3", "demo", "draft15", "metering"]),
)
@settings(max_examples=150, deadline=None)
def test_any_messages_leave_sane_tables(frames, name):
    from routing_net import Net

    net = Net(name)
    net.add((5,))
    node = net.stations[5]
    for src, lqi, kind, destination, originator, sequence, metric, cost, limit, count, weak in frames:
        node.hear(src, kind(destination, originator, sequence, metric, cost, limit, count, weak).encode(), lqi)
        net.run(1)
    for route in node.adp.routes():
        assert 0 <= route.cost <= 0xFFFF
        assert 0 <= route.weak_links <= 15
        assert route.destination != 5
    assert not net.of(Dropped, layer="loadng")


@pytest.mark.parametrize(("octets", "reason"), [(b"\x40\x01", "loadng header"), (b"\x40\x01\x09", "loadng type")])
def test_what_does_not_decode_is_dropped_with_its_reason(node, octets, reason):
    node.hear(1, octets)
    (event,) = node.net.of(Dropped)
    assert (event.layer, event.reason, event.src, event.octets) == ("loadng", reason, 1, len(octets))


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_of_two_numbers_at_most_one_is_newer(first, second):
    assert is_newer(first, first) is False
    assert not (is_newer(first, second) and is_newer(second, first))
    assert is_newer((first + 1) & 0xFFFF, first)
    assert is_newer(first, -1)


def costs(**changes):
    env = Env(1, SimClock(), lambda purpose: None)
    config = LoadngConfig(**changes)
    return LinkCosts(config, RoutingTable(env, config), lambda short: None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {52: 12, 60: 12, 88: 11, 100: 10, 120: 9, 160: 8, 200: 6, 255: 4, 0: 14}),
        ({"kq": 30, "low_lqi": 52, "high_lqi": 100}, {52: 34, 60: 29, 88: 11, 100: 4, 120: 4, 255: 4, 0: 34}),
    ],
)
def test_link_costs_of_the_standard(changes, expected):
    links = costs(**changes)
    rx = [RxInfo(1, 0, 0, 0x3F, lqi, Flat(), 0) for lqi in expected]
    assert [links.cost(1, info) for info in rx] == list(expected.values())


def test_all_weights_of_a_link_cost():
    links = costs(kr=3, km=2, kc=6, kq=0)
    assert links.directional(0, 0x3F, 100) == 3 + 6
    assert links.directional(3, 0x3F, 100) == 2
    assert links.directional(3, 0x07, 100) == 2 + 3
    assert links.directional(3, 0x01, 100) == 2 + 5


def test_half_goes_down():
    assert [round_half_down(numerator, 2) for numerator in range(6)] == [0, 0, 1, 1, 2, 2]
    assert round_half_down(7, 4) == 2


def test_the_worse_direction_counts_and_a_guess_where_it_is_unknown(make_net):
    from routing_net import Known

    net = make_net("g3", add_rev_link_cost=5)
    net.add((5,))
    node = net.stations[5]
    node.hear(1, rreq(originator=1, cost=0, hop_count=0), lqi=255, dst=EVERYBODY)
    node.mac.known[2] = Known(2, 0)
    node.hear(2, rreq(originator=2, cost=0, hop_count=0), lqi=255, dst=EVERYBODY)
    node.mac.known[3] = Known(3, 255)
    node.hear(3, rreq(originator=3, cost=0, hop_count=0), lqi=255, dst=EVERYBODY)
    assert [event.cost for event in net.of(RouteSet)] == [9, 14, 4]
