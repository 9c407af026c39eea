"""The digest of a run: golden, independent of batching, with or without the observers' tags."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.observe.record import FLOW_FIELDS, Digest, Strict, field_types, ill_formed
from g3plc.core.errors import UsageError
from g3plc.events import EVENTS, ApduSent, Event, Fault, Queue, RxLost, TxEnd, TxStart


def digest_of(events: list[Event], leave_out: tuple[str, ...] = ()) -> str:
    digest = Digest(leave_out)
    digest.observe(events)
    return digest.hexdigest()


def test_the_record_is_the_documented_line() -> None:
    events: list[Event] = [
        TxStart(1_000, 17, 3, b"\x01\xff", 0, 63, 1, 31_000, 4, 0, 20, 99),
        RxLost(2_000, 4, 17, 3, 8_000, 44, "payload", "half duplex", -1, -1),
        TxEnd(32_000, 17, 3),
    ]
    lines = (
        "0 1000 17 3 x01ff 0 63 1 31000 4 0 20 99\n3 2000 4 17 3 8000 44 'payload' 'half duplex' -1 -1\n1 32000 17 3\n"
    )
    assert digest_of(events) == hashlib.sha256(lines.encode()).hexdigest()


def test_the_numbers_of_the_events_are_fixed() -> None:
    names = [event.__name__ for event in EVENTS]
    assert names[:6] == ["TxStart", "TxEnd", "RxOk", "RxLost", "Ack", "Defer"]
    assert names[21:26] == ["ApduSent", "ApduReceived", "SessionOpen", "SessionClosed", "SessionAborted"]
    assert names[33] == "LateFrame"


@given(st.lists(st.integers(1, 40), max_size=12))
def test_batches_do_not_matter(paper_once: list[Event], sizes: list[int]) -> None:
    digest, at = Digest(), 0
    for size in sizes:
        digest.observe(paper_once[at : at + size])
        at += size
    digest.observe(paper_once[at:])
    assert digest.hexdigest() == digest_of(paper_once)
    assert digest.events == len(paper_once)


def test_order_and_every_field_matter() -> None:
    first, second = TxEnd(1, 2, 3), TxEnd(1, 2, 4)
    assert digest_of([first, second]) != digest_of([second, first])
    assert digest_of([TxEnd(1, 23, 4)]) != digest_of([TxEnd(1, 2, 34)])


def test_text_cannot_imitate_fields() -> None:
    plain = RxLost(1, 2, 3, 4, 5, 6, "header", "noise", -1, -1)
    assert digest_of([plain]) != digest_of([plain._replace(stage='header" "noise', reason="")])


def test_without_tags_only_the_tags_are_left_out() -> None:
    tagged: list[Event] = [
        TxStart(1, 2, 3, b"\0", 0, 63, 1, 4, 5, 0, 20, 77),
        Queue(1, 2, "waiting", 9, 77),
        ApduSent(1, 2, 3, 16, 1, b"\xc0", 20, 77, 5),
        Fault(1, 65535, 1, "link", "1-2", "down", 0, "begin", 0),
    ]
    bare: list[Event] = [
        TxStart(1, 2, 3, b"\0", 0, 63, 1, 4, 5, 0, 0, 0),
        Queue(1, 2, "waiting", 9, 0),
        ApduSent(1, 2, 3, 16, 1, b"\xc0", 0, 0, 0),
        Fault(1, 65535, 1, "link", "1-2", "down", 0, "begin", 0),
    ]
    assert digest_of(tagged) != digest_of(bare)
    assert digest_of(tagged, FLOW_FIELDS) == digest_of(bare, FLOW_FIELDS)
    for place, changed in ((0, {"attempt": 1}), (1, {"destination": 8}), (2, {"peer": 4}), (3, {"kind": "noise"})):
        other = [*bare]
        other[place] = other[place]._replace(**changed)
        assert digest_of(other, FLOW_FIELDS) != digest_of(bare, FLOW_FIELDS)


def test_every_kind_of_event_has_typed_fields_that_begin_with_time_and_station() -> None:
    for event in EVENTS:
        types = field_types(event)
        assert list(types)[:2] == ["t", "node"]
        assert set(types.values()) <= {int, bytes, str}


def test_the_strict_observer_finds_what_breaks_the_list(paper_once: list[Event]) -> None:
    strict = Strict()
    strict.observe(paper_once)
    for bad in (
        TxEnd(1, 2, True),
        TxEnd(1, 2, 3.0),  # type: ignore[arg-type]
        TxEnd._make([1, 2, 3])._replace(frame="3"),
        RxLost(1, 2, 3, 4, 5, 6, "header", "Störung", -1, -1),
        tuple.__new__(TxEnd, (1, 2)),
    ):
        assert ill_formed(bad)
        with pytest.raises(UsageError):
            strict.observe([bad])
