"""Which RREQs are worth repeating: the cluster trickle (adpClusterTrickle* of the ADP PIB).

Neighbours heard with at least adpClusterTrickleMinLQI form a cluster. A station that has heard K of them repeat an RREQ
at about its own cost within the interval I adds nothing by repeating it too; with `trickle_counts_own` its own earlier
copy is as good as one of K. With `trickle_spares_neighbours` a station stays in the flood when the destination is its
neighbour, and when a search is repeated: then the silence may have been the reason why the first one failed.
Neighbour: `rreq`.
"""

from __future__ import annotations

from g3plc.core.env import Env
from g3plc.loadng.config import LoadngConfig
from g3plc.wire.loadng_msg import Rreq

Copy = tuple[Rreq, int, int]
"""A copy that was heard: the message, the neighbour that sent it, its LQI."""
_COPIES = 32
_CLUSTER = 64


class Search:
    """What was heard of one originator's search for one destination."""

    __slots__ = ("copies", "repeated", "sent", "sequence", "started_us")

    def __init__(self, sequence: int, now: int, repeated: bool) -> None:
        self.sequence = sequence
        self.started_us = now
        self.repeated = repeated
        self.copies: list[Copy] = []
        self.sent: Rreq | None = None


class ClusterTrickle:
    """Counts copies of RREQs. `searches` is keyed by originator << 16 | destination, oldest first, bounded."""

    __slots__ = ("_cluster", "_config", "_env", "searches")

    def __init__(self, env: Env, config: LoadngConfig) -> None:
        self._env = env
        self._config = config
        self.searches: dict[int, Search] = {}
        self._cluster: set[int] = set()

    @property
    def cluster_size(self) -> int:
        """How many stations have been heard well."""
        return len(self._cluster)

    def first_heard(self, rreq: Rreq) -> None:
        """An RREQ has been accepted: make sure that its copies are counted."""
        key = rreq.originator << 16 | rreq.destination
        now = self._env.clock.now
        search = self.searches.get(key)
        if search is not None and search.sequence == rreq.sequence_number:
            return
        repeated = search is not None and now - search.started_us < 4 * self._config.net_traversal_us
        self.searches.pop(key, None)
        if len(self.searches) >= self._config.forwards:
            self.searches.pop(next(iter(self.searches)))
        self.searches[key] = Search(rreq.sequence_number, now, repeated)

    def heard(self, src: int, rreq: Rreq, lqi: int) -> None:
        """A copy of an RREQ was heard from neighbour `src` with `lqi`."""
        if lqi < self._config.trickle_min_lqi:
            return
        if len(self._cluster) < _CLUSTER:
            self._cluster.add(src)
        search = self.searches.get(rreq.originator << 16 | rreq.destination)
        if search is None or search.sequence != rreq.sequence_number:
            return
        now = self._env.clock.now
        if now - search.started_us > self._config.trickle_interval_us:
            search.started_us = now
            search.copies.clear()
        if len(search.copies) < _COPIES:
            search.copies.append((rreq, src, lqi))

    def silences(self, rreq: Rreq, near: bool) -> bool:
        """Tell whether `rreq`, as it would be sent, need not be repeated; `near`: its destination is a neighbour."""
        search = self.searches.get(rreq.originator << 16 | rreq.destination)
        if search is None or search.sequence != rreq.sequence_number:
            return False
        if self._config.trickle_spares_neighbours and (near or search.repeated):
            return False
        if self._env.clock.now - search.started_us > self._config.trickle_interval_us:
            return False
        deviation = self._config.trickle_deviation
        own = search.sent
        if own is not None and (
            own.weak_link_count <= rreq.weak_link_count and own.route_cost - rreq.route_cost <= deviation
        ):
            return True
        alike = [copy for copy, _, _ in search.copies if abs(copy.route_cost - rreq.route_cost) <= deviation]
        return len(alike) >= self._config.trickle_k

    def sent(self, rreq: Rreq) -> None:
        """This station repeats `rreq`."""
        if not self._config.trickle_counts_own:
            return
        search = self.searches.get(rreq.originator << 16 | rreq.destination)
        if search is not None and search.sequence == rreq.sequence_number:
            search.sent = rreq

    def copies(self, originator: int, destination: int) -> list[Copy]:
        """The copies heard of the last search of `originator` for `destination`, beside the best ones."""
        search = self.searches.get(originator << 16 | destination)
        return search.copies if search is not None else []
