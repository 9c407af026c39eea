"""`gridglow feeder show | check | generate`: the commands around feeder files, one typer application.

Drawing and generating are in `emulation.grid`; they are imported when a command runs, so that the help of the whole
program stays quick. Neighbour: `errors` (what a person reads when something is wrong).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridglow.errors import Commands, fail, path_of
from gridglow.files import write_text

if TYPE_CHECKING:
    from emulation.grid.feeder import Feeder

app = typer.Typer(
    name="feeder",
    cls=Commands,
    help="Draw, check and generate feeders: the cable tree that is also the LED tree.",
    no_args_is_help=True,
    add_completion=False,
)

_FeederArgument = Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="a shipped feeder or a file")]


@app.command()
def show(
    feeder: _FeederArgument = "board",
    svg: Annotated[
        Path | None, typer.Option(metavar="OUT", parser=path_of, help="write an SVG map to this file")
    ] = None,
) -> None:
    """Draw a feeder in the terminal, and as SVG if asked."""
    from rich.console import Console

    from emulation.grid.feeder_draw import terminal
    from emulation.grid.feeder_svg import svg as draw_svg

    tree = _load(feeder)
    if svg is not None:
        write_text(svg, draw_svg(tree))
    console = Console()
    rows = console.height if console.is_terminal else 30
    console.print(terminal(tree, min(console.width, 160), max(rows - 2, 24)), soft_wrap=True)
    if svg is not None:
        console.print(f"map written to {svg}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def check(feeder: _FeederArgument) -> None:
    """Say OK with the counts, or refuse with file, line and reason."""
    from emulation.grid.feeder_draw import totals

    tree = _load(feeder)
    typer.echo(f"OK  {tree.name}: {totals(tree)} · sha256 {tree.sha256[:16]}")


@app.command()
def generate(
    meters: Annotated[int, typer.Option(help="number of meters, 1 to 2000")],
    seed: Annotated[int, typer.Option(help="0 to 4294967295; the same seed gives the same file")] = 1,
    name: Annotated[str | None, typer.Option(help="name in the file's header")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", parser=path_of, help="default: standard output")] = None,
) -> None:
    """Make a plausible feeder: streets, side streets, service drops, balanced phases."""
    from emulation.grid.feeder import Feeder
    from emulation.grid.feeder_generate import generate as make

    try:
        text = make(meters, seed, name)
    except ValueError as error:
        fail(error)
    tree = Feeder.loads(text)
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_text(out, text)
        plural = "s" if tree.meters > 1 else ""
        typer.echo(f"{tree.name} written to {out}: {tree.meters} meter{plural}, {tree.leds} LEDs")


def _load(feeder: str) -> Feeder:
    from emulation.grid.feeder import Feeder, FeederError

    try:
        return Feeder.load(feeder)
    except FeederError as error:
        fail(error)
