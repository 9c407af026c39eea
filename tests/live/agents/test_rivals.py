"""When a record of another instance counts: not by what it says of the time, but by how its heartbeat comes in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulation.live.rivals import APART_MS, STALE_MS, Rivals


@given(st.integers(0, 1 << 53), st.integers(0, 1 << 40), st.integers(APART_MS, STALE_MS))
def test_the_second_beat_counts_whatever_the_other_clock_says(beat_ms: int, now_ms: int, later_ms: int) -> None:
    rivals = Rivals()
    assert not rivals.beats("a", beat_ms, now_ms)
    assert rivals.beats("a", beat_ms + later_ms, now_ms + later_ms)


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=20))
def test_one_record_again_and_again_never_counts(pauses_ms: list[int]) -> None:
    rivals, now_ms = Rivals(), 0
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        assert not rivals.beats("a", 7, now_ms)


def test_records_too_close_together_or_too_far_apart_prove_nothing() -> None:
    rivals = Rivals()
    assert not rivals.beats("a", 1, 0)
    assert not rivals.beats("a", 2, APART_MS - 1)
    assert not rivals.beats("a", 3, STALE_MS + 1)
    assert rivals.beats("a", 4, STALE_MS + 1 + APART_MS)


def test_an_invented_beat_far_ahead_does_not_hide_the_real_one() -> None:
    rivals = Rivals()
    assert not rivals.beats("a", 1 << 50, 0)
    assert not rivals.beats("a", 1000, 100)
    assert rivals.beats("a", 2000, 1100)


def test_many_names_are_not_kept() -> None:
    rivals = Rivals()
    for number in range(1000):
        assert not rivals.beats(str(number), 1, number)
    assert not rivals.beats("0", 2, 2000)
