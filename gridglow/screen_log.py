"""Connections write what happens to them into the log; a command that draws says it on its screen instead.

Neighbours: `leds_run`, `board_light`.
"""

from __future__ import annotations

import logging


def keep_log_off_screen() -> None:
    """From now on nothing of ours is logged on standard error, which may be the terminal that is drawn on."""
    logging.getLogger("gridglow").addHandler(logging.NullHandler())
