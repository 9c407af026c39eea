"""The words of faults, accepted and refused: the same for scenario files, MQTT topics and the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.grid import fault
from emulation.grid.fault import FaultError, FaultOrder, pairs, parse, route_of, seconds_us

STATIONS, LEDS = 49, 411

ACCEPTED = [
    ("link", "3-17", "down", ("down", 0, 0)),
    ("link", "3>17", "down for 30", ("down", 0, 30_000_000)),
    ("link", "0-48", "up", ("up", 0, 0)),
    ("link", "3-17", "weak 12", ("weak", 12, 0)),
    ("link", "3-17", "weak 100 for 2.5", ("weak", 100, 2_500_000)),
    ("link", "3-17", "loss 1", ("loss", 1, 0)),
    ("link", "3-17", "  loss   100  for  0.000001 ", ("loss", 100, 1)),
    ("link", "route 17", "down", ("down", 0, 0)),
    (" cable".strip(), " 212 ", "cut", ("cut", 0, 0)),
    ("cable", "1", "cut for 999999999", ("cut", 0, 999_999_999_000_000)),
    ("cable", "410", "mend", ("mend", 0, 0)),
    ("station", "0", "off", ("off", 0, 0)),
    ("station", "17", "on", ("on", 0, 0)),
    ("station", "48", "reboot", ("reboot", 0, 0)),
    ("noise", "17", "6", ("noise", 6, 0)),
    ("noise", "17", "60 for 5", ("noise", 60, 5_000_000)),
    ("noise", "17", "clear", ("clear", 0, 0)),
    ("voltage", "17", "0", ("voltage", 0, 0)),
    ("voltage", "17", "198 for 20", ("voltage", 198, 20_000_000)),
    ("voltage", "17", "clear", ("clear", 0, 0)),
]

REFUSED = [
    ("cabel", "3", "cut", "unknown fault 'cabel'; allowed: link, cable, station, noise, voltage"),
    ("link", "3-17", "", "a word is missing; allowed: down, up, weak <dB>, loss <percent>"),
    ("link", "3-17", "for 5", "a word is missing"),
    ("link", "3-17", "down 5", "'5' after 'down' is not understood; allowed: down"),
    ("link", "3-17", "down for", "'for' after 'down'"),
    ("link", "3-17", "down for 5 6", "'for 5 6' after 'down'"),
    ("link", "3-17", "down for ever", "'ever' is no number of seconds like 30 or 2.5"),
    ("link", "3-17", "down for -5", "'-5' is no number"),
    ("link", "3-17", "down for 1.2345678", "'1.2345678' is no number"),
    ("link", "3-17", "down for 0.0", "allowed: more than 0 seconds"),
    ("link", "3-17", "Down", "unknown word 'Down'; allowed: down"),
    ("link", "3-17", "cut", "unknown word 'cut'"),
    ("link", "3-17", "weak", "weak needs a whole number from 1 to 100"),
    ("link", "3-17", "weak 0", "from 1 to 100, not '0'"),
    ("link", "3-17", "weak 101", "from 1 to 100"),
    ("link", "3-17", "weak 99999999999999999999", "from 1 to 100"),
    ("link", "3-17", "weak 1.5", "from 1 to 100"),
    ("link", "3-17", "weak \u0663", "from 1 to 100"),
    ("link", "3-17", "loss 5 %", "from 1 to 100"),
    ("link", "3-17", "up for 5", "'up' ends a fault"),
    ("link", "3-3", "down", "no link to itself"),
    ("link", "3-49", "down", "unknown station 49; allowed: 0 to 48"),
    ("link", "3<17", "down", "expected two stations like 3-17 or 3>17"),
    ("link", "3", "down", "expected two stations"),
    ("link", "\u0663-17", "down", "expected two stations"),
    ("link", "123456-17", "down", "expected two stations"),
    ("link", "route 49", "down", "unknown station 49"),
    ("link", "route", "down", "expected two stations"),
    ("cable", "0", "cut", "no such LED; allowed: 1 to 410"),
    ("cable", "411", "cut", "allowed: 1 to 410"),
    ("cable", "-1", "cut", "expected a number"),
    ("cable", "\u0661", "cut", "expected a number"),
    ("cable", "5", "down", "unknown word 'down'; allowed: cut, mend"),
    ("cable", "5", "mend for 5", "ends a fault"),
    ("station", "49", "off", "allowed: 0 to 48"),
    ("station", "x", "off", "expected a number"),
    ("station", "5", "restart", "unknown word 'restart'; allowed: off, on, reboot"),
    ("station", "5", "reboot for 5", "allowed: off for <seconds>"),
    ("noise", "5", "0", "from 1 to 60"),
    ("noise", "5", "61", "from 1 to 60"),
    ("noise", "5", "loud", "from 1 to 60, not 'loud'"),
    ("noise", "5", "up", "unknown word 'up'; allowed: <dB>, clear"),
    ("noise", "5", "noise 6", "needs a whole number"),
    ("voltage", "5", "401", "from 0 to 400"),
    ("voltage", "5", "clear for 5", "ends a fault"),
]


@pytest.mark.parametrize(("kind", "where", "words", "meaning"), ACCEPTED)
def test_accepted(kind: str, where: str, words: str, meaning: tuple[str, int, int]) -> None:
    order = parse(kind, where, words, STATIONS, LEDS)
    assert (order.word, order.value, order.for_us) == meaning
    assert (order.kind, order.where, order.power) == (kind, where.strip(), False)
    assert order.ends == (order.word in ("up", "mend", "on", "clear"))


@pytest.mark.parametrize(("kind", "where", "words", "reason"), REFUSED)
def test_refused_with_what_is_allowed(kind: str, where: str, words: str, reason: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse(kind, where, words, STATIONS, LEDS)
    assert reason in str(caught.value)


def test_pairs_of_a_link() -> None:
    assert pairs("3-17") == [(3, 17), (17, 3)]
    assert pairs("3>17") == [(3, 17)]
    assert route_of("route 17") == 17 and route_of("3-17") is None


def test_seconds_never_pass_through_a_float() -> None:
    assert [seconds_us(text) for text in ("0", "0.1", "0.000001", "123456789.123456")] == [
        0, 100_000, 1, 123_456_789_123_456,
    ]  # fmt: skip


WORDS = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(["down", "up", "weak", "loss", "cut", "mend", "off", "on", "reboot", "clear", "for", "5", "-1",
                         "1e3", "0", "2.5", "400"]),
        max_size=5,
    ).map(" ".join),
)  # fmt: skip
PLACES = st.one_of(st.text(max_size=10), st.from_regex(r"\d{0,6}[->]\d{0,6}", fullmatch=True), st.just("route 7"))


@given(st.sampled_from([*fault.KINDS, "", "x"]), PLACES, WORDS)
def test_any_words_make_an_order_or_one_line_of_refusal(kind: str, where: str, words: str) -> None:
    try:
        order = parse(kind, where, words, STATIONS, LEDS)
    except FaultError as error:
        assert str(error).isprintable() and str(error)
        return
    assert isinstance(order, FaultOrder)
    assert order.kind in fault.KINDS and order.where.isascii() and order.word.isascii()
    assert order.for_us >= 0 and order.value >= 0
    again = f"{order.word if order.word != order.kind else ''} {order.value or ''}"
    if order.kind in ("noise", "voltage") and not order.ends:
        again = str(order.value)
    assert parse(order.kind, order.where, again, STATIONS, LEDS).word == order.word
