"""`python -m tests.bench [--short] [NAME...]`: the figures, measured on this machine; they also go into bench.json.

`--short` runs the long ones in a minute or less, to see that they work; their figures are then worth little.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from tests.bench.figure import CONSOLE, Figure, keep, table

BENCHES = (
    "codecs", "startup", "night", "hearers", "discovery", "heal", "meters500", "live",
    "light_render", "light_gateway", "light_firmware",
)  # fmt: skip
LONG = ("live_night", "live_speed", "live_truth", "live_truth4", "live_broken", "live_500")
"""Run only when named: three to twenty minutes each, and they want the machine for themselves."""
RESULT = Path("bench.json")


def main(words: list[str]) -> int:
    """Run the benches named, or all short ones. A missed target is shown, and is no error: the machine may be busy."""
    short = "--short" in words
    names = [word for word in words if word != "--short"]
    unknown = [name for name in names if name not in BENCHES + LONG]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES + LONG)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or BENCHES:
        measured = import_module(f"tests.bench.{name}").figures
        with CONSOLE.status(f"measuring {name}"):
            figures += measured(short) if name in LONG else measured()
        keep(figures, RESULT)
    CONSOLE.print(table(figures))
    missed = sum(one.met is False for one in figures)
    CONSOLE.print(f"{missed} of {sum(one.met is not None for one in figures)} targets missed; figures in {RESULT}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
