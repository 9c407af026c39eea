"""What all tests share.

A test in real time may be repeated, since a busy machine can be late without being wrong. Under CI=true every component
has to be there: a test that would be skipped because something is not "on this machine" fails instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator

import pytest

LIVE_RERUNS = 2
LACKING = "on this machine"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests marked `live` another try."""
    for item in items:
        if item.get_closest_marker("live") is not None:
            item.add_marker(pytest.mark.flaky(reruns=LIVE_RERUNS, reruns_delay=1))


@pytest.fixture(scope="session")
def mosquitto_clients() -> None:
    """For tests that run the real `mosquitto_pub` or `mosquitto_sub` of this machine."""
    if not (shutil.which("mosquitto_pub") and shutil.which("mosquitto_sub")):
        pytest.skip("no mosquitto_pub and mosquitto_sub on this machine: apt-get install mosquitto-clients")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI=true, a skip for want of a component is a failure."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if LACKING in reason:
            report.outcome = "failed"
            report.longrepr = reason
    return report
