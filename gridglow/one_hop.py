"""One hop, measured: two stations with their real PHY and MAC on the emulated wire, and nobody else.

The link is in place and clean: its SNR is so high above what a modulation needs that no frame is lost, and such that
the receiver asks for just this modulation when the tone maps are exchanged. What goes over it are UDP datagrams in
compressed IPv6 (RFC 6282), which the far end expands and checks. `gridglow.link` prints what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulation.clocks import SimClock
from emulation.grid.feeder import Feeder
from emulation.media.channel import Channel
from emulation.media.channel_config import ChannelConfig
from emulation.media.links import ChannelFaults, LinkTable
from emulation.media.sim import SimMedium
from emulation.observe.tap import Observer, Trace
from emulation.randomness import Stream
from g3plc import sap
from g3plc.core.env import Env
from g3plc.core.errors import UsageError
from g3plc.core.ofdm import D8PSK, DBPSK, DQPSK, MODULATION_NAMES, ROBO
from g3plc.events import Event, TxStart
from g3plc.mac.config import mac_config
from g3plc.mac.constants import MAX_MSDU_OCTETS
from g3plc.mac.layer import Mac
from g3plc.phy.transceiver import Transceiver
from g3plc.wire import iphc, ipv6, udp
from g3plc.wire.loadng_msg import Rreq

SENDER, RECEIVER = 0, 1
PAN = 0x781D
PORT = 4059
"""Of both ends: DLMS/COSEM, as in the whole network."""

SNR_CB = {ROBO: 390, DBPSK: 600, DQPSK: 950, D8PSK: 2_000}
"""Mean SNR in 1/100 dB at which the receiver asks for the modulation and loses nothing (docs/channel.md)."""

HEADER_OCTETS = 9
"""IPv6 and UDP compressed: IPHC 2, and NHC 1, ports 4, checksum 2. There is no mesh header on a single hop."""
MOST_UDP_OCTETS = MAX_MSDU_OCTETS - HEADER_OCTETS
"""The longest UDP payload that goes without 6LoWPAN fragments."""

DATAGRAMS = 100
"""Of each kind of measurement; so few that the MAC's fairness rule (macMinCWAttempts 255) never steps in."""
GAP_US = 500_000
"""Silence before a datagram that is to find the channel idle: longer than any contention period."""
_SETTLE_US = 5_000_000

_NOISE_CB = 6_600
_FEEDER = """gridglow-feeder 1
name: one-hop
title: Two stations, one link

0  0  -1  1  underground  -  0,0
1  1   0  1  underground  1  10,0
"""


@dataclass(slots=True)
class OneHop:
    """What one hop does with UDP payloads of one size at one modulation. Times in microseconds.

    `psdus` are the octets of the frames of one datagram, `airtime_us` their time on the wire. Delay: from the request
    to the MAC, on an idle channel, until the far end has the datagram; mean, least and most over the back-offs drawn.
    `cycle_us`: from one datagram to the next when they follow back to back.
    """

    modulation: int
    udp_octets: int
    psdus: tuple[int, ...]
    airtime_us: int
    delay_us: int
    least_delay_us: int
    most_delay_us: int
    cycle_us: int

    @property
    def bits_per_s(self) -> int:
        """UDP payload per second, back to back."""
        return self.udp_octets * 8_000_000 // self.cycle_us


class _End:
    """One station above its MAC: notes when confirms and datagrams come."""

    __slots__ = ("_clock", "_peer", "_short", "confirmed", "mac", "on_confirm", "phy", "received")

    def __init__(self, short: int, clock: SimClock, medium: SimMedium, trace: Trace, seed: int) -> None:
        self._short = short
        self._clock = clock
        self._peer = RECEIVER if short == SENDER else SENDER
        self.confirmed: list[tuple[int, int]] = []
        self.received: list[tuple[int, bytes]] = []
        self.on_confirm: Callable[[], None] | None = None
        env = Env(short, clock, lambda purpose: Stream(seed, short, 1, purpose), trace.note_for(short, clock))
        self.phy = Transceiver(env, medium)
        self.mac = Mac(env, self.phy, mac_config(mac_pan_id=PAN, mac_short_address=short))
        self.phy.user = self.mac
        self.mac.user = self
        medium.attach(short, self.phy)

    def send(self, payload: bytes) -> None:
        """A UDP datagram to the other end."""
        source, destination = ipv6.link_local(PAN, self._short), ipv6.link_local(PAN, self._peer)
        datagram = udp.pack(source, destination, PORT, PORT, payload)
        packet = ipv6.pack(source, destination, ipv6.NEXT_HEADER_UDP, datagram)
        msdu = iphc.compress(packet, PAN, self._short, self._peer)
        self.mac.mcps_data_request(self._peer, msdu, 0, True, False, 0)

    def mcps_data_confirm(self, handle: int, status: int) -> None:
        """The MAC is done with a datagram."""
        self.confirmed.append((self._clock.now, status))
        if self.on_confirm is not None:
            self.on_confirm()

    def mcps_data_indication(self, src: int, dst: int, msdu: bytes, rx: sap.RxInfo) -> None:
        """A datagram came in. WireError if its octets are not what was sent."""
        packet = iphc.decompress(msdu, PAN, src, dst)
        header = ipv6.parse(packet)
        datagram = udp.parse(header.source, header.destination, packet[ipv6.HEADER_OCTETS :])
        self.received.append((self._clock.now, datagram.payload))

    def rreq_indication(self, src: int, rreq: Rreq, rx: sap.RxInfo) -> None:
        """Nobody here looks for routes."""


class _Recorder:
    """An observer that keeps everything."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def close(self) -> None:
        """Nothing to let go of."""


class Hop:
    """The two stations, tone maps exchanged, ready to carry datagrams from SENDER to RECEIVER.

    `seed` seeds the back-offs. UsageError: unknown modulation.
    """

    def __init__(self, modulation: int, seed: int, observers: Sequence[Observer] = ()) -> None:
        if modulation not in SNR_CB:
            raise UsageError(f"modulation {modulation} is not within 0..3")
        self.modulation = modulation
        self._recorder = _Recorder()
        self._trace = Trace([self._recorder, *observers])
        self.clock = SimClock()
        table = LinkTable(Channel(Feeder.loads(_FEEDER), seed, _clean(SNR_CB[modulation])), ChannelFaults())
        medium = SimMedium(self.clock, table, seed)
        self._ends = [_End(short, self.clock, medium, self._trace, seed) for short in (SENDER, RECEIVER)]
        self._exchange_tone_maps()

    @property
    def events(self) -> list[Event]:
        """The trace from the very start."""
        self._trace.flush()
        return self._recorder.events

    def one_by_one(self, udp_octets: int, datagrams: int = DATAGRAMS) -> list[int]:
        """Delays in microseconds of datagrams that each find the channel idle."""
        sender = self._ends[SENDER]
        asked = []
        before, done = len(self._ends[RECEIVER].received), len(sender.confirmed)
        for number in range(datagrams):
            self.clock.run_until(self.clock.now + GAP_US)
            asked.append(self.clock.now)
            sender.send(_payload(number, udp_octets))
            self._run_to_confirm(done + number + 1)
        return [at - since for at, since in zip(self._arrivals(before, datagrams, udp_octets), asked, strict=True)]

    def back_to_back(self, udp_octets: int, datagrams: int = DATAGRAMS) -> int:
        """Mean time in microseconds from one confirm to the next while the MAC always has another datagram waiting."""
        sender = self._ends[SENDER]
        before, done = len(self._ends[RECEIVER].received), len(sender.confirmed)
        numbers = iter(range(datagrams))

        def more() -> None:
            for number in numbers:
                sender.send(_payload(number, udp_octets))
                return

        self.clock.run_until(self.clock.now + GAP_US)
        sender.on_confirm = more
        more()
        more()
        self._run_to_confirm(done + datagrams)
        sender.on_confirm = None
        self._arrivals(before, datagrams, udp_octets)
        times = [at for at, _ in sender.confirmed[done:]]
        return (times[-1] - times[0]) // (datagrams - 1)

    def _run_to_confirm(self, number: int) -> None:
        confirmed = self._ends[SENDER].confirmed
        self.clock.run(stop=lambda: len(confirmed) >= number)

    def _arrivals(self, before: int, datagrams: int, udp_octets: int) -> list[int]:
        """When the last datagrams came, after making sure that they are what was sent."""
        came = self._ends[RECEIVER].received[before:]
        if [payload for _, payload in came] != [_payload(number, udp_octets) for number in range(datagrams)]:
            raise UsageError("the link is not clean: datagrams are missing or came out of order")
        return [at for at, _ in came]

    def _exchange_tone_maps(self) -> None:
        """The first datagram carries the tone-map request; the answer is awaited."""
        sender = self._ends[SENDER]
        sender.send(b"tone map, please")
        self.clock.run_until(self.clock.now + _SETTLE_US)
        entry = sender.mac.neighbour(RECEIVER)
        if entry is None or entry.modulation != self.modulation:
            raise UsageError(f"the receiver did not ask for {MODULATION_NAMES[self.modulation]}")


def measure(modulation: int, udp_octets: int, seed: int, datagrams: int = DATAGRAMS) -> OneHop:
    """Both measurements of one modulation and size, on a hop of their own.

    `datagrams` of each kind, at least 2. UsageError: unknown modulation, or a datagram too long for a MAC frame.
    """
    if not 0 < udp_octets <= MOST_UDP_OCTETS:
        raise UsageError(f"{udp_octets} octets are not within 1..{MOST_UDP_OCTETS}")
    hop = Hop(modulation, seed)
    before = len(hop.events)
    delays = hop.one_by_one(udp_octets, 1)
    frames = [event for event in hop.events[before:] if type(event) is TxStart and event.node == SENDER]
    delays += hop.one_by_one(udp_octets, datagrams - 1)
    return OneHop(
        modulation,
        udp_octets,
        tuple(len(event.psdu) for event in frames),
        sum(event.duration_us for event in frames),
        sum(delays) // len(delays),
        min(delays),
        max(delays),
        hop.back_to_back(udp_octets, datagrams),
    )


def _payload(number: int, octets: int) -> bytes:
    return (number.to_bytes(2, "big") * octets)[:octets]


def _clean(snr_cb: int) -> ChannelConfig:
    """A channel whose every link has this mean SNR, in every tone-map group and at every hour."""
    return ChannelConfig(
        tx_level_cb=_NOISE_CB + snr_cb, noise_cb=_NOISE_CB, coupling_cb=0, underground_cb_km=0, tap_cb=0,
        shadow_cb=0, asymmetry_cb=0, noise_spread_cb=0, drift_cb=0, walk_cb=0, tilt=0, ripple_cb=0,
    )  # fmt: skip
