"""Where log lines go when they cannot be written."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from emulation.live.logs import Logs


def test_a_full_disk_is_said_where_nothing_is_echoed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "meter-1.log").symlink_to("/dev/full")
    logs = Logs(lambda station, text: None, folder=tmp_path, echo=None)
    with caplog.at_level(logging.WARNING, "gridglow.logs"):
        for number in range(50):
            logs.say(1, "info", f"line {number}")
        logs.close()
    assert logs.lost == 50
    assert [record.getMessage() for record in caplog.records] == [
        f"log files in {tmp_path}: No space left on device; tried again in 10 s"
    ]
