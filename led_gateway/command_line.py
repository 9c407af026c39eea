"""The gateway's options, checked: what `python -m led_gateway` and `gridglow up` have in common."""

from __future__ import annotations

from typing import Annotated

import typer

from emulation.live import command_line as cli
from emulation.live.command_line import OptionError
from led_gateway.config_record import MOST_SUPPLY_MA
from led_gateway.ddp import DdpError, DdpHost, hosts_of
from led_gateway.gateway import GatewayOptions
from led_gateway.settings import LEAST_FPS, MOST_FPS, SettingError, Settings, brightness_of, fps_of, theme_of
from led_gateway.themes import THEMES

FpsOption = Annotated[
    str, typer.Option("--fps", metavar="N", envvar="GRIDGLOW_FPS", help=f"frames per second, {LEAST_FPS} to {MOST_FPS}")
]
ThemeOption = Annotated[str, typer.Option("--theme", envvar="GRIDGLOW_THEME", help=f"one of {', '.join(THEMES)}")]
BrightnessOption = Annotated[str, typer.Option("--brightness", envvar="GRIDGLOW_BRIGHTNESS", help="0 to 1")]
SupplyOption = Annotated[
    int, typer.Option("--supply", metavar="MA", envvar="GRIDGLOW_SUPPLY_MA", help="what the LEDs' supply can give")
]
DdpOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ddp", metavar="HOST[:PORT]", help="also to this WLED controller; repeatable, or GRIDGLOW_DDP with commas"
    ),
]
DDP_VARIABLE = "GRIDGLOW_DDP"


def ddp_hosts(given: list[str] | None, listed: str) -> list[DdpHost]:
    """The hosts of options and of the environment variable. OptionError."""
    try:
        return [host for text in [*(given or []), listed] for host in hosts_of(text)]
    except DdpError as error:
        raise OptionError(f"--ddp {error}") from error


def options_of(
    broker: str, pan: str, feeder: str, level: str, fps: str, theme: str, brightness: str, supply_ma: int,
    ddp: list[DdpHost],
) -> GatewayOptions:  # fmt: skip
    """Checked options. OptionError."""
    host = cli.options_of(broker, (), pan, feeder, level, "text", None)
    try:
        settings = Settings(theme_of(theme), None, brightness_of(brightness), fps_of(fps))
    except SettingError as error:
        raise OptionError(f"--{error}") from error
    if not 0 < supply_ma <= MOST_SUPPLY_MA:
        raise OptionError(f"--supply {supply_ma}; allowed: 1 to {MOST_SUPPLY_MA} mA")
    return GatewayOptions(host.url, host.pan, host.feeder, settings, supply_ma, ddp)
