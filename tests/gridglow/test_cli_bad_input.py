"""Bad input on the command line: one line on stderr that says what was wrong, a non-zero code, never a traceback."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from emulation.observe.jsonl import EvidenceError
from emulation.scenario import ScenarioError
from gridglow.cli import app
from gridglow.files import write_text
from gridglow.verify import VerifyError, verify

ROOT = Path(__file__).resolve().parents[2]
MAIN = [sys.executable, "-c", "from gridglow.cli import main; main()"]
NO_TIMEOUT_S = 60

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of evidence of `row4`."""
    folder = tmp_path_factory.mktemp("row4") / "run"
    done = CliRunner().invoke(app, ["simulate", "row4", "-q", "--out", str(folder)])
    assert done.exit_code == 0
    return folder


def refused(result: Result, *reasons: str, code: int = 1) -> str:
    """One line on stderr, nothing else."""
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and "Traceback" not in result.output, result.stderr
    assert all(reason in lines[0] for reason in reasons), lines[0]
    return lines[0]


# -- simulate


def test_unknown_scenarios(call: Call, tmp_path: Path) -> None:
    refused(call("simulate", "nihgt"), "gridglow: no scenario 'nihgt'", "shipped: heal, meters500, night")
    refused(call("simulate", "no.toml"), "gridglow: no.toml: No such file")
    refused(call("simulate", "."), "no scenario '.'")
    refused(call("simulate", ""), "no scenario ''")
    refused(call("simulate", "x" * 300), "File name too long")
    refused(call("simulate", "\x1b[31m.toml"), "gridglow: ?[31m.toml: No such file")
    (tmp_path / "garbage.toml").write_bytes(bytes(range(256)))
    refused(call("simulate", "garbage.toml"), "gridglow: garbage.toml: not UTF-8")
    (tmp_path / "folder.toml").mkdir()
    refused(call("simulate", "folder.toml"), "folder.toml: Is a directory")


def test_a_scenario_with_an_error_names_its_line(call: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('title = "x"\n\nprofile = "demi"\n')
    refused(call("simulate", "mine.toml"), "gridglow: mine.toml:3: profile: 'demi' is unknown; allowed: g3, metering")


@pytest.mark.parametrize("out", ["file", "file/below", "/proc/none/of/this"])
def test_an_output_folder_that_cannot_be(call: Call, tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("I was here first")
    refused(
        call("simulate", "row4", "-q", "--out", out),
        f"gridglow: {out.split('/none')[0]}",
        "no evidence can be written there: ",
    )
    assert (tmp_path / "file").read_text() == "I was here first"


def test_a_file_in_the_way_of_evidence(call: Call, tmp_path: Path) -> None:
    (tmp_path / "out" / "events.jsonl").mkdir(parents=True)
    refused(call("simulate", "row4", "-q", "--out", "out"), "events.jsonl")
    (tmp_path / "out2").mkdir()
    (tmp_path / "out2" / "logs").write_text("no folder")
    refused(call("simulate", "row4", "-q", "--out", "out2"), "logs")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(call: Call, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    refused(call("simulate", "row4", "-q", "--out", "closed/run"), "closed", "Permission denied")


@pytest.mark.parametrize(
    "words",
    [
        ("simulate",), ("simulate", "row4", "--seed", "-1"), ("simulate", "row4", "--seed", "one"),
        ("simulate", "row4", "extra"), ("simulate", "row4", "--nosuch"), ("nosuch",), ("verify",),
        ("link", "--seed", "x"),
        ("scenarios", "x"), ("feeder", "generate", "--meters", "many"), ("feeder", "nosuch"),
        ("compose", "--meters", "0"), ("link", "--seed", "9" * 5000),
        ("simulate", "row4", "--seed", "nan"), ("simulate", "row4", "--seed", str(2**63)),
        ("feeder", "generate"), ("status", "x"), ("read", "one"), ("read", "-1"), ("step", "1.5"),
    ],
)  # fmt: skip
def test_wrong_words_are_told_where_to_look(call: Call, words: tuple[str, ...]) -> None:
    result = call(*words)
    assert result.stdout == ""
    said = refused(result, "--help` tells what is allowed", code=2)
    command = " ".join(words[: 2 if words[0] == "feeder" else 1])
    if "nosuch" in command:
        command = command.removesuffix("nosuch").strip()
    assert said.startswith(f"gridglow: {command}: " if command else "gridglow: ")


@pytest.mark.parametrize(("words", "command"), [((), "simulate"), (("feeder",), "generate")])
def test_no_words_at_all_show_the_help(call: Call, words: tuple[str, ...], command: str) -> None:
    result = call(*words)
    assert result.exit_code in (0, 2) and f" {command} " in result.output and "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "what", "code"),
    [
        (("up", ""), "no scenario ''", 2),
        (("up", "--log-dir", "file"), "file: File exists", 1),
        (("break", "3-17", "--for", "nan"), "--for nan: expected a number of seconds", 2),
        (("status", "--broker", "mqtt://" + "a" * 70), "label too long", 2),
        (("status", "--broker", "mqtt://a b"), "expected mqtt://", 2),
        (("status", "--broker", "mqtt://a\x07b"), "expected mqtt://", 2),
    ],
)  # fmt: skip
def test_wrong_words_of_the_live_commands(
    call: Call, tmp_path: Path, words: tuple[str, ...], what: str, code: int
) -> None:
    (tmp_path / "file").write_text("I was here first")
    refused(call(*words), what, code=code)


@pytest.mark.parametrize("path", ["", " "])
@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "row4", "-q", "--out"), ("verify",), ("feeder", "show", "row4", "--svg"),
        ("feeder", "generate", "--meters", "3", "--out"), ("wireshark",), ("compose", "--out"),
        ("record",), ("up", "--log-dir"),
    ],
)  # fmt: skip
def test_an_empty_path_is_not_the_current_folder(call: Call, tmp_path: Path, words: tuple[str, ...], path: str) -> None:
    refused(call(*words, path), "a path cannot be empty", code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["file/below", "nowhere/file", "folder", "/dev/full", "x" * 300])
@pytest.mark.parametrize(
    "words",
    [
        ("feeder", "show", "row4", "--svg"), ("feeder", "generate", "--meters", "3", "--out"), ("compose", "--out"),
    ],
)  # fmt: skip
def test_an_output_file_that_cannot_be(call: Call, tmp_path: Path, words: tuple[str, ...], out: str) -> None:
    (tmp_path / "file").write_text("I was here first")
    (tmp_path / "folder").mkdir()
    refused(call(*words, out), f"gridglow: {out}: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "I was here first"


def test_nothing_is_left_of_a_file_for_which_there_was_no_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a full disk: no file may grow beyond 4 000 octets."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, limits[1]))
    try:
        with pytest.raises(typer.Exit):
            write_text(tmp_path / "new", "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert capsys.readouterr().err == f"gridglow: {tmp_path / 'new'}: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_titles_and_folders_are_shown_as_they_are(call: Call, tmp_path: Path) -> None:
    """Square brackets mean something to the terminal's colours, not to people who name things."""
    (tmp_path / "[b] mine.toml").write_text('feeder = "row4"\ntitle = "[/x] [bold] a\\nb"\nlimit = 5\n')
    result = call("simulate", "[b] mine.toml", "--out", "[out] [/]")
    assert result.exit_code == 0, result.output
    assert "[/x] [bold]" in result.stdout and "[out] [/]" in result.stdout
    assert (tmp_path / "[out] [" / "]" / "summary.json").is_file()


# -- verify


def spoilt(recorded: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    folder = tmp_path / "spoilt"
    shutil.copytree(recorded, folder)
    path = folder / name
    path.write_bytes(change(path.read_bytes()))
    return folder


def header(change: Callable[[dict[str, object]], None]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        first, _, rest = content.partition(b"\n")
        facts = json.loads(first)
        change(facts)
        return json.dumps(facts).encode() + b"\n" + rest

    return changed


def line(number: int, text: bytes | None) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        lines[number : number + 1] = [] if text is None else [text + b"\n"]
        return b"".join(lines)

    return changed


SPOILT = [
    ("summary.json", lambda _: b"", "no digest in it"),
    ("summary.json", lambda _: b"[]", "no digest in it"),
    ("summary.json", lambda _: b'{"digest": 5}', "no digest in it"),
    ("summary.json", lambda _: b"\xff\xfe\x00", "no digest in it"),
    ("summary.json", lambda _: b"[" * 100_000, "no digest in it"),
    ("summary.json", lambda _: b'{"digest": "00"}', "the events are not those"),
    ("events.jsonl", lambda _: b"", "events.jsonl:1: not the events of a run"),
    ("events.jsonl", lambda content: content[:100], "events.jsonl:1: not the events of a run"),
    ("events.jsonl", lambda content: content[:-300], "events.jsonl"),
    ("events.jsonl", lambda content: b"\x80" + content, "events.jsonl:1: not the events of a run"),
    ("events.jsonl", line(0, b"{}"), "events.jsonl:1: not the events of a run"),
    ("events.jsonl", line(0, b'{"gridglow": 99}'), "format 99"),
    ("events.jsonl", line(0, b'{"gridglow": 1}'), "events.jsonl:1: header: scenario is missing"),
    ("events.jsonl", line(3, None), "the events are not those"),
    ("events.jsonl", line(3, b"{}"), "events.jsonl:4: unknown event"),
    ("events.jsonl", line(3, b'{"event": "TxEnd", "t": 1, "node": 0}'), "events.jsonl:4: TxEnd without frame"),
    ("events.jsonl", line(3, b'{"event": "TxEnd", "t": 1, "node": 0, "frame": "x"}'), "events.jsonl:4: TxEnd.frame"),
    ("events.jsonl", line(3, b"\xff garbage"), "events.jsonl:4: not JSON"),
    ("events.jsonl", header(lambda facts: facts.update(seed=2)), "the runs differ"),
    ("events.jsonl", header(lambda facts: facts.update(seed="x")), "events.jsonl:1: header: seed: 'x'; expected"),
    ("events.jsonl", header(lambda facts: facts.update(seed=-1)), "events.jsonl:1: header: seed: -1; expected"),
    ("events.jsonl", header(lambda facts: facts.update(scenario=7)), "events.jsonl:1: header: scenario: 7; expected"),
    ("events.jsonl", header(lambda facts: facts.update(texts=5)), "events.jsonl:1: header: texts: 5; expected"),
    ("events.jsonl", header(lambda facts: facts.update(texts={"scenario": ""})), "holds no feeder to run again"),
    ("events.jsonl", header(lambda facts: facts.update(texts={})), "holds no scenario to run again"),
    ("events.jsonl", header(lambda facts: facts.update(texts={"scenario": "", "feeder": 3})), "header: texts: {"),
    ("events.jsonl", header(lambda facts: facts.update(texts={"scenario": "x", "feeder": ""})), "not TOML"),
    ("events.jsonl", header(lambda facts: facts.update(feeder_sha256="00")), "the feeder in the header is not"),
    ("events.jsonl", header(lambda facts: facts.update(extra=1)), "events.jsonl:1: header: 'extra' is unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "reason"), SPOILT, ids=range(len(SPOILT)))
def test_verify_of_a_spoilt_folder(
    call: Call, recorded: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes], reason: str
) -> None:
    refused(call("verify", str(spoilt(recorded, tmp_path, name, change))), "gridglow: ", reason)


@pytest.mark.parametrize("missing", ["summary.json", "events.jsonl"])
def test_verify_of_half_a_folder(call: Call, recorded: Path, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "half"
    shutil.copytree(recorded, folder)
    (folder / missing).unlink()
    refused(call("verify", str(folder)), f"no {missing} in it; make some with")
    refused(call("verify", "nowhere"), "gridglow: nowhere: no summary.json and no events.jsonl in it; make some")
    refused(call("verify", str(folder / "readings.csv")), "readings.csv: not a folder of `gridglow simulate --out`")


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_verify_of_a_folder_with_any_damage(
    recorded: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever happened to the files: the very run again, or one of the refusals."""

    def damage(content: bytes) -> bytes:
        at = data.draw(st.integers(0, min(len(content) - 1, 6000)))
        new = data.draw(st.binary(max_size=4) | st.sampled_from([b"0", b'"', b"}", b"\n", b"9999", b"null", b"-"]))
        return content[:at] + new + content[at + data.draw(st.integers(0, 3)) :]

    folder = spoilt(recorded, tmp_path_factory.mktemp("any"), data.draw(st.sampled_from(NAMES)), damage)
    try:
        assert verify(folder).startswith("OK")
    except (VerifyError, EvidenceError, ScenarioError, OSError) as error:
        assert str(error)
    finally:
        shutil.rmtree(folder)


NAMES = ["events.jsonl", "events.jsonl", "summary.json"]


# -- other commands


def test_feeders_that_are_none(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty.feeder").write_text("")
    (tmp_path / "wrong.feeder").write_bytes(b"\xff\xff")
    for command in ("show", "check"):
        refused(call("feeder", command, "no.feeder"), "no.feeder", "board, meters500, row4")
        refused(call("feeder", command, "empty.feeder"), "empty.feeder")
        refused(call("feeder", command, "wrong.feeder"), "wrong.feeder")
        refused(call("feeder", command, "."), "Is a directory")
    refused(call("feeder", "show", ""), "gridglow: '': no such file")
    refused(call("feeder", "generate", "--meters", "0", "--seed", "1"), "gridglow: meters: 1 to 2000")


def test_wireshark_without_a_capture(call: Call, tmp_path: Path, recorded: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        refused(call("wireshark", folder, "--print"), folder, "frames.pcapng", "--out")
    folder = spoilt(recorded, tmp_path, "events.jsonl", line(9, b"garbage"))
    (folder / "frames.pcapng").unlink()
    refused(call("wireshark", str(folder), "--print"), "gridglow: ", "events.jsonl:10: not JSON")
    assert not list(folder.glob("frames*"))
    refused(call("wireshark", str(folder / "readings.csv"), "--print"), "readings.csv: neither a pcapng file nor")


# -- signals and pipes, for which it takes a process of its own


def started(*words: str, **more: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"} | more
    return subprocess.Popen(
        [*MAIN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        cwd=ROOT,
    )


def test_ctrl_c(tmp_path: Path) -> None:
    """In the middle of a long run: code 130 at once, and nothing on stderr."""
    process = started("simulate", "meters500", "--out", str(tmp_path / "out"))
    deadline = time.monotonic() + NO_TIMEOUT_S
    while not (tmp_path / "out" / "events.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=NO_TIMEOUT_S)
    assert process.returncode == 130
    assert "Traceback" not in errors and len(errors.splitlines()) <= 1


def test_a_reader_that_goes_away() -> None:
    process = started("feeder", "show", "board")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait(NO_TIMEOUT_S) in (0, 1, 141)
    assert "Traceback" not in errors


@pytest.mark.parametrize("encoding", ["ascii:strict", "ascii:surrogateescape", "cp1252:strict", "utf-8:strict"])
def test_a_terminal_that_cannot_show_everything(tmp_path: Path, encoding: str) -> None:
    """The picture has characters beyond ASCII, and the name of the file is no text."""
    process = started("feeder", "show", "board", "--svg", str(tmp_path / "\udcff.svg"), PYTHONIOENCODING=encoding)
    out, errors = process.communicate(timeout=NO_TIMEOUT_S)
    assert process.returncode == 0 and errors == ""
    assert "48 meters" in out and out.endswith("/?.svg\n")
