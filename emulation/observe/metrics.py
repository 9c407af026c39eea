"""The numbers of a run: summary.json.

Counting happens while events go by, through one dictionary look-up for an event that counts for nothing; everything
is made of integers until it is printed. docs/evidence.md defines every key. Neighbours: `evidence` (writes the files).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from emulation.observe.facts import EVERYBODY, RunFacts
from emulation.observe.kinds import REQUESTS, kind_name, normal_kind
from emulation.observe.percentiles import ms, percentile, ratio
from emulation.observe.unread import Unread
from g3plc import events as ev
from g3plc.core import flow
from g3plc.events import Event
from g3plc.sap import DT_ACK, DT_SOF_ACK

Handler = Callable[[Any], None]

_FIRST = (
    "scenario", "seed", "profile", "feeder", "meters", "read", "failed", "limit_reached", "emulated_s", "wall_s",
    "frames", "frames_by_type", "hearers",
)  # fmt: skip


class Metrics:
    """Observer that counts. `summary` gives the numbers at any time."""

    def __init__(self, facts: RunFacts) -> None:
        self._facts = facts
        self._start_us = -1
        self._end_us = 0
        self.frames = 0
        self._kinds: Counter[int] = Counter()
        self._busy_us = 0
        self._busy_until = 0
        self._retries = 0
        self._unicast_sent = 0
        self._unicast_acked = 0
        self._last_segment: dict[int, int] = {}
        self._lost: Counter[str] = Counter()
        self._collisions = 0
        self._collided = (-1, -1)
        self._counts: Counter[type[Event]] = Counter()
        self._rreq_sent = 0
        self._discovering: dict[tuple[int, int], int] = {}
        self._discoveries: list[tuple[int, int]] = []
        self._asked: dict[tuple[int, int], int] = {}
        self._rtt_us: list[int] = []
        self._unread = Unread(facts.meters)
        self._handlers: dict[type[Event], Handler] = {
            ev.TxStart: self._tx_start,
            ev.Ack: self._ack,
            ev.RxLost: self._rx_lost,
            ev.Rreq: self._rreq,
            ev.Rrep: self._rrep,
            ev.Queue: self._queue,
            ev.RepairEnd: self._repair_end,
            ev.ApduSent: self._apdu_sent,
            ev.ApduReceived: self._apdu_received,
            ev.ReadDone: self._unread.read_done,
            ev.ReadFailed: self._unread.read_failed,
            ev.Job: self._unread.job,
            ev.Power: self._unread.power,
            ev.Defer: self._counted,
            ev.Dropped: self._counted,
            ev.LateFrame: self._counted,
            ev.SessionAborted: self._aborted,
            ev.RepairStart: self._counted,
        }

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        find = self._handlers.get
        for event in events:
            handler = find(event.__class__)
            if handler is not None:
                handler(event)
        if events:
            if self._start_us < 0:
                self._start_us = events[0][0]
            self._end_us = max(self._end_us, events[-1][0])

    def close(self) -> None:
        """Nothing to let go of."""

    # -- what is read off

    def summary(self, **figures: Any) -> dict[str, Any]:
        """Return the numbers as a dictionary ready for JSON, the most asked first.

        `figures` are the host's own (`wall_s`, `hearers`, `digest`, ...); they stand beside the counted ones and
        before them in doubt. With a true `limit_reached` the jobs that are open will not go on.
        """
        limit_us = round(figures.get("emulated_s", 0) * 1_000_000) if figures.get("limit_reached") else 0
        found = {"seed": self._facts.seed, **self._counted_figures(limit_us), **figures}
        first = {key: found.pop(key) for key in _FIRST if key in found}
        return {**first, **found}

    def _counted_figures(self, limit_us: int) -> dict[str, Any]:
        facts, reads = self._facts, self._unread.read
        hops = Counter(read.hops for read in reads.values())
        emulated_us = self._end_us - max(self._start_us, 0)
        return {
            "scenario": facts.scenario,
            "profile": facts.profile,
            "feeder": facts.feeder,
            "meters": facts.meters,
            "read": len(reads),
            "failed": self._unread.summary(limit_us),
            "emulated_s": emulated_us / 1_000_000,
            "frames": self.frames,
            "frames_by_type": self._frames_by_type(),
            "collisions": self._collisions,
            "receptions_lost": dict(sorted(self._lost.items())),
            "retries": self._retries,
            "deferrals": self._counts[ev.Defer],
            "delivery_ratio": ratio(self._unicast_acked, self._unicast_sent),
            "busy_share": ratio(self._busy_us, emulated_us),
            "hops": {str(count): hops[count] for count in range(1, max(hops, default=0) + 1)},
            "rtt_ms": {"p50": ms(percentile(self._rtt_us, 50)), "p95": ms(percentile(self._rtt_us, 95))},
            "discoveries": self._discovery_summary(),
            "rreq_per_discovery": ratio(self._kinds[flow.RREQ], self._rreq_sent, 2),
            "repairs": self._counts[ev.RepairStart],
            "aborted_sessions": self._counts[ev.SessionAborted],
            "dropped": self._counts[ev.Dropped],
            "late_frames": self._counts[ev.LateFrame],
        }

    def _frames_by_type(self) -> dict[str, int]:
        by_name: Counter[str] = Counter()
        for kind, count in self._kinds.items():
            by_name[kind_name(kind)] += count
        return dict(sorted(by_name.items()))

    def _discovery_summary(self) -> dict[str, Any]:
        times = [us for _, us in self._discoveries]
        by_hops: dict[int, list[int]] = {}
        for hops, us in self._discoveries:
            by_hops.setdefault(hops, []).append(us)
        return {
            "rreq_originated": self._rreq_sent,
            "answered": len(times),
            "ms": {"p50": ms(percentile(times, 50)), "p90": ms(percentile(times, 90))},
            "by_hops": {
                str(hops): {
                    "count": len(found),
                    "p50": ms(percentile(found, 50)),
                    "p90": ms(percentile(found, 90)),
                }
                for hops, found in sorted(by_hops.items())
            },
        }

    # -- events

    def _counted(self, e: Event) -> None:
        self._counts[e.__class__] += 1

    def _aborted(self, e: ev.SessionAborted) -> None:
        self._counted(e)
        self._unread.aborted(e)

    def _tx_start(self, e: ev.TxStart) -> None:
        start, node, frame, psdu, _, _, dt, duration_us, _, attempt, kind, _ = e
        self.frames += 1
        end = start + duration_us
        if end > self._busy_until:
            self._busy_us += end - max(start, self._busy_until)
            self._busy_until = end
            self._end_us = max(self._end_us, end)
        if dt >= DT_ACK:
            self._kinds[flow.ACK if dt == DT_ACK else flow.NACK] += 1
            return
        self._kinds[kind] += 1
        first = len(psdu) < 2 or psdu[1] < 4
        if first and attempt:
            self._retries += 1
        if dt == DT_SOF_ACK:
            if first and not attempt:
                self._unicast_sent += 1
            # only the ACK of the last segment delivers the frame
            self._last_segment[node] = frame if not psdu or psdu[0] & 1 else -1

    def _ack(self, e: ev.Ack) -> None:
        if e.result == "ack" and self._last_segment.get(e.node) == e.frame:
            self._unicast_acked += 1

    def _rx_lost(self, e: ev.RxLost) -> None:
        reason = e.reason
        self._lost[reason] += 1
        # the losses of one transmission come together, at its end
        if reason == "collision" and self._collided != (e.src, e.frame):
            self._collided = (e.src, e.frame)
            self._collisions += 1

    def _rreq(self, e: ev.Rreq) -> None:
        if e.action == "sent" and e.node == e.originator:
            self._rreq_sent += 1
            self._discovering.setdefault((e.node, e.destination), e.t)

    def _rrep(self, e: ev.Rrep) -> None:
        if e.action == "received" and e.node == e.destination:
            asked = self._discovering.pop((e.node, e.originator), None)
            if asked is not None:
                # the message counts the hops up to its sender
                self._discoveries.append((e.hop_count + 1, e.t - asked))

    def _queue(self, e: ev.Queue) -> None:
        if e.action == "discarded":
            self._discovering.pop((e.node, e.destination), None)

    def _repair_end(self, e: ev.RepairEnd) -> None:
        if not e.ok:
            self._discovering.pop((e.node, e.destination), None)

    def _apdu_sent(self, e: ev.ApduSent) -> None:
        if e.peer != EVERYBODY and normal_kind(e.kind) in REQUESTS:
            self._asked[e.node, e.peer] = e.t
            self._unread.asked(e)

    def _apdu_received(self, e: ev.ApduReceived) -> None:
        asked = self._asked.pop((e.node, e.peer), None)
        if asked is not None:
            self._rtt_us.append(e.t - asked)
