"""What an operator may set in the adaptation layer beside routing: attributes of the ADP PIB and table sizes.

Units are in the names. Neighbours: `pib` shows these by number; LOADng's own are in `loadng.config`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from g3plc.wire.iphc import Context


@dataclass(slots=True)
class AdpConfig:
    """Parameters of one station's adaptation layer. Flags are 0 or 1."""

    security_level: int = 5
    """adpSecurityLevel 0x00. Kept for the record: frames go out unsecured until security is commissioned."""
    broadcast_log_ttl_min: int = 2
    """adpBroadcastLogTableEntryTTL 0x02, minutes."""
    coord_short_address: int = 0
    """adpCoordShortAddress 0x08: whatever is not of this PAN goes there."""
    device_type: int = 2
    """adpDeviceType 0x10: 0 device, 1 coordinator, 2 undefined."""
    soft_version: int = 0
    """adpSoftVersion 0x1C."""
    sniffer_mode: int = 0
    """adpSnifferMode 0x1D."""
    max_join_wait_s: int = 20
    """adpMaxJoinWaitTime 0x20, seconds."""
    active_key_index: int = 0
    """adpActiveKeyIndex 0x22."""
    default_coord_route_enabled: int = 0
    """adpDefaultCoordRouteEnabled 0x24: takes effect when a station joins through another."""
    trickle_data_enabled: int = 0
    """adpTrickleDataEnabled 0x29. Kept for the record, like the seven that follow: every multicast is repeated."""
    trickle_lqi_low: int = 80
    """adpTrickleLQIThresholdLow 0x2A."""
    trickle_step: int = 1
    """adpTrickleStep 0x2B."""
    trickle_imin_ms: int = 1200
    """adpTrickleImin 0x2D, milliseconds."""
    trickle_max_ki: int = 3
    """adpTrickleMaxKi 0x2E."""
    trickle_adaptive_imin: int = 1
    """adpTrickleAdaptiveImin 0x2F."""
    trickle_adaptive_ki: int = 0
    """adpTrickleAdaptiveKi 0x30."""
    trickle_lqi_high: int = 90
    """adpTrickleLQIThresholdHigh 0x36."""
    disable_default_routing: int = 0
    """adpDisableDefaultRouting 0xF0: 1 switches LOADng off; only neighbours with a route remain reachable."""

    prefixes: dict[int, bytes] = field(default_factory=dict)
    """adpPrefixTable 0x01: prefixes of 8 octets that belong to this PAN, by row."""
    contexts: dict[int, Context] = field(default_factory=dict)
    """adpContextInformationTable 0x07: compression contexts by id 0..15."""
    groups: dict[int, int] = field(default_factory=dict)
    """adpGroupTable 0x0E: short addresses 0x8000..0x9FFF of the groups this station is in, by row."""

    reassembly_timeout_us: int = 60_000_000
    """RFC 4944 5.3: what is incomplete after this is dropped."""
    reassemblies: int = 4
    """Datagrams that are put together at a time."""
    broadcast_log_size: int = 64
    waiting_datagrams: int = 16
    """Datagrams of this and other stations that wait for a route."""
    in_flight: int = 64
    """Requests that the MAC has not confirmed."""
    prefix_rows: int = 4
    group_rows: int = 16
    destination_rows: int = 10
