"""Ways and distances along the tree, and where LEDs lie."""

from functools import cache
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from emulation.grid.feeder import Feeder

LANE = """gridglow-feeder 1
name: lane
title: Two houses # one lane
coordinator-phase: 2
   0  0 -1  8     underground -  0,0
   9 12  5  8     overhead    2  720,60   # on poles
   1  5  0  8.25  underground -  200,0 400,0
   6  8  5  0.5   service     1  400,-300
"""


@cache
def board() -> Feeder:
    return Feeder.load("board")


def test_lane_is_laid_out():
    lane = Feeder.loads(LANE, "lane")
    assert (lane.name, lane.title, lane.leds, lane.meters) == ("lane", "Two houses # one lane", 13, 2)
    assert lane.parent_led == [-1, 0, 1, 2, 3, 4, 5, 6, 7, 5, 9, 10, 11]
    assert lane.span_mm == [0, *[8250] * 5, *[500] * 3, *[8000] * 4]
    assert lane.cable[5:7] == ["underground", "service"]
    assert lane.children[5] == (6, 9)
    assert lane.stations == [0, 8, 12]
    assert lane.phases == [2, 1, 2]
    assert lane.xy[:9] == [(0, 0), *((80 * k, 0) for k in range(1, 6)), (400, -100), (400, -200), (400, -300)]
    assert lane.path(8, 12) == [8, 7, 6, 5, 9, 10, 11, 12]
    assert lane.path(12, 0) == [12, 11, 10, 9, 5, 4, 3, 2, 1, 0]
    assert lane.distance_mm(8, 12) == 33_500
    assert lane.root_mm[12] == 73_250


def test_line_ends_and_byte_order_mark_do_not_matter(tmp_path):
    file = tmp_path / "lane.feeder"
    file.write_bytes(b"\xef\xbb\xbf" + LANE.replace("\n", "\r\n").encode())
    assert Feeder.load(file).xy == Feeder.loads(LANE).xy


def test_root_of_several_leds_begins_at_its_first_point():
    text = "gridglow-feeder 1\nname: root\n0 4 -1 10 underground 3 100,100 500,100\n"
    feeder = Feeder.loads(text)
    assert feeder.xy == [(100, 100), (200, 100), (300, 100), (400, 100), (500, 100)]
    assert feeder.stations == [0, 4]
    assert feeder.root_mm == [0, 10_000, 20_000, 30_000, 40_000]


@given(st.integers(0, 410), st.integers(0, 410))
def test_path_is_the_tree_way(a: int, b: int):
    feeder = board()
    way = feeder.path(a, b)
    assert (way[0], way[-1]) == (a, b)
    assert len(set(way)) == len(way) == feeder.distance_leds(a, b) + 1
    length = 0
    for here, there in pairwise(way):
        child = here if feeder.parent_led[here] == there else there
        assert feeder.parent_led[child] == (there if child == here else here)
        length += feeder.span_mm[child]
    assert length == feeder.distance_mm(a, b) == feeder.distance_mm(b, a)
    assert feeder.path(b, a) == way[::-1]


@given(st.integers(0, 410))
def test_breadth_first_reaches_all_at_their_distance(start: int):
    feeder = board()
    found = feeder.breadth_first(start)
    assert sorted(led for led, _, _ in found) == list(range(411))
    steps = [feeder.distance_leds(start, led) for led, _, _ in found]
    assert steps == sorted(steps)
    for led, came_from, way_mm in found:
        assert way_mm == feeder.distance_mm(start, led)
        assert came_from == (-1 if led == start else feeder.path(start, led)[-2])
