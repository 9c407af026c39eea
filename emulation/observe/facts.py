"""What has to be known of a run besides its events, and the names that people read.

Neighbours: the header of `jsonl`, and every observer that writes names or civil time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

EVERYBODY = 0xFFFF
NOBODY = -1

_EPOCH = datetime(1970, 1, 1)


@dataclass(slots=True, frozen=True)
class RunFacts:
    """The frame of a run, written at the head of its events.

    `meters` is the number of meters (stations 1..meters); `epoch_s` the civil time of emulated time 0 in seconds
    since 1970-01-01T00:00:00 of the same civil time; `pan` the PAN id; `texts` whatever is needed to run it again
    (the scenario, a feeder that is not shipped), by name.
    """

    scenario: str
    seed: int
    feeder: str
    feeder_sha256: str
    epoch_s: int
    profile: str
    meters: int
    version: str
    pan: int = 0x781D
    texts: Mapping[str, str] = field(default_factory=dict)

    def stations(self) -> list[int]:
        """All station numbers, the coordinator first."""
        return list(range(self.meters + 1))


class _Names(dict[int, str]):
    """Station number to name."""

    def __missing__(self, station: int) -> str:
        name = self[station] = f"meter-{station}" if station > 0 else "nobody"
        return name


STATION_NAMES = _Names({0: "coordinator", EVERYBODY: "everybody"})
"""Look-up for whoever needs many names: `coordinator`, `meter-17`, `everybody` (0xFFFF), `nobody` (negative)."""


def station_name(station: int) -> str:
    """Return the name of a station."""
    return STATION_NAMES[station]


def obis_text(obis: bytes) -> str:
    """Return the logical name of six octets as `1.0.1.8.0.255`."""
    return ".".join([str(octet) for octet in obis])


def civil_time(epoch_s: int, t_us: int) -> str:
    """Return the civil time of emulated time `t_us` as ISO 8601 to the second, without zone."""
    return (_EPOCH + timedelta(seconds=epoch_s, microseconds=t_us)).isoformat(timespec="seconds")
