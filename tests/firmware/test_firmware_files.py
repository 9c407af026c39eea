"""What is copied to a board: complete, and of one version."""

from __future__ import annotations

import json
import re
from pathlib import Path


def test_the_package_has_every_file(firmware: Path) -> None:
    urls = json.loads((firmware / "package.json").read_text())["urls"]
    files = {str(path.relative_to(firmware)) for path in firmware.glob("glow/*.py")} | {"main.py"}
    assert {source for _, source in urls} == files
    assert all(target == source for target, source in urls)


def test_one_version(firmware: Path) -> None:
    version = json.loads((firmware / "package.json").read_text())["version"]
    assert f'VERSION = "{version}"' in (firmware / "glow" / "__init__.py").read_text()
    assert f'version="{version}"' in (firmware / "manifest.py").read_text()


def test_the_example_names_every_setting(firmware: Path) -> None:
    known = set(re.findall(r'^    "([A-Z_]+)": [^(]', (firmware / "glow" / "settings.py").read_text(), re.MULTILINE))
    known |= {"BRANCHES", "BUTTON_PINS"}
    named = set(re.findall(r"^([A-Z_]+) = ", (firmware / "config.example.py").read_text(), re.MULTILINE))
    assert named == known
