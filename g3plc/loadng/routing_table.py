"""The routing table: one entry per destination, aged when it is looked at, bounded.

G.9903 Annex D and draft-clausen-lln-loadng-15 clauses 7 and 8. Used by all duties of LOADng; only valid entries that
are known to work both ways (`usable`) carry data, the others carry RREPs back to who asked.
"""

from __future__ import annotations

from g3plc.core.env import Env, ignore
from g3plc.events import RouteLost, RouteSet
from g3plc.loadng.config import LoadngConfig
from g3plc.loadng.constants import LOST_AGED, LOST_REPLACED, NUMBER_LIFE_US, SEQUENCE_UNKNOWN


def is_newer(first: int, second: int) -> bool:
    """Tell whether sequence number `first` (16 bits) is newer than `second` (16 bits, or -1: older than any)."""
    if second < 0:
        return first >= 0
    if first > second:
        return first - second <= 32767
    return second - first > 32767


class Entry:
    """A route: where to, by which neighbour, how good, how new. Times in microseconds.

    `settled`: an RREP has gone this way, and no RREQ with the same sequence number moves the route any more.
    `numbered_us`: when the sequence number came in.
    """

    __slots__ = (
        "bidirectional", "cost", "destination", "hop_count", "metric_type", "next_hop", "numbered_us", "sequence",
        "settled", "valid_until_us", "weak_links",
    )  # fmt: skip

    def __init__(self, destination: int) -> None:
        self.destination = destination
        self.next_hop = -1
        self.cost = 0
        self.hop_count = 0
        self.weak_links = 0
        self.metric_type = 0
        self.sequence = SEQUENCE_UNKNOWN
        self.numbered_us = 0
        self.bidirectional = False
        self.settled = False
        self.valid_until_us = 0


class RoutingTable:
    """Entries by destination. `entries` is open to the fast paths of its siblings, for reading only."""

    __slots__ = ("_config", "_env", "_watched", "entries")

    def __init__(self, env: Env, config: LoadngConfig) -> None:
        self._env = env
        self._watched = env.note is not ignore
        self._config = config
        self.entries: dict[int, Entry] = {}

    def get(self, destination: int) -> Entry | None:
        """The valid entry of `destination`, verified or not, or None."""
        entry = self.entries.get(destination)
        if entry is not None and entry.valid_until_us <= self._env.clock.now:
            self.remove(destination, LOST_AGED)
            return None
        return entry

    def numbered(self, destination: int) -> Entry | None:
        """The valid entry of `destination` as a message from there is to be judged by.

        A sequence number tells old messages from new ones. Once nothing that was sent before it can be alive, it has
        done its work and is forgotten; else a number that its owner never gave would silence that station for as long
        as the route is used.
        """
        entry = self.entries.get(destination)
        if entry is None:
            return None
        now = self._env.clock.now
        if entry.valid_until_us <= now:
            return self.get(destination)
        if entry.numbered_us + NUMBER_LIFE_US <= now:
            entry.sequence = SEQUENCE_UNKNOWN
        return entry

    def usable(self, destination: int) -> Entry | None:
        """The valid entry of `destination` if it is known to work both ways, or None."""
        entry = self.get(destination)
        return entry if entry is not None and entry.bidirectional else None

    def all_usable(self) -> list[Entry]:
        """All valid bidirectional entries, by destination."""
        now = self._env.clock.now
        for destination in sorted(self.entries):
            if self.entries[destination].valid_until_us <= now:
                self.remove(destination, LOST_AGED)
        return [entry for _, entry in sorted(self.entries.items()) if entry.bidirectional]

    def write(
        self,
        destination: int,
        next_hop: int,
        cost: int,
        hop_count: int,
        weak_links: int,
        metric_type: int,
        sequence: int,
        bidirectional: bool,
    ) -> Entry:
        """Create or overwrite the entry of `destination`; its life starts again."""
        entry = self.entries.get(destination)
        if entry is None:
            if len(self.entries) >= self._config.routing_table_size:
                self._make_room()
            entry = self.entries[destination] = Entry(destination)
        now = self._env.clock.now
        if entry.sequence != sequence:
            entry.settled = False
            entry.numbered_us = now
        entry.next_hop = next_hop
        entry.cost = cost
        entry.hop_count = hop_count
        entry.weak_links = weak_links
        entry.metric_type = metric_type
        entry.sequence = sequence
        entry.bidirectional = bidirectional
        entry.valid_until_us = now + self._config.route_ttl_us
        if self._watched:
            self._tell(entry)
        return entry

    def verify(self, destination: int, next_hop: int) -> bool:
        """Mark the entry of `destination` as working both ways if it goes by `next_hop`; tell whether that is new."""
        entry = self.get(destination)
        if entry is None or entry.next_hop != next_hop or entry.bidirectional:
            return False
        entry.bidirectional = True
        self._tell(entry)
        return True

    def refresh(self, destination: int) -> None:
        """Start the life of a valid entry again."""
        entry = self.entries.get(destination)
        if entry is not None and entry.valid_until_us > self._env.clock.now:
            self.renew(entry)

    def renew(self, entry: Entry) -> None:
        """Start the life of an entry that is valid again."""
        entry.valid_until_us = self._env.clock.now + self._config.route_ttl_us

    def remove(self, destination: int, reason: str) -> bool:
        """Delete an entry; tell whether there was one."""
        entry = self.entries.pop(destination, None)
        if entry is None:
            return False
        self._env.note(RouteLost, destination, entry.next_hop, reason)
        return True

    def _make_room(self) -> None:
        """Delete the entry that will be missed least: aged, else unverified, else the one that ages first."""
        now = self._env.clock.now
        victim = min(
            self.entries.values(),
            key=lambda entry: (entry.valid_until_us > now and entry.bidirectional, entry.valid_until_us),
        )
        self.remove(victim.destination, LOST_AGED if victim.valid_until_us <= now else LOST_REPLACED)

    def _tell(self, entry: Entry) -> None:
        self._env.note(
            RouteSet,
            entry.destination,
            entry.next_hop,
            entry.cost,
            entry.hop_count,
            entry.weak_links,
            int(entry.bidirectional),
            entry.valid_until_us,
        )
