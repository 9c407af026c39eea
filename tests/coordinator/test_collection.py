"""The night: every meter once, in order, in rounds, through loss, delay and duplication."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from g3plc import events

SECOND = 1_000_000
AARQ, AARE, GET = 0x60, 0x61, 0xC0
Networks = Callable[..., Any]


def order_of(net: Any) -> list[int]:
    """The meters in the order of their first AARQ."""
    return list(dict.fromkeys(event.peer for event in net.of(events.ApduSent) if event.kind == AARQ))


def progress(net: Any) -> list[tuple[str, int, int, int]]:
    return [tuple(event)[2:] for event in net.of(events.Collection)]


def test_every_meter_is_read_once(network: Networks) -> None:
    net = network(6)
    net.submit("collect")
    net.finish()
    assert {event.meter: event.value for event in net.of(events.ReadDone)} == {n: str(1000 * n) for n in range(1, 7)}
    assert len(net.of(events.ReadDone)) == 6
    assert progress(net) == [("started", 6, 0, 0), *(("progress", 6, n, 0) for n in range(1, 7)), ("finished", 6, 6, 0)]
    assert [tuple(event)[2:] for event in net.of(events.Job)] == [
        (1, "collect", 0, "accepted", ""),
        (1, "collect", 0, "done", "6 of 6 meters read"),
    ]
    gets = [event for event in net.of(events.ApduSent) if event.kind == GET]
    assert {event.apdu[3:].hex() for event in gets} == {"00030100010800ff0200"}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("near", [5, 1, 3, 6, 2, 4]),
        ("far", [4, 2, 6, 3, 1, 5]),
        ("number", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_order(network: Networks, order: str, expected: list[int]) -> None:
    net = network(6, order=order)
    net.hops.update({5: 1, 1: 2, 3: 3})
    net.reachable.update(net.hops)
    net.ports[0].heard = {2: 60, 6: 90}
    net.submit("collect")
    net.finish()
    assert order_of(net) == expected


def test_the_order_follows_what_is_learnt(network: Networks) -> None:
    net = network(5)
    net.hops[1] = 2
    net.submit("collect")
    net.run(0.1)
    # routes that become known while the first meter is read
    net.hops.update({5: 1, 4: 4})
    net.finish()
    assert order_of(net) == [1, 5, 4, 2, 3]


def test_one_search_at_a_time_and_known_meters_meanwhile(network: Networks) -> None:
    net = network(8, parallel=4)
    net.hops.update({7: 1, 8: 2})
    most = 0
    net.submit("collect")
    while net.coordinator.busy:
        net.run(0.01)
        most = max(most, len([meter for meter in net.searches if meter not in net.hops]))
    assert most == 1
    assert len(net.of(events.ReadDone)) == 8
    assert order_of(net)[:3] == [7, 8, 1]


def test_sessions_in_parallel(network: Networks) -> None:
    net = network(9, parallel=3)
    net.hops.update(net.reachable)
    net.submit("collect")
    open_now = most = 0
    net.finish()
    for event in net.events:
        if event.node == 0 and isinstance(event, events.ApduSent) and event.kind == AARQ:
            open_now += 1
        elif event.node == 0 and isinstance(event, events.SessionClosed):
            open_now -= 1
        most = max(most, open_now)
    assert most == 3
    assert len(net.of(events.ReadDone)) == 9
    assert sorted(event.session for event in net.of(events.ReadDone)) == list(range(1, 10))


def test_loss_delay_and_duplication(network: Networks) -> None:
    net = network(20, parallel=3, tries=6, rounds=5)
    random = Random(5)

    def fate(src: int, dst: int, apdu: bytes) -> list[int]:
        copies = random.choice((0, 1, 1, 1, 2))
        return [random.randrange(20_000, 3 * SECOND) for _ in range(copies)]

    net.fate = fate
    net.submit("collect")
    net.finish()
    assert {event.meter: event.value for event in net.of(events.ReadDone)} == {n: str(1000 * n) for n in range(1, 21)}
    assert len(net.of(events.ReadDone)) == 20
    assert any(event.attempts > 1 for event in net.of(events.ReadDone))
    assert progress(net)[-1] == ("finished", 20, 20, 0)
    assert all(event.layer == "cosem" for event in net.of(events.Dropped))


def test_unreachable_meters_are_reported_after_all_rounds(network: Networks) -> None:
    net = network(3, tries=2, rounds=3, pause_us=7 * SECOND)
    del net.reachable[2]
    net.submit("collect")
    net.finish()
    (failed,) = net.of(events.ReadFailed)
    assert (failed.meter, failed.attempts) == (2, 6)
    assert (failed.reason, failed.explained_by) == ("AARQ not sent: route error", "route discovery failed")
    assert net.searches.count(2) == 6
    assert progress(net)[-1] == ("finished", 3, 2, 1)
    assert net.of(events.Job)[-1].detail == "2 of 3 meters read, 1 failed"
    first_round_over = next(event.t for event in net.of(events.SessionClosed) if event[1:3] == (0, 3))
    again = [event.t for event in net.of(events.ApduSent) if event.peer == 2 and event.node == 0]
    assert again[2] - first_round_over == 7 * SECOND


def test_a_meter_that_comes_back_is_read_in_a_later_round(network: Networks) -> None:
    net = network(3, tries=2, rounds=2, timeout_us=SECOND)
    net.fate = lambda src, dst, apdu: [] if dst == 3 else [50_000]
    net.submit("collect")
    while not [event for event in net.of(events.SessionAborted) if event.node == 0]:
        net.run(0.5)
    assert net.coordinator.busy
    net.fate = lambda src, dst, apdu: [50_000]
    net.finish()
    assert sorted(event.meter for event in net.of(events.ReadDone)) == [1, 2, 3]
    assert net.of(events.ReadDone)[-1].attempts == 3
    assert not net.of(events.ReadFailed)


def test_silence_is_explained_by_the_lost_route(network: Networks) -> None:
    net = network(1, tries=2, rounds=1, timeout_us=SECOND)
    net.hops[1] = 1
    net.fate = lambda src, dst, apdu: []
    net.submit("collect")
    net.run(0.5)
    net.coordinator.route_lost(1, "rerr")
    net.coordinator.route_lost(1, "rerr")
    net.finish()
    (failed,) = net.of(events.ReadFailed)
    assert (failed.reason, failed.explained_by, failed.attempts) == ("no answer to AARQ", "route lost (rerr)", 2)


def test_silence_without_any_sign(network: Networks) -> None:
    net = network(1, tries=3, rounds=1, timeout_us=SECOND)
    net.fate = lambda src, dst, apdu: [50_000] if apdu[0] in (AARQ, AARE) else []
    net.submit("collect")
    net.finish()
    (failed,) = net.of(events.ReadFailed)
    assert failed.reason == "no answer to GET"
    assert failed.explained_by == "all left for the first hop, nothing came back"
    assert failed.attempts == 3


def test_what_a_meter_refuses_is_not_asked_again(network: Networks) -> None:
    net = network(2, rounds=4)
    refusal = bytes.fromhex("c401c1010b")
    real = net.meters[2].received

    def refusing(peer: int, src_wport: int, dst_wport: int, apdu: bytes, flow: int) -> None:
        if apdu[0] == GET:
            net.ports[2].send(peer, dst_wport, src_wport, refusal)
        else:
            real(peer, src_wport, dst_wport, apdu, flow)

    net.meters[2].received = refusing
    net.submit("collect")
    net.finish()
    (failed,) = net.of(events.ReadFailed)
    assert failed.reason == "refused by the meter: object unavailable"
    assert failed.attempts == 1
    assert order_of(net).count(2) == 1


def test_a_second_collection_waits_for_the_first(network: Networks) -> None:
    net = network(2)
    net.submit("collect", job=1)
    net.submit("collect", job=2)
    net.finish()
    assert [action for action, *_ in progress(net)] == [
        "started", "progress", "progress", "finished", "started", "progress", "progress", "finished",
    ]  # fmt: skip
    assert len(net.of(events.ReadDone)) == 4


def test_a_job_to_a_meter_of_the_collection(network: Networks) -> None:
    net = network(2)
    net.submit("read", 1, job=1)
    net.submit("collect", job=2)
    net.submit("read", 2, job=3)
    net.finish()
    assert sorted(event.meter for event in net.of(events.ReadDone)) == [1, 1, 2, 2]
    assert [event.status for event in net.of(events.Job)].count("done") == 3


def test_no_meters(network: Networks) -> None:
    net = network(0)
    net.submit("collect")
    assert progress(net) == [("started", 0, 0, 0), ("finished", 0, 0, 0)]
    assert not net.coordinator.busy
