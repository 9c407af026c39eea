"""`keep/director`: what the director's next life cannot learn from the other retained records."""

from __future__ import annotations

from dataclasses import dataclass

from emulation.live.json_fields import Fields, dump

_MOST_ID = 0xFFFFFFFF
AFTER_LOSS = 1_000
"""Numbers go on from here where nothing was kept, so that an old answer meets no new question."""


@dataclass(slots=True)
class StageKeep:
    """Numbers of the next job and fault of `run`, and whether the speed is sought automatically.

    `jobs_played` and `faults_played` count what has been played of the scene; -1 where that is not known.
    """

    run: int
    next_job: int = AFTER_LOSS
    next_fault: int = AFTER_LOSS
    auto: bool = False
    jobs_played: int = -1
    faults_played: int = -1

    def encode(self) -> bytes:
        """The payload."""
        return dump({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> StageKeep:
        """Read a payload. PayloadError."""
        fields = Fields(topic, payload)
        return cls(
            fields.integer("run", 0, _MOST_ID),
            fields.integer("next_job", 1, _MOST_ID),
            fields.integer("next_fault", 1, _MOST_ID),
            fields.flag("auto"),
            fields.integer("jobs_played", -1, _MOST_ID, -1),
            fields.integer("faults_played", -1, _MOST_ID, -1),
        )
