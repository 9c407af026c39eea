from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g3plc import events
from g3plc.core.errors import UsageError
from g3plc.cosem.date_time import encode_date_time
from g3plc.sap import NO_ACK
from g3plc.wire import apdu
from g3plc.wire.acse import Aarq, Rlrq
from g3plc.wire.axdr import (
    ARRAY,
    BOOLEAN,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    INTEGER,
    LONG,
    LONG_UNSIGNED,
    OCTET_STRING,
    STRUCTURE,
    UNSIGNED,
    Data,
)
from g3plc.wire.xdlms import ActionRequestNormal, GetRequestNormal, SetRequestNormal
from g3plc.wire.xdlms_initiate import InitiateRequest

AARQ = Aarq(InitiateRequest().encode()).encode()
ENERGY = bytes((1, 0, 1, 8, 0, 255))
POWER = bytes((1, 0, 1, 7, 0, 255))
VOLTAGE = bytes((1, 0, 32, 7, 0, 255))
CURRENT = bytes((1, 0, 31, 7, 0, 255))
CLOCK = bytes((0, 0, 1, 0, 0, 255))
BREAKER = bytes((0, 0, 96, 3, 10, 255))
SERIAL = bytes((0, 0, 96, 1, 0, 255))
NAME = bytes((0, 0, 42, 0, 0, 255))
SAPS = bytes((0, 0, 41, 0, 0, 255))
ASSOCIATION = bytes((0, 0, 40, 0, 0, 255))

HOUR_US = 3_600_000_000
SECOND = 1_000_000
EPOCH_US = 1_768_521_600_000_000
START_US = 9_876_543_210_987


def opened(bench, **options):
    world = bench(**options)
    assert world.ask(AARQ)[0] == 0x61
    return world


def get(world, class_id, name, attribute=2):
    response = apdu.decode(world.ask(GetRequestNormal(0xC1, class_id, name, attribute).encode()))
    return response.data if response.data is not None else response.result


def put(world, class_id, name, attribute, value):
    request = SetRequestNormal(0xC1, class_id, name, attribute, None, value)
    return apdu.decode(world.ask(request.encode())).result


def act(world, class_id, name, method, parameters=None):
    return apdu.decode(world.ask(ActionRequestNormal(0xC1, class_id, name, method, parameters).encode())).result


def test_the_papers_requests(bench):
    world = opened(bench)
    as_data = world.ask(bytes.fromhex("C0010000010100010800FF0200"))
    as_register = world.ask(bytes.fromhex("C0010000030100010800FF0200"))
    assert as_data == as_register
    assert as_data[:5] == bytes.fromhex("C401000006")
    assert int.from_bytes(as_data[5:], "big") == world.meter.supply.energy_wh


def test_objects(bench):
    world = opened(bench, number=17)
    name = b"GGW000000000017"
    assert get(world, 1, NAME) == Data(OCTET_STRING, name)
    assert get(world, 1, SERIAL) == Data(OCTET_STRING, b"000000000017")
    row = Data(STRUCTURE, (Data(LONG_UNSIGNED, 1), Data(OCTET_STRING, name)))
    assert get(world, 17, SAPS) == Data(ARRAY, (row,))
    assert get(world, 3, ENERGY, 3) == Data(STRUCTURE, (Data(INTEGER, 0), Data(ENUM, 30)))
    assert get(world, 3, VOLTAGE, 3) == Data(STRUCTURE, (Data(INTEGER, -1), Data(ENUM, 35)))
    power, volts, amps = (get(world, 3, obis) for obis in (POWER, VOLTAGE, CURRENT))
    assert (power.tag, volts.tag, amps.tag) == (DOUBLE_LONG_UNSIGNED, LONG_UNSIGNED, LONG_UNSIGNED)
    assert 2150 < volts.value < 2350
    assert amps.value == power.value * 1000 // volts.value
    listed = get(world, 15, ASSOCIATION)
    assert len(listed.value) == 11
    for entry in listed.value:
        class_id, version, obis, rights = (part.value for part in entry.value)
        assert version == (1 if class_id == 15 else 0)
        for right in rights[0].value:
            number, mode, _ = (part.value for part in right.value)
            if mode & 1:
                assert isinstance(get(world, class_id, obis, number), Data)
    assert get(world, 15, ASSOCIATION, 3) == Data(STRUCTURE, (Data(INTEGER, 16), Data(LONG_UNSIGNED, 1)))


def test_register_rises_through_the_night_and_is_read_only(bench):
    world = opened(bench)
    readings = [get(world, 3, ENERGY).value]
    for _ in range(8):
        world.clock.run_until(world.clock.now + HOUR_US)
        world.ask(AARQ)
        readings.append(get(world, 3, ENERGY).value)
    assert readings == sorted(set(readings))
    assert readings[-1] - readings[0] < 20_000
    assert put(world, 3, ENERGY, 2, Data(DOUBLE_LONG_UNSIGNED, 0)) == 3
    assert act(world, 3, ENERGY, 1, Data(INTEGER, 0)) == 4


def test_clock_tells_civil_time_and_can_be_set(bench):
    world = opened(bench)
    now = EPOCH_US + START_US
    assert get(world, 8, CLOCK) == Data(OCTET_STRING, encode_date_time(now))
    later = now + 90 * SECOND
    assert put(world, 8, CLOCK, 2, Data(OCTET_STRING, encode_date_time(later - later % SECOND))) == 0
    world.clock.run_until(world.clock.now + 10 * SECOND)
    assert get(world, 8, CLOCK).value == encode_date_time(later - later % SECOND + 10 * SECOND)
    assert act(world, 8, CLOCK, 6, Data(LONG, -60)) == 0
    assert get(world, 8, CLOCK).value == encode_date_time(later - later % SECOND - 50 * SECOND)
    assert put(world, 8, CLOCK, 2, Data(OCTET_STRING, bytes(12))) == 250
    assert put(world, 8, CLOCK, 2, Data(OCTET_STRING, encode_date_time(EPOCH_US + 10**18 // 25)[:11])) == 250
    assert put(world, 8, CLOCK, 2, Data(OCTET_STRING, bytes.fromhex("270F0C1F FF173B3B00800000"))) == 250
    assert put(world, 8, CLOCK, 2, Data(UNSIGNED, 1)) == 12
    assert act(world, 8, CLOCK, 6, Data(LONG, 901)) == 250
    assert put(world, 8, CLOCK, 3, Data(LONG, 0)) == 3


def test_local_time(bench):
    world = opened(bench, utc_offset_min=60)
    assert get(world, 8, CLOCK).value == encode_date_time(EPOCH_US + START_US + HOUR_US, -60)
    assert get(world, 8, CLOCK, 3) == Data(LONG, -60)


def test_cut_off_meter_stops_counting(bench):
    world = opened(bench)
    assert get(world, 70, BREAKER) == Data(BOOLEAN, True)
    assert act(world, 70, BREAKER, 1, Data(INTEGER, 0)) == 0
    before = world.meter.supply.energy_pj
    world.clock.run_until(world.clock.now + 5 * HOUR_US)
    world.ask(AARQ)
    assert world.meter.supply.energy_pj == before
    assert (get(world, 70, BREAKER), get(world, 70, BREAKER, 3)) == (Data(BOOLEAN, False), Data(ENUM, 0))
    assert (get(world, 3, POWER).value, get(world, 3, CURRENT).value) == (0, 0)
    assert get(world, 3, VOLTAGE).value > 2100
    assert act(world, 70, BREAKER, 2) == 0
    assert world.meter.supply.energy_pj == before
    world.clock.run_until(world.clock.now + HOUR_US)
    world.ask(AARQ)
    assert world.meter.supply.energy_pj > before
    assert get(world, 70, BREAKER, 3) == Data(ENUM, 1)
    assert act(world, 70, BREAKER, 1, Data(UNSIGNED, 0)) == 12


def test_reboot_keeps_register_breaker_and_clock(bench):
    world = opened(bench)
    act(world, 70, BREAKER, 1)
    act(world, 8, CLOCK, 6, Data(LONG, 300))
    kept = world.meter.keep()
    energy = world.meter.supply.energy_pj
    world.life.stop()
    world.clock.run_until(world.clock.now + HOUR_US)
    assert world.port.trace == [events.SessionOpen(START_US, 17, 0, 0)]
    again = bench(kept=kept, clock=world.clock)
    (aborted,) = again.port.trace
    assert (aborted.node, aborted.peer, aborted.reason) == (17, 0, "reboot")
    assert again.ask(GetRequestNormal(0xC1, 3, ENERGY, 2).encode()) == bytes.fromhex("D80101")
    again.ask(AARQ)
    assert (again.meter.supply.energy_pj, get(again, 70, BREAKER)) == (energy, Data(BOOLEAN, False))
    assert get(again, 8, CLOCK).value == encode_date_time(EPOCH_US + world.clock.now + 300 * SECOND)


def test_register_stands_still_while_the_meter_is_off(bench):
    world = bench()
    kept = world.meter.keep()
    world.clock.run_until(world.clock.now + HOUR_US)
    again = bench(kept=kept, clock=world.clock)
    assert again.meter.supply.energy_pj == kept["energy_pj"]


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"energy_pj": -1, "connected": 7, "clock_offset_us": 10**30, "associations": 5},
        {
            "energy_pj": "12",
            "connected": [],
            "clock_offset_us": None,
            "associations": [[1], ["a", 1, 2], [-1, 2, 3], 4],
        },
        {"energy_pj": 10**40, "clock_offset_us": -(10**17), "associations": {}},
    ],
)
def test_kept_nonsense_is_ignored(bench, kept):
    world, fresh = opened(bench, kept=kept), opened(bench)
    assert world.meter.keep() == fresh.meter.keep()
    assert get(world, 8, CLOCK) == get(fresh, 8, CLOCK)


def test_name_out_of_range(bench):
    for bad in ({"flag_id": "GG"}, {"serial": "12345678901234"}):
        with pytest.raises(UsageError):
            bench(**bad)


# --- voltage


def notifications(world):
    return [(t, apdu.decode(octets)) for t, peer, src, dst, octets in world.port.sends if octets[0] == 0xC2]


def test_dip_is_told_once_to_the_coordinator(bench):
    world = bench()
    world.meter.voltage_sag(2069)
    world.meter.voltage_sag(1900)
    world.meter.voltage_sag(2080)  # above the threshold, within the hysteresis
    world.meter.voltage_sag(1990)
    world.clock.run()
    ((t, message),) = notifications(world)
    assert world.port.sends[0][1:4] == (0, 1, 1)
    assert (message.class_id, message.instance_id, message.attribute_id) == (3, VOLTAGE, 2)
    assert (t, message.value, message.time) == (START_US, Data(LONG_UNSIGNED, 2069), encode_date_time(EPOCH_US + t))
    world.meter.voltage(None)
    world.meter.voltage(200)
    assert [message.value.value for _, message in notifications(world)] == [2069, 2000]


def test_voltage_at_the_threshold_is_no_dip(bench):
    world = bench()
    world.meter.voltage_sag(2070)
    world.ask(AARQ)
    assert get(world, 3, VOLTAGE) == Data(LONG_UNSIGNED, 2070)
    assert notifications(world) == []


def test_undelivered_notification_is_repeated_and_bounded(bench):
    world = bench()
    world.port.status = NO_ACK
    world.meter.voltage_sag(1950)
    world.meter.voltage_sag(None)
    world.clock.run()
    told = notifications(world)
    assert [(t - START_US) // SECOND for t, _ in told] == [0, 6, 17, 38, 79, 160]
    assert len({octets for *_, octets in world.port.sends}) == 1


def test_notification_that_gets_through_is_not_repeated(bench):
    world = bench()
    world.port.status = NO_ACK
    world.meter.voltage_sag(1950)
    world.clock.run_until(START_US + 3 * SECOND)
    world.port.status = 0
    world.clock.run()
    assert len(notifications(world)) == 2


def test_port_that_says_nothing(bench):
    world = bench()
    world.port.status = None
    world.meter.voltage_sag(1950)
    world.clock.run()
    assert len(notifications(world)) == 6


def test_lost_route_after_departure_sends_it_once_more(bench):
    world = bench()
    world.meter.voltage_sag(1950)
    world.meter.route_lost(0, "rerr")  # not departed yet: its own confirm decides
    world.clock.run_until(START_US + 2 * SECOND)
    world.meter.route_lost(5, "rerr")
    assert len(notifications(world)) == 1
    world.meter.route_lost(0, "rerr")
    assert len(notifications(world)) == 2
    world.clock.run_until(START_US + 30 * SECOND)
    world.meter.route_lost(0, "rerr")
    world.clock.run()
    assert len(notifications(world)) == 2


def test_meter_that_is_off_says_nothing_more(bench):
    world = bench()
    world.port.status = NO_ACK
    world.meter.voltage_sag(1950)
    world.clock.run_until(START_US + 2 * SECOND)
    world.life.stop()
    world.clock.run()
    assert len(notifications(world)) == 1


SEEDS = [
    AARQ,
    Rlrq().encode(),
    GetRequestNormal(0xC1, 8, CLOCK, 2).encode(),
    SetRequestNormal(0xC1, 8, CLOCK, 2, None, Data(OCTET_STRING, encode_date_time(EPOCH_US))).encode(),
    ActionRequestNormal(0xC1, 8, CLOCK, 6, Data(LONG, 5)).encode(),
    ActionRequestNormal(0xC1, 70, BREAKER, 1, Data(INTEGER, 0)).encode(),
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_total_over_any_octets(bench, data):
    world = opened(bench)
    for _ in range(data.draw(st.integers(1, 5))):
        octets = bytearray(data.draw(st.one_of(st.sampled_from(SEEDS), st.binary(max_size=40))))
        for _ in range(data.draw(st.integers(0, 3))):
            if octets:
                octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        answer = world.ask(bytes(octets))
        if answer is not None:
            apdu.decode(answer)
    world.ask(AARQ)
    assert isinstance(get(world, 8, CLOCK), Data)
