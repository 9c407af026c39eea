"""The shipped feeders are what the documents promise."""

from itertools import combinations

import pytest

from emulation.grid.feeder import Feeder, shipped_feeders
from emulation.grid.feeder_generate import generate


@pytest.fixture(scope="module")
def board() -> Feeder:
    return Feeder.load("board")


def test_shipped_names_load():
    assert shipped_feeders() == ["board", "meters500", "row4"]
    for name in shipped_feeders():
        assert Feeder.load(name).name == name


def test_board_counts(board: Feeder):
    assert board.leds == 411
    assert board.meters == 48
    assert board.stations[0] == 0
    leaves = [led for led in range(board.leds) if board.is_leaf(led)]
    assert board.stations[1:] == leaves
    assert [board.phases[1:].count(phase) for phase in (1, 2, 3)] == [16, 16, 16]
    assert board.phases[0] == 0
    assert board.station_name(0) == "coordinator"
    assert board.station_name(17) == "meter-17"


def test_board_is_of_realistic_size(board: Feeder):
    ways_m = sorted(board.root_mm[led] // 1000 for led in board.stations[1:])
    assert 2_500_000 <= board.total_mm <= 3_500_000
    assert 550 <= ways_m[-1] <= 800
    assert ways_m[0] < 100


def test_board_is_one_strip_with_one_pitch(board: Feeder):
    assert set(board.span_mm[1:]) == {8000}
    for led in range(1, board.leds):
        (ax, ay), (bx, by) = board.xy[led], board.xy[board.parent_led[led]]
        assert 76**2 <= (ax - bx) ** 2 + (ay - by) ** 2 <= 82**2


def test_board_leds_do_not_overlap(board: Feeder):
    for a, b in combinations(range(board.leds), 2):
        (ax, ay), (bx, by) = board.xy[a], board.xy[b]
        if abs(ax - bx) < 80 and abs(ay - by) < 80 and board.distance_leds(a, b) > 2:
            assert (ax - bx) ** 2 + (ay - by) ** 2 > 76**2, (a, b)


def test_board_frame_is_near_16_to_10(board: Feeder):
    wide = max(x for x, _ in board.xy) - min(x for x, _ in board.xy)
    high = max(y for _, y in board.xy) - min(y for _, y in board.xy)
    assert 1.45 <= wide / high <= 1.8


def test_strip_order_is_depth_first(board: Feeder):
    for branch in board.branches[1:]:
        assert branch.parent < branch.first
        joints = board.path(branch.first - 1, 0)
        assert branch.parent in joints


def test_row4_is_a_row_of_equal_hops():
    row = Feeder.load("row4")
    a, b, c, d = row.stations
    assert row.distance_mm(a, b) == row.distance_mm(b, c) == row.distance_mm(c, d) == 352_000
    assert row.distance_mm(a, d) == 992_000
    assert row.phases == [0, 1, 1, 1]
    assert [row.xy[led][0] for led in (a, b, c, d)] == sorted(row.xy[led][0] for led in (a, b, c, d))


def test_meters500_is_what_the_generator_makes():
    big = Feeder.load("meters500")
    assert big.meters == 500
    assert big.sha256 == Feeder.loads(generate(500, 1, "meters500")).sha256
