"""The G3-PLC MAC of one station: where the PHY below and the adaptation layer above meet its parts.

G.9903 9.3 and Annex C. Offers MCPS and MLME (`sap.McpsService`), uses PD and PLME (`sap.PhyService`). Parts: `csma`
(channel access), `transmit` (queue, segments, retries), `receive` (filters, answers), `tables`, `pib`. Security level
is 0: frames go out in the clear, secured ones are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from g3plc import sap
from g3plc.core.env import Env
from g3plc.core.ofdm import CIFS_US, EIFS_US
from g3plc.mac.config import MacConfig
from g3plc.mac.constants import HEADER_GAP_US, MAX_MSDU_OCTETS
from g3plc.mac.csma import ChannelAccess
from g3plc.mac.kept import Kept
from g3plc.mac.lifecycle import ACK_WAIT, ACKED, DATA, HELD, REFUSED, REPEAT, SENT, STRANGE
from g3plc.mac.pib import Pib
from g3plc.mac.receive import Receiver
from g3plc.mac.tables import NeighbourEntry, NeighbourTable, PosTable
from g3plc.mac.transmit import Outgoing, Transmitter
from g3plc.sap import HEADER_IGNORED


class Mac:
    """See the module's text. `user` must be set before the first frame.

    `kept` is what `keep()` gave in an earlier life of the station. The host ends a life by stopping its clock.
    """

    __slots__ = (
        "_access", "_clock", "_config", "_kept", "_neighbours", "_phy", "_pib", "_pos", "_receive", "_transmit",
        "_user", "pd_data_indication",
    )  # fmt: skip

    _user: sap.McpsUser
    pd_data_indication: Callable[[bytes, sap.RxInfo], None]
    """A frame for us or for all."""

    def __init__(self, env: Env, phy: sap.PhyService, config: MacConfig, kept: Mapping[str, Any] | None = None) -> None:
        rng = env.rng("mac")
        self._clock = env.clock
        self._phy = phy
        self._config = config = replace(config)
        self._kept = Kept(rng, kept)
        self._access = ChannelAccess(config, rng, env.clock.now)
        self._neighbours = NeighbourTable(config.neighbour_entries)
        self._pos = PosTable(config.pos_entries)
        self._pib = Pib(config, self._kept, self._neighbours, self._pos)
        self._transmit = Transmitter(env, phy, config, self._access, self._kept, self._neighbours, self._done)
        self._receive = Receiver(
            env, phy, config, self._access, self._kept, self._neighbours, self._pos, self._transmit
        )
        # nothing stands between the PHY and the receiving side: most of what a flood costs goes this way
        self.pd_data_indication = self._receive.receive

    @property
    def user(self) -> sap.McpsUser:
        """The adaptation layer."""
        return self._user

    @user.setter
    def user(self, user: sap.McpsUser) -> None:
        self._user = user
        self._receive.deliver = user.mcps_data_indication
        self._receive.hear = user.rreq_indication

    def keep(self) -> dict[str, Any]:
        """What survives a reboot: sequence numbers, frame counter, PIB counters."""
        return self._kept.as_dict()

    @property
    def state(self) -> int:
        """What the sending side is at, one of `lifecycle.STATE_NAMES`."""
        return self._transmit.state

    @property
    def contention_window(self) -> int:
        """Slots of the normal-priority window in force."""
        return self._access.cw

    @property
    def ignored(self) -> int:
        """Beacons and beacon requests that came in and are of no use to a joined station."""
        return self._receive.ignored

    # -- McpsService

    def mcps_data_request(self, dst: int, msdu: bytes, handle: int, ack: bool, high_priority: bool, flow: int) -> None:
        """Queue an MSDU. A broadcast is never acknowledged."""
        out = Outgoing(dst, msdu, handle, ack and dst != sap.BROADCAST, high_priority, flow)
        if len(msdu) > MAX_MSDU_OCTETS:
            self._transmit.refuse(out, sap.FRAME_TOO_LONG)
        elif not msdu or not 0 <= dst <= 0xFFFF or dst == self._config.mac_short_address != sap.BROADCAST:
            self._transmit.refuse(out, sap.INVALID_PARAMETER)
        else:
            self._transmit.request(out)

    def mlme_get(self, attribute: int, index: int | None = 0) -> Any:
        """A PIB attribute's value, or a table's row, or with None all its rows."""
        return self._pib.get(attribute, index, self._clock.now)

    def mlme_set(self, attribute: int, value: Any, index: int = 0) -> None:
        """Set a PIB attribute."""
        self._pib.set(attribute, value, index)

    def neighbour(self, short: int) -> NeighbourEntry | None:
        """The neighbour-table entry of `short`, while its tone-map response is good."""
        entry = self._neighbours.entries.get(short)
        return entry if entry is not None and self._clock.now < entry.valid_until else None

    def _done(self, out: Outgoing, status: int) -> None:
        if not out.command:
            self._user.mcps_data_confirm(out.handle, status)
        elif status != sap.SUCCESS:
            self._pos.answer_again(out.dst)

    # -- PhyUser. The indications come for every station in earshot: nothing pending, a few stores and out.

    def pd_data_confirm(self) -> None:
        """Our frame has left."""
        self._transmit.feed(SENT)

    def pd_channel_indication(self, header: int) -> None:
        """Energy for others has ended: note when the contention period starts."""
        access = self._access
        at = self._clock.now + HEADER_GAP_US[header]
        if header == HEADER_IGNORED:
            self._transmit.catch_up()
            if at < access.contention_at:
                at = access.contention_at
        access.contention_at = at
        if self._transmit.state == HELD:
            self._transmit.silence()

    def pd_ack_indication(self, positive: bool, fcs: int, ssca: int) -> None:
        """An ACK or NACK has ended, perhaps ours."""
        access = self._access
        if ssca:
            access.contention_at = access.follow_up_until = self._clock.now + EIFS_US
        else:
            access.contention_at = self._clock.now + CIFS_US
            access.follow_up_until = 0
        state = self._transmit.state
        if state == HELD:
            self._transmit.silence()
        elif state == ACK_WAIT:
            transmit = self._transmit
            if fcs != transmit.fcs:
                transmit.feed(STRANGE)
            elif positive:
                transmit.feed(ACKED)
            else:
                transmit.feed(REPEAT if ssca else REFUSED)

    def pd_payload_lost_indication(self, fcs: int, ack_wanted: bool, sender: int, flow: int) -> None:
        """A frame for us came in broken."""
        state = self._transmit.state
        if state == ACK_WAIT:
            self._transmit.feed(DATA)
        self._receive.lost(fcs, ack_wanted, sender, flow)
        if state == HELD:
            self._transmit.silence()
