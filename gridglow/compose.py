"""`gridglow compose`: the override of compose.yaml that gives every meter a container of its own.

The result for the board's 48 meters is kept in the repository as `compose.per-meter.yaml`; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridglow.errors import path_of
from gridglow.files import write_text

FILE = "compose.per-meter.yaml"
BOARD_METERS = 48

_HEAD = """\
# Written by `gridglow compose --meters {meters} --out {file}`; change that, not this.
# One container per meter, so that `docker compose logs meter-17` and `docker compose kill meter-17` work:
#
#   export COMPOSE_FILE=compose.yaml:{file}
#   docker compose up

x-meter: &meter
  extends:
    file: compose.yaml
    service: nodes
  # Each check starts a process: often for three containers, seldom for many.
  healthcheck:
    interval: 30s

services:
  # All meters in one container: not beside these.
  nodes:
    profiles: [together]
"""
_METER = """
  meter-{meter}:
    <<: *meter
    environment:
      GRIDGLOW_METERS: "{meter}"
"""


def per_meter(meters: int) -> str:
    """The override file's text for meters 1 to `meters`."""
    return _HEAD.format(meters=meters, file=FILE) + "".join(_METER.format(meter=n + 1) for n in range(meters))


def compose(
    meters: Annotated[int, typer.Option(min=1, max=2000, help="number of meters")] = BOARD_METERS,
    out: Annotated[Path | None, typer.Option(metavar="FILE", parser=path_of, help="default: standard output")] = None,
) -> None:
    """Write an override for compose.yaml with one container per meter."""
    text = per_meter(meters)
    if out is None:
        typer.echo(text, nl=False)
        return
    write_text(out, text)
    typer.echo(f"{out}: {meters} meters")
