"""What the tests of the renderer share: a small feeder, events by hand, and the cases of the golden frames.

The feeder has three meters: 1 near the coordinator (LED 12), 2 and 3 at the end of the cable (LEDs 24 and 30).
"""

from __future__ import annotations

from collections.abc import Iterator

from emulation.grid.feeder import Feeder
from g3plc import events as ev
from g3plc.core import flow
from led_gateway.board import Board
from led_gateway.effects import render
from led_gateway.model import Follow, Input, State, dark, reduce
from led_gateway.show import Show
from led_gateway.themes import AMBER, AZURE, BLUE, FULL_MASTER, MAGENTA, PALE, THEMES

FEEDER = """gridglow-feeder 1
name: small
title: Three meters

# LEDs       parent  m/LED  cable        phase  way on the map (dm)
    0     8     -1      8  underground    -    0,0  640,0
    9    12      8      8  service        1    640,320
   13    20      8      8  underground    -    1280,0
   21    24     20      8  service        1    1280,320
   25    30     20      8  service        1    1760,0
"""
METERS = 3
TICK_MS = 25
BROADCAST = 0xFFFF
OBIS = bytes((1, 0, 1, 8, 0, 255))

Timed = tuple[int, ev.Event | Input]
Case = tuple[list[Timed], tuple[int, ...]]


def small_board() -> Board:
    return Board(Feeder.loads(FEEDER))


def us(t_ms: int) -> int:
    """Emulated time at the default speed of a quarter."""
    return t_ms * 250


def start(t_ms: int, node: int, frame: int, kind: int, dst: int, duration_us: int = 40_000, attempt: int = 0) -> Timed:
    dt = 0 if dst == BROADCAST else 1
    psdu = b""
    return t_ms, ev.TxStart(us(t_ms), node, frame, psdu, 0, 63, dt, duration_us, dst, attempt, kind, node << 40 | kind)


def end(t_ms: int, node: int, frame: int) -> Timed:
    return t_ms, ev.TxEnd(us(t_ms), node, frame)


def sent(
    t_ms: int,
    node: int,
    frame: int,
    kind: int,
    dst: int,
    result: str = "ack",
    duration_us: int = 40_000,
    attempt: int = 0,
) -> list[Timed]:
    """A transmission whose outcome is known at `t_ms`, whatever came before."""
    began = [start(t_ms, node, frame, kind, dst, duration_us, attempt), end(t_ms, node, frame)]
    if dst == BROADCAST:
        return began
    got: list[Timed] = []
    if result == "ack":
        got = [(t_ms, ev.RxOk(us(t_ms), dst, node, frame, 8000, 80))]
    elif result != "silent":
        got = [(t_ms, ev.RxLost(us(t_ms), dst, node, frame, 7000, 20, "payload", "noise", -1, -1))]
    answer = "ack" if result == "ack" else "missed"
    return [*began, *got, (t_ms, ev.Ack(us(t_ms), node, dst, frame, answer))]


def powered(t_ms: int = 0) -> list[Timed]:
    return [(t_ms, ev.Power(us(t_ms), station, 1, 1)) for station in range(METERS + 1)]


def route(t_ms: int, node: int, destination: int, next_hop: int, life_s: int = 300) -> Timed:
    valid_us = us(t_ms) + life_s * 1_000_000
    return t_ms, ev.RouteSet(us(t_ms), node, destination, next_hop, 10, 1, 0, 1, valid_us)


def lost_route(t_ms: int, node: int, destination: int, next_hop: int, reason: str) -> Timed:
    return t_ms, ev.RouteLost(us(t_ms), node, destination, next_hop, reason)


def opened(t_ms: int, meter: int) -> Timed:
    return t_ms, ev.ApduSent(us(t_ms), 0, meter, 16, 1, b"\x60", flow.AARQ, flow.AARQ, 1)


def fault(t_ms: int, number: int, kind: str, where: str, word: str, state: str = "begin") -> Timed:
    return t_ms, ev.Fault(us(t_ms), BROADCAST, number, kind, where, word, 0, state, 0)


def read(t_ms: int, meter: int) -> Timed:
    return t_ms, ev.ReadDone(us(t_ms), 0, meter, OBIS, 2, "12345", "Wh", 1, 1, 1000, 1)


def failed(t_ms: int, meter: int) -> Timed:
    return t_ms, ev.ReadFailed(us(t_ms), 0, meter, OBIS, 2, "no answer", "no ACK", 3, 1)


def collection(t_ms: int, action: str, done: int = 0) -> Timed:
    return t_ms, ev.Collection(us(t_ms), 0, action, METERS, done, 0)


# -- states and pictures


def after(timed: list[Timed], board: Board | None = None) -> State:
    state = dark(board or small_board())
    for t_ms, input_ in timed:
        state = reduce(state, input_, t_ms)
    return state


def picture(state: State, t_ms: int, theme: str = "safe", master: int = FULL_MASTER) -> list[tuple[int, int, int]]:
    octets = render(state, t_ms, theme, master)
    return [(octets[at], octets[at + 1], octets[at + 2]) for at in range(0, len(octets), 3)]


def joined(*timed: list[Timed], board: Board | None = None) -> State:
    return after([*powered(), *(one for some in timed for one in some)], board)


def hue(colour: tuple[int, int, int]) -> int | None:
    """The ink a bright enough colour is made with."""
    for ink in (BLUE, AZURE, AMBER, PALE, MAGENTA):
        full = THEMES["safe"].palette[ink]
        drive = max(colour) / 255
        if drive > 0.05 and all(abs(part - drive * whole) <= 2 for part, whole in zip(colour, full, strict=True)):
            return ink
    return None


# -- golden cases

AT = 2000
"""When the cases begin: everybody has joined."""
EARLY, MIDDLE, LATE = AT + 100, AT + 225, AT + 500


def _messages() -> Iterator[tuple[str, Case]]:
    """Each message type, from a meter to the coordinator or back."""
    for name, kind in (("RREQ", flow.RREQ), ("RLCREQ", flow.RLCREQ), ("BEACON", flow.BEACON)):
        yield name, (sent(AT, 0, 1, kind, BROADCAST), (EARLY, MIDDLE, LATE))
    for name in (
        "RREP", "RERR", "RREP_ACK", "PREQ", "PREP", "TMR", "AARE", "RLRE", "GET_RESPONSE", "SET_RESPONSE",
        "ACTION_RESPONSE", "EVENT_NOTIFICATION", "EXCEPTION",
    ):  # fmt: skip
        yield name, (sent(AT, 3, 1, getattr(flow, name), 0), (EARLY, MIDDLE, LATE))
    for name in ("AARQ", "RLRQ", "GET_REQUEST", "SET_REQUEST", "ACTION_REQUEST", "OTHER"):
        yield name, (sent(AT, 0, 1, getattr(flow, name), 3), (EARLY, MIDDLE, LATE))
    yield "LBP", (sent(AT, 3, 1, flow.LBP, 0), (MIDDLE,))


def _outcomes() -> Iterator[tuple[str, Case]]:
    yield "ACK", (sent(AT, 0, 1, flow.GET_REQUEST, 3), (AT + 350, AT + 450))
    yield "third try", (sent(AT, 0, 1, flow.GET_REQUEST, 3, attempt=2), (MIDDLE, AT + 325))
    yield "lost", (sent(AT, 0, 1, flow.GET_REQUEST, 3, "lost"), (MIDDLE, AT + 350, AT + 1000))
    yield "slow", (sent(AT, 0, 1, flow.GET_REQUEST, 3, duration_us=195_000), (AT + 300, AT + 600))
    clash = (AT, ev.RxLost(us(AT), 1, 0, 1, 8000, 30, "payload", "collision", 3, 1))
    both = [start(AT, 0, 1, flow.RREQ, BROADCAST), start(AT, 3, 1, flow.RREQ, BROADCAST)]
    yield "collision", ([*both, end(AT, 0, 1), end(AT, 3, 1), clash], (EARLY, AT + 200, AT + 400))
    storm = [one for n in range(12) for one in sent(AT + 50 * n, n % 4, n, flow.RREQ, BROADCAST)]
    yield "heat", (storm, (AT + 500, AT + 1500, AT + 8000))


def _standing() -> Iterator[tuple[str, Case]]:
    yield "joined", ([], (500, AT))
    yield "read in a collection", ([collection(AT, "started"), read(AT, 1)], (AT + 500,))
    yield "being read", ([opened(AT, 2)], (AT + 500, AT + 1000))
    again = [collection(AT, "started"), opened(AT, 2), (AT + 50, ev.SessionAborted(us(AT), 0, 2, 1, "time-out"))]
    yield "will retry", (again, (AT + 150, AT + 350, AT + 600))
    yield "failed", ([collection(AT, "started"), failed(AT, 3)], (AT + 500,))
    yield "off", ([(AT, ev.Power(us(AT), 2, 0, 1))], (AT + 500,))
    way = [route(AT, 0, 3, 1), route(AT, 1, 3, 3)]
    yield "route", (way, (AT + 2000,))
    yield "route grown old", ([*way, *sent(AT + 1_000_000, 1, 9, flow.TMR, 0)], (AT + 1_004_000,))
    broken = [*way, *sent(AT + 2000, 1, 1, flow.RERR, 0), lost_route(AT + 2000, 0, 3, 1, "rerr")]
    yield "route erased", (broken, (AT + 2225, AT + 2400, AT + 5000))
    yield "link given up", ([*way, lost_route(AT + 2000, 1, 3, 3, "no ack")], (AT + 4000,))
    yield "link down", ([fault(AT, 1, "link", "1-3", "down")], (AT + 500,))
    yield (
        "cable cut",
        ([fault(AT, 1, "cable", "16", "cut"), *sent(AT, 0, 1, flow.RREQ, BROADCAST)], (MIDDLE, AT + 1700)),
    )
    other = [*sent(AT, 0, 2, flow.GET_REQUEST, 1), *sent(AT, 3, 1, flow.GET_RESPONSE, 0)]
    yield "follow", ([(AT, Follow(3)), *other], (MIDDLE,))


CASES: dict[str, Case] = {**dict(_messages()), **dict(_outcomes()), **dict(_standing())}


def frames(case: str, theme: str, shots: tuple[int, ...] | None = None) -> dict[int, bytes]:
    """The frames of a case at its moments, rendered 40 times a second with safety on."""
    events, moments = CASES[case]
    wanted = moments if shots is None else shots
    show = Show(small_board(), theme)
    waiting = sorted([*powered(), *events], key=lambda timed: timed[0])
    found: dict[int, bytes] = {}
    for t_ms in _ticks(wanted):
        while waiting and waiting[0][0] <= t_ms:
            show.take(waiting[0][1], waiting[0][0])
            del waiting[0]
        octets = show.frame(t_ms)
        if t_ms in wanted:
            found[t_ms] = octets
    assert show.refused == 0, case
    return found


def _ticks(moments: tuple[int, ...]) -> Iterator[int]:
    """All ticks up to the last moment; hours in which nothing happens are passed over."""
    t_ms = 0
    while t_ms <= max(moments):
        yield t_ms
        skip = 10_000 < t_ms < max(moments) - 10_000
        t_ms += 10_000 if skip else TICK_MS
