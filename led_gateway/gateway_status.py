"""`status/gateway`: the retained JSON by which the gateway shows itself and keeps a second one silent.

Published every second, at once when a setting is refused, and by the broker as a will (`online` false) when the
connection breaks. Neighbours: `gateway`, `emulation.live.status_record` (the stations' counterpart); docs/topics.md
has the schema, docs/led-gateway.md what the figures mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulation.live.json_fields import MOST_INTEGER, Fields, dump
from emulation.live.status_record import FRESH_MS
from led_gateway.settings import MOST_FPS

STATES = ("waiting", "showing", "holding", "standing by", "gone")
COUNTS = (
    "since_ms", "beat_ms", "run", "session", "leds", "frames", "keys", "deltas", "octets", "octets_s", "skipped",
    "unsent", "events", "malformed", "unknown", "refused", "other_run", "dropped", "failures", "lag_us", "render_us",
    "latency_p50_ms", "latency_p99_ms", "latency_most_ms", "latencies",
)  # fmt: skip

_INSTANCE = 32
_TEXT = 500


@dataclass(slots=True)
class GatewayStatus:
    """`state` is one of STATES; `problem` says why nothing is shown.

    Since the start: `frames` rendered, `keys` and `deltas` published with `octets` altogether, `skipped` frames whose
    time had passed, `unsent` messages that the connection did not take, `events` shown; `malformed` payloads,
    `unknown` kinds of events, `refused` settings, presses and events that the show could make nothing of, records of
    `other_run`s, messages `dropped` in a flood, `failures` of our own. `octets_s` and `fps` are those of the last
    second, as `lag_us` (how late a frame was begun, at worst) and `render_us` (one frame, on average).
    `latency_..._ms`: from an event that settles an outcome to the publication of a frame that shows it, of so many
    `latencies`. `refusal`: the last setting or press that was refused, in words; `boards` and `ddp`: a line for each.
    """

    online: bool
    instance: str
    state: str = "waiting"
    problem: str = ""
    refusal: str = ""
    fps: int = 0
    since_ms: int = 0
    beat_ms: int = 0
    run: int = 0
    session: int = 0
    leds: int = 0
    frames: int = 0
    keys: int = 0
    deltas: int = 0
    octets: int = 0
    octets_s: int = 0
    skipped: int = 0
    unsent: int = 0
    events: int = 0
    malformed: int = 0
    unknown: int = 0
    refused: int = 0
    other_run: int = 0
    dropped: int = 0
    failures: int = 0
    lag_us: int = 0
    render_us: int = 0
    latency_p50_ms: int = 0
    latency_p99_ms: int = 0
    latency_most_ms: int = 0
    latencies: int = 0
    boards: list[dict[str, Any]] = field(default_factory=list)
    ddp: list[dict[str, Any]] = field(default_factory=list)

    def encode(self) -> bytes:
        """The payload."""
        return dump({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> GatewayStatus:
        """Read a payload, but for boards and DDP hosts. PayloadError."""
        fields = Fields(topic, payload)
        status = cls(fields.flag("online"), fields.text("instance", _INSTANCE))
        status.state = fields.choice("state", STATES, "waiting")
        status.problem = fields.text("problem", _TEXT, "")
        status.refusal = fields.text("refusal", _TEXT, "")
        status.fps = fields.integer("fps", 0, 10 * MOST_FPS, 0)
        for name in COUNTS:
            setattr(status, name, fields.integer(name, 0, MOST_INTEGER, 0))
        return status

    def outranks(self, other: GatewayStatus) -> bool:
        """Of two gateways: the one that was there first, and of two that start at once the lower instance."""
        if abs(self.since_ms - other.since_ms) > FRESH_MS:
            return self.since_ms < other.since_ms
        return self.instance < other.instance
