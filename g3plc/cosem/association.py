"""Life cycle of an association on the server's side, as a total table (IEC 62056-5-3 clauses 6 and 7).

One association belongs to one (peer, client wPort, server wPort). `TABLE` gives, for every state and input, the next
state and what is to be done; `server` decides which input an APDU is and does it. The diagrams and the tests read the
same table.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from g3plc.cosem.objects import Context

IDLE, OPEN, RELEASED = range(3)
STATE_NAMES: Final = ("idle", "open", "released")
"""`RELEASED` remembers an orderly end, so that an RLRQ repeated after a lost RLRE gets its RLRE again."""

(AARQ, AARQ_AGAIN, AARQ_REFUSED, REQUEST, SILENT_REQUEST, RLRQ, UNKNOWN_REQUEST, FOREIGN, EXPIRED) = range(9)
INPUT_NAMES: Final = (
    "AARQ",
    "AARQ again",
    "AARQ refused",
    "request",
    "silent request",
    "RLRQ",
    "unknown request",
    "foreign",
    "expired",
)
"""AARQ again: the octets that opened this association, and nothing asked since, so the client has not had the AARE. One
that had it, rebooted before it asked anything and sends the same AARQ cannot be told from that, and loses nothing by
it. Silent: wants no answer. Unknown: a request that cannot be decoded or is not supported. Foreign: nothing that a
server could answer."""

(ACCEPT, RESTART, REPEAT_AARE, REFUSE, ABORT_AND_REFUSE, SERVE, NOT_ALLOWED, RELEASE, REPEAT_RLRE, EXPLAIN, DROP,
 ABORT, FORGET) = range(13)  # fmt: skip
ACTION_NAMES: Final = (
    "accept",
    "abort the old, accept",
    "repeat AARE",
    "refuse",
    "abort the old, refuse",
    "serve",
    "service not allowed",
    "release",
    "repeat RLRE",
    "service unknown",
    "drop",
    "abort",
    "forget",
)

TABLE: Final[dict[tuple[int, int], tuple[int, int]]] = {
    (IDLE, AARQ): (OPEN, ACCEPT),
    (IDLE, AARQ_AGAIN): (OPEN, ACCEPT),
    (IDLE, AARQ_REFUSED): (IDLE, REFUSE),
    (IDLE, REQUEST): (IDLE, NOT_ALLOWED),
    (IDLE, SILENT_REQUEST): (IDLE, DROP),
    (IDLE, RLRQ): (IDLE, NOT_ALLOWED),
    (IDLE, UNKNOWN_REQUEST): (IDLE, EXPLAIN),
    (IDLE, FOREIGN): (IDLE, DROP),
    (IDLE, EXPIRED): (IDLE, FORGET),
    (OPEN, AARQ): (OPEN, RESTART),
    (OPEN, AARQ_AGAIN): (OPEN, REPEAT_AARE),
    (OPEN, AARQ_REFUSED): (IDLE, ABORT_AND_REFUSE),
    (OPEN, REQUEST): (OPEN, SERVE),
    (OPEN, SILENT_REQUEST): (OPEN, SERVE),
    (OPEN, RLRQ): (RELEASED, RELEASE),
    (OPEN, UNKNOWN_REQUEST): (OPEN, EXPLAIN),
    (OPEN, FOREIGN): (OPEN, DROP),
    (OPEN, EXPIRED): (IDLE, ABORT),
    (RELEASED, AARQ): (OPEN, ACCEPT),
    (RELEASED, AARQ_AGAIN): (OPEN, ACCEPT),
    (RELEASED, AARQ_REFUSED): (IDLE, REFUSE),
    (RELEASED, REQUEST): (RELEASED, NOT_ALLOWED),
    (RELEASED, SILENT_REQUEST): (RELEASED, DROP),
    (RELEASED, RLRQ): (RELEASED, REPEAT_RLRE),
    (RELEASED, UNKNOWN_REQUEST): (RELEASED, EXPLAIN),
    (RELEASED, FOREIGN): (RELEASED, DROP),
    (RELEASED, EXPIRED): (IDLE, FORGET),
}

Key = tuple[int, int, int]
"""(peer's short address, client wPort, server wPort)."""

_REMEMBERED_ANSWERS: Final = 7  # under half of the sixteen invoke ids: an id that comes round again is a new request


class Association:
    """What the server keeps for one key: state, negotiated context, octets that a repetition gets again."""

    __slots__ = ("_answers", "aare", "aarq", "asked", "context", "key", "last_us", "rlre", "state")

    def __init__(self, key: Key, context: Context, now: int) -> None:
        self.key = key
        self.context = context
        self.state = IDLE
        self.last_us = now
        self.aarq = b""
        self.aare = b""
        self.rlre = b""
        self.asked = False
        self._answers: OrderedDict[int, tuple[bytes, bytes]] = OrderedDict()

    def opened(self, aarq: bytes, aare: bytes, context: Context) -> None:
        """Begin anew: nothing of an earlier association is remembered."""
        self.aarq = aarq
        self.aare = aare
        self.context = context
        self.asked = False
        self._answers.clear()

    def answer_to(self, invoke_id: int, request: bytes) -> bytes | None:
        """The answer (empty: none was due) already given to these very octets, or None."""
        kept = self._answers.get(invoke_id)
        return kept[1] if kept is not None and kept[0] == request else None

    def remember(self, invoke_id: int, request: bytes, answer: bytes) -> None:
        """Keep the answer, the last one of its invoke id, among the last seven."""
        self._answers.pop(invoke_id, None)
        self._answers[invoke_id] = (request, answer)
        if len(self._answers) > _REMEMBERED_ANSWERS:
            self._answers.popitem(last=False)
