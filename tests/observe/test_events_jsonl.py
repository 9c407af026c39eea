"""events.jsonl: what is written is read back, event for event; anything else is refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import EvidenceError, JsonlReader, JsonlWriter, event_lines, header_line
from emulation.observe.record import field_types
from g3plc.events import EVENTS, Event, TxStart

TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=127), max_size=20)
VALUES = {int: st.integers(-(2**63), 2**63), bytes: st.binary(max_size=40), str: TEXT}


def any_event(kind: type[Event]) -> st.SearchStrategy[Event]:
    fields = [VALUES[type_] for type_ in field_types(kind).values()]
    return st.tuples(*fields).map(kind._make)


ANY = st.one_of([any_event(kind) for kind in EVENTS])


def write(path: Path, facts: RunFacts, events: list[Event], end: bool = True) -> Path:
    writer = JsonlWriter(path, facts)
    writer.observe(events)
    if end:
        writer.finish({"wall_s": 0.5, "digest": "00"})
    writer.close()
    return path


def test_a_run_is_read_back(tmp_path: Path, facts: RunFacts, paper: list[Event]) -> None:
    reader = JsonlReader(write(tmp_path / "events.jsonl", facts, paper))
    assert reader.facts == facts
    assert list(reader) == paper
    assert reader.figures == {"wall_s": 0.5, "digest": "00"}
    assert list(reader) == paper


def test_a_run_that_was_killed_is_read_as_far_as_it_goes(tmp_path: Path, facts: RunFacts, paper: list[Event]) -> None:
    reader = JsonlReader(write(tmp_path / "events.jsonl", facts, paper, end=False))
    assert list(reader) == paper
    assert reader.figures == {}


def test_the_lines_are_what_the_document_says(facts: RunFacts) -> None:
    event = TxStart(1_000, 17, 3, b"\x01\xff", 0, 63, 1, 31_000, 4, 0, 20, 99)
    assert event_lines([event]) == (
        '{"event":"TxStart","t":1000,"node":17,"frame":3,"psdu":"01ff","modulation":0,"tone_map":63,"dt":1,'
        '"duration_us":31000,"next_hop":4,"attempt":0,"kind":20,"message":"GET_REQUEST","flow":99}\n'
    )
    header = json.loads(header_line(facts))
    assert header["gridglow"] == 1
    assert (header["scenario"], header["seed"], header["meters"], header["pan"]) == ("row4", 7, 3, 0x781D)


@given(st.lists(ANY, max_size=8))
def test_any_events_come_back(tmp_path_factory: pytest.TempPathFactory, events: list[Event]) -> None:
    facts = RunFacts("s", 1, "f", "0", 0, "demo", 1, "0")
    path = tmp_path_factory.mktemp("jsonl") / "events.jsonl"
    assert list(JsonlReader(write(path, facts, events))) == events
    assert path.read_bytes().isascii()
    for line in path.read_text(encoding="ascii").splitlines():
        json.loads(line)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"event":"TxEnd","t":1,"node":2', "not JSON"),
        ("[]", "not a JSON object"),
        ('{"event":"Nonsense","t":1}', "unknown event 'Nonsense'"),
        ('{"event":["TxEnd"],"t":1}', "unknown event"),
        ('{"event":"TxEnd","t":1,"node":2}', "TxEnd without frame"),
        ('{"event":"TxEnd","t":1,"node":2,"frame":"x"}', "TxEnd.frame"),
        ('{"event":"TxEnd","t":1,"node":2,"frame":true}', "TxEnd.frame"),
        ('{"event":"ReadDone","t":1,"node":0,"meter":1,"obis":"0g"}', "not hexadecimal"),
        ('{"event":"ReadDone","t":1,"node":0,"meter":1,"obis":7}', "not hexadecimal"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path: Path, facts: RunFacts, line: str, reason: str) -> None:
    path = write(tmp_path / "events.jsonl", facts, [], end=False)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(EvidenceError, match=reason) as caught:
        list(JsonlReader(path))
    assert caught.value.line == 2
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "header", ["", "nonsense", "[]", "{}", '{"gridglow":2}', '{"gridglow":1}', '{"gridglow":1,"colour":"red"}']
)
def test_a_file_without_a_proper_header_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(header + "\n")
    with pytest.raises(EvidenceError):
        JsonlReader(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="No such file"):
        JsonlReader(tmp_path / "events.jsonl")


def test_unknown_keys_of_a_later_version_are_ignored(tmp_path: Path, facts: RunFacts) -> None:
    path = write(tmp_path / "events.jsonl", facts, [], end=False)
    path.write_text(path.read_text() + '{"event":"TxEnd","t":1,"node":2,"frame":3,"colour":"red"}\n')
    assert [tuple(event) for event in JsonlReader(path)] == [(1, 2, 3)]
