"""The ADP PIB: one table, by number, documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from g3plc import sap
from g3plc.adp.pib_table import ATTRIBUTES, render
from g3plc.core.errors import UsageError
from g3plc.sap import NO_ACK


@pytest.fixture
def adp(make_net):
    net = make_net("g3")
    net.add((5,))
    return net.stations[5].adp


def test_the_document_is_true():
    path = Path(__file__).parents[2] / "docs" / "adp-pib.md"
    assert path.read_text(encoding="utf-8") == render()


def test_a_fresh_station_has_the_defaults(adp):
    for attribute in ATTRIBUTES.values():
        if attribute.default is not None:
            assert adp.adpm_get(attribute.id) == attribute.default, attribute.name
        else:
            with pytest.raises(UsageError, match="no row 0"):
                adp.adpm_get(attribute.id)


def test_values_are_checked_and_kept(adp):
    for attribute in ATTRIBUTES.values():
        if attribute.default is None:
            continue
        if not attribute.writable:
            with pytest.raises(UsageError, match="read-only"):
                adp.adpm_set(attribute.id, attribute.default)
            continue
        for value in (attribute.low, attribute.high):
            adp.adpm_set(attribute.id, value)
            assert adp.adpm_get(attribute.id) == value
        for value in (attribute.low - 1, attribute.high + 1, "1", None):
            with pytest.raises(UsageError, match=attribute.name):
                adp.adpm_set(attribute.id, value)


def test_units(make_net):
    net = make_net("demo")
    net.add((5,))
    adp = net.stations[5].adp
    assert adp.adpm_get(0x06) == 1, "half a second, rounded up"
    assert adp.adpm_get(0x1F) == 1
    assert adp.adpm_get(0x12) == 360


@pytest.mark.parametrize("number", [0x2C, 0x37, 0xFF, 0x100, -1])
def test_unknown_attributes(adp, number):
    with pytest.raises(UsageError, match="no attribute"):
        adp.adpm_get(number)
    with pytest.raises(UsageError, match="no attribute"):
        adp.adpm_set(number, 0)


@pytest.mark.parametrize(
    ("number", "row", "value", "bad"),
    [
        (0x01, 3, bytes(range(8)), bytes(7)),
        (0x07, 15, (bytes(range(8)) + bytes(8), 64), (bytes(16), 0)),
        (0x0E, 0, 0x8005, 0xA000),
        (0x23, 9, 77, 0x8000),
    ],
)
def test_rows(adp, number, row, value, bad):
    adp.adpm_set(number, value, row)
    assert adp.adpm_get(number, row) == value
    for wrong, index in ((bad, row), (value, 16), (value, -1), ("text", row)):
        with pytest.raises(UsageError):
            adp.adpm_set(number, wrong, index)
    adp.adpm_set(number, None, row)
    with pytest.raises(UsageError):
        adp.adpm_get(number, row)


def test_tables_that_routing_fills(make_net):
    net = make_net("demo")
    a, *_ = net.line(3)
    a.send(2)
    net.run(5)
    assert a.adp.adpm_get(0x0C, 0) == (1, 1, 14, 1, 0, 360)
    assert a.adp.adpm_get(0x0C, 1) == (2, 1, 28, 2, 0, 360)
    with pytest.raises(UsageError):
        a.adp.adpm_get(0x0C, 2)
    with pytest.raises(UsageError, match="read-only"):
        a.adp.adpm_set(0x0C, None, 0)


def test_a_station_answers_for_its_destination_address_set(make_net):
    net = make_net("demo")
    a, b = net.line(2)
    b.adp.adpm_set(0x23, 77)
    a.discover(77)
    net.run(5)
    assert a.routes_found == [(77, sap.SUCCESS)]
    assert a.adp.route(77).next_hop == 1


def test_without_default_routing_nothing_is_searched_for_data(make_net):
    net = make_net("demo")
    a, _ = net.line(2)
    a.adp.adpm_set(0xF0, 1)
    handle = a.send(1)
    net.run(1)
    assert a.confirms == {handle: sap.ROUTE_ERROR}
    a.discover(1)
    net.run(5)
    assert a.adp.route(1) is not None


def test_a_changed_parameter_takes_effect(make_net):
    net = make_net("g3")
    a, _ = net.line(2)
    a.adp.adpm_set(0x18, 2)
    a.adp.adpm_set(0x11, 1)
    a.adp.adpm_set(0x19, 1)
    a.discover(9)
    net.run(5.9)
    assert a.routes_found == []
    net.run(0.2)
    assert a.routes_found == [(9, sap.ROUTE_ERROR)]
    a.adp.adpm_set(0x0D, 0)
    a.mac.statuses = [NO_ACK]
    a.discover(1)
    net.run(3)
    assert a.adp.adpm_get(0x0D) == 0
