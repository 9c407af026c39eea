"""`mqtts://`: a broker with the certificate of a throw-away authority, and everything that talks to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from emulation.live.broker import find_mosquitto, listening_socket

pytestmark = pytest.mark.live

REPOSITORY = Path(__file__).resolve().parents[2]
GRIDGLOW = (sys.executable, "-c", "from gridglow.cli import main; main()")
TIMEOUT_S = 60


class Trusted(NamedTuple):
    """A broker's address and the environment of those who know its authority."""

    url: str
    environment: dict[str, str]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trusted]:
    program = find_mosquitto()
    if program is None:
        pytest.skip("no mosquitto on this machine: apt-get install mosquitto")
    folder = tmp_path_factory.mktemp("tls")
    with listening_socket("127.0.0.1", 0) as probe:
        port = int(probe.getsockname()[1])
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    settings = f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
    settings += f"certfile {folder}/cert.pem\nkeyfile {folder}/key.pem\n"
    # Started by root, mosquitto would change to a user who cannot read a test's folder.
    settings += "user root\n" if os.geteuid() == 0 else ""
    (folder / "mosquitto.conf").write_text(settings)
    words = [program, "-c", str(folder / "mosquitto.conf")]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        _wait_for(port)
        yield Trusted(f"mqtts://localhost:{port}", {**os.environ, "SSL_CERT_FILE": str(folder / "ca.pem")})
        child.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("mosquitto did not start", pytrace=False)


def gridglow(*words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GRIDGLOW, *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=REPOSITORY,
        env=environment,
    )  # fmt: skip


@contextmanager
def running(environment: dict[str, str], *commands: list[str]) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    processes = [
        subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=REPOSITORY, env=environment) for command in commands
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)


def test_a_meter_is_read_over_tls(broker: Trusted) -> None:
    """Director, coordinator and meters in processes of their own, and a person's command."""
    where = ["--broker", broker.url]
    director = [*GRIDGLOW, "director", "row4", "--no-play", "--speed", "2", *where]
    coordinator = [sys.executable, "-m", "coordinator", *where]
    meters = [sys.executable, "-m", "nodes", "--meters", "1-3", *where]
    with running(broker.environment, director, coordinator, meters):
        end = time.monotonic() + TIMEOUT_S
        while "4 of 4 stations are on" not in gridglow("status", *where, environment=broker.environment).stdout:
            assert time.monotonic() < end
        done = gridglow("read", "3", *where, environment=broker.environment)
        assert "done: value" in done.stdout, done.stderr


def test_an_authority_that_nobody_knows_is_said_in_one_line(broker: Trusted) -> None:
    for words in (("status",), ("break", "1-2"), ("up", "row4")):
        done = gridglow(*words, "--broker", broker.url)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert done.stderr.startswith(f"gridglow: the certificate of the broker at {broker.url} is not trusted (")
        assert done.stderr.endswith("): name its CA's file in SSL_CERT_FILE\n")
        assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("mosquitto_clients")
def test_what_up_prints_to_paste_names_the_authority(broker: Trusted) -> None:
    words = [*GRIDGLOW, "up", "row4", "--broker", broker.url, "--speed", "2", "--no-light"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env=broker.environment) as up:
        assert up.stdout is not None
        lines = iter(up.stdout.readline, "")
        pasted = next(line for line in lines if "mosquitto_pub" in line)
        assert any("all 4 stations are on" in line for line in lines)
        done = subprocess.run(pasted.strip(), shell=True, capture_output=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 0, (pasted, done.stderr)
        assert any("fault 1 begins: link 1-2 down" in line for line in lines)
        up.terminate()
        assert up.wait(TIMEOUT_S) == 0
