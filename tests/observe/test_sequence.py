"""The sequence diagram: the paper's figure 2 from events, as Mermaid and as a drawing."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import JsonlWriter
from emulation.observe.jsonl_search import JsonlSearch
from emulation.observe.sequence import SequenceWriter
from emulation.observe.sequence_mermaid import mermaid
from emulation.observe.sequence_pick import Scout, from_events, from_file
from emulation.observe.sequence_story import ABORT, FAULT, MESSAGE, VALUE, Diagram
from emulation.observe.sequence_svg import svg
from g3plc.core import flow
from g3plc.events import Event, Fault, Power, ReadDone, ReadFailed, Rrep, TxStart
from g3plc.wire import loadng_msg


def drawn(events: list[Event], meter: int | None = None) -> Diagram:
    diagram = from_events(events, meter)
    assert diagram is not None
    return diagram


def scout_of(events: list[Event]) -> Scout:
    scout = Scout()
    scout.observe(events)
    return scout


def told(diagram: Diagram, facts: RunFacts) -> list[str]:
    return [line.strip() for line in mermaid(diagram, facts).splitlines()[4:]]


def test_the_papers_figure(facts: RunFacts, paper: list[Event]) -> None:
    lines = told(drawn(paper), facts)
    assert lines[:4] == [
        "participant A as A (coordinator)",
        "participant B as B (meter-1)",
        "participant C as C (meter-2)",
        "participant D as D (meter-3)",
    ]
    rest = "\n".join(lines[4:])
    discovery = (
        "A-)B: RREQ to all\nB-)C: RREQ to all\nC-)D: RREQ to all\n"
        "D->>C: RREP\nC-->>D: RREP_ACK (MAC)\nC->>B: RREP\nB-->>C: RREP_ACK (MAC)\n"
        "B->>A: RREP\nA-->>B: RREP_ACK (MAC)\n"
    )
    assert rest.startswith(discovery)
    there = "A->>B: {0}\nB->>C: {0}\nC->>D: {0}\n"
    back = "D->>C: {0}\nC->>B: {0}\nB->>A: {0}\n"
    session = there.format("AARQ") + back.format("AARE") + there.format("GET request") + back.format("GET response")
    release = there.format("RLRQ") + back.format("RLRE")
    assert rest.startswith(discovery + session + "Note over A: 3.251 s 1.0.1.8.0.255 = 12345 Wh\n" + release)
    broken = (
        "Note over A,D: 3.0 s later\nNote over B,C: 6.969 s link B to C down\nA->>B: GET request\n"
        "B--xC: GET request: no ACK\nB--xC: GET request (try 2): no ACK\nB->>A: RERR\nA-)B: RREQ to all\n"
    )
    assert broken in rest
    assert "Note over A: 11.792 s ABRT: no answer" in rest
    assert rest.endswith(discovery + there.format("GET request") + back.format("GET response").rstrip())


def test_every_table_on_the_way_is_shown(paper: list[Event]) -> None:
    diagram = drawn(paper)
    kinds = [step.what for step in diagram.steps]
    assert (kinds.count(VALUE), kinds.count(ABORT), kinds.count(FAULT)) == (1, 1, 2)
    assert [step.start for step in diagram.steps] == sorted(step.start for step in diagram.steps)
    assert {diagram.letter(step.src) for step in diagram.steps if step.what == MESSAGE} == set("ABCD")


def test_the_drawing_is_whole_xml_with_every_word(facts: RunFacts, paper: list[Event]) -> None:
    diagram = drawn(paper)
    root = ElementTree.fromstring(svg(diagram, facts))
    words = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]
    for step in diagram.steps:
        if step.label(diagram.letter):
            assert step.label(diagram.letter) in words
    assert {"A", "B", "C", "D", "coordinator", "meter-3", "association", "reading", "release"} <= set(words)
    dashed = [node for node in root.iter() if node.get("stroke-dasharray") == "6 5"]
    assert len(dashed) == 2 + 1  # two failed tries, and the key
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for node in root.iter():
        for key, limit in (("x", width), ("x1", width), ("x2", width), ("y", height), ("y1", height), ("y2", height)):
            assert 0 <= float(node.get(key, "0")) <= limit


def test_failed_tries_say_why(facts: RunFacts, story: Any) -> None:
    story.apdu([0, 1], flow.AARQ, story.AARQ_OCTETS, 1)
    for attempt, outcome in enumerate(("missed", "nack", "ack lost")):
        story.unicast(0, 1, story.msdu(0, 1, story.GET, 8, True), story.events[0].flow, outcome, attempt)
    story.add(ReadFailed(story.now, 0, 1, story.OBIS, 2, "time-out", "", 3, 1))
    lines = told(drawn(story.events), facts)
    assert "A--xB: AARQ: no ACK" in lines
    assert "A--xB: AARQ (try 2): NACK, collision" in lines
    assert "A--xB: AARQ (try 3): ACK lost" in lines
    assert any("not read: time-out" in line for line in lines)


def test_stations_of_a_second_way_stand_behind_the_one_before_them(story: Any) -> None:
    for path in ([0, 1, 2, 3], [0, 1, 5, 3]):
        story.apdu(path, flow.GET_REQUEST, story.GET, 1)
    story.add(ReadDone(story.now, 0, 3, story.OBIS, 2, "1", "Wh", 3, 1, 1, 1))
    assert drawn(story.events).stations == [0, 1, 5, 2, 3]


def test_repeats_beside_the_path_are_counted(facts: RunFacts, story: Any) -> None:
    story.rreq([0, 1, 2, 3], 1)
    for station in (7, 8, 9):
        story.broadcast(station, loadng_msg.Rreq(3, 0, 1, 15, 12, 7, 1).encode(), flow.flow_tag(0, 1, flow.RREQ), [])
    story.rrep([0, 1, 2, 3], 1)
    diagram = drawn(story.events)
    assert diagram.stations == [0, 1, 2, 3]
    assert [step.repeats for step in diagram.steps if step.kind == flow.RREQ][:1] == [3]
    assert "and 3 repeats beside the path" in svg(diagram, facts)


def test_draft15_shows_its_own_rrep_ack(facts: RunFacts, story: Any) -> None:
    story.rreq([0, 3], 1)
    story.rrep([0, 3], 1)
    story.unicast(0, 3, loadng_msg.RrepAck(3, 0, 1).encode(), story.new_flow(0, flow.RREP_ACK))
    story.add(Rrep(story.now, 0, "received", 3, 3, 0, 1, 0, 0, 8, 0, ""))
    assert "A->>B: RREP_ACK" in told(drawn(story.events), facts)


def test_reboots_are_marked(facts: RunFacts, paper: list[Event]) -> None:
    paper.insert(60, Power(paper[60][0], 2, 0, 1))
    assert any("meter-2 is switched off" in line for line in told(drawn(paper), facts))


def test_faults_at_a_station_say_what_and_where(facts: RunFacts, paper: list[Event]) -> None:
    when = paper[60][0]
    paper[60:60] = [
        Fault(when, 65535, 7, "voltage", "3", "voltage", 198, "begin", 0),
        Fault(when, 65535, 8, "noise", "2", "noise", 5, "begin", 0),
        Fault(when, 65535, 8, "noise", "2", "noise", 5, "end", 0),
        Fault(when, 65535, 9, "link", "2-3", "weak", 20, "begin", 0),
    ]
    lines = "\n".join(told(drawn(paper), facts))
    assert "s voltage at meter-3: 198 V\n" in lines
    assert "s noise at meter-2: +5 dB\n" in lines and "s noise at meter-2: +5 dB is over\n" in lines
    assert "s link C to D weak 20 dB\n" in lines


def test_the_farthest_meter_is_told_of(paper: list[Event]) -> None:
    near = ReadDone(1, 0, 1, bytes(6), 2, "1", "Wh", 1, 1, 1, 9)
    assert scout_of([near, *paper]).farthest() == 3
    assert scout_of([e for e in paper if not isinstance(e, ReadDone)]).farthest() == 2
    assert scout_of([e for e in paper if not isinstance(e, ReadDone | ReadFailed)]).farthest() == 3
    assert scout_of([]).farthest() is None
    assert from_events([]) is None
    assert from_events(paper, 9) is None


def busy(story: Any) -> list[Event]:
    """One meter with many sessions: only the first one that gave a value is drawn."""
    for session in range(1, 8):
        story.rreq([0, 1, 2, 3], session)
        story.rrep([0, 1, 2, 3], session)
        for there, back in ((flow.AARQ, flow.AARE), (flow.GET_REQUEST, flow.GET_RESPONSE)):
            story.apdu([0, 1, 2, 3], there, story.GET, session)
            story.apdu([3, 2, 1, 0], back, story.ANSWER_OK, session)
        story.add(ReadDone(story.now, 0, 3, story.OBIS, 2, str(session), "Wh", 3, 1, 1, session))
        story.now += 100_000_000
    return list(story.events)


def test_of_a_busy_meter_one_session_is_drawn(story: Any) -> None:
    events = busy(story)
    span = scout_of(events).window(3)
    assert span is not None
    starts = [e for e in events if isinstance(e, TxStart) and span[0] <= e.t <= span[1]]
    assert len({e.flow for e in starts if e.kind == flow.RREQ}) == 1
    values = [step.text for step in drawn(events).steps if step.what == VALUE]
    assert values == ["1.0.1.8.0.255 = 1 Wh"]


@pytest.mark.parametrize("which", ["paper", "busy"])
def test_the_file_gives_the_same_diagram_as_memory(
    tmp_path: Path, facts: RunFacts, paper: list[Event], story: Any, which: str
) -> None:
    events = paper if which == "paper" else busy(story)
    path = tmp_path / "events.jsonl"
    writer = JsonlWriter(path, facts)
    writer.observe(events)
    writer.finish({"wall_s": 1})
    writer.close()
    for meter in (None, 3):
        found = from_file(path, scout_of(events), meter)
        assert found is not None
        assert mermaid(found, facts) == mermaid(drawn(events), facts)
    assert from_file(path, scout_of(events), 9) is None


def test_a_span_of_time_is_found_in_a_file(tmp_path: Path, facts: RunFacts) -> None:
    path = tmp_path / "events.jsonl"
    writer = JsonlWriter(path, facts)
    events: list[Event] = [Power(t // 3 * 10, 1, 1, t) for t in range(3_000)]
    writer.observe(events)
    writer.close()
    with JsonlSearch(path) as search:
        for first, last in (
            (0, 10**9),
            (-5, 0),
            (5_000, 5_010),
            (4_995, 5_005),
            (9_990, 9_990),
            (10**8, 10**9),
            (9, 2),
        ):
            expected = [event for event in events if first <= event[0] <= last]
            assert list(search.between(first, last, (Power,))) == expected


def test_the_writer_draws_when_the_run_is_over(tmp_path: Path, facts: RunFacts, paper: list[Event]) -> None:
    path = tmp_path / "events.jsonl"
    jsonl, writer = JsonlWriter(path, facts), SequenceWriter(path, tmp_path, facts)
    for observer in (jsonl, writer):
        observer.observe(paper)
    for observer in (jsonl, writer):
        observer.close()
    assert writer.draw()
    assert mermaid(drawn(paper), facts) == (tmp_path / "sequence.mmd").read_text()
    assert svg(drawn(paper), facts) == (tmp_path / "sequence.svg").read_text()
    assert not writer.draw(9)
