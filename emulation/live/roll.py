"""What the stations' retained status tells the director: who is there, which routes are used, which frames came late.

Nothing of it is trusted further than it is used: a status that is no good is counted and forgotten.
Neighbours: `status_record` (the payload), `director` (asks), `agent` (writes).
"""

from __future__ import annotations

import json
from typing import Any

from emulation.live.clock_desk import LATE_PER_MILLION
from emulation.live.status_record import StatusRecord

_OFF = "off by fault"
_MOST_ROUTES = 4096


class Roll:
    """The stations 0..`stations` - 1 of a run.

    `heard` counts frames that came in at all stations together since the run began, `late` those after their own end.
    """

    def __init__(self, stations: int) -> None:
        self._stations = stations
        self._run = 0
        self._status: dict[int, StatusRecord] = {}
        self._routes: dict[int, dict[int, int]] = {}
        self._counts: dict[int, tuple[str, int, int]] = {}
        self._marked = (0, 0)
        self.late = 0
        self.heard = 0

    def new_run(self, run: int, stations: int) -> None:
        """A new run: stations come up anew, counts start again."""
        self._run = run
        self._stations = stations
        self._routes.clear()
        self._marked = (0, 0)
        self.late = self.heard = 0

    def take(self, station: int, record: StatusRecord, payload: bytes) -> None:
        """A station's status has come in. `payload` is what `record` was read from."""
        if station >= self._stations or record.claim:
            return
        self._status[station] = record
        if not record.online or record.run != self._run:
            self._routes.pop(station, None)
            return
        self._routes[station] = _routes(payload)
        instance, late, heard = self._counts.get(station, ("", 0, 0))
        self._counts[station] = (record.instance, record.late, record.heard)
        if instance == record.instance:
            self.late += max(0, record.late - late)
            self.heard += max(0, record.heard - heard)

    # -- questions

    @property
    def online(self) -> int:
        """How many stations have a connection."""
        return sum(record.online for record in self._status.values())

    @property
    def ready(self) -> int:
        """How many stations have taken up this run."""
        return sum(record.run == self._run and up_and_running(record) for record in self._status.values())

    @property
    def complete(self) -> bool:
        """Whether every station has taken up this run."""
        return self.ready == self._stations

    @property
    def faithful(self) -> bool:
        """Whether fewer than one frame in a thousand has come late in this run."""
        return not self.late or self.late * 1_000_000 < self.heard * LATE_PER_MILLION

    def coordinator(self) -> StatusRecord | None:
        """The coordinator's last status."""
        return self._status.get(0)

    def since_mark(self) -> tuple[int, int]:
        """Frames that came late, and all that came in, since `mark`."""
        late, heard = self._marked
        return self.late - late, self.heard - heard

    def mark(self) -> None:
        """Count anew from here for `since_mark`."""
        self._marked = (self.late, self.heard)

    def route_link(self, meter: int) -> tuple[int, int] | None:
        """The last link of the route from the coordinator to `meter`, as used hop by hop; None if there is none."""
        here, seen = 0, {0}
        while True:
            following = self._routes.get(here, {}).get(meter)
            if following is None or following in seen:
                return None
            if following == meter:
                return here, meter
            seen.add(following)
            here = following


def up_and_running(record: StatusRecord) -> bool:
    """Whether a station lives its life, or a fault keeps it from it."""
    return record.online and (record.state == "on" or record.state.startswith(_OFF))


def _routes(payload: bytes) -> dict[int, int]:
    """Destination to next hop, of a payload that has been read as a status before."""
    routes: Any = json.loads(payload).get("routes")
    hops: dict[int, int] = {}
    for route in routes[:_MOST_ROUTES] if type(routes) is list else ():
        if type(route) is list and len(route) >= 2 and type(route[0]) is int and type(route[1]) is int:
            hops[route[0]] = route[1]
    return hops
