"""events.jsonl: a header line with the facts of the run, one line for each event, a last line with the host's figures.

The file holds everything that the other files of a run are made from (`rebuild`). Every line is a JSON object in
ASCII: an event has its name under `event`, then its fields under their own names; octets are hexadecimal, and a
message kind has its name beside it. The reader gives back the very events that were written. Layout: docs/evidence.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from json.encoder import encode_basestring_ascii
from operator import itemgetter
from pathlib import Path
from typing import Any

from emulation.observe.facts import RunFacts
from emulation.observe.jsonl_frame import FORMAT, MOST_US, EvidenceError, facts_in, figures_in, shown
from emulation.observe.kinds import kind_name
from emulation.observe.record import field_types, ill_formed
from emulation.observe.tap import pieces
from g3plc.events import EVENTS, Event

__all__ = ["EvidenceError", "JsonlReader", "JsonlWriter", "event_lines", "header_line"]

_BY_NAME: dict[str, type[Event]] = {event.__name__: event for event in EVENTS}
_OCTET_FIELDS = {event: [name for name, kind in field_types(event).items() if kind is bytes] for event in EVENTS}


def header_line(facts: RunFacts) -> str:
    """Return the first line of the file, newline included."""
    return json.dumps({"gridglow": FORMAT, **asdict(facts)}) + "\n"


class JsonlWriter:
    """Observer that writes events.jsonl."""

    __slots__ = ("_file",)

    def __init__(self, path: Path, facts: RunFacts) -> None:
        self._file = path.open("wb")
        self._file.write(header_line(facts).encode())

    def observe(self, events: Sequence[Event]) -> None:
        """Write the next events."""
        for piece in pieces(events):
            self._file.write(event_lines(piece).encode())

    def finish(self, figures: Mapping[str, object]) -> None:
        """Write the last line: what only the host knows (wall time, hearers, ...), and the digest."""
        if self._file.closed:
            return  # it failed during the run, and the trace says so
        self._file.write(json.dumps({"end": dict(figures)}).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def event_lines(events: Iterable[Event]) -> str:
    """Return the lines of events, each with its newline."""
    plans = _PLANS
    lines: list[str] = []
    for event in events:
        template, words, values = plans[event.__class__]
        spelt = template if words is None else template[words(event)]
        lines.append(spelt % (event if values is None else values(event)))
    return "".join(lines)


class JsonlReader:
    """Reads events.jsonl. Iterating gives the events; `figures` is filled when the end has been reached.

    Raises EvidenceError with file and line for anything that is not such a file. A file without its last line (the
    run was killed) is read as far as it goes; `figures` is then empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.figures: dict[str, Any] = {}
        try:
            with path.open(encoding="ascii", errors="replace") as file:
                first = file.readline()
        except (OSError, ValueError) as error:
            raise EvidenceError(path, 0, getattr(error, "strerror", None) or "cannot be read") from error
        self.facts = facts_in(path, first)

    def __iter__(self) -> Iterator[Event]:
        with self.path.open(encoding="ascii", errors="replace") as file:
            file.readline()
            for number, line in enumerate(file, 2):
                if line.startswith('{"end"'):
                    self.figures = figures_in(self.path, number, self._object(number, line)["end"])
                    return
                yield self._event(number, line)

    def parse(self, line: str) -> Event:
        """Return the event of one line."""
        return self._event(0, line)

    def _object(self, number: int, line: str) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvidenceError(self.path, number, "not JSON (cut off?)") from error
        if not isinstance(found, dict):
            raise EvidenceError(self.path, number, "not a JSON object")
        return found

    def _event(self, number: int, line: str) -> Event:
        found = self._object(number, line)
        name = found.get("event")
        event = _BY_NAME.get(name) if isinstance(name, str) else None
        if event is None:
            raise EvidenceError(self.path, number, f"unknown event {name!r}")
        try:
            for field in _OCTET_FIELDS[event]:
                found[field] = bytes.fromhex(found[field])
            values = [found[field] for field in event._fields]
        except KeyError as error:
            raise EvidenceError(self.path, number, f"{name} without {error.args[0]}") from error
        except (TypeError, ValueError) as error:
            raise EvidenceError(self.path, number, f"{name}: octets that are not hexadecimal") from error
        made = event._make(values)
        wrong = ill_formed(made)
        if wrong:
            raise EvidenceError(self.path, number, wrong)
        if not 0 <= made[0] <= MOST_US:
            raise EvidenceError(self.path, number, f"{name}.t: {shown(made[0])}; expected 0 to {MOST_US}")
        return made


class _Worded(dict[Any, str]):
    """The texts of one kind of event to its template with them in it: the same few words come again and again.

    `form` has a place for each text, and what stays a place after that is doubled in it.
    """

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, words: str | tuple[str, ...]) -> str:
        texts = (words,) if isinstance(words, str) else words
        template = self._form % tuple([encode_basestring_ascii(text).replace("%", "%%") for text in texts])
        if len(self) < _MOST_WORDS:
            self[words] = template
        return template


_MOST_WORDS = 1000

Pick = Callable[[Any], Any]
Plan = tuple[Any, Pick | None, Pick | None]
"""Template, what takes the texts out of an event, what makes the values (None: its fields are).

Of a kind without texts, the template is one and the second is None; else it is a `_Worded`.
"""

# a text is in its template already: a precision of 0 swallows the value
_SPELT = {int: ("%%d", "e[{}]"), bytes: ('"%%s"', "e[{}].hex()"), str: ("%s%%.0s", "e[{}]")}


def _plan(event: type[Event]) -> Plan:
    """Return how one kind of event is written.

    What makes the values is compiled from its source, as a named tuple's constructor is: half of a file's cost was in
    loops over fields.
    """
    types = field_types(event)
    parts = [f'"event":"{event.__name__}"']
    values = []
    for place, (field, kind) in enumerate(types.items()):
        form, value = _SPELT[kind]
        parts.append(f'"{field}":{form}')
        values.append(value.format(place))
        if field == "kind" and kind is int:
            parts.append('"message":"%%s"')
            values.append(f"name(e[{place}])")
    form = "{" + ",".join(parts) + "}\n"
    made = None
    if values != [f"e[{place}]" for place in range(len(types))]:
        made = eval(f"lambda e: ({', '.join(values)},)", {"name": kind_name})
    texts = [place for place, kind in enumerate(types.values()) if kind is str]
    return (_Worded(form), itemgetter(*texts), made) if texts else (form % (), None, made)


_PLANS: dict[type[Event], Plan] = {event: _plan(event) for event in EVENTS}
