"""Parameter profiles: named sets of values that differ from the standard's defaults, as data.

docs/routing-profiles.md is rendered from this table. `mac` and `adp` hold what a profile asks of the layers below, by
their field names. Neighbours: `config` (names, units, defaults), `profile_doc` (the rendering).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from g3plc.core.errors import UsageError
from g3plc.loadng.config import MILLISECOND, SECOND, LoadngConfig


@dataclass(slots=True)
class Profile:
    """A named set of values. `loadng`, `adp` and `mac` map field names of the layers' configurations to values."""

    name: str
    summary: str
    loadng: dict[str, int] = field(default_factory=dict)
    adp: dict[str, int] = field(default_factory=dict)
    mac: dict[str, int] = field(default_factory=dict)

    def loadng_config(self) -> LoadngConfig:
        """A new configuration with this profile's values."""
        return LoadngConfig(**self.loadng)


PROFILES: dict[str, Profile] = {
    "g3": Profile("g3", "The defaults of G.9903."),
    "metering": Profile(
        "metering",
        "What a field stack for metering ships: strong links preferred, long waits, large tables.",
        loadng={
            "low_lqi": 52,
            "high_lqi": 100,
            "kq": 30,
            "krt": 8,
            "weak_lqi": 58,
            "max_hops": 14,
            "rrep_wait_us": 8 * SECOND,
            "rrep_wait_unicast_us": 8 * SECOND,
            "delay_low_lqi_us": 1_500 * MILLISECOND,
            "delay_high_lqi_us": 150 * MILLISECOND,
            "net_traversal_us": 40 * SECOND,
            "routing_table_size": 500,
            "blacklist_size": 64,
        },
        adp={"default_coord_route_enabled": 1, "max_join_wait_s": 180, "broadcast_log_size": 128},
        mac={"mac_max_be": 9, "mac_a": 3, "mac_beacon_randomization_window_length": 45},
    ),
    "demo": Profile(
        "demo",
        "For the board: routes in about a second, breaks told to the source as in the paper.",
        loadng={
            "low_lqi": 52,
            "high_lqi": 100,
            "kq": 24,
            "kh": 8,
            "rreq_wait_us": SECOND,
            "rrep_wait_us": 500 * MILLISECOND,
            "rrep_wait_unicast_us": 0,
            "rrep_high_priority": 1,
            "net_traversal_us": 2 * SECOND,
            "answer_from_confirm": 1,
            "rreq_retries": 1,
            "blacklist_ttl_us": 30 * SECOND,
            "local_repair": 0,
            "trickle_enabled": 1,
            "trickle_k": 1,
            "trickle_min_lqi": 60,
            "trickle_deviation": 10,
            "trickle_interval_us": 1_500 * MILLISECOND,
            "trickle_delay_us": 100 * MILLISECOND,
            "trickle_spares_neighbours": 1,
            "trickle_counts_own": 1,
            "max_random_delay_us": 300 * MILLISECOND,
            "proven_share": 8,
            "delay_low_lqi_us": 100 * MILLISECOND,
            "weak_lqi": 60,
            "add_rev_link_cost": 6,
            "rrep_second_chance": 1,
            "rrep_settles": 1,
        },
        mac={"mac_max_be": 5},
    ),
    "draft15": Profile(
        "draft15",
        "The rules of draft-clausen-lln-loadng-15 in G3's octets.",
        loadng={
            "unicast_rreq": 0,
            "rrep_wait_us": 0,
            "rrep_wait_unicast_us": 0,
            "net_traversal_us": 5 * SECOND,
            "rreq_retries": 2,
            "rreq_wait_us": 2 * SECOND,
            "blacklist_ttl_us": 60 * SECOND,
            "blacklist_on_data": 0,
            "local_repair": 0,
            "rrep_ack": 1,
            "rreq_clears_bidirectional": 1,
            "max_random_delay_us": 500 * MILLISECOND,
        },
    ),
}


def profile(name: str) -> Profile:
    """The profile of this name. UsageError names those that exist."""
    found = PROFILES.get(name)
    if found is None:
        raise UsageError(f"no routing profile {name}; there are {', '.join(PROFILES)}")
    return found
