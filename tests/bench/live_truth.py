"""Truth: what a live run comes to, beside the same scenario and seed in virtual time. Thirteen minutes.

Live and virtual take other courses from the first random moment on, so each count is compared as one draw with another.
In virtual time alone transmissions, RREQs and collisions of one seed vary by 9 %, deferrals by 13 % (standard deviation
over seeds): the sums of ten live and ten virtual runs differ by chance by 4 to 6 %.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from emulation.observe.evidence import EVENTS_FILE
from emulation.observe.jsonl import JsonlReader
from emulation.scenario import load
from g3plc.events import ReadDone
from gridglow.simulate import run
from tests.bench.figure import Figure, say
from tests.bench.live_run import Live, many_processes, one_process, story

SEEDS = range(1, 11)
SPEED = "2"
WITHIN = 10.0
NAMES = ("transmissions", "collisions", "deferrals", "RREQs")
GROUPS = ("1-12", "13-24", "25-36", "37-48")

Runs = Callable[[int], Live]


def figures(short: bool = False) -> Iterator[Figure]:
    """Ten seeds in one process; the short form is one."""
    yield from compared("truth, one process", lambda seed: one_process("mosquitto", "night", seed, SPEED), short)


def compared(bench: str, live: Runs, short: bool) -> Iterator[Figure]:
    """Sums over the seeds, live against virtual."""
    there, here = Counter[str](), Counter[str]()
    same, late, heard, doubt = 0, 0, 0, 0
    seeds = SEEDS[:1] if short else SEEDS
    for seed in seeds:
        read, virtual = in_virtual_time(seed)
        found = live(seed)
        there, here = there + virtual, here + found.story
        same += found.read == read
        late, heard, doubt = late + found.late, heard + found.heard, doubt + found.sense_doubt
        both = ", ".join(f"{name} {found.story[name]} / {virtual[name]}" for name in NAMES)
        say(f"{bench}, seed {seed}, live / virtual: read {len(found.read)} / {len(read)}, {both}, late {found.late}")
    where = f"night, {len(seeds)} seeds at {SPEED}x: {late} of {heard} frames late, sense_doubt {doubt}"
    yield Figure(bench, "seeds with the same meters read", same, f"of {len(seeds)}", where, len(seeds), at_least=True)
    for name in NAMES:
        both = f"{here[name]} live, {there[name]} virtual"
        yield Figure(bench, f"difference in {name}", _apart(here[name], there[name]), "%", both, WITHIN)
    ours, theirs = (count["RREQs"] / max(1, count["discoveries"]) for count in (here, there))
    both = f"{ours:.2f} live, {theirs:.2f} virtual"
    yield Figure(bench, "difference in RREQs per discovery", _apart(ours, theirs), "%", both, WITHIN)
    hops = sorted(name for name in there | here if name.startswith("hops"))
    moved = sum(abs(here[name] - there[name]) for name in hops) / 2
    both = ", ".join(f"{name[5:]}: {here[name]}/{there[name]}" for name in hops)
    share = 100 * moved / max(1, sum(there[name] for name in hops))
    yield Figure(bench, "meters in another place of the hop histogram", share, "%", both, WITHIN)


def in_virtual_time(seed: int) -> tuple[set[int], Counter[str]]:
    """Meters read, and the story."""
    with tempfile.TemporaryDirectory() as folder:
        run(load("night"), seed, Path(folder))
        events = list(JsonlReader(Path(folder) / EVENTS_FILE))
    return {event.meter for event in events if isinstance(event, ReadDone)}, story(events)


def _apart(ours: float, theirs: float) -> float:
    return 100 * abs(ours - theirs) / theirs if theirs else 0.0 if not ours else float("inf")


def in_four_processes(seed: int) -> Live:
    """The meters in four processes, director and coordinator in two more."""
    return many_processes(GROUPS, "night", seed, SPEED)
