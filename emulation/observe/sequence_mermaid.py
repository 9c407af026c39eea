"""sequence.mmd: the diagram as Mermaid text, for a README or a browser."""

from __future__ import annotations

from emulation.observe.facts import RunFacts, station_name
from emulation.observe.sequence_story import ACKNOWLEDGEMENT, MESSAGE, ROUTE, Diagram, Step
from g3plc.sap import BROADCAST

_PAUSE_US = 1_000_000


def mermaid(diagram: Diagram, facts: RunFacts) -> str:
    """Return the whole text, with a title."""
    lines = [
        "---",
        f"title: {station_name(diagram.meter)} in scenario {facts.scenario}, seed {facts.seed}",
        "---",
        "sequenceDiagram",
    ]
    for station in diagram.stations:
        letter = diagram.letter(station)
        lines.append(f"    participant {letter} as {letter} ({station_name(station)})")
    before = diagram.steps[0].start if diagram.steps else 0
    for step in diagram.steps:
        if step.start - before > _PAUSE_US:
            ends = diagram.letter(diagram.stations[0]), diagram.letter(diagram.stations[-1])
            lines.append(f"    Note over {ends[0]},{ends[1]}: {(step.start - before) // 100_000 / 10} s later")
        before = max(before, step.end)
        lines += [f"    {line}" for line in _lines(diagram, step)]
    return "\n".join(lines) + "\n"


def _lines(diagram: Diagram, step: Step) -> list[str]:
    label = step.label(diagram.letter).replace(";", ",").replace("#", "no. ")
    if step.what == ACKNOWLEDGEMENT:
        return [f"{diagram.letter(step.src)}-->>{diagram.letter(step.dst)}: {label}"]
    if step.what == ROUTE:
        return []
    stamp = f"{step.start // 1000 / 1000:.3f} s"
    if step.what != MESSAGE:
        return [_note(diagram, step, f"{stamp} {label}")]
    source = diagram.letter(step.src)
    if step.dst == BROADCAST:
        heard = [f"{source}-){diagram.letter(hearer)}: {label}" for hearer in step.hearers]
        return heard or [f"Note over {source}: {stamp} {label}, nobody on the path hears it"]
    if step.dst not in diagram.stations:
        return []
    arrow = "--x" if step.failed else "->>"
    return [f"{source}{arrow}{diagram.letter(step.dst)}: {label}"]


def _note(diagram: Diagram, step: Step, text: str) -> str:
    on_path = [station for station in diagram.stations if station in (step.src, step.dst)]
    over = [diagram.letter(station) for station in on_path or (diagram.stations[0], diagram.stations[-1])]
    return f"Note over {','.join(dict.fromkeys(over))}: {text}"
