"""Jobs of a scenario through the whole stack: discover, read, set, act, and what a meter says by itself."""

from __future__ import annotations

from typing import Any

import pytest

from g3plc import events as ev
from g3plc.core import flow
from g3plc.wire.xdlms import EventNotification

SECOND = 1_000_000
SEEDS = (1, 2, 3)

CLOCK = "0.0.1.0.0.255"
BREAKER = "0.0.96.3.10.255"


def answers(run: Any) -> list[tuple[int, str, str]]:
    return [(e.job, e.status, e.detail) for e in run.of(ev.Job) if e.status != "accepted"]


@pytest.mark.parametrize("seed", SEEDS)
def test_route(shipped: Any, seed: int) -> None:
    run = shipped("route", seed)
    assert [(e.job, e.verb, e.station, e.status) for e in run.of(ev.Job) if e.status != "accepted"] == [
        (1, "discover", 48, "done"), (2, "discover", 24, "done"), (3, "discover", 9, "done"),
    ]  # fmt: skip
    for done in run.of(ev.Job, status="done"):
        table = run.tables(done.t)[0]
        next_hop, hops, usable = table[done.station]
        assert usable and (f"over {hops} hop" in done.detail)
        assert next_hop == done.station or f"next hop meter-{next_hop}" in done.detail
        # the way stands at every relay of it, and ends at the meter
        here, way = 0, [0]
        tables = run.tables(done.t)
        while here != done.station:
            here = tables[here][done.station][0]
            assert here not in way
            way.append(here)
        assert len(way) - 1 == hops
    assert not run.of((ev.ApduSent, ev.ReadFailed))


@pytest.mark.parametrize("seed", SEEDS)
def test_read(shipped: Any, seed: int) -> None:
    run = shipped("read", seed)
    sent = [e.kind for e in run.of(ev.ApduSent)]
    expected = [flow.AARQ, flow.AARE, flow.GET_REQUEST, flow.GET_RESPONSE, flow.RLRQ, flow.RLRE]
    assert list(dict.fromkeys(sent)) == expected
    done = run.one(ev.ReadDone)
    assert (done.meter, done.unit, done.obis) == (48, "Wh", bytes((1, 0, 1, 8, 0, 255)))
    asked = run.of(ev.ApduSent, node=0, kind=flow.GET_REQUEST)[0]
    assert asked.apdu == bytes.fromhex("C0 01 00 00 01 01 00 01 08 00 FF 02 00")
    assert run.one(ev.SessionClosed, node=0).session == done.session


@pytest.mark.parametrize("seed", SEEDS)
def test_sag(shipped: Any, seed: int) -> None:
    """The notification goes to the coordinator through the mesh, on the meter's own initiative."""
    run = shipped("sag", seed)
    dip = run.one(ev.Fault, state="begin")
    assert (dip.kind, dip.where, dip.value) == ("voltage", "31", 198)
    sent = run.of(ev.ApduSent, node=31, peer=0, kind=flow.EVENT_NOTIFICATION)[0]
    assert sent.t == dip.t
    got = run.of(ev.ApduReceived, node=0, peer=31, kind=flow.EVENT_NOTIFICATION)[0]
    assert got.apdu == sent.apdu
    message = EventNotification.decode(got.apdu)
    assert (message.class_id, message.instance_id, message.attribute_id) == (3, bytes((1, 0, 32, 7, 0, 255)), 2)
    assert message.value.value == 1980
    way = run.hops(got.flow)
    assert way[0][0] == 31 and way[-1][1] == 0 and len(way) >= 1
    assert run.of(ev.Rreq, node=31, action="sent", originator=31, destination=0)
    # nobody had asked before; asked afterwards, the meter confirms it
    assert not [e for e in run.of(ev.ApduSent, node=0) if e.t <= got.t]
    done = run.one(ev.ReadDone)
    assert (done.meter, done.value, done.unit) == (31, "198.0", "V")
    end = run.one(ev.Fault, state="end")
    assert end.t - dip.t == 20 * SECOND
    assert len(run.of(ev.ApduReceived, node=0, kind=flow.EVENT_NOTIFICATION, flow=sent.flow)) == 1


def test_a_dip_that_does_not_go_under_the_threshold_says_nothing(network: Any, texts: Any) -> None:
    run = network(texts.row4 + texts.fault(2, "215 for 5", voltage=2) + texts.job(3, "read", 2, obis="1.0.32.7.0.255"))
    assert not run.of(ev.ApduSent, kind=flow.EVENT_NOTIFICATION)
    assert run.one(ev.ReadDone).value == "215.0"


def test_a_forced_voltage_outlives_a_reboot_of_the_meter(network: Any, texts: Any) -> None:
    voltage = {"obis": "1.0.32.7.0.255"}
    run = network(
        texts.row4
        + texts.fault(2, "215 for 60", voltage=2)
        + texts.fault(5, "reboot", station=2)
        + texts.job(20, "read", 2, **voltage)
        + texts.job(70, "read", 2, **voltage)
    )
    first, second = run.of(ev.ReadDone)
    assert first.value == "215.0" and second.value != "215.0"


def test_set_the_clock(network: Any, texts: Any) -> None:
    """SET of the clock over three hops; read back it has moved on by as long as it took."""
    text = (
        "start = 2026-11-23T01:00:00Z\n"
        + texts.row4
        + texts.job(1, "set", 3, class_=8, obis=CLOCK, value="date-time:2026-12-31T23:59:50Z")
        + texts.job(20, "read", 3, class_=8, obis=CLOCK)
        + texts.job(30, "read", 2, class_=8, obis=CLOCK)
    )
    run = network(text)
    assert [status for _, status, _ in answers(run)] == ["done"] * 3
    assert len(run.hops(run.of(ev.ApduSent, kind=flow.SET_REQUEST)[0].flow)) == 3
    set_at = run.of(ev.ApduReceived, node=3, kind=flow.SET_REQUEST)[0].t
    asked_at = run.of(ev.ApduReceived, node=3, kind=flow.GET_REQUEST)[0].t
    answer = run.of(ev.ApduSent, node=3, kind=flow.GET_RESPONSE)[0].apdu
    # C4 01 invoke 00, octet-string of 12: year, month, day, weekday, hour, minute, second, hundredths, ...
    assert answer[3:6] == bytes((0, 9, 12))
    moment = answer[6:18]
    assert moment[:4] == bytes.fromhex("07EB 01 01") and moment[5:7] == bytes(2)
    shown = moment[7] * 100 + (moment[8] if moment[8] != 0xFF else 0)
    assert abs(shown - ((asked_at - set_at) // 10_000 - 1000)) <= 100
    # the other meter's clock is its own
    other = run.of(ev.ApduSent, node=2, kind=flow.GET_RESPONSE)[0].apdu
    assert other[6:9] == bytes.fromhex("07EA 0B")


def test_a_wrong_set_is_refused_by_the_meter_and_told(network: Any, texts: Any) -> None:
    text = (
        texts.row4
        + texts.job(1, "set", 1, class_=3, obis="1.0.1.8.0.255", value="double-long-unsigned:0")
        + texts.job(5, "set", 1, class_=8, obis=CLOCK, value="octet-string:00")
        + texts.job(10, "read", 1, obis="1.0.99.8.0.255")
        + texts.job(15, "act", 1, class_=70, obis=BREAKER, method=9, value="integer:0")
    )
    run = network(text)
    assert [status for _, status, _ in answers(run)] == ["failed"] * 4
    assert all(detail for _, _, detail in answers(run))
    assert len(run.of(ev.SessionClosed, node=0)) == 4 and not run.of(ev.SessionAborted)


def test_a_meter_that_is_cut_off_stops_counting(network: Any, texts: Any) -> None:
    """Remote interruption by ACTION: the register stands still, power is 0; reconnected it counts on."""
    breaker = {"class_": 70, "obis": BREAKER, "value": "integer:0"}
    hours = 3600
    text = (
        "start = 2026-11-23T17:00:00Z\n"
        + texts.row4.replace("limit = 600", "limit = 40000")
        + texts.job(1, "read", 3)
        + texts.job(2 * hours, "read", 3)
        + texts.job(2 * hours + 60, "act", 3, method=1, **breaker)
        + texts.job(2 * hours + 120, "read", 3)
        + texts.job(2 * hours + 180, "read", 3, obis="1.0.1.7.0.255")
        + texts.job(5 * hours, "read", 3)
        + texts.job(5 * hours + 60, "act", 3, method=2, **breaker)
        + texts.job(7 * hours, "read", 3)
    )
    run = network(text)
    assert [status for _, status, _ in answers(run)] == ["done"] * 8
    energy = [int(e.value) for e in run.of(ev.ReadDone) if e.obis[2] == 1 and e.obis[3] == 8]
    assert energy[0] < energy[1] <= energy[2] == energy[3] < energy[4]
    assert [e.value for e in run.of(ev.ReadDone) if e.obis[3] == 7] == ["0"]


def test_the_breaker_and_the_register_outlive_a_reboot(network: Any, texts: Any) -> None:
    breaker = {"class_": 70, "obis": BREAKER, "value": "integer:0"}
    text = (
        "start = 2026-11-23T17:00:00Z\n"
        + texts.row4.replace("limit = 600", "limit = 20000")
        + texts.job(1, "act", 1, method=1, **breaker)
        + texts.job(10, "read", 1)
        + texts.fault(20, "off for 3600", station=1)
        + texts.job(4000, "read", 1)
    )
    run = network(text)
    first, second = run.of(ev.ReadDone)
    assert first.value == second.value


def test_jobs_to_many_meters_at_once(network: Any, texts: Any) -> None:
    """Twelve searches and sessions at a time are more than the channel likes: every job is answered all the same."""
    meters = range(3, 48, 4)
    run = network(texts.board + "".join(texts.job(1, "read", meter) for meter in meters))
    assert sorted(job for job, _, _ in answers(run)) == list(range(1, len(meters) + 1))
    assert len(run.read) >= len(meters) - 2 and run.read | {e.meter for e in run.of(ev.ReadFailed)} == set(meters)


def test_sessions_in_parallel(network: Any, texts: Any) -> None:
    run = network(texts.board + texts.job(1, "collect") + "[collection]\nparallel = 4\n", 2)
    assert run.read == set(range(1, 49))
    most, now = 0, set()
    for event in run.of((ev.ApduSent, ev.SessionClosed, ev.SessionAborted), node=0):
        if isinstance(event, ev.ApduSent):
            now.add(event.session)
        else:
            now.discard(event.session)
        most = max(most, len(now))
    assert 2 <= most <= 4


def test_the_order_of_a_collection(network: Any, texts: Any) -> None:
    by_number = network(texts.board + texts.job(1, "collect") + '[collection]\norder = "number"\n', 2)
    assert by_number.read == set(range(1, 49))
    first_asked = list(dict.fromkeys(e.peer for e in by_number.of(ev.ApduSent, node=0)))
    assert sum(1 for a, b in zip(first_asked, sorted(first_asked), strict=True) if a == b) > 24
