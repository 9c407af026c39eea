"""When a station's retained status is believed: at once after a start or a lost connection, later if it is steady.

Events tell of routes sooner than the status, which is published once a second and may be on its way when a route
changes. So a status that says something new is taken on its word only when nothing is known, or when the next one
says the same. Neighbour: `traffic`.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from emulation.live.status_record import StatusRecord
from emulation.live.topics import MOST_STATIONS, PayloadError
from g3plc import events as ev
from g3plc.events import Event
from led_gateway.model import Stands

MOST_ROUTES = 2000
_ON = "on"


class _Content(NamedTuple):
    on: bool
    routes: tuple[tuple[int, int, int], ...]


class _Station:
    """`told`: what the show was told last; `last`: the status before; each None where events have changed it since."""

    __slots__ = ("known", "last", "routes", "told")

    def __init__(self) -> None:
        self.known = False
        self.routes: tuple[tuple[int, int, int], ...] = ()
        self.told: _Content | None = None
        self.last: _Content | None = None


class StationView:
    """What the stations' status says, and how far it is believed."""

    __slots__ = ("_stations",)

    def __init__(self) -> None:
        self._stations: dict[int, _Station] = {}

    def forget(self) -> None:
        """Another run."""
        self._stations.clear()

    def doubt_all(self) -> None:
        """Events were missed: the next status of each station counts at once."""
        for station in self._stations.values():
            station.known = False

    def touched(self, event: Event) -> None:
        """An event was shown; where it changes what a status says too, an older status is not to undo it."""
        if isinstance(event, ev.RouteSet | ev.RouteLost | ev.Power):
            station = self._stations.get(event.node)
            if station is not None:
                station.told = station.last = None

    def status(self, topic: str, station: int, payload: bytes, run: int) -> tuple[Stands | None, int]:
        """What a status gives the show to take, if anything; and 1 if it is of another run. PayloadError."""
        record = StatusRecord.decode(topic, payload)
        if record.station != station:
            raise PayloadError(topic, f"a status of station {record.station}")
        if record.claim:
            return None, 0
        if record.run not in (0, run):
            return None, 1
        on = record.online and record.run == run and record.state == _ON
        content = _Content(on, _routes(topic, payload) if on else ())
        view = self._stations.setdefault(station, _Station())
        steady = content == view.last
        view.last, view.routes = content, content.routes
        if content == view.told or (view.known and on and not steady):
            return None, 0
        view.known = True
        view.told = content
        return Stands(station, on, on, content.routes), 0

    def farthest(self) -> int | None:
        """The destination of the coordinator's route with the most hops, at least two; of several the highest."""
        coordinator = self._stations.get(0)
        routes = coordinator.routes if coordinator is not None else ()
        far = [(hops, destination) for destination, _, hops in routes if hops > 1]
        return max(far)[1] if far else None


def _routes(topic: str, payload: bytes) -> tuple[tuple[int, int, int], ...]:
    """The routes of a status that is known to be a JSON object. PayloadError."""
    routes = json.loads(payload).get("routes", [])
    if type(routes) is not list or len(routes) > MOST_ROUTES:
        raise PayloadError(topic, "routes: no list of them")
    for route in routes:
        if type(route) is not list or len(route) != 3 or not all(_is_number(number) for number in route):
            raise PayloadError(topic, "routes: expected [destination, next hop, hops]")
    return tuple((destination, next_hop, hops) for destination, next_hop, hops in routes)


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_STATIONS
