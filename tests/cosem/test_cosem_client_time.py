"""The client's repeats, pauses and time-outs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from g3plc.cosem.config import ClientConfig
from g3plc.cosem.requests import NO_ANSWER, Get
from g3plc.sap import NO_ACK, ROUTE_ERROR
from g3plc.wire.acse import Aare
from g3plc.wire.xdlms_initiate import InitiateResponse

SECOND = 1_000_000
VALUE = bytes((1, 0, 1, 8, 0, 255))
AARE = Aare(InitiateResponse().encode()).encode()


def accept(world):
    """The AARE arrives."""
    world.client.sessions.find(17, 16, 1).received(17, 1, 16, AARE)


def times(world):
    return [t - world.client.port.sends[0][0] for t, *_ in world.client.port.sends]


def test_silence_is_repeated_with_back_off_and_then_aborted(alone):
    world, _ = alone([Get(3, VALUE)], ClientConfig(answer_timeout_us=10 * SECOND, max_wait_us=30 * SECOND))
    world.clock.run()
    confirm = 25_000
    gaps = [b - a for a, b in pairwise(times(world))]
    assert gaps == [10 * SECOND + confirm, 20 * SECOND + confirm, 30 * SECOND + confirm]
    assert len(set(world.client.port.octets)) == 1
    (outcome,) = world.client.outcomes
    assert (outcome.released, outcome.reason, outcome.datagrams) == (False, "no answer to AARQ after 4 tries", 4)
    assert outcome.duration_us == 90 * SECOND + 4 * confirm
    (aborted,) = world.link.noted(world.events.SessionAborted)
    assert aborted.session == 1


def test_unsendable_datagrams_are_repeated_after_a_pause(pair):
    world = pair()
    world.client.port.refuse = [ROUTE_ERROR, NO_ACK]
    world.client.open([Get(3, VALUE)])
    world.clock.run(world.clock.now + 60 * SECOND)
    assert times(world)[:3] == [0, 2_025_000, 6_050_000]
    assert world.client.outcomes[0].released
    world.client.port.refuse = [ROUTE_ERROR] * 4
    world.client.open([Get(3, VALUE)])
    world.clock.run(world.clock.now + 60 * SECOND)
    outcome = world.client.outcomes[1]
    assert (outcome.reason, outcome.last_status) == ("AARQ not sent: route error", ROUTE_ERROR)


def test_the_answer_is_awaited_from_the_departure(alone):
    world, session = alone([Get(3, VALUE)])
    world.client.outcomes.clear()
    world.client.port.silent = True
    accept(world)
    handle = world.link.handles
    world.clock.run_until(world.clock.now + 100 * SECOND)
    assert len(world.client.port.sends) == 2
    session.sent(handle, 0)
    world.clock.run_until(world.clock.now + 15 * SECOND - 1)
    assert len(world.client.port.sends) == 2
    world.clock.run_until(world.clock.now + 1)
    assert len(world.client.port.sends) == 3
    # of a datagram that has been given up nothing more is heard
    assert session.sent(handle, NO_ACK) is False


def test_unconfirmed_datagram_is_given_up(pair):
    world = pair()
    world.client.port.silent = True
    world.client.open((), ClientConfig(confirm_timeout_us=30 * SECOND, exchange_timeout_us=70 * SECOND))
    world.clock.run()
    assert times(world) == [0, 30 * SECOND, 60 * SECOND]
    assert world.client.outcomes[0].reason == "no answer to AARQ in time"
    assert world.client.outcomes[0].duration_us == 70 * SECOND


def test_lost_route_repeats_at_once_and_counts(alone):
    world, session = alone([Get(3, VALUE)])
    accept(world)
    world.clock.run_until(world.clock.now + 3 * SECOND)
    assert session.route_lost(18) is False
    for n in range(3):
        assert world.client.sessions.route_lost(17) is True
        assert len(world.client.port.sends) == 3 + n
        world.clock.run_until(world.clock.now + SECOND)
    assert session.route_lost(17) is False
    assert len(set(world.client.port.octets[1:])) == 1
    world.clock.run()
    assert world.client.results[0][2:4] == (NO_ANSWER, 4)
    assert world.client.outcomes[0].reason == "no answer to GET after 4 tries"


def test_a_second_word_of_the_same_break_repeats_nothing(alone):
    """The repeat has not left yet: it takes the new route anyway."""
    world, session = alone([Get(3, VALUE)])
    accept(world)
    world.clock.run_until(world.clock.now + SECOND)
    assert session.route_lost(17) is True
    world.clock.run_until(world.clock.now + 10_000)
    assert session.route_lost(17) is False
    assert len(world.client.port.sends) == 3
    world.clock.run_until(world.clock.now + SECOND)
    assert len(world.client.port.sends) == 3
    # the repeat has left, and what is heard now is about it
    assert session.route_lost(17) is True
    assert len(world.client.port.sends) == 4


@pytest.mark.parametrize(("later_us", "gap"), [(0, 0), (1, 2 * SECOND)])
def test_a_datagram_that_finds_its_own_route_broken_is_repeated_at_once(pair, later_us, gap):
    """The port tells the loss, then in the same moment that the datagram did not leave. Another loss is no news."""
    world = pair()
    world.client.port.silent = True
    session = world.client.open([Get(3, VALUE)])
    world.clock.run_until(world.clock.now + 3 * SECOND)
    assert session.route_lost(17) is False
    world.clock.run_until(world.clock.now + later_us)
    assert session.sent(world.link.handles, NO_ACK)
    world.clock.run_until(world.clock.now + gap)
    assert times(world) == [0, 3 * SECOND + later_us + gap]


def test_a_route_that_leads_nowhere_is_looked_for_anew(pair):
    """Every first hop takes the datagram, nothing comes back, and nobody says that the route is broken."""
    world = pair()
    world.client.port.stale = True
    world.client.open([Get(3, VALUE)], ClientConfig(answer_timeout_us=10 * SECOND))
    start = world.clock.now
    world.clock.run(world.clock.now + 60 * SECOND)
    assert world.client.port.searches == [(start + 10 * SECOND + 25_000, 17)]
    assert world.client.outcomes[0].released
    assert world.client.outcomes[0].datagrams == 4


def test_no_route_is_looked_for_after_the_last_try(alone):
    world, _ = alone([Get(3, VALUE)])
    world.clock.run()
    assert len(world.client.port.sends) == 4
    assert [t for t, _ in world.client.port.searches] == [t for t, *_ in world.client.port.sends[1:]]


def test_lost_route_cuts_a_pause_short(pair):
    world = pair()
    world.client.port.refuse = [NO_ACK]
    session = world.client.open([Get(3, VALUE)])
    world.clock.run_until(world.clock.now + SECOND)
    session.route_lost(17)
    world.clock.run(world.clock.now + 10 * SECOND)
    assert times(world)[:2] == [0, SECOND]
    assert world.client.outcomes[0].datagrams == 4


def test_lost_rlre_is_sent_again(pair):
    world = pair()
    world.client.open()
    world.clock.run_until(world.clock.now + 140_000)
    world.link.loss = 1000
    world.clock.run_until(world.clock.now + SECOND)
    world.link.loss = 0
    world.clock.run(world.clock.now + 60 * SECOND)
    assert world.client.outcomes[0].released
    assert len(world.link.noted(world.events.SessionClosed, 17)) == 1
