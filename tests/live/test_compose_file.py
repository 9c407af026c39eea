"""What the compose files promise, read from the files; `docker compose` itself is asked where an engine is there."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import yaml

from gridglow.compose import BOARD_METERS, FILE, compose, per_meter

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy" / "mosquitto"
AGENTS = ("director", "coordinator", "nodes", "led_gateway")
ACCOUNTS = {"led_gateway": "gateway"}
"""Where it is not the service's name."""


def _load(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((REPOSITORY / name).read_text()))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(_load("compose.yaml")["services"])


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (REPOSITORY / "Dockerfile").read_text()


def test_ports_are_on_loopback_unless_asked_otherwise(services: dict[str, Any]) -> None:
    assert services["broker"]["ports"] == ["${GRIDGLOW_BIND:-127.0.0.1}:${GRIDGLOW_PORT:-1883}:1883"]
    for name, service in services.items():
        for port in service.get("ports", []):
            assert re.match(r"(\$\{GRIDGLOW_BIND:-127\.0\.0\.1\}|127\.0\.0\.1):", port), name
        assert "network_mode" not in service


def test_every_service_is_confined(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        user, _, group = service["user"].partition(":")
        assert int(user) > 0, name
        assert int(group) > 0, name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(service), name
        for volume in service.get("volumes", []):
            assert volume.startswith("./deploy/"), name
            assert volume.endswith(":ro"), name


def test_every_service_has_a_health_check(services: dict[str, Any], dockerfile: str) -> None:
    for name, service in services.items():
        own = service.get("healthcheck", {}).get("test")
        assert own or (service["image"] == "gridglow:latest" and "\nHEALTHCHECK " in dockerfile), name


def test_nobody_starts_before_the_broker_answers(services: dict[str, Any]) -> None:
    for name in AGENTS:
        assert services[name]["depends_on"] == {"broker": {"condition": "service_healthy"}}


def test_one_image_is_built_once_and_never_looked_for_elsewhere(services: dict[str, Any]) -> None:
    built = [name for name, service in services.items() if "build" in service]
    assert built == ["director"]
    assert {services[name]["image"] for name in AGENTS} == {"gridglow:latest"}
    assert all(services[name]["pull_policy"] == "never" for name in AGENTS if name not in built)


def _password_fits(entry: str, password: str) -> bool:
    """An entry of mosquitto's password file: $7$ rounds $ salt $ key."""
    kind, rounds, salt, key = entry.split("$")[1:]
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(rounds))
    return kind == "7" and base64.b64decode(key) == made


def test_each_service_comes_with_its_own_account(services: dict[str, Any]) -> None:
    lines = (DEPLOY / "passwd").read_text().splitlines()
    entries = dict(line.split(":", 1) for line in lines if not line.startswith("#"))
    for name in AGENTS:
        url = urlsplit(services[name]["environment"]["GRIDGLOW_BROKER"])
        assert (url.scheme, url.hostname, url.port) == ("mqtt", "broker", 1883)
        assert url.username == ACCOUNTS.get(name, name)
        assert _password_fits(entries[url.username or ""], url.password or "")
    check = services["broker"]["healthcheck"]["test"]
    assert _password_fits(entries[check[check.index("-u") + 1]], check[check.index("-P") + 1])


def test_demo_passwords_are_marked_as_such() -> None:
    text = (DEPLOY / "passwd").read_text()
    assert text.startswith("# Demo accounts")
    for line in text.splitlines():
        if not line.startswith("#"):
            name, entry = line.split(":", 1)
            assert _password_fits(entry, f"demo-{name}"), name


def test_the_brokers_settings() -> None:
    lines = (DEPLOY / "mosquitto.conf").read_text().splitlines()
    settings = dict(line.split(" ", 1) for line in lines if line and not line.startswith(("#", "log_type")))
    assert settings["allow_anonymous"] == "false"
    assert settings["set_tcp_nodelay"] == "true"
    assert settings["persistence"] == "false"
    assert int(settings["max_queued_messages"]) >= 10_000
    assert settings["max_inflight_messages"] == "0"
    for option in ("password_file", "acl_file"):
        assert (DEPLOY / settings[option].removeprefix("/mosquitto/config/")).is_file()


def test_the_dockerfile_keeps_to_classic_syntax(dockerfile: str) -> None:
    assert "# syntax" not in dockerfile
    assert not re.search(r"^(RUN|COPY|ADD)\s+--(?!chown)", dockerfile, re.MULTILINE)
    assert "<<" not in dockerfile
    assert re.findall(r"^FROM (.*)$", dockerfile, re.MULTILINE) == ["python:3.12-slim"]
    users = re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE)
    assert users == ["10001:10001"]


def test_the_image_gets_every_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    ignore = (REPOSITORY / ".dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert ignore[[line.startswith("#") for line in ignore].index(False)] == "*"
    assert packages | {"pyproject.toml", project["project"]["readme"]} <= kept


def test_the_file_with_one_container_per_meter_is_the_generated_one() -> None:
    assert (REPOSITORY / FILE).read_text() == per_meter(BOARD_METERS)


def test_the_command_writes_any_number_of_meters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compose(meters=2, out=tmp_path / "two.yaml")
    assert sorted(yaml.safe_load((tmp_path / "two.yaml").read_text())["services"]) == ["meter-1", "meter-2", "nodes"]
    compose(meters=3)
    assert capsys.readouterr().out.endswith(per_meter(3))


def test_the_command_says_why_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        compose(meters=2, out=tmp_path / "nowhere" / "two.yaml")
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == f"gridglow: {tmp_path}/nowhere/two.yaml: No such file or directory\n"


@pytest.mark.parametrize(("name", "parts"), [("compose.spread.yaml", 4), (FILE, BOARD_METERS)])
def test_an_override_has_every_meter_once(name: str, parts: int) -> None:
    override = _load(name)["services"]
    assert override.pop("nodes") == {"profiles": ["together"]}
    meters: list[int] = []
    for service in override.values():
        assert service["extends"] == {"file": "compose.yaml", "service": "nodes"}
        first, _, last = service["environment"]["GRIDGLOW_METERS"].partition("-")
        meters += range(int(first), int(last or first) + 1)
    assert len(override) == parts
    assert sorted(meters) == list(range(1, BOARD_METERS + 1))


def _compose(*words: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        ["docker", "compose", *words, "config", "--format", "json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["services"])


@pytest.mark.live
def test_compose_reads_the_file_without_any_setting(docker_engine: None) -> None:
    services = _compose("-f", "compose.yaml")
    assert sorted(services) == ["broker", *sorted(AGENTS)]
    assert [port["host_ip"] for port in services["broker"]["ports"]] == ["127.0.0.1"]
    assert services["nodes"]["environment"]["GRIDGLOW_METERS"] == "1-48"


@pytest.mark.live
def test_the_brokers_port_can_be_opened(docker_engine: None) -> None:
    port = _compose("-f", "compose.yaml", GRIDGLOW_BIND="0.0.0.0", GRIDGLOW_PORT="2883")["broker"]["ports"][0]
    assert (port["host_ip"], port["published"], port["target"]) == ("0.0.0.0", "2883", 1883)


@pytest.mark.live
@pytest.mark.parametrize("name", ["compose.spread.yaml", FILE])
def test_compose_reads_the_overrides(docker_engine: None, name: str) -> None:
    services = _compose("-f", "compose.yaml", "-f", name)
    override = set(_load(name)["services"]) - {"nodes"}
    assert set(services) == {"broker", "director", "coordinator", "led_gateway"} | override
    for part in override:
        assert services[part]["image"] == "gridglow:latest"
        assert services[part]["read_only"] is True
        assert services[part]["cap_drop"] == ["ALL"]
        assert services[part]["environment"]["GRIDGLOW_BROKER"].startswith("mqtt://nodes:")


@pytest.mark.live
def test_the_broker_runs_confined_and_with_its_accounts(compose_project: Callable[..., Any]) -> None:
    project = compose_project()
    project.up("broker")
    assert project.states()["broker"]["Health"] == "healthy"
    topic = "gridglow/1/781d/cmd/link/3-17"
    listener = ["-t", "gridglow/1/781d/reply/all", "-C", "1", "-W", "10"]
    assert project.mosquitto("mosquitto_pub", "operator", "-t", topic, "-m", "down").returncode == 0
    assert project.mosquitto("mosquitto_pub", "director", "-r", "-t", listener[1], "-m", "accepted").returncode == 0
    assert project.mosquitto("mosquitto_sub", "viewer", *listener).stdout == "accepted\n"
    stranger = project.compose("exec", "-T", "broker", "mosquitto_pub", "-t", topic, "-m", "down")
    assert stranger.returncode != 0
    assert project.compose("exec", "-T", "broker", "id", "-u").stdout == "1883\n"
    assert project.compose("exec", "-T", "broker", "sh", "-c", "echo > /x").returncode != 0
