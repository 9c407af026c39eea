"""A figure with its target, and how figures are shown and kept."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

CONSOLE = Console(highlight=False)


def say(text: str) -> None:
    """How far a long bench has come."""
    CONSOLE.print(f"[dim]{datetime.now():%H:%M:%S}[/] {text}")


@dataclass(slots=True)
class Figure:
    """One measured number. `target`: its upper bound in the same unit (None: shown, not judged); `run`: where from."""

    bench: str
    name: str
    value: float
    unit: str
    run: str
    target: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


Bench = Callable[[], Iterable[Figure]]


def table(figures: Sequence[Figure]) -> Table:
    """The figures as a person reads them."""
    grid = Table(box=box.SIMPLE_HEAD, header_style="dim", title_justify="left")
    for name in ("", "figure"):
        grid.add_column(name)
    for name in ("measured", "target"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("")
    grid.add_column("run", style="dim")
    shown = ""
    for one in figures:
        bound = "" if one.target is None else f"{'≥' if one.at_least else '≤'} {_number(one.target)}"
        verdict = {None: Text(""), True: Text("met", style="green"), False: Text("MISSED", style="bold magenta")}
        name = one.bench if one.bench != shown else ""
        grid.add_row(
            Text(name, style="bold"), one.name, f"{_number(one.value)} {one.unit}", bound, verdict[one.met], one.run
        )
        shown = one.bench
    return grid


def keep(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures, and what they were measured on, as JSON."""
    content = {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "figures": [asdict(one) | {"met": one.met} for one in figures],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    if value == float("inf"):
        return "never"
    if value == int(value):
        return str(int(value))
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile. Values that never came are `inf`; of nothing it is `inf` too."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)] if ordered else float("inf")
