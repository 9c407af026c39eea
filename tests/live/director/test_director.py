"""The director: what it says to the messages and the time that it is given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulation.live.director import REFUSING, SETTLING, WORKING
from emulation.live.director_status import DirectorStatus
from emulation.live.records import SyncRecord
from emulation.live.topics import Topics

MS = 1_000_000
T = Topics()


# -- a run begins


def test_a_new_run_waits_for_its_stations_with_the_clock_at_zero(new_world: Any) -> None:
    world = new_world().connect(2)
    assert world.director.state == WORKING
    assert (world.clock["speed"], world.clock["emulated_us"], world.clock["run"]) == (0, 0, world.run)
    assert world.status.state == "starting"
    world.beat()
    world.pass_time(0.2)
    assert world.clock["speed"] == 0.5
    assert world.emulated_s == 0
    world.pass_time(2.1)
    assert world.emulated_s == pytest.approx(1.0, abs=0.01)
    assert (world.status.state, world.status.ready) == ("running", 4)


def test_state_and_speed_are_told_at_once(new_world: Any) -> None:
    world = new_world().connect(2.9)
    world.beat()
    world.pass_time(0.01)
    assert (world.status.state, world.status.ready, world.status.speed_permille) == ("running", 4, 0)
    world.pass_time(0.3)
    assert (world.status.state, world.status.speed_permille) == ("running", 500)
    world.command("speed", "2")
    world.pass_time(0.32)
    assert world.status.speed_permille == 2000


def test_missing_stations_are_not_waited_for_for_ever(new_world: Any) -> None:
    world = new_world(stations=2).connect()
    world.beat()
    world.pass_time(0.8)
    assert world.clock["speed"] == 0
    world.pass_time(0.5)
    assert world.clock["speed"] == 0.5


def test_the_run_says_what_all_have_to_agree_upon(new_world: Any) -> None:
    world = new_world().connect()
    record = json.loads(world.retained[T.run])
    assert (record["feeder"], record["scenario"], record["text"]) == (
        "row4",
        "row",
        world.director.stage.playbook.scene.text,
    )
    assert len(record["feeder_sha256"]) == 64


# -- commands


def test_a_fault_is_accepted_in_force_and_over(new_world: Any) -> None:
    world = new_world().started()
    world.command("link/2-1", "down for 2")
    assert world.states() == ["accepted"]
    record = world.faults()[1]
    assert (record["where"], record["word"], record["owner"]) == ("1-2", "down", "operator")
    assert record["from_us"] > world.emulated_s * 1e6
    assert record["until_us"] == record["from_us"] + 2_000_000
    world.pass_time(0.4)
    assert world.states() == ["accepted", "done"]
    assert world.replies()[1]["fault"] == 1
    world.pass_time(3.5)
    assert 1 in world.faults()
    world.pass_time(1)
    assert world.faults() == {}
    assert any("fault 1 ends" in line for line in world.log())


def test_seconds_are_emulated_seconds(new_world: Any) -> None:
    world = new_world().started()
    world.command("speed", "0")
    world.pass_time(1)
    world.command("noise/2", "20 for 1")
    world.pass_time(100)
    assert world.faults()
    world.command("speed", "16")
    world.pass_time(1.5)
    assert not world.faults()


def test_a_fault_without_end_is_ended_by_its_opposite(new_world: Any) -> None:
    world = new_world().started()
    world.command("link/1-2", '{"word":"weak","value":20,"client":"me","id":1}')
    world.command("link/1-2", '{"word":"down","client":"me","id":2}')
    world.pass_time(1)
    world.command("link/2-1", '{"word":"up","client":"me","id":3}')
    world.pass_time(0.4)
    assert [(reply["id"], reply["state"]) for reply in world.replies("me")] == [
        (1, "accepted"), (2, "accepted"), (1, "done"), (2, "done"), (3, "accepted"), (3, "done"),
    ]  # fmt: skip
    world.pass_time(1)
    assert world.faults() == {}
    world.command("link/1-2", "up")
    assert world.replies()[-1]["state"] == "refused"
    assert "no link has a fault" in world.replies()[-1]["allowed"]


def test_one_direction_of_a_link_heals_alone(new_world: Any) -> None:
    world = new_world().started()
    world.command("link/1-2", "down")
    world.pass_time(1)
    world.command("link/1>2", "up")
    world.pass_time(2)
    assert [record["where"] for record in world.faults().values()] == ["2>1"]


def test_the_same_fault_again_replaces_the_first(new_world: Any) -> None:
    world = new_world().started()
    world.command("noise/2", "20")
    world.command("noise/2", "30")
    world.pass_time(2)
    assert [record["value"] for record in world.faults().values()] == [30]


def test_a_link_by_its_route_needs_routes(new_world: Any) -> None:
    world = new_world().started()
    world.command("link/route 3", "down")
    assert world.states() == ["refused"]
    assert "cmd/discover/3" in world.replies()[0]["allowed"]
    world.routes = {0: [[3, 1, 3]], 1: [[3, 2, 2]], 2: [[3, 3, 1]]}
    world.beat()
    world.command("link/route 3", "down")
    assert world.faults()[1]["where"] == "2-3"
    world.routes[1] = [[3, 0, 2]]
    world.beat()
    world.command("link/route 3", "down")
    assert world.states()[-1] == "refused"


def test_a_job_goes_to_the_coordinator_and_comes_back(new_world: Any) -> None:
    world = new_world().started()
    world.command("read/3", '{"obis":"1.0.32.7.0.255","client":"me","id":"a"}')
    job = world.jobs()[0]
    assert (job["run"], job["verb"], job["station"]) == (world.run, "read", 3)
    assert job["arguments"]["obis"] == "1.0.32.7.0.255"
    assert world.replies("me") == []
    world.result(job["id"], "accepted")
    world.result(job["id"], "accepted")
    world.pass_time(60)
    world.result(job["id"], "done", "value 229.9 V")
    assert world.states("me") == ["accepted", "done"]
    assert world.replies("me")[1]["detail"] == "value 229.9 V"
    world.result(job["id"], "failed")
    assert world.states("me") == ["accepted", "done"]


def test_a_coordinator_that_does_not_answer_is_off(new_world: Any) -> None:
    world = new_world().started()
    world.command("collect")
    world.pass_time(1.9)
    assert world.states() == []
    world.pass_time(0.2)
    assert (world.states(), world.replies()[0]["detail"]) == (["failed"], "coordinator is off")


def test_jobs_fail_with_the_coordinators_life(new_world: Any) -> None:
    world = new_world().started()
    world.command("read/3")
    world.result(1, "accepted")
    world.boots = 2
    world.beat()
    assert world.states() == ["accepted", "failed"]


def test_jobs_outlive_a_short_absence_of_the_coordinator(new_world: Any) -> None:
    world = new_world().started()
    world.command("read/3")
    world.result(1, "accepted")
    world.beat(online=False, state="gone")
    world.pass_time(5)
    world.beat()
    world.pass_time(5)
    assert world.states() == ["accepted"]
    world.beat(online=False, state="gone")
    world.pass_time(7)
    assert world.states() == ["accepted", "failed"]


def test_speed_takes_effect_300_ms_ahead(new_world: Any) -> None:
    world = new_world().started()
    before = world.clock["generation"]
    world.command("speed", "4")
    clock = world.clock
    assert (clock["speed"], clock["generation"]) == (4.0, before + 1)
    assert clock["wall_ns"] == world.now + 300 * MS
    at = clock["emulated_us"]
    world.pass_time(0.3)
    assert world.states() == ["accepted", "done"]
    world.pass_time(1)
    assert world.emulated_s * 1e6 == at + 4_000_000


def test_a_step_needs_a_clock_that_stands(new_world: Any) -> None:
    world = new_world().started()
    world.command("step", "1000")
    assert world.states() == ["refused"]
    world.command("speed", "0")
    world.pass_time(1)
    stood = world.emulated_s
    world.command("step", "250000")
    world.pass_time(2)
    assert world.emulated_s == pytest.approx(stood + 0.25, abs=1e-9)
    assert world.clock["speed"] == 0
    assert world.states() == ["refused", "accepted", "done", "accepted", "done"]


def test_reset_is_a_new_run(new_world: Any) -> None:
    world = new_world().started()
    first = world.run
    world.command("link/1-2", "down")
    world.command("read/3")
    world.pass_time(0.5)
    world.command("reset", '{"client":"me","id":1}')
    assert world.run != first
    assert (world.clock["run"], world.clock["emulated_us"], world.faults()) == (world.run, 0, {})
    assert world.replies()[-1]["detail"] == "the run was reset"
    assert world.states("me") == ["accepted"]
    world.beat()
    world.pass_time(0.1)
    assert world.states("me") == ["accepted", "done"]


def test_levels_are_retained(new_world: Any) -> None:
    world = new_world().started()
    world.command("level/3", "debug")
    world.command("level/all", "warning")
    assert world.retained[T.level(3)] == b"debug"
    assert world.retained[T.level("all")] == b"warning"
    assert world.states() == ["accepted", "done"] * 2


def test_auto_raises_the_speed_until_frames_come_late(new_world: Any) -> None:
    world = new_world().started()
    world.command("speed", "auto")
    heard = late = 0
    for _ in range(40):
        heard += 1000
        world.beat(heard=heard)
        world.pass_time(1)
    fast = world.clock["speed"]
    assert fast > 1
    for _ in range(12):
        heard += 1000
        late += 20
        world.beat(heard=heard, late=late)
        world.pass_time(1)
    assert world.clock["speed"] < fast
    assert not world.status.faithful
    assert world.status.auto


# -- what is no command


def test_the_time_is_told(new_world: Any) -> None:
    world = new_world().started()
    world.send(T.sync("p1"), SyncRecord(5).encode())
    answer = SyncRecord.decode("", next(p for _, t, p in world.said if t == T.sync_answer("p1")))
    assert (answer.sent_ns, answer.director_ns) == (5, world.now)


def test_garbage_is_counted_answered_and_logged_at_a_bounded_rate(new_world: Any) -> None:
    world = new_world().started()
    payloads = [b"", b"\xff" * 10, b"\0" * 1_000_000, b'{"value":NaN}', b"[" * 3000, b'{"client":"me","id":1}']
    for payload in payloads * 50:
        world.command("link/1-2", payload)
    assert world.states() == ["refused"] * 250
    assert world.states("me") == ["refused"] * 50
    assert world.status.refused < 300
    world.pass_time(1.1)
    assert world.status.refused == 300
    assert len([line for line in world.log() if "refused" in line]) <= 5
    assert max(len(payload) for _, _, payload in world.said) < 20_000


@pytest.mark.parametrize("payload", [b"", b"\xff", b"{}", b"[1]", b'{"run":1}', b"\0" * 300_000])
@pytest.mark.parametrize(
    "topic",
    [
        T.run, T.clock, T.fault(1), T.fault("x"), T.keep("director"), T.status(1), T.status("x"), T.status("director"),
        T.sync("p"), T.job_result(1), T.job_result("x"), T.command(""), T.command("a/b/c/d"), "other", T.prefix,
    ],
)  # fmt: skip
def test_any_octets_on_any_topic(new_world: Any, topic: str, payload: bytes) -> None:
    world = new_world().started()
    run, clock = world.retained[T.run], world.clock["generation"]
    for retained in (False, True):
        world.send(topic, payload, retained)
    world.pass_time(3)
    assert (world.retained[T.run], world.clock["generation"]) == (run, clock)
    world.command("link/1-2", "down")
    assert world.states()[-1] == "accepted"


def test_retained_commands_are_refused(new_world: Any) -> None:
    world = new_world().started()
    run = world.run
    world.send(T.command("reset"), b"", retained=True)
    assert world.states() == ["refused"]
    assert world.run == run


def test_commands_given_while_it_listens_are_done_afterwards(new_world: Any) -> None:
    world = new_world()
    world.director.connected(world.now)
    assert world.director.state == SETTLING
    world.command("link/1-2", "down")
    assert world.states() == []
    world.pass_time(1)
    assert world.states() == ["accepted", "done"]


def test_what_others_write_on_its_topics_is_put_right(new_world: Any) -> None:
    world = new_world().started()
    world.command("link/1-2", "down")
    mine = {topic: world.retained[topic] for topic in (T.run, T.clock, T.fault(1))}
    for topic in (*mine, T.fault(77)):
        world.retained[topic] = b"garbage"
        world.send(topic, b"garbage")
    assert T.fault(77) not in world.retained
    assert all(world.retained[topic] == payload for topic, payload in mine.items())


def hear(world: Any, instance: str, since_ms: int, beat_ms: int) -> None:
    world.send(T.status("director"), DirectorStatus(True, instance, since_ms=since_ms, beat_ms=beat_ms).encode())


@pytest.mark.parametrize("skew_ms", [0, 10_000, -10_000])
def test_it_stops_for_a_director_that_was_there_first(new_world: Any, skew_ms: int) -> None:
    world = new_world().started()
    for _ in range(3):
        hear(world, "zz", world.now // MS + 20_000, world.now // MS + skew_ms)
        world.pass_time(1)
    assert world.director.state == WORKING
    hear(world, "aa", 1, world.now // MS + skew_ms)
    assert world.director.state == WORKING
    world.pass_time(1)
    hear(world, "aa", 1, world.now // MS + skew_ms)
    assert world.director.state == REFUSING
    assert "another director (aa)" in world.director.problem
    count = len(world.said)
    world.command("link/1-2", "down")
    world.pass_time(5)
    assert len(world.said) == count


def test_an_old_or_invented_status_ends_no_director(new_world: Any) -> None:
    world = new_world().started()
    for _ in range(3):
        hear(world, "00000000", 1, 2)
        world.pass_time(1)
        assert world.director.state == WORKING
    assert world.status.instance == "d1"


@pytest.mark.parametrize("skew_ms", [0, 10_000])
def test_one_that_is_retained_is_listened_for(new_world: Any, skew_ms: int) -> None:
    world = new_world()
    beat_ms = world.now // MS + skew_ms
    world.retained[T.status("director")] = DirectorStatus(True, "d0", since_ms=beat_ms, beat_ms=beat_ms).encode()
    world.connect(0.3)
    for _ in range(2):
        assert world.director.state == SETTLING
        world.pass_time(0.8)
        hear(world, "d0", beat_ms, world.now // MS + skew_ms)
    assert world.director.state == REFUSING


def test_one_that_is_retained_and_silent_is_succeeded(new_world: Any) -> None:
    world = new_world()
    beat_ms = world.now // MS
    world.retained[T.status("director")] = DirectorStatus(True, "d0", since_ms=1, beat_ms=beat_ms).encode()
    world.connect(1)
    assert world.director.state == SETTLING
    world.pass_time(2)
    assert world.director.state == WORKING
