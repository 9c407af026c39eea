"""What a person sees of `gridglow simulate`: progress while it runs, and at the end how it went.

The figures and the meters not read come from the same summary that goes into summary.json; the tiles and jobs from the
events. Neighbour: `report_unread` (what a run left undone).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from emulation.observe.facts import station_name
from emulation.observe.prose import clock_text
from emulation.scenario import Scenario
from g3plc.events import Event, Job, Power, ReadDone, ReadFailed
from gridglow.report_unread import job_line, unfinished, unread_lines, unread_word
from gridglow.simulate import Outcome, run

if TYPE_CHECKING:
    from emulation.observe.tap import Failure
    from emulation.sim import Simulation

MOST_TILES = 120
"""Above so many meters the wall of tiles gives way to the histogram alone."""
HOP_STYLES = ("white", "bright_green", "bright_cyan", "bright_yellow", "orange1", "bright_magenta")


class Results:
    """An observer that keeps what the report shows one by one: readings, failures, jobs."""

    def __init__(self) -> None:
        self.read: dict[int, ReadDone] = {}
        self.failed: dict[int, ReadFailed] = {}
        self.jobs: list[Job] = []
        self.open: dict[int, Job] = {}
        self.seen: set[int] = set()
        self.coordinator_on = True

    def observe(self, events: Sequence[Event]) -> None:
        """Pick out these kinds, and whether the coordinator is on."""
        for event in events:
            if isinstance(event, ReadDone):
                self.read[event.meter] = event
            elif isinstance(event, ReadFailed):
                self.failed[event.meter] = event
            elif isinstance(event, Job):
                self._job(event)
            elif isinstance(event, Power) and event.node == 0:
                self.coordinator_on = bool(event.on)

    def _job(self, event: Job) -> None:
        self.seen.add(event.job)
        if event.status == "accepted":
            self.open[event.job] = event
        else:
            self.open.pop(event.job, None)
            self.jobs.append(event)

    def close(self) -> None:
        """Nothing to let go of."""


def simulate(scenario: Scenario, seed: int | None, out: Path | None, quiet: bool, psdu: bool) -> list[Failure]:
    """Run, with progress, and print the report; returns what stopped watching on the way.

    OSError if evidence cannot be written.
    """
    console = Console(highlight=False)
    results = Results()
    if quiet:
        return run(scenario, seed, out, [results], psdu=psdu).failures
    used_seed = scenario.seed if seed is None else seed
    title = escape(scenario.title)
    console.print(f"[bold]{title}[/]  [dim]{escape(scenario.name)}, seed {used_seed}, profile {scenario.profile}[/]")
    outcome = _with_progress(console, scenario, used_seed, out, results, psdu)
    console.print(picture(scenario, outcome.summary, results, console.width))
    if out is not None and not outcome.failures:
        what = "summary, readings, events, logs, capture, sequence diagram"
        console.print(f"[dim]evidence in[/] {escape(str(out))}[dim]: {what}[/]")
    return outcome.failures


def _with_progress(
    console: Console, scenario: Scenario, seed: int, out: Path | None, results: Results, psdu: bool
) -> Outcome:
    columns = (TextColumn("{task.fields[clock]}"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=scenario.meters, clock=clock_text(0))

        def tick(simulation: Simulation) -> None:
            simulation.trace.flush()
            done = len(results.read) + len(results.failed)
            progress.update(
                task,
                completed=done,
                description=f"{len(results.read)} of {scenario.meters} meters read",
                clock=clock_text(simulation.emulated_us),
            )

        return run(scenario, seed, out, [results], tick, psdu)


def picture(scenario: Scenario, summary: dict[str, Any], results: Results, width: int) -> Group:
    """The report: tiles of the meters, jobs, figures."""
    parts: list[Any] = [""]
    collected = any(job.verb == "collect" for job in [*results.jobs, *results.open.values()])
    unread = {entry["meter"]: entry for entry in summary["failed"]}
    if collected and scenario.meters <= MOST_TILES:
        cells = [_tile(meter, results, unread) for meter in range(1, scenario.meters + 1)]
        parts.append(_tiles(cells, width))
    parts.extend(job_line(job) for job in results.jobs if job.verb != "collect" or job.status == "failed")
    parts.extend(unfinished(scenario, summary, results))
    if collected:
        parts.extend(["", *([_hop_table(summary, results)] if results.read else []), *unread_lines(summary["failed"])])
    parts.extend(["", _figures(summary)])
    return Group(*parts)


def _tiles(cells: list[Text], width: int) -> Table:
    """One tile a meter, as many across as fit."""
    across = max(1, min(12, width // 15))
    while across > 1 and _width(cells, across) > width:
        across -= 1
    table = Table.grid(padding=(0, 1))
    for _ in range(across):
        table.add_column(no_wrap=True)
    for start in range(0, len(cells), across):
        table.add_row(*cells[start : start + across])
    return table


def _width(cells: list[Text], across: int) -> int:
    """Columns of the terminal that the tiles take, so many in a row."""
    widest = [max((cell.cell_len for cell in cells[start::across]), default=0) for start in range(across)]
    return sum(widest) + across


def _tile(meter: int, results: Results, unread: dict[str, dict[str, str]]) -> Text:
    """The meter's number, hops, seconds, tries beyond the first; or how far it came."""
    done = results.read.get(meter)
    if done is None:
        failed = meter in results.failed
        word = "failed" if failed else unread_word(unread.get(station_name(meter)))
        return Text(f"{meter:>3} {word}", style="bold magenta" if failed else "dim")
    tile = Text(f"{meter:>3} ", style="bold")
    tile.append("●" * done.hops, style=_hop_style(done.hops))
    tile.append(f" {_seconds(done.duration_us)}", style="dim")
    if done.attempts > 1:
        tile.append(f"×{done.attempts}", style="yellow")
    return tile


def _hop_style(hops: int) -> str:
    return HOP_STYLES[min(hops, len(HOP_STYLES) - 1)]


def _seconds(us: int) -> str:
    return f"{us // 1_000_000}.{us // 100_000 % 10} s" if us < 10_000_000 else f"{us // 1_000_000} s"


def _hop_table(summary: dict[str, Any], results: Results) -> Table:
    """How far the meters are, and how long their sessions took."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("hops", "meters", "", "median", "slowest"):
        table.add_column(name, justify="left" if name == "" else "right")
    meters = max([1, *summary["hops"].values()])
    for hops, count in summary["hops"].items():
        times = sorted(done.duration_us for done in results.read.values() if done.hops == int(hops))
        if not times:
            continue
        bar = Text("━" * max(1, 24 * count // meters), style=_hop_style(int(hops)))
        table.add_row(hops, str(count), bar, _seconds(times[len(times) // 2]), _seconds(times[-1]))
    return table


def _figures(summary: dict[str, Any]) -> Text:
    frames = summary["frames_by_type"]
    most = sorted(frames.items(), key=lambda item: (-item[1], item[0]))[:5]
    text = Text()
    if summary["read"] or summary["failed"]:
        text.append(f"{summary['read']} of {summary['meters']} meters read", style="bold green")
        text.append(" in ")
    factor = summary["emulated_s"] / max(summary["wall_s"], 0.001)
    text.append(f"{_span(round(summary['emulated_s']))} of the network's time, ")
    text.append(f"{summary['wall_s']:.2f} s of ours ({factor:.0f}×)\n")
    text.append(f"{summary['frames']} transmissions, each heard by {summary['hearers']} stations: ", style="dim")
    text.append(", ".join(f"{count} {name}" for name, count in most) + "\n", style="dim")
    rtt = summary["rtt_ms"]
    # of no answers there is no time
    trip = f", round trip {rtt['p50']} ms (p95 {rtt['p95']} ms)" if rtt["p95"] else ""
    text.append(
        f"{100 * summary['delivery_ratio']:.1f} % of frames delivered, {summary['retries']} retries, "
        f"{summary['collisions']} collisions{trip}\n",
        style="dim",
    )
    text.append(f"digest {summary['digest']}", style="dim")
    return text


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
