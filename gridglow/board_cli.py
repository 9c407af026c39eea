"""`gridglow board ...`: for the person who builds a board: a walk over it, its configuration, its status, recordings.

Heavy imports happen inside the commands. Neighbours: `board_walk_run`, `board_record`, `board_status`, `board_config`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridglow.errors import fail, path_of
from gridglow.live_cli import DEFAULT_BROKER, DEFAULT_PAN, BrokerOption, PanOption

if TYPE_CHECKING:
    from emulation.grid.feeder import Feeder
    from emulation.live.mqtt import BrokerUrl
    from gridglow.board_walk import Step
    from led_gateway.ddp import DdpHost

app = typer.Typer(
    name="board",
    help="Build a board of LEDs: light it piece by piece, configure it, record and play what it shows.",
    no_args_is_help=True,
    add_completion=False,
)

FeederOption = Annotated[
    str, typer.Option("--feeder", metavar="NAME_OR_FILE", envvar="GRIDGLOW_FEEDER", help="a shipped feeder or a file")
]
DdpOption = Annotated[
    str, typer.Option("--ddp", metavar="HOST", help="send to this WLED controller instead; several with commas")
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", parser=path_of)]


@app.command()
def walk(
    feeder: FeederOption = "board",
    led: Annotated[int | None, typer.Option("--led", min=0, help="light this LED only")] = None,
    branch: Annotated[
        int | None, typer.Option("--branch", min=1, help="walk over this branch only, by its number in the walk")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="go on by itself; without a keyboard: 1")
    ] = None,
    ddp: DdpOption = "",
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Light branch by branch and LED by LED, and say what should be lit. Keys: space on, b back, n, p branch, q end."""
    from gridglow import board_walk_run
    from gridglow.live_client import LiveError

    tree = _feeder(feeder)
    steps = _steps(tree, led, branch)
    url, number, hosts = _where(broker, pan, ddp)
    try:
        board_walk_run.run(tree, steps, seconds, url, number, hosts)
    except LiveError as error:
        fail(error)


@app.command()
def record(
    file: FileArgument,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0.1, metavar="SECONDS", help="default: until Ctrl-C")
    ] = None,
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Record what the boards are shown; the file can be played, also by a board without network."""
    from gridglow import board_record
    from gridglow.live_client import LiveError

    url, number, _ = _where(broker, pan, "")
    try:
        typer.echo(board_record.record(url, number, file, seconds))
    except LiveError as error:
        fail(error)
    except OSError as error:
        fail(f"{file}: {error.strerror}")


@app.command()
def play(
    file: FileArgument,
    loop: Annotated[bool, typer.Option("--loop", help="again and again, until Ctrl-C")] = False,
    speed: Annotated[float, typer.Option(min=0.05, max=20, help="times the recorded pace")] = 1.0,
    ddp: DdpOption = "",
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Show a recording on the boards; the light gateway is silent meanwhile."""
    from gridglow import board_record
    from gridglow.live_client import LiveError
    from led_gateway.recording import RecordingError

    url, number, hosts = _where(broker, pan, ddp)
    try:
        board_record.play(url, number, hosts, board_record.Player(file, loop, speed))
    except LiveError as error:
        fail(error)
    except RecordingError as error:
        fail(f"{file}: {error}")
    except OSError as error:
        fail(f"{file}: {error.strerror}")


@app.command()
def status(broker: BrokerOption = DEFAULT_BROKER, pan: PanOption = DEFAULT_PAN) -> None:
    """Show the boards that have said something, and how they do."""
    from gridglow import board_status
    from gridglow.live_client import LiveError

    url, number, _ = _where(broker, pan, "")
    try:
        board_status.show(url, number)
    except LiveError as error:
        fail(error)


@app.command()
def config(
    board_id: Annotated[str, typer.Option("--id", metavar="NAME", help="the board's name; each needs its own")] = "1",
    feeder: Annotated[
        str,
        typer.Option("--feeder", metavar="NAME_OR_FILE", envvar="GRIDGLOW_FEEDER", help="default: the running light's"),
    ] = "",
    first: Annotated[int, typer.Option("--first", min=0, help="first LED of the picture on this board")] = 0,
    count: Annotated[int | None, typer.Option("--count", min=1, help="LEDs on this board; default: all others")] = None,
    pin: Annotated[int, typer.Option("--pin", min=0, max=48, help="GPIO of the strip's data line")] = 18,
    order: Annotated[str, typer.Option("--order", help="GRB, RGB, ...: of the colours in the strip")] = "GRB",
    supply: Annotated[int, typer.Option("--supply", min=100, metavar="MA", help="what its supply may give")] = 3000,
    ssid: Annotated[str, typer.Option("--ssid", help="of the Wi-Fi; the password belongs into secrets.py")] = "",
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Print the config.py of a board for this broker and its light."""
    from gridglow.board_config import ConfigError, config_text
    from gridglow.leds_run import light_of
    from gridglow.live_client import LiveError

    url, number, _ = _where(broker, pan, "")
    if sorted(order) != ["B", "G", "R"]:
        fail(f"--order {order}: allowed: GRB, RGB and the like", 2)
    try:
        tree = _feeder(feeder) if feeder else light_of(url, number, None)[1]
        if first >= tree.leds or (count or 1) > tree.leds - first:
            fail(f"--first {first}, --count {count or 1}: feeder {tree.name} has the LEDs 0 to {tree.leds - 1}", 2)
        branches = [(branch.first, branch.last, branch.parent) for branch in tree.branches]
        typer.echo(
            config_text(
                broker, number, board_id, count or tree.leds - first, branches,
                first_led=first, led_pin=pin, order=order, supply_ma=supply, wifi_ssid=ssid,
            ),
            nl=False,
        )  # fmt: skip
        _say_where_to(url.host)
    except LiveError as error:
        fail(error)
    except ConfigError as error:
        fail(error, 2)


def _say_where_to(host: str) -> None:
    """A person who copies the configuration to a board may not know that the broker hears this machine only."""
    from gridglow.board_config import reachable

    if reachable(host) != host:
        typer.echo(
            f"gridglow: BROKER is this machine's address, {reachable(host)}; a broker that listens on {host} only is "
            "not heard there: see --bind of `gridglow up`",
            err=True,
        )


def _feeder(name: str) -> Feeder:
    from emulation.grid.feeder import Feeder, FeederError

    try:
        return Feeder.load(name)
    except FeederError as error:
        fail(f"--feeder {error}", 2)


def _steps(tree: Feeder, led: int | None, branch: int | None) -> list[Step]:
    from gridglow.board_walk import walk

    if led is not None and branch is not None:
        fail("--led and --branch exclude each other", 2)
    if led is not None and led >= tree.leds:
        fail(f"--led {led}: feeder {tree.name} has the LEDs 0 to {tree.leds - 1}", 2)
    if branch is not None and branch > len(tree.branches):
        fail(f"--branch {branch}: feeder {tree.name} has the branches 1 to {len(tree.branches)}", 2)
    return [step for step in walk(tree) if led in (None, step.led) and branch in (None, step.number)]


def _where(broker: str, pan: str, ddp: str) -> tuple[BrokerUrl, int, list[DdpHost]]:
    from emulation.live.command_line import OptionError, pan_of
    from emulation.live.mqtt import BrokerUrl, BrokerUrlError
    from led_gateway.ddp import DdpError, hosts_of

    try:
        return BrokerUrl.parse(broker), pan_of(pan), hosts_of(ddp)
    except BrokerUrlError as error:
        fail(f"--broker {error}", 2)
    except OptionError as error:
        fail(error, 2)
    except DdpError as error:
        fail(f"--ddp {error}", 2)
