"""What a run did not come to: jobs still open or never started, meters not read, each with the reason.

Neighbours: `report` (the picture that these lines stand in), `emulation.observe.unread` (the reasons).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from emulation.observe.facts import station_name
from emulation.observe.prose import clock_text
from emulation.observe.unread import NOT_ASKED, SWITCHED_OFF, limit_words
from emulation.scenario import Scenario
from g3plc.events import Job

if TYPE_CHECKING:
    from gridglow.report import Results

ALIKE = 4
"""From so many meters on with the same reason they share a line."""
MOST_NAMED = 48


def job_line(job: Job) -> Text:
    """When a job was over, what it was, and how it went."""
    return _line(job.t, job.verb, job.station, job.status, job.detail)


def unfinished(scenario: Scenario, summary: Mapping[str, Any], results: Results) -> list[Text]:
    """A line for each job that is open or was never started, and one for the limit where that is why."""
    why = "accepted then" if results.coordinator_on else SWITCHED_OFF
    lines = [_line(job.t, job.verb, job.station, "not finished", why) for job in results.open.values()]
    if summary.get("limit_reached"):
        never = [order for order in scenario.jobs if order.job not in results.seen]
        lines += [_line(order.at_us, order.verb, order.station, "not started", "due then") for order in never]
        lines.append(Text(limit_words(scenario.limit_us), style="bold magenta"))
    return lines


def unread_word(entry: Mapping[str, str] | None) -> str:
    """What stands on the tile of a meter that was not read, nor given up."""
    return NOT_ASKED if entry is None or entry["reason"] == NOT_ASKED else "not read"


def unread_lines(failed: Sequence[Mapping[str, str]]) -> list[Text]:
    """The meters not read, as in `failed` of the summary; many with the same reason in one line."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in failed:
        groups.setdefault((entry["reason"], entry["explained_by"]), []).append(entry["meter"])
    lines = []
    for (reason, explained_by), meters in groups.items():
        why = f"{reason} ({explained_by})" if explained_by else reason
        if len(meters) < ALIKE:
            lines += [f"{meter} not read: {why}" for meter in meters]
        else:
            named = ", ".join(meter.removeprefix("meter-") for meter in meters[:MOST_NAMED])
            more = f" and {len(meters) - MOST_NAMED} more" if len(meters) > MOST_NAMED else ""
            lines.append(f"{len(meters)} meters not read: {why}: {named}{more}")
    return [Text(line, style="magenta") for line in lines]


def _line(t_us: int, verb: str, station: int, status: str, detail: str) -> Text:
    line = Text(f"{clock_text(t_us)}  ", style="dim")
    line.append(f"{verb}  " if verb == "collect" else f"{verb} {station_name(station)}  ", style="bold")
    line.append(status, style="green" if status == "done" else "bold magenta")
    line.append(f"  {detail}" if detail else "")
    return line
