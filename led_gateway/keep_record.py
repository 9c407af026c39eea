"""`keep/gateway`: the retained JSON from which a gateway's next life knows what has been read.

All else that stands is in the retained records of others; which meters the present collection has read is only in
events, and those are history for a gateway that starts later. Neighbours: `lamp` (what is shown), `traffic` (reads).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from emulation.live.json_fields import Fields, dump
from emulation.live.topics import MOST_STATIONS, PayloadError

_MOST_RUN = 0xFFFFFFFF


@dataclass(slots=True)
class GatewayKeep:
    """Of run `run`: whether a collection is under way, the meters that it has read, and those that it gave up."""

    run: int
    collecting: bool = False
    read: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """The payload."""
        return dump(
            {"run": self.run, "collecting": self.collecting, "read": list(self.read), "failed": list(self.failed)}
        )

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> GatewayKeep:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        run, collecting = fields.integer("run", 0, _MOST_RUN), fields.flag("collecting")
        found = json.loads(payload)
        return cls(run, collecting, _stations(topic, found, "read"), _stations(topic, found, "failed"))


def _stations(topic: str, found: dict[str, object], name: str) -> tuple[int, ...]:
    """A list of station numbers in an object that has been checked for being one."""
    numbers = found.get(name)
    if type(numbers) is not list or len(numbers) > MOST_STATIONS:
        raise PayloadError(topic, f"{name}: expected a list of stations")
    if not all(type(number) is int and 0 < number <= MOST_STATIONS for number in numbers):
        raise PayloadError(topic, f"{name}: expected numbers from 1 to {MOST_STATIONS}")
    return tuple(numbers)
