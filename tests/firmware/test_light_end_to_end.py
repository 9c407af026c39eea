"""All of it at once: `gridglow up`, its light, the firmware on a strip, a WLED controller; a link breaks and heals.

The commands are `mosquitto_pub`'s; what is asserted is in the pixels of three displays: the gateway's frames, the
strip's octets, the controller's packets.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from emulation.grid.feeder import Feeder
from led_gateway.frame_writer import to_grb
from led_gateway.picture import Picture

pytestmark = pytest.mark.live

PREFIX = "gridglow/1/781d/"
METER = 48
SCENE = f"""
title = "A route to a meter far away"
feeder = "board"
profile = "demo"
seed = 1
start = 2026-11-23T01:00:00Z
speed = 1.0
limit = 600

[[job]]
at = 1
do = "discover"
station = {METER}
"""


class Controller:
    """A WLED controller, as far as DDP goes: the pictures that it was told to show, R G B."""

    def __init__(self, leds: int) -> None:
        self.pictures: list[bytes] = []
        self.wrong: list[bytes] = []
        self._octets = 3 * leds
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._sequence = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while packet := self._socket.recv(2000):
                self._take(packet)
        except OSError:
            return

    def _take(self, packet: bytes) -> None:
        """One packet holds all of it: version 1 with push, RGB of 8 bits, the default display, offset 0."""
        head = bytes((0x41, self._sequence % 15 + 1, 0x0B, 1)) + bytes(4) + self._octets.to_bytes(2, "big")
        self._sequence = packet[1]
        if packet[:10] != head and (self.pictures or packet[2:10] != head[2:]):
            self.wrong.append(packet[:10])
        self.pictures.append(packet[10:])

    def close(self) -> None:
        self._socket.close()


class Ear:
    """What is on the broker: the gateway's pictures, R G B, and the faults."""

    def __init__(self, port: int) -> None:
        self.pictures: list[bytes] = []
        self.faults: dict[str, Any] = {}
        self._picture = Picture()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_connect(self, client: Any, *_: Any) -> None:
        client.subscribe([(PREFIX + "led/frame", 0), (PREFIX + "fault/+", 0)])

    def _on_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        if "/fault/" in message.topic:
            if message.payload:
                self.faults[message.topic] = json.loads(message.payload)
        elif message.payload and self._picture.take(message.payload):
            self.pictures.append(self._picture.rgb)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Stage:
    """The whole of it. `displays` are what the three of them have shown so far, R G B."""

    def __init__(self, bench: Any, folder: Path) -> None:
        self.feeder = Feeder.load("board")
        self.ear = Ear(bench.broker.port)
        self.controller = Controller(self.feeder.leds)
        self.board = bench.board(self.feeder.leds)
        self.port = str(bench.broker.port)
        (folder / "scene.toml").write_text(SCENE)
        words = ("up", str(folder / "scene.toml"), "--broker", f"mqtt://127.0.0.1:{self.port}", "-q")
        self._log = open(folder / "up.log", "wb")  # noqa: SIM115
        self.network = subprocess.Popen(
            [sys.executable, "-c", "from gridglow.cli import main; main()", *words, "--ddp", self.controller.host],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip

    @property
    def displays(self) -> tuple[list[bytes], ...]:
        strip = [to_grb(drawn.octets) for drawn in self.board.drawn()]
        return list(self.ear.pictures), strip, list(self.controller.pictures)

    def say(self, rest: str, payload: str = "") -> None:
        """As people do."""
        words = [
            "mosquitto_pub",
            "-p",
            self.port,
            "-t",
            f"{PREFIX}cmd/{rest}",
            *(("-m", payload) if payload else ("-n",)),
        ]
        subprocess.run(words, check=True, timeout=10)

    def show(self, looks: Callable[[bytes], bool], since: tuple[int, ...] = (0, 0, 0)) -> bool:
        """Whether each display has shown such a picture since it had shown so many."""
        return all(any(map(looks, shown[begin:])) for shown, begin in zip(self.displays, since, strict=True))

    def now(self) -> tuple[int, ...]:
        """How many pictures each has shown."""
        return tuple(map(len, self.displays))

    def close(self) -> None:
        self.network.send_signal(signal.SIGINT)
        try:
            self.network.wait(10)
        finally:
            self.network.kill()
            self.ear.close()
            self.controller.close()
            self._log.close()


@pytest.fixture
def stage(bench: Any, tmp_path: Path, mosquitto_clients: None) -> Iterator[Stage]:
    made = Stage(bench, tmp_path)
    try:
        yield made
    finally:
        made.close()


def pixel(rgb: bytes, led: int) -> bytes:
    return rgb[3 * led : 3 * led + 3]


def magenta(rgb: bytes, leds: list[int]) -> bool:
    return all(red and blue and not green for red, green, blue in (pixel(rgb, led) for led in leds))


def blue(rgb: bytes, leds: list[int]) -> bool:
    return all(blue and not red for red, _, blue in (pixel(rgb, led) for led in leds))


def white(rgb: bytes, led: int) -> bool:
    """A meter that has been read; brighter than one that has joined."""
    return 12 < max(pixel(rgb, led)) < 1.3 * min(pixel(rgb, led))


def test_a_link_is_seen_to_break_and_to_heal_on_every_display(stage: Stage, within: Any) -> None:
    feeder = stage.feeder
    way = feeder.path(feeder.stations[0], feeder.stations[METER])[1:-1]
    trace = [led for led in way if led not in feeder.stations]
    within(12, lambda: stage.show(lambda rgb: blue(rgb, trace)), "the route to the meter is a trace of blue")

    stage.say(f"link/route {METER}", "down for 600")
    where = within(3, lambda: [fault["where"] for fault in list(stage.ear.faults.values())], "the fault")[0]
    a, b = map(int, where.split("-"))
    between = feeder.path(feeder.stations[a], feeder.stations[b])[1:-1]
    ends = [*between[:2], *between[-2:]]
    within(4, lambda: stage.show(lambda rgb: magenta(rgb, ends)), "the broken link's ends are magenta")

    broken = stage.now()
    stage.say(f"read/{METER}")
    home = feeder.stations[METER]
    within(16, lambda: stage.show(lambda rgb: white(rgb, home), broken), "the meter is read, another way: white")
    assert all(magenta(shown[-1], ends) for shown in stage.displays), "the link is still down"

    stage.say(f"link/{where}", "up")
    within(12, lambda: not any(magenta(shown[-1], ends) for shown in stage.displays), "the marks are gone")
    check_that_all_showed_the_same(stage)


def check_that_all_showed_the_same(stage: Stage) -> None:
    """Strip and controller: nothing but the gateway's pictures, in their order, and hardly one left out."""
    sent, strip, controller = stage.displays
    assert not stage.controller.wrong
    for name, shown in (("strip", strip), ("controller", controller)):
        begin = shown.index(next(rgb for rgb in sent if rgb in shown))
        at, taken = 0, set()
        for rgb in shown[begin:]:
            assert rgb in sent[at:], f"the {name} shows what was not sent, or in another order"
            at = sent.index(rgb, at)
            taken.add(rgb)
        assert len(taken) >= 0.8 * len(set(sent)), f"the {name} left out {len(set(sent) - taken)} of {len(set(sent))}"
