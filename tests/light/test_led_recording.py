"""Recordings of `led/frame`: round trip, every cut refused, any octets refused or read, times out of presentation."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError
from led_gateway import frame
from led_gateway.frame import DELTA, KEY, Frame
from led_gateway.frame_writer import FrameWriter
from led_gateway.picture import Picture
from led_gateway.recording import MAGIC, MOST_MS, Record, RecordingError, RecordingWriter, Timeline, read


def key(sequence: int = 0, stamp_ms: int = 0, session: int = 7, pixels: bytes = b"\1\2\3\4\5\6") -> bytes:
    return frame.encode(Frame(KEY, session, sequence, stamp_ms, sequence, len(pixels) // 3, ((0, pixels),)))


def delta(sequence: int, base: int, stamp_ms: int = 0, session: int = 7) -> bytes:
    return frame.encode(Frame(DELTA, session, sequence, stamp_ms, base, 2, ((1, b"\7\7\7"),)))


def written(*records: tuple[int, bytes]) -> bytes:
    file = io.BytesIO()
    writer = RecordingWriter(file)
    for record in records:
        writer.put(*record)
    return file.getvalue()


def test_the_octets() -> None:
    octets = written((0, key()), (258, delta(1, 0)))
    head = b"GLOWREC1" + bytes.fromhex("00000000 0016")
    assert octets.startswith(head + key())
    assert octets[len(head) + len(key()) :] == bytes.fromhex("00000102 0017") + delta(1, 0)


@given(st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=30, max_size=30)), min_size=1, max_size=8))
def test_what_is_written_is_read(steps: list[tuple[int, bytes]]) -> None:
    """Pictures go in as a gateway sends them, and come out the same at the same times."""
    gateway, file, now_ms = FrameWriter(5, 10), io.BytesIO(), 0
    recorder, sent, shown = RecordingWriter(file), [], []
    for pause_ms, rgb in steps:
        now_ms += pause_ms
        for message in gateway.write(rgb, now_ms):
            assert recorder.put(now_ms, message.payload)
            sent.append(Record(now_ms, message.payload))
            shown.append(rgb)
    file.seek(0)
    found = list(read(file))
    assert found == sent
    assert (recorder.records, recorder.length_ms) == (len(sent), sent[-1].t_ms)
    picture = Picture()
    for record, rgb in zip(found, shown, strict=True):
        assert picture.take(record.payload)
        assert picture.rgb == rgb


def test_it_begins_with_a_key_frame() -> None:
    writer = RecordingWriter(io.BytesIO())
    assert not writer.put(0, delta(3, 2))
    assert writer.put(10, key(4))
    assert writer.put(20, delta(5, 4))
    assert writer.records == 2


def test_a_part_that_is_not_the_first_does_not_begin_it() -> None:
    messages = [message.payload for message in FrameWriter(1, 3000).write(bytes(9000), 0)]
    assert len(messages) == 3
    writer = RecordingWriter(io.BytesIO())
    assert [writer.put(0, payload) for payload in messages[1:]] == [False, False]
    assert [writer.put(0, payload) for payload in messages] == [True, True, True]


def test_what_cannot_be_written() -> None:
    writer = RecordingWriter(io.BytesIO())
    writer.put(100, key())
    for t_ms, payload in ((99, key()), (MOST_MS + 1, key()), (100, b""), (100, key()[:-1]), (100, bytes(70_000))):
        with pytest.raises(UsageError):
            writer.put(t_ms, payload)


def test_every_cut_is_noticed() -> None:
    """Between two records the file is good as far as it goes; anywhere else it is not."""
    pieces = [written((0, key())), written((0, key()), (40, delta(1, 0)))]
    whole = written((0, key()), (40, delta(1, 0)), (1000, key(2)))
    good = {len(piece) for piece in (*pieces, whole)}
    for length in range(len(whole) + 1):
        if length in good:
            assert list(read(io.BytesIO(whole[:length])))
        else:
            with pytest.raises(RecordingError):
                list(read(io.BytesIO(whole[:length])))


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "does not begin with GLOWREC1"),
        (b"GIF89a..", "does not begin with GLOWREC1"),
        (MAGIC, "an empty recording"),
        (MAGIC + b"\0\0\0\0\0\0", "octet 8: shorter than the header"),
        (MAGIC + b"\0\0\0\0\0\x17" + delta(1, 0), "octet 8: it does not begin with a key frame"),
        (written((5, key()))[:-22] + key() + b"\0\0\0\4\0\x16" + key(), "octet 36: time goes back from 5 to 4 ms"),
    ],
)
def test_what_is_refused(octets: bytes, reason: str) -> None:
    with pytest.raises(RecordingError, match=reason):
        list(read(io.BytesIO(octets)))


@given(st.binary(max_size=200))
def test_any_octets(octets: bytes) -> None:
    for data in (octets, MAGIC + octets, written((0, key())) + octets):
        try:
            list(read(io.BytesIO(data)))
        except RecordingError:
            pass


@given(st.data())
def test_changed_octets(data: st.DataObject) -> None:
    octets = bytearray(written((0, key()), (40, delta(1, 0)), (1000, key(2))))
    for place in data.draw(st.lists(st.integers(0, len(octets) - 1), min_size=1, max_size=4)):
        octets[place] = data.draw(st.integers(0, 255))
    try:
        list(read(io.BytesIO(octets)))
    except RecordingError:
        pass


# -- times


def times(*messages: tuple[bytes, int]) -> list[int]:
    timeline = Timeline()
    return [timeline.at(frame.decode(payload), arrived_ms) for payload, arrived_ms in messages]


def test_jitter_is_not_recorded() -> None:
    found = times((key(0, 65_500), 9000), (delta(1, 0, 65_525), 9070), (delta(2, 0, 14), 9075), (delta(3, 0, 39), 9200))
    assert found == [0, 25, 50, 75]


def test_a_new_session_goes_by_arrival() -> None:
    assert times((key(0, 100), 0), (key(0, 60_000, session=8), 700), (key(1, 60_500, session=8), 1300)) == [
        0,
        700,
        1200,
    ]


def test_a_presentation_time_far_from_arrival_is_not_believed() -> None:
    assert times((key(0, 0), 0), (key(1, 9000), 40), (key(2, 9025), 65)) == [0, 40, 65]


def test_times_never_go_back() -> None:
    assert times((key(0, 1000), 0), (delta(1, 0, 900), 10), (delta(2, 0, 1050), 20)) == [0, 0, 150]
