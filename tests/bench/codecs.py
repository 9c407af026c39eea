"""What the codecs of the hottest paths take, best of several repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from timeit import repeat
from typing import Any

from g3plc.wire import mac_frame
from g3plc.wire.crc import fcs
from g3plc.wire.loadng_msg import decode as decode_loadng
from g3plc.wire.xdlms import GetRequestNormal
from tests.bench.figure import Figure

REPEATS, CALLS = 7, 20_000
GET = GetRequestNormal(0xC1, 3, bytes((1, 0, 1, 8, 0, 255)), 2)
WRAPPED = bytes(9) + bytes(8) + GET.encode()
DATA_PSDU = mac_frame.encode_data(0x781D, 1, 0, 5, WRAPPED, True)
RREQ = bytes.fromhex("40010000000007000 50f000c6210".replace(" ", ""))
OCTETS_120 = bytes(range(120))


def figures() -> Iterator[Figure]:
    """The three that were asked for, and the decoder of the most frequent broadcast."""
    yield _timed("MAC frame decode", f"data frame of {len(DATA_PSDU)} octets", lambda: mac_frame.decode(DATA_PSDU), 2)
    yield _timed("FCS of 120 octets", "as in every frame", lambda: fcs(OCTETS_120), 1)
    yield _timed("GET request encode", f"{len(GET.encode())} octets", GET.encode, 1)
    yield _timed("RREQ decode", f"{len(RREQ)} octets", lambda: decode_loadng(RREQ))


def _timed(name: str, what: str, call: Callable[[], Any], target_us: float | None = None) -> Figure:
    best = min(repeat(call, number=CALLS, repeat=REPEATS))
    return Figure("codecs", name, best / CALLS * 1_000_000, "us", f"{what}, best of {REPEATS} x {CALLS}", target_us)
