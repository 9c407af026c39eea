"""What an operator may set in the MAC: the PIB's settable attributes, and the sizes of queues and tables.

Field names map one to one to the standard's (`mac_max_be` is macMaxBE); ids, ranges and units are in `pib`.
Every `Mac` keeps a copy of its own, so one config may serve many stations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(slots=True)
class MacConfig:
    """Defaults are those of the standard (profile `g3`), with security off."""

    mac_pan_id: int = 0xFFFF
    """PAN identifier; 0xFFFF: not joined."""
    mac_short_address: int = 0xFFFF
    """Short address of this station; 0xFFFF: not joined."""
    mac_max_be: int = 8
    """Largest back-off exponent: the contention window is at most 2^macMaxBE slots."""
    mac_min_be: int = 3
    """Smallest back-off exponent."""
    mac_max_csma_backoffs: int = 50
    """Busy slots until a frame is given up with CHANNEL_ACCESS_FAILURE."""
    mac_max_frame_retries: int = 5
    """New tries after a frame was not acknowledged."""
    mac_duplicate_detection_ttl: int = 3
    """Seconds for which (source, DSN) is remembered."""
    mac_high_priority_window_size: int = 7
    """Slots of the high-priority window."""
    mac_csma_fairness_limit: int = 25
    """Busy slots in a row from which a station may narrow its window; at least 2 (macMaxBE - macMinBE)."""
    mac_tmr_ttl: int = 10
    """Minutes for which a tone-map response is good."""
    mac_pos_table_entry_ttl: int = 255
    """Minutes for which a heard neighbour stays in the POS table."""
    mac_rc_coord: int = 0xFFFF
    """Route cost to the coordinator, for beacons."""
    mac_beacon_randomization_window_length: int = 12
    """Seconds over which answers to a beacon request are spread."""
    mac_a: int = 8
    """Rate of the linear decrease of the window, in units of 2^macMinBE slots."""
    mac_k: int = 5
    """Over the fairness limit the window narrows at every macK-th busy slot."""
    mac_min_cw_attempts: int = 255
    """Draws in a row from the smallest window before one is taken from the largest."""
    mac_broadcast_max_cw_enable: int = 0
    """1: broadcasts draw from the largest window."""
    mac_pos_recent_entry_threshold: int = 120
    """Minutes within which a neighbour counts as recently heard."""

    queue_frames: int = 16
    """Requests that may wait beside the one in hand."""
    queue_ttl_us: int = 10_000_000
    """How long a request may wait for its turn before it ends with TRANSACTION_EXPIRED."""
    neighbour_entries: int = 256
    """Size of the neighbour table."""
    pos_entries: int = 256
    """Size of the POS table."""
    reassemblies: int = 8
    """Segmented frames that may be under reassembly, at most one for each source."""
    reassembly_ttl_us: int = 1_000_000
    """How long a reassembly waits for its next segment."""
    tmr_interval_us: int = 5_000_000
    """Least time between two tone-map responses to the same neighbour (none after one that was not delivered)."""


def mac_config(**changes: int) -> MacConfig:
    """The standard's defaults with `changes` by field name."""
    return replace(MacConfig(), **changes)
