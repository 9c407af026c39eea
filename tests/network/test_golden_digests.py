"""The same digest on every machine and interpreter. Renew: python tests/network/golden.py --renew"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from emulation.scenario import load
from g3plc import events as ev
from gridglow.simulate import run

HERE = Path(__file__).resolve().parent
GOLDEN: dict[str, str] = json.loads((HERE / "golden.json").read_text(encoding="ascii"))
LONG = ("night-g3:1", "meters500:1")
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
COMPARED = ("row4:1", "heal:1", "night:1")


@pytest.mark.parametrize("name", [name for name in GOLDEN if name not in LONG])
def test_golden(shipped: Any, name: str) -> None:
    scenario, _, seed = name.partition(":")
    assert shipped(scenario, int(seed)).digest == GOLDEN[name]


class Outcomes:
    """An observer that keeps what became of each meter: half a million events would be too many."""

    def __init__(self) -> None:
        self.read: set[int] = set()
        self.failed: list[ev.ReadFailed] = []

    def observe(self, events: Sequence[ev.Event]) -> None:
        self.read.update(event.meter for event in events if isinstance(event, ev.ReadDone))
        self.failed.extend(event for event in events if isinstance(event, ev.ReadFailed))

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("name", "least"), [("night-g3:1", 48), ("meters500:1", 490)])
def test_golden_of_the_long_ones(name: str, least: int) -> None:
    scenario, _, seed = name.partition(":")
    outcomes = Outcomes()
    done = run(load(scenario), int(seed), None, [outcomes])
    assert len(outcomes.read) >= least, outcomes.failed
    assert len(outcomes.read) + len(outcomes.failed) == done.summary["meters"]
    assert all(failed.reason and failed.explained_by for failed in outcomes.failed)
    assert done.summary["digest"] == GOLDEN[name]


@cache
def interpreters() -> dict[str, str]:
    """The interpreters of this machine, by version, this one left out."""
    found: dict[str, str] = {}
    for version in VERSIONS:
        candidates = [shutil.which(f"python{version}")]
        candidates += sorted(map(str, (Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python{version}")))
        for candidate in candidates:
            if candidate and version not in found and _answers(candidate, version):
                found[version] = candidate
    found.pop(f"{sys.version_info.major}.{sys.version_info.minor}", None)
    return found


def _answers(path: str, version: str) -> bool:
    asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def digests(interpreter: str, *names: str) -> dict[str, str]:
    """Run them in another process that has no site-packages: the standard library has to be enough."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [interpreter, "-S", "-B", str(HERE / "golden.py"), *names]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_this_interpreter_without_any_package(tmp_path: Path) -> None:
    assert digests(sys.executable, "row4:1") == {"row4:1": GOLDEN["row4:1"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_interpreter_agrees(version: str) -> None:
    """CI compares all that the machine has; elsewhere two are enough."""
    others = interpreters()
    if version not in others:
        pytest.skip(f"no other Python {version} here")
    if not os.environ.get("CI") and version != max(others, key=lambda name: int(name.split(".")[1])):
        pytest.skip("CI=true compares every interpreter, this run only the newest")
    assert digests(others[version], *COMPARED) == {name: GOLDEN[name] for name in COMPARED}
