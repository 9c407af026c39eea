"""`gridglow verify`: a recorded run is run again from its own header, and the digests are compared."""

from __future__ import annotations

import json
from pathlib import Path

from emulation.observe.evidence import EVENTS_FILE, SUMMARY_FILE
from emulation.observe.facts import RunFacts
from emulation.observe.jsonl import JsonlReader
from emulation.observe.rebuild import feed
from emulation.observe.record import Digest
from emulation.scenario import loads
from gridglow import simulate


class VerifyError(Exception):
    """The run cannot be repeated, or came out differently."""


def verify(folder: Path) -> str:
    """Say that the digests agree: the recorded one, that of the recorded events, that of the run now.

    Raises VerifyError, EvidenceError, ScenarioError, OSError.
    """
    summary_path, events_path = folder / SUMMARY_FILE, folder / EVENTS_FILE
    if folder.is_file():
        raise VerifyError(f"{folder}: not a folder of `gridglow simulate --out`")
    missing = [path.name for path in (summary_path, events_path) if not path.exists()]
    if missing:
        raise VerifyError(f"{folder}: no {' and no '.join(missing)} in it; make some with `gridglow simulate --out`")
    recorded = _recorded(summary_path)
    reader = JsonlReader(events_path)
    text, feeder = _to_run_again(reader.facts, events_path)
    written = Digest()
    feed([written], reader)
    if written.hexdigest() != recorded:
        raise VerifyError(f"{events_path}: the events are not those that the digest in summary.json was made of")
    facts = reader.facts
    scenario = loads(text, f"{facts.scenario}.toml", None, feeder_text=feeder)
    if scenario.feeder.sha256 != facts.feeder_sha256:
        raise VerifyError(f"{events_path}: the feeder in the header is not the one it names")
    digest = simulate.run(scenario, facts.seed).summary["digest"]
    if digest != recorded:
        raise VerifyError(f"{folder}: recorded {recorded[:16]}, now {digest[:16]}: the runs differ")
    return f"OK  {facts.scenario}, seed {facts.seed}: digest {digest} again"


def _recorded(path: Path) -> str:
    try:
        digest = json.loads(path.read_text(encoding="utf-8"))["digest"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise VerifyError(f"{path}: no digest in it") from error
    if not isinstance(digest, str):
        raise VerifyError(f"{path}: no digest in it")
    return digest


def _to_run_again(facts: RunFacts, path: Path) -> tuple[str, str]:
    """Scenario and feeder out of the header, which need not hold them."""
    for name in ("scenario", "feeder"):
        if name not in facts.texts:
            raise VerifyError(f"{path}:1: the header holds no {name} to run again")
    return facts.texts["scenario"], facts.texts["feeder"]
