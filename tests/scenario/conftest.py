"""Scenarios as text: what is read, and the one line with which the others are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulation.scenario import Scenario, ScenarioError, loads


@pytest.fixture(scope="session")
def read() -> Callable[[str], Scenario]:
    """A scenario from text, on the shipped feeders."""
    return lambda text: loads(text, "mine.toml", None)


@pytest.fixture(scope="session")
def refusal() -> Callable[[str], str]:
    """The message with which a text is refused."""

    def refused(text: str) -> str:
        with pytest.raises(ScenarioError) as caught:
            loads(text, "mine.toml", None)
        message = str(caught.value)
        assert "\n" not in message and message.startswith("mine.toml:") and len(message) < 4000
        return message

    return refused
