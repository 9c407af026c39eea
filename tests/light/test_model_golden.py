"""Golden frames: every message type, outcome and standing picture in every theme, pixel for pixel, safety on.

Renew: python tests/light/golden_light.py --renew
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))

import golden_light  # noqa: E402
import light_cases  # noqa: E402

from led_gateway.themes import THEMES  # noqa: E402

KEPT = golden_light.GOLDEN.read_text(encoding="ascii").splitlines()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("case", light_cases.CASES)
def test_frames_are_as_kept(case: str, theme: str) -> None:
    assert golden_light.lines(case, theme) == [line for line in KEPT if line.startswith(f"{case} | {theme} | ")]


def test_nothing_else_is_kept() -> None:
    named = {tuple(line.split(" | ")[:2]) for line in KEPT}
    assert named == {(case, theme) for case in light_cases.CASES for theme in THEMES}


def interpreter(version: str) -> str | None:
    """An interpreter of this version, if the machine has one."""
    candidates = [which(f"python{version}")]
    candidates += sorted(map(str, (Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python{version}")))
    for found in candidates:
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    return None


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_another_python_makes_the_same_octets(version: str) -> None:
    found = interpreter(version)
    if found is None:
        pytest.skip(f"no Python {version} here")
    script = str(HERE / "golden_light.py")
    made = subprocess.run([found, "-S", "-B", script], capture_output=True, text=True, check=False, timeout=60)
    assert made.stdout.splitlines() == KEPT, made.stderr[-500:]
