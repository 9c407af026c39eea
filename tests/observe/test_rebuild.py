"""A folder of evidence, and the same folder from its events.jsonl alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulation.observe.evidence import Evidence
from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import EvidenceError
from emulation.observe.metrics import Metrics
from emulation.observe.rebuild import rebuild, rebuild_capture
from emulation.observe.record import Digest
from g3plc.events import Event

FILES = [
    "events.jsonl", "frames-psdu.pcapng", "frames.pcapng", "logs/coordinator.log", "logs/meter-1.log",
    "logs/meter-2.log", "logs/meter-3.log", "readings.csv", "sequence.mmd", "sequence.svg", "summary.json",
]  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(found)}


def record(folder: Path, facts: RunFacts, events: list[Event], psdu: bool = True) -> None:
    metrics, digest, evidence = Metrics(facts), Digest(), Evidence(folder, facts, psdu)
    for observer in (metrics, digest, *evidence.observers):
        for start in range(0, len(events), 100):
            observer.observe(events[start : start + 100])
    figures = {"emulated_s": 17, "wall_s": 0.123, "hearers": 2.5, "digest": digest.hexdigest()}
    evidence.finish(metrics.summary(**figures), figures)


@pytest.fixture
def recorded(tmp_path: Path, facts: RunFacts, paper: list[Event]) -> Path:
    record(tmp_path / "run", facts, paper)
    return tmp_path / "run"


def test_all_files_are_there(recorded: Path) -> None:
    assert sorted(files(recorded)) == FILES
    summary = json.loads((recorded / "summary.json").read_text())
    assert list(summary)[:6] == ["scenario", "seed", "profile", "feeder", "meters", "read"]
    assert (summary["wall_s"], summary["emulated_s"], len(summary["digest"])) == (0.123, 17, 64)


def test_the_events_alone_give_every_file_again_octet_for_octet(tmp_path: Path, recorded: Path) -> None:
    (tmp_path / "alone").mkdir()
    (recorded / "events.jsonl").rename(tmp_path / "alone" / "events.jsonl")
    summary = rebuild(tmp_path / "alone" / "events.jsonl", tmp_path / "again", psdu=True)
    (tmp_path / "alone" / "events.jsonl").rename(recorded / "events.jsonl")
    assert files(tmp_path / "again") == files(recorded)
    assert summary == json.loads((recorded / "summary.json").read_text())


def test_files_of_an_earlier_run_are_replaced(facts: RunFacts, recorded: Path) -> None:
    record(recorded, facts, [], psdu=False)
    assert sorted(files(recorded)) == ["events.jsonl", "frames.pcapng", "readings.csv", "summary.json"]


def test_events_that_were_changed_are_noticed(tmp_path: Path, recorded: Path) -> None:
    path = recorded / "events.jsonl"
    path.write_text(path.read_text().replace('"lqi":88', '"lqi":87', 1))
    with pytest.raises(EvidenceError, match="digest differs"):
        rebuild(path, tmp_path / "again")


def test_a_run_is_not_rebuilt_over_itself(recorded: Path) -> None:
    before = files(recorded)
    with pytest.raises(EvidenceError, match="own folder"):
        rebuild(recorded / "events.jsonl", recorded / ".." / "run")
    assert files(recorded) == before


def test_a_capture_alone_can_be_made_later(tmp_path: Path, recorded: Path) -> None:
    for name, psdu in (("frames.pcapng", False), ("frames-psdu.pcapng", True)):
        rebuild_capture(recorded / "events.jsonl", tmp_path / name, psdu)
        assert (tmp_path / name).read_bytes() == (recorded / name).read_bytes()


def test_a_cut_file_is_refused_with_its_line(tmp_path: Path, recorded: Path) -> None:
    path = recorded / "events.jsonl"
    path.write_bytes(path.read_bytes()[:10_000])
    with pytest.raises(EvidenceError, match=r"events.jsonl:\d+: not JSON"):
        rebuild(path, tmp_path / "again")
