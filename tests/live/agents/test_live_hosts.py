"""Whole agents over a real mosquitto, in real time: joining, reading, faults, crashes, a broker that dies, garbage."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.factory import coordinator
from emulation.grid.fault import FaultOrder
from emulation.grid.feeder import Feeder
from emulation.live.mqtt import BrokerUrl, Connection, client_of
from emulation.live.records import FaultRecord, JobRecord
from emulation.scenario import JobOrder, Scenario
from emulation.sim import Application, Factory
from nodes.factory import meters

pytestmark = pytest.mark.live

ALL = (0, 1, 2, 3)
Play = Callable[..., None]


def both(scenario: Scenario, seed: int) -> Factory:
    """Coordinator and meters in one process."""
    first, others = coordinator(scenario, seed), meters(scenario, seed)
    return lambda station, port, kept: (others if station else first)(station, port, kept)


def test_two_processes_read_a_meter_over_three_hops(play: Play) -> None:
    async def story(stage: Any) -> None:
        near, far = stage.join((0, 2)), stage.join((1, 3))
        await stage.begin(2000)
        await stage.all_on()
        result = await stage.job(1, "read", 3)
        assert result["status"] == "done", result
        assert "Wh" in result["detail"]
        await stage.until(lambda: any(route[0] == 3 and route[2] == 3 for route in stage.status[0]["routes"]))
        await stage.until(lambda: stage.kept[3]["stack"]["frame"] > 3)
        assert stage.kinds[0, "ReadDone"] == 1 and stage.kinds[3, "ApduReceived"] >= 3
        assert any(station == 0 and "RREQ" in line for station, line in stage.lines)
        await stage.leave(near)
        await stage.until(lambda: not stage.status[0]["online"] and stage.kept[0]["clean"])
        assert stage.status[1]["online"] and far.run is not None

    play(story)


def test_without_a_director_agents_wait_and_say_so(play: Play) -> None:
    async def story(stage: Any) -> None:
        stage.join((1, 2))
        await stage.until(lambda: 1 in stage.status)
        assert stage.status[1]["online"] and stage.status[1]["state"] == "waiting for the director"
        await stage.begin()
        await stage.all_on()

    play(story)


def test_a_meter_that_is_not_on_the_feeder_says_so_and_is_shown_nowhere(play: Play) -> None:
    async def story(stage: Any) -> None:
        host = stage.join((*ALL, 9))
        await stage.begin()
        await stage.until(lambda: all(stage.on().get(station) for station in ALL))
        await stage.until(lambda: any(station == 9 for station, _ in stage.lines))
        await stage.until(lambda: host.agents[9].established)
        await asyncio.sleep(1.5)
        said = [line for station, line in stage.lines if station == 9 and "no such meter" in line]
        assert len(said) == 1 and said[0].endswith("no such meter on feeder row4; allowed: 1 to 3")
        assert host.agents[9].state == "no such meter on feeder row4; allowed: 1 to 3"
        async with client_of(stage.broker.url, 3.0) as looking:
            await looking.subscribe(stage.topics.status("9"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(looking.messages), 0.5)

    play(story)


def test_a_process_with_no_meter_on_the_feeder_ends_in_one_line(play: Play) -> None:
    async def story(stage: Any) -> None:
        stage.join(ALL)
        await stage.begin()
        await stage.all_on()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "nodes", "--broker", str(stage.broker.url), "--meters", "9",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        stage.children.append(child)
        said, wrong = await asyncio.wait_for(child.communicate(), 20)
        assert child.returncode == 3
        assert wrong.decode().splitlines()[-1] == "no such meter on feeder row4; allowed: 1 to 3"
        assert said.startswith(b"meter-9 ")

    play(story)


def test_agents_wait_for_their_broker(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def story(stage: Any) -> None:
        stage.broker.kill()
        stage.join(ALL)
        await asyncio.sleep(0.5)
        said = [record.getMessage() for record in caplog.records if "waiting for it" in record.getMessage()]
        assert ["-host-" in line for line in said if not line.startswith("stage:")] == [True]
        stage.broker.start()
        await stage.begin()
        await stage.all_on(10)

    play(story)


def test_a_broker_that_comes_back_finds_everybody_within_five_seconds(play: Play) -> None:
    async def story(stage: Any) -> None:
        host = stage.join(ALL)
        await stage.begin(2000)
        await stage.all_on()
        assert (await stage.job(1, "read", 3))["status"] == "done"
        stage.fault(5, FaultOrder("link", "1-2", "down"))
        await stage.until(lambda: host.run.faults.down)
        stage.broker.kill()
        stage.status.clear()
        heard = dict(host.run.medium.heard)
        await asyncio.sleep(1.5)
        assert dict(host.run.medium.heard) == heard
        stage.broker.start()
        began = time.monotonic()
        await stage.all_on(5)
        assert time.monotonic() - began < 5
        assert {status["boot"] for status in stage.status.values()} == {1}
        await stage.until(lambda: not host.run.faults.down)  # the record is gone: so is the fault
        assert (await stage.job(2, "read", 3))["status"] == "done"

    play(story)


def test_faults_apply_and_end(play: Play) -> None:
    async def story(stage: Any) -> None:
        host = stage.join(ALL)
        await stage.begin(2000)
        await stage.all_on()
        stage.fault(1, FaultOrder("link", "2>3", "weak", 12))
        stage.fault(2, FaultOrder("noise", "1", "noise", 9), until_us=host.clock.emulated() + 2_000_000)
        stage.fault(3, FaultOrder("station", "2", "off"))
        await stage.until(lambda: stage.status[2]["state"] == "off by fault 3")
        assert host.run.faults.weak_cb == {(2, 3): 1200}
        await stage.until(lambda: not host.run.faults.noise_cb)
        stage.fault(3, None)
        await stage.until(lambda: stage.status[2]["state"] == "on" and stage.status[2]["boot"] == 2)
        stage.fault(4, FaultOrder("station", "1", "reboot"))
        await stage.until(lambda: stage.status[1]["boot"] == 1)
        stage.fault(1, None)
        await stage.until(lambda: not host.run.faults.weak_cb)
        stage.fault(6, FaultOrder("cable", "1", "cut", power=True))
        await stage.until(lambda: not any(stage.on()[meter] for meter in (1, 2, 3)))
        assert stage.on()[0]
        stage.fault(6, None)
        await stage.all_on()

    play(story)


def test_a_reboot_happens_once(play: Play) -> None:
    async def story(stage: Any) -> None:
        host = stage.join(ALL)
        await stage.begin(1000)
        await stage.all_on()
        order = FaultOrder("station", "1", "reboot")
        record = FaultRecord(stage.run.run, 1, order, host.clock.emulated() + 200_000, 0, "test")
        for _ in range(2):
            stage.connection.publish(stage.topics.fault(1), record.encode(), retain=True)
            await stage.until(lambda: stage.on()[1] and stage.status[1]["boot"] == 2)
        stage.connection.publish(stage.topics.fault(1), b"", retain=True)
        late = stage.status[1]["beat_ms"]
        await stage.until(lambda: stage.status[1]["beat_ms"] > late + 1500)
        assert stage.status[1]["boot"] == 2

    play(story)


def test_a_crash_of_one_agent_does_not_touch_the_others(play: Play) -> None:
    crashes: list[int] = []

    def fragile(scenario: Any, seed: int) -> Factory:
        build = meters(scenario, seed)

        def make(station: int, port: Any, kept: Any) -> Application:
            application = build(station, port, kept)
            if station == 1 and not crashes:

                def fail(_: None) -> None:
                    crashes.append(port.env.clock.now)
                    raise ZeroDivisionError("a bug of meter 1")

                port.env.clock.after(100_000, fail, None)
            return application

        return make

    async def story(stage: Any) -> None:
        stage.join((1, 2, 3), fragile)
        await stage.begin()
        await stage.until(lambda: crashes)
        await stage.until(lambda: 1 in stage.status and stage.status[1]["state"].startswith("crashed"))
        assert stage.on()[2] and stage.on()[3]
        assert any("a bug of meter 1" in line for station, line in stage.lines if station == 1)
        await stage.until(lambda: stage.on()[1] and stage.status[1]["boot"] == 2)
        assert len(crashes) == 1

    play(story)


def test_an_application_that_crashes_on_what_it_receives_ends_its_own_life_only(play: Play) -> None:
    crashes: list[int] = []

    def fragile(scenario: Any, seed: int) -> Factory:
        build = both(scenario, seed)

        def make(station: int, port: Any, kept: Any) -> Application:
            application = build(station, port, kept)
            return Fragile(application, crashes) if station == 3 else application  # type: ignore[return-value]

        return make

    async def story(stage: Any) -> None:
        stage.join(ALL, fragile)
        await stage.begin(2000)
        await stage.all_on()
        order = JobRecord(stage.run.run, JobOrder(1, 0, "read", 3))
        stage.connection.publish(stage.topics.job(1), order.encode())
        await stage.until(lambda: stage.status[3]["state"].startswith("crashed"))
        assert stage.on()[0] and stage.on()[1] and stage.on()[2] and len(crashes) == 1
        await stage.until(lambda: stage.on()[3] and stage.status[3]["boot"] == 2)

    play(story)


class Fragile:
    """An application that cannot stand its first APDU."""

    def __init__(self, inner: Application, crashes: list[int]) -> None:
        self._inner = inner
        self._crashes = crashes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def received(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes, flow: int) -> None:
        if not self._crashes:
            self._crashes.append(peer)
            raise KeyError("a bug of meter 3")
        self._inner.received(peer, src_wport, dst_wport, apdu, flow)


def test_another_feeder_is_refused_in_plain_words(play: Play) -> None:
    async def story(stage: Any) -> None:
        host = stage.join((1,), feeder=Feeder.load("board"))
        await stage.begin()
        await stage.until(lambda: "another feeder" in host.obstacle)
        await stage.until(lambda: "another feeder" in stage.status.get(1, {}).get("state", ""))
        assert host.run is None

    play(story)


def test_a_new_run_begins_everything_anew(play: Play) -> None:
    async def story(stage: Any) -> None:
        host = stage.join(ALL)
        await stage.begin(4000)
        await stage.all_on()
        assert (await stage.job(1, "read", 3))["status"] == "done"
        assert host.run.lives[3].stack.phy.frame_number > 0
        stage.run = replace(stage.run, run=stage.run.run ^ 1)
        stage.generation = 0
        stage.kinds.clear()
        await stage.begin(1000)
        await stage.until(
            lambda: host.run is not None and host.run.record == stage.run and len(host.run.lives) == len(ALL)
        )
        assert host.clock.emulated() < 3_000_000
        assert {life.boot for life in host.run.lives.values()} == {1}
        assert host.run.lives[3].stack.phy.frame_number == 0

    play(story)


def test_garbage_on_every_topic_is_survived(play: Play) -> None:
    async def story(stage: Any) -> None:
        host = stage.join(ALL)
        await stage.begin(2000)
        await stage.all_on()
        topics = stage.topics
        payloads = [
            b"", b"\0" * 1_000_000, b"\xff\xfe\x00", b"{}", b"[]", b"null", b'{"run": NaN}', b"{" * 5000,
            os.urandom(200),
            json.dumps({"run": stage.run.run, "id": 1, "kind": "link", "where": "0-9999", "word": "down"}).encode(),
            json.dumps({"run": stage.run.run, "generation": 10**30, "speed": 1}).encode(),
        ]  # fmt: skip
        names = [topics.clock, topics.run, topics.fault(1), topics.fault("x"), topics.job(9), topics.level("all"),
                 topics.sync_answer(host.process), topics.sync_answer("x"), *(topics.air(s) for s in (*ALL, 77, "x")),
                 *(topics.status(s) for s in ALL), *(topics.keep(s) for s in ALL), topics.event(1, "Ack")]  # fmt: skip
        for name in names:
            for payload in payloads:
                if name not in (topics.run, topics.level("all")) or payload:
                    stage.connection.publish(name, payload)
        await stage.until(lambda: host.refused > 100)
        assert host.connection.failures == 0
        assert all(agent.connection.failures == 0 for agent in host.agents.values())
        stage.say_run()
        await stage.all_on()
        assert (await stage.job(1, "read", 3))["status"] == "done"

    play(story)


def test_the_directors_clock_is_followed_across_hosts(play: Play) -> None:
    async def story(stage: Any) -> None:
        stage.answer_offset_ns = 40_000_000
        host = stage.join((1,))
        await stage.begin()
        await stage.until(lambda: abs(host.offset_us - 40_000) < 5_000, 10)
        await stage.until(lambda: 1 in stage.status and abs(stage.status[1]["offset_us"] - 40_000) < 5_000)
        assert abs(host.clock.offset_ns - 40_000_000) < 5_000_000

    play(story)


def test_log_levels_change_while_running_and_files_are_written(play: Play, tmp_path: Path) -> None:
    async def story(stage: Any) -> None:
        stage.join(ALL, log_dir=tmp_path / "logs", log_json=True)
        await stage.begin(4000)
        await stage.all_on()
        stage.connection.publish(stage.topics.level("all"), b"error", retain=True)
        await asyncio.sleep(0.2)
        stage.lines.clear()
        assert (await stage.job(1, "read", 3))["status"] == "done"
        assert not stage.lines
        stage.connection.publish(stage.topics.level(2), b"debug", retain=True)
        await asyncio.sleep(0.2)
        assert (await stage.job(2, "read", 3))["status"] == "done"
        assert {station for station, _ in stage.lines} == {2}
        assert {json.loads(line)["layer"] for _, line in stage.lines} >= {"phy", "mac"}
        await stage.until(lambda: (tmp_path / "logs" / "meter-2.log").exists())

    play(story)


def test_a_full_disk_for_logs_is_survived(play: Play, tmp_path: Path) -> None:
    for name in ("coordinator", "meter-1", "meter-2", "meter-3"):
        (tmp_path / f"{name}.log").symlink_to("/dev/full")

    async def story(stage: Any) -> None:
        host = stage.join(ALL, log_dir=tmp_path)
        await stage.begin(4000)
        await stage.all_on()
        assert (await stage.job(1, "read", 3))["status"] == "done"
        await stage.until(lambda: host.logs.lost)

    play(story)


def test_a_broker_that_reads_nothing_costs_messages_and_then_the_connection() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(bytes.fromhex("20020000"))
        await asyncio.sleep(60)

    async def story() -> None:
        server = await asyncio.start_server(mute, "127.0.0.1", 0, limit=1024)
        port = server.sockets[0].getsockname()[1]
        connection = Connection(BrokerUrl("127.0.0.1", port), "c", most_waiting=20)
        running = asyncio.create_task(connection.run())
        await asyncio.wait_for(connection.up.wait(), 5)
        sent = 0
        while connection.publish("x", b"y" * 1_000_000) and sent < 200:
            sent += 1
            await asyncio.sleep(0.005)
        assert sent < 200 and connection.dropped == 1
        end = time.monotonic() + 15
        while not connection.losses and time.monotonic() < end:
            await asyncio.sleep(0.1)
        assert connection.losses and connection.failures == 0
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()

    asyncio.run(story())


def test_messages_that_cannot_be_sent_are_counted(play: Play) -> None:
    async def story(stage: Any) -> None:
        connection = Connection(stage.broker.url, f"c{secrets.token_hex(4)}", most_waiting=10)
        assert not connection.publish("x", b"")
        assert connection.dropped == 1
        running = asyncio.create_task(connection.run())
        await asyncio.wait_for(connection.up.wait(), 5)
        assert [connection.publish("x", b"y") for _ in range(30)] == [True] * 10 + [False] * 20
        assert connection.dropped == 21
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    play(story)
