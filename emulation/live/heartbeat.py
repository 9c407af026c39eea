"""A file that is touched as long as a process does its work: what a container's health check looks at.

A check that asks the broker would start a Python and a connection every few seconds in every container; the age of a
file costs nothing. Neighbours: the Dockerfile's HEALTHCHECK, and the mains of director, coordinator and nodes.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

_log = logging.getLogger("gridglow.heartbeat")

VARIABLE = "GRIDGLOW_HEARTBEAT"
"""Environment variable with the file's path; without it there is no file."""
EVERY_S = 2.0


async def heartbeat(works: Callable[[], bool]) -> None:
    """Touch the file every two seconds while `works()` is true (connected, clock known); runs until cancelled.

    Returns at once where no file is asked for. A file that cannot be written is said once and never stops a run.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return
    path, said = Path(name), False
    while True:
        if works():
            try:
                path.touch()
                said = False
            except OSError as error:
                if not said:
                    _log.warning("heartbeat file %s: %s", path, error.strerror)
                said = True
        await asyncio.sleep(EVERY_S)
