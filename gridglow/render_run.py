"""The making of a film: which part of a run, its pictures one after the other, a file that is whole or not there.

Neighbours: `render` (options), `leds_replay` (the moments), `render_picture` (draws), `render_film` (files).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emulation.grid.feeder import Feeder
from emulation.observe.jsonl import JsonlReader
from emulation.observe.jsonl_search import JsonlSearch
from emulation.observe.prose import clock_text
from g3plc import events as ev
from gridglow.leds_replay import Playback
from gridglow.leds_words import legend
from gridglow.render_film import Film, FilmError, GifFilm, Mp4Film
from gridglow.render_picture import Canvas, palette
from led_gateway.replay import display_ms, length_us

WHOLE_S = 30
"""Length of film up to which the whole run is drawn unless a part is asked for; of a longer one,"""
PART_S = 20
"""so much, from"""
BEFORE_S = 2
"""so much film before a fault is noticed, before the first fault, or before the first transmission."""
AFTER_S = 2
"""The light of the last event needs its time."""

Progress = Callable[[int, int], None]
"""(pictures drawn, pictures of the film)."""


@dataclass(slots=True)
class FilmPlan:
    """What to draw. Times are emulated microseconds; `permille` the speed in thousandths of real time."""

    reader: JsonlReader
    feeder: Feeder
    permille: int
    theme: str
    follow: int
    fps: int
    size: tuple[int, int]
    from_us: int = 0
    to_us: int = 0

    @property
    def pictures(self) -> int:
        """How many."""
        return max(1, (self.to_us - self.from_us) * self.fps // (self.permille * 1000))

    def playback(self) -> Playback:
        """The run from its beginning."""
        return Playback(self.reader, self.feeder, self.permille, self.theme, self.follow)


def end_us(plan: FilmPlan) -> int:
    """When the light of the run's last event is over. OSError."""
    return length_us(plan.reader.path) + AFTER_S * 1000 * plan.permille


def choose(plan: FilmPlan, from_s: float | None, to_s: float | None) -> str:
    """Set the part that is drawn; say so where nobody asked for just that. FilmError, EvidenceError, OSError."""
    last_us, film_us = end_us(plan), 1000 * plan.permille
    plan.from_us, plan.to_us = 0, last_us
    if from_s is not None or to_s is not None:
        if (from_s or 0) * 1_000_000 >= last_us:
            raise FilmError(f"--from {from_s:g}: the run ends at {last_us / 1_000_000:.1f} s")
        plan.from_us = round((from_s or 0) * 1_000_000)
        to_us = plan.from_us + PART_S * film_us if to_s is None else to_s * 1_000_000
        if to_us <= plan.from_us:
            raise FilmError(f"--to {to_s:g} is not after --from {from_s or 0:g}")
        plan.to_us = round(min(to_us, last_us))
        return ""
    if last_us <= WHOLE_S * film_us:
        return ""
    plan.from_us = max(0, _interesting_us(plan.reader) - BEFORE_S * film_us)
    plan.to_us = min(last_us, plan.from_us + PART_S * film_us)
    seconds = last_us // film_us
    return (
        f"all of it would be {seconds // 60} min {seconds % 60:02d} s of film at {plan.permille / 1000:g} times real "
        f"time: drawing {clock_text(plan.from_us)} to {clock_text(plan.to_us)}; --from and --to choose another part, "
        "--speed another pace"
    )


def _interesting_us(reader: JsonlReader) -> int:
    """Where something begins to happen."""
    with JsonlSearch(reader.path) as search:
        faults = search.of_kind(ev.Fault)
        gone = search.of_kind(ev.RouteLost) if faults else []
    if faults:
        began_us = faults[0].t
        return next(
            (event.t for event in gone if event.t >= began_us and getattr(event, "reason", "") == "no ack"), began_us
        )
    return next((event.t for event in reader if isinstance(event, ev.TxStart)), 0)


def film(plan: FilmPlan, path: Path, progress: Progress) -> None:
    """Make the film at `path`, .gif or .mp4. FilmError, EvidenceError, OSError; then there is no file."""
    canvas = Canvas(plan.feeder, plan.size)
    playback = plan.playback()
    part = path.with_name(f".{path.name}.part")
    made = False
    try:
        target = _target(plan, path, part)
        try:
            _draw(plan, playback, canvas, target, progress)
            target.finish()
            made = True
        finally:
            if not made:
                target.drop()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def still(plan: FilmPlan, path: Path) -> None:
    """One picture, of `plan.from_us`, as PNG. EvidenceError, OSError."""
    playback = plan.playback()
    t_ms = display_ms(plan.from_us, plan.permille)
    playback.seek(t_ms)
    picture = Canvas(plan.feeder, plan.size).draw(playback.view(t_ms))
    part = path.with_name(f".{path.name}.part")
    try:
        picture.save(part, "PNG", optimize=True)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _target(plan: FilmPlan, path: Path, part: Path) -> Film:
    if path.suffix.lower() == ".mp4":
        part.open("wb").close()  # says what is wrong with the place before ffmpeg does
        return Mp4Film(part, plan.size, plan.fps)
    return GifFilm(part, plan.size, plan.fps, palette(legend(plan.theme)))


def _draw(plan: FilmPlan, playback: Playback, canvas: Canvas, target: Film, progress: Progress) -> None:
    from_ms, count = display_ms(plan.from_us, plan.permille), plan.pictures
    playback.seek(from_ms)
    for number in range(count):
        target.add(canvas.draw(playback.view(from_ms + number * 1000 // plan.fps)))
        progress(number + 1, count)
