"""summary.json and readings.csv: counted by hand on small stories."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.observe.facts import RunFacts
from emulation.observe.metrics import Metrics
from emulation.observe.percentiles import ms, percentile, ratio
from emulation.observe.readings import ReadingsWriter
from g3plc.core import flow
from g3plc.events import (
    Ack,
    ApduReceived,
    ApduSent,
    Defer,
    Event,
    Job,
    Power,
    Queue,
    ReadDone,
    ReadFailed,
    Rrep,
    Rreq,
    RxLost,
    SessionAborted,
    TxStart,
)

OBIS = bytes.fromhex("0100010800FF")
TAG = flow.flow_tag(0, 1, flow.GET_REQUEST)


def summary_of(facts: RunFacts, events: list[Event], **figures: Any) -> dict[str, Any]:
    metrics = Metrics(facts)
    metrics.observe(events)
    return metrics.summary(**figures)


def test_the_paper_in_numbers(facts: RunFacts, paper: list[Event]) -> None:
    summary = summary_of(facts, paper, wall_s=0.5, hearers=2.5, digest="ab")
    assert (summary["meters"], summary["read"], summary["hops"]) == (3, 1, {"1": 0, "2": 0, "3": 1})
    assert summary["failed"] == [{"meter": "meter-2", "reason": "no route", "explained_by": "RERR from meter-1"}]
    assert summary["frames"] == sum(summary["frames_by_type"].values()) == 76
    assert summary["frames_by_type"]["RREQ"] == 10
    assert summary["frames_by_type"]["ACK"] == 32
    assert summary["retries"] == 1
    assert summary["delivery_ratio"] == 0.9697
    assert summary["rreq_per_discovery"] == 2.5
    assert summary["aborted_sessions"] == 1
    assert (summary["seed"], summary["wall_s"], summary["hearers"], summary["digest"]) == (7, 0.5, 2.5, "ab")


def test_every_figure_of_the_contract_is_there_even_of_nothing(facts: RunFacts) -> None:
    summary = summary_of(facts, [], wall_s=0.0, hearers=0.0, digest="")
    for key in (
        "meters", "read", "failed", "emulated_s", "wall_s", "frames", "frames_by_type", "hearers", "collisions",
        "retries", "hops", "rtt_ms", "delivery_ratio", "seed", "digest",
    ):  # fmt: skip
        assert key in summary
    assert summary["rtt_ms"] == {"p50": 0, "p95": 0}
    assert summary["delivery_ratio"] == 0.0


def test_a_frame_of_several_segments_is_delivered_by_the_ack_of_its_last(facts: RunFacts, story: Any) -> None:
    story.segmented(0, 1, [b"a" * 30, b"b" * 30], TAG)
    frame = story.start(0, 1, story.psdu(0, 1, b"c" * 30, 0, last=False), TAG)

    story.add(Ack(story.now, 0, 1, frame, "ack"))
    assert summary_of(facts, story.events)["delivery_ratio"] == 0.5


def test_retries_count_tries_not_segments(facts: RunFacts, story: Any) -> None:
    for attempt in range(3):
        for number in range(2):
            story.start(0, 1, story.psdu(0, 1, b"a" * 30, number, last=number == 1), TAG, attempt)
    summary = summary_of(facts, story.events)
    assert (summary["retries"], summary["frames"]) == (2, 6)


def test_the_busy_share_counts_overlapping_transmissions_once(facts: RunFacts) -> None:
    def tx(t: int, node: int, duration: int) -> TxStart:
        return TxStart(t, node, 1, b"\x01\0\0", 0, 63, 0, duration, 65535, 0, 1, 0)

    events: list[Event] = [
        Power(10**12, 0, 1, 1),
        tx(10**12 + 100, 1, 100),
        tx(10**12 + 150, 2, 100),
        tx(10**12 + 160, 3, 10),
        tx(10**12 + 900, 1, 100),
    ]
    summary = summary_of(facts, events)
    assert summary["busy_share"] == 0.25
    assert summary["emulated_s"] == 0.001


def test_a_collision_is_a_transmission_that_somebody_lost_to_another(facts: RunFacts) -> None:
    def lost(node: int, frame: int, reason: str) -> RxLost:
        return RxLost(5, node, 1, frame, 8000, 50, "header", reason, 9, 9)

    events: list[Event] = [
        lost(2, 1, "collision"),
        lost(3, 1, "collision"),
        lost(4, 1, "noise"),
        lost(2, 2, "collision"),
    ]
    summary = summary_of(facts, [*events, Defer(6, 1, 1, 8)])
    assert summary["collisions"] == 2
    assert summary["receptions_lost"] == {"collision": 3, "noise": 1}
    assert summary["deferrals"] == 1


def test_round_trips_are_from_the_last_try_of_a_request_to_its_answer(facts: RunFacts) -> None:
    def sent(t: int, kind: int) -> ApduSent:
        return ApduSent(t, 0, 3, 16, 1, b"", kind, 0, 1)

    def received(t: int) -> ApduReceived:
        return ApduReceived(t, 0, 3, 1, 16, b"", flow.GET_RESPONSE, 0, 1)

    events: list[Event] = []
    for number in range(20):
        start = number * 10_000_000
        events += [sent(start, flow.GET_REQUEST), sent(start + 5_000_000, 0xC0)]
        events += [received(start + 5_000_000 + (number + 1) * 10_000), received(start + 9_000_000)]
    summary = summary_of(facts, events)
    assert summary["rtt_ms"] == {"p50": 100, "p95": 190}


def test_discoveries_are_timed_from_the_first_request_to_the_first_reply(facts: RunFacts) -> None:
    def rreq(t: int, number: int) -> Rreq:
        return Rreq(t, 0, "sent", 65535, 0, 3, number, 0, 0, 8, 0, "")

    def rrep(t: int, hops: int) -> Rrep:
        return Rrep(t, 0, "received", 1, 3, 0, 1, 12, hops, 8, 0, "")

    events: list[Event] = [
        rreq(1_000_000, 1), rreq(5_000_000, 2), rrep(6_500_000, 2), rrep(6_600_000, 1),
        rreq(10_000_000, 3), Queue(14_000_000, 0, "discarded", 3, 0),
        rreq(20_000_000, 4), rrep(20_400_000, 0),
    ]  # fmt: skip
    found = summary_of(facts, events)["discoveries"]
    assert (found["rreq_originated"], found["answered"]) == (4, 2)
    assert found["by_hops"] == {
        "1": {"count": 1, "p50": 400, "p90": 400},
        "3": {"count": 1, "p50": 5500, "p90": 5500},
    }


def test_a_meter_read_after_all_has_not_failed(facts: RunFacts) -> None:
    failed = ReadFailed(1, 0, 2, OBIS, 2, "time-out", "", 3, 1)
    done = ReadDone(2, 0, 2, OBIS, 2, "5", "Wh", 1, 1, 1_000, 2)
    assert summary_of(facts, [failed, done])["failed"] == []
    assert summary_of(facts, [done, failed])["failed"] == []
    assert len(summary_of(facts, [failed])["failed"]) == 1


def test_readings_are_a_table(tmp_path: Path, facts: RunFacts) -> None:
    path = tmp_path / "readings.csv"
    writer = ReadingsWriter(path, facts)
    writer.observe([ReadDone(61_500_000, 0, 17, OBIS, 2, "12345", "Wh", 3, 2, 2_345_678, 1)])
    writer.observe([ReadDone(86_400_000_000, 0, 2, OBIS, 2, 'a "quoted", value', "", 1, 1, 499, 2)])
    writer.close()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "meter": "meter-17", "obis": "1.0.1.8.0.255", "value": "12345", "unit": "Wh",
        "read_at": "2025-01-15T00:01:01", "hops": "3", "attempts": "2", "duration_ms": "2346",
    }  # fmt: skip
    assert rows[1]["read_at"] == "2025-01-16T00:00:00"
    assert rows[1]["value"] == 'a "quoted", value'


@given(st.lists(st.integers(0, 10**9), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_integers_are_rounded_the_same_everywhere() -> None:
    assert [ms(us) for us in (0, 499, 500, 1_499, 1_500)] == [0, 0, 1, 1, 2]
    assert (ratio(1, 3), ratio(2, 3), ratio(1, 0), ratio(5, 2, 2)) == (0.3333, 0.6667, 0.0, 2.5)
    assert percentile([], 50) == 0


def _job(t: int, job: int, verb: str, status: str, detail: str = "", station: int = 0) -> Job:
    return Job(t, 0, job, verb, station, status, detail)


def _asks(meter: int) -> ApduSent:
    return ApduSent(2, 0, meter, 16, 1, b"", flow.AARQ, 0, 1)


def _reads(meter: int) -> ReadDone:
    return ReadDone(3, 0, meter, OBIS, 2, "1", "Wh", 1, 1, 1, 1)


def test_the_limit_leaves_the_meters_of_open_jobs_unread(facts: RunFacts) -> None:
    events: list[Event] = [
        _job(1, 1, "collect", "accepted"), _asks(1), _reads(1), _asks(2),
        SessionAborted(4, 0, 2, 7, "AARQ not sent: route error"),
    ]  # fmt: skip
    assert summary_of(facts, events, emulated_s=400.5, limit_reached=True)["failed"] == [
        {
            "meter": "meter-2",
            "reason": "the limit of 400.5 s was reached",
            "explained_by": "AARQ not sent: route error",
        },
        {"meter": "meter-3", "reason": "not asked", "explained_by": "the limit of 400.5 s was reached"},
    ]
    assert summary_of(facts, events, emulated_s=400.5, limit_reached=False)["failed"] == []
    alone: list[Event] = [_job(1, 1, "read", "accepted", station=2), _asks(2)]
    assert summary_of(facts, alone, emulated_s=3.0, limit_reached=True)["failed"] == [
        {"meter": "meter-2", "reason": "the limit of 3 s was reached", "explained_by": ""}
    ]


@pytest.mark.parametrize("reboot", [True, False])
def test_a_coordinator_that_goes_off_leaves_its_meters_unread(facts: RunFacts, reboot: bool) -> None:
    off = "the coordinator was switched off"
    events: list[Event] = [_job(1, 1, "collect", "accepted"), _asks(1), _reads(1), _asks(2), Power(4, 0, 0, 1)]
    if reboot:
        events += [SessionAborted(4, 0, 2, 7, "reboot"), _job(4, 1, "collect", "failed", off)]
    assert summary_of(facts, events)["failed"] == [
        {"meter": "meter-2", "reason": off, "explained_by": ""},
        {"meter": "meter-3", "reason": "not asked", "explained_by": off},
    ]
    again: list[Event] = [_job(5, 2, "collect", "accepted"), _reads(2), _reads(3), _job(6, 2, "collect", "done")]
    assert summary_of(facts, [*events, *again])["failed"] == []
