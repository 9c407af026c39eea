"""Topic names of one PAN, and the one exception for payloads that cannot be used.

All topics start with `gridglow/1/<pan, 4 hex digits>/`, so that several PANs share a broker. The payloads are in
`air` (frames), `event_map` (events) and `records` (JSON).
"""

from __future__ import annotations

VERSION = 1
DEFAULT_PAN = 0x781D
MOST_STATIONS = 65_000

LEVELS = ("debug", "info", "warning", "error")
"""Words of `level/<station>` and of the command line, from much to little."""


class PayloadError(ValueError):
    """A payload that cannot be used: on which topic, and what is wrong with it."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"{topic}: {reason}")
        self.topic = topic
        self.reason = reason


class Topics:
    """The names. `pan` is 0..65535. A station is given by its number, a filter by `+` or `#`."""

    __slots__ = ("clock", "led_config", "pan", "prefix", "run")

    def __init__(self, pan: int = DEFAULT_PAN) -> None:
        self.pan = pan
        self.prefix = f"gridglow/{VERSION}/{pan:04x}/"
        self.run = self.prefix + "run"
        self.clock = self.prefix + "clock"
        self.led_config = self.prefix + "led/config"

    def air(self, station: int | str) -> str:
        """Frames and announcements of one station (`air`)."""
        return f"{self.prefix}air/{station}"

    def event(self, station: int | str, kind: str) -> str:
        """One kind of event of one station (`event_map`)."""
        return f"{self.prefix}event/{station}/{kind}"

    def log(self, station: int | str) -> str:
        """Lines of text."""
        return f"{self.prefix}log/{station}"

    def status(self, who: int | str) -> str:
        """Retained status of a station, of the `director` or of the `gateway`."""
        return f"{self.prefix}status/{who}"

    def keep(self, station: int | str) -> str:
        """Retained counters of a station."""
        return f"{self.prefix}keep/{station}"

    def fault(self, number: int | str) -> str:
        """A fault in force, retained."""
        return f"{self.prefix}fault/{number}"

    def level(self, station: int | str) -> str:
        """Retained log level of a station, or of `all`: one of LEVELS as plain text, by the director."""
        return f"{self.prefix}level/{station}"

    def job(self, number: int | str) -> str:
        """A job for the coordinator."""
        return f"{self.prefix}job/{number}"

    def job_result(self, number: int | str) -> str:
        """What becomes of a job."""
        return f"{self.prefix}job/{number}/result"

    def sync(self, process: str) -> str:
        """A process asks the director for the time."""
        return f"{self.prefix}sync/{process}"

    def sync_answer(self, process: str) -> str:
        """The director's answer."""
        return f"{self.prefix}sync/{process}/answer"

    def led_frame(self, part: int | str | None = None) -> str:
        """Pictures for boards (`led_gateway.frame`); key frames of many LEDs come in parts."""
        return f"{self.prefix}led/frame" if part is None else f"{self.prefix}led/frame/{part}"

    def led_set(self, word: str) -> str:
        """People change how the light looks, in plain words."""
        return f"{self.prefix}led/set/{word}"

    def board_status(self, board: str) -> str:
        """Retained status of a board."""
        return f"{self.prefix}board/{board}/status"

    def board_button(self, board: str) -> str:
        """A button of a board."""
        return f"{self.prefix}board/{board}/button"

    def command(self, rest: str) -> str:
        """A command, `rest` being the verb and its place."""
        return f"{self.prefix}cmd/{rest}"

    def reply(self, client: str) -> str:
        """Answers to a client, or to `all`."""
        return f"{self.prefix}reply/{client}"

    def parts(self, topic: str) -> list[str]:
        """What follows the prefix, split at the slashes; empty for a topic of another PAN."""
        return topic[len(self.prefix) :].split("/") if topic.startswith(self.prefix) else []


def number_of(topic: str, text: str, most: int) -> int:
    """A decimal number 0..`most` out of a topic's level. PayloadError."""
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > most:
        raise PayloadError(topic, f"{text!r} is no number from 0 to {most}")
    return int(text)
