"""The boards of a PAN: how they are, and what their buttons mean.

| button | short | long |
| 1 | read all meters | the next theme |
| 2 | break the last link of the coordinator's longest route, for 30 s of emulated time | undo link and cable faults |
| 3 | pause, or go on at the speed before | a new run |

Neighbours: `board_record` (the octets), `gateway` (sends the commands), docs/led-gateway.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from emulation.live.records import FaultRecord
from emulation.live.topics import PayloadError
from led_gateway.board_record import BoardStatus, ButtonPress

MOST_BOARDS = 32
BREAK_S = 30
PRESS_EVERY_S = 0.2
"""Presses of one board that follow sooner are bounces."""
SLOWEST_START = 250
"""Permille at which a pause ends where no speed was seen before."""

NEXT_THEME = (1, "long")
"""The press that is the gateway's own."""

_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ENDS = {"link": "up", "cable": "mend"}


class Command(NamedTuple):
    """What to publish on `cmd/<rest>`."""

    rest: str
    payload: str


@dataclass(slots=True)
class Situation:
    """What a button needs to know. `farthest`: the meter with the coordinator's longest route, None without one."""

    permille: int
    last_permille: int
    farthest: int | None
    in_force: list[FaultRecord]


class PressError(ValueError):
    """A press that comes to nothing; the message says why."""


def commands(press: ButtonPress, now: Situation) -> list[Command]:
    """The commands of a press; none for the theme, which is the gateway's own. PressError."""
    short = press.press == "short"
    if press.button == 1:
        return [Command("collect", "")] if short else []
    if press.button == 2 and short:
        if now.farthest is None:
            raise PressError("button 2: the coordinator has no route of several hops yet")
        return [Command(f"link/route {now.farthest}", f"down for {BREAK_S}")]
    if press.button == 2:
        orders = [record.order for record in now.in_force if record.order.kind in _ENDS]
        return [Command(f"{order.kind}/{order.where}", _ENDS[order.kind]) for order in orders]
    if short:
        return [Command("speed", f"{(now.last_permille or SLOWEST_START) / 1000:g}" if not now.permille else "0")]
    return [Command("reset", "")]


class Boards:
    """The boards seen, at most 32; `refused` counts those beyond."""

    __slots__ = ("_pressed_s", "_status", "refused")

    def __init__(self) -> None:
        self._status: dict[str, BoardStatus] = {}
        self._pressed_s: dict[str, float] = {}
        self.refused = 0

    def status(self, topic: str, name: str, payload: bytes) -> None:
        """A board's status; an empty one forgets the board. PayloadError."""
        self._check(topic, name)
        if not payload:
            self._status.pop(name, None)
            return
        status = BoardStatus.decode(topic, payload)
        known = self._status.get(name)
        if known is not None and not status.online:
            known.online = False
        elif known is not None or len(self._status) < MOST_BOARDS:
            self._status[name] = status
        else:
            self.refused += 1

    def press(self, topic: str, name: str, payload: bytes, now_s: float) -> ButtonPress | None:
        """A button; None if it bounced. PayloadError."""
        self._check(topic, name)
        press = ButtonPress.decode(topic, payload)
        if len(self._pressed_s) > MOST_BOARDS:
            self._pressed_s.clear()
        if now_s - self._pressed_s.get(name, -PRESS_EVERY_S) < PRESS_EVERY_S:
            return None
        self._pressed_s[name] = now_s
        return press

    def shown(self) -> list[dict[str, Any]]:
        """For `status/gateway`."""
        return [
            {"id": name, "online": status.online, "led_count": status.led_count, "fps": status.fps,
             "late": status.late, "dropped": status.dropped, "malformed": status.malformed}
            for name, status in sorted(self._status.items())
        ]  # fmt: skip

    def _check(self, topic: str, name: str) -> None:
        if not _ID.fullmatch(name):
            raise PayloadError(topic, "no name of a board: 1 to 64 letters, digits, '_', '.', '-'")
