from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g3plc.core.errors import WireError
from g3plc.cosem import association as life
from g3plc.cosem.config import ServerConfig
from g3plc.cosem.date_time import decode_date_time, encode_date_time
from g3plc.wire import apdu, xdlms
from g3plc.wire.acse import Aare, Aarq, Rlrq
from g3plc.wire.axdr import INTEGER, LONG, UNSIGNED, Data
from g3plc.wire.xdlms import ActionRequestNormal, GetRequestNormal, SetRequestNormal
from g3plc.wire.xdlms_initiate import (
    ACTION,
    GET,
    SELECTIVE_ACCESS,
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)

AARQ = Aarq(InitiateRequest(client_max_receive_pdu_size=500).encode()).encode()
OTHER_AARQ = Aarq(InitiateRequest(client_max_receive_pdu_size=600).encode()).encode()
BAD_AARQ = Aarq(InitiateRequest().encode(), application_context=3).encode()
RLRQ = Rlrq().encode()
GET_PAPER = bytes.fromhex("C001000003010001080 0FF0200".replace(" ", ""))
ANSWER_PAPER = bytes.fromhex("C401000006 00003039".replace(" ", ""))
GET_C1 = b"\xc0\x01\xc1" + GET_PAPER[3:]
NOT_ALLOWED = bytes.fromhex("D80101")
NOT_SUPPORTED = bytes.fromhex("D80202")
EVENT = bytes.fromhex("C200") + GET_PAPER[3:-1] + b"\x11\x01"


def handle(world, octets, peer=0, client=16, server=1):
    return world.server.server.handle(peer, client, server, octets)


def in_state(world, state):
    if state != life.IDLE:
        handle(world, AARQ)
    if state == life.RELEASED:
        handle(world, RLRQ)


def aare(octets):
    assert len(octets) == 1
    return Aare.decode(octets[0])


OCTETS = {
    life.AARQ: OTHER_AARQ,
    life.AARQ_AGAIN: AARQ,
    life.AARQ_REFUSED: BAD_AARQ,
    life.REQUEST: GET_C1,
    life.SILENT_REQUEST: SetRequestNormal(0x01, 1, bytes((0, 0, 96, 15, 0, 255)), 2, None, Data(UNSIGNED, 5)).encode(),
    life.RLRQ: RLRQ,
    life.UNKNOWN_REQUEST: b"\xc0\x03\xc1\x00",
    life.FOREIGN: ANSWER_PAPER,
}
FIRST_OCTET = {
    life.ACCEPT: 0x61,
    life.RESTART: 0x61,
    life.REPEAT_AARE: 0x61,
    life.REFUSE: 0x61,
    life.ABORT_AND_REFUSE: 0x61,
    life.NOT_ALLOWED: 0xD8,
    life.RELEASE: 0x63,
    life.REPEAT_RLRE: 0x63,
    life.EXPLAIN: 0xD8,
    life.DROP: None,
    life.ABORT: None,
    life.FORGET: None,
}


def test_table_is_total_and_uses_every_action():
    assert set(life.TABLE) == {(s, i) for s in range(len(life.STATE_NAMES)) for i in range(len(life.INPUT_NAMES))}
    assert {action for _, action in life.TABLE.values()} == set(range(len(life.ACTION_NAMES)))


@pytest.mark.parametrize(("state", "column"), sorted(life.TABLE))
def test_server_follows_the_table(pair, state, column):
    world = pair()
    in_state(world, state)
    before = len(world.link.noted(world.events.SessionAborted))
    after, action = life.TABLE[state, column]
    if column == life.EXPIRED:
        world.clock.run()
        answers = []
    else:
        answers = handle(world, OCTETS[column])
    served = 0xC4 if column == life.REQUEST else None
    expected = served if action == life.SERVE else FIRST_OCTET[action]
    assert [answer[0] for answer in answers] == ([] if expected is None else [expected])
    assert world.server.server.open_associations() == ([(0, 16, 1)] if after == life.OPEN else [])
    # released is told from idle by what an RLRQ gets
    if after != life.OPEN:
        assert handle(world, RLRQ)[0][0] == (0x63 if after == life.RELEASED else 0xD8)
    aborted = len(world.link.noted(world.events.SessionAborted)) - before
    assert aborted == (1 if action in (life.RESTART, life.ABORT_AND_REFUSE, life.ABORT) else 0)


def test_session_of_the_paper(pair):
    world = pair()
    accepted = aare(handle(world, AARQ))
    agreed = InitiateResponse.decode(accepted.user_information)
    assert (accepted.result, agreed.vaa_name, agreed.dlms_version) == (0, 7, 6)
    assert handle(world, GET_PAPER) == [ANSWER_PAPER]
    assert handle(world, RLRQ) == [bytes.fromhex("6303800100")]
    kinds = [type(event).__name__ for event in world.link.trace]
    assert kinds == ["SessionOpen", "SessionClosed"]


def test_unconfirmed_get_is_a_switch(pair):
    world = pair(ServerConfig(answer_unconfirmed_get=False))
    handle(world, AARQ)
    assert handle(world, GET_PAPER) == []
    assert len(handle(world, GET_C1)) == 1


def test_conformance_is_proposed_and_ours(pair):
    world = pair()
    proposal = InitiateRequest(GET | ACTION | SELECTIVE_ACCESS).encode()
    accepted = aare(handle(world, Aarq(proposal).encode()))
    assert InitiateResponse.decode(accepted.user_information).conformance == GET | ACTION
    write = SetRequestNormal(0xC1, 1, world.counter, 2, None, Data(UNSIGNED, 5)).encode()
    assert handle(world, write) == [NOT_SUPPORTED]
    assert handle(world, bytes((*write[:2], 0x01, *write[3:]))) == []
    assert world.server.runs == []


@pytest.mark.parametrize(
    ("aarq", "client", "diagnostic", "error"),
    [
        (Aarq(InitiateRequest().encode(), application_context=2), 16, 2, None),
        (Aarq(InitiateRequest().encode(), application_context=3), 16, 2, None),
        (Aarq(InitiateRequest().encode(), mechanism=1, authentication=b"12345678"), 16, 11, None),
        (Aarq(InitiateRequest().encode(), mechanism=5, authentication=b"0123456789012345"), 16, 11, None),
        (Aarq(InitiateRequest().encode()), 99, 3, None),
        (Aarq(None), 16, 1, None),
        (Aarq(b"\x21\x05\x30\x01\x02\x03\x04"), 16, 1, 0),
        (Aarq(InitiateRequest(dlms_version=5).encode()), 16, 1, 1),
        (Aarq(InitiateRequest(SELECTIVE_ACCESS).encode()), 16, 1, 2),
        (Aarq(InitiateRequest(client_max_receive_pdu_size=11).encode()), 16, 1, 3),
        (Aarq(InitiateRequest(dedicated_key=bytes(16)).encode()), 16, 1, 0),
    ],
)
def test_refused_aarq(pair, aarq, client, diagnostic, error):
    world = pair()
    refused = aare(handle(world, aarq.encode(), client=client))
    assert (refused.result, refused.diagnostic_source, refused.diagnostic) == (1, 1, diagnostic)
    if error is None:
        assert refused.user_information is None
    else:
        assert ConfirmedServiceError.decode(refused.user_information) == ConfirmedServiceError(1, 6, error)
    assert world.server.server.open_associations() == []


def test_one_association_too_many_is_rejected_as_transient(pair):
    world = pair(ServerConfig(max_associations=2))
    assert aare(handle(world, AARQ, peer=1)).result == 0
    assert aare(handle(world, AARQ, peer=2)).result == 0
    assert aare(handle(world, AARQ, peer=3)).result == 2
    handle(world, RLRQ, peer=1)
    assert aare(handle(world, AARQ, peer=3)).result == 0
    assert world.server.server.open_associations() == [(2, 16, 1), (3, 16, 1)]


def test_sessions_are_keyed_by_peer_and_both_ports(pair):
    world = pair()
    handle(world, AARQ)
    assert handle(world, GET_C1, peer=5) == [NOT_ALLOWED]
    assert handle(world, GET_C1, client=1) == [NOT_ALLOWED]
    assert handle(world, GET_C1, server=2) == []
    assert handle(world, GET_C1)[0][3] == 0
    assert [drop.reason for drop in world.link.noted(world.events.Dropped)][-1] == "no such server wPort"


@pytest.mark.parametrize(
    ("class_id", "name", "attribute", "code"),
    [
        (3, "0100010800FF", 9, xdlms.OBJECT_UNDEFINED),
        (3, "0100010801FF", 2, xdlms.OBJECT_UNDEFINED),
        (4, "0100010800FF", 2, xdlms.OBJECT_CLASS_INCONSISTENT),
        (1, "0000600F00FF", 3, xdlms.READ_WRITE_DENIED),
        (3, "0100010800FF", 0, xdlms.OBJECT_UNDEFINED),
    ],
)
def test_get_refusals(pair, class_id, name, attribute, code):
    world = pair()
    handle(world, AARQ)
    request = GetRequestNormal(0xC7, class_id, bytes.fromhex(name), attribute).encode()
    assert handle(world, request) == [bytes((0xC4, 1, 0xC7, 1, code))]


def test_access_selection_is_refused(pair):
    world = pair()
    handle(world, AARQ)
    request = GetRequestNormal(0xC1, 3, world.value, 2, (1, Data(UNSIGNED, 1))).encode()
    assert handle(world, request) == [bytes((0xC4, 1, 0xC1, 1, xdlms.SCOPE_OF_ACCESS_VIOLATED))]


def test_set_refusals(pair):
    world = pair(ServerConfig(read_only_clients=(16,)))
    write = SetRequestNormal(0xC1, 1, world.counter, 2, None, Data(UNSIGNED, 5))
    for client in (1, 16):
        handle(world, AARQ, client=client)
    assert handle(world, write.encode(), client=16) == [bytes((0xC5, 1, 0xC1, xdlms.READ_WRITE_DENIED))]
    assert handle(world, write.encode(), client=1) == [bytes((0xC5, 1, 0xC1, 0))]
    write.value = Data(LONG, 5)
    assert handle(world, write.encode(), client=1) == [bytes((0xC5, 1, 0xC1, xdlms.TYPE_UNMATCHED))]
    read_only = SetRequestNormal(0xC2, 3, world.value, 2, None, Data(UNSIGNED, 5))
    assert handle(world, read_only.encode(), client=1) == [bytes((0xC5, 1, 0xC2, xdlms.READ_WRITE_DENIED))]
    assert world.server.store == {"value": 5}


def test_action_refusals(pair):
    world = pair()
    handle(world, AARQ)
    for method, parameters, code in (
        (1, Data(UNSIGNED, 0), xdlms.TYPE_UNMATCHED),
        (1, None, xdlms.TYPE_UNMATCHED),
        (2, None, xdlms.OBJECT_UNDEFINED),
    ):
        request = ActionRequestNormal(0xC1, 1, world.counter, method, parameters).encode()
        assert handle(world, request) == [bytes((0xC7, 1, 0xC1, code, 0))]
    assert world.server.runs == []


def test_repeated_action_runs_once_and_gets_its_answer_again(pair):
    world = pair()
    handle(world, AARQ)
    request = ActionRequestNormal(0xC1, 1, world.counter, 1, Data(INTEGER, 0)).encode()
    first = handle(world, request)
    assert handle(world, request) == first
    assert world.server.runs == [0]
    # another invoke id is another request; the id that comes round again after fifteen others too
    for invoke in (*range(0xC2, 0xD0), 0xC1):
        handle(world, bytes((*request[:2], invoke, *request[3:])))
    assert len(world.server.runs) == 16


def test_silent_action_runs_once(pair):
    world = pair()
    handle(world, AARQ)
    request = ActionRequestNormal(0x01, 1, world.counter, 1, Data(INTEGER, 0)).encode()
    assert handle(world, request) == handle(world, request) == []
    assert world.server.runs == [0]


def test_new_association_forgets_old_answers(pair):
    world = pair()
    request = ActionRequestNormal(0xC1, 1, world.counter, 1, Data(INTEGER, 0)).encode()
    for _ in range(2):
        handle(world, AARQ)
        handle(world, request)
        handle(world, RLRQ)
    assert world.server.runs == [0, 0]


@pytest.mark.parametrize("asked", [GET_C1, OCTETS[life.SILENT_REQUEST], OCTETS[life.UNKNOWN_REQUEST], b"\xc8\x01\x02"])
def test_the_same_aarq_after_a_request_is_a_client_that_rebooted(pair, asked):
    """Whoever asks anything has had the AARE, and would not ask for another one."""
    world = pair()
    first = handle(world, AARQ)
    assert handle(world, AARQ) == first
    assert world.link.noted(world.events.SessionAborted) == []
    handle(world, asked)
    assert handle(world, AARQ) == first
    (aborted,) = world.link.noted(world.events.SessionAborted)
    assert (aborted.node, aborted.peer, aborted.reason) == (17, 0, "new association request")
    assert len(world.link.noted(world.events.SessionOpen)) == 2
    assert handle(world, AARQ) == first
    assert len(world.link.noted(world.events.SessionAborted)) == 1


def test_answer_longer_than_the_client_takes(pair):
    world = pair()
    handle(world, Aarq(InitiateRequest(client_max_receive_pdu_size=40).encode()).encode())
    request = GetRequestNormal(0xC1, 15, bytes((0, 0, 40, 0, 0, 255)), 2).encode()
    assert handle(world, request) == [bytes((0xC4, 1, 0xC1, 1, xdlms.OTHER_REASON))]
    handle(world, AARQ)
    listed = apdu.decode(handle(world, request)[0]).data
    assert [row.value[0].value for row in listed.value] == [15, 1, 3]


def test_inactivity_aborts(pair):
    world = pair(ServerConfig(inactivity_us=60_000_000))
    start = world.clock.now
    handle(world, AARQ)
    world.clock.run_until(start + 50_000_000)
    handle(world, GET_C1)
    world.clock.run_until(start + 109_999_999)
    assert world.server.server.open_associations() == [(0, 16, 1)]
    world.clock.run()
    (aborted,) = world.link.noted(world.events.SessionAborted)
    assert (aborted.t, aborted.node, aborted.peer, aborted.reason) == (start + 110_000_000, 17, 0, "inactivity")
    assert handle(world, GET_C1) == [NOT_ALLOWED]


@pytest.mark.parametrize("octets", [b"", ANSWER_PAPER, NOT_ALLOWED, EVENT, b"\x61\x00", AARQ[:-1], AARQ + b"\x00"])
def test_never_answered(pair, octets):
    world = pair()
    assert handle(world, octets) == []
    handle(world, AARQ)
    assert handle(world, octets) == []
    assert len(world.link.noted(world.events.Dropped)) == 2


@pytest.mark.parametrize(
    "octets", [b"\xc8\x01\x02", b"\xdb\x00", b"\x05\x01\x02\x00\x08", GET_C1[:-1], GET_C1 + b"\x00"]
)
def test_explained(pair, octets):
    world = pair()
    handle(world, AARQ)
    assert handle(world, octets) == [NOT_SUPPORTED]
    assert world.server.server.open_associations() == [(0, 16, 1)]


SEEDS = [AARQ, BAD_AARQ, RLRQ, GET_C1, GET_PAPER, EVENT, OCTETS[life.SILENT_REQUEST], ANSWER_PAPER]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_total_over_any_octets(pair, data):
    world = pair()
    for _ in range(data.draw(st.integers(1, 6))):
        octets = bytearray(data.draw(st.one_of(st.sampled_from(SEEDS), st.binary(max_size=60))))
        for _ in range(data.draw(st.integers(0, 3))):
            if octets:
                octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        answers = handle(world, bytes(octets))
        assert len(answers) <= 1
        for answer in answers:
            apdu.decode(answer)


@pytest.mark.parametrize("cut", range(12))
def test_date_time_of_another_length(cut):
    with pytest.raises(WireError):
        decode_date_time(encode_date_time(0)[:cut])


@given(st.integers(0, 32_503_680_000_000_000 - 1), st.integers(-720, 720), st.integers(0, 255))
def test_date_time_round_trip(moment, deviation, status):
    octets = encode_date_time(moment, deviation, status)
    assert decode_date_time(octets) == (moment - moment % 10_000, deviation, status)


def test_date_time_vector():
    assert encode_date_time(1_768_521_600_120_000, -60) == bytes.fromhex("07EA0110050000000CFFC400")
    for bad in (
        "FFFF0110050000000CFFC400",
        "07EA0D10050000000CFFC400",
        "07EA0110010000000CFFC400",
        "07EA01100500000064FFC400",
    ):
        with pytest.raises(WireError):
            decode_date_time(bytes.fromhex(bad))
    assert decode_date_time(bytes.fromhex("07EA0110FF000000FF800000"))[0] == 1_768_521_600_000_000


@given(st.binary(min_size=12, max_size=12))
def test_date_time_is_total(octets):
    try:
        decode_date_time(octets)
    except WireError:
        pass
