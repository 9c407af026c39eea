"""What `record` makes of messages: order, evidence, refusals. No broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.faults import NOBODY
from emulation.live import event_map
from emulation.live.records import RunRecord
from emulation.live.topics import Topics
from emulation.observe.jsonl import JsonlReader
from emulation.scenario import Scenario, loads
from g3plc import events as ev
from g3plc.events import Event
from gridglow.recording import WINDOW_S, Recording, Reorder

T = Topics()


def event(t: int, node: int = 1) -> ev.Power:
    return ev.Power(t, node, 1, 1)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=40))
def test_what_comes_in_within_the_window_comes_out_in_order(arrivals: list[tuple[int, int]]) -> None:
    """Time of the event in seconds, and by how many twentieths of the window it was delayed."""
    order = Reorder()
    taken: list[Event] = []
    for at, t, _ in sorted((t + delay / 20 * WINDOW_S * 0.99, t, n) for n, (t, delay) in enumerate(arrivals)):
        taken += order.take(at)
        order.put(event(t * 1_000_000), at)
    taken += order.take(float("inf"))
    assert [one[0] for one in taken] == sorted(t * 1_000_000 for t, _ in arrivals)
    assert order.late == 0


def test_events_of_one_moment_keep_their_order() -> None:
    order = Reorder()
    for node in (3, 1, 2):
        order.put(event(7, node), 0.0)
    assert [one[1] for one in order.take(WINDOW_S)] == [3, 1, 2]


def test_an_event_whose_turn_is_over_is_counted_and_left_out() -> None:
    order = Reorder()
    order.put(event(10), 0.0)
    assert order.take(WINDOW_S / 2) == []
    assert len(order.take(WINDOW_S)) == 1
    order.put(event(9), WINDOW_S)
    assert (order.late, order.take(float("inf"))) == (1, [])


@pytest.fixture
def scenario() -> Scenario:
    return loads('feeder = "row4"\n', "row.toml", None)


@pytest.fixture
def recording(scenario: Scenario, tmp_path: Path) -> Recording:
    feeder = scenario.feeder
    run = RunRecord(7, 1, 0, "demo", feeder.name, feeder.sha256, "row", scenario.text)
    return Recording(tmp_path / "run", run, scenario, T, 0.0)


def put(recording: Recording, one: Event, who: int | str | None = None) -> None:
    topic = T.event(one[1] if who is None else who, type(one).__name__)
    recording.receive(topic, event_map.encode(one), 0.0)


def test_a_record_has_the_header_of_its_run(recording: Recording, scenario: Scenario, tmp_path: Path) -> None:
    put(recording, event(5))
    put(recording, ev.Fault(3, NOBODY, 1, "link", "1-2", "down", 0, "begin", 0), "director")
    summary = recording.finish(2.5)
    reader = JsonlReader(tmp_path / "run" / "events.jsonl")
    assert [type(one).__name__ for one in reader] == ["Fault", "Power"]
    assert (reader.facts.scenario, reader.facts.meters, reader.facts.texts["scenario"]) == ("row", 3, scenario.text)
    assert reader.figures["live"] is True
    assert summary["wall_s"] == 2.5
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["digest"] == summary["digest"]


def test_a_record_that_begins_in_the_middle(recording: Recording) -> None:
    """Ends of frames, answers and fates whose beginning nobody has recorded."""
    for one in (
        ev.TxEnd(1, 1, 5),
        ev.RxOk(2, 2, 1, 5, 7000, 80),
        ev.Ack(3, 1, 2, 5, "ack"),
        ev.SessionClosed(4, 0, 3, 1),
        ev.ReadDone(5, 0, 3, bytes((1, 0, 1, 8, 0, 255)), 2, "12", "Wh", 3, 1, 1000, 1),
    ):
        put(recording, one)
    summary = recording.finish(1.0)
    assert (summary["read"], recording.failures, recording.refused) == (1, [], 0)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (T.event(1, "Power"), b""),
        (T.event(1, "Nonsense"), b"\x80"),
        (T.event(1, "Power"), b"\xff" * 100),
        (T.event(2, "Power"), event_map.encode(event(1, node=1))),
        (T.event(9, "Power"), event_map.encode(event(1, node=9))),
        (T.event("director", "Power"), event_map.encode(event(1, node=9))),
        (T.event("x", "Power"), event_map.encode(event(1, node=1))),
        ("elsewhere", b""),
    ],
)
def test_what_is_no_event_of_this_network_is_counted(recording: Recording, topic: str, payload: bytes) -> None:
    recording.receive(topic, payload, 0.0)
    assert recording.refused == 1
    recording.finish(1.0)
    assert recording.events == 0


def test_a_folder_that_cannot_be_written_is_an_os_error(scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    feeder = scenario.feeder
    run = RunRecord(7, 1, 0, "demo", feeder.name, feeder.sha256, "row", scenario.text)
    with pytest.raises(OSError):
        Recording(tmp_path / "file" / "run", run, scenario, T, 0.0)
