"""The report at the end of a run, as text."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from emulation.scenario import load
from g3plc.events import Job, Power, ReadDone
from gridglow.report import Results, picture

ENERGY = bytes((1, 0, 1, 8, 0, 255))


def read(meter: int, hops: int) -> ReadDone:
    return ReadDone(5_000_000, 0, meter, ENERGY, 2, "1234", "Wh", hops, 1, 1_500_000, meter)


def shown(summary: dict[str, Any], results: Results, scenario: str = "night") -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(picture(load(scenario), summary, results, 120))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_hops_that_no_meter_has_are_left_out() -> None:
    results = Results()
    results.observe([read(1, 1), read(2, 6), Job(9_000_000, 0, 1, "collect", 0, "done", "2 of 48 meters read")])
    summary = {
        "meters": 48, "read": 2, "failed": [], "emulated_s": 5.0, "wall_s": 0.1, "frames": 9, "hearers": 3,
        "frames_by_type": {"RREQ": 9}, "delivery_ratio": 1.0, "retries": 0, "collisions": 0,
        "rtt_ms": {"p50": 1, "p95": 2}, "digest": "00", "hops": {"1": 1, "2": 0, "3": 0, "4": 0, "5": 0, "6": 1},
    }  # fmt: skip
    text = shown(summary, results)
    assert " 2 ●●●●●● 1.5 s" in text
    assert "2 of 48 meters read" in text
    rows = [line.split()[:2] for line in text.splitlines() if line[:4].strip() in {"1", "2", "3", "4", "5", "6"}]
    assert ["6", "1"] in rows and ["2", "0"] not in rows


def test_a_coordinator_that_stays_off_leaves_its_jobs_unfinished() -> None:
    results = Results()
    results.observe([Job(1_000_000, 0, 1, "read", 7, "accepted", ""), Power(2_000_000, 0, 0, 1)])
    summary = {
        "meters": 48, "read": 0, "emulated_s": 2.0, "wall_s": 0.1, "frames": 0, "hearers": 0, "frames_by_type": {},
        "failed": [{"meter": "meter-7", "reason": "the coordinator was switched off", "explained_by": ""}],
        "delivery_ratio": 0.0, "retries": 0, "collisions": 0, "rtt_ms": {"p50": 0, "p95": 0}, "digest": "00",
        "hops": {},
    }  # fmt: skip
    text = shown(summary, results)
    assert "read meter-7  not finished  the coordinator was switched off" in text
    assert "round trip" not in text and "limit" not in text
