"""Generated feeders are plausible, exact in number, and the same octets everywhere."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation.grid.feeder import Feeder
from emulation.grid.feeder_generate import generate


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_any_number_of_meters(meters: int, seed: int):
    text = generate(meters, seed)
    feeder = Feeder.loads(text)
    assert feeder.meters == meters
    assert generate(meters, seed) == text
    counts = [feeder.phases[1:].count(phase) for phase in (1, 2, 3)]
    assert max(counts) - min(counts) <= 1
    for branch in feeder.branches:
        assert (branch.phase > 0) == (branch.cable == "service")


@pytest.mark.parametrize("meters", [1, 2, 3, 4, 5, 6, 7, 8, 48, 1999, 2000])
def test_sizes_at_the_edges(meters: int):
    feeder = Feeder.loads(generate(meters, 5))
    assert feeder.meters == meters
    assert feeder.leds <= 65_000
    assert max(feeder.root_mm) <= 1_500_000
    assert min(feeder.span_mm[1:]) >= 2_500
    assert max(feeder.span_mm) <= 9_000


def test_seeds_differ():
    assert len({generate(48, seed).partition("# LEDs")[2] for seed in range(20)}) == 20


def test_the_same_octets_on_every_machine():
    octets = "".join(generate(meters, seed) for meters, seed in [(1, 0), (48, 1), (777, 2**32 - 1)]).encode()
    assert hashlib.sha256(octets).hexdigest() == "933fa851154a98e2a9c9bf9bd30286a54f92da0c6ec5092648cea04c9620a8ca"


@pytest.mark.parametrize(("meters", "seed", "name"), [(0, 1, None), (2001, 1, None), (5, -1, None), (5, 2**32, None)])
def test_outside_the_range(meters: int, seed: int, name: str | None):
    with pytest.raises(ValueError, match=r"meters: 1 to 2000|seed: 0 to"):
        generate(meters, seed, name)


@pytest.mark.parametrize("name", ["", "A", "a b", "a\ntitle: b", "x" * 33])
def test_names_that_do_not_fit(name: str):
    with pytest.raises(ValueError, match="name"):
        generate(5, 1, name)
