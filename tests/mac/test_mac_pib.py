"""The PIB by id, what is kept over a reboot, profiles, and the page of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from g3plc import sap
from g3plc.core.errors import UsageError
from g3plc.mac.pib import ATTRIBUTES, as_markdown
from g3plc.wire.mac_frame import decode

DOCUMENT = Path(__file__).parents[2] / "docs" / "mac-pib.md"
SCALARS = [item for item in ATTRIBUTES if item.type != "table"]


def test_the_document_is_the_table():
    assert DOCUMENT.read_text(encoding="utf-8") == as_markdown()


def test_ids_and_defaults(wire):
    idents = [item.ident for item in ATTRIBUTES]
    assert idents == sorted(set(idents))
    a = wire.station(1, mac_pan_id=0xFFFF, mac_short_address=0xFFFF)
    for item in SCALARS:
        value = a.mac.mlme_get(item.ident)
        assert item.low <= value <= item.high
        assert value == item.default or item.default == "random", item.name
    wanted = {0x40: 26_235, 0x47: 8, 0x4E: 50, 0x4F: 3, 0x50: 0xFFFF, 0x53: 0xFFFF, 0x59: 5, 0x78: 3, 0x100: 7}
    wanted |= {0x10C: 25, 0x10D: 10, 0x10E: 255, 0x10F: 0xFFFF, 0x111: 12, 0x112: 8, 0x113: 5, 0x114: 255}
    wanted |= {0x11E: 0, 0x11F: 0, 0x121: 120, 0x123: 0, 0x124: 8, 0x77: 0, 0x5C: 1}
    assert {ident: a.mac.mlme_get(ident) for ident in wanted} == wanted


# the only ones whose bounds are bounded by one another
FREE = [item for item in SCALARS if item.ident not in (0x47, 0x4F, 0x10C)]


@pytest.mark.parametrize("item", FREE, ids=lambda item: item.name)
def test_set_and_get(wire, item):
    a = wire.station(1)
    if item.access == "R":
        with pytest.raises(UsageError):
            a.mac.mlme_set(item.ident, a.mac.mlme_get(item.ident))
        return
    for value in (item.low, item.high):
        a.mac.mlme_set(item.ident, value)
        assert a.mac.mlme_get(item.ident) == value
    for bad in (item.low - 1, item.high + 1, "1", None, 1.0):
        with pytest.raises(UsageError):
            a.mac.mlme_set(item.ident, bad)
    assert a.mac.mlme_get(item.ident) == item.high


def test_attributes_that_bound_one_another(wire):
    a = wire.station(1)
    for ident, value in ((0x4F, 9), (0x47, 2), (0x10C, 9), (0x47, 16)):
        with pytest.raises(UsageError):
            a.mac.mlme_set(ident, value)
    a.mac.mlme_set(0x10C, 34)
    a.mac.mlme_set(0x47, 20)
    assert a.mac.mlme_get(0x47) == 20


@pytest.mark.parametrize("ident", [0, 0x41, 0x99, 0x200, -1])
def test_unknown_attributes(wire, ident):
    a = wire.station(1)
    with pytest.raises(UsageError):
        a.mac.mlme_get(ident)
    with pytest.raises(UsageError):
        a.mac.mlme_set(ident, 1)


@pytest.mark.parametrize("ident", [0x71, 0x73, 0x10A, 0x120])
def test_empty_tables(wire, ident):
    a = wire.station(1)
    for index in (0, 1, -1):
        with pytest.raises(UsageError):
            a.mac.mlme_get(ident, index)
    with pytest.raises(UsageError):
        a.mac.mlme_set(ident, 1)


def test_scalars_have_no_rows(wire):
    a = wire.station(1)
    with pytest.raises(UsageError):
        a.mac.mlme_get(0x47, 1)
    with pytest.raises(UsageError):
        a.mac.mlme_set(0x47, 5, 1)


def test_settings_act(wire):
    a = wire.station(1)
    a.mac.mlme_set(0x59, 0)
    a.send(2)
    wire.run()
    assert len(wire.frames()) == 1
    a.mac.mlme_set(0x53, 9)
    a.mac.mlme_set(0x50, 0x4321)
    a.send(sap.BROADCAST)
    wire.run()
    frame = decode(wire.frames()[-1].psdu)
    assert (frame.src, frame.src_pan) == (9, 0x4321)


def test_stations_do_not_share_their_settings(wire):
    a, b = wire.station(1), wire.station(2)
    a.mac.mlme_set(0x59, 1)
    assert b.mac.mlme_get(0x59) == 5


def test_bad_values(wire):
    with pytest.raises(UsageError):
        wire.station(1, mac_short_address=0x10000)
    with pytest.raises(UsageError):
        wire.station(1, mac_min_be=9)


def test_what_is_kept(wire):
    a = wire.station(1)
    wire.station(2)
    a.mac.mlme_set(0x77, 1234)
    for _ in range(3):
        a.send(2)
        wire.run()
    kept = a.mac.keep()
    assert kept["counters"]["macTxDataPacketCount"] == 3
    b = wire.station(1, kept=kept)
    assert b.mac.keep() == kept
    assert b.mac.mlme_get(0x101) == 3
    assert b.mac.mlme_get(0x77) == 1234
    before = decode(wire.frames(1)[-1].psdu).dsn
    b.send(sap.BROADCAST)
    wire.run()
    assert decode(wire.frames(1)[-1].psdu).dsn == (before + 1) & 0xFF


def test_sequence_numbers_start_at_random_and_count_modulo_256(wire):
    a = wire.station(1)
    a.dice.asked.clear()
    assert a.mac.mlme_get(0x4C) == 0
    a.mac.mlme_set(0x4C, 254)
    for _ in range(3):
        a.send(sap.BROADCAST)
        wire.run()
    assert [decode(one.psdu).dsn for one in wire.frames()] == [255, 0, 1]


def test_counters_wrap_at_32_bits(wire):
    a = wire.station(1)
    a.mac.mlme_set(0x101, 0xFFFFFFFF)
    a.send(sap.BROADCAST)
    wire.run()
    assert a.mac.mlme_get(0x101) == 0
