"""`status/<station>`: the retained JSON by which a station shows itself and keeps others from taking its place.

It is published every second, and by the broker as a will (`online` false) when the connection breaks. `since_ms` and
`beat_ms` are wall-clock stamps of the agent's start and of this heartbeat. A `claim` is the same record, not
retained: an agent that is about to take the identity says so first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from emulation.live.json_fields import MOST_INTEGER, Fields, dump

FRESH_MS = 3_000
"""Who is not heard for so long is gone; who starts within so long of another starts at the same time."""

_INSTANCE = 32


@dataclass(slots=True)
class StatusRecord:
    """`state` in plain words: waiting, on, off, refused, crashed, ...; `routes` are [destination, next hop, hops].

    `lag_us`: how late callbacks ran, at worst, in the last second, wall time. `offset_us`: the wall clock against the
    director's. `heard` counts frames that came in, `late` those of them after their own end, `sense_doubt`
    announcements with too little lead; `refused`, for the whole process, payloads that were no good.
    """

    online: bool
    instance: str
    station: int
    claim: bool = False
    since_ms: int = 0
    beat_ms: int = 0
    short_address: int = 0
    state: str = ""
    boot: int = 0
    run: int = 0
    heard: int = 0
    late: int = 0
    sense_doubt: int = 0
    refused: int = 0
    lag_us: int = 0
    offset_us: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    routes: list[list[int]] = field(default_factory=list)

    def encode(self) -> bytes:
        """The payload."""
        return dump({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> StatusRecord:
        """Read what another agent needs of a payload: all but counters and routes. PayloadError."""
        fields = Fields(topic, payload)
        record = cls(
            fields.flag("online"),
            fields.text("instance", _INSTANCE),
            fields.integer("station", 0, 0xFFFF),
            fields.flag("claim", False),
            state=fields.text("state", 200, ""),
        )
        for name in (
            "since_ms",
            "beat_ms",
            "short_address",
            "boot",
            "run",
            "heard",
            "late",
            "sense_doubt",
            "refused",
            "lag_us",
        ):
            setattr(record, name, fields.integer(name, 0, MOST_INTEGER, 0))
        record.offset_us = fields.integer("offset_us", -MOST_INTEGER, MOST_INTEGER, 0)
        return record

    def outranks(self, other: StatusRecord) -> bool:
        """Of two agents with one identity: the one that was there first, and of two that start at once the lower."""
        if abs(self.since_ms - other.since_ms) > FRESH_MS:
            return self.since_ms < other.since_ms
        return self.instance < other.instance
