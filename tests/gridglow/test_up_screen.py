"""What `up` shows: the commands to paste, and the status as one line or a few."""

from __future__ import annotations

import shlex

import pytest

from emulation.grid.fault import FaultOrder
from emulation.live.mqtt import BrokerUrl
from emulation.live.records import FaultRecord
from g3plc import events as ev
from gridglow.up_screen import Address, View, by_hops, fault_text, plain, status, suggestion, summary, welcome

HERE = Address(BrokerUrl("127.0.0.1", 1883), 0x781D)
FAULT = FaultRecord(7, 3, FaultOrder("link", "3-17", "weak", 20), 1_000_000, 31_000_000, "operator")


@pytest.mark.parametrize(
    ("url", "pan", "gridglow", "mosquitto_pub"),
    [
        ("mqtt://127.0.0.1", 0x781D, "gridglow faults", "mosquitto_pub -t gridglow/1/781d/cmd/link/1-2 -m up"),
        ("mqtt://127.0.0.1:99", 0xA, "gridglow faults --broker mqtt://127.0.0.1:99 --pan 000a",
         "mosquitto_pub -p 99 -t gridglow/1/000a/cmd/link/1-2 -m up"),
        ("mqtts://me:it's@h", 0x781D, "gridglow faults --broker 'mqtts://me:it'\"'\"'s@h:8883'",
         "mosquitto_pub -h h -p 8883 -u me -P 'it'\"'\"'s' --tls-use-os-certs -t gridglow/1/781d/cmd/link/1-2 -m up"),
    ],
)  # fmt: skip
def test_commands_to_paste_name_the_broker_where_it_is_another(
    url: str, pan: int, gridglow: str, mosquitto_pub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    address = Address(BrokerUrl.parse(url), pan)
    assert address.gridglow("faults") == gridglow
    assert address.mosquitto_pub("link/1-2", "up") == mosquitto_pub


@pytest.mark.parametrize("stations", [2, 4, 49])
def test_the_link_to_break_exists(stations: int) -> None:
    lines = welcome(HERE, "b", "p", stations)
    words = next(shlex.split(line) for line in lines if "mosquitto_pub" in line)
    pair = words[words.index("-t") + 1].rpartition("/")[2]
    assert all(int(number) < stations for number in pair.split("-"))


def test_a_plain_line_says_all_of_it() -> None:
    view = View(
        61_500_000, 2000, True, False, "The night", 49, 48, 48, 48, 17, 5, 1000, 9, False, 300_000, True,
        ev.RouteLost(61_000_000, 46, 48, 37, "no ack"), [FAULT],
    )  # fmt: skip
    text = plain(view)
    for words in (
        "00:01:01.500 at 2x (auto)", "48 of 49 stations online", "17 of 48 meters read", "late 5, sense_doubt 9",
        "not faithful (5 of 1000 frames late)", "300 ms behind", "fault 3: link 3-17 weak 20 until 00:00:31.000",
        "00:01:01.000 meter-46 loadng route to meter-48 via meter-37 is gone",
    ):  # fmt: skip
        assert words in text
    assert "\n" not in text
    assert text.startswith(summary(view)) and "route to" not in summary(view)
    shown = status(view, HERE).plain
    assert all(words in shown for words in ("00:01:01.500", "48/49 online", "17/48 read", "not faithful", "fault 3"))


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (View(starting=True), "starting"),
        (View(), "paused"),
        (View(broker=False, permille=250), "broker gone"),
        (View(permille=250), "at 0.25x"),
    ],
)
def test_what_is_out_of_the_ordinary_is_said(view: View, words: str) -> None:
    assert words in plain(view)


def test_the_link_in_use_is_suggested() -> None:
    assert suggestion(View(), HERE) == ""
    assert suggestion(View(link="37-48", target=48, busy=True), HERE).endswith("gridglow break 37-48 --for 30")
    quiet = suggestion(View(link="37-48", target=48), HERE)
    assert quiet.endswith("gridglow break 37-48 --for 30; gridglow read 48")


def test_readings_by_hops() -> None:
    done = [
        ev.ReadDone(9, 0, meter, bytes(6), 2, "1", "Wh", hops, 1, ms * 1000, 1)
        for meter, hops, ms in ((1, 1, 900), (2, 3, 4_200), (3, 1, 1_200), (4, 1, 1_100))
    ]
    assert by_hops(done) == "by hops    1: 3 in 1.1 s each, 3: 1 in 4.2 s each"
    assert by_hops([]) == ""


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (FaultOrder("cable", "212", "cut", 0), "cable 212 cut"),
        (FaultOrder("noise", "17", "noise", 30), "noise 17 30"),
        (FaultOrder("link", "1-2", "loss", 50), "link 1-2 loss 50"),
    ],
)
def test_a_fault_in_a_few_words(order: FaultOrder, words: str) -> None:
    assert fault_text(FaultRecord(7, 1, order, 0, 0, "")) == f"fault 1: {words}"
