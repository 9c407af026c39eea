"""`gridglow render`: films and pictures opened again, which part of a run is drawn, bad input, nothing left."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from emulation.grid.feeder import Feeder
from gridglow.cli import app
from gridglow.leds_colour import BACKGROUND, on_screen
from gridglow.leds_screen import View
from gridglow.leds_words import legend
from gridglow.render_film import GifFilm
from gridglow.render_picture import Canvas, palette
from led_gateway.themes import THEMES

ROOT = Path(__file__).resolve().parents[2]
SIZE = ("--size", "400x250")
WHITE, BLUE, MAGENTA = (255, 255, 255), (0, 40, 255), (255, 0, 90)


@pytest.fixture(scope="module")
def row4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("row4") / "run"
    assert CliRunner().invoke(app, ["simulate", "row4", "-q", "--out", str(folder)]).exit_code == 0
    return folder


def call(*given: object) -> Result:
    return CliRunner().invoke(app, ["render", *(str(word) for word in given)], env={"COLUMNS": "100"})


def refused(result: Result, reason: str, code: int = 1) -> None:
    assert result.exit_code == code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("gridglow: ") and reason in lines[0], result.stderr


def duration_ms(film: Image.Image) -> int:
    total = 0
    for number in range(film.n_frames):  # type: ignore[attr-defined]
        film.seek(number)
        total += film.info["duration"]
    return total


def pixel(picture: Image.Image, place: tuple[int, int]) -> tuple[int, int, int]:
    found = picture.getpixel(place)
    assert isinstance(found, tuple)
    return (found[0], found[1], found[2])


def near(one: tuple[int, ...], other: tuple[int, ...], most: int) -> bool:
    return all(abs(a - b) <= most for a, b in zip(one, other, strict=True))


# -- one picture


def view(feeder: Feeder, lit: dict[int, tuple[int, int, int]]) -> View:
    frame = bytes(part for led in range(feeder.leds) for part in lit.get(led, (0, 0, 0)))
    return View(frame, 1_000_000, 250, 0, feeder.meters, legend=legend("safe"))


@pytest.mark.parametrize("size", [(800, 500), (320, 200), (1280, 720)])
def test_an_led_is_seen_at_its_place_with_a_glow_around(size: tuple[int, int]) -> None:
    feeder = Feeder.load("board")
    canvas = Canvas(feeder, size)
    led = feeder.stations[24]
    picture, dark = canvas.draw(view(feeder, {led: MAGENTA})), canvas.draw(view(feeder, {}))
    assert picture.size == size
    x, y = canvas.place(led)
    red, green, blue = pixel(picture, (x, y))
    assert red > 200 and blue > 120 and green < red - 60
    assert max(pixel(dark, (x, y))) < 90
    around = [(x + dx, y + dy) for dx in (-8, 8) for dy in (-8, 8)]
    assert max(pixel(picture, place)[0] - pixel(dark, place)[0] for place in around) > 3
    assert pixel(picture, (2, 2)) == BACKGROUND


def test_every_led_is_inside_the_picture_above_the_words() -> None:
    for name in ("board", "row4", "meters500"):
        feeder = Feeder.load(name)
        canvas = Canvas(feeder, (800, 500))
        assert all(0 < x < 800 and 0 < y < 440 for x, y in map(canvas.place, range(feeder.leds)))


@pytest.mark.parametrize("theme", THEMES)
def test_a_palette_has_room_for_every_light(theme: str) -> None:
    colours = palette(legend(theme))
    assert len(colours) <= 255
    for _, pwm in legend(theme):
        assert any(near(colour, on_screen(pwm), 24) for colour in colours)


# -- GIF


def test_a_film_of_known_pictures(tmp_path: Path) -> None:
    """Equal pictures become one that stays; every picture is what it was, in the film's colours."""
    colours = [BACKGROUND, WHITE, BLUE, MAGENTA]
    pictures = [Image.new("RGB", (40, 20), BACKGROUND) for _ in range(7)]
    for number, place in enumerate((1, 1, 1, 2, 3)):
        pictures[number + 1].paste(colours[place], (10, 5, 20, 15))
    film = GifFilm(tmp_path / "film.gif", (40, 20), 30, colours)
    for picture in pictures:
        film.add(picture)
    film.finish()
    with Image.open(tmp_path / "film.gif") as made:
        assert (made.n_frames, made.size, made.info["loop"]) == (5, (40, 20), 0)  # type: ignore[attr-defined]
        assert duration_ms(made) == 230
        for number, shown in enumerate((0, 1, 4, 5, 6)):
            made.seek(number)
            assert made.convert("RGB").tobytes() == pictures[shown].tobytes()


def test_a_film_of_a_run(row4: Path, tmp_path: Path) -> None:
    out = tmp_path / "film.gif"
    result = call(row4, "--out", out, "--from", "1", "--to", "2.5", "--speed", "0.5", "--fps", "10", *SIZE)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}: 3.0 s, {out.stat().st_size / 1_000_000:.1f} MB\n"
    with Image.open(out) as film:
        assert film.size == (400, 250) and 10 < film.n_frames <= 30  # type: ignore[attr-defined]
        assert duration_ms(film) == 3000
        film.seek(5)
        place = Canvas(Feeder.load("row4"), (400, 250)).place(0)
        assert min(pixel(film.convert("RGB"), place)) > 150
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


def test_ten_seconds_are_not_large(row4: Path, tmp_path: Path) -> None:
    out = tmp_path / "film.gif"
    assert call(row4, "-q", "--out", out, "--from", "1", "--to", "3.5").exit_code == 0
    with Image.open(out) as film:
        assert duration_ms(film) == 10_000
    assert out.stat().st_size < 2_000_000


def test_one_moment(row4: Path, tmp_path: Path) -> None:
    out = tmp_path / "moment.png"
    assert call(row4, "--at", "1.5", "--out", out, *SIZE).exit_code == 0
    with Image.open(out) as picture:
        assert (picture.format, picture.size) == ("PNG", (400, 250))


def test_the_part_that_is_drawn(row4: Path, tmp_path: Path) -> None:
    """A long run: a part of it, and it is said which; nobody is told about what he asked for."""
    out = tmp_path / "film.gif"
    result = call(row4, "--out", out, "--fps", "1", "--speed", "0.1", *SIZE)
    assert result.exit_code == 0
    assert "s of film at 0.1 times real time: drawing 00:00:" in result.stderr and "--from and --to" in result.stderr
    assert result.stdout.startswith(f"{out}: 20.0 s")
    assert not call(row4, "--out", out, "--fps", "1", "--speed", "8", *SIZE).stderr
    assert not call(row4, "--out", out, "--fps", "1", "--from", "2", *SIZE).stderr
    assert duration_ms(Image.open(out)) == 20_000
    assert not call(row4, "-q", "--out", out, "--fps", "1", *SIZE).output


# -- MP4


def test_no_ffmpeg(row4: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refused(call(row4, "--out", tmp_path / "film.mp4"), "takes ffmpeg, which is not on this machine")
    assert not list(tmp_path.iterdir())


def program(path: Path, text: str) -> None:
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_what_ffmpeg_is_given(row4: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name that writes down its words and counts its octets."""
    (tmp_path / "bin").mkdir()
    program(
        tmp_path / "bin" / "ffmpeg",
        "import sys\nopen(sys.argv[-1], 'w').write(' '.join(sys.argv[1:-1]) + f'\\n{len(sys.stdin.buffer.read())}')",
    )
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    out = tmp_path / "film.mp4"
    result = call(row4, "-q", "--out", out, "--from", "1", "--to", "2", "--speed", "1", "--fps", "12", *SIZE)
    assert result.exit_code == 0, result.output
    words, octets = out.read_text().splitlines()
    assert "-f rawvideo -pix_fmt rgb24 -s 400x250 -r 12 -i - -an -c:v libx264" in words
    assert int(octets) == 12 * 400 * 250 * 3


def test_an_ffmpeg_that_fails(row4: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin" / "ffmpeg", "import sys\nsys.exit('one\\nno encoder libx264')")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    refused(call(row4, "-q", "--out", tmp_path / "film.mp4", "--from", "1", "--to", "9"), "ffmpeg: no encoder libx264")
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


@pytest.mark.skipif(not (shutil.which("ffmpeg") or os.environ.get("CI")), reason="no ffmpeg on this machine")
def test_a_film_by_ffmpeg(row4: Path, tmp_path: Path) -> None:
    out = tmp_path / "film.mp4"
    result = call(row4, "-q", "--out", out, "--from", "1", "--to", "2", "--speed", "1", *SIZE)
    assert result.exit_code == 0, result.output
    assert out.read_bytes()[4:8] == b"ftyp"


# -- bad input


def test_bad_options(row4: Path, tmp_path: Path) -> None:
    gif = tmp_path / "film.gif"
    refused(call(tmp_path / "nowhere", "--out", gif), "nowhere: no such folder")
    refused(call(tmp_path, "--out", gif), "no events.jsonl in it")
    refused(call(row4, "--out", tmp_path / "film.avi"), "allowed: .gif, .mp4, .png", 2)
    refused(call(row4, "--out", tmp_path / "film"), "allowed: .gif, .mp4, .png", 2)
    refused(call(row4, "--out", tmp_path / "x.png"), "a .png is one moment and takes --at SECONDS", 2)
    refused(call(row4, "--out", gif, "--at", "1"), "a .png is one moment", 2)
    refused(call(row4, "--out", gif, "--theme", "pink"), "--theme pink: unknown; allowed: safe, classic", 2)
    refused(call(row4, "--out", gif, "--speed", "fast"), "--speed fast: allowed: 0.01 to 64", 2)
    refused(call(row4, "--out", gif, "--size", "10x10"), "--size 10x10: expected like 800x500", 2)
    refused(call(row4, "--out", gif, "--size", "²00x²00"), "--size ²00x²00: expected", 2)
    refused(call(row4, "--out", tmp_path / "x.png", "--at", "1e12"), "--at 1e+12: the run ends at", 2)
    refused(call(row4, "--out", gif, "--from", "inf"), "--from inf: the run ends at")
    refused(call(row4, "--out", gif, "--size", "big"), "--size big: expected", 2)
    refused(call(row4, "--out", gif, "--follow", "4"), "--follow 4: the run has the stations 0 to 3", 2)
    refused(call(row4, "--out", gif, "--from", "9999"), "--from 9999: the run ends at")
    refused(call(row4, "--out", gif, "--from", "3", "--to", "3"), "--to 3 is not after --from 3")
    refused(call(row4, "--out", tmp_path / "no" / "film.gif", "--from", "1"), "film.gif: No such file or directory")
    refused(call(row4, "--out", tmp_path / "no" / "x.png", "--at", "1"), "x.png: No such file or directory")
    assert not list(tmp_path.iterdir())


def test_a_record_that_is_spoilt_leaves_no_film(row4: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    lines = (row4 / "events.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "run" / "events.jsonl").write_text("".join([*lines[:100], "nonsense\n", *lines[100:]]))
    out = tmp_path / "film.gif"
    refused(
        call(tmp_path / "run", "-q", "--out", out, "--from", "0", "--fps", "1", *SIZE), "events.jsonl:101: not JSON"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_interrupted_film_leaves_no_file(row4: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", "from gridglow.cli import main; main()"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*words, "render", str(row4), "--from", "0", "--to", "60", "--out", str(tmp_path / "film.gif")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors
    assert not list(tmp_path.iterdir())
