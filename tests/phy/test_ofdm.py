"""The numerology against every figure that the fact sheet states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core import ofdm
from g3plc.core.errors import UsageError
from g3plc.core.ofdm import D8PSK, DBPSK, DQPSK, FULL_TONE_MAP, ROBO

# (milliseconds, symbols) of ROBO, DBPSK, DQPSK, D8PSK with all groups
AIRTIMES = {
    8: ((37.4, 32), (23.5, 12), (20.7, 8), (17.9, 4)),
    13: ((42.9, 40), (26.2, 16), (20.7, 8), (20.7, 8)),
    18: ((48.5, 48), (26.2, 16), (20.7, 8), (20.7, 8)),
    24: ((56.8, 60), (29.0, 20), (23.5, 12), (20.7, 8)),
    38: ((73.5, 84), (34.6, 28), (26.2, 16), (23.5, 12)),
    64: ((106.9, 132), (40.1, 36), (29.0, 20), (23.5, 12)),
    80: ((126.3, 160), (45.7, 44), (31.8, 24), (26.2, 16)),
    100: ((151.3, 196), (51.3, 52), (34.6, 28), (29.0, 20)),
    133: ((190.3, 252), (62.4, 68), (40.1, 36), (31.8, 24)),
    160: (None, (70.7, 80), (42.9, 40), (34.6, 28)),
    200: (None, (84.6, 100), (51.3, 52), (40.1, 36)),
    235: (None, (93.0, 112), (54.0, 56), None),
}
# PSDU (symbols) for one to six groups
LONGEST = {
    ROBO: ((14, 244), (38, 252), (62, 252), (85, 252), (109, 252), (133, 252)),
    DBPSK: ((77, 252), (172, 252), (239, 228), (235, 168), (238, 136), (235, 112)),
    DQPSK: ((172, 252), (235, 168), (235, 112), (235, 84), (238, 68), (235, 56)),
    D8PSK: ((239, 228), (235, 112), (239, 76), (235, 56), (230, 44), (226, 36)),
}
SIXTY_OCTETS = {
    ROBO: (None, None, 187.5, 143.0, 118.0, 101.3),
    DBPSK: (159.7, 87.4, 65.2, 51.3, 45.7, 40.1),
    DQPSK: (87.4, 51.3, 40.1, 34.6, 31.8, 29.0),
    D8PSK: (65.2, 40.1, 31.8, 29.0, 26.2, 23.5),
}
TONE_MAPS = st.integers(1, FULL_TONE_MAP)
MODULATIONS = st.integers(ROBO, D8PSK)


def first_groups(count):
    return (1 << count) - 1


def to_tenths(microseconds):
    return (microseconds + 50) // 100


def test_timing_constants():
    assert ofdm.SYMBOL_US == 695
    assert (ofdm.PREAMBLE_US, ofdm.FCH_US, ofdm.HEADER_US) == (6_080, 9_035, 15_115)
    assert (ofdm.SLOT_US, ofdm.RIFS_US, ofdm.CIFS_US) == (1_390, 5_560, 5_560)
    assert (ofdm.ACK_US, ofdm.ACK_WAIT_US, ofdm.EIFS_US) == (15_115, 26_235, 201_375)


@pytest.mark.parametrize("octets", AIRTIMES)
def test_airtime_table(octets):
    for modulation, cell in enumerate(AIRTIMES[octets]):
        if cell is None:
            with pytest.raises(UsageError):
                ofdm.airtime_us(octets, modulation, FULL_TONE_MAP)
            continue
        milliseconds, symbols = cell
        assert ofdm.symbols(octets, modulation, FULL_TONE_MAP) == symbols
        assert to_tenths(ofdm.airtime_us(octets, modulation, FULL_TONE_MAP)) == round(milliseconds * 10)


@pytest.mark.parametrize("modulation", LONGEST)
def test_longest_psdu_table(modulation):
    for groups, (octets, symbols) in enumerate(LONGEST[modulation], 1):
        tone_map = first_groups(groups)
        assert ofdm.max_psdu(modulation, tone_map) == octets
        assert ofdm.symbols(octets, modulation, tone_map) == symbols
        assert ofdm.padded_octets(octets, modulation, tone_map) == octets
        with pytest.raises(UsageError):
            ofdm.symbols(octets + 1, modulation, tone_map)


@pytest.mark.parametrize("modulation", SIXTY_OCTETS)
def test_fewer_groups_take_longer(modulation):
    for groups, milliseconds in enumerate(SIXTY_OCTETS[modulation], 1):
        if milliseconds is not None:
            assert to_tenths(ofdm.airtime_us(60, modulation, first_groups(groups))) == round(milliseconds * 10)


def test_spot_checks():
    assert ofdm.airtime_us(133, ROBO, FULL_TONE_MAP) == 190_255
    assert ofdm.airtime_us(235, DBPSK, FULL_TONE_MAP) == 92_955


def test_rates_of_the_longest_psdu():
    kilobits = [
        round(8_000 * ofdm.max_psdu(m, FULL_TONE_MAP) / ofdm.airtime_us(ofdm.max_psdu(m, FULL_TONE_MAP), m, 63), 1)
        for m in range(4)
    ]
    assert kilobits == [5.6, 20.2, 34.8, 45.0]


@given(st.integers(1, 255), MODULATIONS, TONE_MAPS)
def test_padding_fills_the_symbols(octets, modulation, tone_map):
    if octets > ofdm.max_psdu(modulation, tone_map):
        with pytest.raises(UsageError):
            ofdm.padded_octets(octets, modulation, tone_map)
        return
    padded = ofdm.padded_octets(octets, modulation, tone_map)
    symbols = ofdm.symbols(octets, modulation, tone_map)
    assert octets <= padded <= 255
    assert symbols % 4 == 0 and 4 <= symbols <= 252
    assert ofdm.symbols(padded, modulation, tone_map) == symbols
    assert ofdm.airtime_us(octets, modulation, tone_map) == 15_115 + 695 * symbols
    if padded < ofdm.max_psdu(modulation, tone_map):
        assert ofdm.symbols(padded + 1, modulation, tone_map) > symbols


@pytest.mark.parametrize(("octets", "modulation", "tone_map"), [(0, 0, 63), (-1, 0, 63), (8, 4, 63), (8, 0, 0)])
def test_what_does_not_exist_is_refused(octets, modulation, tone_map):
    with pytest.raises(UsageError):
        ofdm.airtime_us(octets, modulation, tone_map)


@pytest.mark.parametrize("tone_map", [0, -1, 64])
def test_tone_map_out_of_range(tone_map):
    with pytest.raises(UsageError):
        ofdm.active_groups(tone_map)


@pytest.mark.parametrize(
    ("snr_cb", "lqi"),
    [(-99_999, 0), (-1000, 0), (-975, 1), (300, 52), (500, 60), (1000, 80), (1500, 100), (5375, 255), (99_999, 255)],
)
def test_lqi_anchors(snr_cb, lqi):
    assert ofdm.lqi_of(snr_cb) == lqi


@given(st.integers(0, 255))
def test_lqi_and_back(lqi):
    assert ofdm.lqi_of(ofdm.snr_cb_of(lqi)) == lqi


@pytest.mark.parametrize(
    ("snr_cb", "modulation"),
    [(-500, ROBO), (399, ROBO), (400, DBPSK), (749, DBPSK), (750, DQPSK), (1099, DQPSK), (1100, D8PSK), (5000, D8PSK)],
)
def test_flat_channel_chooses_by_threshold(snr_cb, modulation):
    assert ofdm.choose_modulation([snr_cb] * 6) == (modulation, FULL_TONE_MAP)


def test_groups_far_under_the_threshold_are_dropped():
    assert ofdm.choose_modulation([1700, 1500, 1300, 1200, 500, 499]) == (D8PSK, 0b011111)
    assert ofdm.choose_modulation([-201, 600, 600, 600, 600, 600]) == (DBPSK, 0b111110)
    assert ofdm.choose_modulation([-2000, 500, 500, 500, 500, 500]) == (ROBO, FULL_TONE_MAP)


@given(st.lists(st.integers(-4000, 6000), min_size=6, max_size=6))
def test_the_choice_can_always_be_sent(groups_cb):
    modulation, tone_map = ofdm.choose_modulation(groups_cb)
    assert ofdm.airtime_us(60, modulation, tone_map) > 15_115
