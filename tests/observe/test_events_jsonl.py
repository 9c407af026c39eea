"""events.jsonl: what is written is read back, event for event; anything else is refused with file and line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import EvidenceError, JsonlReader, JsonlWriter, event_lines, header_line
from emulation.observe.jsonl_frame import MOST_US
from emulation.observe.record import field_types
from g3plc.events import EVENTS, Event, TxStart

TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=127), max_size=20)
VALUES = {int: st.integers(-(2**63), 2**63), bytes: st.binary(max_size=40), str: TEXT}


def any_event(kind: type[Event]) -> st.SearchStrategy[Event]:
    fields = [VALUES[type_] for type_ in field_types(kind).values()]
    return st.tuples(st.integers(0, MOST_US), *fields[1:]).map(kind._make)


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
        ('{"event":"TxEnd","t":-1,"node":2,"frame":3}', "TxEnd.t: -1; expected 0 to 1"),
        ('{"event":"TxEnd","t":100000000000000001,"node":2,"frame":3}', "TxEnd.t: 1"),
        ('{"event":' + "[" * 100_000, "not JSON"),
        ('{"end"', "not JSON"),
        ('{"end":7}', "end: 7; expected figures by name"),
        ('{"end":null}', "end: None; expected figures by name"),
        ('{"end":{"digest":7}}', "end: digest: 7; expected hexadecimal digits"),
        ('{"end":{"digest":""}}', "end: digest: ''; expected hexadecimal digits"),
        ('{"end":{"wall_s":"long"}}', "end: wall_s: 'long'; expected a number"),
        ('{"end":{"wall_s":NaN}}', "end: wall_s: nan; expected a number"),
        ('{"end":{"wall_s":-Infinity}}', "end: wall_s: -inf; expected a number"),
        ('{"end":{"a\\u001b":[]}}', "end: a.x1b: .*expected a number"),
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
    "header",
    ["", "nonsense", "[]", "{}", '{"gridglow":2}', '{"gridglow":true}', '{"gridglow":"1"}', '{"gridglow":1}',
     '{"gridglow":1,"colour":"red"}', "[" * 100_000, "\x00"],
)  # fmt: skip
def test_a_file_without_a_proper_header_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(header + "\n")
    with pytest.raises(EvidenceError) as caught:
        JsonlReader(path)
    assert str(caught.value).startswith(f"{path}:1: ")


def spoilt(path: Path, facts: RunFacts, change: Callable[[dict[str, Any]], object]) -> Path:
    header = json.loads(header_line(facts))
    change(header)
    path.write_text(json.dumps(header) + "\n")
    return path


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("scenario", 7, "text of at most 1000 letters"),
        ("scenario", "x" * 1001, "text of at most 1000 letters"),
        ("feeder", None, "text of at most"),
        ("feeder_sha256", [], "text of at most"),
        ("profile", "\ud800", "text of at most"),
        ("version", 0.1, "text of at most"),
        ("seed", "1", "a whole number, 0 to 9223372036854775807"),
        ("seed", -1, "a whole number, 0 to"),
        ("seed", 1.0, "a whole number, 0 to"),
        ("seed", True, "a whole number, 0 to"),
        ("epoch_s", -1, "a whole number, 0 to 8589934592"),
        ("epoch_s", 1 << 60, "a whole number, 0 to 8589934592"),
        ("meters", 1 << 15, "a whole number, 0 to 32767"),
        ("pan", 1 << 16, "a whole number, 0 to 65535"),
        ("pan", "781d", "a whole number, 0 to 65535"),
        ("texts", [], "texts by name"),
        ("texts", {"scenario": 7}, "texts by name"),
    ],
)
def test_a_header_with_a_wrong_value_names_key_and_expectation(
    tmp_path: Path, facts: RunFacts, key: str, value: object, expected: str
) -> None:
    path = spoilt(tmp_path / "events.jsonl", facts, lambda header: header.update({key: value}))
    with pytest.raises(EvidenceError) as caught:
        JsonlReader(path)
    said = str(caught.value)
    assert said.startswith(f"{path}:1: header: {key}: ") and f"; expected {expected}" in said
    assert len(said.splitlines()) == 1 and said.isprintable() and len(said) < 300


def test_a_header_with_a_missing_or_unknown_key_is_refused(tmp_path: Path, facts: RunFacts) -> None:
    path = spoilt(tmp_path / "events.jsonl", facts, lambda header: header.pop("meters"))
    with pytest.raises(EvidenceError, match="header: meters is missing; expected a whole number, 0 to 32767"):
        JsonlReader(path)
    path = spoilt(tmp_path / "events.jsonl", facts, lambda header: header.update(colour="red"))
    with pytest.raises(EvidenceError, match=r"header: 'colour' is unknown; allowed: scenario, seed, .*texts"):
        JsonlReader(path)
    path = spoilt(tmp_path / "events.jsonl", facts, lambda header: [header.pop("pan"), header.pop("texts")])
    assert (JsonlReader(path).facts.pan, JsonlReader(path).facts.texts) == (0x781D, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_any_header_and_any_end_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    facts = RunFacts("s", 1, "f", "0", 0, "demo", 1, "0", texts={"scenario": "x"})
    header = json.loads(header_line(facts))
    for key in data.draw(st.lists(st.sampled_from([*header, "colour"]), max_size=3)):
        header[key] = data.draw(JSON)
    figures = data.draw(JSON | st.dictionaries(st.sampled_from(["digest", "wall_s", "x"]), JSON, max_size=3))
    path = tmp_path_factory.mktemp("jsonl") / "events.jsonl"
    path.write_text(json.dumps(header) + "\n" + json.dumps({"end": figures}) + "\n")
    try:
        reader = JsonlReader(path)
        assert list(reader) == []
        json.dumps(reader.figures, allow_nan=False)
        header_line(reader.facts).encode()
    except EvidenceError as error:
        assert error.line in (1, 2) and str(error).startswith(f"{path}:{error.line}: ")
        assert len(str(error).splitlines()) == 1


@given(st.data())
def test_any_damage_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    facts = RunFacts("s", 1, "f", "0", 0, "demo", 1, "0")
    path = write(tmp_path_factory.mktemp("jsonl") / "events.jsonl", facts, data.draw(st.lists(ANY, max_size=3)))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 5))] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"null", b"-", b"9" * 5000, b'"', b"{", b"}\n", b"1e999", b"true"])
        )
    path.write_bytes(content)
    try:
        list(JsonlReader(path))
    except EvidenceError as error:
        assert str(error).startswith(f"{path}:{error.line}: ")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="No such file"):
        JsonlReader(tmp_path / "events.jsonl")


def test_unknown_keys_of_a_later_version_are_ignored(tmp_path: Path, facts: RunFacts) -> None:
    path = write(tmp_path / "events.jsonl", facts, [], end=False)
    path.write_text(path.read_text() + '{"event":"TxEnd","t":1,"node":2,"frame":3,"colour":"red"}\n')
    assert [tuple(event) for event in JsonlReader(path)] == [(1, 2, 3)]
