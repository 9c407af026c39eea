"""Every error of a scenario names file, line, key, what was wrong, and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from emulation.scenario import ScenarioError, load

Refusal = Callable[[str], str]

READ = '[[job]]\nat = 1\ndo = "read"\nstation = 3\n'
FAULT = "[[fault]]\nat = 1\n"

# text, line, key as it is named, what must be in the reason
TABLE = [
    ('titel = "x"', 1, "titel", ("unknown key", "title", "feeder", "job", "fault")),
    ('"a\\nb" = 1', 1, "'a\\nb'", ("unknown key",)),
    ('[mac]\nx = "loud"', 2, "mac.x", ("unknown key",)),
    ("title = 5", 1, "title", ("5", "no text")),
    ('feeder = "bord"', 1, "feeder", ("bord", "board", "row4", "meters500")),
    ("feeder = 3", 1, "feeder", ("3", "no text", "allowed: a text in quotes")),
    ("profile = 3", 1, "profile", ("3", "g3", "metering", "demo", "draft15")),
    ('\n\nprofile = "demi"', 3, "profile", ("'demi'", "g3", "metering", "demo", "draft15")),
    ("seed = -1", 1, "seed", ("-1", "0 to 9223372036854775807")),
    ("seed = 9223372036854775808", 1, "seed", ("0 to",)),
    ("seed = true", 1, "seed", ("True", "whole numbers")),
    ("seed = 1.5", 1, "seed", ("1.5", "whole numbers")),
    ("start = 2026-11-23", 1, "start", ("time zone",)),
    ("start = 2026-11-23T01:00:00", 1, "start", ("time zone", "2026-11-23T01:00:00Z")),
    ("start = 2026-11-23T01:00:00.5Z", 1, "start", ("whole second",)),
    ("start = 9999-12-31T23:59:59Z", 1, "start", ("9999", "1971 to 2199")),
    ("start = 1926-01-01T00:00:00Z", 1, "start", ("1926", "1971 to 2199")),
    ("speed = -1", 1, "speed", ("-1", "0 to 100000000")),
    ("limit = 0.0000001", 1, "limit", ("six decimals",)),
    ("limit = inf", 1, "limit", ("Infinity", "six decimals")),
    ("limit = nan", 1, "limit", ("NaN",)),
    ("limit = 1e9", 1, "limit", ("0 to 100000000",)),
    ('limit = "60"', 1, "limit", ("'60'", "0 to 100000000")),
    ("channel = 5", 1, "channel", ("expected a table [channel]",)),
    ("[channel]\nnois_cb = 3", 2, "channel.nois_cb", ("unknown key", "noise_cb")),
    ("[channel]\nshadow_cb = 1\nnoise_cb = 99999", 3, "channel.noise_cb", ("99999", "0..14000")),
    ('[channel]\nnoise_cb = "loud"', 2, "channel.noise_cb", ("no whole number",)),
    ("[mac]\nmac_max_be = 5\nmac_maxbe = 5", 3, "mac.mac_maxbe", ("unknown key", "mac_max_be")),
    ("[mac]\nmac_max_be = 99", 2, "mac.mac_max_be", ("99", "0 to 20")),
    ("[mac]\nmac_pan_id = 1", 2, "mac.mac_pan_id", ("unknown key", "mac_max_be")),
    ("[mac]\nqueue_frames = 0", 2, "mac.queue_frames", ("0", "1 to 65535")),
    ("[mac]\nmac_min_be = 7\nmac_max_be = 5", 1, "mac", ("macMinBE 7", "macMaxBE 5")),
    ("[adp]\nmax_hops = 0", 2, "adp.max_hops", ("0", "1 to 14")),
    ("[adp]\nmax_hops = 2.5", 2, "adp.max_hops", ("no whole number",)),
    ("[adp]\nrouting_table_size = 0", 2, "adp.routing_table_size", ("1 to 65535",)),
    ("[adp]\nprefixes = 1", 2, "adp.prefixes", ("unknown key",)),
    ("[adp]\nlocal_repair = 2", 2, "adp.local_repair", ("0 to 1",)),
    ("collection = 1", 1, "collection", ("expected a table",)),
    ('[collection]\norder = "random"', 2, "collection.order", ("'random'", "near, far, number")),
    ("[collection]\nparallel = 0", 2, "collection.parallel", ("1 to 64",)),
    ("[collection]\ntries = 21", 2, "collection.tries", ("1 to 20",)),
    ("[collection]\nround = 2", 2, "collection.round", ("unknown key", "rounds")),
    ("job = 5", 1, "job", ("expected tables [[job]]",)),
    ('[job]\ndo = "read"', 1, "job", ("expected tables [[job]]",)),
    ("[[job]]\nat = 1", 1, "job[0].do", ("is missing",)),
    ('[[job]]\ndo = "reed"', 2, "job[0].do", ("'reed'", "discover, read, set, act, collect")),
    ('[[job]]\ndo = "read"', 1, "job[0].station", ("is missing",)),
    (READ + '\n[[job]]\ndo = "read"\nstation = 49', 8, "job[1].station", ("49", "1 to 48")),
    ('[[job]]\ndo = "read"\nstation = 0', 3, "job[0].station", ("1 to 48",)),
    ('[[job]]\ndo = "collect"\nstation = 3', 3, "job[0].station", ("unknown key", "at, do")),
    ('[[job]]\ndo = "discover"\nstation = 3\nobis = "1.0.1.8.0.255"', 4, "job[0].obis", ("unknown key",)),
    (READ + 'obis = "1.0.1.8.0"', 5, "job[0].obis", ("'1.0.1.8.0'", "six numbers like 1.0.1.8.0.255")),
    (READ + 'obis = "1.0.1.8.0.256"', 5, "job[0].obis", ("six numbers",)),
    (READ + 'obis = "1.0.1.8.0.-1"', 5, "job[0].obis", ("six numbers",)),
    (READ + "attribute = 128", 5, "job[0].attribute", ("-128 to 127",)),
    (READ + "method = 1", 5, "job[0].method", ("unknown key", "attribute")),
    (READ + 'value = "unsigned:5"', 5, "job[0].value", ("unknown key",)),
    (READ + "invoke_id = 256", 5, "job[0].invoke_id", ("0 to 255",)),
    (READ + "class = 65536", 5, "job[0].class", ("0 to 65535",)),
    (READ + "hold = -1", 5, "job[0].hold", ("0 to 100000000",)),
    ('[[job]]\ndo = "set"\nstation = 3', 1, "job[0].value", ("is missing",)),
    ('[[job]]\ndo = "set"\nstation = 3\nvalue = "unsigned:300"', 4, "job[0].value", ("300",)),
    ('[[job]]\ndo = "set"\nstation = 3\nvalue = 5', 4, "job[0].value", ("5", "no text")),
    ('[[job]]\ndo = "set"\nstation = 3\nvalue = "five"', 4, "job[0].value", ("five",)),
    ('[[job]]\ndo = "act"\nstation = 3\nattribute = 1', 4, "job[0].attribute", ("unknown key", "method")),
    ("fault = 5", 1, "fault", ("expected tables [[fault]]",)),
    ('[[fault]]\nlink = "1-2"\nword = "down"', 1, "fault[0].at", ("is missing",)),
    (FAULT + 'word = "down"', 1, "fault[0]", ("exactly one of link, cable, station, noise, voltage",)),
    (FAULT + 'link = "1-2"\ncable = 3\nword = "down"', 1, "fault[0]", ("exactly one of",)),
    (FAULT + 'link = "1-2"', 3, "fault[0].link", ("word is missing", "down, up, weak <dB>, loss <percent>")),
    (FAULT + 'link = "1-2"\nword = "dwon"', 3, "fault[0].link", ("'dwon'", "down, up, weak <dB>, loss <percent>")),
    (FAULT + 'link = "1+2"\nword = "down"', 3, "fault[0].link", ("'1+2'", "3-17 or 3>17")),
    (FAULT + 'link = "1-49"\nword = "down"', 3, "fault[0].link", ("unknown station 49", "0 to 48")),
    (FAULT + 'link = "route 49"\nword = "down"', 3, "fault[0].link", ("unknown station 49",)),
    (FAULT + 'link = "7-7"\nword = "down"', 3, "fault[0].link", ("no link to itself",)),
    (FAULT + 'link = "1-2"\nword = "weak"', 3, "fault[0].link", ("weak needs a whole number from 1 to 100",)),
    (FAULT + 'link = "1-2"\nword = "loss"\nvalue = 101', 3, "fault[0].link", ("loss needs", "1 to 100")),
    (FAULT + 'link = "1-2"\nword = "loss"\nvalue = [5]', 3, "fault[0].link", ("loss needs",)),
    (FAULT + 'link = "1-2"\nword = "up for 5"', 3, "fault[0].link", ("ends a fault",)),
    (FAULT + 'link = "1-2"\nword = "down"\nseconds = "x"', 3, "fault[0].link", ("no number of seconds",)),
    (FAULT + 'link = "1-2"\nword = "down for 0"', 3, "fault[0].link", ("more than 0 seconds",)),
    (FAULT + 'cable = 0\nword = "cut"', 3, "fault[0].cable", ("no such LED", "1 to 410")),
    (FAULT + 'cable = 411\nword = "cut"', 3, "fault[0].cable", ("1 to 410",)),
    (FAULT + 'cable = "x"\nword = "cut"', 3, "fault[0].cable", ("expected a number",)),
    (FAULT + 'cable = 7\nword = "break"', 3, "fault[0].cable", ("'break'", "cut, mend")),
    (FAULT + 'cable = 7\nword = "cut"\npower = "no"', 5, "fault[0].power", ("'no'", "true, false")),
    (FAULT + 'link = "1-2"\nword = "down"\npower = true', 5, "fault[0].power", ("allowed: with cable",)),
    (FAULT + 'station = 5\nword = "on for 5"', 3, "fault[0].station", ("ends a fault",)),
    (FAULT + 'station = 5\nword = "reboot for 5"', 3, "fault[0].station", ("over at once", "off for <seconds>")),
    (FAULT + "noise = 5\nword = 10", 4, "fault[0].word", ("10", "no text")),
    (FAULT + 'noise = 5\nword = "0"', 3, "fault[0].noise", ("1 to 60",)),
    (FAULT + 'voltage = 5\nword = "401"', 3, "fault[0].voltage", ("0 to 400",)),
    (FAULT + 'voltage = 5\nword = "low"', 3, "fault[0].voltage", ("'low'",)),
    (FAULT + 'volts = 5\nword = "198"', 3, "fault[0].volts", ("unknown key", "voltage")),
    ("title = ", 1, "", ("not TOML",)),
    ('title = "a"\nprofile = demo', 2, "", ("not TOML",)),
    ('title = "a"\ntitle = "b"', 2, "", ("not TOML",)),
    ("seed = " + "9" * 5000, 1, "", ("not TOML", "beyond all measure")),
    ("seed = 0x" + "f" * 9000, 1, "seed", ("beyond all measure", "whole numbers")),
    ("seed = " + "[" * 3000 + "]" * 3000, 1, "", ("beyond all measure",)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "key", "reasons"), TABLE, ids=range(len(TABLE)))
def test_refused_with_file_line_key_and_what_is_allowed(
    refusal: Refusal, text: str, line: int, key: str, reasons: tuple[str, ...]
) -> None:
    message = refusal(text)
    found = re.match(r"mine\.toml:(\d+): (.*)", message)
    assert found and int(found[1]) == line, message
    if key:
        assert found[2].startswith(f"{key}: "), message
    for reason in reasons:
        assert reason in message, message


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for name, reason in (
        ("nihgt", "shipped: heal, meters500"),
        (str(tmp_path / "no.toml"), "No such file"),
        (str(tmp_path), "no scenario"),
    ):
        with pytest.raises(ScenarioError, match=reason):
            load(name)
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(ScenarioError, match="Is a directory"):
        load(str(folder))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b'title = "\xff\xfe"')
    with pytest.raises(ScenarioError, match=r"binary\.toml: not UTF-8 at octet 9"):
        load(str(path))


def test_a_feeder_beside_the_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('feeder = "street.feeder"\n')
    with pytest.raises(ScenarioError, match=r"mine\.toml:1: feeder: .*street\.feeder"):
        load(str(path))
    (tmp_path / "street.feeder").write_text("nonsense\n")
    with pytest.raises(ScenarioError, match=r"mine\.toml:1: feeder: .*street\.feeder"):
        load(str(path))
    text = (Path(__file__).parents[2] / "emulation/grid/feeders/row4.feeder").read_text()
    (tmp_path / "street.feeder").write_text(text)
    assert load(str(path)).meters == 3
