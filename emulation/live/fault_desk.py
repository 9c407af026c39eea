"""The faults of a run: numbers, begin and end, and the retained records by which stations learn of them.

A fault that is ordered begins a little ahead, at a stamp that all stations know by then. One that is called off gets
its end the same way, and its record is cleared when everybody has seen it. Times are emulated microseconds unless
named `wall`. Neighbours: `director` feeds it, `records.FaultRecord` is what it publishes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from emulation.grid import fault
from emulation.grid.fault import FaultOrder
from emulation.live.command_text import CommandError
from emulation.live.records import FaultRecord

MOST_FAULTS = 256
CLEAR_AFTER_NS = 500_000_000
"""Between the end of a fault and the clearing of its record: stations that lag end it at its stamp, too."""


@dataclass(slots=True)
class Change:
    """A fault has just begun or ended (`state` begin, end)."""

    record: FaultRecord
    state: str


class FaultDesk:
    """See the module's text. `publish(id, record or None)` sends a record or clears it."""

    def __init__(self, publish: Callable[[int, FaultRecord | None], None]) -> None:
        self._publish = publish
        self._run = 0
        self._open: dict[int, FaultRecord] = {}
        self._begun: set[int] = set()
        self._over: dict[int, int] = {}
        self.next_id = 1

    # -- what is known

    @property
    def records(self) -> list[FaultRecord]:
        """Faults that are ordered and not yet over, by number."""
        return [self._open[number] for number in sorted(self._open)]

    def next_us(self) -> int | None:
        """When something begins or ends next."""
        times = [record.from_us for number, record in self._open.items() if number not in self._begun]
        times += [record.until_us for record in self._open.values() if record.until_us]
        return min(times, default=None)

    def next_wall_ns(self) -> int | None:
        """When a record has to be cleared next, wall time."""
        return min(self._over.values(), default=None)

    # -- life of a run

    def new_run(self, run: int) -> None:
        """Forget and clear everything."""
        for number in (*self._open, *self._over):
            self._publish(number, None)
        self._open.clear()
        self._begun.clear()
        self._over.clear()
        self._run = run
        self.next_id = 1

    def adopt(self, run: int, records: list[FaultRecord], now_us: int) -> None:
        """Go on with the records of an earlier life of the director; those that are over will be cleared."""
        self._run = run
        for record in records:
            self._open[record.id] = record
            if record.from_us <= now_us:
                self._begun.add(record.id)
            self.next_id = max(self.next_id, record.id + 1)

    def republish(self) -> None:
        """Everything once more, for a broker that has forgotten."""
        for record in self.records:
            self._publish(record.id, record)

    # -- orders

    def begin(self, order: FaultOrder, from_us: int, owner: str) -> FaultRecord:
        """Order a fault; one of the same sort at the same place is replaced. Raises CommandError."""
        twins = [record for record in self._open.values() if _same(record.order, order)]
        if len(self._open) - len(twins) >= MOST_FAULTS:
            raise CommandError(f"{MOST_FAULTS} faults are in force; allowed: that many, end some first")
        for twin in twins:
            self._end(twin, from_us)
        return self._add(order, from_us, from_us + order.for_us if order.for_us else 0, owner)

    def end(self, order: FaultOrder, at_us: int) -> list[int]:
        """End what the order's word ends; returns the faults' numbers. Raises CommandError if there are none."""
        ended = [record for record in self._open.values() if _undone(record.order, order)]
        if not ended:
            raise CommandError(
                f"{order.kind} {order.where}: no fault is in force there; allowed: {self._places(order)}"
            )
        for record in ended:
            until_us = record.until_us
            self._end(record, at_us)
            for where in _left_over(record.order, order):
                self._add(replace(record.order, where=where), at_us, until_us, record.owner)
        return [record.id for record in ended]

    # -- time

    def advance(self, now_us: int, wall_ns: int) -> list[Change]:
        """Return what has begun and ended by now, in the order of time; clear records that are over."""
        changes: list[tuple[int, int, Change]] = []
        for number, record in list(self._open.items()):
            if number not in self._begun and record.from_us <= now_us:
                self._begun.add(number)
                changes.append((record.from_us, number, Change(record, "begin")))
            if record.until_us and record.until_us <= now_us:
                del self._open[number]
                self._begun.discard(number)
                self._over[number] = wall_ns + CLEAR_AFTER_NS
                changes.append((record.until_us, number, Change(record, "end")))
        for number in [number for number, at in self._over.items() if at <= wall_ns]:
            del self._over[number]
            self._publish(number, None)
        return [change for _, _, change in sorted(changes, key=lambda item: item[:2])]

    # -- inside

    def _add(self, order: FaultOrder, from_us: int, until_us: int, owner: str) -> FaultRecord:
        record = FaultRecord(self._run, self.next_id, order, from_us, until_us, owner)
        self.next_id += 1
        self._open[record.id] = record
        self._publish(record.id, record)
        return record

    def _end(self, record: FaultRecord, at_us: int) -> None:
        at_us = max(at_us, record.from_us)
        if not record.until_us or at_us < record.until_us:
            record.until_us = max(at_us, 1)
            self._publish(record.id, record)

    def _places(self, order: FaultOrder) -> str:
        places = sorted({record.order.where for record in self._open.values() if record.order.kind == order.kind})
        return ", ".join(places[:20]) if places else f"nothing, no {order.kind} has a fault"


def _same(a: FaultOrder, b: FaultOrder) -> bool:
    """Whether two orders begin the same sort of fault at the same place."""
    return a.kind == b.kind and a.where == b.where and (a.kind != "link" or a.word == b.word)


def _undone(begun: FaultOrder, order: FaultOrder) -> bool:
    """Whether an ending order concerns a fault, even if only one of its directions."""
    if begun.kind != order.kind:
        return False
    if order.kind != "link":
        return begun.where == order.where
    return not set(fault.pairs(begun.where)).isdisjoint(fault.pairs(order.where))


def _left_over(begun: FaultOrder, order: FaultOrder) -> list[str]:
    """The directions of a link that an order leaves broken."""
    if order.kind != "link":
        return []
    ended = fault.pairs(order.where)
    return [f"{src}>{dst}" for src, dst in fault.pairs(begun.where) if (src, dst) not in ended]
