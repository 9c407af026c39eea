"""A folder of evidence, and the same folder from its events.jsonl alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.observe.evidence import Evidence
from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import EvidenceError, JsonlWriter
from emulation.observe.jsonl_frame import MOST_US
from emulation.observe.metrics import Metrics
from emulation.observe.rebuild import rebuild, rebuild_capture
from emulation.observe.record import Digest, field_types
from g3plc.events import Ack, Event, RxLost, RxOk, TxStart
from g3plc.sap import DT_ACK

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
    assert not (tmp_path / "again").exists()


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
    assert not (tmp_path / "again").exists()


def test_a_capture_that_fails_leaves_nothing_behind(tmp_path: Path, recorded: Path) -> None:
    path = recorded / "events.jsonl"
    path.write_bytes(path.read_bytes()[:10_000])
    before = sorted(recorded.iterdir())
    capture = recorded / "frames.pcapng"
    kept = capture.read_bytes()
    with pytest.raises(EvidenceError, match=r"events.jsonl:\d+: not JSON"):
        rebuild_capture(path, capture, False)
    assert capture.read_bytes() == kept
    assert sorted(recorded.iterdir()) == before
    capture.unlink()
    with pytest.raises(EvidenceError, match=r"events.jsonl:\d+: not JSON"):
        rebuild_capture(path, capture, False)
    assert sorted(recorded.iterdir()) == [file for file in before if file != capture]


def test_a_capture_where_none_can_be_written_is_an_os_error(tmp_path: Path, recorded: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        rebuild_capture(recorded / "events.jsonl", tmp_path / "nowhere" / "frames.pcapng", False)
    (tmp_path / "folder.pcapng").mkdir()
    with pytest.raises(OSError, match="directory"):
        rebuild_capture(recorded / "events.jsonl", tmp_path / "folder.pcapng", False)
    assert [path.name for path in tmp_path.iterdir() if path != recorded] == ["folder.pcapng"]


ANY = {int: st.integers(-(2**70), 2**70), bytes: st.binary(max_size=300), str: st.text(st.characters(codec="ascii"))}


def any_event(kind: type[Event]) -> st.SearchStrategy[Event]:
    fields = [ANY[type_] for type_ in field_types(kind).values()]
    return st.tuples(st.integers(0, MOST_US), *fields[1:]).map(kind._make)


@given(st.lists(st.one_of([any_event(kind) for kind in (TxStart, RxOk, RxLost, Ack)]), max_size=12), st.booleans())
def test_any_events_make_a_capture(tmp_path_factory: pytest.TempPathFactory, events: list[Event], psdu: bool) -> None:
    """The file may come from anywhere: numbers beyond all measure and octets that are no frame are captured too."""
    facts = RunFacts("s", 1, "f", "0", 0, "demo", 1, "0")
    folder = tmp_path_factory.mktemp("any")
    writer = JsonlWriter(folder / "events.jsonl", facts)
    writer.observe(events)
    writer.close()
    rebuild_capture(folder / "events.jsonl", folder / "frames.pcapng", psdu)
    blocks = (folder / "frames.pcapng").read_bytes()
    count = 0
    while blocks:
        size = int.from_bytes(blocks[4:8], "little")
        assert blocks[size - 4 : size] == blocks[4:8]
        blocks = blocks[size:]
        count += 1
    sent = sum(isinstance(event, TxStart) and event.dt < DT_ACK for event in events)
    assert count == 2 + sent if psdu else 2 <= count <= 2 + sent
