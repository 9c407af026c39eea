"""Stations that are switched off, on, or restarted at a bad moment: sessions end on both sides, nothing is a ghost."""

from __future__ import annotations

from typing import Any

import pytest

from g3plc import events as ev
from g3plc.core import flow

SECOND = 1_000_000


def lives_are_kept_apart(run: Any) -> None:
    """A station that is off does nothing (its jobs fail in its name, though); frame numbers go on over a reboot."""
    on: set[int] = set()
    for event in run.events:
        if isinstance(event, ev.Power):
            (on.add if event.on else on.discard)(event.node)
        elif event.node != 0xFFFF and not isinstance(event, ev.Job):
            assert event.node in on, event
    frames = [(e.node, e.frame) for e in run.of(ev.TxStart)]
    assert len(frames) == len(set(frames))


def test_a_meter_reboots_in_the_middle_of_a_session(network: Any, texts: Any) -> None:
    """What the paper calls ABRT: both sides close the association with the reason, no octets are invented."""
    run = network(texts.row4 + texts.job(1, "read", 3, hold=5) + texts.fault(5, "reboot", station=3))
    opened = run.one(ev.SessionOpen, node=0)
    assert opened.t < 5 * SECOND
    theirs = run.one(ev.SessionAborted, node=3)
    ours = run.one(ev.SessionAborted, node=0)
    assert (theirs.t, theirs.peer, theirs.reason) == (5 * SECOND, 0, "reboot")
    assert (ours.peer, ours.session, ours.reason) == (3, opened.session, "peer has no association")
    exception = run.one(ev.ApduReceived, node=0, kind=flow.EXCEPTION)
    assert exception.apdu[0] == 0xD8 and exception.t == ours.t
    failed = run.one(ev.ReadFailed)
    assert "restarted" in failed.explained_by
    assert [(e.on, e.boot) for e in run.of(ev.Power, node=3)] == [(1, 1), (0, 1), (1, 2)]
    lives_are_kept_apart(run)


def test_a_meter_goes_away_in_the_middle_of_a_session(network: Any, texts: Any) -> None:
    """After the last retry the coordinator aborts; the meter says so when it is back."""
    run = network(
        texts.row4 + texts.job(1, "read", 3, hold=5) + texts.fault(5, "off", station=3)
        + texts.fault(550, "on", station=3)
    )  # fmt: skip
    ours, theirs = run.one(ev.SessionAborted, node=0), run.one(ev.SessionAborted, node=3)
    assert theirs.t == 550 * SECOND and theirs.reason == "reboot"
    assert ours.t < theirs.t and ours.reason
    failed = run.one(ev.ReadFailed)
    assert failed.attempts >= 4 and failed.reason and failed.explained_by
    lives_are_kept_apart(run)


def test_the_collection_reads_a_rebooted_meter_in_its_next_round(network: Any, texts: Any) -> None:
    calm = network(texts.row4 + texts.job(1, "collect"))
    opened = calm.one(ev.SessionOpen, node=0, peer=3)
    run = network(texts.row4 + texts.job(1, "collect") + texts.fault(round(opened.t / SECOND, 3), "reboot", station=3))
    assert run.one(ev.SessionAborted, node=3).reason == "reboot"
    assert run.read == {1, 2, 3} and not run.of(ev.ReadFailed)
    sessions = {e.session for e in run.of(ev.SessionOpen, node=0, peer=3)}
    assert len(sessions) == 2
    lives_are_kept_apart(run)


def test_the_coordinator_reboots_in_the_middle_of_a_session(network: Any, texts: Any) -> None:
    """Its jobs fail, its session is aborted, numbers of sessions go on; the meter notices with the next AARQ."""
    text = texts.row4 + texts.job(1, "read", 3)
    asked = network(text).one(ev.ApduReceived, node=3, kind=flow.GET_REQUEST).t
    run = network(text + texts.fault(round(asked / SECOND + 0.01, 6), "reboot", station=0) + texts.job(20, "read", 3))
    first, second = run.of(ev.SessionOpen, node=0)
    aborted = run.one(ev.SessionAborted, node=0)
    assert (aborted.session, aborted.reason) == (first.session, "reboot")
    assert second.session == first.session + 1
    told = run.one(ev.SessionAborted, node=3)
    assert first.t < aborted.t < told.t < second.t and told.reason
    assert [(e.job, e.status) for e in run.of(ev.Job) if e.status != "accepted"] == [(1, "failed"), (2, "done")]
    assert [e.meter for e in run.of(ev.ReadDone)] == [3]
    assert [isinstance(e, ev.SessionOpen) for e in run.of(
        (ev.SessionOpen, ev.SessionClosed, ev.SessionAborted), node=3)] == [True, False, True, False]  # fmt: skip
    lives_are_kept_apart(run)


def test_jobs_for_a_coordinator_that_is_off_fail_with_a_word(network: Any, texts: Any) -> None:
    run = network(
        texts.row4
        + texts.fault(1, "off for 10", station=0)
        + texts.job(2, "read", 3)
        + texts.job(3, "collect")
        + texts.job(20, "collect")
    )
    assert [(e.job, e.status, e.detail) for e in run.of(ev.Job)][:2] == [
        (1, "failed", "coordinator is off"), (2, "failed", "coordinator is off"),
    ]  # fmt: skip
    assert run.read == {1, 2, 3}
    lives_are_kept_apart(run)


def test_the_coordinator_reboots_in_the_middle_of_the_night(network: Any, texts: Any) -> None:
    run = network(
        texts.board + texts.job(1, "collect") + texts.fault(30, "reboot", station=0) + texts.job(40, "collect")
    )
    first, second = (e for e in run.of(ev.Job) if e.status != "accepted")
    assert (first.job, first.status) == (1, "failed") and "switched off" in first.detail
    assert (second.job, second.detail) == (2, "48 of 48 meters read")
    lives_are_kept_apart(run)


@pytest.mark.parametrize("word", ["reboot", "off for 5"])
def test_a_relay_reboots_and_the_network_finds_its_way_again(network: Any, texts: Any, word: str) -> None:
    """Its tables are empty, so it cannot even say where the datagrams it gets should have gone."""
    jobs = texts.job(1, "read", 3) + texts.job(30, "read", 3)
    for seed in (1, 2, 3):
        run = network(texts.row4 + jobs + texts.fault(20, word, station=1), seed)
        assert [e.status for e in run.of(ev.Job) if e.status != "accepted"] == ["done"] * 2, f"seed {seed}"
        lives_are_kept_apart(run)


def test_relays_reboot_all_through_the_night(network: Any, texts: Any) -> None:
    """Every ten seconds one of the stations that carry the most; what cannot be read then is read later."""
    calm = network("night", 3)
    busy: dict[int, int] = {}
    for event in calm.of(ev.TxStart, dt=1):
        busy[event.node] = busy.get(event.node, 0) + 1
    relays = sorted((node for node in busy if node), key=lambda node: -busy[node])[:6]
    faults = "".join(texts.fault(15 + 10 * turn, "reboot", station=node) for turn, node in enumerate(relays))
    run = network(texts.board.replace("600", "3600") + texts.job(1, "collect") + faults, 3)
    assert run.read == set(range(1, 49)), run.of(ev.ReadFailed)
    lives_are_kept_apart(run)


def test_at_any_moment(network: Any, texts: Any) -> None:
    """A relay is switched off and on at sixty moments of a session, in the middle of whatever is on the wire."""
    text = texts.row4.replace("limit = 600", "limit = 12") + texts.job(1, "read", 3)
    for step in range(60):
        at = round(3 + step * 0.037, 3)
        run = network(text + texts.fault(at, "off for 0.05", station=1 + step % 2))
        lives_are_kept_apart(run)


def test_everybody_reboots(network: Any, texts: Any) -> None:
    faults = "".join(texts.fault(20, "reboot", station=station) for station in range(4))
    run = network(texts.row4 + texts.job(1, "read", 3) + faults + texts.job(30, "read", 3))
    assert [e.status for e in run.of(ev.Job) if e.status != "accepted"] == ["done"] * 2
    first, second = run.of(ev.ReadDone)
    assert int(first.value) <= int(second.value)
    lives_are_kept_apart(run)
