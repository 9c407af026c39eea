"""`python -m coordinator`: the agent of the PAN coordinator."""

from __future__ import annotations

import typer

from coordinator.factory import coordinator as build
from emulation.live import command_line as cli

STATION = 0


def main(
    broker: cli.BrokerOption = cli.DEFAULT_BROKER,
    pan: cli.PanOption = cli.DEFAULT_PAN_TEXT,
    feeder: cli.FeederOption = "",
    log_level: cli.LevelOption = "info",
    log_format: cli.FormatOption = "text",
    log_dir: cli.FolderOption = None,
) -> None:
    """Run the coordinator's agent against an MQTT broker, until interrupted."""
    try:
        options = cli.options_of(broker, (STATION,), pan, feeder, log_level, log_format, log_dir)
    except cli.OptionError as error:
        typer.echo(f"coordinator: {error}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(cli.run_host(options, build))


if __name__ == "__main__":
    typer.run(main)
