"""Runs that follow one another, and directors that do: scenes, restarts, brokers that forget."""

from __future__ import annotations

from typing import Any

import pytest

from emulation.live.director import REFUSING, WORKING
from emulation.live.playbook import Playbook
from emulation.live.records import ClockRecord, FaultRecord, RunRecord
from emulation.live.topics import Topics
from emulation.scenario import Scenario, loads

T = Topics()
MS = 1_000_000

QUIET = 'feeder = "row4"\nspeed = 0.5\n'
STORY = (
    'title = "Story"\nfeeder = "row4"\nspeed = 0.5\n'
    '[[job]]\nat = 1\ndo = "read"\nstation = 3\nhold = 1\n[[fault]]\nat = 2\nlink = "2-1"\nword = "down for 3"\n'
)
ROUTED = 'feeder = "row4"\nspeed = 1\n[[fault]]\nat = 2\nlink = "route 3"\nword = "down"\n'


def scene(text: str, name: str) -> Scenario:
    return loads(text, f"{name}.toml", None)


def story(loop: bool = False) -> Playbook:
    return Playbook([scene(STORY, "story"), scene(QUIET, "quiet")] if loop else [scene(STORY, "story")], loop)


# -- what is played


def test_jobs_and_faults_of_a_scenario_are_played_at_their_time(new_world: Any) -> None:
    world = new_world(story).started()
    world.pass_time(1.8)
    assert world.jobs() == []
    world.pass_time(0.2)
    job = world.jobs()[0]
    assert (job["verb"], job["station"], job["arguments"]["hold_us"]) == ("read", 3, 1_000_000)
    world.result(job["id"], "accepted")
    world.pass_time(1.7)
    record = world.faults()[1]
    assert (record["where"], record["from_us"], record["until_us"]) == ("1-2", 2_000_000, 5_000_000)
    assert record["owner"] == "scenario"
    assert world.emulated_s < 2
    assert world.replies() == []
    world.result(job["id"], "done", "value 12345")
    assert any(f"job {job['id']}, read meter-3, done: value 12345" in line for line in world.log())


def test_a_scenario_is_played_once_and_then_the_stage_is_open(new_world: Any) -> None:
    world = new_world(story).started()
    run = world.run
    world.pass_time(60)
    assert world.run == run
    assert len(world.jobs()) == 1
    assert any("coordinator is off" in line for line in world.log())


def test_scenes_follow_one_another_each_a_run_at_its_own_speed(new_world: Any) -> None:
    world = new_world(lambda: Playbook([scene(STORY, "a"), scene(ROUTED, "b")], loop=True)).started()
    first = world.run
    world.pass_time(10.5)
    assert world.run == first
    world.pass_time(6)
    assert world.run != first
    assert world.status.scenario == "b"
    world.beat()
    world.pass_time(0.4)
    assert world.clock["speed"] == 1
    world.pass_time(10)
    assert world.status.scenario == "a"


def test_a_scene_stays_on_for_whoever_gives_commands(new_world: Any) -> None:
    world = new_world(lambda: story(loop=True)).started()
    world.pass_time(5)
    world.command("link/0-1", "down for 1000")
    world.pass_time(50)
    assert world.status.scenario == "story"
    assert len(world.faults()) == 1
    world.pass_time(20)
    assert world.status.scenario == "quiet"
    assert world.faults() == {}


def test_a_pause_holds_the_scene(new_world: Any) -> None:
    world = new_world(lambda: story(loop=True)).started()
    world.pass_time(12)
    world.command("speed", "0")
    world.pass_time(300)
    assert world.status.scenario == "story"


def test_a_route_of_a_scenario_is_looked_up_when_the_fault_strikes(new_world: Any) -> None:
    world = new_world(lambda: Playbook([scene(ROUTED, "b")])).started()
    world.routes = {0: [[3, 1, 3]], 1: [[3, 2, 2]], 2: [[3, 3, 1]]}
    world.beat()
    world.pass_time(2)
    assert world.faults()[1]["where"] == "2-3"
    world = new_world(lambda: Playbook([scene(ROUTED, "b")])).started()
    world.pass_time(2)
    assert world.faults()[1]["where"] == "0-3"


def test_another_speed_than_the_scenarios(new_world: Any) -> None:
    world = new_world(lambda: Playbook([scene(STORY, "a")], speed_permille=4000)).started()
    assert world.clock["speed"] == 4


# -- lives of the director


def test_a_restarted_director_goes_on(new_world: Any) -> None:
    world = new_world(story).started()
    world.command("link/0-1", "down")
    world.command("noise/2", "20 for 1")
    world.pass_time(2.4)
    run, clock = world.run, world.clock
    world.succeed(after=3)
    assert (world.run, world.clock) == (run, clock)
    assert world.director.state == WORKING
    assert [record["where"] for record in world.faults().values()] == ["0-1", "1-2"]
    assert world.emulated_s == pytest.approx((world.now - clock["wall_ns"]) / 2e9, abs=1e-5)
    assert len(world.jobs()) == 1
    world.command("link/0-1", "up")
    world.command("read/2")
    world.pass_time(2)
    assert [record["where"] for record in world.faults().values()] == ["1-2"]
    assert [job["id"] for job in world.jobs()] == [1, 2]


def test_auto_outlives_the_director(new_world: Any) -> None:
    world = new_world().started()
    world.command("speed", "auto")
    world.pass_time(1)
    world.succeed()
    assert world.status.auto


def test_numbers_are_not_used_twice_where_nothing_was_kept(new_world: Any) -> None:
    world = new_world().started()
    world.command("read/1")
    world.retained.pop(T.keep("director"))
    world.succeed()
    world.command("read/1")
    assert [job["id"] for job in world.jobs()] == [1, 1000]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (T.run, b"garbage"),
        (T.clock, b"garbage"),
        (T.clock, ClockRecord(1, 5, 1, 1, 1000).encode()),
        (T.run, RunRecord(11, 1, 0, "demo", "row4", "00", "row", "other").encode()),
    ],
)
def test_a_run_that_is_not_its_own_is_not_adopted(new_world: Any, topic: str, payload: bytes) -> None:
    world = new_world().started()
    world.command("link/0-1", "down")
    world.retained[topic] = payload
    before = world.retained[T.run] if topic == T.clock else b""
    world.succeed()
    assert world.retained[T.run] != before
    assert world.clock["run"] == world.run
    assert world.faults() == {}


def test_faults_of_other_runs_are_cleared(new_world: Any) -> None:
    world = new_world().started()
    world.command("link/0-1", "down")
    order = world.director.stage.faults.records[0].order
    world.retained[T.fault(8)] = FaultRecord(999, 8, order, 1, 0, "x").encode()
    world.retained[T.fault(9)] = FaultRecord(world.run, 10, order, 1, 0, "x").encode()
    world.retained[T.fault("x")] = b"\xff"
    world.succeed()
    assert [topic for topic in world.retained if topic.startswith(T.fault(""))] == [T.fault(1)]


def test_a_new_run_on_demand(new_world: Any) -> None:
    world = new_world().started()
    run = world.run
    world.succeed(fresh=True)
    assert world.run != run


def test_a_broker_that_has_forgotten_is_told_again(new_world: Any) -> None:
    world = new_world().started()
    world.command("link/0-1", "down")
    world.pass_time(1)
    before = dict(world.retained)
    world.director.disconnected()
    world.retained.clear()
    world.pass_time(2)
    world.director.take()
    world.retained.clear()
    world.connect(0.1)
    for topic in (T.run, T.clock, T.fault(1), T.keep("director")):
        assert world.retained[topic] == before[topic], topic
    assert world.director.state == WORKING


def test_faults_that_ended_while_the_broker_was_away_are_cleared(new_world: Any) -> None:
    world = new_world().started()
    world.command("noise/2", "20 for 1")
    world.pass_time(1)
    world.director.disconnected()
    kept = dict(world.retained)
    world.pass_time(5)
    world.retained = kept
    world.connect()
    assert world.faults() == {}


def test_a_second_director_gives_way(new_world: Any) -> None:
    world = new_world().started()
    world.pass_time(5)
    run, first = world.run, world.director
    world.director = second = world.new_director("a0")
    for topic, payload in world.retained.items():
        second.receive(topic, payload, True, world.now)
    second.connected(world.now)
    said = side_by_side(world, first, second)
    assert second.state == REFUSING
    assert second.take() == []
    assert said < 10
    assert (first.state, world.run) == (WORKING, run)


def test_a_silent_director_is_replaced(new_world: Any) -> None:
    world = new_world().started()
    world.director = world.new_director("zz")
    world.now += 4_000 * MS
    world.connect(3)
    assert world.director.state == WORKING


def test_goodbye_says_so(new_world: Any) -> None:
    world = new_world().started()
    world.director.goodbye(world.now)
    world.pump()
    assert (world.status.online, world.status.state) == (False, "gone")


def test_of_two_that_start_at_once_one_stays(new_world: Any) -> None:
    world = new_world()
    first, second = world.new_director("a0"), world.new_director("b0")
    first.connected(world.now)
    second.connected(world.now)
    side_by_side(world, first, second)
    assert (first.state, second.state) == (WORKING, REFUSING)


def test_of_two_at_work_one_stays_and_neither_floods_the_other(new_world: Any) -> None:
    world = new_world()
    first, second = world.new_director("a0"), world.new_director("b0")
    for director in (first, second):
        director.connected(world.now)
        director.tick(world.now + 2000 * MS)
        director.take()
    world.now += 2000 * MS
    assert side_by_side(world, first, second) < 10
    assert (first.state, second.state) == (WORKING, REFUSING)


def side_by_side(world: Any, *directors: Any, seconds: int = 3) -> int:
    """Let directors hear each other, and themselves; how often they said their status."""
    said = 0
    for _ in range(seconds * 20):
        for director in directors:
            director.tick(world.now)
        while messages := [message for director in directors for message in director.take()]:
            for topic, payload, _ in messages:
                said += topic == T.status("director")
                for director in directors:
                    director.receive(topic, payload, False, world.now)
        world.now += 50 * MS
    return said
