"""`gridglow render`: a recorded run as a film or a picture. Heavy imports happen inside the command.

Neighbours: `render_run` (makes it), `leds` (the same run in the terminal).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridglow.errors import fail, path_of
from gridglow.leds import (
    DEFAULT_SPEED,
    FollowOption,
    SpeedOption,
    ThemeOption,
    check_theme,
    moment_of,
    permille_of,
    station_of,
)

if TYPE_CHECKING:
    from gridglow.render_run import FilmPlan

FORMATS = (".gif", ".mp4", ".png")
DEFAULT_SIZE = "800x500"
_FPS = {".gif": 20, ".mp4": 30, ".png": 1}


def render(
    run: Annotated[
        Path, typer.Argument(metavar="RUN_DIR", parser=path_of, help="a folder of `simulate --out` or `record`")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", parser=path_of, help="film.gif, film.mp4, or picture.png with --at")
    ],
    speed: SpeedOption = DEFAULT_SPEED,
    start: Annotated[
        float | None, typer.Option("--from", min=0, metavar="SECONDS", help="of the run; default: see docs/light.md")
    ] = None,
    end: Annotated[float | None, typer.Option("--to", min=0, metavar="SECONDS", help="of the run")] = None,
    at: Annotated[
        float | None, typer.Option("--at", min=0, metavar="SECONDS", help="one moment of the run, as .png")
    ] = None,
    theme: ThemeOption = "safe",
    follow: FollowOption = None,
    fps: Annotated[
        int | None, typer.Option(min=1, max=50, help="pictures a second; default: gif 20, mp4 30", show_default=False)
    ] = None,
    size: Annotated[str, typer.Option(metavar="WxH", help="pixels")] = DEFAULT_SIZE,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress")] = False,
) -> None:
    """Draw a recorded run as a film: the tree, its LEDs, what happens."""
    from gridglow import render_run
    from led_gateway.replay import open_run

    kind = _kind(out, at)
    permille, pixels = permille_of(speed), _size(size)
    check_theme(theme)
    with _failures(out):
        reader, feeder = open_run(run)
        station = station_of(follow, feeder)
        plan = render_run.FilmPlan(reader, feeder, permille, theme, station, fps or _FPS[kind], pixels)
        if at is None:
            _film(plan, start, end, out, quiet)
        else:
            plan.from_us = moment_of("--at", at, render_run.end_us(plan))
            render_run.still(plan, out)


@contextmanager
def _failures(out: Path) -> Iterator[None]:
    """Say in one line why there is no picture, and end."""
    from emulation.observe.jsonl import EvidenceError
    from gridglow.render_film import FilmError

    try:
        yield
    except (EvidenceError, FilmError) as error:
        fail(error)
    except OSError as error:
        fail(f"{out if error.filename is None else _shown(error.filename, out)}: {error.strerror or error}")


def _film(plan: FilmPlan, start: float | None, end: float | None, out: Path, quiet: bool) -> None:
    """Which part, then the film. FilmError, EvidenceError, OSError."""
    from gridglow import render_run
    from gridglow.render_film import encoder

    if out.suffix.lower() == ".mp4":
        encoder()
    remark = render_run.choose(plan, start, end)
    if remark and not quiet:
        typer.echo(f"gridglow: {remark}", err=True)
    _draw(plan, out, quiet)


def _draw(plan: FilmPlan, out: Path, quiet: bool) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gridglow import render_run

    console = Console(stderr=True)
    columns = (TextColumn("drawing"), BarColumn(), MofNCompleteColumn(), TextColumn("pictures"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("", total=plan.pictures)
        render_run.film(plan, out, lambda done, _: bar.update(task, completed=done))
    if not quiet:
        octets = out.stat().st_size
        typer.echo(f"{out}: {plan.pictures / plan.fps:.1f} s, {octets / 1_000_000:.1f} MB")


def _shown(filename: str | bytes, out: Path) -> str:
    """The name to complain about: never that of the file that is renamed at the end."""
    name = str(filename)
    return str(out) if name.endswith(".part") else name


def _kind(out: Path, at: float | None) -> str:
    kind = out.suffix.lower()
    if kind not in FORMATS:
        fail(f"--out {out}: the name says what is made; allowed: {', '.join(FORMATS)}", 2)
    if (at is None) != (kind != ".png"):
        fail(f"--out {out}: a .png is one moment and takes --at SECONDS, a film does not", 2)
    return kind


def _size(text: str) -> tuple[int, int]:
    from gridglow.render_picture import LEAST_SIZE, MOST_SIZE

    wide, _, high = text.partition("x")
    (least_x, least_y), (most_x, most_y) = LEAST_SIZE, MOST_SIZE
    good = text.isascii() and wide.isdigit() and high.isdigit() and len(text) < 12
    if not good or not (least_x <= int(wide) <= most_x and least_y <= int(high) <= most_y):
        fail(f"--size {text}: expected like 800x500, from {least_x}x{least_y} to {most_x}x{most_y}", 2)
    return int(wide) // 2 * 2, int(high) // 2 * 2
