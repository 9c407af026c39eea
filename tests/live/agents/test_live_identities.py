"""Who is meter 17: kills, restarts, rivals and wills, over a real mosquitto."""

from __future__ import annotations

import asyncio
import json
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
        agents = {station: [host.agents[station] for host in rivals] for station in (1, 2)}
        await stage.until(lambda: all(any(agent.refused for agent in pair) for pair in agents.values()), 5)
        for pair in agents.values():
            pair.sort(key=lambda agent: agent.instance)
            assert [agent.established for agent in pair] == [True, False], [agent.state for agent in pair]
            assert "already online" in pair[1].state

    play(story)


@pytest.mark.parametrize("beat_ms", [2, 1 << 45])
def test_one_old_or_invented_status_ends_nobody(play: Play, beat_ms: int) -> None:
    async def story(stage: Any) -> None:
        stage.join(ALL)
        await stage.begin()
        await stage.all_on()
        instance = stage.status[2]["instance"]
        forged = StatusRecord(True, "00000000", 2, since_ms=1, beat_ms=beat_ms).encode()
        for _ in range(3):
            stage.connection.publish(stage.topics.status(2), forged, retain=True)
            await asyncio.sleep(0.6)
            await stage.until(lambda: stage.status[2]["instance"] == instance, 2)
        assert stage.on()[2] and not any("refused" in line for _, line in stage.lines)

    play(story)


def test_a_status_of_its_own_past_is_no_rival(play: Play) -> None:
    async def story(stage: Any) -> None:
        first = stage.join((0, 1))
        await stage.begin()
        await stage.all_on()
        past = StatusRecord.decode("past", json.dumps(stage.status[1]).encode()).encode()
        await stage.leave(first)
        host = stage.join((0, 1))
        await stage.until(lambda: stage.status[1]["instance"] == host.agents[1].instance and stage.on()[1])
        for _ in range(2):
            stage.connection.publish(stage.topics.status(1), past)
            await asyncio.sleep(0.8)
        assert host.agents[1].established and stage.on()[1]

    play(story)


def test_a_refused_station_comes_back_when_the_other_has_gone(play: Play) -> None:
    async def story(stage: Any) -> None:
        first = stage.join((2,))
        await stage.begin()
        await stage.all_on()
        second = stage.join((0, 1, 2, 3))
        await stage.until(lambda: second.agents[2].refused and second.agents[3].established)
        assert first.agents[2].established
        await stage.leave(first)
        await stage.until(lambda: second.agents[2].established and stage.on()[2], 15)
        assert stage.status[2]["instance"] == second.agents[2].instance

    play(story)


def test_a_station_begins_at_the_directors_time(play: Play) -> None:
    async def story(stage: Any) -> None:
        stage.answer_offset_ns = 10_000_000_000
        await stage.begin()
        stage.began_ns += stage.answer_offset_ns
        stage.say_run()
        host = stage.join(ALL)
        begun: list[int] = []
        host.clock.on_pace = lambda pace: begun.append(host.clock.offset_ns)
        await stage.all_on(3)
        assert begun and abs(begun[0] - stage.answer_offset_ns) < 1_000_000_000

    play(story)


def test_stations_begin_without_a_director(play: Play) -> None:
    async def story(stage: Any) -> None:
        await stage.begin()
        stage.connection.handle(stage.topics.sync("+"), lambda topic, payload, retained: None)
        stage.join(ALL)
        await stage.all_on(4)

    play(story)
