"""Who is meter 17: kills, restarts, rivals and wills, over a real mosquitto."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from emulation.live.status_record import StatusRecord

pytestmark = pytest.mark.live

ALL = (0, 1, 2, 3)
Play = Callable[..., None]


def test_a_killed_process_is_missed_and_comes_back_with_its_counters_far_ahead(play: Play) -> None:
    async def story(stage: Any) -> None:
        stage.join((0, 1))
        nodes = await stage.spawn("nodes", "--meters", "2-3")
        await stage.begin(2000)
        await stage.until(lambda: stage.on() == dict.fromkeys(ALL, True))
        assert (await stage.job(1, "read", 3))["status"] == "done"
        await stage.until(lambda: stage.kept[3]["stack"]["frame"] > 3)
        nodes.kill()
        await nodes.wait()
        await stage.until(lambda: not stage.status[2]["online"] and not stage.status[3]["online"])
        frame = stage.kept[3]["stack"]["frame"]
        again = stage.join((2, 3))
        await stage.until(lambda: again.run is not None and 3 in again.run.lives)
        assert again.run.lives[3].boot == 2
        assert again.run.lives[3].stack.phy.frame_number >= frame + 1024
        await stage.leave(again)
        await stage.until(lambda: stage.kept[3]["clean"])
        nodes = await stage.spawn("nodes", "--meters", "2,3")
        await stage.all_on()
        await stage.until(lambda: stage.status[3]["boot"] == 3)
        assert (await stage.job(2, "discover", 3))["status"] == "done"
        assert (await stage.job(3, "read", 3))["status"] == "done"
        nodes.terminate()
        assert await nodes.wait() == 0
        await stage.until(lambda: not stage.status[3]["online"] and stage.status[3]["state"] == "stopped")

    play(story)


def test_an_identity_in_use_is_refused(play: Play) -> None:
    async def story(stage: Any) -> None:
        stage.join(ALL)
        await stage.begin()
        await stage.all_on()
        instance = stage.status[2]["instance"]
        rival = stage.join((2,))
        await stage.until(lambda: rival.agents[2].state.startswith("refused: already online as " + instance))
        await stage.until(lambda: rival.refused_all)
        assert stage.status[2]["instance"] == instance and stage.on()[2]

    play(story)


def test_a_stale_identity_is_taken_over_and_its_will_covered(play: Play) -> None:
    async def story(stage: Any) -> None:
        await asyncio.wait_for(stage.connection.up.wait(), 10)
        old = StatusRecord(True, "00000000", 1, since_ms=1, beat_ms=int(time.time() * 1000) - 60_000, state="on")
        stage.connection.publish(stage.topics.status(1), old.encode(), retain=True)
        host = stage.join((1,))
        await stage.until(lambda: host.agents[1].established)
        gone = StatusRecord(False, "00000000", 1, since_ms=1, state="gone")
        stage.connection.publish(stage.topics.status(1), gone.encode(), retain=True)
        await stage.until(lambda: stage.status[1]["online"] and stage.status[1]["instance"] != "00000000")

    play(story)


def test_of_two_at_once_the_lower_stays(play: Play) -> None:
    async def story(stage: Any) -> None:
        rivals = [stage.join((1, 2)), stage.join((1, 2))]
        await asyncio.sleep(1.5)
        for station in (1, 2):
            agents = sorted((host.agents[station] for host in rivals), key=lambda agent: agent.instance)
            assert [agent.established for agent in agents] == [True, False], [agent.state for agent in agents]
            assert "already" in agents[1].state

    play(story)
