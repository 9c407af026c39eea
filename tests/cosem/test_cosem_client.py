"""The client's session: its table, its answers, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g3plc.core.errors import UsageError
from g3plc.cosem import client_states as life
from g3plc.cosem.client import ClientSession
from g3plc.cosem.config import ClientConfig, ServerConfig
from g3plc.cosem.requests import EXCEPTION, NO_ANSWER, Action, Get, Set
from g3plc.sap import NO_ACK
from g3plc.wire.acse import Aare, Rlre
from g3plc.wire.axdr import DOUBLE_LONG_UNSIGNED, INTEGER, UNSIGNED, Data
from g3plc.wire.xdlms import EventNotification, GetResponseNormal, SetResponseNormal
from g3plc.wire.xdlms_initiate import SELECTIVE_ACCESS, InitiateResponse

SECOND = 1_000_000
VALUE = bytes((1, 0, 1, 8, 0, 255))
COUNTER = bytes((0, 0, 96, 15, 0, 255))
AARE = Aare(InitiateResponse().encode()).encode()
RLRE = Rlre().encode()
ANSWER = GetResponseNormal(0xC1, Data(DOUBLE_LONG_UNSIGNED, 12345)).encode()
NOT_ALLOWED = bytes.fromhex("D80101")
NOT_SUPPORTED = bytes.fromhex("D80202")
REFUSED = Aare(None, 1, 1, 2).encode()


def feed(world, octets, peer=17, src=1, dst=16):
    return world.client.sessions.find(17, 16, 1).received(peer, src, dst, octets)


def dropped(world):
    return [event.reason for event in world.link.noted(world.events.Dropped, 0)]


# --- the table


def test_table_is_total_and_uses_every_action():
    assert set(life.TABLE) == {(s, i) for s in range(len(life.STATE_NAMES)) for i in range(len(life.INPUT_NAMES))}
    assert {action for _, action in life.TABLE.values()} == set(range(len(life.ACTION_NAMES)))


def make_session(world, state):
    config = ClientConfig(tries=3, release_tries=3)
    results, outcomes = world.client.results, world.client.outcomes
    session = ClientSession(
        world.client.port, 17, 9, (), config, lambda *r: results.append(r), outcomes.append, None, False
    )
    if state != life.NEW:
        session.start()
    if state not in (life.NEW, life.OPENING):
        session.received(17, 1, 16, AARE)
    if state == life.REQUESTING:
        session.request(Get(3, VALUE))
    if state == life.RELEASING:
        session.release()
    if state == life.CLOSED:
        session.abort("test")
    assert session.state == state
    return session


def apply(world, session, column):
    """Bring one input about from outside."""
    received = {
        life.ACCEPTED: AARE,
        life.REFUSED: REFUSED,
        life.ANSWERED: ANSWER,
        life.RELEASED: RLRE,
        life.NO_ASSOCIATION: NOT_ALLOWED,
        life.EXCEPTION: NOT_SUPPORTED,
        life.JUNK: b"\xff",
    }
    handle = world.link.handles
    if column in received:
        session.received(17, 1, 16, received[column])
    elif column == life.START:
        session.start()
    elif column == life.SUBMIT:
        session.request(Get(3, VALUE))
    elif column == life.RELEASE:
        session.release()
    elif column == life.ABORT:
        session.abort("operator")
    elif column == life.DEPARTED:
        session.sent(handle, 0)
    elif column == life.PAUSE:
        session.sent(handle, NO_ACK)
    elif column == life.REPEAT:
        session.sent(handle, 0)
        session.route_lost(17)
    else:
        while session.state in (life.OPENING, life.REQUESTING, life.RELEASING) and world.clock.pending:
            world.clock.run_until(world.clock.now + 10 * SECOND)


@pytest.mark.parametrize(("state", "column"), sorted(life.TABLE))
def test_session_follows_the_table(pair, state, column):
    world = pair()
    world.client.port.silent = True  # the port reports nothing by itself
    session = make_session(world, state)
    sends = len(world.client.port.sends)
    trace = len(world.link.trace)
    after, action = life.TABLE[state, column]
    if action == life.REJECT:
        with pytest.raises(UsageError):
            apply(world, session, column)
    else:
        apply(world, session, column)
    assert session.state == after
    new = [type(event).__name__ for event in world.link.trace[trace:]]
    expected = {
        life.DROP: ["Dropped"],
        life.OPEN: ["SessionOpen"],
        life.CLOSE: ["SessionClosed"],
        life.ABORT_SESSION: ["SessionAborted"],
    }
    assert new == expected.get(action, [])
    sent = len(world.client.port.sends) - sends
    if column == life.EXHAUSTED:
        assert sent == (2 if after != state else 0)
    else:
        assert sent == (1 if action in (life.SEND_AARQ, life.SEND_REQUEST, life.SEND_RLRQ, life.SEND_AGAIN) else 0)
    assert len(world.client.outcomes) == (1 if after == life.CLOSED else 0)


# --- with a real server


def test_session_of_the_paper(pair):
    world = pair()
    world.client.open([Get(3, VALUE)], ClientConfig(fixed_invoke=0))
    world.clock.run(world.clock.now + 10 * SECOND)
    assert [octets[:3].hex() for octets in world.client.port.octets] == ["601d" + "a1", "c00100", "620380"]
    assert world.client.port.octets[1] == bytes.fromhex("C001000003010001080 0FF0200".replace(" ", ""))
    assert world.server.port.octets[1] == bytes.fromhex("C40100000600003039")
    ((request, data, code, attempts, duration_us),) = world.client.results
    assert (request, data, code, attempts) == (Get(3, VALUE), Data(DOUBLE_LONG_UNSIGNED, 12345), 0, 1)
    assert duration_us == 100_000
    (outcome,) = world.client.outcomes
    assert (outcome.released, outcome.reason, outcome.datagrams, outcome.duration_us) == (True, "released", 3, 300_000)
    both = [(type(event).__name__, event.node) for event in world.link.trace]
    assert both == [("SessionOpen", 17), ("SessionOpen", 0), ("SessionClosed", 17), ("SessionClosed", 0)]


def test_fresh_invoke_ids_and_all_services(pair):
    world = pair()
    requests = [Set(1, COUNTER, 2, Data(UNSIGNED, 7)), Get(1, COUNTER), Action(1, COUNTER, 1, Data(INTEGER, 0))]
    world.client.open(requests * 6)
    world.clock.run(world.clock.now + 60 * SECOND)
    ids = [octets[2] for octets in world.client.port.octets[1:-1]]
    assert ids == [0xC0 | i % 15 + 1 for i in range(18)]
    assert [result[2] for result in world.client.results] == [0] * 18
    assert world.client.results[1][1] == Data(UNSIGNED, 7)
    assert world.client.results[2][1] == Data(UNSIGNED, 2)
    assert len(world.server.runs) == 12


def test_result_codes_and_exceptions_are_delivered(pair):
    world = pair(ServerConfig(conformance=0x10))
    world.client.open([Get(3, COUNTER), Set(1, COUNTER, 2, Data(UNSIGNED, 7)), Get(3, VALUE)])
    world.clock.run(world.clock.now + 10 * SECOND)
    assert [result[1:4] for result in world.client.results] == [
        (None, 9, 1),
        (None, EXCEPTION, 1),
        (Data(DOUBLE_LONG_UNSIGNED, 12345), 0, 1),
    ]
    assert world.client.outcomes[0].released


def test_held_session_takes_requests_until_released(pair):
    world = pair()
    session = world.client.open(release_when_done=False)
    world.clock.run_until(world.clock.now + 100 * SECOND)
    assert session.state == life.READY
    session.request(Get(3, VALUE))
    session.request(Get(1, COUNTER))
    session.release()
    world.clock.run_until(world.clock.now + 10 * SECOND)
    assert [result[2] for result in world.client.results] == [0, 0]
    assert world.client.outcomes[0].released
    with pytest.raises(UsageError):
        session.request(Get(3, VALUE))


def test_request_from_within_a_result_and_session_from_within_an_end(pair):
    world = pair()
    seen = []

    def on_result(request, data, code, attempts, duration_us):
        seen.append(request)
        if len(seen) == 1:
            session.request(Get(1, COUNTER))

    def on_closed(outcome):
        seen.append(outcome.released)
        if len(seen) == 3:
            world.client.open([Get(3, VALUE)])

    session = world.client.sessions.open(17, [Get(3, VALUE)], None, on_result, on_closed)
    with pytest.raises(UsageError):
        world.client.open([Get(3, VALUE)])
    world.clock.run(world.clock.now + 10 * SECOND)
    assert seen == [Get(3, VALUE), Get(1, COUNTER), True]
    assert world.client.outcomes[0].released
    assert [event.session for event in world.link.noted(world.events.SessionOpen, 0)] == [1, 2]


def test_peer_that_rebooted(pair):
    world = pair()
    session = world.client.open(release_when_done=False)
    world.clock.run_until(world.clock.now + SECOND)
    world.server.reboot()
    session.request(Get(3, VALUE))
    session.request(Get(1, COUNTER))
    world.clock.run_until(world.clock.now + SECOND)
    assert [result[1:4] for result in world.client.results] == [(None, NO_ANSWER, 1), (None, NO_ANSWER, 0)]
    (aborted,) = world.link.noted(world.events.SessionAborted)
    assert (aborted.node, aborted.peer, aborted.reason) == (0, 17, "peer has no association")
    assert world.client.outcomes[0].reason == "peer has no association"


def test_refused_association(pair):
    world = pair(ServerConfig(clients=(1,)))
    world.client.open([Get(3, VALUE)])
    world.clock.run(world.clock.now + 10 * SECOND)
    assert world.client.outcomes[0].reason == "refused: client not known"
    assert world.client.results == [(Get(3, VALUE), None, NO_ANSWER, 0, 0)]


def test_aare_may_not_grant_what_was_not_proposed(alone):
    world, _ = alone()
    feed(world, Aare(InitiateResponse(0x10 | SELECTIVE_ACCESS).encode()).encode())
    assert world.client.outcomes[0].reason == "refused: AARE grants what was not proposed"


# --- strictness


@pytest.mark.parametrize(
    ("octets", "address"),
    [
        (AARE, (18, 1, 16)),
        (AARE, (17, 2, 16)),
        (AARE, (17, 1, 1)),
        (AARE + b"\x00", (17, 1, 16)),
        (AARE[:-1], (17, 1, 16)),
        (RLRE, (17, 1, 16)),
        (ANSWER, (17, 1, 16)),
        (b"", (17, 1, 16)),
    ],
)
def test_only_the_right_aare_opens(alone, octets, address):
    world, session = alone()
    assert feed(world, octets, *address) is False
    assert session.state == life.OPENING
    assert len(dropped(world)) == 1
    assert feed(world, AARE)
    assert session.state == life.RELEASING


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\xc4\x01\xc2" + ANSWER[3:], "wrong invoke id"),
        (b"\xc4\x01\x41" + ANSWER[3:], "wrong invoke id"),
        (SetResponseNormal(0xC1).encode(), "response of another service"),
        (ANSWER + b"\x00", None),
        (ANSWER[:-1], None),
        (AARE, None),
        (RLRE, None),
        (bytes.fromhex("C001C10003010001080 0FF0200".replace(" ", "")), "unexpected GetRequest"),
    ],
)
def test_only_the_right_response_answers(alone, octets, reason):
    world, session = alone([Get(3, VALUE)])
    feed(world, AARE)
    assert feed(world, octets) is False
    assert world.client.results == []
    assert session.state == life.REQUESTING
    assert reason is None or dropped(world) == [reason]
    assert feed(world, ANSWER)
    assert world.client.results[0][1] == Data(DOUBLE_LONG_UNSIGNED, 12345)
    assert feed(world, ANSWER) is False
    assert dropped(world)[-1] == "response to nothing"


def test_event_notifications_belong_to_no_session(alone):
    world, _ = alone(config=ClientConfig(client_wport=1))
    note = EventNotification(None, 3, VALUE, 2, Data(UNSIGNED, 1)).encode()
    assert world.client.sessions.received(17, 1, 1, note) is False
    assert world.client.sessions.received(18, 1, 1, AARE) is False
    assert dropped(world) == []


# --- loss, duplication, delay


@pytest.mark.parametrize("seed", range(40))
def test_through_a_bad_link(pair, seed):
    world = pair(seed=seed, loss=250, duplicates=300, jitter_us=40_000)
    requests = []
    for n in range(6):
        requests += [Get(3, VALUE), Action(1, COUNTER, 1, Data(INTEGER, n)), Set(1, COUNTER, 2, Data(UNSIGNED, n))]
    world.client.open(requests, ClientConfig(tries=6, release_tries=4, jitter_us=SECOND))
    world.clock.run(world.clock.now + 7200 * SECOND)
    assert [result[0] for result in world.client.results] == requests
    (outcome,) = world.client.outcomes
    done = [result for result in world.client.results if result[2] == 0]
    if outcome.released:
        assert len(done) == 18
        # what was answered ran, and ran once
        assert world.server.runs == [n for n in range(6) for _ in range(2)]
    assert all(result[1].value == 12345 for result in done if result[0] == Get(3, VALUE))
    sessions = world.client.sessions
    assert sessions.open_sessions() == []
    ends = [e for e in world.link.trace if type(e).__name__ in ("SessionClosed", "SessionAborted") and e.node == 0]
    assert len(ends) == 1
    assert world.clock.pending == 0


def test_a_bad_link_is_mostly_overcome(pair):
    released = 0
    for seed in range(40):
        world = pair(seed=seed, loss=250)
        world.client.open([Get(3, VALUE)] * 6)
        world.clock.run(world.clock.now + 7200 * SECOND)
        released += world.client.outcomes[0].released
    assert 8 <= released < 40


@pytest.mark.parametrize("seed", range(3))
def test_same_seed_same_run(pair, seed):
    traces = []
    for _ in range(2):
        world = pair(seed=seed, loss=300, duplicates=300, jitter_us=500_000, copy_us=30 * SECOND)
        world.client.open([Get(3, VALUE)] * 4, ClientConfig(jitter_us=SECOND))
        world.clock.run(world.clock.now + 7200 * SECOND)
        assert len(world.client.outcomes) == 1
        traces.append(world.link.trace)
    assert traces[0] == traces[1]


SEEDS = [AARE, REFUSED, RLRE, ANSWER, NOT_ALLOWED, NOT_SUPPORTED, SetResponseNormal(0xC1).encode()]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_total_over_any_octets(alone, data):
    world, session = alone([Get(3, VALUE), Set(1, COUNTER, 2, Data(UNSIGNED, 7))])
    for _ in range(data.draw(st.integers(1, 6))):
        octets = bytearray(data.draw(st.one_of(st.sampled_from(SEEDS), st.binary(max_size=50))))
        if octets and data.draw(st.booleans()):
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        session.received(17, 1, 16, bytes(octets))
    world.clock.run()
    assert len(world.client.outcomes) == 1
    assert len(world.client.results) == 2
