"""What boards say: `board/<id>/status` (retained, with a last will) and `board/<id>/button`.

Neighbours: the firmware writes them; `boards` keeps count of the boards and makes commands of their buttons.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulation.live.json_fields import MOST_INTEGER, Fields, dump

BUTTONS = 3
PRESSES = ("short", "long")

_TEXT = 200
_COUNTS = (
    "led_count", "leds_shown", "session", "shown", "late", "dropped", "malformed", "heap_free", "heap_low",
    "gc_us", "uptime_s",
)  # fmt: skip
_LEAST_RSSI = -200
_MOST_FPS = 1000


@dataclass(slots=True)
class BoardStatus:
    """How a board shows itself. Only `online` must be there: the last will has nothing else.

    `led_count` is the strip's, `leds_shown` how many of the frame fit; `fps` those of the last second; `shown`,
    `late`, `dropped` and `malformed` count frames since the board started; heap in octets, `gc_us` the longest
    collection; `rssi` in dBm, 0 where it is not known.
    """

    online: bool
    firmware: str = ""
    order: str = ""
    message: str = ""
    led_count: int = 0
    leds_shown: int = 0
    session: int = 0
    fps: int = 0
    shown: int = 0
    late: int = 0
    dropped: int = 0
    malformed: int = 0
    heap_free: int = 0
    heap_low: int = 0
    gc_us: int = 0
    uptime_s: int = 0
    rssi: int = 0

    def encode(self) -> bytes:
        """The payload."""
        return dump({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> BoardStatus:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        status = cls(fields.flag("online"))
        for name in ("firmware", "order", "message"):
            setattr(status, name, fields.text(name, _TEXT, ""))
        for name in _COUNTS:
            setattr(status, name, fields.integer(name, 0, MOST_INTEGER, 0))
        status.fps = fields.permille("fps", 0, _MOST_FPS * 1000) // 1000 if fields.has("fps") else 0
        status.rssi = fields.integer("rssi", _LEAST_RSSI, 100, 0)
        return status


@dataclass(slots=True)
class ButtonPress:
    """A button, 1 to 3, and how long it was held: one of PRESSES."""

    button: int
    press: str

    def encode(self) -> bytes:
        """The payload."""
        return dump({"button": self.button, "press": self.press})

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> ButtonPress:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        return cls(fields.integer("button", 1, BUTTONS), fields.choice("press", PRESSES))
