"""Geometry of the light: losses as the channel has them, reaches that end where decoding ends, ways and sides."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation.grid.feeder import Feeder
from emulation.media.cable_tree import CableTree
from emulation.media.channel import Channel
from emulation.media.channel_config import ChannelConfig
from g3plc.core.ofdm import ROBO
from g3plc.phy.error_rate import ALWAYS, header_threshold, threshold
from led_gateway.board import FULL_L, LEAST_L, Board, decoding_limit_cb

sys.path.append(str(Path(__file__).resolve().parent))

import itertools

from light_cases import small_board

FEEDER = Feeder.load("board")
BOARD = Board(FEEDER)
STATIONS = len(FEEDER.stations)

station = st.integers(0, STATIONS - 1)


@given(station, station)
def test_losses_are_those_of_the_channel(src: int, dst: int) -> None:
    if src == dst:
        return
    cable_cb, _, tap_cb, _ = CableTree(FEEDER, ChannelConfig()).between(src, dst)
    # the channel rounds each edge of its tree, the board the whole way
    assert abs(BOARD.loss_cb(src, dst) - cable_cb - tap_cb) <= STATIONS // 2


def test_the_limit_is_where_every_second_long_robo_frame_is_lost() -> None:
    config = ChannelConfig()
    snr_cb = config.tx_level_cb - config.coupling_cb - decoding_limit_cb(config) - config.noise_cb
    good = [
        (ALWAYS - header_threshold(at)) * (ALWAYS - threshold(ROBO, 133, at)) / ALWAYS**2 for at in (snr_cb - 1, snr_cb)
    ]
    assert good[0] < 0.5 <= good[1]


@given(station)
def test_a_wave_ends_where_decoding_ends(src: int) -> None:
    reach = BOARD.reach(src)
    lit = {cell & 0xFFFF for cell in reach.cells}
    quiet = ChannelConfig(shadow_cb=0, asymmetry_cb=0, noise_spread_cb=0, phase_cb=0)
    channel = Channel(FEEDER, 1, quiet)
    for dst in range(STATIONS):
        if dst != src:
            level_cb = channel.level_cb(src, dst)
            decodes = level_cb is not None and level_cb - quiet.noise_cb >= -BOARD.a_max_cb + (
                quiet.tx_level_cb - quiet.coupling_cb - quiet.noise_cb
            )
            near_the_limit = abs(BOARD.loss_cb(src, dst) - BOARD.a_max_cb) <= STATIONS
            assert (FEEDER.stations[dst] in lit) == decodes or near_the_limit


@given(station)
def test_brightness_follows_the_formula(src: int) -> None:
    reach = BOARD.reach(src)
    assert reach.cells[0] == FULL_L << 16 | FEEDER.stations[src]
    for dst in range(STATIONS):
        for cell in reach.cells:
            if cell & 0xFFFF == FEEDER.stations[dst] and dst != src:
                exact = 255 * (1 - 0.75 * BOARD.loss_cb(src, dst) / BOARD.a_max_cb)
                assert abs((cell >> 16) - max(exact, LEAST_L)) <= 1.5


@given(station)
def test_rings_hold_every_led_once_at_its_distance(src: int) -> None:
    reach = BOARD.reach(src)
    start = FEEDER.stations[src]
    found = [cell & 0xFFFF for cell in reach.cells]
    assert len(set(found)) == len(found)
    for distance in range(reach.radius + 1):
        ring = reach.cells[reach.rings[distance] : reach.rings[distance + 1]]
        assert len(ring) and all(FEEDER.distance_leds(start, cell & 0xFFFF) == distance for cell in ring)


@given(station, st.integers(1, FEEDER.leds - 1))
def test_no_wave_passes_a_cut(src: int, cut: int) -> None:
    start = FEEDER.stations[src]
    for cell in BOARD.reach(src, {cut}).cells:
        way = FEEDER.path(start, cell & 0xFFFF)
        assert not any({here, there} == {cut, FEEDER.parent_led[cut]} for here, there in itertools.pairwise(way))


@given(station, station)
@settings(max_examples=40)
def test_sides_of_a_meeting_point(src: int, dst: int) -> None:
    leds = BOARD.path(src, dst).leds
    for place, middle in enumerate(leds[1:-1], 1):
        low, high, inside = BOARD.near(middle, leds[0])
        on_side = [(low <= BOARD.order[led] < high) == inside for led in leds]
        assert on_side == [True] * place + [False] * (len(leds) - place)


def test_cut_on_a_way() -> None:
    board = small_board()
    way = board.path(0, 3).leds
    assert board.cut_on(way, frozenset()) == len(way)
    assert board.cut_on(way, {16}) == way.index(16)
    assert board.cut_on(tuple(reversed(way)), {16}) == way[::-1].index(15)


@pytest.mark.parametrize("name", ["row4", "meters500"])
def test_any_feeder(name: str) -> None:
    board = Board(Feeder.load(name))
    for src in range(0, len(board.stations), 50):
        assert board.reach(src).cells


def test_one_meter_and_one_led_of_cable() -> None:
    text = "gridglow-feeder 1\nname: tiny\ntitle: Tiny\n0 0 -1 8 underground - 0,0\n1 1 0 8 service 1 80,0\n"
    board = Board(Feeder.loads(text))
    assert board.path(0, 1).leds == (0, 1)
    assert board.reach(0).radius == 1
