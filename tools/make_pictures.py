"""Draws the pictures of README and docs: the board's map, the report of a night, a diagram, and those of the light.

python tools/make_pictures.py        writes into docs/images; the light's are in light_pictures.py
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import light_pictures  # noqa: E402

from emulation.grid.feeder import Feeder  # noqa: E402
from emulation.grid.feeder_svg import svg  # noqa: E402
from emulation.scenario import load  # noqa: E402
from gridglow.report import Results, picture  # noqa: E402
from gridglow.simulate import run  # noqa: E402

IMAGES = ROOT / "docs" / "images"
COLUMNS = 124


def night() -> str:
    """The terminal after `gridglow simulate night`."""
    scenario, results = load("night"), Results()
    outcome = run(scenario, observers=[results])
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(Text.assemble(("$ ", "dim"), "gridglow simulate night"))
    console.print(
        f"[bold]{scenario.title}[/]  [dim]{scenario.name}, seed {scenario.seed}, profile {scenario.profile}[/]"
    )
    console.print(picture(scenario, outcome.summary, results, COLUMNS))
    return console.export_svg(title="gridglow")


def row4() -> str:
    """The sequence diagram of the paper's four stations."""
    with TemporaryDirectory() as folder:
        run(load("row4"), out=Path(folder))
        return (Path(folder) / "sequence.svg").read_text(encoding="utf-8")


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    pictures = {"board": svg(Feeder.load("board")), "night": night(), "row4": row4()}
    for name, text in pictures.items():
        (IMAGES / f"{name}.svg").write_text(text, encoding="utf-8")
    light_pictures.draw(IMAGES)


if __name__ == "__main__":
    main()
