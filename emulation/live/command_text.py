"""Payload of `cmd/#`: plain words or one JSON object, in octets from anybody. Reading it never raises.

`Envelope.read` finds out who asks (`client`, `id`) even where the rest is wrong, so that the answer gets home. Numbers
stay decimal text on their way to integers. Neighbours: `commands` (what the words mean), `replies` (the answers).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

MOST_OCTETS = 4096
"""A longer command is refused unread."""
MOST_SHOWN = 200

_CLIENT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_EXPONENT = re.compile(r"[eE]")
_MOST_ID = (1 << 53) - 1


class CommandError(ValueError):
    """A command that is refused; the message says what was wrong and, after `; allowed: `, what would do."""


class Envelope:
    """One command as it came in: `text` where it is plain words, `fields` where it is a JSON object.

    `client` and `id` are set only when both are there and usable. `problem` says why nothing can be made of it.
    """

    __slots__ = ("client", "fields", "id", "payload", "problem", "text", "topic")

    def __init__(self, topic: str, payload: bytes) -> None:
        self.topic = topic
        self.payload = payload[: MOST_SHOWN + 1]
        self.client = ""
        self.id: str | int = ""
        self.text = ""
        self.fields: dict[str, Any] | None = None
        self.problem = ""

    @classmethod
    def read(cls, topic: str, payload: bytes) -> Envelope:
        """Look at any octets. Never raises."""
        envelope = cls(topic, payload)
        try:
            envelope._read(payload)
        except CommandError as error:
            envelope.problem = str(error)
        return envelope

    @property
    def quoted(self) -> str:
        """The payload for a reply: text, cut off where it is long, wrong octets as escapes."""
        head = self.payload[:MOST_SHOWN].decode("utf-8", "backslashreplace")
        return head + "..." if len(self.payload) > MOST_SHOWN else head

    def _read(self, payload: bytes) -> None:
        if len(payload) > MOST_OCTETS:
            raise CommandError(f"payload of {len(payload)} octets; allowed: at most {MOST_OCTETS}")
        try:
            text = payload.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise CommandError(f"octet {error.start} is not UTF-8; allowed: plain words or one JSON object") from None
        if text.startswith(("{", "[")):
            self.fields = _object(text)
            self._take_sender(self.fields)
        elif not text.isprintable():
            raise CommandError("control characters in the payload; allowed: plain words or one JSON object")
        else:
            self.text = text

    def _take_sender(self, fields: dict[str, Any]) -> None:
        client, number = fields.pop("client", None), fields.pop("id", None)
        if client is None and number is None:
            return
        if type(client) is not str or not _CLIENT.fullmatch(client):
            raise CommandError(f"client: {shown(client)}; allowed: 1 to 64 letters, digits, '_', '.', '-'")
        if (type(number) is str and 0 < len(number) <= 64) or (type(number) is int and 0 <= number <= _MOST_ID):
            self.client, self.id = client, number
            return
        raise CommandError(f"id: {shown(number)}; allowed: a whole number or text of at most 64 characters")


def shown(value: object, most: int = 60) -> str:
    """Return what somebody sent as part of a message: ASCII, and not all of it where it is long."""
    text = format(value, "f") if type(value) is Decimal else ascii(value)
    return text if len(text) <= most else text[:most] + "..."


def _object(text: str) -> dict[str, Any]:
    """Read one JSON object whose values are text, numbers, true, false or null."""
    try:
        found = json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_pairs
        )
    except RecursionError:
        raise CommandError("JSON too deep; allowed: one object of plain values") from None
    except json.JSONDecodeError as error:
        raise CommandError(f"no JSON: {error.msg} at character {error.pos}") from None
    if type(found) is not dict:
        raise CommandError("a JSON list; allowed: plain words or one JSON object")
    for name, value in found.items():
        if value is None or type(value) in (list, dict):
            raise CommandError(f"{shown(name)}: null or nested; allowed: text, numbers, true, false")
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise CommandError("a JSON key is there twice; allowed: each key once")
    return found


def _integer(text: str) -> int:
    if len(text) > 20:
        raise CommandError(f"number {text[:20]}...; allowed: at most 20 digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) <= 40 and not _EXPONENT.search(text):
        return Decimal(text)
    raise CommandError(f"number {text[:20]}; allowed: plain decimal numbers of at most 40 characters")


def _constant(name: str) -> None:
    raise CommandError(f"{name} is no number; allowed: finite decimal numbers")
