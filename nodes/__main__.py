"""`python -m nodes`: the agents of one, some or all meters."""

from __future__ import annotations

from typing import Annotated

import typer

from emulation.live import command_line as cli
from emulation.live.topics import MOST_STATIONS
from nodes.factory import meters as build

BOARD_METERS = "1-48"


def main(
    meters: Annotated[
        str, typer.Option("--meters", envvar="GRIDGLOW_METERS", help="which meters, like 1-12,17")
    ] = BOARD_METERS,
    broker: cli.BrokerOption = cli.DEFAULT_BROKER,
    pan: cli.PanOption = cli.DEFAULT_PAN_TEXT,
    feeder: cli.FeederOption = "",
    log_level: cli.LevelOption = "info",
    log_format: cli.FormatOption = "text",
    log_dir: cli.FolderOption = None,
) -> None:
    """Run meters' agents against an MQTT broker, until interrupted."""
    try:
        stations = cli.stations_of(meters, MOST_STATIONS)
        options = cli.options_of(broker, stations, pan, feeder, log_level, log_format, log_dir)
    except cli.OptionError as error:
        typer.echo(f"nodes: {error}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(cli.run_host(options, build))


if __name__ == "__main__":
    typer.run(main)
