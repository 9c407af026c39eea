"""IPv6 packets going out: whose short address, compressed, cut into fragments, with or without mesh header.

G.9903 9.4, RFC 4944, RFC 6282. A mesh header is there only where the next hop is not the final destination, and on
multicasts. Neighbours: `layer` above, `data_path` below.
"""

from __future__ import annotations

from functools import partial

from g3plc.adp.config import AdpConfig
from g3plc.adp.constants import FRAGMENT_UNIT, GROUP_ADDRESSES, MAX_MSDU_OCTETS, MAX_NSDU_OCTETS, MESHED_OCTETS
from g3plc.adp.data_path import DataPath
from g3plc.adp.parcel import Parcel
from g3plc.core.errors import WireError
from g3plc.sap import BROADCAST, INVALID_IPV6_FRAME, INVALID_REQUEST
from g3plc.wire import iphc, ipv6
from g3plc.wire.frag import FRAG1_OCTETS, FRAGN_OCTETS, Frag1, FragN
from g3plc.wire.lowpan import BC0_OCTETS, Bc0, Mesh


class Sender:
    """Makes parcels of IPv6 packets. The two counters outlive a reboot."""

    __slots__ = ("_config", "_data_path", "_pan_id", "_short", "broadcast_sequence", "datagram_tag")

    def __init__(
        self,
        data_path: DataPath,
        short: int,
        pan_id: int,
        config: AdpConfig,
        broadcast_sequence: int,
        datagram_tag: int,
    ) -> None:
        self._data_path = data_path
        self._short = short
        self._pan_id = pan_id
        self._config = config
        self.broadcast_sequence = broadcast_sequence & 0xFF
        self.datagram_tag = datagram_tag & 0xFFFF

    def send(self, nsdu: bytes, handle: int, discover: bool, high_priority: bool, flow: int) -> None:
        """Send an IPv6 packet; the user's confirm follows."""
        max_hops = self._data_path.routing.max_hops
        parcel = Parcel(self._short, self._short, handle, max_hops, discover, high_priority, flow, _no_frames)
        try:
            header = ipv6.parse(nsdu)
        except WireError:
            self._data_path.finish_later(parcel, INVALID_IPV6_FRAME)
            return
        if len(nsdu) > MAX_NSDU_OCTETS:
            self._data_path.finish_later(parcel, INVALID_IPV6_FRAME)
            return
        parcel.destination = destination = self.short_of(header.destination)
        if destination == self._short:
            self._data_path.finish_later(parcel, INVALID_REQUEST)
            return
        parcel.frames = partial(self._frames, nsdu, destination)
        if destination >= GROUP_ADDRESSES:
            self._data_path.send_to(parcel, BROADCAST)
        else:
            self._data_path.send(parcel)

    def short_of(self, address: bytes) -> int:
        """The short address that stands for an IPv6 address: a station, a group, else the coordinator."""
        if ipv6.is_multicast(address):
            return ipv6.multicast_short(address)
        for prefix in (ipv6.LINK_LOCAL_PREFIX, *self._config.prefixes.values()):
            short = ipv6.short_of(address, self._pan_id, prefix)
            if short is not None and short < GROUP_ADDRESSES:
                return short
        return self._config.coord_short_address

    def _frames(self, nsdu: bytes, destination: int, meshed: bool) -> list[bytes]:
        """The MSDUs of a packet: one, or its fragments."""
        head, taken = iphc.compress_header(nsdu, self._pan_id, self._short, destination, self._config.contexts)
        group = destination >= GROUP_ADDRESSES
        room = (MESHED_OCTETS if meshed else MAX_MSDU_OCTETS) - (BC0_OCTETS if group else 0)
        if len(head) + len(nsdu) - taken <= room:
            bodies = [head + nsdu[taken:]]
        else:
            bodies = self._fragments(nsdu, head, taken, room)
        if not meshed:
            return bodies
        mesh = Mesh(self._data_path.routing.max_hops, self._short, destination).encode()
        if not group:
            return [mesh + body for body in bodies]
        return [mesh + self._next_bc0() + body for body in bodies]

    def _fragments(self, nsdu: bytes, head: bytes, taken: int, room: int) -> list[bytes]:
        """Cut a packet: offsets count octets before compression, in units of 8."""
        size = len(nsdu)
        self.datagram_tag = tag = (self.datagram_tag + 1) & 0xFFFF
        first = (room - FRAG1_OCTETS - len(head)) // FRAGMENT_UNIT * FRAGMENT_UNIT
        offset = taken + first
        bodies = [Frag1(size, tag).encode() + head + nsdu[taken:offset]]
        step = (room - FRAGN_OCTETS) // FRAGMENT_UNIT * FRAGMENT_UNIT
        while offset < size:
            bodies.append(FragN(size, tag, offset).encode() + nsdu[offset : offset + step])
            offset += step
        return bodies

    def _next_bc0(self) -> bytes:
        self.broadcast_sequence = (self.broadcast_sequence + 1) & 0xFF
        return Bc0(self.broadcast_sequence).encode()


def _no_frames(_meshed: bool) -> list[bytes]:
    return []
