"""The coordinator as its host and its stack see it: foreign octets, notifications, the end of a life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.application import MAX_NOTIFICATIONS
from g3plc import events
from g3plc.sap import NO_ACK
from g3plc.wire.axdr import LONG_UNSIGNED, Data
from g3plc.wire.xdlms import EventNotification

SECOND = 1_000_000
VOLTAGE = bytes((1, 0, 32, 7, 0, 255))
NOTIFICATION = EventNotification(None, 3, VOLTAGE, 2, Data(LONG_UNSIGNED, 1980)).encode()
ANSWER = bytes.fromhex("c401c1000600003039")
Networks = Callable[..., Any]


def test_notifications_are_kept_and_never_answered(network: Networks) -> None:
    net = network(2)
    net.deliver(2, 1, 1, NOTIFICATION)
    assert net.coordinator.notifications_received == 1
    (kept,) = net.coordinator.notifications
    assert (kept.meter, kept.t_us, kept.message.value.value) == (2, net.clock.now, 1980)
    net.run(600)
    assert not net.of(events.ApduSent)
    for _ in range(MAX_NOTIFICATIONS + 10):
        net.deliver(1, 1, 1, NOTIFICATION)
    assert len(net.coordinator.notifications) == MAX_NOTIFICATIONS
    assert net.coordinator.notifications_received == MAX_NOTIFICATIONS + 11


def test_a_notification_during_a_session_is_no_answer(network: Networks) -> None:
    net = network(1)
    net.submit("read", 1)
    net.run(2.005)
    net.deliver(1, 1, 16, NOTIFICATION)
    net.finish()
    assert net.coordinator.notifications_received == 1
    assert net.of(events.ReadDone)[0].value == "1000"
    assert not net.of(events.Dropped)


@pytest.mark.parametrize(
    ("peer", "src", "dst", "octets", "reason"),
    [
        (1, 1, 1, NOTIFICATION[:-1], "truncated"),
        (9, 1, 1, NOTIFICATION, "no meter"),
        (0, 1, 1, NOTIFICATION, "no meter"),
        (1, 1, 16, ANSWER, "no session"),
        (1, 1, 16, b"", "no session"),
        (77, 500, 600, b"\xff" * 1000, "no session"),
    ],
)
def test_octets_that_belong_to_nothing(
    network: Networks, peer: int, src: int, dst: int, octets: bytes, reason: str
) -> None:
    net = network(1)
    net.deliver(peer, src, dst, octets)
    (dropped,) = net.events
    assert isinstance(dropped, events.Dropped)
    assert (dropped.layer, dropped.src, dropped.octets) == ("cosem", peer, len(octets))
    assert reason in dropped.reason


def test_answers_of_others_do_not_count(network: Networks) -> None:
    """The right octets from the wrong station, the wrong wPorts, or in the wrong state."""
    net = network(2)
    net.hops[1] = 1
    lost = True
    net.fate = lambda src, dst, apdu: [] if lost and apdu[0] == 0xC4 else [50_000]
    net.submit("read", 1)
    net.deliver(1, 1, 16, ANSWER)
    net.run(0.3)
    for peer, src, dst in ((2, 1, 16), (1, 2, 16), (1, 1, 1), (0, 1, 16)):
        net.deliver(peer, src, dst, ANSWER)
    net.deliver(1, 1, 16, ANSWER.replace(b"\xc1", b"\xc2"))
    net.deliver(1, 1, 16, ANSWER[:-1])
    assert not net.of(events.ReadDone)
    assert len(net.of(events.Dropped)) == 7
    lost = False
    net.finish()
    assert [(event.value, event.attempts) for event in net.of(events.ReadDone)] == [("1000", 2)]


octets = st.binary(max_size=40) | st.sampled_from(
    [b"\xc4\x01", b"\xc4\x01\xc1", b"\x61", b"\x63", b"\xd8", b"\xc2"]
).flatmap(lambda head: st.binary(max_size=30).map(lambda tail: head + tail))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([0, 1, 2, 700]), st.sampled_from([1, 16]), octets), max_size=12))
def test_no_octets_raise(network: Networks, arrivals: list[tuple[int, int, bytes]]) -> None:
    net = network(2)
    net.hops[1] = 1
    net.submit("read", 1)
    for peer, dst, apdu in arrivals:
        net.deliver(peer, 1, dst, apdu)
        net.run(0.04)
    net.finish()


def test_stray_confirms_and_losses(network: Networks) -> None:
    net = network(1)
    net.coordinator.sent(12345, NO_ACK)
    net.coordinator.route_lost(1, "rerr")
    net.coordinator.route_lost(99, "rerr")
    net.coordinator.voltage(198)
    net.coordinator.voltage(None)
    assert not net.events


def test_nothing_goes_on_by_itself_after_a_reboot(network: Networks) -> None:
    net = network(3)
    net.submit("read", 1, job=4, hold_us=60 * SECOND)
    net.submit("collect", job=5)
    net.run(10)
    kept = net.coordinator.keep()
    open_session = kept["sessions"]
    assert open_session
    net.events.clear()
    reborn = net.switch_on(kept)
    assert not reborn.busy
    aborted = [(event.peer, event.session, event.reason) for event in net.of(events.SessionAborted)]
    assert aborted == [(*session, "reboot") for session in open_session]
    assert [tuple(event)[2:] for event in net.of(events.Job)] == [
        (4, "read", 1, "failed", "the coordinator was switched off"),
        (5, "collect", 0, "failed", "the coordinator was switched off"),
    ]
    assert reborn.keep() == {"session": kept["session"], "sessions": [], "jobs": []}
    net.events.clear()
    net.run(600)
    assert not [event for event in net.of(events.ApduSent) if event.node == 0]
    assert not net.of(events.Job)


def test_session_numbers_go_on_in_the_next_life(network: Networks) -> None:
    net = network(1)
    net.submit("read", 1)
    net.finish()
    net.switch_on(net.coordinator.keep())
    net.submit("read", 1)
    net.finish()
    assert [event.session for event in net.of(events.ReadDone)] == [1, 2]


@pytest.mark.parametrize(
    "kept",
    [
        {"session": "x", "sessions": 5, "jobs": None},
        {"session": -1, "sessions": [[1], "ab", [1, "x"]], "jobs": [[1, 2, 3], [1, "read"]]},
        {"session": 2**80},
        {},
    ],
)
def test_what_was_kept_is_not_trusted(network: Networks, kept: dict[str, Any]) -> None:
    net = network(1)
    net.switch_on(kept)
    assert not net.events
    net.submit("read", 1)
    net.finish()
    assert net.of(events.ReadDone)[0].session == 1
