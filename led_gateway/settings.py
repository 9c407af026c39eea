"""`led/set/<word>`: what people may change while the light runs, in plain words.

Each setting has its own check, which says what is allowed. Neighbours: `gateway` (puts them into effect),
`config_record` (where they show), `gridglow light` (a person's command).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from led_gateway.themes import DEFAULT_MASTER, THEMES

LEAST_FPS, MOST_FPS = 5, 60
LONGEST_HOLD_S = 3600
WORDS = ("theme", "follow", "brightness", "fps", "hold")
MOST_OCTETS = 64

_DIGITS = re.compile("[0-9]+")
_BRIGHTNESS = re.compile(r"0?\.[0-9]{1,3}|[01](?:\.0{0,3})?")


class SettingError(ValueError):
    """A setting that is refused; the message says what was wrong and, after `; allowed: `, what would do."""


@dataclass(slots=True)
class Settings:
    """`follow`: the station whose transactions alone are drawn. `brightness` 0..1. `hold_until_s`: silent until then,
    in the loop's time, for `hold_s` seconds."""

    theme: str = "safe"
    follow: int | None = None
    brightness: float = DEFAULT_MASTER
    fps: int = 40
    hold_s: int = 0
    hold_until_s: float = 0.0

    def set(self, word: str, payload: bytes, stations: int, now_s: float) -> None:
        """Take a setting over. SettingError."""
        text = payload[: MOST_OCTETS + 1].decode("ascii", "backslashreplace").strip()
        if word not in WORDS:
            raise SettingError(f"{ascii(word[:MOST_OCTETS])[1:-1]}: no such setting; allowed: {', '.join(WORDS)}")
        if word == "theme":
            self.theme = theme_of(text)
        elif word == "follow":
            self.follow = follow_of(text, stations)
        elif word == "brightness":
            self.brightness = brightness_of(text)
        elif word == "fps":
            self.fps = fps_of(text)
        else:
            self.hold_s = hold_of(text)
            self.hold_until_s = now_s + self.hold_s

    def next_theme(self) -> None:
        """The theme that follows, the first after the last."""
        names = list(THEMES)
        self.theme = names[(names.index(self.theme) + 1) % len(names)]


def theme_of(text: str) -> str:
    """A theme's name. SettingError."""
    if text not in THEMES:
        raise SettingError(f"theme {_shown(text)}; allowed: {', '.join(THEMES)}")
    return text


def follow_of(text: str, stations: int) -> int | None:
    """A station's number, or None for `off`. SettingError."""
    if text == "off":
        return None
    if not _DIGITS.fullmatch(text) or len(text) > 5 or int(text) >= stations:
        raise SettingError(f"follow {_shown(text)}; allowed: a station from 0 to {stations - 1}, or off")
    return int(text)


def brightness_of(text: str) -> float:
    """A share of full brightness. SettingError."""
    if not _BRIGHTNESS.fullmatch(text) or float(text) > 1:
        raise SettingError(f"brightness {_shown(text)}; allowed: 0 to 1 in steps of 0.001")
    return float(text)


def fps_of(text: str) -> int:
    """Frames per second. SettingError."""
    if not _DIGITS.fullmatch(text) or len(text) > 3 or not LEAST_FPS <= int(text) <= MOST_FPS:
        raise SettingError(f"fps {_shown(text)}; allowed: {LEAST_FPS} to {MOST_FPS}")
    return int(text)


def hold_of(text: str) -> int:
    """Seconds of silence, 0 for `off`. SettingError."""
    if text == "off":
        return 0
    if not _DIGITS.fullmatch(text) or len(text) > 4 or not 1 <= int(text) <= LONGEST_HOLD_S:
        raise SettingError(f"hold {_shown(text)}; allowed: 1 to {LONGEST_HOLD_S} seconds, or off")
    return int(text)


def _shown(text: str) -> str:
    return repr(text) if len(text) <= MOST_OCTETS else repr(text[:MOST_OCTETS]) + "..."
