"""What `gridglow link` prints, and that docs/link.md says the same."""

from __future__ import annotations

from pathlib import Path

from gridglow import link

DOCUMENT = Path(__file__).parents[2] / "docs" / "link.md"


def test_the_document_is_what_is_measured_now():
    expected = link.document(1)
    assert DOCUMENT.read_text(encoding="utf-8") == expected, "run: python -m gridglow.link > docs/link.md"


def test_the_table_shows_every_cell_and_the_quoted_figures(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    link.table(1)
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    for name in ("ROBO", "DBPSK", "DQPSK", "D8PSK"):
        start = next(number for number, line in enumerate(lines) if line.split()[:1] == [name])
        rows = [line.removeprefix("  " + name).split() for line in lines[start : start + 6]]
        assert [row[0] for row in rows] == [str(size) for size in link.SIZES]
        assert all(len(row) == 8 for row in rows)
    words = " ".join(shown.split())
    assert "About 120 ms a hop: ROBO between" in words
    assert "13 to 17 kbit/s of UDP: DQPSK" in words
    assert "…" not in shown


def test_the_same_seed_gives_the_same_table():
    assert link.measure_all(2) == link.measure_all(2)
    assert link.measure_all(2) != link.measure_all(3)
