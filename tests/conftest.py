"""What all tests share: a test in real time may be repeated, since a busy machine can be late without being wrong."""

from __future__ import annotations

import pytest

LIVE_RERUNS = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests marked `live` another try."""
    for item in items:
        if item.get_closest_marker("live") is not None:
            item.add_marker(pytest.mark.flaky(reruns=LIVE_RERUNS, reruns_delay=1))
