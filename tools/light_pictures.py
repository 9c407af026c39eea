"""Pictures of the light for docs/light.md: one of each message and state on a short lane, a film and terminals.

Everything is drawn by the renderer and the tools that users have. `make_pictures` runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from emulation.grid.feeder import Feeder
from emulation.observe.jsonl import JsonlReader
from emulation.scenario import load
from g3plc import events as ev
from g3plc.core import flow
from gridglow import board_walk, board_walk_run, leds_run, render_run
from gridglow.leds_replay import Playback
from gridglow.leds_screen import BoardView, LedScreen, View
from gridglow.leds_words import legend
from gridglow.render_film import palette_image
from gridglow.render_picture import Canvas, palette
from gridglow.simulate import run
from led_gateway.board import Board
from led_gateway.model import Input
from led_gateway.show import Show

LANE = """gridglow-feeder 1
name: lane
    0   0  -1   8  underground  -  0,0
    1  10   0   8  underground  -  800,0
   11  13  10   8  service      1  800,240
   14  25  10   8  underground  -  1760,0
   26  28  25   8  service      2  1760,240
   29  36  25   8  underground  3  2400,0
"""
SIZE, BAND, TWICE = (720, 300), 122, 2
LIGHT_US = 1_000_000
PERMILLE = 250
"""So that a light takes four seconds, and is seen as it is meant however fast the limiters let it rise."""
EVERYBODY = 65535

Given = ev.Event | Input


def tx(node: int, dst: int, kind: int, attempt: int = 0, at: int = 0, lost: str = "") -> Iterator[Given]:
    """A transmission of a second that ends at `at` + 1 s; `lost` is the reason why the addressee did not get it."""
    frame = 10 * node + attempt
    start, end = at, at + LIGHT_US
    dt = int(dst != EVERYBODY)
    yield ev.TxStart(start, node, frame, b"", 0, 63, dt, LIGHT_US, dst, attempt, kind, 0)
    if dt and lost:
        yield ev.RxLost(end, dst, node, frame, 5000, 20, "payload", lost, -1, -1)
    elif dt:
        yield ev.RxOk(end, dst, node, frame, 5000, 90)
    yield ev.TxEnd(end, node, frame)
    if dt:
        yield ev.Ack(end + 10_000, node, dst, frame, "missed" if lost else "ack")


def route(node: int, destination: int, next_hop: int) -> ev.RouteSet:
    """An entry that is good for long."""
    return ev.RouteSet(0, node, destination, next_hop, 10, 1, 0, 1, 10**12)


ROUTE = (route(0, 3, 1), route(1, 3, 3), route(3, 0, 1), route(1, 0, 0))
READ_2 = ev.ReadDone(0, 0, 2, bytes(6), 2, "1", "Wh", 1, 1, 1000, 1)
FAILED_1 = ev.ReadFailed(0, 0, 1, bytes(6), 2, "no answer", "", 3, 1)
COLLECTION = ev.Collection(0, 0, "started", 3, 0, 0)


def _collision() -> Iterator[Given]:
    for node, dst in ((0, 2), (3, 1)):
        yield ev.TxStart(0, node, 1, b"", 0, 63, 1, LIGHT_US, dst, 0, flow.GET_REQUEST, 0)
    yield ev.RxLost(LIGHT_US, 2, 0, 1, 5000, 20, "payload", "collision", 3, 1)
    for node, dst in ((0, 2), (3, 1)):
        yield ev.TxEnd(LIGHT_US, node, 1)
        yield ev.Ack(LIGHT_US, node, dst, 1, "missed")


def _heat() -> Iterator[Given]:
    for number in range(40):
        node = number % 3 + 1
        yield ev.TxStart(0, node, number, b"", 0, 63, 0, LIGHT_US, EVERYBODY, 0, flow.RREQ, 0)
        yield ev.TxEnd(LIGHT_US, node, number)


def fault(kind: str, where: str, word: str) -> ev.Fault:
    """It begins."""
    return ev.Fault(0, -1, 1, kind, where, word, 0, "begin", 0)


SCENES: dict[str, tuple[list[Given], int]] = {
    "rreq": (list(tx(0, EVERYBODY, flow.RREQ)), 2100),
    "rrep": ([*ROUTE[:2], *tx(3, 0, flow.RREP)], 2200),
    "request": (list(tx(0, 3, flow.GET_REQUEST)), 2200),
    "command": (list(tx(0, 3, flow.SET_REQUEST)), 2200),
    "answer": (list(tx(3, 0, flow.GET_RESPONSE)), 2200),
    "retry": (list(tx(0, 3, flow.GET_REQUEST, attempt=2)), 2200),
    "rerr": ([*ROUTE, *tx(3, 0, flow.RERR)], 2200),
    "ack": (list(tx(0, 1, flow.GET_REQUEST)), 2640),
    "lost": (list(tx(0, 3, flow.GET_REQUEST, lost="noise")), 2720),
    "collision": (list(_collision()), 1740),
    "leaves": ([COLLECTION, READ_2, FAILED_1], 0),
    "route": (list(ROUTE), 0),
    "cut": ([fault("cable", "20", "cut")], 0),
    "broken": ([fault("link", "1-3", "down")], 0),
    "heat": (list(_heat()), 5000),
}
"""Inputs, and how many milliseconds after the outcome is known the picture is taken."""


def light(name: str, theme: str = "safe") -> Image.Image:
    """The lane in the moment of a scene, without words."""
    feeder = Feeder.loads(LANE)
    show = Show(Board(feeder), theme, master=1.0)
    show.take(ev.Clock(0, -1, 1, PERMILLE), 0)
    for station in range(feeder.meters + 1):
        show.take(ev.Power(0, station, 1, 1), 0)
    inputs, after_ms = SCENES[name]
    settled_ms = 8000
    for input_ in inputs:
        still = not isinstance(input_, ev.TxStart | ev.TxEnd | ev.Ack | ev.RxOk | ev.RxLost)
        show.take(input_, 0 if still else settled_ms)
    for t_ms in range(0, settled_ms + after_ms, 20):
        show.frame(t_ms)
    canvas = Canvas(feeder, (SIZE[0] * TWICE, SIZE[1] * TWICE))
    picture = canvas.draw(View(show.frame(settled_ms + after_ms), 0, 1000, -1))
    middle = (canvas.place(0)[1] + canvas.place(13)[1]) // 2
    picture = picture.crop((0, middle - BAND, SIZE[0] * TWICE, middle + BAND))
    small = picture.resize((SIZE[0], BAND), Image.Resampling.LANCZOS)
    return small.quantize(palette=palette_image(palette(legend(theme))), dither=Image.Dither.NONE)


def _playback(folder: Path, permille: int, theme: str = "safe") -> tuple[Playback, Feeder]:
    reader, feeder = JsonlReader(folder / "events.jsonl"), Feeder.load("board")
    return Playback(reader, feeder, permille, theme), feeder


def terminal(folder: Path) -> str:
    """`gridglow leds` while a route is looked for."""
    playback, feeder = _playback(folder, 250)
    playback.seek(TERMINAL_MS)
    screen = LedScreen(feeder)
    screen.view = playback.view(TERMINAL_MS)
    screen.view.boards = [BoardView("desk", True, 40, feeder.leds)]
    return leds_run.picture_svg(screen, 112, 36)


TERMINAL_MS = 134_750
FILM_US = (17_700_000, 18_900_000)


def walk() -> str:
    """`gridglow board walk`."""
    feeder = Feeder.load("board")
    step = next(step for step in board_walk.walk(feeder) if step.led == 101)
    screen = LedScreen(feeder)
    screen.view = View(
        board_walk.picture(feeder, step), said=board_walk.sentence(feeder, step), status=board_walk_run.KEYS,
        legend=board_walk_run.LEGEND,
    )  # fmt: skip
    return leds_run.picture_svg(screen, 100, 30)


def film(folder: Path, path: Path) -> None:
    """A link breaks, the routing error runs back, another way is looked for."""
    plan = render_run.FilmPlan(
        JsonlReader(folder / "events.jsonl"), Feeder.load("board"), 250, "safe", -1, 10, (400, 250), *FILM_US
    )  # fmt: skip
    render_run.film(plan, path, lambda done, count: None)


def draw(images: Path) -> None:
    """Write all of them."""
    for name in SCENES:
        light(name).save(images / f"light-{name}.png", optimize=True)
    (images / "board-walk.svg").write_text(walk(), encoding="utf-8")
    with TemporaryDirectory() as name:
        folder = Path(name)
        run(load("heal"), out=folder)
        (images / "leds.svg").write_text(terminal(folder), encoding="utf-8")
        film(folder, images / "heal.gif")
