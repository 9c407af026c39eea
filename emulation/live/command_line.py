"""What the commands that start agents have in common: options, the loop, signals, exit code.

Neighbours: `python -m nodes` and `python -m coordinator`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from emulation.grid.feeder import Feeder, FeederError
from emulation.live.heartbeat import heartbeat
from emulation.live.host import Host, HostOptions
from emulation.live.live_run import Build
from emulation.live.mqtt import BrokerUrl, BrokerUrlError
from emulation.live.selector import ExactSelector
from emulation.live.topics import DEFAULT_PAN, LEVELS

BrokerOption = Annotated[
    str,
    typer.Option(
        "--broker",
        metavar="URL",
        envvar="GRIDGLOW_BROKER",
        help="mqtt://host:port, mqtt://user:password@host:port, or mqtts://...",
    ),
]
PanOption = Annotated[str, typer.Option("--pan", metavar="HEX", envvar="GRIDGLOW_PAN", help="PAN id, 4 hex digits")]
FeederOption = Annotated[
    str, typer.Option("--feeder", metavar="FILE", envvar="GRIDGLOW_FEEDER", help="default: the one that the run names")
]
LevelOption = Annotated[
    str, typer.Option("--log-level", envvar="GRIDGLOW_LOG_LEVEL", help=f"one of {', '.join(LEVELS)}")
]
FormatOption = Annotated[str, typer.Option("--log-format", envvar="GRIDGLOW_LOG_FORMAT", help="text or json")]
FolderOption = Annotated[
    Path | None, typer.Option("--log-dir", metavar="DIR", envvar="GRIDGLOW_LOG_DIR", help="a log file per station")
]

DEFAULT_BROKER = "mqtt://127.0.0.1:1883"
DEFAULT_PAN_TEXT = f"{DEFAULT_PAN:04x}"

REFUSED = 3
"""Exit code when no agent got its identity, or the run has none of the stations."""
_MOST_FOR_SELECT = 200


class OptionError(ValueError):
    """An option that cannot be used; the message says what is allowed."""


def options_of(
    broker: str, stations: tuple[int, ...], pan: str, feeder: str, level: str, form: str, folder: Path | None
) -> HostOptions:
    """Checked options. OptionError."""
    try:
        url = BrokerUrl.parse(broker)
        chosen = Feeder.load(feeder) if feeder else None
    except BrokerUrlError as error:
        raise OptionError(f"--broker {error}") from error
    except FeederError as error:
        raise OptionError(f"--feeder {error}") from error
    if level not in LEVELS:
        raise OptionError(f"--log-level {level!r}; allowed: {', '.join(LEVELS)}")
    return HostOptions(url, stations, pan_of(pan), chosen, level, is_json(form), folder)


def is_json(form: str) -> bool:
    """Whether lines of the log are to be JSON, from --log-format. OptionError."""
    if form not in ("text", "json"):
        raise OptionError(f"--log-format {form!r}; allowed: text, json")
    return form == "json"


def pan_of(text: str) -> int:
    """A PAN id from hex digits. OptionError."""
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not 0 <= number <= 0xFFFF or len(text) > 4:
        raise OptionError(f"--pan {text!r}; allowed: one to four hex digits")
    return number


def stations_of(text: str, most: int) -> tuple[int, ...]:
    """Station numbers from a list like `1-12,17`. OptionError."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        bounds = (first, last or first)
        if not all(bound.isascii() and bound.isdigit() and len(bound) <= 5 for bound in bounds):
            raise OptionError(f"--meters {part.strip()!r}: expected numbers and ranges like 1-12,17")
        low, high = int(bounds[0]), int(bounds[1])
        if not 1 <= low <= high <= most:
            raise OptionError(f"--meters {part.strip()!r}: allowed are meters 1 to {most}")
        found.update(range(low, high + 1))
    return tuple(sorted(found))


def run_host(options: HostOptions, build: Build) -> int:
    """Run a process until a signal comes; the exit code says whether it was of any use."""
    configure_logging(options.log_level)
    return run_loop(lambda: _host(options, build), len(options.stations))


def run_loop(work: Callable[[], Coroutine[Any, Any, int]], connections: int) -> int:
    """Run a coroutine on the loop whose timers are most exact: select, where there are few enough sockets."""

    def loop() -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(ExactSelector() if connections <= _MOST_FOR_SELECT else None)

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(work())


def configure_logging(level: str) -> None:
    """The program's own messages go to stderr, without stamps: those belong to whoever collects them."""
    logging.basicConfig(stream=sys.stderr, level=level.upper(), format="%(message)s")


async def _host(options: HostOptions, build: Build) -> int:
    host = Host(options, build)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, host.stop)
    beating = asyncio.create_task(heartbeat(lambda: host.connection.up.is_set()))
    await host.run_process()
    beating.cancel()
    if host.useless:
        typer.echo(host.useless, err=True)
        return REFUSED
    return REFUSED if host.refused_all and not host.stopped else 0
