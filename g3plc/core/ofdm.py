"""PHY numerology of CENELEC-A: symbols, airtimes, PSDU capacities, LQI, choice of modulation.

G.9903 clause 7 (OFDM of 36 carriers in six tone-map groups, Reed-Solomon, convolutional code, ROBO repetition).
Pure integer arithmetic, used by the MAC (segment sizes, time-outs), the PHY layer (error rates) and the media
(airtimes). Modulations are the ids of the MOD field of the frame control header.
"""

from __future__ import annotations

from collections.abc import Sequence

from g3plc.core.errors import UsageError

ROBO = 0
DBPSK = 1
DQPSK = 2
D8PSK = 3
MODULATION_NAMES = ("ROBO", "DBPSK", "DQPSK", "D8PSK")

GROUPS = 6
FULL_TONE_MAP = 0x3F

SYMBOL_US = 695
"""A symbol of header or payload: 256 samples, 30 of cyclic prefix, 8 of overlap, at 400 kHz."""
PREAMBLE_US = 6_080
"""8 SYNCP and 1.5 SYNCM symbols of 640 us (macPreambleLength 8)."""
FCH_US = 13 * SYMBOL_US
HEADER_US = PREAMBLE_US + FCH_US
"""What every frame costs before its payload."""
SLOT_US = 2 * SYMBOL_US
"""aSlotTime."""
RIFS_US = 8 * SYMBOL_US
"""From the end of a frame to its ACK."""
CIFS_US = 8 * SYMBOL_US
"""From an ACK to the next contention or segment."""
ACK_US = HEADER_US
"""An ACK or NACK is a frame control header without payload."""
ACK_WAIT_US = RIFS_US + ACK_US + CIFS_US
"""macAckWaitDuration, from the end of the frame."""
EIFS_US = SYMBOL_US * (252 + 8 + 8) + HEADER_US
"""Silence kept after energy whose header could not be decoded."""

MIN_SYMBOLS = 4
MAX_SYMBOLS = 252
"""aMaxFrameSize; the header's FL field counts units of four symbols in six bits."""
RS_BLOCK = 255
"""Octets of the Reed-Solomon block: PSDU and parity together."""

_CARRIERS = 6
_BITS = (1, 1, 2, 3)
_REPETITION = (4, 1, 1, 1)
_PARITY = (8, 16, 16, 16)
_TAIL_BITS = 6

# Mean SNR in 1/100 dB from which a receiver asks for the modulation; ROBO needs none.
_WANTED_CB = ((D8PSK, 1100), (DQPSK, 750), (DBPSK, 400))
_GROUP_DROP_CB = 600

_LQI_STEP_CB = 25
_LQI_ZERO_CB = -1000

_active = tuple(bits.bit_count() for bits in range(FULL_TONE_MAP + 1))
_sizes: dict[int, tuple[int, int]] = {}
_max_psdu: dict[int, int] = {}


def active_groups(tone_map: int) -> int:
    """Number of tone-map groups (six carriers each) that carry data, 1..6. UsageError: not a tone map."""
    if not 0 < tone_map <= FULL_TONE_MAP:
        raise UsageError(f"tone map {tone_map} is not within 1..{FULL_TONE_MAP}")
    return _active[tone_map]


def symbols(octets: int, modulation: int, tone_map: int) -> int:
    """Payload symbols of a PSDU of `octets`: a multiple of 4 within 4..252. UsageError: it does not fit."""
    size = _sizes.get(octets << 8 | modulation << 6 | tone_map)
    return (size or _measure(octets, modulation, tone_map))[0]


def padded_octets(octets: int, modulation: int, tone_map: int) -> int:
    """PSDU capacity of the symbols that `octets` needs: the sender pads with zeros up to it. UsageError as above."""
    size = _sizes.get(octets << 8 | modulation << 6 | tone_map)
    return (size or _measure(octets, modulation, tone_map))[1]


def airtime_us(octets: int, modulation: int, tone_map: int) -> int:
    """Length in microseconds of a frame with a PSDU of `octets`, preamble and header included. UsageError as above."""
    size = _sizes.get(octets << 8 | modulation << 6 | tone_map)
    return HEADER_US + SYMBOL_US * (size or _measure(octets, modulation, tone_map))[0]


def max_psdu(modulation: int, tone_map: int) -> int:
    """The longest PSDU in octets: its padded form fits 252 symbols and one Reed-Solomon block."""
    key = modulation << 6 | tone_map
    found = _max_psdu.get(key)
    if found is None:
        groups = active_groups(tone_map)
        parity = _parity(modulation)
        count = MAX_SYMBOLS
        while _capacity(count, modulation, groups) + parity > RS_BLOCK:
            count -= MIN_SYMBOLS
        found = _max_psdu[key] = _capacity(count, modulation, groups)
    return found


def lqi_of(snr_cb: int) -> int:
    """LQI 0..255 of a mean SNR in 1/100 dB: steps of 0.25 dB from -10 dB on."""
    lqi = (2 * (snr_cb - _LQI_ZERO_CB) + _LQI_STEP_CB) // (2 * _LQI_STEP_CB)
    return 0 if lqi < 0 else 255 if lqi > 255 else lqi


def snr_cb_of(lqi: int) -> int:
    """The mean SNR in 1/100 dB that an LQI of 0..255 stands for."""
    return lqi * _LQI_STEP_CB + _LQI_ZERO_CB


def choose_modulation(groups_cb: Sequence[int]) -> tuple[int, int]:
    """What a receiver answers to a tone-map request: (modulation, tone map).

    `groups_cb` holds the SNR of each of the six groups in 1/100 dB, lowest carriers first. The mean SNR chooses the
    modulation; groups more than 6 dB under its threshold are left out. ROBO keeps the full map, for with fewer
    groups its longest PSDU would not carry a segment. The standard leaves the rule to the receiver.
    """
    total_cb = sum(groups_cb)
    for modulation, wanted_cb in _WANTED_CB:
        if total_cb >= GROUPS * wanted_cb:
            least_cb = wanted_cb - _GROUP_DROP_CB
            return modulation, sum(1 << group for group, snr_cb in enumerate(groups_cb) if snr_cb >= least_cb)
    return ROBO, FULL_TONE_MAP


def _parity(modulation: int) -> int:
    if not 0 <= modulation < len(_PARITY):
        raise UsageError(f"modulation {modulation} is not within 0..3")
    return _PARITY[modulation]


def _capacity(count: int, modulation: int, groups: int) -> int:
    coded = count * groups * _CARRIERS * _BITS[modulation]
    repetition = _REPETITION[modulation]
    return (coded - 2 * _TAIL_BITS * repetition) // (16 * repetition) - _PARITY[modulation]


def _measure(octets: int, modulation: int, tone_map: int) -> tuple[int, int]:
    longest = max_psdu(modulation, tone_map)
    if not 0 < octets <= longest:
        name = MODULATION_NAMES[modulation]
        raise UsageError(f"PSDU of {octets} octets is not within 1..{longest} ({name}, tone map {tone_map:#04x})")
    groups = active_groups(tone_map)
    coded = ((octets + _PARITY[modulation]) * 8 + _TAIL_BITS) * 2 * _REPETITION[modulation]
    per_unit = MIN_SYMBOLS * groups * _CARRIERS * _BITS[modulation]
    count = MIN_SYMBOLS * -(-coded // per_unit)
    size = (count, _capacity(count, modulation, groups))
    _sizes[octets << 8 | modulation << 6 | tone_map] = size
    return size
