"""How the command line ends when something is wrong: one line on stderr, a non-zero code, no traceback."""

from __future__ import annotations

from typing import NoReturn

import typer


def fail(reason: object, code: int = 1) -> NoReturn:
    """Say why on stderr, in one line, and end."""
    typer.echo("gridglow: " + " ".join(str(reason).split()), err=True)
    raise typer.Exit(code)
