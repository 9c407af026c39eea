"""IPv6 packets through the adaptation layer: mesh headers, fragments, multicast, refusals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g3plc import sap
from g3plc.events import Dropped
from g3plc.sap import BROADCAST, NO_ACK
from g3plc.wire import iphc, ipv6, loadng_msg, lowpan, udp
from g3plc.wire.frag import Frag1, FragN

PAN = 0x781D
PAYLOADS = st.binary(max_size=1232)


def data_frames(net):
    return [item for item in net.sent if item[2][:2] != b"\x40\x01"]


def reasons(net, layer="adp"):
    return [event.reason for event in net.of(Dropped, layer=layer)]


def packet(source, destination, payload=b"x"):
    src, dst = ipv6.link_local(PAN, source), ipv6.link_local(PAN, destination)
    return ipv6.pack(src, dst, 17, udp.pack(src, dst, 4059, 4059, payload))


def joined(make_net, length, profile="demo"):
    net = make_net(profile)
    nodes = net.line(length)
    nodes[0].send(length - 1)
    net.run(10)
    net.sent.clear()
    nodes[-1].packets.clear()
    return net, nodes


def test_no_mesh_header_to_a_neighbour_one_beyond(make_net):
    net, (a, _) = joined(make_net, 2)
    a.send(1, b"abc")
    net.run(1)
    ((_, _, msdu, _, _),) = data_frames(net)
    assert msdu[0] >> 5 == 3
    assert len(msdu) == 9 + 3
    net, (a, *_) = joined(make_net, 3)
    a.send(2, b"abc")
    net.run(1)
    first, second = (item[2] for item in data_frames(net))
    assert first[:5] == bytes.fromhex("b800000002")
    assert second == b"\xb7" + first[1:]


def test_the_flow_tag_goes_along(make_net):
    net, (a, _, c) = joined(make_net, 3)
    handle = a.send(2, bytes(900))
    net.run(2)
    assert {flow for *_, flow, _ in data_frames(net)} == {handle << 8}
    assert c.packets[-1][1] == handle << 8


@pytest.mark.parametrize(("length", "meshed", "plain"), [(386, 1, 1), (387, 2, 1), (391, 2, 1), (392, 2, 2)])
def test_fragments_only_where_an_msdu_would_be_too_long(make_net, length, meshed, plain):
    for stations, frames in ((3, meshed), (2, plain)):
        net, nodes = joined(make_net, stations)
        nodes[0].send(stations - 1, bytes(length))
        net.run(3)
        assert len([item for item in data_frames(net) if item[0] == 0]) == frames
        assert nodes[-1].payloads == [bytes(length)]


def test_each_fragment_has_a_mesh_header(make_net):
    net, nodes = joined(make_net, 3)
    nodes[0].send(2, bytes(range(256)) * 4)
    net.run(3)
    frames = [item[2] for item in data_frames(net) if item[0] == 0]
    assert len(frames) == 3
    assert all(msdu[:5] == bytes.fromhex("b800000002") for msdu in frames)
    assert all(len(msdu) <= 400 for msdu in frames)
    assert nodes[2].payloads == [bytes(range(256)) * 4]


@given(payloads=st.lists(PAYLOADS, min_size=1, max_size=4), seed=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_fragments_in_any_order_and_twice(payloads, seed):
    from routing_net import Net

    net = Net("demo")
    nodes = net.line(2)
    nodes[0].send(1, b"")
    net.run(5)
    net.sent.clear()
    nodes[1].packets.clear()
    for payload in payloads:
        nodes[0].send(1, payload)
    net.run(5)
    assert nodes[1].payloads == payloads
    nodes[1].packets.clear()
    frames = [item[2] for item in net.sent] * 2
    seed.shuffle(frames)
    for msdu in frames:
        nodes[1].hear(0, msdu)
    # a datagram in one frame comes twice: the MAC's duplicate filter is below
    assert set(payloads) <= set(nodes[1].payloads)


def test_a_lost_fragment_costs_the_datagram_and_memory_comes_back(make_net):
    net, (a, b) = joined(make_net, 2)
    for _ in range(5):
        a.send(1, bytes(1200))
    net.run(3)
    frames = [item[2] for item in data_frames(net)]
    b.packets.clear()
    for at in range(0, len(frames), 4):
        for msdu in frames[at : at + 3]:
            b.hear(0, msdu)
    assert b.packets == []
    assert reasons(net) == ["too many reassemblies"] * 3
    net.run(59)
    assert "reassembly timeout" not in reasons(net)
    net.run(2)
    assert reasons(net)[3:] == ["reassembly timeout"] * 4
    for msdu in frames[:4]:
        b.hear(0, msdu)
    assert b.payloads == [bytes(1200)]


def first_fragment(size, octets):
    whole = packet(0, 1, bytes(size - 48))
    head, _ = iphc.compress_header(whole, PAN, 0, 1)
    return Frag1(size, 7).encode() + head + bytes(octets - 48)


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([first_fragment(400, 96), FragN(400, 7, 88).encode() + bytes(16)], "fragment overlap"),
        ([first_fragment(400, 96), FragN(400, 7, 96).encode() + bytes(12)], "fragment length"),
        ([FragN(1288, 7, 96).encode() + bytes(8)], "datagram too long"),
        ([FragN(400, 7, 392).encode() + bytes(16)], "fragment offset"),
        ([Frag1(400, 7).encode()], "fragment header"),
        ([first_fragment(400, 96)[:6]], "iphc header"),
        ([first_fragment(400, 440)], "iphc length"),
        ([Frag1(400, 7).encode() + b"\x40\x01\x00"], "iphc dispatch"),
    ],
)
def test_bad_fragments(make_net, frames, reason):
    net = make_net("demo")
    net.add((1,))
    for msdu in frames:
        net.stations[1].hear(0, msdu)
    assert reasons(net) == [reason]
    assert net.stations[1].packets == []


def test_after_an_overlap_the_datagram_can_come_again(make_net):
    net, (a, b) = joined(make_net, 2)
    a.send(1, bytes(500))
    net.run(1)
    frames = [item[2] for item in data_frames(net)]
    b.packets.clear()
    b.hear(0, frames[0])
    size, tag = 548, int.from_bytes(frames[0][2:4], "big")
    b.hear(0, FragN(size, tag, 8).encode() + bytes(64))
    assert reasons(net) == ["fragment overlap"]
    for msdu in frames:
        b.hear(0, msdu)
    assert b.payloads == [bytes(500)]


def test_a_fragment_that_is_not_acknowledged_ends_the_datagram(make_net):
    net, (a, b) = joined(make_net, 2)
    a.mac.statuses = []
    drop = iter([False, True])
    net.lose = lambda src, dst, msdu: msdu[0] >> 5 in (6, 7) and next(drop, False)
    handle = a.send(1, bytes(1000))
    net.run(1)
    assert a.confirms[handle] == NO_ACK
    assert len([item for item in data_frames(net) if item[0] == 0]) == 2
    assert b.packets == []


@pytest.mark.parametrize("group", ["ff02::1", "ff02::1:2"])
def test_multicast_reaches_every_member_once(make_net, group):
    from ipaddress import IPv6Address

    net = make_net("demo")
    nodes = net.line(5)
    for node in nodes[:4]:
        node.adp.adpm_set(0x0E, 0x8002)
    address = IPv6Address(group).packed
    handle = nodes[1].send_to(address, b"all of you")
    net.run(10)
    assert nodes[1].confirms[handle] == sap.SUCCESS
    members = (0, 2, 3, 4) if group == "ff02::1" else (0, 2, 3)
    assert [node.short for node in nodes if node.payloads == [b"all of you"]] == list(members)
    assert {dst for _, dst, *_ in net.sent} == {BROADCAST}
    assert [item[0] for item in net.sent].count(1) == 1
    assert nodes[0].adp.adpm_get(0x0B)[:2] == (1, 1)


def test_fragments_of_a_multicast_have_numbers_of_their_own(make_net):
    net = make_net("demo")
    nodes = net.line(3)
    nodes[0].send_to(ipv6.ALL_NODES, bytes(1000))
    net.run(10)
    assert [node.payloads for node in nodes[1:]] == [[bytes(1000)]] * 2
    own = [item[2] for item in net.sent if item[0] == 0]
    assert [msdu[:7].hex() for msdu in own] == [f"b80000800150{number:02x}" for number in (1, 2, 3)]
    assert nodes[0].adp.keep() == {"broadcast_sequence": 3, "datagram_tag": 1}


def test_the_broadcast_log_forgets_after_two_minutes(make_net):
    net = make_net("demo")
    net.add((1,))
    node = net.stations[1]
    source = ipv6.link_local(PAN, 7)
    body = iphc.compress(
        ipv6.pack(source, ipv6.ALL_NODES, 17, udp.pack(source, ipv6.ALL_NODES, 4059, 4059, b"!")), PAN, 7, 0x8001
    )
    msdu = lowpan.Mesh(1, 7, 0x8001).encode() + lowpan.Bc0(9).encode() + body
    for wait in (1, 118, 2):
        node.hear(3, msdu, dst=BROADCAST)
        net.run(wait)
    assert len(node.packets) == 1
    assert reasons(net) == ["broadcast seen before"] * 2
    node.hear(3, msdu, dst=BROADCAST)
    assert len(node.packets) == 2
    assert net.sent == [], "one hop left is not repeated"


@pytest.mark.parametrize(
    ("msdu", "dst", "reason"),
    [
        ("", 1, "no payload"),
        ("6000", BROADCAST, "no mesh header"),
        ("b80007800160", BROADCAST, "multicast without broadcast header"),
        ("b800078001500160", 1, "multicast sent to one"),
        ("b800078003500160", BROADCAST, "not in group"),
        ("b8000100" + "01" + "6000", 1, "iphc header"),
        ("b880070001" + "6000", 1, "mesh originator"),
        ("b800070009" + "6000", BROADCAST, "unicast sent to all"),
        ("b8000700", 1, "mesh header"),
        ("8000070001", 1, "mesh address mode"),
        ("4002", 1, "command not for here"),
        ("b8000700014001", 1, "command not for here"),
        ("41" + "60", 1, "ipv6 header"),
        ("00", 1, "dispatch"),
        ("b800018001500160", BROADCAST, "broadcast seen before"),
    ],
)
def test_refusals(make_net, msdu, dst, reason):
    net = make_net("demo")
    net.add((1,))
    net.stations[1].hear(3, bytes.fromhex(msdu), dst=dst)
    assert reasons(net) == [reason]
    assert net.stations[1].packets == []


def test_frames_from_no_station_are_refused(make_net):
    net = make_net("demo")
    net.add((1,))
    net.stations[1].hear(0xFFFF, loadng_msg.Rreq(1, 3, 1, 15, 0, 8).encode(), dst=BROADCAST)
    assert reasons(net) == ["source address"]


@given(msdu=st.binary(max_size=60), head=st.sampled_from(["", "b800070001", "b800078001" + "5001", "c0407007", "6000"]))
@settings(max_examples=300, deadline=None)
def test_any_octets_are_survived(msdu, head):
    from routing_net import Net

    net = Net("demo")
    net.add((1,))
    for dst in (1, BROADCAST):
        net.stations[1].hear(3, bytes.fromhex(head) + msdu, dst=dst)
    net.run(100)


@pytest.mark.parametrize(
    ("nsdu", "status"),
    [
        (b"", sap.INVALID_IPV6_FRAME),
        (packet(0, 1)[:-1], sap.INVALID_IPV6_FRAME),
        (b"\x40" + packet(0, 1)[1:], sap.INVALID_IPV6_FRAME),
        (packet(0, 1, bytes(1233)), sap.INVALID_IPV6_FRAME),
        (packet(0, 0), sap.INVALID_REQUEST),
    ],
)
def test_requests_that_cannot_be(make_net, nsdu, status):
    net, (a, _) = joined(make_net, 2)
    a.confirms.clear()
    a.adp.adpd_data_request(nsdu, 99, True, False, 0)
    assert a.confirms == {}
    net.run(0.1)
    assert a.confirms == {99: status}


def test_other_prefixes_go_to_the_coordinator_and_known_ones_home(make_net):
    net, (_, b, c) = joined(make_net, 3)
    prefix = bytes.fromhex("fd00000000000001")
    c.send_to(prefix + bytes(8), b"abroad")
    c.send_to(prefix + ipv6.interface_id(PAN, 1), b"still abroad")
    net.run(5)
    c.adp.adpm_set(0x01, prefix)
    c.send_to(prefix + ipv6.interface_id(PAN, 1), b"home")
    net.run(5)
    assert net.stations[0].payloads == [b"abroad", b"still abroad"]
    assert b.payloads == [b"home"]


def test_contexts_shorten_foreign_prefixes(make_net):
    net, (_, b, c) = joined(make_net, 3)
    prefix = bytes.fromhex("fd00000000000001")
    for node in (b, c):
        node.adp.adpm_set(0x07, (prefix + bytes(8), 64), 1)
        node.adp.adpm_set(0x01, prefix)
    c.send(1)
    net.run(5)
    net.sent.clear()
    b.packets.clear()
    c.send_to(prefix + ipv6.interface_id(PAN, 1), b"home")
    net.run(1)
    assert b.payloads == [b"home"]
    ((_, _, msdu, _, _),) = net.sent
    assert len(msdu) == 2 + 1 + 7 + 4


def test_confirms_that_nobody_asked_for_are_ignored(make_net):
    _, (a, _) = joined(make_net, 2)
    a.adp.mcps_data_confirm(4711, sap.SUCCESS)
    assert 4711 not in a.confirms
