"""Life cycle of a client's session, as a total table (IEC 62056-5-3 clauses 6 and 7).

`TABLE` gives, for every state and input, the next state and what is to be done; `client` decides which input it is and
does it. The diagrams and the tests read the same table.
"""

from __future__ import annotations

from typing import Final

NEW, OPENING, READY, REQUESTING, RELEASING, CLOSED = range(6)
STATE_NAMES: Final = ("new", "opening", "ready", "requesting", "releasing", "closed")
"""Opening: AARQ sent. Ready: associated, nothing outstanding. Requesting, releasing: the answer is awaited."""

(START, SUBMIT, RELEASE, ABORT, DEPARTED, PAUSE, REPEAT, EXHAUSTED, ACCEPTED, REFUSED, ANSWERED, RELEASED,
 NO_ASSOCIATION, EXCEPTION, JUNK) = range(15)  # fmt: skip
INPUT_NAMES: Final = (
    "start",
    "submit",
    "release",
    "abort",
    "departed",
    "pause",
    "repeat",
    "exhausted",
    "AARE accepted",
    "AARE refused",
    "answered",
    "RLRE",
    "no association",
    "exception",
    "junk",
)
"""Departed: the datagram left. Pause: it could not be sent, tries are left. Repeat: silence, end of a pause or a lost
route, tries are left. Exhausted: one of those with no try left, or the exchange took too long. No association: the peer
says that there is none. Exception: any other exception-response. Junk: octets that nothing waits for."""

(SEND_AARQ, SEND_REQUEST, SEND_RLRQ, SEND_AGAIN, AWAIT, REST, OPEN, DELIVER, DELIVER_EXCEPTION, CLOSE, ABORT_SESSION,
 DISCARD, REJECT, DROP, NOTHING) = range(15)  # fmt: skip
ACTION_NAMES: Final = (
    "send AARQ",
    "send next request",
    "send RLRQ",
    "send again",
    "await the answer",
    "pause",
    "open",
    "deliver the result",
    "deliver the exception",
    "close",
    "abort",
    "discard",
    "reject the caller",
    "drop",
    "nothing",
)

_SAME: Final = -1

# Columns in the order of the inputs; a state of its own where the session moves on.
_ROWS: Final[dict[int, tuple[tuple[int, int], ...]]] = {
    NEW: (
        (OPENING, SEND_AARQ), (_SAME, NOTHING), (_SAME, NOTHING), (CLOSED, DISCARD), (_SAME, NOTHING),
        (_SAME, NOTHING), (_SAME, NOTHING), (_SAME, NOTHING), (_SAME, DROP), (_SAME, DROP),
        (_SAME, DROP), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP),
    ),
    OPENING: (
        (_SAME, REJECT), (_SAME, NOTHING), (_SAME, NOTHING), (CLOSED, ABORT_SESSION), (_SAME, AWAIT),
        (_SAME, REST), (_SAME, SEND_AGAIN), (CLOSED, ABORT_SESSION), (READY, OPEN), (CLOSED, ABORT_SESSION),
        (_SAME, DROP), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP),
    ),
    READY: (
        (_SAME, REJECT), (REQUESTING, SEND_REQUEST), (RELEASING, SEND_RLRQ), (CLOSED, ABORT_SESSION), (_SAME, NOTHING),
        (_SAME, NOTHING), (_SAME, NOTHING), (_SAME, NOTHING), (_SAME, DROP), (_SAME, DROP),
        (_SAME, DROP), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP),
    ),
    REQUESTING: (
        (_SAME, REJECT), (_SAME, NOTHING), (_SAME, NOTHING), (CLOSED, ABORT_SESSION), (_SAME, AWAIT),
        (_SAME, REST), (_SAME, SEND_AGAIN), (CLOSED, ABORT_SESSION), (_SAME, DROP), (_SAME, DROP),
        (READY, DELIVER), (_SAME, DROP), (CLOSED, ABORT_SESSION), (READY, DELIVER_EXCEPTION), (_SAME, DROP),
    ),
    RELEASING: (
        (_SAME, REJECT), (_SAME, REJECT), (_SAME, NOTHING), (CLOSED, ABORT_SESSION), (_SAME, AWAIT),
        (_SAME, REST), (_SAME, SEND_AGAIN), (CLOSED, ABORT_SESSION), (_SAME, DROP), (_SAME, DROP),
        (_SAME, DROP), (CLOSED, CLOSE), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP),
    ),
    CLOSED: (
        (_SAME, REJECT), (_SAME, REJECT), (_SAME, NOTHING), (_SAME, NOTHING), (_SAME, NOTHING),
        (_SAME, NOTHING), (_SAME, NOTHING), (_SAME, NOTHING), (_SAME, DROP), (_SAME, DROP),
        (_SAME, DROP), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP), (_SAME, DROP),
    ),
}  # fmt: skip

TABLE: Final[dict[tuple[int, int], tuple[int, int]]] = {
    (state, column): (state if after == _SAME else after, action)
    for state, row in _ROWS.items()
    for column, (after, action) in enumerate(row)
}
"""(state, input) to (next state, action)."""
