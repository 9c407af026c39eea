"""Which stations the coordinator could reach at all: a judgement from the channel alone, whatever a run made of it.

A link counts when the error rate of a long ROBO frame is under a half both ways. Collections are measured against
this: a meter without a path of such links is out of reach, and no protocol is to blame.
"""

from __future__ import annotations

from emulation.media.channel import Channel
from g3plc.core.ofdm import ROBO
from g3plc.phy.error_rate import ALWAYS, header_threshold, threshold

COORDINATOR = 0
PSDU_OCTETS = 133
"""The longest in ROBO."""


def reachable(channel: Channel, now: int, max_hops: int) -> set[int]:
    """The stations with a path of at most `max_hops` links from the coordinator, itself included.

    `now`: emulated time in microseconds, which sets the noise. Cut cables count, other faults do not.
    """
    found = {COORDINATOR}
    frontier = [COORDINATOR]
    for _ in range(max_hops):
        beyond = []
        for src in frontier:
            for dst in channel.earshot(src):
                if dst not in found and _carries(channel, src, dst, now) and _carries(channel, dst, src, now):
                    found.add(dst)
                    beyond.append(dst)
        frontier = beyond
    return found


def _carries(channel: Channel, src: int, dst: int, now: int) -> bool:
    """Fewer than half of the frames are lost, by header or by payload."""
    level_cb = channel.level_cb(src, dst)
    if level_cb is None:
        return False
    snr_cb = level_cb - channel.noise_cb(dst, now)
    good = (ALWAYS - header_threshold(snr_cb)) * (ALWAYS - threshold(ROBO, PSDU_OCTETS, snr_cb))
    return 2 * good > ALWAYS * ALWAYS
