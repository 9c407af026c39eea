"""`status/director`: the retained JSON by which the director shows itself and keeps a second one away.

Published every second, and by the broker as a will (`online` false) when its connection breaks. A claim is the same
record, not retained: a director that is about to start says so first. Neighbours: `director`, `status_record` (the
stations' counterpart), `gridglow.live_status` (shows it).
"""

from __future__ import annotations

from dataclasses import dataclass

from emulation.live.json_fields import MOST_INTEGER, Fields, dump
from emulation.live.records import MOST_PERMILLE
from emulation.live.status_record import FRESH_MS

_INSTANCE = 32
_TEXT = 200
_COUNTS = (
    "since_ms", "beat_ms", "run", "emulated_us", "stations", "ready", "late", "heard", "faults", "jobs", "accepted",
    "refused",
)  # fmt: skip


@dataclass(slots=True)
class DirectorStatus:
    """`state`: settling, starting, running, paused, gone. `speed_permille` is `speed` on the wire, times 1000.

    `ready` of `stations` have taken up the run; `late` of the `heard` frames came in after their end, all stations
    together; `faithful` is false from one in a thousand on. `faults` and `jobs` are those under way, `accepted` and
    `refused` count commands since the director started.
    """

    online: bool
    instance: str
    claim: bool = False
    since_ms: int = 0
    beat_ms: int = 0
    state: str = ""
    run: int = 0
    scenario: str = ""
    title: str = ""
    emulated_us: int = 0
    speed_permille: int = 0
    auto: bool = False
    faithful: bool = True
    stations: int = 0
    ready: int = 0
    late: int = 0
    heard: int = 0
    faults: int = 0
    jobs: int = 0
    accepted: int = 0
    refused: int = 0

    def encode(self) -> bytes:
        """The payload."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "speed_permille"}
        return dump(fields | {"speed": self.speed_permille / 1000})

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> DirectorStatus:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        status = cls(fields.flag("online"), fields.text("instance", _INSTANCE), fields.flag("claim", False))
        for name in _COUNTS:
            setattr(status, name, fields.integer(name, 0, MOST_INTEGER, 0))
        for name in ("state", "scenario", "title"):
            setattr(status, name, fields.text(name, _TEXT, ""))
        status.auto = fields.flag("auto", False)
        status.faithful = fields.flag("faithful", True)
        status.speed_permille = fields.permille("speed", 0, MOST_PERMILLE) if fields.has("speed") else 0
        return status

    def outranks(self, other: DirectorStatus) -> bool:
        """Of two directors: the one that was there first, and of two that start at once the lower instance."""
        if abs(self.since_ms - other.since_ms) > FRESH_MS:
            return self.since_ms < other.since_ms
        return self.instance < other.instance
