"""The application of a meter: a COSEM server over a `CosemPort`, the quantities behind it, and the voltage alarm.

Built by a factory when the station is switched on and dropped when it is off; `keep` hands what survives to the next
life. Neighbours: `g3plc.cosem.server`, `supply`, `meter_objects`, `voltage_watch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from g3plc import events
from g3plc.core.errors import UsageError
from g3plc.cosem.config import WPORT_MANAGEMENT_CLIENT, WPORT_MANAGEMENT_DEVICE, ServerConfig
from g3plc.cosem.date_time import encode_date_time
from g3plc.cosem.interface_classes import CLOCK_END_US, REGISTER
from g3plc.cosem.server import NO_SESSION, Server
from g3plc.sap import CosemPort
from g3plc.wire.axdr import LONG_UNSIGNED, Data
from g3plc.wire.xdlms import EventNotification
from nodes.meter_objects import OBIS_VOLTAGE, management_device
from nodes.supply import Supply
from nodes.voltage_watch import VoltageWatch

COORDINATOR: Final = 0
_SECOND_US: Final = 1_000_000
_VALUE: Final = 2
_MAX_KEPT_SESSIONS: Final = 16


@dataclass(slots=True)
class MeterConfig:
    """What makes one meter different from the others."""

    number: int
    """Station number, 1 and more."""
    epoch_s: int
    """UNIX seconds, UTC, of emulated time 0."""
    seed: int = 0
    """Seed of the run: household, age and voltage are drawn from (seed, number)."""
    serial: str = ""
    """Twelve or thirteen digits; empty: made from the number."""
    flag_id: str = "GGW"
    """Three letters of the manufacturer, at the beginning of the logical device name."""
    phase: int = 1
    """Mains phase 1, 2 or 3."""
    nominal_voltage: int = 2300
    """0.1 V."""
    voltage_threshold: int = 2070
    """0.1 V: under this the coordinator is told."""
    voltage_hysteresis: int = 30
    """0.1 V: a dip is over at threshold plus this."""
    utc_offset_min: int = 0
    """Local time minus UTC, minutes, -720..720."""
    event_client_wport: int = WPORT_MANAGEMENT_CLIENT
    """Client wrapper port that notifications go to."""
    server: ServerConfig = field(default_factory=ServerConfig)


class Meter:
    """A `CosemUser`. `kept` is what `keep` of an earlier life returned, or None for a meter that starts afresh."""

    __slots__ = ("_config", "_left_open", "_offset_us", "_port", "_server", "_supply", "_watch")

    def __init__(self, port: CosemPort, config: MeterConfig, kept: Mapping[str, Any] | None = None) -> None:
        serial = (config.serial or f"{config.number:012d}").encode("ascii", "replace")
        name = config.flag_id.encode("ascii", "replace") + serial
        if len(config.flag_id) != 3 or len(name) > 16:
            raise UsageError("a logical device name is three letters and at most thirteen digits")
        self._port = port
        self._config = config
        origin_us = (config.epoch_s + config.utc_offset_min * 60) * _SECOND_US
        self._supply = Supply(
            port.env.clock, origin_us, config.seed, config.number, config.phase, config.nominal_voltage
        )
        self._offset_us = 0
        self._left_open: list[list[int]] = []
        if kept is not None:
            self._restore(kept)
        device = management_device(
            WPORT_MANAGEMENT_DEVICE,
            name,
            serial,
            self._supply,
            self._local_us,
            self._set_local_us,
            -config.utc_offset_min,
        )
        self._server = Server(port.env, {WPORT_MANAGEMENT_DEVICE: device}, config.server)
        self._watch = VoltageWatch(
            port,
            COORDINATOR,
            WPORT_MANAGEMENT_DEVICE,
            config.event_client_wport,
            config.voltage_threshold,
            config.voltage_hysteresis,
            self._notification,
        )

    # --- CosemUser

    def start(self) -> None:
        """The station is up: associations of the life before are gone."""
        for peer, _client, _server in self._left_open:
            self._port.env.note(events.SessionAborted, peer, NO_SESSION, "reboot")
        self._left_open = []

    def received(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes, flow: int) -> None:
        """Answer an APDU of a client."""
        for answer in self._server.handle(peer, src_wport, dst_wport, apdu):
            self._port.send(peer, dst_wport, src_wport, answer)

    def sent(self, handle: int, status: int) -> None:
        """Only notifications are followed up; a client repeats what it gets no answer to."""
        self._watch.sent(handle, status)

    def discovered(self, peer: int, status: int) -> None:
        """A meter asks for no discovery of its own."""

    def path_traced(self, peer: int, status: int, hops: list[tuple[int, int]]) -> None:
        """A meter traces no path."""

    def route_lost(self, peer: int, reason: str) -> None:
        """Perhaps a notification was under way."""
        self._watch.route_lost(peer)

    # --- hooks of the emulation

    def voltage(self, volts: int | None) -> None:
        """A fault of the emulation holds the supply voltage at whole `volts`, or (None) lets it go."""
        self.voltage_sag(None if volts is None else volts * 10)

    def voltage_sag(self, volts_tenths: int | None) -> None:
        """Hold the mains voltage at this many 0.1 V, or (None) let it go back to its own course."""
        self._supply.set_sag(volts_tenths)
        self._watch.look(self._supply.voltage)

    @property
    def supply(self) -> Supply:
        """The quantities, for whoever draws or checks them."""
        return self._supply

    def keep(self) -> dict[str, Any]:
        """State for the next life: register, breaker, clock correction, open associations. Integers and lists only."""
        kept: dict[str, Any] = dict(self._supply.keep())
        kept["clock_offset_us"] = self._offset_us
        kept["associations"] = [list(key) for key in self._server.open_associations()]
        return kept

    # --- parts

    def _restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what makes sense; it may come from a file or a broker."""
        self._supply.restore(kept)
        offset = kept.get("clock_offset_us")
        if isinstance(offset, int) and 0 <= self._supply.civil_us + offset < CLOCK_END_US:
            self._offset_us = offset
        left = kept.get("associations")
        if isinstance(left, list):
            self._left_open = [key for key in left[:_MAX_KEPT_SESSIONS] if _is_key(key)]

    def _local_us(self) -> int:
        return self._supply.civil_us + self._offset_us

    def _set_local_us(self, local_us: int) -> None:
        self._offset_us = local_us - self._supply.civil_us

    def _notification(self, voltage: int) -> bytes:
        time = encode_date_time(self._local_us(), -self._config.utc_offset_min)
        return EventNotification(time, REGISTER, OBIS_VOLTAGE, _VALUE, Data(LONG_UNSIGNED, voltage)).encode()


def _is_key(key: object) -> bool:
    return (
        isinstance(key, list) and len(key) == 3 and all(isinstance(part, int) and 0 <= part <= 0xFFFF for part in key)
    )
