"""`gridglow up` as people start it: a process, its output, the other commands beside it, signals."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from emulation.live.broker import find_mosquitto
from emulation.observe.jsonl import JsonlReader
from emulation.observe.rebuild import rebuild

pytestmark = pytest.mark.live

REPOSITORY = Path(__file__).resolve().parents[2]
GRIDGLOW = [sys.executable, "-c", "from gridglow.cli import main; main()"]
PATIENCE_S = 30.0
KINDS = ("mosquitto", "amqtt")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mosquitto() -> str:
    program = find_mosquitto()
    if program is None:
        pytest.skip("no mosquitto on this machine: apt-get install mosquitto")
    return program


def gridglow(*words: str, broker: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"GRIDGLOW_BROKER": broker} if broker else {})}
    return subprocess.run(
        [*GRIDGLOW, *words], capture_output=True, text=True, timeout=timeout, check=False, cwd=REPOSITORY,
        env=environment,
    )  # fmt: skip


class Running:
    """A command that runs on its own, and the lines that it has printed."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*GRIDGLOW, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=REPOSITORY,
            env={**os.environ, **environment},
        )  # fmt: skip
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self.broker = ""

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def wait_for(self, pattern: str, timeout: float = PATIENCE_S) -> re.Match[str]:
        """The first line, from the beginning on, in which the pattern is found."""
        end = time.monotonic() + timeout
        seen = 0
        while True:
            for line in self.lines[seen:]:
                found = re.search(pattern, line)
                if found:
                    return found
            seen = len(self.lines)
            try:
                line_or_end = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"{pattern!r} was not printed within {timeout:.0f} s:\n" + "\n".join(self.lines))
            if line_or_end is None:
                pytest.fail(f"ended without {pattern!r}:\n" + "\n".join(self.lines))
            self.lines.append(line_or_end)

    def end(self, number: int = signal.SIGINT, timeout: float = 10) -> int:
        """Send a signal and wait; whatever happens there must be no traceback."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            pytest.fail(f"did not end within {timeout:.0f} s:\n" + "\n".join(self.lines))
        while (line := self._queue.get(timeout=5)) is not None:
            self.lines.append(line)
        assert not any("Traceback" in line for line in self.lines), "\n".join(self.lines)
        return code

    def children(self) -> list[int]:
        found = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid="], capture_output=True, text=True, check=False
        )
        return [int(word) for word in found.stdout.split()]


@contextmanager
def up(*words: str) -> Iterator[Running]:
    running = Running("up", *words)
    try:
        running.broker = running.wait_for(r"broker +(mqtt://\S+)")[1]
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait(10)


def gone(pid: int, timeout: float = 5) -> bool:
    """Whether a process ends in time."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module", params=KINDS)
def pan(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A PAN in which meter 48 is read, in real time."""
    if request.param == "mosquitto":
        mosquitto()
    with up("read", "--port", "0", "--broker", request.param, "--speed", "1") as running:
        running.wait_for("ready")
        yield running
        assert running.end() == 0
        assert re.search(r"sense_doubt \d+(; not faithful .*)?$", running.lines[-1]), running.lines[-1]


def test_it_is_ready_and_finds_a_route(pan: Running) -> None:
    pan.wait_for("all 49 stations are on")
    pan.wait_for("the way to meter-48 ends with the link")


@pytest.mark.usefixtures("mosquitto_clients")
def test_what_it_prints_to_paste_works(pan: Running) -> None:
    words = pan.wait_for(r"(gridglow) (break .* --for 30.*)")[2].split()
    done = gridglow(*words)
    assert done.returncode == 0, done.stderr
    assert "is in force" in done.stdout
    line = pan.wait_for(r"(mosquitto_pub .*)")[1]
    assert subprocess.run(line, shell=True, timeout=10, check=False).returncode == 0
    pan.wait_for(r"fault 2 begins: link 3-17 down")
    assert "link 3-17" in gridglow("faults", broker=pan.broker).stdout
    assert gridglow("heal", "3-17", broker=pan.broker).returncode == 0


def test_a_meter_is_read_by_hand(pan: Running) -> None:
    done = gridglow("read", "17", broker=pan.broker)
    assert done.returncode == 0, done.stderr
    assert re.search(r"done: value \d+ Wh", done.stdout)


@pytest.mark.parametrize("words", [("logs", "99"), ("watch", "--station", "99")])
def test_a_station_that_is_not_there_is_refused(pan: Running, words: tuple[str, ...]) -> None:
    done = gridglow(*words, broker=pan.broker)
    assert done.returncode == 1 and done.stderr.endswith("; allowed: 0 to 48\n")


def test_status_tells_of_all_stations(pan: Running) -> None:
    done = gridglow("status", broker=pan.broker)
    assert done.returncode == 0
    assert "49 of 49 stations are on" in " ".join(done.stdout.split())
    assert done.stdout.count("meter-") >= 48


def test_a_record_is_evidence(pan: Running, tmp_path: Path) -> None:
    recording = Running("record", str(tmp_path / "run"), GRIDGLOW_BROKER=pan.broker)
    recording.wait_for("recording")
    assert gridglow("read", "9", broker=pan.broker).returncode == 0
    time.sleep(1.5)
    assert recording.end() == 0, recording.lines
    folder = tmp_path / "run"
    events = list(JsonlReader(folder / "events.jsonl"))
    assert all(one[0] <= other[0] for one, other in pairwise(events))
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["live"] and summary["missed"] == 0
    assert "meter-9," in (folder / "readings.csv").read_text()
    assert {path.name for path in folder.iterdir()} >= {"frames.pcapng", "logs", "sequence.svg", "summary.json"}
    again = rebuild(folder / "events.jsonl", tmp_path / "again")
    assert again["digest"] == summary["digest"]
    assert (tmp_path / "again" / "frames.pcapng").read_bytes() == (folder / "frames.pcapng").read_bytes()


def test_a_record_for_some_seconds_ends_by_itself(pan: Running, tmp_path: Path) -> None:
    done = gridglow("record", str(tmp_path), "--for", "1.5", broker=pan.broker)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "events.jsonl").read_text().startswith('{"gridglow": 1, "scenario": "read"')


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (
            ("read", "3", "--class", "1" + 30 * "0"),
            "refused: number 10000000000000000000...; allowed: at most 20 digits",
        ),
        (("set", "3", "visible-string:" + 5_000 * "a"), "octets; allowed: at most 4096"),
    ],
)
def test_a_command_that_cannot_be_read_is_answered_too(pan: Running, words: tuple[str, ...], what: str) -> None:
    """The director cannot tell who asked; the one who did knows his words again."""
    done = gridglow(*words, broker=pan.broker, timeout=20)
    assert (done.returncode, done.stdout) == (1, "")
    assert what in done.stderr and done.stderr.count("\n") == 1


def test_a_second_copy_on_its_port_is_refused_in_one_line(pan: Running) -> None:
    port = pan.broker.rpartition(":")[2]
    done = gridglow("up", "read", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"gridglow: port {port} on 127.0.0.1 is in use")
    assert done.stderr.count("\n") == 1


def test_a_second_copy_on_its_broker_is_refused_in_one_line(pan: Running) -> None:
    done = gridglow("up", "read", "--broker", pan.broker)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"gridglow: PAN 781d is already running on {pan.broker}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_its_broker_ends_with_it(number: int) -> None:
    mosquitto()
    with up("read", "--port", "0", "--broker", "mosquitto") as running:
        running.wait_for("ready")
        children = running.children()
        assert len(children) == 1
        if number == signal.SIGKILL:
            running.process.kill()
        else:
            assert running.end(number) == 0
        assert gone(children[0])


def test_log_lines_as_json_in_files_and_on_topics(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    words = ("--no-light", "--log-dir", str(folder), "--log-format", "json")
    with up("row4", "--port", "0", "--speed", "4", *words) as running:
        running.wait_for("ready")
        following = Running("logs", "coordinator", "-f", GRIDGLOW_BROKER=running.broker)
        found = following.wait_for(r"^coordinator (\{.*)")
        assert following.end() == 130
        assert running.end() == 0
    lines = [json.loads(line) for path in folder.iterdir() for line in path.read_text().splitlines()]
    assert {path.name for path in folder.iterdir()} >= {"coordinator.log", "meter-1.log"}
    assert all(set(line) == {"station", "t_us", "level", "layer", "text"} for line in [json.loads(found[1]), *lines])
    assert not any(line.startswith("{") for line in running.lines)


def test_a_second_signal_does_not_wait() -> None:
    with up("read", "--port", "0") as running:
        running.wait_for("ready")
        running.process.send_signal(signal.SIGINT)
        assert running.end() in (0, 130)


def test_stations_come_back_when_the_broker_is_killed() -> None:
    mosquitto()
    with up("read", "--port", "0", "--broker", "mosquitto", "--speed", "1") as running:
        running.wait_for("the way to meter-48")
        os.kill(running.children()[0], signal.SIGKILL)
        running.wait_for("the broker ended")
        time.sleep(5)
        status = " ".join(gridglow("status", broker=running.broker).stdout.split())
        assert "49 of 49 stations are on" in status
        assert gridglow("read", "17", broker=running.broker).returncode == 0
        assert running.end() == 0


def test_the_next_free_port_is_taken_and_said() -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", 1883))
            holder.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        with up("read") as running:
            assert int(running.broker.rpartition(":")[2]) > 1883
            running.wait_for("port 1883 is taken")
            assert running.end() == 0


@pytest.mark.usefixtures("mosquitto_clients")
def test_it_waits_for_a_broker_and_leaves_it_tidy(tmp_path: Path) -> None:
    program, port = mosquitto(), free_port()
    url = f"mqtt://127.0.0.1:{port}"
    running = Running("up", "read", "--broker", url, "--speed", "1")
    running.wait_for(rf"no broker at {url} \(connection refused\): waiting for it")
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    broker = subprocess.Popen([program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        running.wait_for("ready")
        assert gridglow("break", "3-17", broker=url).returncode == 0
        assert running.end() == 0
        assert sum("waiting for it" in line for line in running.lines) == 1
        retained = _retained(port)
        assert {topic.split("/")[3] for topic in retained} == {"status", "keep"}
        statuses = {topic: json.loads(text) for topic, text in retained.items() if "/status/" in topic}
        assert len(statuses) == 51
        assert not any(status["online"] for status in statuses.values())
    finally:
        broker.terminate()
        broker.wait(10)
        running.process.kill()


def test_two_networks_share_a_broker(tmp_path: Path) -> None:
    program, port = mosquitto(), free_port()
    url = f"mqtt://127.0.0.1:{port}"
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    quiet = subprocess.DEVNULL
    with subprocess.Popen([program, "-c", str(configuration)], stdout=quiet, stderr=quiet) as broker:
        pans = ["0001", "0002"]
        words = ("up", "row4", "--broker", url, "--speed", "2", "--no-light", "--pan")
        running = [Running(*words, pan) for pan in pans]
        try:
            for one in running:
                one.wait_for("all 4 stations are on")
            assert gridglow("break", "1-2", "--pan", pans[0], broker=url).returncode == 0
            assert "link 1-2" in gridglow("faults", "--pan", pans[0], broker=url).stdout
            assert "no fault is in force" in gridglow("faults", "--pan", pans[1], broker=url).stdout
            assert "done: value" in gridglow("read", "1", "--pan", pans[1], broker=url).stdout
            assert [one.end() for one in running] == [0, 0]
        finally:
            for one in running:
                one.process.kill()
            broker.terminate()


def _retained(port: int) -> dict[str, str]:
    words = ["mosquitto_sub", "-p", str(port), "-t", "gridglow/#", "-v", "--retained-only", "-W", "3"]
    lines = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False).stdout.splitlines()
    return dict(line.split(" ", 1) for line in lines)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["up", "no-such-scenario"], "no scenario 'no-such-scenario'"),
        (["up", "--speed", "99"], "--speed: speed '99'"),
        (["up", "--speed", "auto"], "only while running"),
        (["up", "--broker", "http://x"], "--broker"),
        (["up", "--broker", "mqtt://localhost", "--port", "1"], "without --port"),
        (["up", "--pan", "zz"], "--pan"),
        (["up", "--log-format", "xml"], "--log-format 'xml'; allowed: text, json"),
        (["up", "--bind", "192.0.2.1"], "is no address of this machine"),
        (["up", "--ddp", "host:0"], "--ddp 'host:0'"),
        (["up", "--no-light", "--ddp", "host"], "without --no-light"),
        (["record", "x", "--broker", "mqtt://127.0.0.1:9"], "no broker at mqtt://127.0.0.1:9 (connection refused): "),
        (["record", "x", "--pan", "zz"], "--pan"),
        (["record", "x", "--feeder", "nix"], "gridglow: --feeder nix: no such file"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(words: list[str], wrong: str) -> None:
    done = gridglow(*words)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith("gridglow: ")
    assert wrong in done.stderr
    assert done.stderr.count("\n") == 1


def test_nobody_reading_ends_it() -> None:
    running = subprocess.Popen(
        [*GRIDGLOW, "up", "read", "--port", "0", "--speed", "4"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
    )  # fmt: skip
    assert running.stdout is not None and running.stderr is not None
    running.stdout.readline()
    running.stdout.close()
    assert running.wait(60) == 0
    assert "Traceback" not in running.stderr.read()
