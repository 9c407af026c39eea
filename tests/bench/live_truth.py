"""Truth: what a live run comes to, beside the same scenario and seed in virtual time. Thirteen minutes.

Live and virtual take other courses from the first random moment on, and the counts of one seed vary by a tenth and more
from course to course. So virtual time is asked five times for each seed, the second time and on with the order of
simultaneous events shuffled, which is another course through the same channel; the mean is compared. Ten live runs
still differ from that by chance by 3 to 4 % (standard deviation).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

from emulation.clocks import SimClock
from emulation.observe.tap import Trace
from emulation.scenario import load
from g3plc.events import Defer, ReadDone, Rreq, RxLost, TxStart
from gridglow.simulate import build
from tests.bench.figure import Figure, say
from tests.bench.live_run import Live, many_processes, one_process, story
from tests.bench.watch import Kept

SEEDS = range(1, 11)
SPEED = "2"
WITHIN = 10.0
COURSES = 5
COUNTED = (TxStart, RxLost, Defer, Rreq, ReadDone)
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
        both = ", ".join(f"{name} {found.story[name]} / {virtual[name] / COURSES:.0f}" for name in NAMES)
        say(f"{bench}, seed {seed}, live / virtual: read {len(found.read)} / {len(read)}, {both}, late {found.late}")
    where = f"night, {len(seeds)} seeds at {SPEED}x: {late} of {heard} frames late, sense_doubt {doubt}"
    yield Figure(bench, "seeds with the same meters read", same, f"of {len(seeds)}", where, len(seeds), at_least=True)
    for name in NAMES:
        theirs = there[name] / COURSES
        both = f"{here[name]} live, {theirs:.0f} virtual"
        yield Figure(bench, f"difference in {name}", _apart(here[name], theirs), "%", both, WITHIN)
    ours, theirs = (told["RREQs"] / max(1, told["discoveries"]) for told in (here, there))
    both = f"{ours:.2f} live, {theirs:.2f} virtual"
    yield Figure(bench, "difference in RREQs per discovery", _apart(ours, theirs), "%", both, WITHIN)
    hops = sorted(name for name in there | here if name.startswith("hops"))
    moved = sum(abs(here[name] - there[name] / COURSES) for name in hops) / 2
    both = ", ".join(f"{name[5:]}: {here[name]}/{there[name] / COURSES:.1f}" for name in hops)
    share = 100 * moved / max(1, sum(here[name] for name in hops))
    yield Figure(bench, "meters in another place of the hop histogram", share, "%", both, WITHIN)


def in_virtual_time(seed: int) -> tuple[set[int], Counter[str]]:
    """Meters read in the plain run, and the stories of all courses together."""
    told, read = Counter[str](), set[int]()
    for course in range(COURSES):
        kept = Kept(*COUNTED)
        trace = Trace([kept])
        build(load("night"), seed, trace, SimClock(0, _shuffled(course)) if course else None).run()
        trace.close()
        told += story(kept.events)
        read = read or {event.meter for event in kept.events if isinstance(event, ReadDone)}
    return read, told


def _shuffled(course: int) -> Callable[[], int]:
    ties, places = random.Random(course), count()
    return lambda: ties.getrandbits(32) << 64 | next(places)


def _apart(ours: float, theirs: float) -> float:
    return 100 * abs(ours - theirs) / theirs if theirs else 0.0 if not ours else float("inf")


def in_four_processes(seed: int) -> Live:
    """The meters in four processes, director and coordinator in two more."""
    return many_processes(GROUPS, "night", seed, SPEED)
