"""The COSEM objects of a meter's management logical device, and their logical names (IEC 62056-6-1, -6-2).

Neighbours: `g3plc.cosem.interface_classes` for the classes, `supply` for the quantities, `meter` for the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from g3plc.cosem import interface_classes as ic
from g3plc.cosem.objects import LogicalDevice
from g3plc.wire.axdr import DOUBLE_LONG_UNSIGNED, LONG_UNSIGNED, OCTET_STRING, Data
from nodes.supply import Supply

OBIS_SERIAL: Final = bytes((0, 0, 96, 1, 0, 255))
OBIS_ENERGY: Final = bytes((1, 0, 1, 8, 0, 255))
OBIS_POWER: Final = bytes((1, 0, 1, 7, 0, 255))
OBIS_VOLTAGE: Final = bytes((1, 0, 32, 7, 0, 255))
OBIS_CURRENT: Final = bytes((1, 0, 31, 7, 0, 255))

UNIT_W, UNIT_WH, UNIT_A, UNIT_V = 27, 30, 33, 35
VOLTAGE_SCALER: Final = -1
CURRENT_SCALER: Final = -2


def management_device(
    sap: int,
    name: bytes,
    serial: bytes,
    supply: Supply,
    local_us: Callable[[], int],
    set_local_us: Callable[[int], None],
    deviation_min: int,
) -> LogicalDevice:
    """Return the logical device at server wrapper port `sap`.

    `local_us` and `set_local_us` read and correct the device's clock (microseconds since 1970, local time). The energy
    stands there as Register and, for clients that ask so, as Data.
    """

    def energy() -> Data:
        return Data(DOUBLE_LONG_UNSIGNED, supply.energy_wh)

    def power() -> Data:
        return Data(DOUBLE_LONG_UNSIGNED, supply.power_w)

    def voltage() -> Data:
        return Data(LONG_UNSIGNED, supply.voltage)

    def current() -> Data:
        return Data(LONG_UNSIGNED, min(supply.current, 0xFFFF))

    def connected() -> bool:
        return supply.connected

    return LogicalDevice(
        name,
        [
            ic.sap_assignment({sap: name}),
            ic.association_ln(),
            ic.data(ic.OBIS_DEVICE_NAME, lambda: Data(OCTET_STRING, name)),
            ic.clock(local_us, set_local_us, deviation_min),
            ic.data(OBIS_SERIAL, lambda: Data(OCTET_STRING, serial)),
            ic.register(OBIS_ENERGY, energy, 0, UNIT_WH),
            ic.data(OBIS_ENERGY, energy),
            ic.register(OBIS_POWER, power, 0, UNIT_W),
            ic.register(OBIS_VOLTAGE, voltage, VOLTAGE_SCALER, UNIT_V),
            ic.register(OBIS_CURRENT, current, CURRENT_SCALER, UNIT_A),
            ic.disconnect_control(connected, supply.switch),
        ],
    )
