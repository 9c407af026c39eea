"""Observers that put a process's events on the broker: all of them on `event/...`, and the answers to jobs.

Neighbours: `event_map` (octets), `records.JobResult`; the trace hands events over at every turn of the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from emulation.live import event_map
from emulation.live.records import JobResult
from emulation.live.topics import Topics
from g3plc import events as ev
from g3plc.events import Event

Publish = Callable[[str, bytes], object]


class EventRelay:
    """Every event on `event/<station>/<Kind>`."""

    __slots__ = ("_publish", "_topic", "_topics")

    def __init__(self, topics: Topics, publish: Publish) -> None:
        self._topics = topics
        self._publish = publish
        self._topic: dict[tuple[int, type[Event]], str] = {}

    def observe(self, events: Sequence[Event]) -> None:
        """Publish the next events."""
        for event in events:
            key = (event[1], event.__class__)
            topic = self._topic.get(key)
            if topic is None:
                topic = self._topic[key] = self._topics.event(event[1], event.__class__.__name__)
            self._publish(topic, event_map.encode(event))

    def close(self) -> None:
        """Nothing to let go of."""


class JobRelay:
    """Job events of the coordinator on `job/<id>/result`. `run` says of which run they are."""

    __slots__ = ("_publish", "_run", "_topics")

    def __init__(self, topics: Topics, publish: Publish, run: Callable[[], int]) -> None:
        self._topics = topics
        self._publish = publish
        self._run = run

    def observe(self, events: Sequence[Event]) -> None:
        """Publish what the next events say of jobs."""
        for event in events:
            if isinstance(event, ev.Job):
                result = JobResult(self._run(), event.job, event.status, event.detail)
                self._publish(self._topics.job_result(event.job), result.encode())

    def close(self) -> None:
        """Nothing to let go of."""
