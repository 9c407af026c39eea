"""A station that obeys nobody: it puts what it likes on the wire, and the others must live with it.

The rogue stands where a meter stood, with a transceiver and no MAC. Whatever it sends: no exception, every refusal a
`Dropped` event with a reason, tables stay bounded, and when it is gone the meters are read.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulation.clocks import SimClock
from emulation.grid.feeder_generate import generate
from emulation.media.sim import SimMedium
from emulation.observe.record import Strict
from emulation.observe.tap import Trace
from emulation.randomness import Stream
from emulation.sim import Simulation
from g3plc import events as ev
from g3plc.phy.link import Link
from g3plc.stack import PAN_ID
from g3plc.wire import crc, iphc, ipv6, mac_frame, udp
from g3plc.wire.cosem_wrapper import Wpdu
from g3plc.wire.frag import Frag1, FragN
from g3plc.wire.loadng_msg import Hop, Prep, Preq, Rerr, RlcRep, RlcReq, Rrep, RrepAck, Rreq
from g3plc.wire.lowpan import Bc0, Mesh
from g3plc.wire.mac_command import BeaconRequest, ToneMapResponse

SECOND = 1_000_000
ALL = 0xFFFF
ROGUE = 3
METERS = 9
STATIONS = METERS + 1


Frame = tuple[bytes, int, bool]
"""PSDU, the station it is for (65535: all) as the PHY is told, ACK wanted."""


class Dice:
    """Where decisions come from (`below(n)`: a seeded stream, or hypothesis), and what an honest run has sent."""

    def __init__(self, below: Callable[[int], int], frames: Sequence[Frame], apdus: Sequence[bytes]) -> None:
        self.below = below
        self.frames = frames
        self.apdus = apdus


def one_of(rng: Dice, *choices: Any) -> Any:
    return choices[rng.below(len(choices))]


def octets(rng: Dice, most: int) -> bytes:
    return bytes(rng.below(256) for _ in range(rng.below(most + 1)))


def somebody(rng: Dice) -> int:
    """A short address: mostly of a station, sometimes of none, of a group, of everybody, of the rogue."""
    return rng.below(STATIONS) if rng.below(4) else one_of(rng, STATIONS + 1, 0x7FFF, 0x8001, 0xFFFE, ALL, ROGUE)


def in_frame(rng: Dice, msdu: bytes, source: int | None = None) -> Frame:
    """A data frame that is right in itself around any octets."""
    target = one_of(rng, rng.below(STATIONS), ALL)
    source = somebody(rng) if source is None and not rng.below(3) else ROGUE if source is None else source
    wants_ack = bool(rng.below(2))
    return (
        mac_frame.encode_data(PAN_ID, target, source, rng.below(256), msdu, ack_request=wants_ack),
        target,
        wants_ack,
    )


# -- what a rogue may send


def replayed(rng: Dice) -> Frame:
    """A frame of an earlier run, octet for octet."""
    return rng.frames[rng.below(len(rng.frames))]


def flipped(rng: Dice) -> Frame:
    """Some bits of a good frame turned over; sometimes with an FCS that fits again."""
    psdu, target, wants_ack = replayed(rng)
    broken = bytearray(psdu)
    for _ in range(1 + rng.below(4)):
        broken[rng.below(len(broken))] ^= 1 << rng.below(8)
    return (refitted(bytes(broken)) if rng.below(4) else bytes(broken)), target, wants_ack


def refitted(psdu: bytes) -> bytes:
    return psdu[:-2] + crc.fcs(psdu[:-2]).to_bytes(2, "little")


def truncated(rng: Dice) -> Frame:
    psdu, target, wants_ack = replayed(rng)
    cut = psdu[: 3 + rng.below(len(psdu) - 3)]
    return (refitted(cut) if rng.below(4) else cut), target, wants_ack


def noise(rng: Dice) -> Frame:
    psdu = octets(rng, 60) + b"\0\0\0"
    return (refitted(psdu) if rng.below(2) else psdu), one_of(rng, rng.below(STATIONS), ALL), bool(rng.below(2))


def any_msdu(rng: Dice) -> Frame:
    start = one_of(rng, b"", b"\x40", b"\x40\x01", b"\x40\x02", b"\x41", b"\x50", b"\xb1", b"\xbf", b"\x7e", b"\xc0")
    return in_frame(rng, start + octets(rng, 50) + b"\0")


def segment(rng: Dice) -> Frame:
    """Segments that belong to nothing, contradict each other or never end."""
    psdu = mac_frame.encode_data(
        PAN_ID, rng.below(STATIONS), somebody(rng), rng.below(4), octets(rng, 40) + b"x", bool(rng.below(2)),
        rng.below(16), rng.below(64),
    )  # fmt: skip
    return psdu, mac_frame.peek_dst(psdu), True


def command(rng: Dice) -> Frame:
    payload = one_of(
        rng,
        ToneMapResponse(rng.below(4), 1 + rng.below(63), rng.below(256)).encode(),
        BeaconRequest().encode(),
        octets(rng, 20) + b"\x0a",
    )
    target = rng.below(STATIONS)
    frame = mac_frame.MacFrame(3, rng.below(256), PAN_ID, target, PAN_ID, somebody(rng), payload, ack_request=True)
    return frame.encode(), target, True


def routing(rng: Dice) -> Frame:
    """LOADng with forged originators, loops, hop limits of nothing and costs out of this world."""
    a, b, c = somebody(rng), somebody(rng), somebody(rng)
    number, four = rng.below(1 << 16), rng.below(16)
    cost, hops, limit = one_of(rng, 0, 5, 0xFFFF), rng.below(16), one_of(rng, 0, 1, 8, 15)
    path = tuple(Hop(somebody(rng), rng.below(256), rng.below(256)) for _ in range(rng.below(17)))
    message = one_of(
        rng,
        Rreq(a, b, number, 15, cost, limit, hops, four, bool(rng.below(2)), bool(rng.below(2))),
        Rreq(a, b, number, four, cost, 8, 0),
        Rrep(a, b, number, 15, cost, limit, hops, four),
        Rrep(0, b, number, 15, 0, 8, 0, 0),
        Rerr(a, b, rng.below(4), c, limit),
        RrepAck(a, b, number),
        Preq(a, b, 15, path),
        Prep(a, b, 15, c, path),
        RlcReq(a, b, 15),
        RlcRep(a, b, 15, rng.below(256)),
    )
    return in_frame(rng, message.encode())


def mesh_of(rng: Dice) -> bytes:
    return Mesh(one_of(rng, 0, 1, 2, 8, 14, 200), somebody(rng), somebody(rng)).encode()


def fragment(rng: Dice) -> Frame:
    """Fragments that overlap, lie, or are never followed by the rest."""
    size, tag = one_of(rng, 64, 100, 1280, 2047), rng.below(3)
    head = Frag1(size, tag).encode() + octets(rng, 20)
    later = FragN(size, tag, 8 * (1 + rng.below((size - 1) // 8))).encode() + octets(rng, 60) + b"z"
    mesh = Mesh(8, one_of(rng, ROGUE, rng.below(STATIONS)), rng.below(STATIONS)).encode()
    return in_frame(rng, (mesh if rng.below(4) else b"") + one_of(rng, head + b"q", later, later))


def multicast(rng: Dice) -> Frame:
    mesh = Mesh(one_of(rng, 0, 1, 8), somebody(rng), one_of(rng, ALL, 0x8001, somebody(rng))).encode()
    return in_frame(rng, mesh + Bc0(rng.below(4)).encode() + octets(rng, 30) + b"\x41")


def datagram(rng: Dice, source: int, target: int, payload: bytes, wrong_checksum: bool = False) -> bytes:
    """Mesh, IPHC and UDP around what goes to port 4059."""
    here, there = ipv6.link_local(PAN_ID, source), ipv6.link_local(PAN_ID, target)
    inner = udp.pack(here, there, one_of(rng, 4059, 61616, 53), one_of(rng, 4059, 4059, 7), payload)
    if wrong_checksum:
        inner = inner[:6] + bytes((inner[6] ^ 0x55, inner[7])) + inner[8:]
    packet = ipv6.pack(here, there, one_of(rng, 17, 17, 17, 58), inner)
    return Mesh(8, source, target).encode() + iphc.compress(packet, PAN_ID, source, target)


def cosem(rng: Dice) -> Frame:
    """APDUs nobody asked for, from the wrong peer, longer than their wrapper says, over a wrong checksum."""
    source, target = rng.below(STATIONS), rng.below(STATIONS)
    apdu = one_of(rng, *rng.apdus, octets(rng, 40), one_of(rng, *rng.apdus)[: rng.below(12)])
    wpdu = Wpdu(one_of(rng, 1, 16, 0, 999), one_of(rng, 1, 16, 0, 999), apdu).encode()
    if not rng.below(3):
        wpdu = one_of(rng, wpdu + b"\0", wpdu[:-1] + b"\0\0\0", b"\0\2" + wpdu[2:], wpdu[: rng.below(9)])
    if source == target:
        target = (source + 1) % STATIONS
    frame = datagram(rng, source, target, wpdu, not rng.below(4))
    psdu = mac_frame.encode_data(PAN_ID, target, one_of(rng, ROGUE, source), rng.below(256), frame, ack_request=True)
    return psdu, target, True


def reserved(rng: Dice) -> Frame:
    """IPHC with bits that mean nothing, contexts that nobody has, headers cut off."""
    source, target = ROGUE, rng.below(STATIONS - 1)
    whole = bytearray(datagram(rng, source, target + (target >= ROGUE), b"\0\1\0\x10\0\1\0\0"))
    for _ in range(1 + rng.below(3)):
        whole[5 + rng.below(min(8, len(whole) - 5))] ^= 1 << rng.below(8)
    return in_frame(rng, bytes(whole[: len(whole) - rng.below(12)]))


def forwarded(rng: Dice) -> Frame:
    return in_frame(rng, mesh_of(rng) + one_of(rng, b"\x41", b"\x7e\x33", b"\x40\x01") + octets(rng, 40))


KINDS: tuple[Callable[[Dice], Frame], ...] = (
    replayed, flipped, flipped, truncated, noise, any_msdu, segment, command, routing, routing, fragment, multicast,
    cosem, cosem, reserved, forwarded,
)  # fmt: skip


def frames(rng: Dice, count: int) -> Iterator[Frame]:
    for _ in range(count):
        yield one_of(rng, *KINDS)(rng)


# -- where it sends

ROUTE_LIFE_S = 60  # so that forged routes are gone soon after the rogue
COLLECT = f"""
feeder = "x"
profile = "demo"
limit = 40000
[adp]
rlc_enabled = 0
route_ttl_us = {ROUTE_LIFE_S * SECOND}
[[job]]
at = 1
do = "collect"
[[job]]
at = AFTER
do = "collect"
"""


STREET = generate(METERS, seed=4)


class Quarter:
    """A small network, what an honest run of it sends, and runs of it under attack."""

    def __init__(self, network: Any, rogue: Any) -> None:
        self.network = network
        self.rogue = rogue
        self.reached: dict[int, set[int]] = {}
        honest = network(COLLECT.replace("AFTER", "200"), 1, feeder=STREET)
        assert len(honest.read) == METERS
        self.frames = tuple({(e.psdu, e.next_hop, e.dt == 1): None for e in honest.of(ev.TxStart) if e.dt < 2})
        self.apdus = tuple({e.apdu: None for e in honest.of(ev.ApduSent)})

    def dice(self, below: Callable[[int], int]) -> Dice:
        return Dice(below, self.frames, self.apdus)

    def seeded(self, seed: int, purpose: str) -> Dice:
        return self.dice(Stream(seed, 0, 1, purpose).below)

    def attacked(
        self, source: Iterator[Frame], seed: int, lasts_s: int, watch: Any = None, profile: str = "demo"
    ) -> Any:
        """Two collections, one under attack, one after it. Profiles but `demo` ask for reverse costs, too."""

        def prepare(simulation: Simulation) -> None:
            self.rogue(simulation, source, ROGUE, 5 * SECOND)
            if watch is not None:
                watch(simulation)

        text = COLLECT.replace("AFTER", str(lasts_s + ROUTE_LIFE_S)).replace("demo", profile)
        if profile != "demo":
            text = text.replace("rlc_enabled = 0", "rlc_enabled = 1")
        return self.network(text, seed, feeder=STREET, observers=[Strict()], prepare=prepare)

    def without(self, seed: int) -> set[int]:
        """Who can be read where the rogue stood and nobody stands: some may have hung on it alone."""
        if seed not in self.reached:
            silent = self.attacked(iter(()), seed, 60)
            self.reached[seed] = {done.meter for done in silent.of(ev.ReadDone) if done.t > 60 * SECOND}
        return self.reached[seed]


@pytest.fixture(scope="module")
def quarter(network: Any, rogue: Any) -> Quarter:
    return Quarter(network, rogue)


def survives(quarter: Quarter, run: Any, lasts_s: int) -> None:
    """Everybody but the rogue itself is read afterwards, and what was dropped was dropped with a word."""
    after = {e.meter for e in run.of(ev.ReadDone) if e.t > lasts_s * SECOND}
    missing = quarter.without(run.simulation.seed) - after
    assert not missing, [e for e in run.of(ev.ReadFailed) if e.t > lasts_s * SECOND]
    assert run.of(ev.Collection)[-1].action == "finished"
    for dropped in run.of(ev.Dropped):
        assert dropped.layer in ("phy", "mac", "adp", "loadng", "ip", "udp", "cosem")
        assert dropped.reason and len(dropped.reason) <= 80 and dropped.octets >= 0


def weight(root: object) -> int:
    """Octets of all objects that hang on one station: nothing that it shares with others."""
    shared = (type, ModuleType, FunctionType, BuiltinFunctionType, SimClock, Simulation, SimMedium, Link, Trace)
    seen: dict[int, object] = {id(root): root}
    todo, total = [root], 0
    while todo:
        item = todo.pop()
        total += sys.getsizeof(item)
        for part in gc.get_referents(item):
            if id(part) not in seen and not isinstance(part, shared):
                seen[id(part)] = part
                todo.append(part)
    return total


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_thousand_frames(quarter: Quarter, seed: int) -> None:
    run = quarter.attacked(frames(quarter.seeded(seed, "rogue"), 1000), seed, 400)
    survives(quarter, run, 400)
    reasons = {(e.layer, e.reason) for e in run.of(ev.Dropped)}
    assert {layer for layer, _ in reasons} >= {"mac", "adp", "loadng", "ip", "udp", "cosem"}
    assert len(reasons) >= 30, sorted(reasons)


@pytest.mark.parametrize("kind", sorted(set(KINDS), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_one_kind_of_mischief_at_a_time(quarter: Quarter, kind: Callable[[Dice], Frame]) -> None:
    rng = quarter.seeded(7, kind.__name__)
    survives(quarter, quarter.attacked(iter([kind(rng) for _ in range(150)]), 5, 120), 120)


def test_what_a_station_remembers_is_bounded(quarter: Quarter) -> None:
    """Twice as long an attack with ever new addresses, tags and numbers leaves no more behind than half of it."""
    weights: list[dict[int, int]] = []

    def weigh(simulation: Simulation) -> None:
        weights.append({number: weight(stack) for number, stack in simulation.stations.items()})

    def watch(simulation: Simulation) -> None:
        for at_s in (4, 300, 600):
            simulation.clock.at(at_s * SECOND, weigh, simulation)

    rng = quarter.seeded(5, "flood")
    flood = (one_of(rng, routing, fragment, multicast, segment, cosem)(rng) for _ in range(10_000))
    quarter.attacked(flood, 3, 900, watch)
    before, half, whole = weights
    for number, octets_there in whole.items():
        assert octets_there <= half[number] * 1.15 + 4096, (number, before.get(number), half[number], octets_there)
        assert octets_there <= 150_000


@pytest.mark.parametrize("profile", ["g3", "metering", "draft15"])
def test_the_other_profiles(quarter: Quarter, profile: str) -> None:
    """Local repair, questions for reverse costs, RREP_ACKs: what the board's profile does not use."""
    rng = quarter.seeded(8, profile)
    run = quarter.attacked(frames(rng, 800), 1, 400, profile=profile)
    survives(quarter, run, 400)


def forged_numbers(rng: Dice) -> Iterator[Frame]:
    """RREQs to all in everybody's name, with numbers that their owners will not come to within a lifetime."""
    for victim in range(STATIONS):
        ahead = Rreq(STATIONS + 1 + rng.below(50), victim, 20_000 + rng.below(10_000), 15, 0, 8, 0)
        yield mac_frame.encode_data(PAN_ID, ALL, ROGUE, rng.below(256), ahead.encode()), ALL, False


@pytest.mark.parametrize("profile", ["demo", "g3", "draft15"])
def test_numbers_of_the_far_future_do_not_silence_their_owners(
    network: Any, rogue: Any, quarter: Quarter, profile: str
) -> None:
    """Long before routes age: each station hears its own name in the flood and goes past the number."""
    rng = quarter.seeded(3, "numbers")
    text = COLLECT.replace("AFTER", "400").replace("demo", profile)
    text = text.replace(f"route_ttl_us = {ROUTE_LIFE_S * SECOND}\n", "").replace("at = 1\n", "at = 60\n")

    def attacked(source: Iterator[Frame]) -> Any:
        def prepare(simulation: Simulation) -> None:
            rogue(simulation, source, ROGUE, 5 * SECOND)

        return network(text, 2, feeder=STREET, observers=[Strict()], prepare=prepare)

    run = attacked(forged_numbers(rng))
    assert run.read == attacked(iter(())).read != set(), run.of(ev.ReadFailed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 30))
def test_ten_thousand_frames(quarter: Quarter, seed: int) -> None:
    survives(quarter, quarter.attacked(frames(quarter.seeded(seed, "rogue"), 10_000), seed, 1500), 1500)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.data(), st.integers(1, 4))
def test_whatever_hypothesis_thinks_of(quarter: Quarter, data: st.DataObject, seed: int) -> None:
    rng = quarter.dice(lambda n: data.draw(st.integers(0, n - 1)))
    several = [one_of(rng, *KINDS)(rng) for _ in range(data.draw(st.integers(1, 6)))]
    survives(quarter, quarter.attacked(iter(several), seed, 60), 60)
