"""The whole compose file: a link is broken with the real mosquitto_pub, and the stations' logs tell of the repair."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.live

# The stations of a scenario, its jobs and faults left out, in real time: the test is the only one who acts.
QUIET = """
services:
  director:
    command: [gridglow, director, --no-play, --speed, "1", night]
"""
PREFIX = "gridglow/1/781d/"
TARGET = "meter-48"


@pytest.fixture
def pan(compose_project: Callable[..., Any], tmp_path: Path) -> Any:
    quiet = tmp_path / "quiet.yaml"
    quiet.write_text(QUIET)
    project = compose_project("compose.yaml", str(quiet))
    project.up()
    return project


def _route(logs: str) -> list[str]:
    """The way to the target as the stations' last words on it say, from the coordinator on."""
    way, here = ["coordinator"], "coordinator"
    while here != TARGET:
        said = re.findall(rf"\| {here} +\S+ +loadng route to {TARGET} (is direct|goes via (\S+?)),", logs)
        assert said, f"{here} has no route to {TARGET}; so far {way}"
        here = said[-1][1] or TARGET
        assert here not in way, f"a loop: {way}, then {here}"
        way.append(here)
    return way


def _command(pan: Any, rest: str, payload: str = "") -> None:
    done = pan.mosquitto("mosquitto_pub", "operator", "-t", f"{PREFIX}cmd/{rest}", "-m", payload)
    assert done.returncode == 0, done.stderr


def _break_the_route(pan: Any) -> re.Match[str]:
    """Until the stations have told the director of the route, the command is refused."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        _command(pan, f"link/route {_number(TARGET)}", "down")
        time.sleep(1.5)
        broken = re.search(r"begins: link (\d+)-(\d+) down", pan.logs("director"))
        if broken:
            return broken
    pytest.fail(pan.logs("director")[-2000:], pytrace=False)


def _number(station: str) -> str:
    return station.removeprefix("meter-")


def test_a_broken_link_is_repaired_and_the_meter_read_again(pan: Any) -> None:
    assert {state["Health"] for state in pan.states().values()} == {"healthy"}
    assert set(pan.states()) == {"broker", "director", "coordinator", "nodes", "led_gateway"}

    _command(pan, f"read/{_number(TARGET)}")
    pan.wait_for_log(f"{TARGET} read: 1.0.1.8.0.255 is ", "coordinator")

    broken = _break_the_route(pan)
    relay = "coordinator" if broken[1] == "0" else f"meter-{broken[1]}"

    _command(pan, f"read/{_number(TARGET)}")
    told = f": {TARGET} cannot be reached, says {relay} to coordinator"
    if told in pan.wait_for_log(f"{told}|another way to {TARGET} is found", "nodes", "coordinator"):
        pan.wait_for_log(f"RREQ for {TARGET} sent", "coordinator", times=2)
    pan.wait_for_log(f"{TARGET} read: 1.0.1.8.0.255 is ", "coordinator", times=2)

    new = _route(pan.logs("coordinator", "nodes"))
    assert {relay, TARGET} not in [set(hop) for hop in pairwise(new)]


@pytest.mark.slow
def test_killed_containers_come_back_into_the_pan(pan: Any) -> None:
    """The meters' process killed without a word, then the coordinator's, and a meter is read again."""
    _command(pan, "read/3")
    pan.wait_for_log("meter-3 read: ", "coordinator")
    for times, service in enumerate(("nodes", "coordinator"), start=2):
        pan.compose("kill", service)
        pan.compose("start", service)
        pan.wait_for_log("switched on, boot number 2", service)
        _command(pan, "read/3")
        pan.wait_for_log("meter-3 read: ", "coordinator", times=times)


@pytest.mark.slow
def test_one_container_for_each_meter(compose_project: Callable[..., Any]) -> None:
    project = compose_project("compose.yaml", "compose.per-meter.yaml")
    started = project.compose("up", "-d", "--build", "director", "meter-3", "meter-17", timeout=600)
    assert started.returncode == 0, started.stderr
    for meter in ("meter-3", "meter-17"):
        line = project.wait_for_log("switched on, boot number 1", meter)
        assert re.match(rf"{meter}-1 +\| {meter} ", line)
    project.compose("kill", "meter-17")
    states = project.states()
    assert states["meter-17"]["State"] == "exited"
    assert states["meter-3"]["State"] == "running"
    assert "nodes" not in states
