"""What a scenario that can be used becomes, and that no tree of TOML brings anything but that or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulation.grid.feeder import Feeder
from emulation.scenario import Scenario, ScenarioError, load, loads, shipped

Read = Callable[[str], Scenario]

EVERYTHING = """
title = "All keys"
feeder = "row4"
profile = "metering"
seed = 7
start = 2026-06-01T02:00:00+02:00
speed = 0.25
limit = 12.5

[channel]
noise_cb = 6700
[mac]
mac_max_be = 6
[adp]
max_hops = 5
routing_table_size = 30
reassemblies = 2

[collection]
order = "far"
parallel = 3
tries = 2
timeout = 7.5
rounds = 4
pause = 0

[[job]]
do = "collect"
[[job]]
at = 0.000001
do = "discover"
station = 1
[[job]]
at = 2
do = "read"
station = 2
class = 1
obis = "1.0.32.7.0.255"
attribute = -3
invoke_id = 0
hold = 0.5
[[job]]
do = "set"
station = 3
class = 8
obis = "0.0.1.0.0.255"
value = "date-time:2026-11-23T02:00:00Z"
[[job]]
do = "act"
station = 3
method = 1

[[fault]]
at = 1
link = "1>2"
word = "weak"
value = 12
seconds = 2.5
[[fault]]
at = 3
cable = 84
word = "cut for 5"
power = true
[[fault]]
at = 4
voltage = 2
word = "198"
"""


def test_every_key(read: Read) -> None:
    scenario = read(EVERYTHING)
    assert (scenario.name, scenario.title, scenario.profile, scenario.seed) == ("mine", "All keys", "metering", 7)
    assert (scenario.feeder.name, scenario.meters) == ("row4", 3)
    assert scenario.epoch_s == int(datetime(2026, 6, 1, 0, 0, tzinfo=UTC).timestamp())
    assert (scenario.speed_permille, scenario.limit_us) == (250, 12_500_000)
    assert scenario.channel.noise_cb == 6700
    assert (scenario.mac, scenario.adp) == (
        {"mac_max_be": 6},
        {"max_hops": 5, "routing_table_size": 30, "reassemblies": 2},
    )
    plan = scenario.collection
    assert (plan.order, plan.parallel, plan.tries, plan.timeout_us) == ("far", 3, 2, 7_500_000)
    assert (plan.rounds, plan.pause_us) == (4, 0)
    assert [(job.job, job.at_us, job.verb, job.station) for job in scenario.jobs] == [
        (1, 0, "collect", 0), (2, 1, "discover", 1), (3, 2_000_000, "read", 2), (4, 0, "set", 3), (5, 0, "act", 3),
    ]  # fmt: skip
    reading = scenario.jobs[2]
    assert (reading.class_id, reading.obis, reading.attribute) == (1, bytes((1, 0, 32, 7, 0, 255)), -3)
    assert (reading.invoke_id_and_priority, reading.hold_us) == (0, 500_000)
    assert (scenario.jobs[4].attribute, scenario.jobs[3].value) == (1, "date-time:2026-11-23T02:00:00Z")
    orders = [timed.order for timed in scenario.faults]
    assert [(order.kind, order.where, order.word, order.value, order.for_us, order.power) for order in orders] == [
        ("link", "1>2", "weak", 12, 2_500_000, False),
        ("cable", "84", "cut", 0, 5_000_000, True),
        ("voltage", "2", "voltage", 198, 0, False),
    ]


def test_an_empty_file_is_a_scenario(read: Read) -> None:
    scenario = read("")
    assert (scenario.feeder.name, scenario.meters, scenario.profile, scenario.seed) == ("board", 48, "demo", 1)
    assert (scenario.jobs, scenario.faults, scenario.limit_us) == ([], [], 86_400_000_000)


def test_the_shipped_ones() -> None:
    assert shipped() == ["heal", "meters500", "night", "night-g3", "read", "route", "row4", "sag"]
    for name in shipped():
        scenario = load(name)
        assert scenario.name == name and scenario.title and (scenario.jobs or scenario.faults)
        assert scenario.limit_us < 86_400_000_000
    assert {load(name).profile for name in shipped()} == {"demo", "g3", "metering"}


def test_a_feeder_from_elsewhere_takes_precedence() -> None:
    row4 = load("row4").feeder
    scenario = loads('feeder = "no-such"', "mine.toml", None, feeder_text=row4.source)
    assert isinstance(scenario.feeder, Feeder) and scenario.feeder.sha256 == row4.sha256


NAMES = ["title", "feeder", "profile", "seed", "start", "speed", "limit", "channel", "mac", "adp", "collection",
         "job", "fault", "order", "parallel", "tries", "timeout", "at", "do", "station", "class", "obis", "attribute",
         "method", "value", "invoke_id", "hold", "link", "cable", "noise", "voltage", "word", "seconds", "power",
         "noise_cb", "mac_max_be", "max_hops", "kq"]  # fmt: skip
TEXTS = ["board", "row4", "demo", "g3", "read", "set", "act", "collect", "discover", "near", "1-2", "1>2", "route 2",
         "down", "up", "weak 5", "loss 5 for 3", "cut", "off", "reboot", "clear", "198", "1.0.1.8.0.255",
         "unsigned:5", "boolean:true"]  # fmt: skip
SCALARS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(0, 50),
    st.booleans(),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.decimals(0, 100, places=2),
    st.sampled_from(TEXTS),
    st.text(max_size=20),
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.dates(),
    st.times(),
)
KEYS = st.sampled_from(NAMES) | st.text(min_size=1, max_size=6)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)
TABLES = st.dictionaries(KEYS, TREES, max_size=6)
VERBS = ["read", "set", "act", "collect", "discover"]
JOB_KEYS = ("at", "station", "class", "obis", "attribute", "method", "value", "invoke_id", "hold")
FAULT_KEYS = ("link", "cable", "station", "noise", "voltage", "word", "value", "seconds", "power")
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "job": st.lists(
            st.fixed_dictionaries({"do": st.sampled_from(VERBS)}, optional=dict.fromkeys(JOB_KEYS, SCALARS)),
            max_size=3,
        ),
        "fault": st.lists(
            st.fixed_dictionaries({"at": st.integers(0, 9)}, optional=dict.fromkeys(FAULT_KEYS, SCALARS)),
            max_size=3,
        ),
        "feeder": st.sampled_from(["row4", "board", "x", ".", "/"]),
        "channel": TABLES, "mac": TABLES, "adp": TABLES, "collection": TABLES,
    },
)  # fmt: skip


def toml(value: Any) -> str:
    """A value in TOML, as far as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08X}" if not 0xD800 <= ord(c) < 0xE000 else "?" for c in value) + '"'
    if isinstance(value, Decimal):
        if value.is_nan() or value.is_infinite():
            return "nan" if value.is_nan() else "inf"
        return str(value) if "." in str(value) and "E" not in str(value) else f"{int(value)}.0"
    return str(value).replace(" ", "T") if isinstance(value, datetime) else str(value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=250)
@given(TABLES | LIKELY)
def test_any_tree_is_read_or_refused_in_one_line(tree: dict[str, Any]) -> None:
    text = "\n".join(f"{toml(key)} = {toml(item)}" for key, item in tree.items())
    try:
        scenario = loads(text, "mine.toml", None)
    except ScenarioError as error:
        message = str(error)
        assert message.startswith("mine.toml:") and "\n" not in message and len(message) < 4000
    else:
        assert scenario.feeder.stations and all(job.at_us >= 0 for job in scenario.jobs)


@settings(deadline=None, max_examples=150)
@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                '"',
                "'",
                "[",
                "]",
                "{",
                "}",
                "=",
                "\n",
                ".",
                ",",
                "#",
                "\\",
                "job",
                "at",
                "1",
                "e",
                "-",
                "\x00",
                "[[",
                "]]",
            ]
        )
    ).map("".join)
)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        loads(text, "mine.toml", None)
    except ScenarioError as error:
        assert str(error).startswith("mine.toml:")
        assert "\n" not in str(error)


@pytest.mark.parametrize("start", ["1971-01-01T00:00:00Z", "2199-12-31T23:59:59Z"])
def test_the_edges_of_time_run(start: str) -> None:
    from gridglow.simulate import run

    text = f'feeder = "row4"\nstart = {start}\nlimit = 60\n[[job]]\nat = 1\ndo = "read"\nstation = 1\n'
    outcome = run(loads(text, "mine.toml", None))
    assert outcome.summary["read"] == 1 and not outcome.failures
