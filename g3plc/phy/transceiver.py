"""The PHY entity of a station: half duplex, carrier sense, capture, and the fate of every frame in earshot.

Below it a medium says when the energy of a foreign transmission starts and ends here and how strong it is (`Link`);
above it is the MAC. Rules of reception:

* A receiver locks on the first frame whose header it can decode against noise and the energy already there.
* A stronger frame takes over within the preamble (6 080 us from the start of the first) if its own header can be
  decoded against the first; later ones only interfere.
* Interference during the header is held against the header, during the payload against the payload; all
  interferers that touch the part are added, as if they had covered it whole.
* A station hears nothing while it sends.
* Carrier sense takes one slot: energy that started less than a slot ago is not yet noticed, which is how two
  stations that drew the same slot collide.

Every random draw is addressed by transmission, receiver and purpose, so that none depends on the order of events.
"""

from __future__ import annotations

from typing import Protocol

from g3plc import events, sap
from g3plc.core import flow as flows
from g3plc.core.env import Env, ignore
from g3plc.core.ofdm import ACK_US, FULL_TONE_MAP, HEADER_US, PREAMBLE_US, ROBO, SLOT_US, airtime_us
from g3plc.phy import error_rate
from g3plc.phy.link import Link, draw
from g3plc.phy.power_sum import add
from g3plc.phy.transmission import Transmission
from g3plc.sap import (
    BROADCAST,
    DT_ACK,
    DT_NACK,
    DT_SOF,
    DT_SOF_ACK,
    HEADER_ACK,
    HEADER_FAULT,
    HEADER_IGNORED,
    HEADER_LOST,
    RxInfo,
)

_UNHEARD: tuple[int, Transmission | None] = (HEADER_LOST, None)


class Medium(Protocol):
    """What carries transmissions between stations."""

    def transmit(self, tx: Transmission) -> None:
        """Put `tx` on the wire from its start; `Transceiver.transmitted` is called at its end. Sets `tx.key`."""

    def announce(self, station: int, frame: int, start: int) -> None:
        """A station means to start its transmission of this number then (microseconds)."""

    def withdraw(self, station: int) -> None:
        """A station will not start what it announced last."""

    def occupied(self, station: int) -> bool:
        """The channel has been taken for a slot, by energy that was not handed over yet or by word.

        By word: another station in earshot said that it would have started a slot ago. If nothing comes of that,
        `Transceiver.announcement_void` is called.
        """


class Transceiver:
    """See the module's text. `user` must be set before the first frame.

    With `tags` false every flow is sent as 0: the network must take the same course.

    `attentive`: see `sap.PhyService`. While it is not, a medium may leave a frame for another station, or an ACK for
    one, in `unsaid` and `unsaid_link` instead of telling of it, if nothing else was on the wire here meanwhile.
    """

    __slots__ = (
        "_beside", "_captured", "_energies", "_env", "_fates", "_indicate",
        "_medium", "_node", "_own_end", "_own_start", "_sending", "_tags", "_user", "_watched", "attentive",
        "frame_number", "unsaid", "unsaid_link",
    )  # fmt: skip

    _user: sap.PhyUser
    unsaid_link: Link

    def __init__(self, env: Env, medium: Medium, first_frame: int = 0, tags: bool = True) -> None:
        self._env = env
        self._node = env.node
        self._medium = medium
        self.frame_number = first_frame
        self._tags = tags
        self._watched = env.note is not ignore
        self._energies: dict[Transmission, Link] = {}
        self._captured: Transmission | None = None
        self._beside: list[tuple[Transmission, Link]] = []
        self._fates: dict[Transmission, tuple[int, Transmission | None]] = {}
        self._sending: Transmission | None = None
        self._own_start = self._own_end = -1
        self.attentive = False
        self.unsaid: Transmission | None = None

    @property
    def user(self) -> sap.PhyUser:
        """The MAC."""
        return self._user

    @user.setter
    def user(self, user: sap.PhyUser) -> None:
        self._user = user
        self._indicate = user.pd_data_indication

    # -- PhyService

    def pd_data_request(
        self, psdu: bytes, modulation: int, tone_map: int, ack_wanted: bool, dst: int, attempt: int, flow: int
    ) -> None:
        """Send a data or command frame now."""
        now = self._env.clock.now
        end = now + airtime_us(len(psdu), modulation, tone_map)
        self.frame_number += 1
        dt = DT_SOF_ACK if ack_wanted else DT_SOF
        self._send(
            Transmission(self._node, self.frame_number, now, end, psdu, modulation, tone_map, dt, dst, attempt, flow)
        )

    def pd_ack_request(self, positive: bool, fcs: int, ssca: int, dst: int, flow: int) -> None:
        """Send an ACK or NACK, which is a bare header, now."""
        now = self._env.clock.now
        self.frame_number += 1
        dt = DT_ACK if positive else DT_NACK
        self._send(
            Transmission(
                self._node, self.frame_number, now, now + ACK_US, b"", ROBO, FULL_TONE_MAP, dt, dst, 0, flow, fcs, ssca
            )
        )

    def plme_busy(self) -> bool:
        """Own transmission, or energy for at least a slot."""
        if self._sending is not None:
            return True
        noticed = self._env.clock.now - SLOT_US
        for tx in self._energies:
            if tx.start <= noticed:
                return True
        return self._medium.occupied(self._node)

    def plme_announce(self, start_us: int) -> None:
        """Tell the medium when the next frame is meant to start."""
        self._medium.announce(self._node, self.frame_number + 1, start_us)

    def plme_withdraw(self) -> None:
        """Tell the medium that it will not."""
        self._medium.withdraw(self._node)

    def plme_recall(self) -> tuple[int, int] | None:
        """What the MAC was not told of; see `sap.PhyService`."""
        tx, self.unsaid = self.unsaid, None
        if tx is None:
            return None
        link = self.unsaid_link
        threshold = link.header_threshold
        if threshold and draw(tx.key, link.header_salt) < threshold:
            return HEADER_FAULT if link.down else HEADER_LOST, tx.end
        if tx.dt < DT_ACK:
            return tx.dt, tx.end
        return HEADER_LOST if link.lost(tx.key) else HEADER_ACK, tx.end

    # -- the medium's side

    def transmitted(self, tx: Transmission) -> None:
        """Our own transmission has ended."""
        self.unsaid = None
        if self._sending is not tx:
            return
        self._sending = None
        if self._watched:
            self._env.note(events.TxEnd, tx.frame)
        if tx.dt <= DT_SOF_ACK:
            self._user.pd_data_confirm()

    def energy_start(self, tx: Transmission, link: Link) -> None:
        """The energy of a foreign transmission arrives."""
        if self._energies or tx.start < self._own_end:
            self._start_in_crowd(tx, link)
            return
        self._energies[tx] = link
        threshold = link.header_threshold
        if threshold == 0 or tx.key * link.header_salt >> 32 & 0xFFFFFFFF >= threshold:
            self._captured = tx

    def energy_end(self, tx: Transmission, link: Link) -> None:
        """The energy of a foreign transmission ends; settles what became of it here."""
        if self._energies.pop(tx, None) is None:
            return  # it started before this station was switched on
        if self._captured is not tx:
            self._missed(tx, link)
            self.unsaid = None
            return
        self._captured = None
        if self._beside:
            self.unsaid = None
            self._settle_in_crowd(tx, link)
        else:
            self.energy_alone(tx, link)

    def energy_alone(self, tx: Transmission, link: Link) -> None:
        """The energy of a foreign transmission has come and gone, and nothing else was on the wire here meanwhile.

        The same as `energy_start` and `energy_end` in a silence, for a medium that knows it beforehand.
        """
        self.unsaid = None
        threshold = link.header_threshold
        if threshold and tx.key * link.header_salt >> 32 & 0xFFFFFFFF < threshold:
            self._missed(tx, link)
        elif tx.dt >= DT_ACK:
            if link.loss:
                self._ack_heard(tx, link)
            else:
                self._user.pd_ack_indication(tx.dt == DT_ACK, tx.fcs, tx.ssca)
        elif tx.dst == BROADCAST or tx.dst == self._node:
            if link.clear and tx.modulation == ROBO:
                self.received(tx, link)
            else:
                self._settle(tx, link, link.payload_threshold(tx.modulation, tx.tone_map, len(tx.psdu)), None)
        else:
            self._user.pd_channel_indication(tx.dt)

    def announcement_void(self) -> None:
        """What kept the channel busy without energy is not going to be sent."""
        self._user.pd_channel_indication(HEADER_IGNORED)

    def deafen(self) -> None:
        """The station is switched off: what is on the wire now ends without it."""
        self._energies.clear()
        self._captured = None
        self._beside = []
        self._fates.clear()

    # -- sending

    def _send(self, tx: Transmission) -> None:
        if not self._tags:
            tx.flow = 0
        # first, because it may hand over what it had kept back, and that is lost now
        self._medium.transmit(tx)
        if self._captured is not None:
            self._fates[self._captured] = (HEADER_LOST, None)
            self._captured = None
            self._beside = []
        self._sending = tx
        self._own_start = tx.start
        self._own_end = tx.end
        if not self._watched:
            return
        kind = flows.flow_kind(tx.flow) if tx.dt <= DT_SOF_ACK else flows.ACK + tx.dt - DT_ACK
        self._env.note(
            events.TxStart, tx.frame, tx.psdu, tx.modulation, tx.tone_map, tx.dt, tx.end - tx.start,
            tx.dst, tx.attempt, kind, tx.flow,
        )  # fmt: skip

    # -- outcomes

    def _settle(self, tx: Transmission, link: Link, threshold: int, culprit: Transmission | None) -> None:
        """A frame for us whose header was good: is the payload good too?"""
        reason = ""
        if threshold and tx.key * link.payload_salt >> 32 & 0xFFFFFFFF < threshold:
            reason = "noise" if culprit is None else "collision"
        elif link.loss and link.lost(tx.key):
            reason = "fault"
        if reason:
            self._note_lost(tx, link, "payload", reason, culprit)
            if tx.dst == BROADCAST:
                self._user.pd_channel_indication(tx.dt)
            else:
                fcs = int.from_bytes(tx.psdu[-2:], "little")
                self._user.pd_payload_lost_indication(fcs, tx.dt == DT_SOF_ACK, tx.src, tx.flow)
            return
        self.received(tx, link)

    def received(self, tx: Transmission, link: Link) -> None:
        """A frame for us or for all is good; a medium knows it of what came alone over a clear link."""
        self.unsaid = None
        if self._watched:
            self._env.note(events.RxOk, tx.src, tx.frame, link.level_cb, link.lqi)
        rx = tx.rx
        if rx is None:
            rx = tx.rx = RxInfo(tx.src, tx.dt, tx.modulation, tx.tone_map, link.lqi, link, tx.flow)
        else:
            rx.lqi = link.lqi
            rx.spectrum = link
        indicate = self._indicate
        indicate(tx.psdu, rx)

    def _ack_heard(self, tx: Transmission, link: Link) -> None:
        if link.lost(tx.key):
            self._missed(tx, link)
        else:
            self._user.pd_ack_indication(tx.dt == DT_ACK, tx.fcs, tx.ssca)

    def _missed(self, tx: Transmission, link: Link) -> None:
        """Energy whose header we do not have."""
        header, culprit = self._fates.pop(tx, _UNHEARD) if self._fates else _UNHEARD
        if self._watched and (tx.dst == self._node or tx.dst == BROADCAST):
            if tx.start < self._own_end and tx.end > self._own_start:
                reason = "half duplex"
            elif link.down or (link.loss and culprit is None):
                reason = "fault"
            else:
                reason = "noise" if culprit is None else "collision"
            self._note_lost(tx, link, "header", reason, culprit)
        self._user.pd_channel_indication(HEADER_FAULT if link.down else header)

    def _note_lost(self, tx: Transmission, link: Link, stage: str, reason: str, culprit: Transmission | None) -> None:
        if not self._watched:
            return
        by_src, by_frame = (-1, -1) if culprit is None else (culprit.src, culprit.frame)
        self._env.note(events.RxLost, tx.src, tx.frame, link.level_cb, link.lqi, stage, reason, by_src, by_frame)

    # -- more than one energy at a time

    def _start_in_crowd(self, tx: Transmission, link: Link) -> None:
        present = list(self._energies.items())
        self._energies[tx] = link
        if tx.start < self._own_end:
            return
        captured = self._captured
        if captured is None:
            if self._header_good(tx, link, present):
                self._capture(tx, present)
            else:
                self._fates[tx] = (HEADER_LOST, self._culprit(present))
        elif self._takes_over(tx, link, captured, present):
            self._fates[captured] = (HEADER_IGNORED, tx)
            self._capture(tx, present)
        else:
            self._fates[tx] = (HEADER_IGNORED, captured)
            self._beside.append((tx, link))

    def _capture(self, tx: Transmission, present: list[tuple[Transmission, Link]]) -> None:
        self._captured = tx
        self._beside = present

    def _takes_over(
        self, tx: Transmission, link: Link, captured: Transmission, present: list[tuple[Transmission, Link]]
    ) -> bool:
        return (
            tx.start < captured.start + PREAMBLE_US
            and link.level_cb > self._energies[captured].level_cb
            and self._header_good(tx, link, present)
        )

    def _header_good(self, tx: Transmission, link: Link, beside: list[tuple[Transmission, Link]]) -> bool:
        if link.down:
            return False
        threshold = error_rate.header_threshold(link.snr_cb - _rise_cb(link, beside))
        return threshold == 0 or tx.key * link.header_salt >> 32 & 0xFFFFFFFF >= threshold

    def _settle_in_crowd(self, tx: Transmission, link: Link) -> None:
        """The captured frame had company: hold it against the parts that it touched."""
        beside, self._beside = self._beside, []
        header_end = tx.start + HEADER_US
        during_header = []
        during_payload = []
        for item in beside:
            other = item[0]
            if other.start < header_end:
                during_header.append(item)
            if other.end > header_end:
                during_payload.append(item)
        if during_header and not self._header_good(tx, link, during_header):
            self._fates[tx] = (HEADER_LOST, self._culprit(during_header))
            self._missed(tx, link)
        elif tx.dt >= DT_ACK:
            self._ack_heard(tx, link)
        elif tx.dst != self._node and tx.dst != BROADCAST:
            self._user.pd_channel_indication(tx.dt)
        else:
            threshold = link.payload_threshold_at(
                tx.modulation, tx.tone_map, len(tx.psdu), _rise_cb(link, during_payload)
            )
            self._settle(tx, link, threshold, self._culprit(during_payload))

    def _culprit(self, beside: list[tuple[Transmission, Link]]) -> Transmission | None:
        """The strongest of those that may have spoilt a frame; only observers want to know."""
        return max(beside, key=lambda item: item[1].level_cb)[0] if beside and self._watched else None


def _rise_cb(link: Link, beside: list[tuple[Transmission, Link]]) -> int:
    """By how much the energies beside raise the noise floor of `link`, in 1/100 dB."""
    noise = floor = link.noise_cb
    for _, other in beside:
        floor = add(floor, other.level_cb)
    return floor - noise
