"""What the director says, in the order in which it says it: retained records, replies, events, lines of its log.

Nothing here touches a network: `take` hands the publications to whoever does. It also knows its own retained records
again when the broker sends them back, so that another program's can be told from them.
Neighbours: `stage` and `director` write here, `director_shell` takes.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import NamedTuple

from emulation.live import event_map
from emulation.live.replies import Reply
from emulation.live.topics import Topics
from emulation.observe.prose import clock_text, line
from g3plc.events import Event

NAME = "director"

MOST_WAITING = 10_000
_LINES = 5
_WINDOW_NS = 10_000_000_000
_ECHOES = 2048


class Publication(NamedTuple):
    """One message to send."""

    topic: str
    payload: bytes
    retain: bool


class Bulletin:
    """See the module's text. `refused` counts what was no good, by sort; `dropped` what nobody took."""

    def __init__(self, topics: Topics) -> None:
        self.topics = topics
        self._waiting: deque[Publication] = deque()
        self._echoes: dict[tuple[str, bytes], None] = {}
        self._window_ns = 0
        self._lines = 0
        self._left_out = 0
        self.refused: Counter[str] = Counter()
        self.replies: Counter[str] = Counter()
        self.dropped = 0
        self.run = 0

    def take(self) -> list[Publication]:
        """Everything said since the last call."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def say(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """A message."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(Publication(topic, payload, retain))

    def record(self, topic: str, payload: bytes) -> None:
        """A retained record; an empty payload clears it."""
        self._echoes.pop((topic, payload), None)
        self._echoes[topic, payload] = None
        if len(self._echoes) > _ECHOES:
            del self._echoes[next(iter(self._echoes))]
        self.say(topic, payload, True)

    def is_ours(self, topic: str, payload: bytes) -> bool:
        """Whether a record that has come in is one of those lately said here."""
        return (topic, payload) in self._echoes

    def reply(self, reply: Reply) -> None:
        """An answer to a command."""
        reply.run = self.run
        self.replies[reply.state] += 1
        self.say(self.topics.reply(reply.to), reply.encode())

    def event(self, event: Event) -> None:
        """An event of the emulation itself, and its line in the log."""
        self.say(self.topics.event(NAME, type(event).__name__), event_map.encode(event))
        self.say(self.topics.log(NAME), line(event).encode())

    def line(self, now_us: int, text: str) -> None:
        """A line in the log."""
        self.say(self.topics.log(NAME), f"{clock_text(now_us)} run    {text}".encode())

    def complain(self, sort: str, text: str, now_us: int, wall_ns: int) -> None:
        """Count something that was no good; a line of the log as long as there are not too many."""
        self.refused[sort] += 1
        if wall_ns - self._window_ns >= _WINDOW_NS:
            if self._left_out:
                self.line(now_us, f"{self._left_out} more lines of this sort were left out")
            self._window_ns = wall_ns
            self._lines = self._left_out = 0
        self._lines += 1
        if self._lines <= _LINES:
            self.line(now_us, text)
        else:
            self._left_out += 1
