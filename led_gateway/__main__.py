"""`python -m led_gateway`: the light of one PAN."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys

import typer

from emulation.live import command_line as cli
from emulation.live.heartbeat import heartbeat
from led_gateway import command_line as own
from led_gateway.gateway import Gateway, GatewayOptions
from led_gateway.settings import Settings
from led_gateway.show import DEFAULT_SUPPLY_MA

_DEFAULTS = Settings()


def main(
    broker: cli.BrokerOption = cli.DEFAULT_BROKER,
    pan: cli.PanOption = cli.DEFAULT_PAN_TEXT,
    feeder: cli.FeederOption = "",
    log_level: cli.LevelOption = "info",
    fps: own.FpsOption = str(_DEFAULTS.fps),
    theme: own.ThemeOption = _DEFAULTS.theme,
    brightness: own.BrightnessOption = f"{_DEFAULTS.brightness:g}",
    supply: own.SupplyOption = DEFAULT_SUPPLY_MA,
    ddp: own.DdpOption = None,
) -> None:
    """Turn the traffic on an MQTT broker into light, until interrupted."""
    try:
        hosts = own.ddp_hosts(ddp, os.environ.get(own.DDP_VARIABLE, ""))
        options = own.options_of(broker, pan, feeder, log_level, fps, theme, brightness, supply, hosts)
    except cli.OptionError as error:
        typer.echo(f"led_gateway: {error}", err=True)
        raise typer.Exit(2) from None
    cli.configure_logging(log_level)
    _say_on_stdout()
    raise typer.Exit(cli.run_loop(lambda: _run(options), 1 + len(hosts)))


def _say_on_stdout() -> None:
    """What becomes of the light is said there, as stations say theirs; the rest of the log goes to stderr."""
    lines = logging.getLogger("gridglow.light")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("light       %(message)s"))
    lines.addHandler(handler)
    lines.propagate = False


async def _run(options: GatewayOptions) -> int:
    gateway = Gateway(options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, gateway.stop)
    # what is here now stays: collections that looked at it would hold up frames
    gc.collect()
    gc.freeze()
    beating = asyncio.create_task(heartbeat(lambda: gateway.works))
    await gateway.run()
    beating.cancel()
    return 0


if __name__ == "__main__":
    typer.run(main)
