"""`gridglow up`: a live run with nothing but Python: broker, director and all stations, and what they are doing.

Heavy imports happen inside the command. Neighbours: `one_pan` (director, stations, light), `up_screen` (what is shown),
`emulation.live.broker` (the broker that is brought along).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridglow.errors import fail, path_of
from gridglow.files import make_folder
from gridglow.limits import MOST_SEED
from gridglow.live_cli import DEFAULT_PAN, SCENES

if TYPE_CHECKING:
    from emulation.live.broker import Kind
    from gridglow.up_run import UpOptions
    from led_gateway.ddp import DdpHost


def up(
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO", help="default: the paper's scenes in a loop")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="of the broker; 0: any free one", show_default="1883 if free")
    ] = None,
    bind: Annotated[str, typer.Option(metavar="ADDR", help="0.0.0.0 lets other machines in")] = "127.0.0.1",
    broker: Annotated[
        str,
        typer.Option(
            metavar="URL", help="join mqtt://user:password@host:port, or mqtts://...; or bring along mosquitto or amqtt"
        ),
    ] = "",
    speed: Annotated[str, typer.Option(metavar="X", help="0.05 to 16, instead of the scenarios' own")] = "",
    seed: Annotated[int | None, typer.Option(min=0, max=MOST_SEED, help="instead of the scenarios' own")] = None,
    pan: Annotated[str, typer.Option(metavar="HEX", envvar="GRIDGLOW_PAN", help="PAN id, 4 hex digits")] = DEFAULT_PAN,
    light: Annotated[bool, typer.Option("--light/--no-light", help="pictures for LED boards")] = True,
    ddp: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST[:PORT]", help="light up this WLED controller; repeatable, or GRIDGLOW_DDP=a,b"),
    ] = None,
    log_dir: Annotated[Path | None, typer.Option(metavar="DIR", parser=path_of, help="a log file per station")] = None,
    log_format: Annotated[
        str, typer.Option("--log-format", envvar="GRIDGLOW_LOG_FORMAT", help="of log files and topics: text or json")
    ] = "text",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="nothing but warnings")] = False,
) -> None:
    """Run the network live, in this process: a broker, 48 meters, their coordinator, the light. Ctrl-C ends it."""
    from gridglow import up_run

    options = _options(scenario, broker, speed, seed, pan, log_format)
    if options.url is not None and (port is not None or bind != "127.0.0.1"):
        fail("--broker joins a broker that is there; allowed: without --port and --bind", 2)
    options.port, options.bind, options.log_dir, options.quiet = port, bind, log_dir, quiet
    options.light = _light(light, ddp)
    if log_dir is not None:
        make_folder(log_dir)
    raise typer.Exit(up_run.run(options))


def _light(wanted: bool, given: list[str] | None) -> list[DdpHost] | None:
    """Hosts of the light, None without light."""
    from emulation.live.command_line import OptionError
    from led_gateway.command_line import DDP_VARIABLE, ddp_hosts

    if not wanted and given:
        fail("--ddp is a part of the light; allowed: without --no-light", 2)
    try:
        return ddp_hosts(given, os.environ.get(DDP_VARIABLE, "")) if wanted else None
    except OptionError as error:
        fail(error, 2)


def _options(scenario: str | None, broker: str, speed: str, seed: int | None, pan: str, log_format: str) -> UpOptions:
    from emulation.live.clock_command import speed as read_speed
    from emulation.live.command_line import OptionError, is_json, pan_of
    from emulation.live.command_text import CommandError, Envelope
    from emulation.live.mqtt import BrokerUrl, BrokerUrlError
    from emulation.scenario import ScenarioError, load
    from gridglow.up_run import UpOptions

    try:
        scenes = [load(name) for name in (SCENES if scenario is None else [scenario])]
        permille = read_speed(Envelope.read("--speed", speed.encode())).permille if speed else 0
        kind: Kind | None = "mosquitto" if broker == "mosquitto" else "amqtt" if broker == "amqtt" else None
        url = BrokerUrl.parse(broker) if broker and kind is None else None
        number, as_json = pan_of(pan), is_json(log_format)
    except (ScenarioError, OptionError) as error:
        fail(error, 2)
    except CommandError as error:
        fail(f"--speed: {error}", 2)
    except BrokerUrlError as error:
        fail(f"--broker {error}", 2)
    if permille is None:
        fail("--speed auto: only while running, `gridglow speed auto`", 2)
    for scene in scenes:
        scene.seed = scene.seed if seed is None else seed
    return UpOptions(scenes, url, number, permille if speed else None, kind=kind, log_json=as_json)
