"""What the adaptation layer carries: a datagram of its own, or a frame that it forwards.

Neighbours: `sender` and `receiver` make parcels, `data_path` moves them hop by hop.
"""

from __future__ import annotations

from collections.abc import Callable


class Parcel:
    """One datagram or frame on its way to the next hop.

    `frames(meshed)` gives the MSDUs, with or without mesh header; `handle` is the user's, or -1 for a frame of another
    station, which `previous_hop` handed over. `hops_left` bounds a repair; `repaired` tells that one has been tried.
    """

    __slots__ = (
        "destination", "discover", "flow", "frames", "handle", "high_priority", "hops_left", "msdus", "next_hop",
        "originator", "previous_hop", "repaired", "sent",
    )  # fmt: skip

    def __init__(
        self,
        originator: int,
        destination: int,
        handle: int,
        hops_left: int,
        discover: bool,
        high_priority: bool,
        flow: int,
        frames: Callable[[bool], list[bytes]],
        previous_hop: int = -1,
    ) -> None:
        self.originator = originator
        self.destination = destination
        self.handle = handle
        self.hops_left = hops_left
        self.discover = discover
        self.high_priority = high_priority
        self.flow = flow
        self.frames = frames
        self.previous_hop = previous_hop
        self.msdus: list[bytes] = []
        self.sent = 0
        self.next_hop = -1
        self.repaired = False

    @property
    def is_own(self) -> bool:
        """The datagram started at this station, whose user waits for a confirm."""
        return self.handle >= 0
