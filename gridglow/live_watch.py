"""`gridglow watch`: frames of `air/#` layer by layer, and events in prose, as lines of text.

Pure: messages in, lines out; filters by station, layer and type. Neighbours: `dissect` (frames), `live_cli` (prints).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from emulation.live import air, event_map
from emulation.live.topics import PayloadError, Topics
from emulation.observe.facts import station_name
from emulation.observe.kinds import kind_name, modulation_name, readable
from emulation.observe.prose import clock_text, line
from g3plc.core import flow
from g3plc.events import EVENTS
from gridglow.dissect import dissect

LAYERS = (
    "air", "phy", "mac", "adp", "loadng", "ip", "cosem", "read", "job", "fault", "power", "clock",
)  # fmt: skip
TYPES = tuple(sorted({kind.__name__ for kind in EVENTS} | set(flow.KIND_NAMES.values()) | {"Announce"}))
"""Names that `type` may be: of events, of the messages that frames carry, and `Announce`."""

_STAMP = len("00:00:00.000")
_LAYER = 6
_NAME = 11
_DIRECTOR = "director"


@dataclass(slots=True)
class Filter:
    """What to show; empty sets show everything. Stations by number, layers and types in lower case."""

    stations: set[int] = field(default_factory=set)
    layers: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)


class Watch:
    """Turns messages into lines. `refused` counts those that nothing could be made of."""

    def __init__(self, topics: Topics, wanted: Filter) -> None:
        self._topics = topics
        self._wanted = wanted
        self.refused = 0

    def filters(self) -> tuple[str, ...]:
        """What to subscribe to."""
        stations: Iterable[int | str] = sorted(self._wanted.stations) or ["+"]
        topics = [self._topics.event(who, "+") for who in (*stations, _DIRECTOR)]
        return tuple(dict.fromkeys([*map(self._topics.air, stations), *topics]))

    def lines(self, topic: str, payload: bytes) -> list[str]:
        """The lines of a message; none where the filter leaves it out."""
        levels = self._topics.parts(topic)
        try:
            if levels[:1] == ["air"] and len(levels) == 2 and levels[1].isdigit():
                return self._air(int(levels[1]), topic, payload)
            if levels[:1] == ["event"] and len(levels) == 3:
                return self._event(levels[1], topic, levels[2], payload)
        except PayloadError:
            self.refused += 1
        return []

    def _air(self, sender: int, topic: str, payload: bytes) -> list[str]:
        record = air.decode(topic, sender, payload)
        wanted = self._wanted
        tx = record.transmission
        if tx is None:
            what = "meant to start" if record.kind == air.ANNOUNCE else "withdrawn"
            hidden = wanted.layers and "air" not in wanted.layers
            if hidden or (wanted.types and "announce" not in wanted.types) or not (wanted.layers or wanted.types):
                return []
            return [f"{_head(record.start, sender)} air    frame {record.frame} {what}"]
        kind = flow.ACK if tx.dt == 2 else flow.NACK if tx.dt == 3 else flow.flow_kind(tx.flow)
        if wanted.types and kind_name(kind).lower() not in wanted.types:
            return []
        octets = f", {len(tx.psdu)} octets in {modulation_name(tx.modulation)}" if tx.psdu else ""
        to, airtime = station_name(tx.dst), (tx.end - tx.start) / 1000
        summary = f"frame {tx.frame}: {readable(kind)} to {to}{octets}, {airtime:.0f} ms"
        below = [(layer, text) for layer, text in (dissect(tx.psdu) if tx.psdu else []) if self._layer(layer)]
        if not self._layer("air") and not below:
            return []
        lines = [f"{_head(tx.start, sender)} air    {summary}"]
        return lines + [f"{' ' * (_STAMP + 1 + _NAME)} {layer:<{_LAYER}}   {text}" for layer, text in below]

    def _event(self, who: str, topic: str, kind: str, payload: bytes) -> list[str]:
        event = event_map.decode(topic, kind, payload)
        wanted = self._wanted
        text = line(event)
        layer = text[_STAMP + 1 : _STAMP + 1 + _LAYER].strip()
        if not text or (wanted.types and kind.lower() not in wanted.types) or not self._layer(layer):
            return []
        if kind == "TxStart" and not (wanted.layers or wanted.types):
            return []  # the frame itself is shown
        name = who if who == _DIRECTOR else station_name(event[1])
        return [f"{text[:_STAMP]} {name:<{_NAME}} {text[_STAMP + 1 :]}"]

    def _layer(self, layer: str) -> bool:
        return not self._wanted.layers or layer in self._wanted.layers


def _head(t_us: int, station: int) -> str:
    return f"{clock_text(t_us)} {station_name(station):<{_NAME}}"
