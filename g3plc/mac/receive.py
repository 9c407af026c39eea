"""Receiving: decoding, the filter of PAN and destination, ACK and NACK, duplicates, MAC commands.

G.9903 9.3. A frame that was sent with DT 1 and arrived is acknowledged RIFS after its end, whatever becomes of its
contents; one that arrived broken is asked for again. Segments are joined in `reassembly`, neighbours noted in `tables`.
"""

from __future__ import annotations

from collections.abc import Callable

from g3plc import events, sap
from g3plc.core import ofdm
from g3plc.core.env import Env
from g3plc.core.errors import WireError
from g3plc.core.flow import TMR, flow_tag
from g3plc.core.ofdm import CIFS_US
from g3plc.mac.config import MacConfig
from g3plc.mac.constants import ANSWER_END_US, BAD_CRC, FOLLOW_UP_US, RX_COMMAND, RX_DATA
from g3plc.mac.csma import ChannelAccess
from g3plc.mac.kept import Kept
from g3plc.mac.lifecycle import ACK_WAIT, DATA, HELD, SENDING
from g3plc.mac.reassembly import COMPLETE, REFUSED, Reassembly
from g3plc.mac.tables import MINUTE_US, NeighbourEntry, NeighbourTable, PosEntry, PosTable
from g3plc.mac.transmit import Outgoing, Transmitter
from g3plc.sap import BROADCAST
from g3plc.wire import mac_command
from g3plc.wire.crc import stored_fcs
from g3plc.wire.loadng_msg import Rreq
from g3plc.wire.mac_command import ToneMapResponse
from g3plc.wire.mac_frame import FRAME_BEACON, FRAME_COMMAND, FRAME_DATA, MacFrame, decode

SECOND_US = 1_000_000

Deliver = Callable[[int, int, bytes, sap.RxInfo], None]


def _common(psdu: bytes, rx: sap.RxInfo) -> MacFrame | None:
    """The frame in these octets if it is what `sap.RxInfo` says of `frame`; it is left there."""
    if rx.dt == sap.DT_SOF_ACK:
        return None
    try:
        frame = decode(psdu)
    except WireError:
        return None
    if (
        frame.dst == BROADCAST
        and frame.frame_type == FRAME_DATA
        and isinstance(frame.src, int)
        and frame.src != BROADCAST
        and frame.lsf
        and not frame.segment_number
        and not frame.security_enabled
        and frame.payload
    ):
        rx.frame = frame
        return frame
    return None


class Receiver:
    """One station's receiving side. `ignored` counts beacons and beacon requests, which a joined station needs not."""

    __slots__ = (
        "_access", "_answer", "_answer_dst", "_answer_fcs", "_answer_flow", "_answer_now", "_answer_ssca",
        "_clock", "_config", "_env", "_heard", "_kept", "_neighbours", "_partials", "_phy", "_pos",
        "_reassembly", "_transmit", "deliver", "hear", "ignored",
    )  # fmt: skip

    deliver: Deliver
    hear: Callable[[int, Rreq, sap.RxInfo], None]

    def __init__(
        self,
        env: Env,
        phy: sap.PhyService,
        config: MacConfig,
        access: ChannelAccess,
        kept: Kept,
        neighbours: NeighbourTable,
        pos: PosTable,
        transmit: Transmitter,
    ) -> None:
        self._env = env
        self._clock = env.clock
        self._phy = phy
        self._config = config
        self._access = access
        self._kept = kept
        self._neighbours = neighbours
        self._pos = pos
        self._heard = pos.entries
        self._transmit = transmit
        self._reassembly = Reassembly(config.reassemblies, config.reassembly_ttl_us)
        self._partials = self._reassembly.partials
        self._answer_now = self._on_answer
        self._answer = 0
        self._answer_fcs = self._answer_ssca = self._answer_dst = self._answer_flow = 0
        self.ignored = 0

    def receive(self, psdu: bytes, rx: sap.RxInfo) -> None:
        """Octets came in whole.

        The frames that come most often, new broadcasts from neighbours, take the short way here, to the same effect;
        the first who hears one decodes its octets, for all.
        """
        state = self._transmit.state
        if state == ACK_WAIT:
            self._transmit.feed(DATA)
        frame = rx.frame or _common(psdu, rx)
        if (
            frame is None
            or (entry := self._heard.get(frame.src)) is None  # type: ignore[arg-type]
            or frame.dsn == entry.dsn
            or frame.dst_pan != self._config.mac_pan_id
        ):
            self._receive_any(psdu, rx)
        else:
            src: int = frame.src  # type: ignore[assignment]
            now = self._clock.now
            self._access.contention_at = now + CIFS_US
            entry.heard = now
            entry.lqi = rx.lqi
            entry.dsn = frame.dsn
            if self._partials:
                self._reassembly.abandon(src)
            self._kept.broadcasts += 1
            rreq = rx.rreq
            if rreq is not None:
                hear = self.hear
                hear(src, rreq, rx)
            else:
                self.deliver(src, BROADCAST, frame.payload, rx)
        if state == HELD:
            self._transmit.silence()

    def _receive_any(self, psdu: bytes, rx: sap.RxInfo) -> None:
        wants_ack = rx.dt == sap.DT_SOF_ACK
        now = self._clock.now
        self._access.contention_at = now + (ofdm.ACK_WAIT_US if wants_ack else CIFS_US)
        try:
            frame = rx.frame or decode(psdu)
        except WireError as error:
            self._drop(error.reason, psdu, rx)
            if error.reason == "fcs":
                self.lost(stored_fcs(psdu), wants_ack, rx.src, rx.flow)
            return
        src = frame.src
        if frame.frame_type == FRAME_BEACON or not isinstance(src, int):
            self._nobody(frame, psdu, rx)
            return
        reason = self._stranger(frame)
        if reason:
            self._drop(reason, psdu, rx)
            return
        entry = self._heard.get(src) or self._pos.enter(src)
        lately = now < entry.heard + self._config.mac_duplicate_detection_ttl * SECOND_US
        entry.heard = now
        entry.lqi = rx.lqi
        wants_ack = wants_ack and frame.dst != BROADCAST
        if lately and frame.dsn == entry.dsn:
            if wants_ack:
                self._respond(True, stored_fcs(psdu), 0 if frame.lsf else 1, src, rx.flow)
        else:
            self._accept(frame, src, psdu, rx, wants_ack, entry)

    def lost(self, fcs: int, wants_ack: bool, sender: int, flow: int) -> None:
        """A frame for us came in broken: ask for it again if it wanted an ACK."""
        self._kept.counters[BAD_CRC] += 1
        self._access.contention_at = self._clock.now + CIFS_US
        if wants_ack:
            self._respond(False, fcs, 1, sender, flow)

    # -- filters

    def _drop(self, reason: str, psdu: bytes, rx: sap.RxInfo) -> None:
        self._env.note(events.Dropped, "mac", reason, rx.src, len(psdu))

    def _nobody(self, frame: MacFrame, psdu: bytes, rx: sap.RxInfo) -> None:
        """Frames without a short source address, and beacons: of use only to stations that are joining."""
        if frame.frame_type == FRAME_DATA or (frame.src is not None and frame.frame_type == FRAME_COMMAND):
            self._drop("source address", psdu, rx)
            return
        try:
            if frame.frame_type == FRAME_BEACON:
                mac_command.decode_beacon(frame.payload)
                if (
                    isinstance(frame.src, int)
                    and frame.src_pan == self._config.mac_pan_id
                    and frame.src != self._config.mac_short_address
                ):
                    self._pos.heard(frame.src, rx.lqi, self._clock.now)
            else:
                mac_command.decode(frame.payload)
                self._kept.counters[RX_COMMAND] += 1
        except WireError as error:
            self._drop(error.reason, psdu, rx)
            return
        self.ignored += 1

    def _stranger(self, frame: MacFrame) -> str:
        """Why the frame is none of ours, or nothing."""
        config = self._config
        own = config.mac_short_address
        if frame.dst_pan != config.mac_pan_id and frame.dst_pan != 0xFFFF and frame.dst is not None:
            return "other pan"
        if frame.dst != own and frame.dst != BROADCAST and (frame.dst is not None or own != 0):
            return "not for us"
        if frame.src == own or frame.src == BROADCAST:
            return "source address"
        return ""

    def _accept(self, frame: MacFrame, src: int, psdu: bytes, rx: sap.RxInfo, wants_ack: bool, entry: PosEntry) -> None:
        """A frame of our PAN for us, from `src`, that is no repeat of its last one."""
        payload = frame.payload
        verdict = COMPLETE
        if not payload:
            self._drop("empty frame", psdu, rx)
            return
        if not frame.lsf or frame.segment_number:
            verdict, payload = self._reassembly.add(frame, src, self._clock.now)
        elif self._partials:
            self._reassembly.abandon(src)
        if verdict == REFUSED:
            self._drop("segment order", psdu, rx)
            return
        if wants_ack:
            self._respond(True, stored_fcs(psdu), 0 if verdict == COMPLETE else 1, src, rx.flow)
        if verdict != COMPLETE:
            return
        entry.dsn = frame.dsn
        if frame.tmr and frame.dst != BROADCAST:
            self._answer_tone_map_request(src, rx, entry)
        if frame.security_enabled:
            self._drop("secured frame", psdu, rx)
        elif frame.frame_type == FRAME_COMMAND:
            self._command(frame, src, payload, psdu, rx)
        else:
            self._data(frame, src, payload, rx)

    # -- contents

    def _data(self, frame: MacFrame, src: int, msdu: bytes, rx: sap.RxInfo) -> None:
        dst = self._config.mac_short_address
        if frame.dst == BROADCAST:
            self._kept.broadcasts += 1
            dst = BROADCAST
        else:
            self._kept.counters[RX_DATA] += 1
        self.deliver(src, dst, msdu, rx)

    def _command(self, frame: MacFrame, src: int, payload: bytes, psdu: bytes, rx: sap.RxInfo) -> None:
        try:
            command = mac_command.decode(payload)
        except WireError as error:
            self._drop(error.reason, psdu, rx)
            return
        self._kept.counters[RX_COMMAND] += 1
        if not isinstance(command, ToneMapResponse) or frame.dst == BROADCAST:
            self.ignored += 1
            return
        self._neighbours.put(
            NeighbourEntry(
                src, command.modulation, command.tone_map, command.lqi,
                self._clock.now + self._config.mac_tmr_ttl * MINUTE_US,
                command.tx_gain, int(command.tx_res), command.tx_coef, int(command.coherent),
            )
        )  # fmt: skip
        self._env.note(events.NeighbourSet, src, command.modulation, command.tone_map, command.lqi)

    def _answer_tone_map_request(self, src: int, rx: sap.RxInfo, entry: PosEntry) -> None:
        now = self._clock.now
        if now < entry.tmr_after:
            return
        entry.tmr_after = now + self._config.tmr_interval_us
        modulation, tone_map = ofdm.choose_modulation(rx.spectrum.groups_cb)
        self._kept.commands += 1
        flow = flow_tag(self._env.node, self._kept.commands, TMR)
        msdu = ToneMapResponse(modulation, tone_map, rx.lqi).encode()
        self._transmit.request(Outgoing(src, msdu, 0, True, False, flow, True))

    # -- ACK and NACK

    def _respond(self, positive: bool, fcs: int, ssca: int, dst: int, flow: int) -> None:
        """Answer RIFS from now. The channel is spoken for until the answer's end, and beyond if more is to follow."""
        now = self._clock.now
        access = self._access
        if now < access.answer_until:
            return
        access.answer_until = now + ANSWER_END_US
        if ssca:
            access.contention_at = access.follow_up_until = now + FOLLOW_UP_US
        else:
            access.contention_at = now + ofdm.ACK_WAIT_US
        self._answer = 1 if positive else 0
        self._answer_fcs = fcs
        self._answer_ssca = ssca
        self._answer_dst = dst
        self._answer_flow = flow
        self._clock.after(ofdm.RIFS_US, self._answer_now, None)

    def _on_answer(self, _: None) -> None:
        if self._transmit.state != SENDING:
            self._phy.pd_ack_request(
                self._answer == 1, self._answer_fcs, self._answer_ssca, self._answer_dst, self._answer_flow
            )
