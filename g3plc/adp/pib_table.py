"""The attributes of the ADP PIB as data: number, name, unit, range, default, and where the value lives.

G.9903 9.4 (ids, defaults). docs/adp-pib.md is `render()` of this table. Neighbour: `pib` gets and sets by it.
"""

from __future__ import annotations

from dataclasses import dataclass

ADP = "adp"
ROUTING = "routing"
TABLE = "table"

MILLISECONDS = 1_000
SECONDS = 1_000_000
MINUTES = 60_000_000
_UNITS = {1: "", MILLISECONDS: "ms", SECONDS: "s", MINUTES: "min"}


@dataclass(slots=True)
class Attribute:
    """One attribute. `place` is the configuration (or table) that holds `field`; `scale` microseconds make one unit.

    `default` is None for tables, whose indices are `low` to `high`; `writable` tells whether `set` is allowed.
    """

    id: int
    name: str
    place: str
    field: str
    default: int | None
    low: int
    high: int
    meaning: str
    scale: int = 1
    writable: bool = True
    unit: str = ""


_ROWS = (
    Attribute(0x00, "adpSecurityLevel", ADP, "security_level", 5, 0, 7, "security of outgoing frames; kept, not used"),
    Attribute(0x01, "adpPrefixTable", TABLE, "prefixes", None, 0, 3, "prefix (8 octets) of this PAN"),
    Attribute(0x02, "adpBroadcastLogTableEntryTTL", ADP, "broadcast_log_ttl_min", 2, 1, 0xFFFF,
              "how long a multicast is remembered", unit="min"),
    Attribute(0x03, "adpMetricType", ROUTING, "metric_type", 15, 0, 15, "metric of LOADng; 15 composite"),
    Attribute(0x04, "adpLowLQIValue", ROUTING, "low_lqi", 0, 0, 255, "links at or below cost the whole of Kq"),
    Attribute(0x05, "adpHighLQIValue", ROUTING, "high_lqi", 255, 0, 255, "links at or above cost nothing of Kq"),
    Attribute(0x06, "adpRREPWait", ROUTING, "rrep_wait_us", 4, 0, 255, "from the first RREQ to the RREP", SECONDS),
    Attribute(0x07, "adpContextInformationTable", TABLE, "contexts", None, 0, 15,
              "prefix (16 octets) and length in bits of a compression context"),
    Attribute(0x08, "adpCoordShortAddress", ADP, "coord_short_address", 0, 0, 0x7FFF, "gateway to other networks"),
    Attribute(0x09, "adpRLCEnabled", ROUTING, "rlc_enabled", 0, 0, 1, "ask neighbours for the reverse link cost"),
    Attribute(0x0A, "adpAddRevLinkCost", ROUTING, "add_rev_link_cost", 0, 0, 255, "for an unknown reverse direction"),
    Attribute(0x0B, "adpBroadcastLogTable", TABLE, "broadcast_log", None, 0, 0xFFFF,
              "originator, sequence number, seconds left", writable=False),
    Attribute(0x0C, "adpRoutingTable", TABLE, "routing_table", None, 0, 0xFFFF,
              "destination, next hop, cost, hop count, weak links, minutes left", writable=False),
    Attribute(0x0D, "adpUnicastRREQGenEnable", ROUTING, "unicast_rreq", 1, 0, 1, "ask along a route that is known"),
    Attribute(0x0E, "adpGroupTable", TABLE, "groups", None, 0, 15, "short address of a group, 32768..40959"),
    Attribute(0x0F, "adpMaxHops", ROUTING, "max_hops", 8, 1, 14, "first hop limit"),
    Attribute(0x10, "adpDeviceType", ADP, "device_type", 2, 0, 2, "0 device, 1 coordinator, 2 undefined"),
    Attribute(0x11, "adpNetTraversalTime", ROUTING, "net_traversal_us", 20, 1, 255,
              "an RREP is awaited for twice this", SECONDS),
    Attribute(0x12, "adpRoutingTableEntryTTL", ROUTING, "route_ttl_us", 360, 1, 0xFFFF, "life of a route", MINUTES),
    Attribute(0x13, "adpKr", ROUTING, "kr", 0, 0, 31, "weight of ROBO in a link cost"),
    Attribute(0x14, "adpKm", ROUTING, "km", 0, 0, 31, "weight of the modulation"),
    Attribute(0x15, "adpKc", ROUTING, "kc", 0, 0, 31, "weight of the unused tones"),
    Attribute(0x16, "adpKq", ROUTING, "kq", 10, 0, 50, "weight of the LQI"),
    Attribute(0x17, "adpKh", ROUTING, "kh", 4, 0, 31, "cost of a hop"),
    Attribute(0x18, "adpRREQRetries", ROUTING, "rreq_retries", 0, 0, 255, "further RREQs without answer"),
    Attribute(0x19, "adpRREQWait", ROUTING, "rreq_wait_us", 30, 0, 255, "between two requests of a station", SECONDS),
    Attribute(0x1A, "adpWeakLQIValue", ROUTING, "weak_lqi", 52, 0, 255, "links under it count as weak"),
    Attribute(0x1B, "adpKrt", ROUTING, "krt", 0, 0, 31, "weight of a full routing table"),
    Attribute(0x1C, "adpSoftVersion", ADP, "soft_version", 0, 0, 0xFFFF, "version of this software", writable=False),
    Attribute(0x1D, "adpSnifferMode", ADP, "sniffer_mode", 0, 0, 1, "kept, not used"),
    Attribute(0x1E, "adpBlacklistTable", TABLE, "blacklist", None, 0, 0xFFFF,
              "short address, minutes left", writable=False),
    Attribute(0x1F, "adpBlacklistTableEntryTTL", ROUTING, "blacklist_ttl_us", 10, 1, 0xFFFF,
              "how long a neighbour's RREQs are ignored", MINUTES),
    Attribute(0x20, "adpMaxJoinWaitTime", ADP, "max_join_wait_s", 20, 0, 0x3FF, "kept, not used", unit="s"),
    Attribute(0x21, "adpPathDiscoveryTime", ROUTING, "path_discovery_us", 40, 1, 255, "wait for a PREP", SECONDS),
    Attribute(0x22, "adpActiveKeyIndex", ADP, "active_key_index", 0, 0, 1, "kept, not used"),
    Attribute(0x23, "adpDestinationAddressSet", TABLE, "destination_addresses", None, 0, 9,
              "short address for which this station answers RREQs too"),
    Attribute(0x24, "adpDefaultCoordRouteEnabled", ADP, "default_coord_route_enabled", 0, 0, 1,
              "takes effect when a station joins through another"),
    Attribute(0x25, "adpDelayLowLQI", ROUTING, "delay_low_lqi_us", 0, 0, 0xFFFF,
              "before repeating an RREQ heard badly", MILLISECONDS),
    Attribute(0x26, "adpDelayHighLQI", ROUTING, "delay_high_lqi_us", 0, 0, 0xFFFF,
              "before repeating an RREQ heard well", MILLISECONDS),
    Attribute(0x27, "adpRREQJitterLowLQI", ROUTING, "jitter_low_lqi", 52, 0, 255, "what is heard badly"),
    Attribute(0x28, "adpRREQJitterHighLQI", ROUTING, "jitter_high_lqi", 120, 0, 255, "what is heard well"),
    Attribute(0x29, "adpTrickleDataEnabled", ADP, "trickle_data_enabled", 0, 0, 1, "kept, not used"),
    Attribute(0x2A, "adpTrickleLQIThresholdLow", ADP, "trickle_lqi_low", 80, 0, 255, "kept, not used"),
    Attribute(0x2B, "adpTrickleStep", ADP, "trickle_step", 1, 0, 255, "kept, not used"),
    Attribute(0x2D, "adpTrickleImin", ADP, "trickle_imin_ms", 1200, 0, 0xFFFF, "kept, not used", unit="ms"),
    Attribute(0x2E, "adpTrickleMaxKi", ADP, "trickle_max_ki", 3, 0, 255, "kept, not used"),
    Attribute(0x2F, "adpTrickleAdaptiveImin", ADP, "trickle_adaptive_imin", 1, 0, 1, "kept, not used"),
    Attribute(0x30, "adpTrickleAdaptiveKi", ADP, "trickle_adaptive_ki", 0, 0, 1, "kept, not used"),
    Attribute(0x31, "adpClusterTrickleEnabled", ROUTING, "trickle_enabled", 0, 0, 1, "suppress repetitions of RREQs"),
    Attribute(0x32, "adpClusterTrickleMinLQI", ROUTING, "trickle_min_lqi", 90, 0, 255, "who belongs to the cluster"),
    Attribute(0x33, "adpClusterTrickleK", ROUTING, "trickle_k", 3, 1, 255, "copies that silence a station"),
    Attribute(0x34, "adpClusterRREQRouteCostDeviation", ROUTING, "trickle_deviation", 4, 0, 0xFFFF,
              "how near the cost of a copy must be"),
    Attribute(0x35, "adpClusterTrickleI", ROUTING, "trickle_interval_us", 662, 0, 0xFFFF,
              "how long copies count", MILLISECONDS),
    Attribute(0x36, "adpTrickleLQIThresholdHigh", ADP, "trickle_lqi_high", 90, 0, 255, "kept, not used"),
    Attribute(0xF0, "adpDisableDefaultRouting", ADP, "disable_default_routing", 0, 0, 1,
              "no route is looked for on behalf of data"),
)  # fmt: skip

ATTRIBUTES: dict[int, Attribute] = {attribute.id: attribute for attribute in _ROWS}

_HEAD = """# ADP PIB

Attributes of the adaptation layer and of LOADng, got and set by number (`adpm_get`, `adpm_set`). Defaults are those of
G.9903; profiles change some of them (routing-profiles.md). Times that a profile sets finer than the unit are read
rounded up. Tables are read row by row with an index from 0; writing None clears a row.

| id | name | unit | range | default | access | meaning |
|---|---|---|---|---|---|---|
"""


def render() -> str:
    """The table as Markdown."""
    return _HEAD + "".join(map(_line, _ROWS))


def _line(attribute: Attribute) -> str:
    unit = attribute.unit or _UNITS[attribute.scale]
    span = "table" if attribute.place == TABLE else f"{attribute.low}..{attribute.high}"
    default = "empty" if attribute.default is None else str(attribute.default)
    access = "rw" if attribute.writable else "r"
    cells = (f"0x{attribute.id:02X}", attribute.name, unit, span, default, access, attribute.meaning)
    return "| " + " | ".join(cells) + " |\n"
