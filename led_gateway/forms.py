"""How each kind of message moves: its hue, whether it sends a wave, and the shape of its comet.

A form is motion first, so that it can be told without colour; the hue says the family. A comet's shape is its light
from the head backwards in 256ths, interpolated between LEDs. Retry marks follow behind the tail.
Neighbours: `g3plc.core.flow` (kinds), `themes` (colours), `effects` (draws).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from emulation.observe.kinds import normal_kind
from g3plc.core import flow
from led_gateway.themes import AMBER, AZURE, BLUE, MAGENTA, PALE

ONE = 256
FRONT = 4
"""LEDs of a wave's front."""
GAP = 2
"""LEDs between the two fronts of a pair."""
SUBSTEPS = 8
MOST_RETRY_MARKS = 5
_RETRY_MARK = 110

_TAIL = (150, 124, 100, 78, 58, 40)
"""Six LEDs behind a head."""


class Form(NamedTuple):
    """`pair`: two fronts instead of one; `comet`: its shape, empty if it has none; `trail`: +1 leaves a trace, -1
    erases it."""

    name: str
    hue: int
    pair: bool
    comet: tuple[int, ...]
    trail: int


FORMS: tuple[Form, ...] = (
    Form("search", BLUE, True, (), 0),
    Form("reply", AZURE, False, (ONE, *_TAIL), 1),
    Form("error", MAGENTA, False, (60, 90, 120, 155, 200, ONE, ONE), -1),
    Form("request", AMBER, False, (ONE, ONE, *_TAIL), 0),
    Form("command", AMBER, False, (ONE, ONE, ONE, ONE, *_TAIL), 0),
    Form("response", PALE, False, (ONE, ONE, 0, 0, 230, 190, 145, 100), 0),
    Form("signal", BLUE, False, (200, 110, 50), 0),
    Form("data", AMBER, False, (200, 110, 50), 0),
)
SEARCH, REPLY, ERROR, REQUEST, COMMAND, RESPONSE, SIGNAL, DATA = range(8)
UNSEEN = -1

_BY_KIND: dict[int, int] = {
    flow.RREQ: SEARCH, flow.RLCREQ: SEARCH, flow.PREQ: SEARCH,
    flow.RREP: REPLY, flow.RLCREP: REPLY, flow.PREP: REPLY,
    flow.RERR: ERROR,
    flow.AARQ: REQUEST, flow.GET_REQUEST: REQUEST, flow.RLRQ: REQUEST,
    flow.SET_REQUEST: COMMAND, flow.ACTION_REQUEST: COMMAND,
    flow.AARE: RESPONSE, flow.GET_RESPONSE: RESPONSE, flow.SET_RESPONSE: RESPONSE, flow.ACTION_RESPONSE: RESPONSE,
    flow.RLRE: RESPONSE, flow.EVENT_NOTIFICATION: RESPONSE, flow.EXCEPTION: RESPONSE,
    flow.RREP_ACK: SIGNAL, flow.TMR: SIGNAL, flow.BEACON: SIGNAL, flow.BEACON_REQUEST: SIGNAL,
    flow.LBP: UNSEEN,
}  # fmt: skip


def form_of(kind: int) -> int:
    """Place in `FORMS` of a message kind, or `UNSEEN`; a kind that nobody knows is data."""
    return _BY_KIND.get(normal_kind(kind), DATA)


def wave_length(form: int) -> int:
    """LEDs from the foremost to the last of a form's fronts."""
    return FRONT + GAP + FRONT if FORMS[form].pair else FRONT


@lru_cache(maxsize=256)
def comet(form: int, attempt: int) -> tuple[tuple[int, ...], ...]:
    """The comet's light at each LED behind its foremost one, for each eighth of an LED that it has gone on.

    With the marks of a repetition: one LED for each, after a gap.
    """
    shape = FORMS[form].comet + (0, _RETRY_MARK) * min(attempt, MOST_RETRY_MARKS)
    if not FORMS[form].comet:
        return ((),) * SUBSTEPS
    before, behind = (0, *shape), (*shape, 0)
    return tuple(
        tuple((here * sub + there * (SUBSTEPS - sub)) // SUBSTEPS for here, there in zip(behind, before, strict=True))
        for sub in range(SUBSTEPS)
    )
