"""Jobs of an operator: discover, read, set, act, from the order to the word on how it went."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from g3plc import events
from g3plc.sap import SUCCESS

SECOND = 1_000_000
CLOCK = bytes((0, 0, 1, 0, 0, 255))
BREAKER = bytes((0, 0, 96, 3, 10, 255))
VOLTAGE = bytes((1, 0, 32, 7, 0, 255))
Networks = Callable[..., Any]


def words(net: Any) -> list[tuple[int, str, int, str, str]]:
    """All Job events without time and station."""
    return [tuple(event)[2:] for event in net.of(events.Job)]


def sent_tags(net: Any, station: int = 0) -> list[int]:
    return [event.kind for event in net.of(events.ApduSent) if event.node == station]


AARQ, RLRQ, GET, SET, ACTION = 0x60, 0x62, 0xC0, 0xC1, 0xC3


def test_a_read_is_association_get_release(network: Networks) -> None:
    net = network(3)
    net.submit("read", 2, job=7, class_id=1, invoke_id_and_priority=0)
    assert net.coordinator.busy
    net.finish()
    assert sent_tags(net) == [AARQ, GET, RLRQ]
    get = next(event for event in net.of(events.ApduSent) if event.kind == GET)
    assert get.apdu.hex() == "c0010000010100010800ff0200"
    assert words(net) == [(7, "read", 2, "accepted", ""), (7, "read", 2, "done", "value 12345 Wh")]
    (done,) = net.of(events.ReadDone)
    assert (done.meter, done.value, done.unit, done.hops, done.attempts, done.session) == (2, "12345", "Wh", 3, 1, 1)
    # the search, then two exchanges of 50 ms each way
    assert done.duration_us == 2 * SECOND + 200_000
    assert [
        type(event) for event in net.events if event.node == 0 and event[2] == 2 and "Session" in type(event).__name__
    ] == [events.SessionOpen, events.SessionClosed]


def test_hold_leaves_the_association_standing_before_the_request(network: Networks) -> None:
    net = network(1)
    net.submit("read", 1, hold_us=4 * SECOND)
    net.finish()
    opened = next(event.t for event in net.of(events.SessionOpen) if event.node == 0)
    get = next(event.t for event in net.of(events.ApduSent) if event.kind == GET)
    assert get - opened == 4 * SECOND
    assert sent_tags(net) == [AARQ, GET, RLRQ]
    assert net.of(events.ReadDone)[0].duration_us == 2 * SECOND + 200_000


def test_values_have_their_unit(network: Networks) -> None:
    net = network(1)
    net.submit("read", 1, obis=VOLTAGE)
    net.submit("read", 1, class_id=8, obis=CLOCK)
    net.submit("read", 1, class_id=70, obis=BREAKER)
    net.submit("read", 1, class_id=3, attribute=3)
    net.finish()
    assert [word[4] for word in words(net) if word[3] == "done"] == [
        "value 198.5 V",
        "value 1970-01-01T00:00:00Z",
        "value true",
        "value structure[integer:0, enum:30]",
    ]


def test_set_and_act(network: Networks) -> None:
    net = network(1)
    net.submit("set", 1, class_id=8, obis=CLOCK, value="date-time:2026-11-23T02:00:00Z")
    net.submit("act", 1, class_id=70, obis=BREAKER, attribute=1)
    net.submit("act", 1, class_id=8, obis=CLOCK, attribute=6, value="long:60")
    net.finish()
    assert [word[4] for word in words(net) if word[3] == "done"] == [
        "set to date-time:2026-11-23T02:00:00Z",
        "method 1 invoked",
        "method 6 invoked",
    ]
    assert net.meters[1].breaker is False
    assert net.meters[1].clock_us == 1_795_399_260 * SECOND
    assert sent_tags(net) == [AARQ, SET, RLRQ, AARQ, ACTION, RLRQ, AARQ, ACTION, RLRQ]
    assert not net.of(events.ReadDone)


def test_the_meter_refuses(network: Networks) -> None:
    net = network(1)
    net.submit("read", 1, class_id=3, obis=bytes(6))
    net.submit("set", 1, class_id=3, value="unsigned:5")
    net.finish()
    failed = [word for word in words(net) if word[3] == "failed"]
    assert failed[0][4] == "refused by the meter: object undefined (GET answered with data-access-result 4)"
    assert failed[1][4].startswith("refused by the meter: read-write denied (SET answered")
    (read,) = net.of(events.ReadFailed)
    assert (read.reason, read.attempts) == ("refused by the meter: object undefined", 1)


def test_discover(network: Networks) -> None:
    net = network(4)
    del net.reachable[4]
    net.reachable[3] = 1
    net.via[2] = 1
    for station in (2, 3, 4):
        net.submit("discover", station)
    net.finish()
    assert [word[3:] for word in words(net)[3:]] == [
        ("done", "route over 3 hops, next hop meter-1"),
        ("done", "route over 1 hop"),
        ("failed", "no route: route error"),
    ]


def test_a_search_that_nobody_asked_for_is_ignored(network: Networks) -> None:
    net = network(1)
    net.coordinator.discovered(1, SUCCESS)
    net.coordinator.path_traced(1, SUCCESS, [])
    assert not net.events


def test_a_search_without_end_is_given_up(network: Networks) -> None:
    net = network(1)
    net.search_us = 10_000 * SECOND
    net.submit("discover", 1)
    net.submit("discover", 1, job=2)
    net.run(901)
    assert words(net)[-1] == (1, "discover", 1, "failed", "no route: the search did not come to an end")
    assert len(net.searches) == 2


def test_jobs_run_side_by_side_but_not_to_one_meter(network: Networks) -> None:
    net = network(2)
    net.submit("read", 1, job=1)
    net.submit("read", 2, job=2)
    net.submit("read", 1, job=3)
    net.submit("discover", 2, job=4)
    net.run(0.001)
    assert net.searches == [1, 2]
    net.finish()
    sessions = [
        (type(event).__name__, event.session)
        for event in net.events
        if event.node == 0 and isinstance(event, events.SessionOpen | events.SessionClosed)
    ]
    assert sessions.index(("SessionClosed", 1)) < sessions.index(("SessionOpen", 3))
    assert [word[0] for word in words(net) if word[3] == "done"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"verb": "fly", "station": 1}, "allowed: discover, read, set, act, collect"),
        ({"verb": "fl\xfc", "station": 1}, "allowed: discover"),
        ({"verb": "read", "station": 3}, "no meter 3; allowed: 1 to 2"),
        ({"verb": "read", "station": 0}, "no meter 0"),
        ({"verb": "discover", "station": -1}, "no meter -1"),
        ({"verb": "read", "station": 1, "obis": b"\x01"}, "six octets"),
        ({"verb": "read", "station": 1, "attribute": 300}, "attribute -128 to 127"),
        ({"verb": "read", "station": 1, "class_id": -1}, "class 0 to 65535"),
        ({"verb": "read", "station": 1, "invoke_id_and_priority": 256}, "out of range"),
        ({"verb": "read", "station": 1, "hold_us": -1}, "allowed: 0 and more"),
        ({"verb": "set", "station": 1}, "set without a value"),
        ({"verb": "set", "station": 1, "value": "five"}, "unknown type 'five'"),
        ({"verb": "act", "station": 1, "value": "unsigned:999"}, "0 to 255"),
    ],
)
def test_wrong_orders_fail_with_a_word_on_what_is_allowed(network: Networks, order: dict[str, Any], said: str) -> None:
    net = network(2)
    net.submit(**order)
    (word,) = words(net)
    assert word[3] == "failed"
    assert said in word[4]
    assert not net.coordinator.busy


def test_too_many_jobs(network: Networks) -> None:
    net = network(1)
    for job in range(300):
        net.submit("read", 1, job=job)
    refused = [word for word in words(net) if word[3] == "failed"]
    assert len(refused) == 300 - 256
    assert refused[0][4] == "256 jobs are in hand already"
    net.finish()
    assert len(net.of(events.ReadDone)) == 256


def test_a_lost_route_is_survived(network: Networks) -> None:
    """The story of four in a row: the GET is lost, an RERR comes back, two searches fail, the third try is answered."""
    net = network(3)
    net.search_us = 8 * SECOND
    net.submit("discover", 3)
    net.finish()
    net.submit("read", 3, class_id=1, invoke_id_and_priority=0, hold_us=4 * SECOND)
    net.run(2)
    del net.reachable[3]
    net.fate = lambda src, dst, apdu: []
    net.run(3)
    start = net.clock.now
    del net.hops[3]
    net.coordinator.route_lost(3, "rerr")
    assert net.searches == [3, 3]
    assert net.clock.now == start
    net.run(9)
    net.reachable[3] = 3
    net.fate = lambda src, dst, apdu: [50_000]
    net.finish()
    assert net.searches == [3, 3, 3]
    gets = [event.t for event in net.of(events.ApduSent) if event.kind == GET]
    # eight seconds of search, then the first pause: the repeat for the lost route has not made it longer
    assert gets[2] - gets[1] == 10 * SECOND
    (done,) = net.of(events.ReadDone)
    assert (done.value, done.attempts) == ("12345", 3)
    assert sent_tags(net) == [AARQ, GET, GET, GET, RLRQ]


def test_exhausted_tries(network: Networks) -> None:
    net = network(2)
    del net.reachable[1]
    net.submit("read", 1)
    net.finish()
    (failed,) = net.of(events.ReadFailed)
    assert failed.reason == "AARQ not sent: route error"
    assert failed.explained_by == "route discovery failed"
    assert failed.attempts == 5
    assert words(net)[-1][3] == "failed"
    assert [type(event) for event in net.of(events.SessionAborted)] == [events.SessionAborted]
    pauses = [event.t for event in net.of(events.ApduSent)]
    # two seconds of search, then 2, 4, 8, 16 seconds of pause
    assert [b - a for a, b in pairwise(pauses)] == [n * SECOND for n in (4, 6, 10, 18)]


def test_unanswered_release_does_not_spoil_the_value(network: Networks) -> None:
    net = network(1)
    net.fate = lambda src, dst, apdu: [] if apdu[0] == RLRQ else [50_000]
    net.submit("read", 1)
    net.finish()
    assert words(net)[-1][3:] == ("done", "value 1000 Wh; association not released: no answer to RLRQ")
    assert not net.of(events.ReadFailed)


def test_a_meter_that_restarts_ends_the_session(network: Networks) -> None:
    net = network(1)
    net.submit("read", 1, hold_us=5 * SECOND)
    net.run(4)
    net.meters[1] = net.ports[1].user = type(net.meters[1])(net.ports[1])
    net.finish()
    (failed,) = net.of(events.ReadFailed)
    assert failed.reason == "peer has no association"
    assert "restarted" in failed.explained_by
    assert any(event.node == 0 for event in net.of(events.SessionAborted))
