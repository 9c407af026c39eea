"""Reach is judged from the channel: hop by hop, both ways, at the noise of the hour."""

from __future__ import annotations

import pytest

from emulation.grid.feeder import Feeder
from emulation.media.channel import BUCKET_US, Channel
from emulation.media.channel_config import ChannelConfig
from emulation.media.reach import reachable

NIGHT_US = 2 * 4 * BUCKET_US
NOON_US = 12 * 4 * BUCKET_US
QUIET = ChannelConfig(shadow_cb=0, asymmetry_cb=0, noise_spread_cb=0, drift_cb=0, walk_cb=0)
BOARD = Feeder.load("board")
ROW4 = Feeder.load("row4")

TWO = """gridglow-feeder 1
name: two
title: Two stations

0  0  -1  1  underground  -  0,0
1  1   0  1  underground  1  10,0
"""
HALF_LOST_CB = -85
"""A long ROBO frame is lost in half of the cases at -2.35 dB and 1.5 dB of implementation loss."""


def two(snr_cb, asymmetry_cb=0, seed=1):
    config = ChannelConfig(
        tx_level_cb=7000 + snr_cb, noise_cb=7000, coupling_cb=0, underground_cb_km=0, tap_cb=0, shadow_cb=0,
        asymmetry_cb=asymmetry_cb, noise_spread_cb=0, drift_cb=0, walk_cb=0,
    )  # fmt: skip
    return Channel(Feeder.loads(TWO), seed, config)


def test_a_row_is_reached_one_hop_further_each():
    channel = Channel(ROW4, 1, QUIET)
    assert [sorted(reachable(channel, NIGHT_US, hops)) for hops in range(5)] == [
        [0],
        [0, 1],
        [0, 1, 2],
        [0, 1, 2, 3],
        [0, 1, 2, 3],
    ]


@pytest.mark.parametrize(("above_cb", "found"), [(20, {0, 1}), (-20, {0})])
def test_a_link_carries_while_fewer_than_half_of_the_frames_are_lost(above_cb, found):
    assert reachable(two(HALF_LOST_CB + above_cb), 0, 8) == found


def test_both_ways_count():
    """Somewhere around the limit there are links that carry in one direction only: they are not counted."""
    one_way = 0
    for seed in range(40):
        channel = two(HALF_LOST_CB, asymmetry_cb=300, seed=seed)
        levels = [channel.level_cb(0, 1), channel.level_cb(1, 0)]
        carried = [level is not None and level - 7000 > HALF_LOST_CB + 10 for level in levels]
        refused = [level is None or level - 7000 < HALF_LOST_CB - 10 for level in levels]
        if all(carried):
            assert reachable(channel, 0, 8) == {0, 1}
        if any(refused):
            assert reachable(channel, 0, 8) == {0}
            one_way += any(carried)
    assert one_way


def test_a_cut_cable_is_counted():
    channel = Channel(ROW4, 1, QUIET)
    channel.set_cuts([60])
    assert reachable(channel, NIGHT_US, 8) == {0, 1}
    channel.set_cuts([])
    assert reachable(channel, NIGHT_US, 8) == {0, 1, 2, 3}


def test_the_board_is_within_reach_whatever_the_seed():
    for seed in range(20):
        assert reachable(Channel(BOARD, seed), NIGHT_US, 8) == set(range(49))


def test_more_hops_and_less_noise_never_reach_fewer():
    for seed in range(5):
        channel = Channel(BOARD, seed)
        sizes = [len(reachable(channel, NIGHT_US, hops)) for hops in range(9)]
        assert sizes == sorted(sizes)
        assert reachable(Channel(BOARD, seed, ChannelConfig(noise_cb=7200)), NIGHT_US, 3) <= reachable(
            channel, NIGHT_US, 3
        )


def test_the_hour_counts():
    config = ChannelConfig(noise_cb=7400, drift_cb=2000)
    night, noon = (reachable(Channel(BOARD, 3, config), now, 8) for now in (NIGHT_US, NOON_US))
    assert noon < night
