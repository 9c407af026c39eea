"""The life of a frame on its way out: every input in every state (G.9903 9.3 and Annex C).

`transmit` dispatches through this table, and the tests and diagrams read it; the table says which action runs and
which states it may lead to.
"""

from __future__ import annotations

from typing import NamedTuple

IDLE, BACKOFF, SENDING, GAP, HELD, ACK_WAIT = range(6)
STATE_NAMES = ("idle", "backoff", "sending", "gap", "held", "ack wait")
"""idle: nothing to send. backoff: a slot is drawn. sending: a segment is in the air. gap: the interframe space before
a segment that needs no contention. held: the drawn slot was busy with energy, its end is awaited. ack wait. From held
on, the frames of others matter at once."""

REQUEST, TIMER, CLEAR, SENT, ACKED, REPEAT, REFUSED, STRANGE, DATA = range(9)
INPUT_NAMES = ("request", "timer", "clear", "sent", "acked", "repeat", "refused", "strange", "data")
"""request: a frame was queued. timer: the state's own timer. clear: the channel fell silent. sent: our segment has
ended. acked: an ACK with our FCS. repeat: a NACK with our FCS and SSCA 1. refused: the same with SSCA 0. strange: an
ACK or NACK with another FCS. data: a frame for us."""


class Cell(NamedTuple):
    """`action` is a method of `Transmitter`; it ends in one of the states `leads_to`."""

    action: str
    leads_to: frozenset[int]


def _cell(action: str, *leads_to: int) -> Cell:
    return Cell(action, frozenset(leads_to))


def _row(state: int, **cells: Cell) -> tuple[Cell, ...]:
    """A whole row: an input that is not named changes nothing."""
    stay = _cell("ignore", state)
    return tuple(cells.get(name, stay) for name in INPUT_NAMES)


_OVER = (IDLE, BACKOFF)
"""A frame's end: the next one contends, if there is one."""

LIFE_CYCLE: tuple[tuple[Cell, ...], ...] = (
    _row(IDLE, request=_cell("next", BACKOFF)),
    _row(BACKOFF, request=_cell("overtake", BACKOFF), timer=_cell("slot", SENDING, HELD, *_OVER)),
    _row(SENDING, sent=_cell("sent", ACK_WAIT, GAP, *_OVER)),
    _row(GAP, timer=_cell("send", SENDING)),
    _row(HELD, request=_cell("overtake", HELD), clear=_cell("draw", BACKOFF)),
    _row(
        ACK_WAIT,
        timer=_cell("missed", *_OVER),
        acked=_cell("acked", GAP, *_OVER),
        repeat=_cell("repeat", GAP, *_OVER),
        refused=_cell("refused", *_OVER),
        strange=_cell("missed", *_OVER),
        data=_cell("missed", *_OVER),
    ),
)
"""`LIFE_CYCLE[state][input]`."""
