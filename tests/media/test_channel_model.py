"""The channel as a function: what it promises anywhere, and what its calibration promises on the shipped ones."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation.grid.feeder import Feeder
from emulation.media.channel import BUCKET_US, Channel
from emulation.media.channel_config import ChannelConfig
from g3plc.core.errors import UsageError
from g3plc.core.ofdm import lqi_of
from g3plc.phy.error_rate import ALWAYS, header_threshold, threshold

NIGHT_US = 2 * 4 * BUCKET_US
QUIET = ChannelConfig(shadow_cb=0, asymmetry_cb=0, noise_spread_cb=0, drift_cb=0, walk_cb=0)
BOARD = Feeder.load("board")
ROW4 = Feeder.load("row4")


def hops(channel, stations, least_cb=300):
    """BFS over links that are not weak and lose under 10 % of long ROBO frames both ways."""

    def good(src, dst):
        level = channel.level_cb(src, dst)
        if level is None:
            return False
        snr_cb = level - channel.noise_cb(dst, NIGHT_US)
        return snr_cb >= least_cb and threshold(0, 133, snr_cb) < ALWAYS // 10

    found = {0: 0}
    for src in (queue := [0]):
        for dst in channel.earshot(src):
            if dst not in found and good(src, dst) and good(dst, src):
                found[dst] = found[src] + 1
                queue.append(dst)
    return [sum(1 for hop in found.values() if hop == count) for count in range(1, 30)], stations - len(found)


def quietest(channel, station, buckets=96):
    return min(channel.noise_cb(station, bucket * BUCKET_US) for bucket in range(buckets))


def test_same_seed_same_channel_whatever_the_order():
    one, two = Channel(BOARD, 7), Channel(BOARD, 7)
    backwards = {src: two.earshot(src) for src in reversed(range(49))}
    for src in range(49):
        assert one.earshot(src) == backwards[src]
        for dst in one.earshot(src):
            assert one.level_cb(src, dst) == two.level_cb(src, dst)
            assert one.group_offsets_cb(src, dst) == two.group_offsets_cb(src, dst)
    late = two.noise_cb(5, 40 * BUCKET_US)
    assert [one.noise_cb(5, at * BUCKET_US) for at in range(41)][40] == late


def test_another_seed_another_channel():
    one, two = Channel(BOARD, 1), Channel(BOARD, 2)
    both = [dst for dst in one.earshot(0) if dst in two.earshot(0)]
    assert any(one.level_cb(0, dst) != two.level_cb(0, dst) for dst in both)


def test_earshot_is_sorted_and_holds_who_can_ever_decode_a_header():
    channel = Channel(BOARD, 3)
    for src in range(0, 49, 6):
        hearers = channel.earshot(src)
        assert list(hearers) == sorted(set(hearers) - {src})
        for dst in range(49):
            level = channel.level_cb(src, dst)
            assert (level is not None) == (dst in hearers)
            if level is None and dst != src:
                beyond = channel.attenuation_parts(src, dst).level_cb
                assert header_threshold(beyond - quietest(channel, dst)) == ALWAYS


@settings(max_examples=30)
@given(st.integers(0, 48), st.integers(0, 48), st.integers(0, 2**64 - 1))
def test_parts_make_the_level(src, dst, seed):
    channel = Channel(BOARD, seed)
    level = channel.level_cb(src, dst)
    if src == dst:
        assert level is None
        return
    parts = channel.attenuation_parts(src, dst)
    back = channel.attenuation_parts(dst, src)
    assert level in (None, parts.level_cb)
    assert parts.total_cb == 12_000 - parts.level_cb
    assert (parts.cable_cb, parts.tap_cb, parts.phase_cb) == (back.cable_cb, back.tap_cb, back.phase_cb)
    assert parts.shadow_cb == back.shadow_cb
    assert abs(parts.shadow_cb) <= 1000 and abs(parts.asymmetry_cb) <= 250


def test_cable_taps_and_phases_by_hand():
    channel = Channel(ROW4, 1, QUIET)
    first = channel.attenuation_parts(0, 1)
    assert (first.distance_mm, first.cable_cb, first.taps) == (352_000, 3168, 1)
    assert first.level_cb == 12_000 - 800 - 3168 - 300 == channel.level_cb(0, 1)
    second = channel.attenuation_parts(1, 2)
    assert (second.distance_mm, second.cable_cb, second.taps, second.phase_cb) == (352_000, 3168, 2, 0)


def test_phases_cost_between_meters_only():
    channel = Channel(BOARD, 1)
    assert BOARD.phases[0] == 0
    for src in range(49):
        for dst in range(src):
            differ = BOARD.phases[src] != BOARD.phases[dst] and dst != 0
            assert channel.attenuation_parts(src, dst).phase_cb == (600 if differ else 0)


def test_shadows_spread_as_they_should():
    channel = Channel(BOARD, 11)
    pairs = [(a, b) for a in range(49) for b in range(a)]
    shadows = [channel.attenuation_parts(a, b).shadow_cb for a, b in pairs]
    mean = sum(shadows) / len(shadows)
    spread = (sum((cell - mean) ** 2 for cell in shadows) / len(shadows)) ** 0.5
    assert abs(mean) < 50
    assert 350 < spread < 430


def test_difficulty_scales_cable_and_taps():
    plain = Channel(BOARD, 1, QUIET).attenuation_parts(0, 20)
    hard = Channel(
        BOARD,
        1,
        ChannelConfig(difficulty=200, shadow_cb=0, asymmetry_cb=0, noise_spread_cb=0, drift_cb=0, walk_cb=0),
    ).attenuation_parts(0, 20)
    assert hard.cable_cb == pytest.approx(2 * plain.cable_cb, abs=60)
    assert hard.tap_cb == 2 * plain.tap_cb


def test_a_cut_removes_the_path_and_nothing_else():
    channel = Channel(BOARD, 5)
    before = {src: {dst: channel.level_cb(src, dst) for dst in channel.earshot(src)} for src in range(49)}
    led = BOARD.path(0, BOARD.stations[24])[-6]
    beyond = {station for station, at in enumerate(BOARD.stations) if led in BOARD.path(0, at)}
    assert beyond
    channel.set_cuts([led])
    for src in range(49):
        kept = {dst: level for dst, level in before[src].items() if (src in beyond) == (dst in beyond)}
        assert {dst: channel.level_cb(src, dst) for dst in channel.earshot(src)} == kept
    assert channel.attenuation_parts(0, min(beyond)).cut
    channel.set_cuts([])
    assert {src: {dst: channel.level_cb(src, dst) for dst in channel.earshot(src)} for src in range(49)} == before


def test_every_span_can_be_cut():
    channel = Channel(ROW4, 1, QUIET)
    for led in range(1, ROW4.leds):
        channel.set_cuts([led])
        on_a_drop_between = 43 <= led <= 44 or 85 <= led <= 86
        assert sum(len(channel.earshot(src)) for src in range(4)) == (2 if on_a_drop_between else 4)


def test_noise_is_constant_for_a_quarter_and_worse_in_the_evening():
    channel = Channel(BOARD, 1, ChannelConfig(walk_cb=0), epoch_us=10 * BUCKET_US + 5)
    assert channel.bucket(0) == 10
    assert channel.bucket(BUCKET_US - 6) == 10
    assert channel.bucket(BUCKET_US - 5) == 11
    by_hour = [channel.noise_cb(7, (hour * 4 - 10) * BUCKET_US) for hour in range(24)]
    assert max(by_hour) == by_hour[20] and min(by_hour) == by_hour[3]
    assert by_hour[20] - by_hour[3] == 200
    assert channel.noise_cb(7, 14 * BUCKET_US) == channel.noise_cb(7, 15 * BUCKET_US - 6)


def test_noise_walks_slowly_and_stays_near():
    channel = Channel(BOARD, 1, ChannelConfig(drift_cb=0))
    walk = [channel.noise_cb(9, bucket * BUCKET_US) for bucket in range(96 * 7)]
    assert len(set(walk)) > 20
    assert max(walk) - min(walk) <= 200
    assert all(abs(a - b) <= 51 for a, b in pairwise(walk))


@settings(max_examples=50)
@given(st.integers(0, 48), st.integers(0, 48), st.integers(0, 1000))
def test_groups_average_to_nothing(src, dst, seed):
    offsets = Channel(BOARD, seed).group_offsets_cb(src, dst)
    assert len(offsets) == 6
    assert sum(offsets) == 0
    assert max(map(abs, offsets)) < 1500


def test_long_paths_tilt_more():
    channel = Channel(BOARD, 1, ChannelConfig(ripple_cb=0))
    level, near = max((channel.level_cb(0, dst), dst) for dst in channel.earshot(0))
    weak, far = min((channel.level_cb(0, dst), dst) for dst in channel.earshot(0))
    assert level > weak
    flat, steep = channel.group_offsets_cb(0, near), channel.group_offsets_cb(0, far)
    assert list(steep) == sorted(steep, reverse=True)
    assert steep[0] - steep[5] > flat[0] - flat[5]


@pytest.mark.parametrize("seed", range(10))
def test_the_board_looks_like_a_real_network(seed):
    channel = Channel(BOARD, seed)
    counts, unreached = hops(channel, 49)
    assert unreached == 0
    assert 20 <= counts[0] <= 28
    assert 8 <= counts[1] <= 20
    assert 4 <= sum(counts[2:5]) <= 18
    assert sum(counts[5:]) == 0
    assert 14 <= sum(len(channel.earshot(src)) for src in range(49)) / 49 <= 30


@pytest.mark.parametrize("seed", range(0, 200, 7))
def test_four_in_a_row_hear_their_neighbours_only(seed):
    config = ChannelConfig(shadow_cb=0, asymmetry_cb=0, noise_spread_cb=0)
    channel = Channel(ROW4, seed, config)
    assert [channel.earshot(src) for src in range(4)] == [(1,), (0, 2), (1, 3), (2,)]
    for src, dst in ((0, 1), (1, 2), (2, 3)):
        for a, b in ((src, dst), (dst, src)):
            worst = max(channel.noise_cb(b, bucket * BUCKET_US) for bucket in range(96))
            assert lqi_of(channel.level_cb(a, b) - worst) >= 60


def test_five_hundred_meters_are_reached_in_eight_hops_or_so():
    feeder = Feeder.load("meters500")
    counts, unreached = hops(Channel(feeder, 1), len(feeder.stations))
    assert unreached <= 5
    assert 6 <= max(hop for hop, count in enumerate(counts, 1) if count) <= 12


def test_config_names_what_is_wrong():
    assert ChannelConfig.of({}) == ChannelConfig()
    assert ChannelConfig.of({"shadow_cb": 0}).shadow_cb == 0
    for table, word in [
        ({"shadow": 1}, "allowed: difficulty, "),
        ({"shadow_cb": 2001}, "0..2000"),
        ({"shadow_cb": 1.5}, "1.5 is not an integer"),
        ({"shadow_cb": True}, "True"),
        ({"difficulty": "hard"}, "'hard'"),
    ]:
        with pytest.raises(UsageError, match=next(iter(table))) as error:
            ChannelConfig.of(table)
        assert word in str(error.value)
    with pytest.raises(UsageError):
        ChannelConfig(tap_cb=-1)


def test_config_documents_every_key():
    for name, default, low, high, unit, meaning in ChannelConfig.keys():  # noqa: SIM118
        assert low <= default <= high
        assert unit and meaning
        assert ChannelConfig.of({name: high}) is not None
