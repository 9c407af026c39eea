"""A recorded run as light: the times of its events, where one begins to look, and what is wrong with a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulation.grid.feeder import Feeder
from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import EvidenceError, event_lines, header_line
from g3plc import events as ev
from g3plc.core import flow
from led_gateway.board import Board
from led_gateway.replay import Replay, display_ms, emulated_us, feeder_of, length_us, open_run
from led_gateway.show import Show

FEEDER = Feeder.load("row4")
FACTS = RunFacts("row4", 1, FEEDER.name, FEEDER.sha256, 0, "demo", FEEDER.meters, "0", texts={"feeder": FEEDER.source})


def sent(t: int, node: int, dst: int, frame: int) -> list[ev.Event]:
    """A transmission of 100 ms that nobody acknowledges."""
    kind = flow.GET_REQUEST
    return [
        ev.TxStart(t, node, frame, b"", 0, 63, 0, 100_000, dst, 0, kind, 0),
        ev.TxEnd(t + 100_000, node, frame),
    ]


EVENTS: list[ev.Event] = [
    *(ev.Power(0, station, 1, 1) for station in range(4)),
    ev.Clock(0, -1, 1, 4000),
    *sent(1_000_000, 0, 1, 1),
    *sent(3_000_000, 1, 2, 1),
    ev.ReadDone(5_000_000, 0, 2, bytes(6), 2, "1", "Wh", 2, 1, 100_000, 1),
]


def run(folder: Path, events: list[ev.Event], facts: RunFacts = FACTS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "events.jsonl").write_text(header_line(facts) + event_lines(events))
    return folder


@pytest.mark.parametrize(("t_us", "permille", "t_ms"), [(0, 250, 0), (1_000_000, 250, 4000), (1_000_000, 2000, 500),
                                                        (999, 1000, 0), (1_000, 1000, 1)])  # fmt: skip
def test_emulated_and_display_time(t_us: int, permille: int, t_ms: int) -> None:
    assert display_ms(t_us, permille) == t_ms
    assert display_ms(emulated_us(t_ms, permille), permille) == t_ms


def test_events_come_at_their_display_times(tmp_path: Path) -> None:
    reader, feeder = open_run(run(tmp_path / "run", EVENTS))
    replay = Replay(Show(Board(feeder)), reader, 500)
    assert len(replay.advance(0)) == 4  # and no Clock: the speed is the viewer's
    assert replay.advance(1999) == []
    assert [type(event) for event in replay.advance(2200)] == [ev.TxStart, ev.TxEnd]
    assert replay.now_us == 1_100_000 and not replay.over
    assert len(replay.advance(1_000_000)) == 3 and replay.over


def test_the_light_of_the_record_is_that_of_its_events(tmp_path: Path) -> None:
    reader, feeder = open_run(run(tmp_path / "run", EVENTS))
    replayed, fed = Show(Board(feeder)), Show(Board(feeder))
    replay = Replay(replayed, reader, 250)
    fed.take(ev.Clock(0, -1, 0, 250), 0)
    waiting = [event for event in EVENTS if not isinstance(event, ev.Clock)]
    lit = set()
    for t_ms in range(0, 6000, 25):
        replay.advance(t_ms)
        while waiting and waiting[0][0] <= t_ms * 250:
            event = waiting.pop(0)
            fed.take(event, event[0] // 250)
        frame = replayed.frame(t_ms)
        assert frame == fed.frame(t_ms)
        lit.add(frame)
    assert len(lit) > 10


@pytest.mark.parametrize("t_ms", [0, 4500, 12_600])
def test_where_one_begins_to_look_makes_no_difference(tmp_path: Path, t_ms: int) -> None:
    folder = run(tmp_path / "run", EVENTS)
    shows = []
    for jump in (False, True):
        reader, feeder = open_run(folder)
        show = Show(Board(feeder))
        replay = Replay(show, reader, 250)
        if jump:
            seen = [event for events in replay.seek(t_ms) for event in events]
            assert all(event[0] <= t_ms * 250 for event in seen)
        else:
            for now_ms in range(0, t_ms, 25):
                replay.advance(now_ms)
                show.frame(now_ms)
        replay.advance(t_ms)
        shows.append(show.frame(t_ms))
    assert shows[0] == shows[1]


def test_length(tmp_path: Path) -> None:
    path = run(tmp_path / "run", EVENTS) / "events.jsonl"
    assert length_us(path) == 5_000_000
    with path.open("a") as file:
        file.write(json.dumps({"end": {"emulated_s": 9.0}}) + "\n")
    assert length_us(path) == 5_000_000
    assert length_us(run(tmp_path / "none", []) / "events.jsonl") == 0


def test_a_file_may_be_named_itself(tmp_path: Path) -> None:
    assert open_run(run(tmp_path / "run", EVENTS) / "events.jsonl")[1].sha256 == FEEDER.sha256


def test_a_feeder_that_ships_need_not_be_in_the_header() -> None:
    assert feeder_of(RunFacts("x", 1, "row4", FEEDER.sha256, 0, "demo", 3, "0"), "f").leds == FEEDER.leds


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (RunFacts("x", 1, "mine", "", 0, "demo", 3, "0"), "f:1: the header holds no feeder"),
        (RunFacts("x", 1, "row4", "ab", 0, "demo", 3, "0"), "f:1: the feeder in the header is not the one it names"),
        (RunFacts("x", 1, "row4", FEEDER.sha256, 0, "demo", 4, "0"), "is not the one it names"),
        (
            RunFacts("x", 1, "m", "", 0, "demo", 3, "0", texts={"feeder": "nonsense"}),
            "f:1: the feeder in the header: m",
        ),
    ],
)
def test_feeders_that_are_none(facts: RunFacts, reason: str) -> None:
    with pytest.raises(EvidenceError, match=reason):
        feeder_of(facts, "f")


def test_folders_without_a_run(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, reason in (("nowhere", "nowhere: no such folder"), ("empty", "empty: no events.jsonl in it")):
        with pytest.raises(EvidenceError, match=reason):
            open_run(tmp_path / name)
