"""Where the lines of a process's stations go: stdout, a topic each, a file each.

A line is the station's name, then the sentence of `observe.prose`; with `json_form` an object with t_us, level, layer,
text. Writing happens in a thread of its own behind a bounded queue, so that a full disk or a slow pipe costs lines,
which are counted, and never time of the network. Levels are changeable while running.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, Full, Queue
from time import monotonic
from typing import TextIO

from emulation.live.levels import level_of
from emulation.live.topics import LEVELS, PayloadError
from emulation.observe.facts import station_name
from emulation.observe.prose import line
from g3plc.events import Event

_MOST_WAITING = 20_000
_STAMP = len("00:00:00.000")
_LAYER = 6
_RETRY_S = 10.0

_log = logging.getLogger("gridglow.logs")

Item = tuple[int, str]


class Logs:
    """An observer, and the place for what agents say of themselves.

    `publish(station, line)` sends a line to its topic. `echo` is a stream like stdout, or None. `folder`: for a file
    per station, or None. `lost` counts lines that could not be written.
    """

    def __init__(
        self,
        publish: Callable[[int, bytes], object],
        level: str = "info",
        json_form: bool = False,
        folder: Path | None = None,
        echo: TextIO | None = sys.stdout,
    ) -> None:
        self._publish = publish
        self._level = LEVELS.index(level)
        self._levels: dict[int, int] = {}
        self._json_form = json_form
        self._now: Callable[[], int] = lambda: 0
        self._writer = _Writer(echo, folder)

    @property
    def lost(self) -> int:
        """Lines that were written nowhere."""
        return self._writer.lost

    def follow(self, now: Callable[[], int]) -> None:
        """Take the emulated time of what agents say from here."""
        self._now = now

    def set_level(self, level: str, station: int | None = None) -> None:
        """From this level on lines are written: for one station, or for all that have none of their own."""
        if station is None:
            self._level = LEVELS.index(level)
            self._levels.clear()
        else:
            self._levels[station] = LEVELS.index(level)

    def take_level(self, topic: str, who: str, payload: bytes) -> None:
        """A level record of a station or of `all`; an empty one takes the station's own level back. PayloadError."""
        level = payload.decode("ascii", "replace").strip()
        if not payload:
            if who != "all":
                self._levels.pop(int(who), None)
        elif level not in LEVELS:
            raise PayloadError(topic, f"{level[:40]!r}; allowed: {', '.join(LEVELS)}")
        else:
            self.set_level(level, None if who == "all" else int(who))

    def observe(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        for event in events:
            level = level_of(event)
            station = event[1]
            if level >= self._levels.get(station, self._level):
                text = line(event)
                if text:
                    self._line(station, level, event[0], text)

    def say(self, station: int, level: str, text: str) -> None:
        """A line that is no event: what an agent does and what happens to it."""
        number = LEVELS.index(level)
        if number >= self._levels.get(station, self._level):
            t_us = self._now()
            self._line(station, number, t_us, f"{_stamp(t_us)} {'agent':<{_LAYER}} {text}")

    def close(self) -> None:
        """Write what waits, for a second at most."""
        self._writer.close()

    def _line(self, station: int, level: int, t_us: int, text: str) -> None:
        if self._json_form:
            rest = text[_STAMP + 1 :]
            text = json.dumps(
                {"station": station_name(station), "t_us": t_us, "level": LEVELS[level],
                 "layer": rest[:_LAYER].strip(), "text": rest[_LAYER + 1 :]}
            )  # fmt: skip
        self._publish(station, text.encode("utf-8", "backslashreplace"))
        self._writer.put(station, text if self._json_form else f"{station_name(station):<11} {text}")


class _Writer:
    """The thread that writes."""

    def __init__(self, echo: TextIO | None, folder: Path | None) -> None:
        self._echo = echo
        self._folder = folder
        self._queue: Queue[Item | None] = Queue(_MOST_WAITING)
        self._retry_at = 0.0
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        if echo is not None or folder is not None:
            self._thread.start()

    def put(self, station: int, text: str) -> None:
        if not self._thread.is_alive():
            return
        try:
            self._queue.put_nowait((station, text))
        except Full:
            self.lost += 1

    def close(self) -> None:
        if self._thread.is_alive():
            try:
                self._queue.put(None, timeout=0.2)
            except Full:
                return
            self._thread.join(1.0)

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < 1000:
                try:
                    batch.append(self._queue.get_nowait())
                except Empty:
                    break
            items = [item for item in batch if item is not None]
            self._to_echo(items)
            self._to_files(items)
            if len(items) < len(batch):
                return

    def _to_echo(self, items: Sequence[Item]) -> None:
        if self._echo is None or not items:
            return
        try:
            self._echo.write("".join(f"{text}\n" for _, text in items))
            self._echo.flush()
        except (OSError, ValueError):
            self.lost += len(items)

    def _to_files(self, items: Sequence[Item]) -> None:
        """A disk that is full is said and tried again after a while; the lines in between are lost."""
        if self._folder is None or not items:
            return
        if monotonic() < self._retry_at:
            self.lost += len(items)
            return
        by_station: dict[int, list[str]] = {}
        for station, text in items:
            by_station.setdefault(station, []).append(text)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for station, lines in by_station.items():
                path = self._folder / f"{station_name(station)}.log"
                with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                    file.write("\n".join(lines) + "\n")
        except OSError as error:
            self.lost += len(items)
            self._retry_at = monotonic() + _RETRY_S
            _log.warning("log files in %s: %s; tried again in %.0f s", self._folder, error.strerror, _RETRY_S)


def _stamp(t_us: int) -> str:
    seconds, us = divmod(t_us, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{us // 1000:03d}"
