"""Answers to commands: `reply/<client>` for JSON that named client and id, `reply/all` for everything else.

A command is accepted, and later done or failed; or it is refused, with what was wrong and what is allowed.
Neighbours: `command_text` (who asked), `director` and its desks (what became of it), `gridglow.live_client` (reads).
"""

from __future__ import annotations

from dataclasses import dataclass

from emulation.live.command_text import CommandError, Envelope
from emulation.live.json_fields import Fields, dump

ACCEPTED, DONE, FAILED, REFUSED = "accepted", "done", "failed", "refused"
STATES = (ACCEPTED, DONE, FAILED, REFUSED)
EVERYBODY = "all"

_MOST_DETAIL = 2000
_MOST_TOPIC = 300
_MOST_TEXT = 4096


@dataclass(slots=True)
class Reply:
    """One answer. `topic` and `payload` quote the command; `job` and `fault` are numbers, 0 where there is none.

    `detail` says in words what was done or what was wrong, `allowed` what would have been right. `client` is empty
    and `id` too where the command did not name them.
    """

    state: str
    topic: str
    payload: str
    detail: str = ""
    allowed: str = ""
    client: str = ""
    id: str | int = ""
    run: int = 0
    job: int = 0
    fault: int = 0

    @property
    def final(self) -> bool:
        """Whether nothing more will be said about the command."""
        return self.state != ACCEPTED

    @property
    def to(self) -> str:
        """The last level of the topic that the reply goes to."""
        return self.client or EVERYBODY

    def encode(self) -> bytes:
        """The payload: what is empty is left out, but for state, topic, payload and detail."""
        fields: dict[str, object] = {
            "state": self.state, "topic": self.topic[:_MOST_TOPIC], "payload": self.payload,
            "detail": self.detail[:_MOST_DETAIL],
        }  # fmt: skip
        if self.allowed:
            fields["allowed"] = self.allowed[:_MOST_DETAIL]
        if self.client:
            fields |= {"client": self.client, "id": self.id}
        for name in ("run", "job", "fault"):
            if getattr(self, name):
                fields[name] = getattr(self, name)
        return dump(fields)

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> Reply:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        reply = cls(
            fields.choice("state", STATES),
            fields.text("topic", _MOST_TEXT),
            fields.text("payload", _MOST_TEXT),
            fields.text("detail", _MOST_TEXT),
            fields.text("allowed", _MOST_TEXT, ""),
            fields.text("client", _MOST_TEXT, ""),
        )
        if reply.client:
            reply.id = _id(fields)
        for name in ("run", "job", "fault"):
            setattr(reply, name, fields.integer(name, 0, 0xFFFFFFFF, 0))
        return reply


class Asker:
    """Whoever is to be told what becomes of one command; kept as long as it is under way."""

    __slots__ = ("client", "id", "payload", "topic")

    def __init__(self, envelope: Envelope) -> None:
        self.client = envelope.client
        self.id = envelope.id
        self.topic = envelope.topic
        self.payload = envelope.quoted

    def reply(self, state: str, detail: str = "", job: int = 0, fault: int = 0) -> Reply:
        """An answer to the command."""
        return Reply(state, self.topic, self.payload, detail, "", self.client, self.id, 0, job, fault)

    def refusal(self, error: CommandError) -> Reply:
        """The answer to a command that will not be carried out."""
        what, _, allowed = str(error).partition("; allowed: ")
        return Reply(REFUSED, self.topic, self.payload, what, allowed, self.client, self.id)


def _id(fields: Fields) -> str | int:
    try:
        return fields.text("id", _MOST_TEXT)
    except ValueError:
        return fields.integer("id", 0, (1 << 53) - 1)
