"""What an operator may set in LOADng: the routing attributes of the ADP PIB and, below them, what no standard numbers.

Defaults are those of G.9903 (profile `g3`). Times are microseconds; the ADP PIB shows them in the standard's units.
docs/routing-profiles.md tells what each value changes. Neighbours: `profiles` (named sets of values).
"""

from __future__ import annotations

from dataclasses import dataclass

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND


@dataclass(slots=True)
class LoadngConfig:
    """Parameters of one station's LOADng. Flags are 0 or 1, costs and LQI 0..255, times in microseconds."""

    # attributes of the standard
    max_hops: int = 8
    """adpMaxHops 0x0F: first hop limit of messages and data, 1..14."""
    metric_type: int = 0x0F
    """adpMetricType 0x03: 0x0F composite; any other value is read as hop count."""
    low_lqi: int = 0
    """adpLowLQIValue 0x04: links at or below cost the whole of Kq."""
    high_lqi: int = 255
    """adpHighLQIValue 0x05: links at or above cost nothing of Kq."""
    kr: int = 0
    """adpKr 0x13: weight of ROBO."""
    km: int = 0
    """adpKm 0x14: weight of the modulation."""
    kc: int = 0
    """adpKc 0x15: weight of the unused tones."""
    kq: int = 10
    """adpKq 0x16: weight of the LQI."""
    kh: int = 4
    """adpKh 0x17: cost of each hop."""
    krt: int = 0
    """adpKrt 0x1B: weight of a full routing table."""
    weak_lqi: int = 52
    """adpWeakLQIValue 0x1A: links under it count as weak."""
    add_rev_link_cost: int = 0
    """adpAddRevLinkCost 0x0A: reverse cost is forward cost plus this while nothing is known of it."""
    rlc_enabled: int = 0
    """adpRLCEnabled 0x09: ask a neighbour for the reverse cost."""
    rrep_wait_us: int = 4 * SECOND
    """adpRREPWait 0x06: from the first RREQ to the RREP."""
    unicast_rreq: int = 1
    """adpUnicastRREQGenEnable 0x0D: ask along a route that is known."""
    net_traversal_us: int = 20 * SECOND
    """adpNetTraversalTime 0x11: an answer is awaited for twice this."""
    route_ttl_us: int = 360 * MINUTE
    """adpRoutingTableEntryTTL 0x12."""
    rreq_retries: int = 0
    """adpRREQRetries 0x18."""
    rreq_wait_us: int = 30 * SECOND
    """adpRREQWait 0x19: between two requests of one station."""
    blacklist_ttl_us: int = 10 * MINUTE
    """adpBlacklistTableEntryTTL 0x1F."""
    path_discovery_us: int = 40 * SECOND
    """adpPathDiscoveryTime 0x21."""
    delay_low_lqi_us: int = 0
    """adpDelayLowLQI 0x25: before repeating an RREQ heard at or below jitter_low_lqi; in between it is linear."""
    delay_high_lqi_us: int = 0
    """adpDelayHighLQI 0x26: the same at or above jitter_high_lqi."""
    jitter_low_lqi: int = 52
    """adpRREQJitterLowLQI 0x27."""
    jitter_high_lqi: int = 120
    """adpRREQJitterHighLQI 0x28."""
    trickle_enabled: int = 0
    """adpClusterTrickleEnabled 0x31."""
    trickle_min_lqi: int = 90
    """adpClusterTrickleMinLQI 0x32: neighbours of the cluster are heard at least so well."""
    trickle_k: int = 3
    """adpClusterTrickleK 0x33: so many copies silence a station."""
    trickle_deviation: int = 4
    """adpClusterRREQRouteCostDeviation 0x34: a copy counts when its cost is so near to the own."""
    trickle_interval_us: int = 3 * 3 * 73_500
    """adpClusterTrickleI 0x35: copies count for so long; K x 3 x the airtime of an RREQ."""

    # choices that the standard leaves open, or that other rules than the standard's make
    max_random_delay_us: int = 0
    """Random part of the delay before repeating an RREQ (ST: maximum random forwarding time; draft-15: jitter)."""
    trickle_delay_us: int = 0
    """The random part grows by this with each station of the cluster, so that copies are heard before all have sent."""
    proven_share: int = 1
    """The random part is divided by this where the link back to the previous hop is known: proven relays go first."""
    trickle_spares_neighbours: int = 0
    """1: never silent about a destination that is a neighbour by a link not weak, nor when a search is repeated."""
    trickle_counts_own: int = 0
    """1: who has repeated an RREQ does so again only for fewer weak links or a cost better by over the deviation."""
    rrep_wait_unicast_us: int = 4 * SECOND
    """As rrep_wait_us, when the RREQ came by unicast: no better one can follow."""
    rrep_high_priority: int = 0
    """1: RREPs use the MAC's high-priority window."""
    rrep_second_chance: int = 0
    """1: an RREP that its next hop does not acknowledge goes once to another neighbour nearer to who asked."""
    rrep_settles: int = 0
    """1: once an RREP has gone along a route, no better RREQ of the same search moves it, unless the RREP was lost."""
    answer_from_confirm: int = 0
    """1: the wait for an RREP starts at the MAC's confirm of the RREQ, 0: when it is handed to the MAC."""
    local_repair: int = 1
    """1: look for another route when a next hop does not answer, 0: RERR to the source at once."""
    blacklist_on_data: int = 1
    """1: an unanswered datagram blacklists the neighbour."""
    rrep_ack: int = 0
    """1: RREP_ACK proves that a link works both ways (draft-15), 0: the MAC's ACK does."""
    rrep_ack_timeout_us: int = SECOND
    """Wait for an RREP_ACK after the MAC's confirm of the RREP."""
    rreq_clears_bidirectional: int = 0
    """1: an RREQ makes the entry of its previous hop unverified (draft-15 clause 11.2)."""
    rlc_wait_us: int = 4 * SECOND
    """Wait for an RLCREP."""

    # bounds
    routing_table_size: int = 150
    """Entries of the routing table."""
    blacklist_size: int = 20
    """Entries of the blacklist."""
    discoveries: int = 32
    """Searches of this station at a time, those that wait for their turn included."""
    replies: int = 16
    """RREPs that wait for a better RREQ."""
    forwards: int = 16
    """RREQs that wait for their delay, and searches remembered for the trickle."""
    parked: int = 4
    """RREQs and RREPs that wait for a reverse link cost."""
