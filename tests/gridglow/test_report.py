"""The report at the end of a run, as text."""

from __future__ import annotations

import io

from rich.console import Console

from emulation.scenario import load
from g3plc.events import Job, ReadDone
from gridglow.report import Results, picture

ENERGY = bytes((1, 0, 1, 8, 0, 255))


def read(meter: int, hops: int) -> ReadDone:
    return ReadDone(5_000_000, 0, meter, ENERGY, 2, "1234", "Wh", hops, 1, 1_500_000, meter)


def test_hops_that_no_meter_has_are_left_out() -> None:
    results = Results()
    results.observe([read(1, 1), read(2, 6), Job(9_000_000, 0, 1, "collect", 0, "done", "2 of 48 meters read")])
    summary = {
        "meters": 48, "read": 2, "failed": [], "emulated_s": 5.0, "wall_s": 0.1, "frames": 9, "hearers": 3,
        "frames_by_type": {"RREQ": 9}, "delivery_ratio": 1.0, "retries": 0, "collisions": 0,
        "rtt_ms": {"p50": 1, "p95": 2}, "digest": "00", "hops": {"1": 1, "2": 0, "3": 0, "4": 0, "5": 0, "6": 1},
    }  # fmt: skip
    console = Console(file=io.StringIO(), width=120)
    console.print(picture(load("night"), summary, results, 120))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "2 of 48 meters read" in text
    rows = [line.split()[:2] for line in text.splitlines() if line[:4].strip() in {"1", "2", "3", "4", "5", "6"}]
    assert ["6", "1"] in rows and ["2", "0"] not in rows
