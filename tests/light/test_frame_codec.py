"""`led/frame` octet by octet: the vectors that the firmware reads too, both ways, and everything that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from led_gateway.frame import DELTA, HEADER, KEY, PART_LEDS, Frame, FrameError, decode, encode, parts_of
from led_gateway.picture import Picture

VECTORS = json.loads(Path(__file__).with_name("frame_vectors.json").read_text())
GOOD, BAD, STORIES = VECTORS["good"], VECTORS["bad"], VECTORS["stories"]
KINDS = {"key": KEY, "delta": DELTA}

words = st.integers(0, 0xFFFF)


def meant(vector: dict[str, Any]) -> Frame:
    runs = tuple((first, bytes.fromhex(pixels)) for first, pixels in vector["runs"])
    return Frame(
        KINDS[vector["kind"]], vector["session"], vector["sequence"], vector["stamp_ms"], vector["key"],
        vector["total"], runs,
    )  # fmt: skip


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_a_vector_means_what_it_says_and_is_written_so(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["hex"])
    assert decode(octets) == meant(vector)
    assert encode(meant(vector)) == octets


@pytest.mark.parametrize("vector", BAD, ids=lambda vector: vector["name"])
def test_what_is_wrong_is_named(vector: dict[str, Any]) -> None:
    with pytest.raises(FrameError) as refused:
        decode(bytes.fromhex(vector["hex"]))
    assert refused.value.reason == vector["wrong"]


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_every_part_of_a_vector_is_refused_and_so_is_more(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["hex"])
    for length in range(len(octets)):
        with pytest.raises(FrameError):
            decode(octets[:length])
    with pytest.raises(FrameError):
        decode(octets + b"\0")


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["name"])
def test_the_picture_after_each_message(story: dict[str, Any]) -> None:
    picture = Picture()
    for step in story["steps"]:
        before = (picture.dropped, picture.malformed)
        shown = picture.take(bytes.fromhex(step["hex"]))
        assert picture.grb == bytes.fromhex(step["picture"] or "")
        why = step.get("dropped")
        assert shown == (step["picture"] is not None and why is None)
        dropped, malformed = why == "key frame not held", why == "malformed"
        assert (picture.dropped, picture.malformed) == (before[0] + dropped, before[1] + malformed)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    session, sequence, stamp_ms = draw(words), draw(words), draw(words)
    total = draw(st.one_of(st.integers(1, 60), st.integers(1, 0xFFFF)))
    if draw(st.booleans()):
        part = draw(st.integers(0, parts_of(total) - 1))
        leds = min(PART_LEDS, total - part * PART_LEDS)
        pixels = draw(st.binary(min_size=3, max_size=3)) * leds
        return Frame(KEY, session, (sequence + part) & 0xFFFF, stamp_ms, sequence, total, ((part * PART_LEDS, pixels),))
    cuts = sorted(draw(st.sets(st.integers(0, total), max_size=8)))
    runs = []
    for first, end in zip(cuts[::2], cuts[1::2], strict=False):
        leds = draw(st.integers(1, min(end - first, 20)))
        runs.append((first, draw(st.binary(min_size=3 * leds, max_size=3 * leds))))
    return Frame(DELTA, session, sequence, stamp_ms, draw(words), total, tuple(runs))


@given(frames())
def test_what_is_written_is_read(frame: Frame) -> None:
    assert decode(encode(frame)) == frame


@given(st.binary(max_size=200))
def test_any_octets_are_a_message_or_refused(octets: bytes) -> None:
    try:
        frame = decode(octets)
    except FrameError as error:
        assert error.reason.isascii()
    else:
        assert encode(frame) == octets


@given(st.sampled_from([KEY, DELTA]), st.lists(words, min_size=7, max_size=7), st.binary(max_size=60))
def test_any_header_with_any_octets(kind: int, fields: list[int], rest: bytes) -> None:
    octets = HEADER.pack(1, kind, *fields) + rest
    try:
        frame = decode(octets)
    except FrameError:
        return
    assert encode(frame) == octets


@given(st.sampled_from(GOOD), st.data())
def test_vectors_with_changed_octets(vector: dict[str, Any], data: st.DataObject) -> None:
    octets = bytearray.fromhex(vector["hex"])
    for at in data.draw(st.lists(st.integers(0, min(len(octets), 40) - 1), min_size=1, max_size=4)):
        octets[at] = data.draw(st.integers(0, 255))
    try:
        frame = decode(bytes(octets))
    except FrameError:
        return
    assert encode(frame) == bytes(octets)
