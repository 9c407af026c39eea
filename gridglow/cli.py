"""`gridglow`: the command line. Heavy imports happen inside the commands, so that `--help` is quick."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from gridglow import board_cli, compose, feeder_cli, leds, light_cli, live_cli, record, render, up, wireshark_cli
from gridglow.errors import Commands, fail, path_of
from gridglow.limits import MOST_SEED

app = typer.Typer(
    name="gridglow",
    cls=Commands,
    help="Emulates a G3-PLC smart-meter network in real octets and shows what it does.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
VIRTUAL, LIVE, LIGHT, AROUND = "In virtual time", "Live, over MQTT", "Light", "Cables and containers"
"""The parts of the help, in this order."""


@app.command(rich_help_panel=VIRTUAL)
def simulate(
    scenario: Annotated[str, typer.Argument(help="a shipped scenario (see `gridglow scenarios`) or a .toml file")],
    seed: Annotated[int | None, typer.Option(min=0, max=MOST_SEED, help="another seed than the scenario's")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", parser=path_of, help="write the run's evidence into this folder")
    ] = None,
    psdu: Annotated[bool, typer.Option("--psdu", help="a second capture with every segment as it was sent")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress, no table")] = False,
) -> None:
    """Run a scenario in virtual time, as fast as the processor allows."""
    from emulation.scenario import ScenarioError, load
    from gridglow import report

    try:
        loaded = load(scenario)
        failures = report.simulate(loaded, seed, out, quiet, psdu)
    except ScenarioError as error:
        fail(error)
    except OSError as error:
        fail(f"{error.filename or out}: no evidence can be written there: {error.strerror}")
    if failures:
        fail(f"the evidence is incomplete: {'; '.join(str(failure) for failure in failures)}")


@app.command(rich_help_panel=VIRTUAL)
def scenarios() -> None:
    """List the scenarios that come with gridglow."""
    from emulation.scenario import load, shipped

    for name in shipped():
        scenario = load(name)
        typer.echo(f"{name:<12} {scenario.title}  ({scenario.feeder.name}, profile {scenario.profile})")


@app.command(rich_help_panel=VIRTUAL)
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", parser=path_of, help="a folder written by `simulate --out`")],
) -> None:
    """Run a recorded run again and compare digests."""
    from emulation.observe.jsonl import EvidenceError
    from emulation.scenario import ScenarioError
    from gridglow.verify import VerifyError
    from gridglow.verify import verify as again

    try:
        typer.echo(again(folder))
    except (VerifyError, ScenarioError, EvidenceError) as error:
        fail(error)
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror}")


@app.command(rich_help_panel=VIRTUAL)
def link(
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="seed of the back-offs")] = 1,
) -> None:
    """Measure one hop of the emulated network: delay and UDP throughput by modulation and datagram size."""
    from gridglow.link import table

    table(seed)


app.command(rich_help_panel=VIRTUAL)(wireshark_cli.wireshark)
app.command(rich_help_panel=LIVE)(up.up)
live_cli.mount(app, LIVE)
app.command(rich_help_panel=LIVE)(record.record)
app.command(rich_help_panel=LIGHT)(leds.leds)
app.command(rich_help_panel=LIGHT)(render.render)
app.add_typer(board_cli.app, rich_help_panel=LIGHT)
app.add_typer(light_cli.app, rich_help_panel=LIGHT)
app.add_typer(feeder_cli.app, rich_help_panel=AROUND)
app.command(rich_help_panel=AROUND)(compose.compose)


def main() -> None:
    """Entry point of the console script."""
    out = sys.stdout
    # the terminal may know ASCII only, and the name of a file may be no text at all
    if isinstance(out, TextIOWrapper) and (out.errors == "strict" or out.encoding.lower() != "utf-8"):
        out.reconfigure(errors="replace")
    try:
        app(prog_name="gridglow")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        raise SystemExit(141) from None
