"""docs/topics.md and its schemas say what the program does: its examples, records and topics."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from emulation.grid import fault
from emulation.live.command_text import CommandError, Envelope
from emulation.live.commands import VERBS, Bounds, parse
from emulation.live.director_status import DirectorStatus
from emulation.live.records import (
    ClockRecord,
    FaultRecord,
    JobRecord,
    JobResult,
    KeepRecord,
    RunRecord,
    SyncRecord,
)
from emulation.live.replies import STATES, Reply
from emulation.live.stage_keep import StageKeep
from emulation.live.status_record import StatusRecord
from emulation.live.topics import PayloadError, Topics
from emulation.scenario import VERBS as JOB_VERBS
from emulation.scenario import JobOrder
from led_gateway import settings as led_settings
from led_gateway.board_record import PRESSES, BoardStatus, ButtonPress
from led_gateway.config_record import LedConfig
from led_gateway.gateway_status import STATES as GATEWAY_STATES
from led_gateway.gateway_status import GatewayStatus
from led_gateway.keep_record import GatewayKeep
from led_gateway.themes import THEMES

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "topics.md").read_text(encoding="utf-8")
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in sorted((DOCS / "schemas").glob("*.json"))}
EXAMPLES = re.findall(r"```json schemas/([a-z-]+)\.json\n(.*?)\n```", TEXT, re.DOTALL)
BOUNDS = Bounds(49, 411)

READERS: dict[str, Any] = {
    "run": RunRecord.decode,
    "clock": ClockRecord.decode,
    "fault": lambda topic, payload: FaultRecord.decode(topic, payload, 49, 411),
    "status-station": StatusRecord.decode,
    "status-director": DirectorStatus.decode,
    "keep-station": KeepRecord.decode,
    "keep-director": StageKeep.decode,
    "keep-gateway": GatewayKeep.decode,
    "job": JobRecord.decode,
    "job-result": JobResult.decode,
    "sync": SyncRecord.decode,
    "sync-answer": SyncRecord.decode,
    "reply": Reply.decode,
    "led-config": LedConfig.decode,
    "status-gateway": GatewayStatus.decode,
    "board-status": BoardStatus.decode,
    "board-button": ButtonPress.decode,
}
COMMANDS = {
    "command-fault": "link/3-17",
    "command-read": "read/17",
    "command-set": "set/17",
    "command-action": "action/17",
    "command-plain": "discover/17",
    "command-speed": "speed",
    "command-step": "step",
    "command-level": "level/17",
}

numbers = st.integers(0, 0xFFFFFFFF)
times = st.integers(0, (1 << 62) - 1)
words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=40)


def check(name: str, payload: bytes) -> None:
    Draft202012Validator(SCHEMAS[name]).validate(json.loads(payload))


def test_every_schema_is_a_schema_that_the_page_names_and_shows() -> None:
    assert SCHEMAS
    for name, schema in SCHEMAS.items():
        Draft202012Validator.check_schema(schema)
        assert f"(schemas/{name}.json)" in TEXT, name
    assert {name for name, _ in EXAMPLES} == set(SCHEMAS)
    assert set(SCHEMAS) == set(READERS) | set(COMMANDS) | {"log"}


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_every_example_fits_its_schema_and_is_understood(name: str, text: str) -> None:
    check(name, text.encode())
    if name in READERS:
        READERS[name](name, text.encode())
    elif name in COMMANDS:
        parse(COMMANDS[name].split("/"), Envelope.read(name, text.encode()), BOUNDS)


def test_every_topic_and_every_command_is_on_the_page() -> None:
    topics = Topics()
    for topic in (
        topics.run, topics.clock, topics.fault("<id>"), topics.level("<station>"), topics.air("<station>"),
        topics.event("<station>", "<Kind>"), topics.log("<station>"), topics.status("<station>"),
        topics.status("director"), topics.keep("<station>"), topics.keep("director"), topics.job("<id>"),
        topics.keep("gateway"),
        topics.job_result("<id>"), topics.sync("<process>"), topics.sync_answer("<process>"),
        topics.led_frame(), topics.led_frame("<part>"), topics.led_config, topics.led_set("<word>"),
        topics.status("gateway"), topics.board_status("<id>"), topics.board_button("<id>"),
        *(topics.led_set(word) for word in led_settings.WORDS),
    ):  # fmt: skip
        assert f"`{topic.removeprefix(topics.prefix)}`" in TEXT, topic
    for verb in VERBS:
        assert f"`cmd/{verb}" in TEXT, verb
    for kind in fault.KINDS:
        for word in fault.WORDS[kind]:
            assert f"`{word}`" in TEXT, word
    for word in THEMES:
        assert f"`{word}`" in TEXT, word


@given(numbers, numbers, numbers, words, words)
def test_run_records_fit(run: int, seed: int, epoch: int, name: str, text: str) -> None:
    check("run", RunRecord(run, seed, epoch, name, name, "0f" * 32, name, text).encode())


@given(numbers, times, times, times, st.sampled_from([0, 50, 333, 1000, 16_000]))
def test_clock_records_fit(run: int, generation: int, wall: int, emulated: int, permille: int) -> None:
    payload = ClockRecord(run, generation, wall, emulated, permille).encode()
    check("clock", payload)
    assert ClockRecord.decode("clock", payload).speed_permille == permille


@pytest.mark.parametrize(
    ("kind", "where", "text"),
    [
        ("link", "3-17", "down"), ("link", "3>17", "weak 20"), ("link", "3-17", "loss 50"), ("cable", "212", "cut"),
        ("station", "17", "off"), ("station", "0", "reboot"), ("noise", "17", "30"), ("voltage", "17", "198"),
    ],
)  # fmt: skip
def test_fault_records_fit_and_come_back(kind: str, where: str, text: str) -> None:
    order = fault.parse(kind, where, text, 49, 411)
    record = FaultRecord(7, 3, order, 1000, 2000, "operator")
    check("fault", record.encode())
    assert FaultRecord.decode("fault", record.encode(), 49, 411) == record


@given(st.sampled_from(JOB_VERBS), numbers, st.integers(-128, 127), words)
def test_job_records_fit(verb: str, number: int, attribute: int, detail: str) -> None:
    check("job", JobRecord(7, JobOrder(number, 0, verb, 17, attribute=attribute)).encode())
    check("job-result", JobResult(7, number, "failed", detail).encode())


@given(st.sampled_from(STATES), words, words, words, st.sampled_from(["", "me"]), numbers)
def test_replies_fit_and_come_back(
    state: str, payload: str, detail: str, allowed: str, client: str, number: int
) -> None:
    reply = Reply(state, "gridglow/1/781d/cmd/x", payload, detail, allowed, client, number if client else "", 7, number)
    check("reply", reply.encode())
    assert Reply.decode("reply", reply.encode()) == reply


def test_the_other_records_fit() -> None:
    check("sync", SyncRecord(5).encode())
    check("sync-answer", SyncRecord(5, 6).encode())
    check("keep-director", StageKeep(5).encode())
    keep = GatewayKeep(5, True, (1, 48), (17,))
    check("keep-gateway", keep.encode())
    assert GatewayKeep.decode("keep/gateway", keep.encode()) == keep
    check("keep-station", KeepRecord(5, 1, True, {"frame": 1}).encode())
    check("status-station", StatusRecord(True, "ab", 17, routes=[[0, 15, 2]], counters={"a": 1}).encode())
    check("status-director", DirectorStatus(True, "ab", speed_permille=250).encode())


@given(
    st.integers(0, 0xFFFF), st.integers(1, 0xFFFF), st.integers(5, 60), st.sampled_from(sorted(THEMES)), words,
    st.integers(0, 1000), st.one_of(st.none(), st.integers(0, 65_000)), st.booleans(), st.integers(0, 3600),
)  # fmt: skip
def test_light_configurations_fit_and_come_back(
    session: int, leds: int, fps: int, theme: str, name: str, permille: int, follow: int | None, heat: bool, hold: int
) -> None:
    config = LedConfig(session, leds, fps, name, "0f" * 32, theme, 3000, permille, follow, heat, hold)
    check("led-config", config.encode())
    assert LedConfig.decode("led/config", config.encode()) == config


@given(st.sampled_from(GATEWAY_STATES), words, times, times, numbers)
def test_gateway_status_fits_and_comes_back(state: str, text: str, since: int, beat: int, run: int) -> None:
    status = GatewayStatus(True, "ab", state, text, text, 40, since, beat, run, latencies=5)
    check("status-gateway", status.encode())
    assert GatewayStatus.decode("status/gateway", status.encode()) == status


@given(words, times, st.integers(0, 1000), st.integers(-200, 100))
def test_board_status_fits_and_comes_back(text: str, count: int, fps: int, rssi: int) -> None:
    status = BoardStatus(True, text, "GRB", text, 411, 411, fps=fps, late=count, heap_low=count, rssi=rssi)
    check("board-status", status.encode())
    assert BoardStatus.decode("board/1/status", status.encode()) == status
    check("board-status", b'{"online":false}')
    assert not BoardStatus.decode("board/1/status", b'{"online":false}').online


@given(st.integers(1, 3), st.sampled_from(PRESSES))
def test_button_presses_fit_and_come_back(button: int, press: str) -> None:
    pressed = ButtonPress(button, press)
    check("board-button", pressed.encode())
    assert ButtonPress.decode("board/1/button", pressed.encode()) == pressed


values = st.one_of(
    st.none(), st.booleans(), st.integers(-200_000, 200_000), st.floats(0, 20), words,
    st.sampled_from(["down", "up", "auto", "1.0.1.8.0.255", "unsigned:5", "integer:-1", "debug", "3", "0.5"]),
)  # fmt: skip
keys = st.sampled_from(
    ["word", "value", "seconds", "power", "class", "obis", "attribute", "method", "invoke_id", "hold", "client", "id"]
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(COMMANDS)), st.dictionaries(keys, values, max_size=4))
def test_whatever_command_is_accepted_fits_its_schema(name: str, fields: dict[str, Any]) -> None:
    payload = json.dumps(fields).encode()
    try:
        parse(COMMANDS[name].split("/"), Envelope.read("cmd", payload), BOUNDS)
    except CommandError:
        return
    check(name, payload)


@pytest.mark.parametrize("name", sorted(READERS))
def test_what_lacks_a_required_field_is_refused_by_schema_and_program(name: str) -> None:
    example = json.loads(next(text for shown, text in EXAMPLES if shown == name))
    required = [field for field in SCHEMAS[name]["required"] if field != "director_ns"]
    for field in required:
        short = {key: value for key, value in example.items() if key != field}
        assert not Draft202012Validator(SCHEMAS[name]).is_valid(short)
        with pytest.raises(PayloadError):
            READERS[name](name, json.dumps(short).encode())
