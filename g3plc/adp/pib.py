"""Get and set of the ADP PIB's attributes by number, as `pib_table` describes them.

Neighbours: `layer` (adpm_get, adpm_set), `config` and LOADng (`sap.RoutingService`), which hold the values.
"""

from __future__ import annotations

from typing import Any

from g3plc.adp.broadcast_log import BroadcastLog
from g3plc.adp.config import AdpConfig
from g3plc.adp.constants import GROUP_ADDRESSES
from g3plc.adp.pib_table import ADP, ATTRIBUTES, MINUTES, ROUTING, Attribute
from g3plc.core.errors import UsageError
from g3plc.sap import RoutingService
from g3plc.wire.iphc import Context

_LAST_GROUP_ADDRESS = 0x9FFF


class AdpPib:
    """The attributes of one station. `routing` is bound by the layer before use."""

    __slots__ = ("_config", "_destinations", "_log", "routing")

    def __init__(self, config: AdpConfig, log: BroadcastLog) -> None:
        self._config = config
        self._log = log
        self._destinations: dict[int, int] = {}
        self.routing: RoutingService

    def get(self, number: int, index: int) -> Any:
        """The value, a table's row with `index`. UsageError: unknown attribute or row."""
        attribute = _attribute(number)
        if attribute.place == ADP:
            return getattr(self._config, attribute.field)
        if attribute.place == ROUTING:
            return -(-self.routing.parameter(attribute.field) // attribute.scale)
        return self._row(attribute, index)

    def set(self, number: int, value: Any, index: int) -> None:
        """Set a value or, in a table, the row with `index`. UsageError: unknown, read-only or out of range."""
        attribute = _attribute(number)
        if not attribute.writable:
            raise UsageError(f"{attribute.name} is read-only")
        if attribute.place not in (ADP, ROUTING):
            self._set_row(attribute, value, index)
            return
        if not isinstance(value, int) or not attribute.low <= value <= attribute.high:
            raise UsageError(f"{attribute.name} is {attribute.low}..{attribute.high}")
        if attribute.place == ADP:
            setattr(self._config, attribute.field, value)
        else:
            self.routing.set_parameter(attribute.field, value * attribute.scale)

    def _row(self, attribute: Attribute, index: int) -> Any:
        rows = self._rows(attribute.field)
        if index not in rows:
            raise UsageError(f"{attribute.name} has no row {index}")
        return rows[index]

    def _rows(self, table: str) -> dict[int, Any]:
        if table in ("prefixes", "groups"):
            return dict(getattr(self._config, table))
        if table == "contexts":
            return {cid: (context.prefix, context.length) for cid, context in self._config.contexts.items()}
        if table == "destination_addresses":
            return dict(self._destinations)
        if table == "broadcast_log":
            return dict(enumerate(self._log.rows()))
        rows = self.routing.rows(table)
        return dict(enumerate((*row[:-1], -(-row[-1] // MINUTES)) for row in rows))

    def _set_row(self, attribute: Attribute, value: Any, index: int) -> None:
        if not attribute.low <= index <= attribute.high:
            raise UsageError(f"{attribute.name} has rows {attribute.low}..{attribute.high}")
        table: dict[int, Any] = self._destinations
        if attribute.field != "destination_addresses":
            table = getattr(self._config, attribute.field)
        if value is None:
            table.pop(index, None)
        else:
            table[index] = _checked(attribute, value)
        if table is self._destinations:
            self.routing.set_destination_addresses(list(table.values()))


def _attribute(number: int) -> Attribute:
    attribute = ATTRIBUTES.get(number)
    if attribute is None:
        raise UsageError(f"the ADP PIB has no attribute 0x{number:02X}")
    return attribute


def _checked(attribute: Attribute, value: Any) -> Any:
    """A row's value in the form in which it is kept. UsageError: not a value of this table."""
    if attribute.field == "contexts":
        if isinstance(value, tuple) and len(value) == 2:
            return Context(*value)
    elif attribute.field == "prefixes":
        if isinstance(value, bytes) and len(value) == 8:
            return value
    elif isinstance(value, int):
        low, high = (GROUP_ADDRESSES, _LAST_GROUP_ADDRESS) if attribute.field == "groups" else (0, 0x7FFF)
        if low <= value <= high:
            return value
    raise UsageError(f"{attribute.name}: {attribute.meaning}")
