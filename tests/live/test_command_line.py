"""Options of the programs that start agents: what is wrong is said once, in one line."""

from __future__ import annotations

import pytest

from emulation.live.command_line import OptionError, options_of

BROKER = "mqtt://127.0.0.1"


def said(broker: str = BROKER, pan: str = "1", feeder: str = "", level: str = "info", form: str = "text") -> str:
    with pytest.raises(OptionError) as caught:
        options_of(broker, (1,), pan, feeder, level, form, None)
    return str(caught.value)


def test_a_feeder_that_is_none_is_named_once() -> None:
    assert said(feeder="nix").startswith("--feeder nix: no such file (shipped feeders: board,")


def test_what_is_allowed_is_told() -> None:
    assert said(broker="http://x").startswith("--broker 'http://x': expected mqtt://")
    assert said(pan="zz") == "--pan 'zz'; allowed: one to four hex digits"
    assert said(level="loud") == "--log-level 'loud'; allowed: debug, info, warning, error"
    assert said(form="xml") == "--log-format 'xml'; allowed: text, json"


@pytest.mark.parametrize(("form", "as_json"), [("text", False), ("json", True)])
def test_the_form_of_log_lines(form: str, as_json: bool) -> None:
    assert options_of(BROKER, (1,), "1", "", "info", form, None).log_json is as_json
