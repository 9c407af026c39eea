"""What a scenario may set in its `[mac]` and `[adp]` tables: names and ranges.

Ranges are those of the PIBs; what no standard numbers has its own here. Times are microseconds. Neighbours: `scenario`
reads the tables, `g3plc.stack` puts the values into a station.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache

from g3plc.adp import pib_table
from g3plc.adp.config import AdpConfig
from g3plc.loadng.config import LoadngConfig
from g3plc.mac import pib
from g3plc.mac.config import MacConfig
from g3plc.stack import StationConfig

Range = tuple[int, int]

_ASSIGNED = ("mac_pan_id", "mac_short_address")
_DAY_US = 86_400_000_000
_TIME: Range = (0, _DAY_US)
_SIZE: Range = (1, 65_535)
_FLAG: Range = (0, 1)
_FLAGS = (
    "trickle_spares_neighbours", "rrep_high_priority", "rrep_second_chance", "answer_from_confirm", "local_repair",
    "blacklist_on_data", "rrep_ack", "rreq_clears_bidirectional",
)  # fmt: skip


@cache
def mac_ranges() -> dict[str, Range]:
    """The names of `[mac]` with their least and greatest values."""
    known = {attribute.field: (attribute.low, attribute.high) for attribute in pib.ATTRIBUTES if attribute.field}
    return {
        field.name: known.get(field.name) or _own_range(field.name, field.default)
        for field in fields(MacConfig)
        if field.name not in _ASSIGNED
    }


@cache
def adp_ranges() -> dict[str, Range]:
    """The names of `[adp]`, LOADng's included, with their least and greatest values."""
    known = {
        attribute.field: (attribute.low if attribute.scale == 1 else 0, attribute.high * attribute.scale)
        for attribute in pib_table.ATTRIBUTES.values()
        if attribute.place != pib_table.TABLE
    }
    return {
        field.name: known.get(field.name) or _own_range(field.name, field.default)
        for config in (AdpConfig, LoadngConfig)
        for field in fields(config)
        if field.type == "int"
    }


def check_together(profile: str, mac: dict[str, int], adp: dict[str, int]) -> None:
    """UsageError: values that are right one by one and at odds with one another."""
    pib.check(StationConfig(1, profile, mac, adp).mac)


def _own_range(name: str, default: object) -> Range:
    if name.endswith("_us"):
        return _TIME
    return _FLAG if name in _FLAGS else (min(_SIZE[0], default), _SIZE[1]) if isinstance(default, int) else _SIZE
