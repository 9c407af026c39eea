"""The gateway's side and a screen's side of `led/frame`: whatever is lost, only pictures that were sent are shown."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from led_gateway.frame import DELTA, KEY, PART_LEDS, decode
from led_gateway.frame_writer import KEY_MS, MOST_OCTETS, FrameWriter, differences, to_grb
from led_gateway.picture import Picture

SMALL = 12


def colours(leds: int) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from([b"\0\0\0", b"\1\2\3", b"\xff\0\x5a"]), min_size=leds, max_size=leds).map(b"".join)


@given(colours(SMALL), colours(SMALL))
def test_differences_bring_one_picture_to_the_other(old: bytes, new: bytes) -> None:
    runs = differences(old, new)
    made = bytearray(old)
    end = -1
    for first, pixels in runs:
        assert first > end
        end = first + len(pixels) // 3
        made[3 * first : 3 * end] = pixels
        assert old[3 * first : 3 * first + 3] != pixels[:3], "a run begins with what is the same"
    assert bytes(made) == new


@given(st.binary(min_size=0, max_size=60).filter(lambda octets: len(octets) % 3 == 0))
def test_the_strips_order_turns_both_ways(rgb: bytes) -> None:
    assert to_grb(to_grb(rgb)) == rgb
    if rgb:
        assert to_grb(rgb)[:3] == bytes((rgb[1], rgb[0], rgb[2]))


@given(st.integers(0, 0xFFFF), st.lists(st.tuples(colours(SMALL), st.integers(0, 400), st.booleans()), max_size=40))
def test_whatever_is_lost_only_pictures_that_were_sent_are_shown(
    session: int, sequence: list[tuple[bytes, int, bool]]
) -> None:
    writer, picture = FrameWriter(session, SMALL), Picture()
    now_ms, pictures = 0, {}
    for rgb, passes_ms, lost in sequence:
        now_ms += passes_ms
        for message in writer.write(rgb, now_ms):
            frame = decode(message.payload)
            assert message.retain == (frame.kind == KEY)
            assert frame.stamp_ms == now_ms & 0xFFFF
            assert len(message.payload) <= 16 + 3 * SMALL
            pictures[frame.sequence] = rgb
            if lost:
                continue
            shown = picture.take(message.payload)
            if frame.kind == KEY:
                assert shown
            if shown:
                assert picture.rgb == pictures[frame.sequence]
    assert picture.malformed == 0


@given(st.lists(st.tuples(colours(SMALL), st.integers(0, 400)), min_size=1, max_size=40))
def test_with_nothing_lost_every_picture_is_shown(sequence: list[tuple[bytes, int]]) -> None:
    writer, picture = FrameWriter(7, SMALL), Picture()
    now_ms = last_key_ms = 0
    for rgb, passes_ms in sequence:
        now_ms += passes_ms
        for message in writer.write(rgb, now_ms):
            assert picture.take(message.payload)
            if decode(message.payload).kind == KEY:
                last_key_ms = now_ms
        assert picture.rgb == rgb
        assert now_ms - last_key_ms < KEY_MS
    assert writer.keys + writer.deltas <= len(sequence)


def test_nothing_new_is_said_once_a_second() -> None:
    writer, picture = FrameWriter(1, 411), bytes(range(3)) * 411
    sent = [at for at in range(0, 5000, 25) if writer.write(picture, at)]
    assert sent == [0, 1000, 2000, 3000, 4000]
    assert (writer.keys, writer.deltas, writer.octets) == (5, 0, 5 * (16 + 3 * 411))


def test_a_delta_back_to_the_key_frame_is_sixteen_octets() -> None:
    writer = FrameWriter(1, 411)
    dark, light = bytes(3 * 411), bytes(300) + b"\1\1\1" + bytes(3 * 411 - 303)
    (key,) = writer.write(dark, 0)
    (there,) = writer.write(light, 25)
    (back,) = writer.write(dark, 50)
    assert [len(message.payload) for message in (key, there, back)] == [16 + 1233, 16 + 4 + 3, 16]
    assert [message.retain for message in (key, there, back)] == [True, False, False]


def test_a_delta_that_would_not_be_smaller_is_a_key_frame() -> None:
    writer = FrameWriter(1, 411)
    writer.write(bytes(3 * 411), 0)
    (message,) = writer.write(b"\1" * 3 * 411, 25)
    assert decode(message.payload).kind == KEY
    (message,) = writer.write(bytes(3) + b"\1" * 3 * 410, 50)
    assert decode(message.payload).kind == DELTA


def test_a_gap_of_one_led_is_bridged_and_one_of_two_is_not() -> None:
    old, lit = bytes(3 * 9), b"\5\5\5"
    assert [run[0] for run in differences(old, lit + bytes(3) + lit + bytes(18))] == [0]
    assert [run[0] for run in differences(old, lit + bytes(6) + lit + bytes(15))] == [0, 3]


def test_after_a_restart_comes_a_key_frame_and_the_sequence_goes_on() -> None:
    writer = FrameWriter(1, 3)
    sequences = []
    for at in range(4):
        if at == 2:
            writer.restart()
        sequences += [decode(message.payload) for message in writer.write(bytes([at] * 9), at)]
    assert [frame.sequence for frame in sequences] == [0, 1, 2, 3]
    assert sequences[2].kind == KEY


def test_sequence_and_stamp_wrap() -> None:
    writer, picture = FrameWriter(1, 1), Picture()
    for at in range(70_000):
        for message in writer.write(bytes((at & 0xFF, at >> 8 & 0xFF, 9)), at):
            assert picture.take(message.payload)
    assert picture.frame is not None
    assert picture.frame.stamp_ms == 69_999 & 0xFFFF
    assert picture.dropped == 0


@settings(max_examples=15)
@given(st.integers(PART_LEDS + 1, 3 * PART_LEDS), st.permutations([0, 1, 2]), st.booleans())
def test_parts_in_any_order_and_as_many_as_are_lost(leds: int, order: list[int], lost: bool) -> None:
    writer, picture = FrameWriter(3, leds), Picture()
    first = bytes((1, 2, 3)) * leds
    parts = writer.write(first, 0)
    assert [message.part for message in parts] == list(range(writer.parts))
    arrived = [parts[part] for part in order if part < len(parts)]
    if lost:
        arrived.pop()
    shown = [picture.take(message.payload) for message in arrived]
    assert shown == [False] * (len(arrived) - 1) + [not lost]
    second = bytes((9, 9, 9)) + first[3:-3] + bytes((8, 8, 8))
    (delta,) = writer.write(second, 25)
    assert delta.part is None
    assert picture.take(delta.payload) is not lost
    assert picture.rgb == (b"" if lost else second)


def test_no_delta_is_longer_than_a_recording_can_hold() -> None:
    leds = 30_000
    writer, dark = FrameWriter(3, leds), bytes(3 * 30_000)
    writer.write(dark, 0)
    much = b"\1" * (MOST_OCTETS + 30) + dark[MOST_OCTETS + 30 :]
    assert len(writer.write(much, 25)) == writer.parts
    assert all(len(message.payload) <= 0xFFFF for message in writer.write(dark, 50))
