"""How the command line ends when something is wrong: one line on stderr, a non-zero code, no traceback.

Code 1: it was not possible; 2: what was typed cannot be meant so. Neighbours: every command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

# typer brings click along under a name that changes from version to version
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def fail(reason: object, code: int = 1) -> NoReturn:
    """Say why on stderr, in one printable line, and end."""
    typer.echo(_line(reason), err=True)
    raise typer.Exit(code)


def _line(reason: object) -> str:
    """One line: names of files and words of other people may hold anything."""
    text = " ".join(str(reason).split())
    return "gridglow: " + "".join(letter if letter.isprintable() else "?" for letter in text)


def path_of(text: str) -> Path:
    """The path that was typed; for `typer.Option(parser=...)`. An empty one would mean the current folder."""
    if not text.strip():
        raise typer.BadParameter("a path cannot be empty")
    return Path(text)


class Commands(TyperGroup):
    """Commands that say in one line, like all other errors, what is wrong with the words that were typed."""

    def main(self, *args: Any, standalone_mode: bool = True, **kwargs: Any) -> Any:
        """Run, and end the process; without `standalone_mode` return or raise instead."""
        run: Any = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **kwargs)
        try:
            code = run(*args, standalone_mode=False, **kwargs)
        except typer.Abort:
            raise SystemExit(130) from None
        except _UsageError as error:
            raise SystemExit(_say(error)) from None
        raise SystemExit(code if isinstance(code, int) else 0)


def _say(error: Any) -> int:
    """Print a usage error, or the help where nothing but a group of commands was named; return the exit code."""
    path = error.ctx.command_path if error.ctx is not None else "gridglow"
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.ctx.get_help(), err=True)
    else:
        where = path.partition(" ")[2]
        message = f"{where}: {error.format_message()}" if where else error.format_message()
        typer.echo(_line(f"{message.rstrip('.')}; `{path} --help` tells what is allowed"), err=True)
    return int(error.exit_code)
