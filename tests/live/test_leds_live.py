"""The terminal and the solderer's tools on a real broker: what is shown, who is asked to hold, what is recorded."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage
from rich.text import Text
from typer.testing import CliRunner

from emulation.grid.feeder import Feeder
from emulation.live.topics import Topics
from gridglow import board_walk
from gridglow.cli import app
from gridglow.leds_colour import SCREEN, UNLIT, hex_of
from led_gateway import frame
from led_gateway.board_record import BoardStatus
from led_gateway.config_record import LedConfig
from led_gateway.frame_writer import FrameWriter
from led_gateway.picture import Picture
from led_gateway.recording import read

pytestmark = pytest.mark.live

TOPICS = Topics(0x781D)
ROW4 = Feeder.load("row4")
CONFIG = LedConfig(77, ROW4.leds, 40, "row4", ROW4.sha256, "safe", 3000, 1000)
SESSION = 77


@pytest.fixture(scope="module")
def broker(judged_broker: tuple[int, str]) -> str:
    """A mosquitto with the shipped settings; the address of one who may do everything there."""
    port, password = judged_broker
    return f"mqtt://judge:{password}@127.0.0.1:{port}"


class Ear:
    """A client of its own that hears everything."""

    def __init__(self, url: str) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._message
        parts = urlsplit(url)
        self.client.username_pw_set(parts.username, parts.password)
        self.client.connect(parts.hostname or "", parts.port or 0)
        self.client.subscribe(TOPICS.prefix + "#")
        self.client.loop_start()

    def _message(self, client: Client, data: object, message: MQTTMessage) -> None:
        levels = message.topic.removeprefix(TOPICS.prefix)
        self.heard.append((levels, bytes(message.payload), bool(message.retain)))

    def on(self, topic: str) -> list[bytes]:
        return [payload for heard, payload, _ in list(self.heard) if heard == topic]

    def wait(self, done: Callable[[], bool], seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, self.heard[-5:]
            time.sleep(0.02)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def ear(broker: str) -> Iterator[Ear]:
    made = Ear(broker)
    yield made
    made.close()


@contextmanager
def light(ear: Ear) -> Iterator[list[bytes]]:
    """Frames as a gateway sends them, 20 a second; gives what was published."""
    ear.client.publish(TOPICS.prefix + "led/config", CONFIG.encode(), retain=True)
    status = BoardStatus(True, led_count=ROW4.leds, fps=40)
    ear.client.publish(TOPICS.prefix + "board/desk/status", status.encode(), retain=True)
    over, sent = threading.Event(), []

    def run() -> None:
        writer, began = FrameWriter(SESSION, ROW4.leds), time.monotonic()
        while not over.wait(0.05):
            now_ms = int((time.monotonic() - began) * 1000)
            pixels = bytearray(3 * ROW4.leds)
            lit = now_ms // 50 % ROW4.leds
            pixels[3 * lit : 3 * lit + 3] = b"\xff\x78\x00"
            for message in writer.write(bytes(pixels), now_ms):
                sent.append(message.payload)
                ear.client.publish(TOPICS.prefix + "led/frame", message.payload, retain=message.retain)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join()
        for rest in ("led/config", "led/frame", "board/desk/status"):
            ear.client.publish(TOPICS.prefix + rest, b"", retain=True)
        time.sleep(0.2)


def call(broker: str, *words: object) -> str:
    result = CliRunner().invoke(app, [*map(str, words), "--broker", broker], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_terminal_shows_what_is_on_the_broker(broker: str, ear: Ear, tmp_path: Path) -> None:
    with light(ear):
        shown = call(broker, "leds", "--once")
        assert shown.count("D") >= 1 and "desk 40 fps" in Text.from_ansi(shown).plain
        call(broker, "leds", "--svg", tmp_path / "light.svg")
        picture = (tmp_path / "light.svg").read_text()
        assert "desk" in picture and hex_of((255, SCREEN[120], UNLIT[2])) in picture
        assert "desk" in call(broker, "board", "status")
        assert f"LED_COUNT = {ROW4.leds}" in call(broker, "board", "config")


def test_without_a_gateway_it_is_said(broker: str) -> None:
    result = CliRunner().invoke(app, ["leds", "--broker", broker])
    assert result.exit_code == 1 and "no light gateway has shown itself in PAN 781d" in result.stderr
    result = CliRunner().invoke(app, ["board", "status", "--broker", broker])
    assert result.exit_code == 1 and "no board has said anything" in result.stderr


def test_the_walk_asks_the_gateway_to_hold_and_speaks_itself(broker: str, ear: Ear) -> None:
    said = call(broker, "board", "walk", "--feeder", "row4", "--branch", "2", "--seconds", "0.15").splitlines()
    steps = [step for step in board_walk.walk(ROW4) if step.number == 2]
    ear.wait(lambda: b"off" in ear.on("led/set/hold"))
    assert said == [board_walk.sentence(ROW4, step) for step in steps]
    assert ear.on("led/set/hold")[0] == b"10" and ear.on("led/set/hold")[-1] == b"off"
    picture, shown = Picture(), []
    for payload in ear.on("led/frame"):
        assert picture.take(payload)
        shown.append(picture.rgb)
    assert {frame.decode(payload).session for payload in ear.on("led/frame")} != {SESSION}
    wanted = [board_walk.picture(ROW4, step) for step in steps] + [bytes(3 * ROW4.leds)]
    assert list(dict.fromkeys(shown)) == list(dict.fromkeys(wanted))
    assert not any(retained for topic, _, retained in ear.heard if topic == "led/frame")


def test_what_is_recorded_is_what_was_sent_and_is_played_again(broker: str, ear: Ear, tmp_path: Path) -> None:
    path = tmp_path / "light.glow"
    with light(ear) as sent:
        said = call(broker, "board", "record", path, "--for", "2.5")
        records = list(read(io.BytesIO(path.read_bytes())))
        assert [record.payload for record in records[1:]] == [
            payload for payload in sent if payload in {record.payload for record in records[1:]}
        ]
    assert said.startswith(f"{len(records)} frames, ") and len(records) > 20
    assert not path.with_name("light.glow.part").exists()
    steps = [after.t_ms - before.t_ms for before, after in pairwise(records[1:])]
    assert all(0 <= step < 500 for step in steps)
    ear.heard.clear()
    call(broker, "board", "play", path, "--speed", "2")
    ear.wait(lambda: b"off" in ear.on("led/set/hold"))
    picture, recorded, played = Picture(), [], []
    for record in records:
        picture.take(record.payload)
        recorded.append(picture.rgb)
    picture = Picture()
    for payload in ear.on("led/frame"):
        picture.take(payload)
        played.append(picture.rgb)
    assert set(played) <= set(recorded) and len(set(played)) > len(set(recorded)) // 3


def test_nothing_to_record(broker: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["board", "record", str(tmp_path / "x.glow"), "--broker", broker])
    assert result.exit_code == 1 and "nothing on led/frame of PAN 781d" in result.stderr
    assert not list(tmp_path.iterdir())
