"""Reads the fields of a JSON object that came from outside, one by one and strictly.

Every method raises PayloadError with the topic, the field, what was there and what is allowed. Fields that nobody asks
for are ignored, so that later versions may add some.
"""

from __future__ import annotations

import json
from typing import Any

from emulation.live.topics import PayloadError

MOST_OCTETS = 1 << 18
MOST_INTEGER = (1 << 63) - 1

_SHOWN = 60


class Fields:
    """The object in a payload."""

    __slots__ = ("_object", "topic")

    def __init__(self, topic: str, payload: bytes) -> None:
        self.topic = topic
        self._object = _parse(topic, payload)

    def error(self, name: str, reason: str) -> PayloadError:
        """The error to raise about field `name`."""
        return PayloadError(self.topic, f"{name}: {reason}")

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._object.get(name) is not None

    def integer(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """An integer within bounds; without `default` it must be there."""
        value = self._value(name, default)
        if type(value) is not int or not least <= value <= most:
            raise self.error(name, f"{_shown(value)} is no integer from {least} to {most}")
        return value

    def permille(self, name: str, least: int, most: int) -> int:
        """A decimal number within bounds (in thousandths), as the nearest number of thousandths."""
        value = self._value(name, None)
        number = float(value) if type(value) in (int, float) and -1e9 < value < 1e9 else -1e9
        thousandths = round(number * 1000)
        if not least <= thousandths <= most:
            raise self.error(name, f"{_shown(value)} is no number from {least / 1000:g} to {most / 1000:g}")
        return thousandths

    def text(self, name: str, most: int, default: str | None = None) -> str:
        """Text of at most so many characters."""
        value = self._value(name, default)
        if type(value) is not str or len(value) > most:
            raise self.error(name, f"{_shown(value)} is no text of at most {most} characters")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of some words."""
        value = self._value(name, default)
        if type(value) is not str or value not in allowed:
            raise self.error(name, f"{_shown(value)}; allowed: {', '.join(allowed)}")
        return value

    def flag(self, name: str, default: bool | None = None) -> bool:
        """True or false."""
        value = self._value(name, default)
        if type(value) is not bool:
            raise self.error(name, f"{_shown(value)}; allowed: true, false")
        return value

    def table(self, name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
        """An object inside the object."""
        value = self._value(name, default)
        if type(value) is not dict:
            raise self.error(name, f"{_shown(value)} is no object")
        return value

    def _value(self, name: str, default: Any) -> Any:
        value = self._object.get(name)
        if value is None:
            value = default
        if value is None:
            raise self.error(name, "is missing")
        return value


def dump(fields: dict[str, Any]) -> bytes:
    """The payload of an object."""
    return json.dumps(fields, separators=(",", ":")).encode()


def _parse(topic: str, payload: bytes) -> dict[str, Any]:
    if len(payload) > MOST_OCTETS:
        raise PayloadError(topic, f"{len(payload)} octets; at most {MOST_OCTETS}")
    try:
        found = json.loads(payload.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise PayloadError(topic, f"octet {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise PayloadError(topic, f"no JSON: {error.msg} at character {error.pos}") from None
    except _ConstantError as error:
        raise PayloadError(topic, f"no JSON: {error}") from None
    except ValueError:
        raise PayloadError(topic, "no JSON: a number of too many digits") from None
    except RecursionError:
        raise PayloadError(topic, "no JSON: nested too deep") from None
    if type(found) is not dict:
        raise PayloadError(topic, "no JSON object")
    return found


class _ConstantError(ValueError):
    """NaN and the infinities, which Python's reader would let through."""


def _no_number(name: str) -> None:
    raise _ConstantError(f"{name} is no number")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
