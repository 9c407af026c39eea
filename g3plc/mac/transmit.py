"""Sending: the queue, one frame in hand, its segments, its acknowledgement, its retries.

G.9903 9.3 (segmentation, ACK, falling modulation, tone-map request) and Annex C. The life cycle is the table of
`lifecycle`; channel access is `csma`; the layer feeds in what the PHY says. Frames for a neighbour without a valid
tone-map response, and broadcasts, go in ROBO on the full map.
"""

from __future__ import annotations

from collections.abc import Callable

from g3plc import events, sap
from g3plc.core import ofdm
from g3plc.core.env import Env, Timer
from g3plc.mac.config import MacConfig
from g3plc.mac.constants import (
    CSMA_FAIL,
    HEADER_GAP_US,
    MAX_REPEATS,
    MIN_SEGMENT_OCTETS,
    NO_ACK_SEEN,
    OVERHEAD_OCTETS,
    TX_BROADCAST,
    TX_COMMAND,
    TX_DATA,
)
from g3plc.mac.csma import ChannelAccess
from g3plc.mac.kept import Kept
from g3plc.mac.lifecycle import ACK_WAIT, BACKOFF, CLEAR, GAP, HELD, IDLE, LIFE_CYCLE, REQUEST, SENDING, TIMER
from g3plc.mac.tables import NeighbourTable
from g3plc.wire.mac_frame import (
    FRAME_COMMAND,
    SC_CAP,
    SC_CC,
    SC_LSF,
    SC_TMR,
    MacFrame,
    encode_data,
)

_MODULATION_CAP = (ofdm.ROBO, ofdm.ROBO, ofdm.DBPSK, ofdm.DQPSK)
"""Highest modulation of a retry, by the retries that remain after it; with more remaining there is no cap."""


_ROBO_OCTETS = ofdm.max_psdu(ofdm.ROBO, ofdm.FULL_TONE_MAP) - OVERHEAD_OCTETS
"""The most that a frame carries in ROBO on all tones."""


class Outgoing:
    """A request in the queue or in hand. `deadline`: when it stops waiting for its turn, in microseconds."""

    __slots__ = ("ack", "command", "deadline", "dst", "flow", "handle", "high_priority", "msdu")

    def __init__(
        self, dst: int, msdu: bytes, handle: int, ack: bool, high_priority: bool, flow: int, command: bool = False
    ) -> None:
        self.dst = dst
        self.msdu = msdu
        self.handle = handle
        self.ack = ack
        self.high_priority = high_priority
        self.flow = flow
        self.command = command
        self.deadline = 0


class Transmitter:
    """One station's sending side. `state` is one of `lifecycle`; `fcs` identifies the segment that awaits its ACK."""

    __slots__ = (
        "_access", "_clock", "_config", "_done", "_dsn", "_env", "_expire", "_frame", "_high", "_kept", "_modulation",
        "_neighbours", "_normal", "_out", "_phy", "_repeats", "_report", "_retries", "_segment", "_segments", "_size",
        "_timer", "_tmr", "_tone_map", "_tries", "fcs", "state",
    )  # fmt: skip

    _out: Outgoing
    _timer: Timer

    def __init__(
        self,
        env: Env,
        phy: sap.PhyService,
        config: MacConfig,
        access: ChannelAccess,
        kept: Kept,
        neighbours: NeighbourTable,
        done: Callable[[Outgoing, int], None],
    ) -> None:
        self._env = env
        self._clock = env.clock
        self._phy = phy
        self._config = config
        self._access = access
        self._kept = kept
        self._neighbours = neighbours
        self._done = done
        self._high: list[Outgoing] = []
        self._normal: list[Outgoing] = []
        self._expire = self._on_timer
        self._report = self._on_report
        self.state = IDLE
        self.fcs = -1
        self._dsn = self._frame = self._retries = self._tries = self._repeats = 0
        self._segment = self._segments = self._size = 0
        self._modulation = ofdm.ROBO
        self._tone_map = ofdm.FULL_TONE_MAP
        self._tmr = False

    def request(self, out: Outgoing) -> None:
        """Queue a frame; with a full queue it ends at once with TRANSACTION_OVERFLOW."""
        if len(self._high) + len(self._normal) >= self._config.queue_frames:
            self.refuse(out, sap.TRANSACTION_OVERFLOW)
            return
        out.deadline = self._clock.now + self._config.queue_ttl_us
        (self._high if out.high_priority else self._normal).append(out)
        self.feed(REQUEST)

    def refuse(self, out: Outgoing, status: int) -> None:
        """End a request that was not begun, on a later tick."""
        self._clock.after(0, self._report, (out, status))

    def feed(self, what: int) -> None:
        """One of the inputs of `lifecycle` has come."""
        _ACTIONS[self.state][what](self)

    def _on_timer(self, _: None) -> None:
        _ACTIONS[self.state][TIMER](self)

    def _on_report(self, item: tuple[Outgoing, int]) -> None:
        self._done(*item)

    # -- actions of the life cycle

    def ignore(self) -> None:
        """The input means nothing in this state."""

    def next(self) -> None:
        """Take the next request in hand; the ones that waited too long end."""
        now = self._clock.now
        while True:
            queue = self._high or self._normal
            if not queue:
                self.state = IDLE
                self._phy.attentive = False
                return
            out = queue.pop(0)
            if now <= out.deadline:
                break
            self.refuse(out, sap.TRANSACTION_EXPIRED)
        self._out = out
        self._dsn = self._kept.next_dsn()
        self._retries = self._tries = 0
        self._access.start()
        if self.state == IDLE:
            self._phy.attentive = True
            self.catch_up()
        self.draw()

    def overtake(self) -> None:
        """A request came while a frame waits for its slot: one of high priority goes before a normal untried one."""
        if not self._high or self._out.high_priority or self._tries:
            return
        self._normal.insert(0, self._out)
        self._out = self._high.pop(0)
        self._dsn = self._kept.next_dsn()
        self._access.start()
        if self.state == BACKOFF:
            self._timer.cancel()
            self.draw()

    def catch_up(self) -> None:
        """Make good what the PHY kept back: it sets the contention period."""
        heard = self._phy.plme_recall()
        if heard is not None:
            header, end = heard
            self._access.contention_at = end + HEADER_GAP_US[header]
            if header == sap.HEADER_ACK:
                self._access.follow_up_until = 0

    def silence(self) -> None:
        """Energy for others has ended while a frame was held: go on if it was the last."""
        # the end of our own answer comes without a word from the PHY: to wait for it would be to wait for ever
        answering = 0 < self._access.answer_until - self._clock.now <= ofdm.ACK_US
        if answering or not self._phy.plme_busy():
            self.feed(CLEAR)

    def draw(self) -> None:
        """Draw a slot."""
        out = self._out
        slot = self._access.draw(self._clock.now, out.high_priority, out.dst == sap.BROADCAST)
        self.state = BACKOFF
        self._phy.plme_announce(slot)
        self._timer = self._clock.at(slot, self._expire, None)

    def slot(self) -> None:
        """The drawn slot has come: send, or put it off."""
        access = self._access
        now = self._clock.now
        busy = self._phy.plme_busy()
        if not busy and now >= access.contention_at:
            access.won()
            self._plan()
            self.send()
            return
        self._phy.plme_withdraw()
        give_up = access.defer(now)
        self._env.note(events.Defer, access.nb, access.cw)
        if give_up:
            self._kept.counters[CSMA_FAIL] += 1
            self._finish(sap.CHANNEL_ACCESS_FAILURE)
        elif busy and now >= access.answer_until:
            self.state = HELD
        else:
            # our own answer ends without a word from the PHY, and before the contention period starts
            self.draw()

    def send(self) -> None:
        """Hand the segment to the PHY."""
        out = self._out
        number = self._segment
        last = number + 1 == self._segments
        payload = out.msdu if self._segments == 1 else out.msdu[number * self._size : (number + 1) * self._size]
        flags = (SC_LSF | SC_TMR if self._tmr else SC_LSF) if last else SC_CC
        if out.high_priority:
            flags |= SC_CAP
        psdu = self._encode(out, payload, flags, number)
        self.fcs = psdu[-2] | psdu[-1] << 8
        self.state = SENDING
        phy = self._phy
        phy.pd_data_request(psdu, self._modulation, self._tone_map, out.ack, out.dst, self._tries, out.flow)
        self._frame = phy.frame_number
        if self._segments > 1:
            self._env.note(events.Segment, out.dst, self._dsn, number, self._segments)

    def sent(self) -> None:
        """The segment has left: wait for its ACK, or go on without."""
        now = self._clock.now
        if self._out.ack:
            self._access.contention_at = now + ofdm.ACK_WAIT_US
            self.state = ACK_WAIT
            self._timer = self._clock.at(now + ofdm.ACK_WAIT_US, self._expire, None)
            return
        self._access.contention_at = now + ofdm.CIFS_US
        self._advance()

    def acked(self) -> None:
        """The segment has arrived."""
        self._timer.cancel()
        self._env.note(events.Ack, self._out.dst, self._frame, "ack")
        self._advance()

    def repeat(self) -> None:
        """The receiver asks for the same segment again, at once."""
        self._timer.cancel()
        self._env.note(events.Ack, self._out.dst, self._frame, "nack")
        self._repeats += 1
        if self._repeats > MAX_REPEATS:
            self._retry()
            return
        self._tries += 1
        self._wait_gap()

    def refused(self) -> None:
        """The receiver does not want the segment."""
        self._timer.cancel()
        self._env.note(events.Ack, self._out.dst, self._frame, "nack")
        self._retry()

    def missed(self) -> None:
        """No ACK: the wait ran out, or something else came in its place."""
        self._timer.cancel()
        self._kept.counters[NO_ACK_SEEN] += 1
        self._env.note(events.Ack, self._out.dst, self._frame, "missed")
        self._retry()

    # -- steps of the actions

    def _retry(self) -> None:
        """Start again from segment 0 with a new channel access."""
        self._access.contention_at = self._clock.now + ofdm.EIFS_US
        self._retries += 1
        self._tries += 1
        if self._retries > self._config.mac_max_frame_retries:
            self._neighbours.forget(self._out.dst)
            self._finish(sap.NO_ACK)
            return
        self._access.start()
        self.draw()

    def _advance(self) -> None:
        self._segment += 1
        self._repeats = 0
        if self._segment < self._segments:
            self._wait_gap()
        else:
            self._count()
            self._finish(sap.SUCCESS)

    def _wait_gap(self) -> None:
        self.state = GAP
        self._timer = self._clock.after(ofdm.CIFS_US, self._expire, None)

    def _count(self) -> None:
        counters = self._kept.counters
        if self._out.command:
            counters[TX_COMMAND] += 1
            return
        counters[TX_DATA] += 1
        if self._out.dst == sap.BROADCAST:
            counters[TX_BROADCAST] += 1

    def _finish(self, status: int) -> None:
        """The frame in hand is done. The next one is taken first, so that the user may ask for more at once."""
        out = self._out
        self.next()
        self._done(out, status)

    def _plan(self) -> None:
        """Modulation, tone map and segments of this try."""
        out = self._out
        self._segment = 0
        self._repeats = 0
        if out.dst == sap.BROADCAST:
            self._modulation, self._tone_map, self._tmr = ofdm.ROBO, ofdm.FULL_TONE_MAP, False
            self._size = _ROBO_OCTETS
            self._segments = -(-len(out.msdu) // _ROBO_OCTETS)
            return
        self._modulation, self._tone_map, self._tmr = self._towards(out.dst)
        self._size = ofdm.max_psdu(self._modulation, self._tone_map) - OVERHEAD_OCTETS
        if self._size < MIN_SEGMENT_OCTETS:
            self._modulation, self._tone_map = ofdm.ROBO, ofdm.FULL_TONE_MAP
            self._size = _ROBO_OCTETS
        self._segments = -(-len(out.msdu) // self._size)

    def _towards(self, dst: int) -> tuple[int, int, bool]:
        """Modulation, tone map, and whether to ask for a tone-map response."""
        entry = self._neighbours.valid(dst, self._clock.now)
        if entry is None:
            return ofdm.ROBO, ofdm.FULL_TONE_MAP, True
        remaining = max(self._config.mac_max_frame_retries - self._retries, 0)
        if not self._retries or remaining >= len(_MODULATION_CAP):
            return entry.modulation, entry.tone_map, False
        cap = _MODULATION_CAP[remaining]
        if cap == ofdm.ROBO:
            return ofdm.ROBO, ofdm.FULL_TONE_MAP, False
        return min(entry.modulation, cap), entry.tone_map, False

    def _encode(self, out: Outgoing, payload: bytes, flags: int, number: int) -> bytes:
        config = self._config
        pan, src = config.mac_pan_id, config.mac_short_address
        size = ofdm.padded_octets(len(payload) + OVERHEAD_OCTETS, self._modulation, self._tone_map)
        if not out.command:
            return encode_data(pan, out.dst, src, self._dsn, payload, out.ack, flags, number, pad_to=size)
        return MacFrame(
            FRAME_COMMAND, self._dsn, pan, out.dst, pan, src, payload, ack_request=out.ack,
            tmr=bool(flags & SC_TMR), cc=bool(flags & SC_CC), cap=bool(flags & SC_CAP), lsf=bool(flags & SC_LSF),
            segment_number=number,
        ).encode(size)  # fmt: skip


_ACTIONS: tuple[tuple[Callable[[Transmitter], None], ...], ...] = tuple(
    tuple(getattr(Transmitter, cell.action) for cell in row) for row in LIFE_CYCLE
)
"""`lifecycle.LIFE_CYCLE`, with the methods in place of their names."""
