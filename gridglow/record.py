"""`gridglow record`: a live run, written down in the form of the evidence that `simulate` leaves.

Heavy imports happen inside the command. Neighbours: `recording` (events in their order, the files), `live_cli`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridglow.errors import fail, path_of
from gridglow.live_cli import DEFAULT_BROKER, DEFAULT_PAN, BrokerOption, PanOption


def record(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", parser=path_of, help="made if need be; an earlier record is replaced")
    ],
    seconds: Annotated[
        float | None, typer.Option("--for", min=0.1, metavar="SECONDS", help="of your time; default: until Ctrl-C")
    ] = None,
    feeder: Annotated[
        str, typer.Option(metavar="FILE", envvar="GRIDGLOW_FEEDER", help="default: the one that the run names")
    ] = "",
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Record a live run until interrupted, or until it is over: events, logs, capture, readings, diagram."""
    from emulation.grid.feeder import Feeder, FeederError
    from emulation.live.command_line import OptionError, pan_of
    from emulation.live.live_run import RunError
    from emulation.live.mqtt import BrokerUrl, BrokerUrlError
    from gridglow.live_client import LiveError
    from gridglow.record_run import run

    try:
        url, number = BrokerUrl.parse(broker), pan_of(pan)
        chosen = Feeder.load(feeder) if feeder else None
    except BrokerUrlError as error:
        fail(f"--broker {error}", 2)
    except OptionError as error:
        fail(error, 2)
    except FeederError as error:
        fail(f"--feeder {error}", 2)
    try:
        run(url, number, folder, seconds, chosen)
    except (LiveError, RunError) as error:
        fail(error)
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror}")
