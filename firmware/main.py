"""Starts the board. Wrong settings are said on the console; whatever else goes wrong, the board starts again."""

import gc
import sys
from time import sleep_ms

import machine

# What compiling leaves behind is swept away often, so that pictures find room in one piece.
gc.threshold(8192)

from glow.settings import SettingsError, read  # noqa: E402

try:
    settings = read()
except SettingsError as error:
    print("This board's settings are wrong:", error, "Put them right and copy config.py to the board again.", sep="\n")
else:
    try:
        from glow.app import Board

        Board(settings).run()
    except Exception as error:
        sys.print_exception(error)
        sleep_ms(3000)
        machine.reset()
