"""The MAC PIB: one table of attributes, read and written by id (G.9903 9.3.4).

Attributes that an operator may set are fields of the station's `MacConfig`; those whose function this MAC lacks have
the value that says so and are read-only; counters and sequence numbers come from `kept`, rows from `tables`.
`as_markdown()` renders the table for the documentation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from g3plc.core.errors import UsageError
from g3plc.core.ofdm import ACK_WAIT_US, PREAMBLE_US
from g3plc.mac.config import MacConfig
from g3plc.mac.constants import COUNTER_NAMES
from g3plc.mac.kept import Kept
from g3plc.mac.tables import MINUTE_US, NeighbourTable, PosTable

NEIGHBOUR_TABLE = 0x10A
POS_TABLE = 0x120
FIRST_COUNTER = 0x101
POS_RECENT_ENTRIES = 0x122


class Attribute(NamedTuple):
    """`access`: RW or R. `field` names the holder: of the config or of `Kept`; empty for fixed values and tables.

    `default` is the value of a fresh station: a number, or a word for what has none.
    """

    ident: int
    name: str
    type: str
    low: int
    high: int
    default: int | str
    access: str
    unit: str
    field: str
    note: str


def _config(
    ident: int, name: str, kind: str, low: int, high: int, default: int, unit: str, field: str, note: str
) -> Attribute:
    return Attribute(ident, name, kind, low, high, default, "RW", unit, field, note)


def _fixed(ident: int, name: str, kind: str, value: int, unit: str, note: str) -> Attribute:
    return Attribute(ident, name, kind, value, value, value, "R", unit, "", note)


_WORD = 0xFFFF
_LONG = 0xFFFFFFFF

ATTRIBUTES: tuple[Attribute, ...] = (
    _fixed(0x40, "macAckWaitDuration", "uint16", ACK_WAIT_US, "us", "RIFS, ACK and CIFS, from the end of the frame"),
    _config(0x47, "macMaxBE", "uint8", 0, 20, 8, "", "mac_max_be", "largest back-off exponent"),
    Attribute(0x49, "macBSN", "uint8", 0, 255, "random", "RW", "", "bsn", "last beacon sequence number"),
    Attribute(0x4C, "macDSN", "uint8", 0, 255, "random", "RW", "", "dsn", "last data sequence number"),
    _config(0x4E, "macMaxCSMABackoffs", "uint8", 0, 255, 50, "", "mac_max_csma_backoffs",
            "busy slots until CHANNEL_ACCESS_FAILURE"),
    _config(0x4F, "macMinBE", "uint8", 0, 20, 3, "", "mac_min_be", "smallest back-off exponent"),
    _config(0x50, "macPANId", "uint16", 0, _WORD, 0xFFFF, "", "mac_pan_id", "0xFFFF: not joined"),
    _fixed(0x51, "macPromiscuousMode", "bool", 0, "", "the PHY hands over what is for this station or for all"),
    _config(0x53, "macShortAddress", "uint16", 0, _WORD, 0xFFFF, "", "mac_short_address", "0xFFFF: not joined"),
    _config(0x59, "macMaxFrameRetries", "uint8", 0, 10, 5, "", "mac_max_frame_retries",
            "new tries without an acknowledgement"),
    _fixed(0x5C, "macTimeStampSupported", "bool", 1, "", "received frames carry start and end"),
    _fixed(0x5D, "macSecurityEnabled", "bool", 0, "", "security level 0; the standard's default is 1"),
    Attribute(0x71, "macKeyTable", "table", 0, 1, "empty", "R", "", "", "no keys at security level 0"),
    Attribute(0x73, "macDeviceTable", "table", 0, _WORD, "empty", "R", "", "", "no counters at security level 0"),
    Attribute(0x77, "macFrameCounter", "uint32", 0, _LONG, 0, "RW", "", "frame_counter", "kept over a reboot"),
    _config(0x78, "macDuplicateDetectionTTL", "uint8", 0, 255, 3, "s", "mac_duplicate_detection_ttl",
            "memory for (source, DSN)"),
    _config(0x100, "macHighPriorityWindowSize", "uint8", 1, 7, 7, "slots", "mac_high_priority_window_size",
            "slots of the high-priority window"),
    *(
        Attribute(FIRST_COUNTER + i, name, "uint32", 0, _LONG, 0, "RW", "", "counters", note)
        for i, (name, note) in enumerate(zip(COUNTER_NAMES, (
            "MSDUs sent (and acknowledged, where that was asked for)",
            "MSDUs received",
            "MAC commands sent and acknowledged",
            "MAC commands received",
            "frames given up because the channel stayed busy",
            "acknowledgements that did not come",
            "broadcast MSDUs received",
            "broadcast MSDUs sent",
            "frames for this station that arrived broken",
        ), strict=True))
    ),
    Attribute(NEIGHBOUR_TABLE, "macNeighbourTable", "table", 0, _WORD, "empty", "R", "", "",
              "neighbours with a tone-map response, by short address"),
    _fixed(0x10B, "macFreqNotching", "bool", 0, "", "no notch"),
    _config(0x10C, "macCSMAFairnessLimit", "uint8", 0, 255, 25, "", "mac_csma_fairness_limit",
            "at least 2 (macMaxBE - macMinBE)"),
    _config(0x10D, "macTMRTTL", "uint8", 0, 255, 10, "min", "mac_tmr_ttl", "life of a tone-map response"),
    _config(0x10E, "macPOSTableEntryTTL", "uint8", 0, 255, 255, "min", "mac_pos_table_entry_ttl",
            "life of a POS table entry"),
    _config(0x10F, "macRCCoord", "uint16", 0, _WORD, 0xFFFF, "", "mac_rc_coord", "route cost to the coordinator"),
    _fixed(0x110, "macToneMask", "bits36", (1 << 36) - 1, "", "one bit for each carrier, all in use"),
    _config(0x111, "macBeaconRandomizationWindowLength", "uint8", 1, 254, 12, "s",
            "mac_beacon_randomization_window_length", "spread of the answers to a beacon request"),
    _config(0x112, "macA", "uint8", 3, 20, 8, "", "mac_a", "narrowing of the window in units of 2^macMinBE slots"),
    _config(0x113, "macK", "uint8", 1, 255, 5, "", "mac_k", "busy slots for each narrowing over the fairness limit"),
    _config(0x114, "macMinCWAttempts", "uint8", 0, 255, 255, "", "mac_min_cw_attempts",
            "draws in a row from the smallest window"),
    _fixed(0x115, "macCenelecLegacyMode", "uint8", 1, "", "no effect on the emulated PHY"),
    _fixed(0x116, "macFCCLegacyMode", "uint8", 1, "", "no effect in CENELEC-A"),
    _config(0x11E, "macBroadcastMaxCWEnable", "bool", 0, 1, 0, "", "mac_broadcast_max_cw_enable",
            "1: broadcasts draw from the largest window"),
    _fixed(0x11F, "macTransmitAtten", "uint8", 0, "dB", "full level"),
    Attribute(POS_TABLE, "macPOSTable", "table", 0, _WORD, "empty", "R", "", "", "neighbours heard, by short address"),
    _config(0x121, "macPOSRecentEntryThreshold", "uint8", 0, 255, 120, "min", "mac_pos_recent_entry_threshold",
            "how recent is recent"),
    Attribute(POS_RECENT_ENTRIES, "macPOSRecentEntries", "uint16", 0, _WORD, 0, "R", "", "",
              "POS entries not older than the threshold"),
    _fixed(0x123, "macPLCDisable", "bool", 0, "", "the medium is the power line"),
    _fixed(0x124, "macPreambleLength", "uint8", PREAMBLE_US // 640 - 1, "symbols", "SYNCP symbols"),
)  # fmt: skip
"""In the order of their ids."""

_BY_IDENT = {attribute.ident: attribute for attribute in ATTRIBUTES}


class Pib:
    """The attributes of one station."""

    __slots__ = ("_config", "_kept", "_neighbours", "_pos")

    def __init__(self, config: MacConfig, kept: Kept, neighbours: NeighbourTable, pos: PosTable) -> None:
        self._config = config
        self._kept = kept
        self._neighbours = neighbours
        self._pos = pos
        check(config)

    def get(self, ident: int, index: int | None, now: int) -> Any:
        """The value, or row `index` of a table, or with None all its rows. UsageError: unknown attribute or row."""
        attribute = _find(ident)
        if attribute.type == "table":
            rows = self._rows(ident, now)
            if index is None:
                return rows
            if not 0 <= index < len(rows):
                raise UsageError(f"{attribute.name} has no row {index}")
            return rows[index]
        if index:
            raise UsageError(f"{attribute.name} is no table")
        if ident == POS_RECENT_ENTRIES:
            return len(self._pos.rows(now, self._config.mac_pos_recent_entry_threshold * MINUTE_US))
        if attribute.field == "counters":
            return self._kept.book()[ident - FIRST_COUNTER] & _LONG
        if hasattr(self._config, attribute.field):
            return getattr(self._config, attribute.field)
        return getattr(self._kept, attribute.field) if attribute.field else attribute.default

    def set(self, ident: int, value: Any, index: int) -> None:
        """Change a value. UsageError: unknown, read-only, out of range, or at odds with another attribute."""
        attribute = _find(ident)
        if attribute.access == "R":
            raise UsageError(f"{attribute.name} is read-only")
        if index:
            raise UsageError(f"{attribute.name} is no table")
        _check_range(attribute, value)
        if attribute.field == "counters":
            self._kept.book()[ident - FIRST_COUNTER] = value
        elif hasattr(self._config, attribute.field):
            config = self._config
            changed = {attribute.field: value}
            _check_together(
                changed.get("mac_min_be", config.mac_min_be),
                changed.get("mac_max_be", config.mac_max_be),
                changed.get("mac_csma_fairness_limit", config.mac_csma_fairness_limit),
            )
            setattr(config, attribute.field, value)
            if attribute.field == "mac_short_address":
                self._pos.entries.pop(value, None)  # nobody is his own neighbour
        else:
            setattr(self._kept, attribute.field, value)

    def _rows(self, ident: int, now: int) -> list[Any]:
        if ident == NEIGHBOUR_TABLE:
            return list(self._neighbours.rows(now))
        if ident == POS_TABLE:
            return list(self._pos.rows(now, self._config.mac_pos_table_entry_ttl * MINUTE_US))
        return []


def check(config: MacConfig) -> None:
    """UsageError: an attribute is out of its range, or at odds with another."""
    for attribute in ATTRIBUTES:
        if hasattr(config, attribute.field):
            _check_range(attribute, getattr(config, attribute.field))
    _check_together(config.mac_min_be, config.mac_max_be, config.mac_csma_fairness_limit)


def _find(ident: int) -> Attribute:
    attribute = _BY_IDENT.get(ident)
    if attribute is None:
        raise UsageError(f"the MAC PIB has no attribute {ident:#x}")
    return attribute


def _check_range(attribute: Attribute, value: Any) -> None:
    if not isinstance(value, int) or not attribute.low <= value <= attribute.high:
        raise UsageError(f"{attribute.name} {value!r} is not within {attribute.low}..{attribute.high}")


def _check_together(min_be: int, max_be: int, fairness_limit: int) -> None:
    if min_be > max_be:
        raise UsageError(f"macMinBE {min_be} is over macMaxBE {max_be}")
    if fairness_limit < 2 * (max_be - min_be):
        raise UsageError(f"macCSMAFairnessLimit {fairness_limit} is under 2 (macMaxBE - macMinBE)")


def as_markdown() -> str:
    """The table as a page of the documentation."""
    lines = [
        "# MAC PIB",
        "",
        "Attributes of `g3plc.mac`, read and set by id with `mlme_get` and `mlme_set`. Made by",
        "`g3plc.mac.pib.as_markdown()`; a test keeps it true.",
        "",
        "| id | attribute | type | range | default | access | unit | meaning |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for item in ATTRIBUTES:
        span = "" if item.type == "table" else f"{item.low}..{item.high}" if item.low != item.high else str(item.low)
        lines.append(
            f"| 0x{item.ident:02X} | {item.name} | {item.type} | {span} | {item.default} | {item.access} "
            f"| {item.unit} | {item.note} |"
        )
    return "\n".join(lines) + "\n"
