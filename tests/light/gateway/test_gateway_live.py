"""The gateway on a real broker: what it sends, what it makes of garbage and floods, and that nothing stops it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from emulation.grid import fault
from emulation.grid.feeder import Feeder
from emulation.live.mqtt import BrokerUrl, client_of
from emulation.live.playbook import Playbook
from emulation.live.records import FaultRecord
from emulation.scenario import loads
from g3plc import events as ev
from gridglow.one_pan import OnePan
from led_gateway.board_record import BoardStatus, ButtonPress
from led_gateway.ddp import DdpHost
from led_gateway.frame import DELTA, KEY
from led_gateway.picture import Picture
from led_gateway.settings import Settings

pytestmark = pytest.mark.live

Bench = Any
Play = Callable[[Any], None]


def test_a_key_frame_is_there_at_once_and_each_second_when_nothing_changes(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.shown()
        await asyncio.sleep(0.5)
        before = len(bench.frames)
        await asyncio.sleep(2.1)
        quiet = bench.frames[before:]
        assert [frame.kind for frame in quiet] == [KEY] * len(quiet)
        assert len(quiet) in (2, 3)
        assert bench.config["leds"] == 411 and bench.config["feeder"] == "board"
        assert bench.config["session"] == quiet[0].session == bench.status["session"]
        late = Picture()
        async with client_of(BrokerUrl.parse(bench.broker.url), 3.0) as newcomer:
            await newcomer.subscribe(bench.topics.led_frame())
            message = await anext(newcomer.messages)
            assert message.retain and late.take(bytes(message.payload))
        assert late.rgb == bench.rgb

    play(story)


def test_its_states_are_said_on_stdout() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "led_gateway", "--broker", "mqtt://127.0.0.1:1"], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "light       waiting for a run\n"
        process.terminate()


def test_a_run_that_is_shown_is_said_once(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gridglow.light")

    async def story(bench: Bench) -> None:
        await bench.shown()
        await asyncio.sleep(0.6)

    play(story)
    said = [record.getMessage() for record in caplog.records if record.name == "gridglow.light"]
    assert sum(line.startswith("shows run ") for line in said) == 1


def test_a_transmission_is_seen_and_its_latency_measured(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.shown()
        for station in range(49):
            bench.stands(station)
        leaf = Feeder.load("board").stations[17]
        await bench.until(lambda: any(bench.lit(leaf)))
        bench.broadcast(17)
        await bench.until(lambda: blue(bench.rgb))
        assert any(frame.kind == DELTA for frame in bench.frames)
        await bench.until(lambda: bench.status["latencies"] == 1)
        assert bench.status["failures"] == bench.status["malformed"] == bench.status["refused"] == 0
        assert bench.status["events"] == 2

    play(story)


GARBAGE = [b"", b"\xff\xfe", b"{", b"{}", b"[]", b"null", b'{"online": 5}', b"\xc1", b"\x80", b"down", b"x" * 300_000,
           b'{"run": -1}', b'{"button": 9, "press": "short"}', bytes(16), b"[" * 100_000]  # fmt: skip


def test_garbage_on_every_topic_stops_nothing(play: Play) -> None:
    async def story(bench: Bench) -> None:
        gateway = await bench.shown()
        t = bench.topics
        places = [
            t.run, t.clock, t.fault(1), t.fault("x"), t.fault(10**12), t.event(1, "TxStart"), t.event(1, "Nonsense"),
            t.event("x", "TxEnd"), t.event("director", "Clock"), t.event("director", "Fault"), t.status(1),
            t.status(99_999), t.status("gateway"), t.status("director"), t.sync_answer(gateway.instance),
            *(t.led_set(word) for word in ("theme", "follow", "brightness", "fps", "hold", "nothing")),
            t.board_status("1"), t.board_status("a b!"), t.board_button("1"), t.board_button("a b!"),
        ]  # fmt: skip
        chance = random.Random(1)
        for place in places:
            for payload in [*GARBAGE, *(chance.randbytes(chance.randrange(200)) for _ in range(5))]:
                if place not in (t.run, t.clock) or payload:
                    bench.say(place, payload)
            await asyncio.sleep(0)
        bench.stands(5)
        leaf = Feeder.load("board").stations[5]
        await bench.until(lambda: any(bench.lit(leaf)))
        await bench.until(lambda: bench.status["malformed"] > 50 and bench.status["unknown"] >= 20)
        assert bench.status["failures"] == 0
        assert bench.status["refused"] > 50
        assert bench.picture.malformed == bench.picture.dropped == 0

    play(story)


def test_records_of_another_run_are_ignored_and_counted(play: Play) -> None:
    async def story(bench: Bench) -> None:
        gateway = await bench.shown()
        before = bench.rgb
        order = fault.parse("cable", "200", "cut", 49, 411)
        bench.stands(3, run=5)
        bench.fault(FaultRecord(5, 1, order, 0, 0, "x"))
        bench.clock(0, run=5)
        bench.broadcast(0, now_us=bench.now_us + 3_600_000_000)
        await bench.until(lambda: bench.status["other_run"] == 5)
        assert bench.rgb == before
        assert gateway.traffic.run == bench.run_id
        assert bench.status["events"] == 0

    play(story)


def test_a_flood_costs_nothing_but_messages(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.shown()
        url = BrokerUrl.parse(bench.broker.url)
        payload = bytes(60)
        async with client_of(url, 3.0) as flood:
            flood.pending_calls_threshold = 10**6
            sent = len(bench.frames)
            for n in range(8_000):
                await flood.publish(bench.topics.event(n % 49, "RouteSet" if n % 2 else "Nonsense"), payload)
                if n % 100 == 0:
                    await asyncio.sleep(0)
        assert len(bench.frames) > sent, "no frame during the flood"
        bench.stands(5)
        leaf = Feeder.load("board").stations[5]
        await bench.until(lambda: any(bench.lit(leaf)))
        bench.broadcast(17, frame=9)
        await bench.until(lambda: bench.status["latencies"] == 1)
        assert bench.status["malformed"] + bench.status["unknown"] + bench.status["dropped"] > 7_000
        assert bench.status["failures"] == 0

    play(story)


def test_after_a_restart_of_the_broker_the_picture_is_right(play: Play) -> None:
    async def story(bench: Bench) -> None:
        if bench.broker.pid is None:
            pytest.skip("no mosquitto on this machine: amqtt is no process of its own")
        gateway = await bench.shown()
        homes = Feeder.load("board").stations
        for station in range(1, 49):
            bench.stands(station)
        await bench.until(lambda: any(bench.lit(homes[5])) and any(bench.lit(homes[6])))
        bench.fault(FaultRecord(bench.run_id, 1, fault.parse("cable", "200", "cut", 49, 411), 0, 0, "x"))
        await bench.until(lambda: magenta(bench.rgb))
        os.kill(bench.broker.pid, signal.SIGKILL)
        await bench.until(lambda: not bench.voice.up.is_set() and not gateway.works)
        await bench.until(lambda: bench.voice.up.is_set())
        sequence = bench.frames[-1].sequence
        # What the others say again: the fault is over meanwhile, station 5 gone, the clock as it was.
        bench.generation -= 1
        bench.run()
        for station in range(1, 49):
            bench.stands(station, online=station != 5)
        await bench.until(lambda: not any(bench.lit(homes[5])) and any(bench.lit(homes[6])), 2.0)
        await bench.until(lambda: not magenta(bench.rgb) and not gateway.traffic.in_force, 2.0)
        assert bench.frames[-1].sequence != sequence
        assert bench.config["session"] == bench.frames[-1].session

    play(story)


def blue(rgb: bytes) -> set[int]:
    """The LEDs of a route request's wave."""
    return {led for led in range(len(rgb) // 3) if not rgb[3 * led] and rgb[3 * led + 2] > 20}


def magenta(rgb: bytes) -> set[int]:
    """The LEDs that show a fault."""
    return {led for led in range(len(rgb) // 3) if rgb[3 * led] and not rgb[3 * led + 1] and rgb[3 * led + 2]}


def test_a_link_that_somebody_breaks_is_seen_to_break_and_to_heal(play: Play) -> None:
    """A whole network of four stations with its light; the command comes as from mosquitto_pub."""

    async def story(bench: Bench) -> None:
        scene = loads('feeder = "row4"\nspeed = 1\n', "row.toml", None)
        pan = OnePan(BrokerUrl.parse(bench.broker.url), Playbook([scene]), [scene], bench.topics.pan, light=[])
        running = asyncio.create_task(pan.run())
        try:
            await bench.until(lambda: bench.rgb and pan.ready and bench.status.get("state") == "showing")
            assert not magenta(bench.rgb)
            bench.say(bench.topics.command("link/1-2"), "down for 1")
            await bench.until(lambda: magenta(bench.rgb))
            homes = scene.feeder.stations
            assert magenta(bench.rgb) <= set(scene.feeder.path(homes[1], homes[2]))
            await bench.until(lambda: not magenta(bench.rgb))
        finally:
            pan.stop()
            await running
        await bench.until(lambda: bench.status["state"] == "gone")

    play(story)


def test_settings_take_effect_and_wrong_ones_are_named(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.shown()
        wanted = {"theme": "mono", "follow": 17, "brightness": 0.25, "fps": 20, "hold": 3600}
        for word, value in wanted.items():
            bench.say(bench.topics.led_set(word), str(value))
        await bench.until(lambda: all(bench.config[word] == value for word, value in wanted.items()))
        await bench.until(lambda: bench.status["state"] == "holding")
        before = len(bench.frames)
        await asyncio.sleep(1.1)
        assert len(bench.frames) == before
        for word in ("hold", "follow"):
            bench.say(bench.topics.led_set(word), "off")
        await bench.until(lambda: bench.config["follow"] is None and not bench.config["hold"])
        await bench.until(lambda: len(bench.frames) > before and bench.frames[-1].kind == KEY)
        for word, value, allowed in (
            ("theme", "purple", "safe, classic, mono, calm"), ("follow", "49", "0 to 48"), ("fps", "61", "5 to 60"),
            ("brightness", "1.5", "0 to 1"), ("hold", "-1", "1 to 3600"), ("else", "", "theme, follow"),
        ):  # fmt: skip
            bench.say(bench.topics.led_set(word), value)
            await bench.until(lambda allowed=allowed: allowed in bench.status["refusal"])
        bench.say(bench.topics.led_set("theme"), "calm", True)
        await bench.until(lambda: bench.status["refused"] == 6)
        await bench.until(lambda: bench.config["theme"] == "calm")
        await bench.gateway()
        assert bench.config["theme"] == "calm"
        # somebody writes over it: it is put right
        bench.say(bench.topics.led_config, b'{"parts": 46}', True)
        await bench.until(lambda: bench.config["parts"] == 46)
        await bench.until(lambda: bench.config["parts"] == 1)

    play(story)


def test_buttons_become_commands(play: Play) -> None:
    async def story(bench: Bench) -> None:
        gateway = await bench.shown()
        t = bench.topics

        async def press(button: int, press: str) -> list[tuple[str, bytes]]:
            bench.commands.clear()
            await asyncio.sleep(0.21)
            bench.say(t.board_button("desk"), ButtonPress(button, press).encode())
            await asyncio.sleep(0.05)
            return [(topic.removeprefix(t.command("")), payload) for topic, payload in bench.commands]

        assert await press(1, "short") == [("collect", b"")]
        assert await press(2, "short") == []
        await bench.until(lambda: "no route" in bench.status["refusal"])
        bench.stands(0, routes=[[3, 2, 2], [2, 2, 1], [9, 2, 3]])
        await asyncio.sleep(0.2)
        assert await press(2, "short") == [("link/route 9", b"down for 30")]
        bench.fault(FaultRecord(bench.run_id, 1, fault.parse("link", "3>9", "down", 49, 411), 0, 0, "x"))
        await bench.until(lambda: gateway.traffic.in_force)
        assert await press(2, "long") == [("link/3>9", b"up")]
        assert await press(3, "short") == [("speed", b"0")]
        bench.clock(0)
        await asyncio.sleep(0.2)
        assert await press(3, "short") == [("speed", b"1")]
        assert await press(3, "long") == [("reset", b"")]
        assert await press(1, "long") == []
        await bench.until(lambda: bench.config["theme"] == "classic")
        bench.commands.clear()
        await asyncio.sleep(0.21)
        for _ in range(30):
            bench.say(t.board_button("desk"), ButtonPress(1, "short").encode())
        await asyncio.sleep(0.15)
        assert len(bench.commands) == 1
        bench.say(t.board_status("desk"), BoardStatus(True, led_count=100, late=7).encode(), True)
        await bench.until(lambda: bench.status["boards"])
        bench.say(t.board_status("desk"), json.dumps({"online": False}), True)
        await bench.until(lambda: not bench.status["boards"][0]["online"])
        assert bench.status["boards"][0]["late"] == 7

    play(story)


def test_of_two_gateways_one_is_silent_until_the_other_is_gone(play: Play) -> None:
    async def story(bench: Bench) -> None:
        both = [await bench.shown(), await bench.gateway()]
        await asyncio.sleep(1.0)
        before = len(bench.frames)
        await asyncio.sleep(1.1)
        sessions = {frame.session for frame in bench.frames[before:]}
        assert sessions == {bench.config["session"]}
        both.sort(key=lambda gateway: gateway.instance != bench.status["instance"])
        both[0].stop()
        await bench.until(lambda: bench.status["instance"] == both[1].instance and bench.status["state"] == "showing")
        await bench.until(lambda: bench.config["session"] not in sessions)
        await bench.until(lambda: bench.frames[-1].session == bench.config["session"])

    play(story)


def test_a_gateway_that_starts_later_knows_what_has_been_read(play: Play) -> None:
    async def story(bench: Bench) -> None:
        first = await bench.shown()
        homes = Feeder.load("board").stations
        for station in range(1, 49):
            bench.stands(station)
        await bench.until(lambda: all(any(bench.lit(led)) for led in homes))
        joined = bench.lit(homes[6])
        bench.event(ev.Collection(bench.now_us, 0, "started", 48, 0, 0))
        for meter in (5, 7):
            bench.event(ev.ReadDone(bench.now_us, 0, meter, bytes(6), 2, "1", "Wh", 1, 1, 5, meter))
        bench.event(ev.ReadFailed(bench.now_us, 0, 9, bytes(6), 2, "no answer", "", 3, 9))
        await bench.until(lambda: bench.lit(homes[5])[0] > joined[0] and bench.lit(homes[9])[1] == 0)
        read = bench.lit(homes[5])
        await asyncio.sleep(0.6)
        first.stop()
        await bench.until(lambda: bench.status["state"] == "gone")
        bench.picture = Picture()
        await bench.gateway()
        await bench.until(lambda: len(bench.rgb) == 3 * 411 and bench.lit(homes[5]) == bench.lit(homes[7]) == read, 4.0)
        await bench.until(
            lambda: bench.lit(homes[9])[1] == 0 < bench.lit(homes[9])[0] and bench.lit(homes[6]) == joined
        )
        # what it sees itself counts for more than what it was told
        bench.event(ev.Collection(bench.now_us, 0, "started", 48, 0, 0))
        await bench.until(lambda: bench.lit(homes[5]) == joined)

    play(story)


def test_another_feeder_is_another_session(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.shown()
        session = bench.config["session"]
        bench.began_ns = 0
        bench.run("row4", run=78)
        await bench.until(lambda: bench.config["feeder"] == "row4" and bench.config["session"] != session)
        leds = Feeder.load("row4").leds
        await bench.until(lambda: bench.picture.leds == leds == bench.status["leds"])
        bench.broadcast(1)
        await bench.until(lambda: bench.status["latencies"] == 1)

    play(story)


def test_a_feeder_that_is_not_ours_is_named(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.until(bench.voice.up.is_set)
        bench.run()
        await bench.gateway(feeder=Feeder.load("row4"))
        await bench.until(lambda: "another feeder" in bench.status.get("problem", ""))
        assert bench.status["state"] == "waiting"
        assert not bench.frames

    play(story)


def test_at_the_end_nothing_is_left_but_its_status(play: Play) -> None:
    async def story(bench: Bench) -> None:
        gateway = await bench.shown()
        gateway.stop()
        await bench.until(lambda: bench.status["state"] == "gone")
        found = []
        async with client_of(BrokerUrl.parse(bench.broker.url), 3.0) as newcomer:
            await newcomer.subscribe(f"{bench.topics.prefix}#")
            await newcomer.subscribe("end")
            await newcomer.publish("end", b"")
            async for message in newcomer.messages:
                if message.topic.value == "end":
                    break
                found += [message.topic.value.removeprefix(bench.topics.prefix)] * message.retain
        assert sorted(found) == ["clock", "keep/gateway", "run", "status/gateway"]

    play(story)


def test_a_controller_gets_the_same_picture(play: Play) -> None:
    async def story(bench: Bench) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
            controller.bind(("127.0.0.1", 0))
            controller.setblocking(False)
            port = controller.getsockname()[1]
            hosts = [DdpHost("no-such-host.invalid"), DdpHost("127.0.0.1", port)]
            await bench.shown(ddp=hosts, settings=Settings(brightness=1.0))
            for station in range(49):
                bench.stands(station)
            await bench.until(lambda: any(bench.lit(Feeder.load("board").stations[48])))
            await asyncio.sleep(1.5)
            packet = b""
            try:
                while True:
                    packet = controller.recv(2000)
            except BlockingIOError:
                pass
            assert packet[:1] == b"\x41" and packet[2:10].hex() == "0b010000000004d1"
            assert packet[10:] == bench.rgb
            assert [host["packets"] > 0 for host in bench.status["ddp"]] == [False, True]

    play(story)


def test_a_pause_freezes_the_picture_and_a_step_lets_the_light_run_to_its_end(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.shown()
        bench.clock(0, emulated_us=1_000_000)
        bench.clock(1000, emulated_us=1_000_000, ahead_ms=200)
        bench.clock(0, emulated_us=1_050_000, ahead_ms=250)
        await asyncio.sleep(0.22)
        bench.broadcast(17, now_us=1_000_100)
        await bench.until(lambda: blue(bench.rgb))
        await bench.until(lambda: not blue(bench.rgb))
        await asyncio.sleep(1.0)
        before = len(bench.frames)
        await asyncio.sleep(1.2)
        assert {frame.kind for frame in bench.frames[before:]} == {KEY}

    play(story)


def test_an_event_of_the_wrong_station_is_refused(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.shown()
        event = ev.TxEnd(bench.now_us, 3, 1)
        bench.event(event)
        bench.say(bench.topics.event(4, "TxEnd"), b"\x83\xa1t\x01\xa4node\x03\xa5frame\x01")
        await bench.until(lambda: bench.status["malformed"] == 1 and bench.status["events"] == 1)

    play(story)
