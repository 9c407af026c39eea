"""MSDUs that come in: deliver, forward, repeat or refuse (G.9903 9.4, RFC 4944).

A forwarded frame is not decompressed, only its hops left are rewritten. Whatever does not decode becomes a `Dropped`
event. Neighbours: `layer` hands MSDUs in, `reassembly`, `broadcast_log`, `data_path` take them on.
"""

from __future__ import annotations

from g3plc.adp.broadcast_log import BroadcastLog
from g3plc.adp.config import AdpConfig
from g3plc.adp.constants import ALL_NODES, GROUP_ADDRESSES, LAYER
from g3plc.adp.data_path import DataPath
from g3plc.adp.parcel import Parcel
from g3plc.adp.reassembly import Reassembly
from g3plc.core.env import Env
from g3plc.core.errors import WireError
from g3plc.events import Dropped
from g3plc.sap import BROADCAST, RxInfo
from g3plc.wire import frag, iphc, ipv6, lowpan
from g3plc.wire.loadng_msg import ERROR_HOP_LIMIT_EXCEEDED, ERROR_NO_AVAILABLE_ROUTE

_LOOP = "loop"


class Receiver:
    """Takes MSDUs from the MAC."""

    __slots__ = ("_config", "_data_path", "_env", "_pan_id", "_reassembly", "_short", "log")

    def __init__(self, env: Env, data_path: DataPath, short: int, pan_id: int, config: AdpConfig) -> None:
        self._env = env
        self._data_path = data_path
        self._short = short
        self._pan_id = pan_id
        self._config = config
        self._reassembly = Reassembly(env, config)
        self.log = BroadcastLog(env.clock, config)

    def received(self, src: int, dst: int, msdu: bytes, rx: RxInfo) -> None:
        """Any octets from neighbour `src` that are no LOADng message."""
        try:
            mesh, bc0, at = lowpan.split(msdu)
            if mesh is None:
                if dst != self._short:
                    raise WireError("no mesh header")
                self._deliver(src, dst, msdu, at, rx)
            elif mesh.originator >= GROUP_ADDRESSES:
                raise WireError("mesh originator")
            elif mesh.destination >= GROUP_ADDRESSES:
                self._received_multicast(dst, mesh, bc0, at, msdu, rx)
            elif dst != self._short:
                raise WireError("unicast sent to all")
            elif mesh.destination == self._short:
                self._deliver(mesh.originator, self._short, msdu, at, rx)
            else:
                self._forward(src, mesh, msdu, rx)
        except WireError as error:
            self._drop(error.reason, src, len(msdu))

    def _forward(self, src: int, mesh: lowpan.Mesh, msdu: bytes, rx: RxInfo) -> None:
        """A frame for another station: one hop on, or back to its source as an error."""
        routing = self._data_path.routing
        destination, originator = mesh.destination, mesh.originator
        if originator == self._short:
            routing.forget(destination, _LOOP)
            self._data_path.user.adpm_network_status_indication(destination, _LOOP)
            raise WireError(_LOOP)
        if mesh.hops_left <= 1:
            if mesh.hops_left:
                routing.forget(destination, _LOOP)
                routing.report_error(originator, destination, ERROR_HOP_LIMIT_EXCEEDED, src)
            raise WireError("hops used up")
        if routing.next_hop(destination) == src:
            routing.forget(destination, _LOOP)
            routing.report_error(originator, destination, ERROR_NO_AVAILABLE_ROUTE, src)
            raise WireError(_LOOP)
        hops_left = mesh.hops_left - 1
        frames = [lowpan.with_hops_left(msdu, hops_left)]
        self._data_path.send(
            Parcel(originator, destination, -1, hops_left, True, False, rx.flow, lambda _meshed: frames, src)
        )

    def _received_multicast(
        self, dst: int, mesh: lowpan.Mesh, bc0: lowpan.Bc0 | None, at: int, msdu: bytes, rx: RxInfo
    ) -> None:
        """A frame for a group: once to our user, once to all neighbours."""
        if bc0 is None or dst != BROADCAST:
            raise WireError("multicast without broadcast header" if bc0 is None else "multicast sent to one")
        group = mesh.destination
        if group not in (ALL_NODES, BROADCAST) and group not in self._config.groups.values():
            raise WireError("not in group")
        if mesh.originator == self._short or not self.log.is_new(mesh.originator, bc0.sequence):
            raise WireError("broadcast seen before")
        if mesh.hops_left > 1:
            delay = self._data_path.routing.forwarding_delay_us(rx.lqi)
            self._env.clock.after(delay, self._repeat, (mesh, lowpan.with_hops_left(msdu, mesh.hops_left - 1), rx.flow))
        self._deliver(mesh.originator, group, msdu, at, rx)

    def _repeat(self, arg: tuple[lowpan.Mesh, bytes, int]) -> None:
        mesh, msdu, flow = arg
        parcel = Parcel(mesh.originator, mesh.destination, -1, 0, False, False, flow, lambda _meshed: [msdu])
        self._data_path.send_to(parcel, BROADCAST)

    def _deliver(self, originator: int, destination: int, msdu: bytes, at: int, rx: RxInfo) -> None:
        """Decompress what is for us, put it together, and hand it up."""
        kind = lowpan.KINDS[msdu[at]]
        if kind in (lowpan.KIND_FRAG1, lowpan.KIND_FRAGN):
            nsdu = self._reassembled(originator, destination, msdu, at)
        elif kind == lowpan.KIND_ESC:
            raise WireError("command not for here")
        else:
            nsdu = self._expanded(originator, destination, msdu[at:], None)
        if nsdu is not None:
            header = ipv6.parse(nsdu)
            if not ipv6.is_multicast(header.destination) and destination >= GROUP_ADDRESSES:
                raise WireError("unicast packet in a multicast")
            self._data_path.user.adpd_data_indication(nsdu, rx.lqi, rx.flow)

    def _reassembled(self, originator: int, destination: int, msdu: bytes, at: int) -> bytes | None:
        header, at = frag.decode(msdu, at)
        key = (originator, destination, header.tag, header.size)
        if isinstance(header, frag.FragN):
            return self._reassembly.add(key, header.offset, msdu[at:])
        return self._reassembly.add(key, 0, self._expanded(originator, destination, msdu[at:], header.size))

    def _expanded(self, originator: int, destination: int, octets: bytes, size: int | None) -> bytes:
        """IPHC or uncompressed IPv6, without its dispatch, as (the beginning of) an IPv6 packet."""
        if octets[0] == lowpan.IPV6:
            return octets[1:]
        return iphc.decompress(octets, self._pan_id, originator, destination, self._config.contexts, size)

    def _drop(self, reason: str, src: int, octets: int) -> None:
        env = self._env
        env.note(Dropped, LAYER, reason, src, octets)
