"""Every bad feeder is refused with file, line and reason, and nothing but FeederError comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.grid.feeder import Feeder, FeederError

HEAD = "gridglow-feeder 1\nname: bad\n"
ROOT = "0 0 -1 8 underground - 0,0\n"
GOOD = HEAD + ROOT + "1 4 0 8 underground - 320,0\n5 6 4 8 service 1 320,160\n7 9 4 8 service 2 560,0\n"

CASES = [
    ("", 0, "empty"),
    ("\n# nothing\n", 0, "empty"),
    ("hello\n", 1, "not a feeder file"),
    ("gridglow-feeder 2\n", 1, "not a feeder file"),
    (HEAD, 0, "no branch"),
    ("gridglow-feeder 1\n" + ROOT, 0, "'name' is missing"),
    (HEAD + "name: twice\n" + ROOT, 3, "given twice"),
    (HEAD + "colour: red\n" + ROOT, 3, "unknown key 'colour'"),
    (HEAD + "name\n", 3, "neither"),
    (HEAD + "title:\n", 3, "title"),
    (HEAD + "coordinator-phase: 4\n", 3, "coordinator-phase"),
    ("gridglow-feeder 1\nname: No Good\n", 2, "name"),
    (GOOD + "title: late\n", 7, "after the first branch"),
    (GOOD + "10 12 4 8\n", 7, "4 columns"),
    (GOOD + "10 x 4 8 service 1 0,9\n", 7, "last LED 'x' is not a whole number"),
    (GOOD + "10 1٢ 4 8 service 1 0,9\n", 7, "not a whole number"),
    (GOOD + "12 10 4 8 service 1 0,9\n", 7, "before first"),
    (GOOD + "-2 10 4 8 service 1 0,9\n", 7, "negative"),
    (GOOD + "10 12 -2 8 service 1 0,9\n", 7, "negative"),
    (GOOD + "10 65000 4 8 service 1 0,9\n", 7, "at most 65000 LEDs"),
    (GOOD + "10 12 4 0 service 1 0,9\n", 7, "metres per LED"),
    (GOOD + "10 12 4 1e3 service 1 0,9\n", 7, "metres per LED"),
    (GOOD + "10 12 4 1.2345 service 1 0,9\n", 7, "metres per LED"),
    (GOOD + "10 12 4 1000.001 service 1 0,9\n", 7, "metres per LED"),
    (GOOD + "10 12 4 nan service 1 0,9\n", 7, "metres per LED"),
    (GOOD + "10 12 4 8 copper 1 0,9\n", 7, "unknown cable 'copper'"),
    (GOOD + "10 12 4 8 service 0 0,9\n", 7, "phase '0'"),
    (GOOD + "10 12 4 8 service 1 0;9\n", 7, "position '0;9'"),
    (GOOD + "10 12 4 8 service 1 99999999,9\n", 7, "1000 km"),
    (GOOD + "10 12 4 8 service 1\n", 7, "leaf LED 12 has no position"),
    (GOOD.replace(" 320,0\n", "\n"), 4, "branch of LED 1 has no position"),
    (GOOD + "10 12 4 8 service 1 320,0\n", 7, "without length"),
    (GOOD + "10 12 4 8 service 1 9,9 9,9\n", 7, "without length"),
    (GOOD + "10 12 4 8 service - 0,9\n", 7, "no phase"),
    (GOOD.replace("underground - 320,0", "underground 1 320,0"), 4, "not at a meter"),
    (GOOD + "9 12 4 8 service 1 0,9\n", 7, "LED 9 already on the branch of line 6"),
    (GOOD + "2 3 4 8 service 1 0,9\n", 7, "LEDs 2 to 3 already on the branch of line 4"),
    (GOOD + "11 12 4 8 service 1 0,9\n", 7, "LED 10 is on no branch"),
    (GOOD + "13 13 4 8 service 1 0,9\n", 7, "LEDs 10 to 12 are on no branch"),
    (GOOD + "10 12 3 8 service 1 0,9\n", 7, "unknown parent: LED 3"),
    (GOOD + "10 12 77 8 service 1 0,9\n", 7, "unknown parent: LED 77"),
    (GOOD + "10 12 12 8 service 1 0,9\n", 7, "cycle"),
    (GOOD + "10 12 14 8 service 1 0,9\n13 14 12 8 service 1 9,9\n", 7, "cycle"),
    (GOOD + "10 12 -1 8 service 1 0,9\n", 7, "second root (parent -1), the first is in line 3"),
    (HEAD + "0 3 3 8 service 1 0,0 1,1\n", 3, "no root"),
    (HEAD + "0 3 5 8 service 1 9,9\n4 5 -1 8 underground - 0,0 1,1\n", 4, "not with LED 0"),
    (HEAD + ROOT, 3, "no meter"),
    (HEAD + "0 0 -1 8 underground - 0,0 5,5\n1 2 0 8 service 1 9,9\n", 3, "one position"),
    (HEAD + "title: a\x1b[31mb\n", 3, "control character"),
    (HEAD + "title: a\u202eb\n", 3, "control character"),
]


@pytest.mark.parametrize(("text", "line", "reason"), CASES, ids=range(len(CASES)))
def test_refused_with_file_line_and_reason(text: str, line: int, reason: str):
    with pytest.raises(FeederError) as caught:
        Feeder.loads(text, "bad.feeder")
    error = caught.value
    assert (error.file, error.line) == ("bad.feeder", line), str(error)
    assert reason in error.reason
    assert str(error) == (f"bad.feeder:{line}: " if line else "bad.feeder: ") + error.reason


def test_the_base_of_the_cases_is_good():
    assert Feeder.loads(GOOD).meters == 2


def test_sixty_five_thousand_leds_are_the_limit():
    text = HEAD + ROOT + "1 64999 0 1 underground 1 900000,0\n"
    assert Feeder.loads(text).leds == 65_000


def test_octets_that_are_not_utf_8(tmp_path):
    file = tmp_path / "latin.feeder"
    file.write_bytes(b"gridglow-feeder 1\nname: x\ntitle: caf\xe9\n")
    with pytest.raises(FeederError) as caught:
        Feeder.load(file)
    assert (caught.value.line, caught.value.reason) == (3, "not UTF-8")


@pytest.mark.parametrize("name", ["nowhere", "/nowhere/at.all", "a\0b", "."])
def test_files_that_cannot_be_read(name: str):
    with pytest.raises(FeederError) as caught:
        Feeder.load(name)
    assert caught.value.line == 0


WORDS = st.sampled_from(
    ["gridglow-feeder 1", "name: a", "#", "\n", "0", "1", "2", "3", "-1", "8", "service", "-", "0,0", "9,9", " "]
)


@given(st.text(max_size=200))
def test_any_text_is_a_feeder_or_an_error(text: str):
    _loads_or_refuses(text)


@given(st.lists(WORDS, max_size=60))
def test_any_mixture_of_words_is_a_feeder_or_an_error(words: list[str]):
    _loads_or_refuses(HEAD + " ".join(words))


@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_one_letter_changed_is_a_feeder_or_an_error(at: int, letter: str):
    _loads_or_refuses(GOOD[:at] + letter + GOOD[at + 1 :])


def _loads_or_refuses(text: str) -> None:
    try:
        feeder = Feeder.loads(text, "any")
    except FeederError as error:
        assert error.reason
    else:
        assert feeder.meters >= 1
