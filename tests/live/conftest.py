"""Brokers and Docker for the tests that need them.

Base images come from the registry. Only where none answers within five seconds and the stand-ins of this workplace are
there, those are used; otherwise a test fails in one line under CI=true, and is skipped elsewhere.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import hashlib
import json
import os
import re
import secrets
import select
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

from emulation.live.broker import Kind, embedded_broker, find_mosquitto

REPOSITORY = Path(__file__).resolve().parents[2]
STAND_INS = REPOSITORY.parent / "shared" / "tools" / "offline-images.sh"
BROKER_IMAGE = "eclipse-mosquitto:2"
BASE_IMAGES = {BROKER_IMAGE: ("mosquitto",), "python:3.12-slim": ("python", "3.12")}
"""Each with the words that make its stand-in."""
REGISTRY_S = 5.0


def unavailable(reason: str) -> NoReturn:
    """What this machine lacks: a failure where everything has to be there, else a skip."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Docker


def docker(*words: str, timeout: float = 60, **rest: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=timeout, check=False, **rest)


def _stand_in(*words: str) -> str:
    done = subprocess.run(["bash", str(STAND_INS), *words], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        unavailable(f"no registry answers, and the stand-ins fail: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def _registry_has(image: str) -> bool:
    """Pull it. The first line comes once the registry has answered; after that a pull may take its time."""
    with subprocess.Popen(["docker", "pull", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as pull:
        answered, _, _ = select.select([pull.stdout], [], [], REGISTRY_S)
        if not answered:
            pull.kill()
            return False
        pull.communicate(timeout=600)
        return pull.returncode == 0


def _prepare() -> None:
    if shutil.which("docker") is None or docker("version").returncode:
        if not STAND_INS.exists():
            unavailable("no Docker engine answers: start one, or set DOCKER_HOST")
        for word in shlex.split(_stand_in("env")):
            name, is_setting, value = word.partition("=")
            if is_setting:
                os.environ[name] = value
    missing = [image for image in BASE_IMAGES if docker("image", "inspect", image).returncode]
    if not all(_registry_has(image) for image in missing):
        if not STAND_INS.exists():
            unavailable(f"no registry answers within {REGISTRY_S:.0f} s, and here is no {' and no '.join(missing)}")
        for image in missing:
            _stand_in(*BASE_IMAGES[image])
    if docker("compose", "version").returncode:
        if not STAND_INS.exists():
            unavailable("no `docker compose`: install the compose plugin")
        _stand_in("compose")
    # Containers are stopped by the fixtures; the reaper would be one more image to pull.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """An engine that answers, the base images, and `docker compose`; prepared by one test process at a time."""
    with open(Path(tempfile.gettempdir(), "gridglow-docker.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _prepare()


class Project:
    """One life of a compose project under a random name and port, so that runs side by side do not meet."""

    def __init__(self, files: tuple[str, ...], environment: dict[str, str]) -> None:
        self.name = f"gridglow-test-{secrets.token_hex(4)}"
        self.port = free_port()
        self._words = ["compose", "-p", self.name, *(word for file in files for word in ("-f", file))]
        self._environment = {
            **os.environ,
            "DOCKER_BUILDKIT": os.environ.get("DOCKER_BUILDKIT", "0"),
            "GRIDGLOW_PORT": str(self.port),
            **environment,
        }

    def compose(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """`docker compose ...` in the repository; never raises for a failing command."""
        return docker(*self._words, *words, timeout=timeout, cwd=REPOSITORY, env=self._environment)

    def up(self, *services: str) -> None:
        """Build and start, and wait until all are healthy; the logs tell why when they are not."""
        done = self.compose("up", "-d", "--build", "--wait", "--wait-timeout", "120", *services, timeout=600)
        if done.returncode:
            pytest.fail(f"compose up: {done.stderr[-2000:]}\n{self.logs()[-4000:]}", pytrace=False)

    def logs(self, *services: str) -> str:
        """What the services have printed, each line with its service first."""
        return self.compose("logs", "--no-color", *services).stdout

    def states(self) -> dict[str, dict[str, Any]]:
        """What `ps` knows of each service's container."""
        lines = self.compose("ps", "-a", "--format", "json").stdout.splitlines()
        return {state["Service"]: state for state in map(json.loads, lines)}

    def wait_for_log(self, words: str, *services: str, times: int = 1, timeout: float = 90) -> str:
        """The log line in which the words, a regular expression, are found for the `times`th time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            found = [line for line in self.logs(*services).splitlines() if re.search(words, line)]
            if len(found) >= times:
                return found[times - 1]
            time.sleep(0.5)
        pytest.fail(f"{words!r} was not logged within {timeout:.0f} s:\n{self.logs(*services)[-4000:]}", pytrace=False)

    def mosquitto(self, program: str, account: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the real `mosquitto_pub` or `mosquitto_sub` inside the broker's container."""
        access = ("-h", "127.0.0.1", "-u", account, "-P", f"demo-{account}")
        return self.compose("exec", "-T", "broker", program, *access, *words)

    def down(self) -> None:
        self.compose("down", "-v", "--remove-orphans", "--timeout", "5", timeout=180)


@pytest.fixture
def compose_project(docker_engine: None) -> Iterator[Callable[..., Project]]:
    """Makes projects of the given files (default: compose.yaml) and takes them down at the end."""
    made: list[Project] = []

    def make(*files: str, **environment: str) -> Project:
        made.append(Project(files or ("compose.yaml",), environment))
        return made[-1]

    yield make
    for project in made:
        project.down()


# Brokers


@pytest.fixture(scope="module", params=["mosquitto", "amqtt", "container"])
def any_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of each of the three brokers, anonymous: native, embedded in Python, in a container."""
    if request.param == "container":
        request.getfixturevalue("docker_engine")
        with broker_in_container(tmp_path_factory.mktemp("broker")) as url:
            yield url
    else:
        if request.param == "mosquitto":
            mosquitto_program()
        with broker_in_thread(request.param) as url:
            yield url


@pytest.fixture(scope="module")
def judged_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """A mosquitto of this machine with the shipped configuration, accounts and rights, and a judge."""
    with broker_with_accounts(tmp_path_factory.mktemp("accounts"), mosquitto_program()) as judged:
        yield judged


def mosquitto_program() -> str:
    program = find_mosquitto()
    if program is None:
        unavailable("no mosquitto on this machine: apt-get install mosquitto")
    return program


@contextmanager
def broker_in_thread(kind: Kind) -> Iterator[str]:
    """An embedded broker in a loop of its own; gives its address."""
    addresses: list[str] = []
    ready, loops = threading.Event(), []
    end = asyncio.Event()

    async def serve() -> None:
        async with embedded_broker(prefer=kind) as broker:
            addresses.append(broker.url)
            loops.append(asyncio.get_running_loop())
            ready.set()
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        if not ready.wait(20):
            pytest.fail(f"the embedded {kind} did not start", pytrace=False)
        yield addresses[0]
    finally:
        for loop in loops:
            loop.call_soon_threadsafe(end.set)
        thread.join(20)


@contextmanager
def broker_in_container(folder: Path) -> Iterator[str]:
    """The shipped settings of the compose file's broker, without its accounts, in the image that it uses."""
    from testcontainers.core.container import DockerContainer

    shipped = (REPOSITORY / "deploy" / "mosquitto" / "mosquitto.conf").read_text().splitlines()
    settings = [line for line in shipped if not line.startswith(("password_file", "acl_file", "allow_anonymous"))]
    folder.chmod(0o755)
    configuration = folder / "mosquitto.conf"
    configuration.write_text("\n".join([*settings, "allow_anonymous true", ""]))
    container = DockerContainer(BROKER_IMAGE).with_exposed_ports(1883)
    container = container.with_volume_mapping(str(configuration), "/mosquitto/config/mosquitto.conf", "ro")
    with container:
        host, port = container.get_container_host_ip(), int(container.get_exposed_port(1883))
        wait_for_connack(host, port)
        yield f"mqtt://{host}:{port}"


def wait_for_connack(host: str, port: int, timeout: float = 20) -> None:
    """Until a CONNECT gets any CONNACK: a published port accepts connections before there is a broker behind it."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            with socket.create_connection((host, port), 1) as probe:
                probe.sendall(bytes.fromhex("100c00044d51545404020005 0000"))
                if probe.recv(4)[:1] == b"\x20":
                    return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail(f"no broker at {host}:{port} within {timeout:.0f} s", pytrace=False)


class Judged(NamedTuple):
    """Port of a broker with accounts, and the password of `judge`, who may do everything there."""

    port: int
    password: str


@contextmanager
def broker_with_accounts(folder: Path, program: str) -> Iterator[Judged]:
    shipped, port, judge = REPOSITORY / "deploy" / "mosquitto", free_port(), secrets.token_hex(8)
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", judge.encode(), salt, 101)
    entry = f"judge:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}\n"
    (folder / "passwd").write_text((shipped / "passwd").read_text() + entry)
    (folder / "acl").write_text((shipped / "acl").read_text() + "\nuser judge\ntopic readwrite #\ntopic read $SYS/#\n")
    settings = (shipped / "mosquitto.conf").read_text().replace("/mosquitto/config/", f"{folder}/")
    # Started by root, mosquitto would change to a user who cannot read a test's folder.
    user = "user root\n" if os.geteuid() == 0 else ""
    settings = settings.replace("listener 1883", f"listener {port} 127.0.0.1") + user
    (folder / "mosquitto.conf").write_text(settings)
    with open(folder / "log", "w") as log:
        broker = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log)
    try:
        wait_for_connack("127.0.0.1", port)
        yield Judged(port, judge)
    finally:
        broker.terminate()
        broker.wait(10)
