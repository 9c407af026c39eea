"""`gridglow leds`: the light in the terminal, without hardware: of a broker, or of a recorded run.

Heavy imports happen inside the command. Neighbours: `leds_run` (the screen's life), `leds_replay`, `render` (films).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridglow.errors import fail, path_of
from gridglow.live_cli import DEFAULT_BROKER, DEFAULT_PAN, BrokerOption, PanOption

if TYPE_CHECKING:
    from emulation.grid.feeder import Feeder

DEFAULT_SPEED = "0.25"
SpeedOption = Annotated[str, typer.Option("--speed", metavar="X", help="of a recorded run: 0.01 to 64 times real time")]
ThemeOption = Annotated[str, typer.Option("--theme", help="of a recorded run: safe, classic, mono or calm")]
FollowOption = Annotated[
    int | None,
    typer.Option("--follow", min=0, metavar="STATION", help="of a recorded run: draw this one's traffic only"),
]


def leds(
    context: typer.Context,
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN_DIR]", parser=path_of, help="a recorded run; default: the broker's")
    ] = None,
    speed: SpeedOption = DEFAULT_SPEED,
    start: Annotated[float, typer.Option("--from", min=0, metavar="SECONDS", help="of the recorded run's time")] = 0.0,
    theme: ThemeOption = "safe",
    follow: FollowOption = None,
    once: Annotated[bool, typer.Option("--once", help="print one picture and end")] = False,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", parser=path_of, help="write one picture as SVG and end")
    ] = None,
    fps: Annotated[int, typer.Option(min=1, max=60, help="pictures a second")] = 25,
    feeder: Annotated[
        str, typer.Option(metavar="FILE", envvar="GRIDGLOW_FEEDER", help="default: the one that the light names")
    ] = "",
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Show the light in the terminal: the cable tree, its LEDs, what happens. q ends it."""
    try:
        if run is None:
            _refuse_options_of_a_run(context)
            _live(broker, pan, feeder, fps, once, svg)
        else:
            _recorded(run, speed, start, theme, follow, fps, once, svg)
    except OSError as error:
        fail(f"{error.filename or svg or run}: {error.strerror}")


def _refuse_options_of_a_run(context: typer.Context) -> None:
    """A light that many look at is not set by one of them without a word."""
    for name, option in (("speed", "--speed"), ("start", "--from"), ("theme", "--theme"), ("follow", "--follow")):
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE":
            fail(f"{option} is for a recorded run; a live light is set for everybody with `gridglow light`", 2)


def _live(broker: str, pan: str, feeder: str, fps: int, once: bool, svg: Path | None) -> None:
    from emulation.grid.feeder import FeederError
    from emulation.live.command_line import OptionError, pan_of
    from emulation.live.mqtt import BrokerUrl, BrokerUrlError
    from gridglow import leds_run
    from gridglow.live_client import LiveError

    try:
        url, number, own = BrokerUrl.parse(broker), pan_of(pan), _feeder(feeder)
    except BrokerUrlError as error:
        fail(f"--broker {error}", 2)
    except OptionError as error:
        fail(error, 2)
    except FeederError as error:
        fail(f"--feeder {error}", 2)
    try:
        leds_run.live(url, number, own, fps, once, svg)
    except LiveError as error:
        fail(error)


def _feeder(name: str) -> Feeder | None:
    from emulation.grid.feeder import Feeder

    return Feeder.load(name) if name else None


def _recorded(
    run: Path, speed: str, start: float, theme: str, follow: int | None, fps: int, once: bool, svg: Path | None
) -> None:
    from emulation.observe.jsonl import EvidenceError
    from gridglow import leds_run
    from gridglow.leds_replay import Playback
    from led_gateway.replay import display_ms, length_us, open_run

    permille = permille_of(speed)
    check_theme(theme)
    try:
        reader, feeder = open_run(run)
        playback = Playback(reader, feeder, permille, theme, station_of(follow, feeder))
        from_us = moment_of("--from", start, length_us(reader.path))
        leds_run.recorded(playback, feeder, display_ms(from_us, permille), fps, once, svg)
    except EvidenceError as error:
        fail(error)


def permille_of(text: str) -> int:
    """The speed of a recorded run in thousandths; ends with code 2 for anything else."""
    from led_gateway.replay import LEAST_PERMILLE, MOST_PERMILLE

    try:
        permille = int(Decimal(text.removesuffix("x")).quantize(Decimal("0.001")) * 1000)
    except (InvalidOperation, ValueError):  # the latter for `nan`
        permille = 0
    if not LEAST_PERMILLE <= permille <= MOST_PERMILLE:
        fail(f"--speed {text}: allowed: {LEAST_PERMILLE / 1000:g} to {MOST_PERMILLE / 1000:g} times real time", 2)
    return permille


def moment_of(option: str, seconds: float, end_us: int) -> int:
    """A moment of a run in microseconds; ends with code 2 for one after its end."""
    if seconds * 1_000_000 > end_us:
        fail(f"{option} {seconds:g}: the run ends at {end_us / 1_000_000:.1f} s", 2)
    return round(seconds * 1_000_000)


def check_theme(theme: str) -> None:
    """End with code 2 unless there is such a theme."""
    from led_gateway.themes import THEMES

    if theme not in THEMES:
        fail(f"--theme {theme}: unknown; allowed: {', '.join(THEMES)}", 2)


def station_of(follow: int | None, feeder: Feeder) -> int:
    """The station to follow, -1 for none; ends with code 2 where it is not in the feeder."""
    if follow is None:
        return -1
    if follow > feeder.meters:
        fail(f"--follow {follow}: the run has the stations 0 to {feeder.meters}", 2)
    return follow
