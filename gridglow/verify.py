"""`gridglow verify`: a recorded run is run again from its own header, and the digests are compared."""

from __future__ import annotations

import json
from pathlib import Path

from emulation.observe.jsonl import JsonlReader
from emulation.scenario import loads
from gridglow import simulate


class VerifyError(Exception):
    """The run cannot be repeated, or came out differently."""


def verify(folder: Path) -> str:
    """Say that the digests agree. Raises VerifyError, EvidenceError, ScenarioError, OSError."""
    summary_path = folder / "summary.json"
    try:
        recorded = json.loads(summary_path.read_text(encoding="utf-8"))["digest"]
    except (ValueError, KeyError, TypeError) as error:
        raise VerifyError(f"{summary_path}: no digest in it") from error
    facts = JsonlReader(folder / "events.jsonl").facts
    try:
        text, feeder = facts.texts["scenario"], facts.texts["feeder"]
    except KeyError as error:
        raise VerifyError(f"{folder / 'events.jsonl'}: the header holds no {error.args[0]} to run again") from error
    scenario = loads(text, f"{facts.scenario}.toml", None, feeder_text=feeder)
    if scenario.feeder.sha256 != facts.feeder_sha256:
        raise VerifyError(f"{folder / 'events.jsonl'}: the feeder in the header is not the one it names")
    digest = simulate.run(scenario, facts.seed).summary["digest"]
    if digest != recorded:
        raise VerifyError(f"{folder}: recorded {recorded[:16]}, now {digest[:16]}: the runs differ")
    return f"OK  {facts.scenario}, seed {facts.seed}: digest {digest} again"
