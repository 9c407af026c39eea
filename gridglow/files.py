"""Files that a command writes because it was told to."""

from __future__ import annotations

import os
from pathlib import Path

from gridglow.errors import fail


def write_text(path: Path, text: str) -> None:
    """Write a text file. Where that fails, take away the beginning of a new one, say why, and end."""
    new = not os.path.lexists(path)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        if new and os.path.lexists(path):
            path.unlink()
        fail(f"{path}: {error.strerror}")


def make_folder(path: Path) -> None:
    """Make a folder that will be written into. Where that cannot be, say why, and end."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    if not os.access(path, os.W_OK):
        fail(f"{path}: no right to write there")
