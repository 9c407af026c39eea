"""`led/config`: the retained JSON by which a board, a person or the page knows what is on `led/frame`.

Neighbours: `gateway` publishes it whenever it changes; docs/topics.md has the schema.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulation.live.json_fields import Fields, dump
from emulation.live.topics import MOST_STATIONS
from led_gateway.frame import MOST_LEDS, parts_of
from led_gateway.frame_writer import KEY_MS
from led_gateway.settings import LEAST_FPS, LONGEST_HOLD_S, MOST_FPS
from led_gateway.themes import THEMES

ORDER = "GRB"
MOST_SUPPLY_MA = 1_000_000

_NAME = 120


@dataclass(slots=True)
class LedConfig:
    """`session` and `leds` are those of the frames. `follow`: a station, or None. `heat`: above six waves at once.

    `brightness` in thousandths, on the wire 0..1. `hold`: for so many seconds from now on the gateway is silent.
    """

    session: int
    leds: int
    fps: int
    feeder: str
    feeder_sha256: str
    theme: str
    supply_ma: int
    brightness_permille: int
    follow: int | None = None
    heat: bool = False
    hold: int = 0

    def encode(self) -> bytes:
        """The payload."""
        return dump(
            {"session": self.session, "leds": self.leds, "fps": self.fps, "feeder": self.feeder,
             "feeder_sha256": self.feeder_sha256, "theme": self.theme, "order": ORDER, "key_ms": KEY_MS,
             "parts": parts_of(self.leds), "supply_ma": self.supply_ma, "brightness": self.brightness_permille / 1000,
             "follow": self.follow, "heat": self.heat, "hold": self.hold}
        )  # fmt: skip

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> LedConfig:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        fields.choice("order", (ORDER,))
        fields.integer("key_ms", KEY_MS, KEY_MS)
        leds = fields.integer("leds", 1, MOST_LEDS)
        fields.integer("parts", parts_of(leds), parts_of(leds))
        return cls(
            fields.integer("session", 0, 0xFFFF),
            leds,
            fields.integer("fps", LEAST_FPS, MOST_FPS),
            fields.text("feeder", _NAME),
            fields.text("feeder_sha256", 64),
            fields.choice("theme", tuple(THEMES)),
            fields.integer("supply_ma", 0, MOST_SUPPLY_MA),
            fields.permille("brightness", 0, 1000),
            fields.integer("follow", 0, MOST_STATIONS) if fields.has("follow") else None,
            fields.flag("heat", False),
            fields.integer("hold", 0, LONGEST_HOLD_S, 0),
        )
