"""The firmware's decoder and ring under MicroPython, at given times: vectors, bad octets, the rules of the time map."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from led_gateway.frame import DELTA, KEY, Frame, encode

VECTORS = Path(__file__).resolve().parents[1] / "light" / "frame_vectors.json"
SHOWN, WAITING, DROPPED, MALFORMED = range(4)

PICTURE = """
import json, sys
from binascii import hexlify, unhexlify
from glow.frames import Picture
found = []
with open(sys.argv[1]) as file:
    for line in file:
        story = json.loads(line)
        picture = Picture(story["first"], story["count"])
        target = bytearray(3 * story["count"])
        answers = []
        for message in story["messages"]:
            what = picture.take(unhexlify(message), target)
            answers.append((what, hexlify(target).decode() if what == 0 else ""))
        found.append(answers)
print(json.dumps(found))
"""

RING = """
import json, sys
from binascii import unhexlify
from glow.ring import Ring
with open(sys.argv[1]) as file:
    story = json.load(file)
ring = Ring(0, story["count"], story["places"], story["delay_ms"], story["wire_ms"])
found = []
for what, now, *message in story["steps"]:
    if what == "take":
        ring.take(unhexlify(message[0]), now)
    elif what == "begin":
        ring.begin(now)
    else:
        pixels = ring.due(now)
        found.append(-1 if pixels is None else pixels[0])
print(json.dumps([found, ring.shown, ring.late, ring.dropped, ring.malformed]))
"""

LITTER = """
import gc, json
from binascii import unhexlify
from glow.ring import Ring
ring = Ring(0, 411, 12, 150, 13)
head = "01%02x0005%04x%04x%04x019b0000%04x"
key = unhexlify(head % (1, 0, 0, 0, 411) + 411 * "010203")
deltas = [unhexlify(head % (2, n + 1, 25 * n, 0, 2) + "00100001ffffff" + "00200003" + 3 * "0a0b0c") for n in range(100)]
def run():
    now = 25
    for message in deltas:
        ring.take(message, now)
        ring.due(now)
        ring.wait_ms(now, 10)
        now += 25
ring.begin(0)
ring.take(key, 0)
ring.due(0)
gc.collect()
gc.disable()
before = gc.mem_alloc()
run()
print(json.dumps([gc.mem_alloc() - before, ring.shown]))
"""


@pytest.fixture
def pictures(tools: None, run_script: Any, tmp_path: Path) -> Any:
    def run(stories: list[tuple[int, int, list[str]]]) -> list[list[tuple[int, str]]]:
        lines = [json.dumps({"first": first, "count": count, "messages": m}) for first, count, m in stories]
        (tmp_path / "stories").write_text("\n".join(lines) + "\n")
        found: list[list[tuple[int, str]]] = run_script(PICTURE, str(tmp_path / "stories"), heap="2M")
        return found

    return run


def key(sequence: int, level: int, stamp_ms: int = 0, session: int = 5, leds: int = 4) -> bytes:
    return encode(Frame(KEY, session, sequence, stamp_ms & 0xFFFF, sequence, leds, ((0, bytes([level]) * 3 * leds),)))


def delta(sequence: int, base: int, level: int, stamp_ms: int = 0, session: int = 5) -> bytes:
    return encode(Frame(DELTA, session, sequence, stamp_ms & 0xFFFF, base, 4, ((0, bytes([level]) * 3),)))


def test_bad_vectors_are_refused_by_strips_of_any_length(pictures: Any) -> None:
    bad = [vector["hex"] for vector in json.loads(VECTORS.read_text())["bad"]]
    for answers in pictures([(first, count, bad) for first, count in ((0, 6), (0, 411), (3, 1), (1000, 440))]):
        assert [what for what, _ in answers] == [MALFORMED] * len(bad)


def test_every_truncation_of_a_good_vector_is_refused(pictures: Any) -> None:
    good = [v["hex"] for v in json.loads(VECTORS.read_text())["good"] if len(v["hex"]) < 200]
    cut = [text[:at] for text in good for at in range(0, len(text), 2)]
    assert {what for what, _ in pictures([(0, 12, cut)])[0]} == {MALFORMED}


def test_good_vectors(pictures: Any) -> None:
    good = json.loads(VECTORS.read_text())["good"]
    answers = pictures([(0, min(v["total"], 1440), [v["hex"]]) for v in good])
    for vector, ((what, pixels),) in zip(good, answers, strict=True):
        if vector["kind"] == "delta":
            assert what == DROPPED, vector["name"]
        elif len(vector["runs"][0][1]) // 6 == vector["total"]:
            assert (what, pixels) == (SHOWN, vector["runs"][0][1]), vector["name"]


def test_stories_end_in_the_pictures_they_tell(pictures: Any) -> None:
    stories = json.loads(VECTORS.read_text())["stories"]
    most = 1500
    answers = pictures([(0, most, [step["hex"] for step in story["steps"]]) for story in stories])
    wanted = {"malformed": MALFORMED, "key frame not held": DROPPED}
    for story, given in zip(stories, answers, strict=True):
        seen = ""
        for step, (what, pixels) in zip(story["steps"], given, strict=True):
            seen = pixels or seen
            assert seen == (step["picture"] or "").ljust(6 * most if seen else 0, "0"), story["name"]
            assert "dropped" not in step or what == wanted[step["dropped"]], story["name"]


def test_a_slice_is_the_middle_of_the_picture(pictures: Any) -> None:
    pixels = bytes(n & 0xFF for n in range(3 * 1442))
    parts = [
        Frame(KEY, 1, 9, 0, 9, 1442, ((0, pixels[:4320]),)),
        Frame(KEY, 1, 10, 0, 9, 1442, ((1440, pixels[4320:]),)),
    ]
    change = Frame(DELTA, 1, 11, 0, 9, 1442, ((1437, b"\x01" * 15),))
    messages = [encode(frame).hex() for frame in (*parts, change)]
    across, within, beyond = pictures([(1438, 4, messages), (100, 2, messages), (1442, 3, messages)])
    assert [what for what, _ in across] == [WAITING, SHOWN, SHOWN]
    assert across[1][1] == pixels[3 * 1438 :].hex()
    assert across[2][1] == ("01" * 12)
    assert within[0] == [SHOWN, pixels[300:306].hex()]
    assert [what for what, _ in beyond] == [WAITING, WAITING, DROPPED]


def test_overtaken_and_repeated_messages_are_dropped(pictures: Any) -> None:
    messages = [
        key(65534, 1),
        delta(0, 65534, 3),
        delta(65535, 65534, 2),
        delta(0, 65534, 3),
        key(65534, 1),
        delta(1, 65534, 4),
    ]
    (answers,) = pictures([(0, 4, [message.hex() for message in messages])])
    assert [what for what, _ in answers] == [SHOWN, SHOWN, DROPPED, DROPPED, DROPPED, SHOWN]


def test_a_forged_sequence_number_does_not_stop_the_picture(pictures: Any) -> None:
    messages = [key(10, 1), delta(40_000, 10, 2), delta(11, 10, 3)]
    (answers,) = pictures([(0, 4, [message.hex() for message in messages])])
    assert [what for what, _ in answers] == [SHOWN, SHOWN, SHOWN]


def test_any_octets_are_refused_or_shown(pictures: Any) -> None:
    rng = random.Random(1)
    whole = [key(1, 9), delta(2, 1, 7)]
    junk = [rng.randbytes(rng.randrange(40)) for _ in range(500)]
    for _ in range(1500):
        octets = bytearray(rng.choice(whole))
        for _ in range(rng.randrange(1, 4)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        junk.append(bytes(octets))
    for answers in pictures([(0, 4, [octets.hex() for octets in junk]), (2, 9, [octets.hex() for octets in junk])]):
        assert {what for what, _ in answers} <= {SHOWN, WAITING, DROPPED, MALFORMED}


def test_a_frame_leaves_no_garbage(tools: None, run_script: Any) -> None:
    grown, shown = run_script(LITTER)
    assert grown <= 64
    assert shown > 90


# Times


class Story:
    """Messages at times; `due` are the times at which is looked, every millisecond unless told otherwise."""

    def __init__(self, run_script: Any, folder: Path) -> None:
        self._run, self._file = run_script, folder / "story"
        self.steps: list[list[Any]] = []

    def run(self, until_ms: int, places: int = 12) -> tuple[dict[int, int], list[int]]:
        """Time at which each level of LED 0 was first shown, and shown, late, dropped, malformed."""
        first = min(step[1] for step in self.steps)
        looks = [["due", now] for now in range(first, until_ms)]
        steps = sorted([*self.steps, *looks], key=lambda step: (step[1], step[0] == "due"))
        self._file.write_text(
            json.dumps({"count": 4, "places": places, "delay_ms": 150, "wire_ms": 13, "steps": steps})
        )
        found, *counters = self._run(RING, str(self._file), heap="8M")
        shown: dict[int, int] = {}
        for now, level in zip(range(first, until_ms), found, strict=True):
            if level >= 0:
                shown.setdefault(level, now)
        return shown, counters

    def take(self, now: int, message: bytes) -> None:
        self.steps.append(["take", now, message.hex()])


@pytest.fixture
def story(tools: None, run_script: Any, tmp_path: Path) -> Story:
    return Story(run_script, tmp_path)


def test_the_first_picture_comes_at_once_and_jitter_does_not_show(story: Story) -> None:
    story.take(5000, key(0, 1, stamp_ms=100))
    jitter = [0, 90, 40, 120, 10, 60, 0, 75]
    arrival = 0
    for n, late in enumerate(jitter):
        arrival = max(arrival, 5010 + 25 * n + late)
        story.take(arrival, delta(n + 1, 0, 2 + n, stamp_ms=60_000 + 25 * n))
    shown, counters = story.run(5500)
    assert shown == {1: 5000} | {2 + n: 5160 + 25 * n for n in range(8)}
    assert counters == [9, 0, 0, 0]


def test_stamps_and_sequence_wrap(story: Story) -> None:
    story.take(1000, key(65_530, 1, stamp_ms=0))
    for n in range(20):
        story.take(1025 + 25 * n, delta((65_531 + n) & 0xFFFF, 65_530, 2 + n, stamp_ms=65_300 + 25 * n))
    shown, counters = story.run(2000)
    assert [shown[2 + n] for n in range(20)] == [1175 + 25 * n for n in range(20)]
    assert counters == [21, 0, 0, 0]


def test_what_comes_too_late_is_dropped_and_counted(story: Story) -> None:
    story.take(0, key(0, 1))
    story.take(25, delta(1, 0, 2, stamp_ms=25))
    story.take(400, delta(2, 0, 3, stamp_ms=50))
    story.take(401, delta(3, 0, 4, stamp_ms=400))
    shown, counters = story.run(700)
    assert shown == {1: 0, 2: 175, 4: 550}
    assert counters == [3, 1, 0, 0]


def test_two_that_are_due_together_are_one_picture(story: Story) -> None:
    story.take(0, key(0, 1))
    story.take(25, delta(1, 0, 2, stamp_ms=25))
    story.take(26, delta(2, 0, 3, stamp_ms=25))
    shown, counters = story.run(300)
    assert 3 in shown and 2 not in shown
    assert counters == [2, 1, 0, 0]


@pytest.mark.parametrize("jump_ms", [-2500, 2500, 30_000])
def test_a_frame_far_away_is_shown_at_once_and_the_map_starts_again(story: Story, jump_ms: int) -> None:
    story.take(0, key(0, 1))
    for n in range(4):
        story.take(25 + 25 * n, delta(1 + n, 0, 2 + n, stamp_ms=25 * n))
    story.take(1000, delta(5, 0, 20, stamp_ms=1000 + jump_ms))
    story.take(1030, delta(6, 0, 21, stamp_ms=1025 + jump_ms))
    shown, counters = story.run(1500)
    assert shown[20] == 1000
    assert shown[21] == 1175
    assert counters[1:] == [0, 0, 0]


def test_a_presentation_time_that_lies_does_not_stop_the_picture_for_long(story: Story) -> None:
    story.take(0, key(0, 1))
    for n in range(120):
        forged = 1900 if n == 10 else 0
        story.take(25 + 25 * n, delta(1 + n, 0, 2 + n, stamp_ms=25 * n + forged))
    shown, counters = story.run(3500)
    assert 121 in shown
    assert 55 <= counters[1] <= 62, "late for a second and a half"


def test_the_map_forgets_after_ten_seconds(story: Story) -> None:
    """The gateway's clock runs slower than ours: the path seems to become longer."""
    story.take(0, key(0, 1))
    for n in range(110):
        story.take(200 + 200 * n + n, delta(1 + n, 0, 2 + n, stamp_ms=200 * n))
    shown, counters = story.run(23_000)
    assert counters == [111, 0, 0, 0]
    waits = [shown[2 + n] - (200 + 200 * n + n) for n in range(110)]
    assert waits[0] == 150
    assert min(waits) >= 150 - 51, "never more than ten seconds behind"


def test_another_session_empties_the_ring_and_the_map(story: Story) -> None:
    story.take(0, key(0, 1))
    story.take(25, delta(1, 0, 2, stamp_ms=25))
    story.take(50, key(0, 3, stamp_ms=40_000, session=6))
    story.take(60, delta(2, 0, 4, stamp_ms=60))
    story.take(75, delta(1, 0, 5, stamp_ms=40_025, session=6))
    shown, counters = story.run(500)
    assert shown == {1: 0, 3: 200, 5: 225}
    assert counters == [3, 0, 2, 0]


def test_a_retained_key_frame_never_enters_the_map(story: Story) -> None:
    story.take(0, key(0, 1))
    story.take(25, delta(1, 0, 2, stamp_ms=25))
    story.steps.append(["begin", 500])
    story.take(501, key(0, 3, stamp_ms=65_000))
    story.take(520, delta(21, 0, 4, stamp_ms=520))
    shown, _ = story.run(900)
    assert shown == {1: 0, 2: 175, 3: 501, 4: 670}


def test_a_flood_is_dropped_and_the_picture_goes_on(story: Story) -> None:
    story.take(0, key(0, 1))
    for n in range(200):
        story.take(25 + 5 * n, delta(1 + n, 0, 2 + n, stamp_ms=5 * n))
    shown, (count, late, dropped, malformed) = story.run(1500)
    assert (late, malformed) == (0, 0)
    assert count + dropped == 201
    assert count >= 60, "as many as the strip can take"
    times = sorted(shown.values())[1:]
    assert max(b - a for a, b in pairwise(times)) <= 20
    assert 201 in shown, "the last picture"


def test_our_own_clock_wraps(story: Story) -> None:
    """On an ESP32 after 12 days; here where MicroPython's ticks end."""
    end = 1 << 62
    story.steps += [["take", end - 1000, key(0, 1).hex()]]
    for n in range(60):
        story.take((end - 975 + 25 * n) % end, delta(1 + n, 0, 2 + n, stamp_ms=25 * n))
    looks = [["due", (end - 1000 + n) % end] for n in range(2000)]
    order = sorted([*story.steps, *looks], key=lambda step: ((step[1] + 5000) % end, step[0] == "due"))
    story._file.write_text(json.dumps({"count": 4, "places": 12, "delay_ms": 150, "wire_ms": 13, "steps": order}))
    found, *counters = story._run(RING, str(story._file), heap="8M")
    assert counters == [61, 0, 0, 0]
    assert [level for level in found if level >= 0] == list(range(1, 62))
