"""Digests of shipped scenarios: printed, or kept in golden.json beside this file. Needs nothing but the interpreter.

python tests/network/golden.py row4:1 night:1    prints {"row4:1": "...", "night:1": "..."}
python tests/network/golden.py --renew           runs everything that golden.json names and writes it anew
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "golden.json"


def digest(name: str) -> str:
    """The digest of `scenario:seed`."""
    from emulation.scenario import load
    from gridglow.simulate import run

    scenario, _, seed = name.partition(":")
    outcome = run(load(scenario), int(seed))
    assert not outcome.failures
    return str(outcome.summary["digest"])


def main(words: list[str]) -> None:
    sys.path.insert(0, str(HERE.parents[1]))
    if words[:1] == ["--renew"]:
        kept = json.loads(GOLDEN.read_text(encoding="ascii"))
        kept.update({name: digest(name) for name in words[1:] or kept})
        GOLDEN.write_text(json.dumps(kept, indent=1) + "\n", encoding="ascii")
    else:
        print(json.dumps({name: digest(name) for name in words}))


if __name__ == "__main__":
    main(sys.argv[1:])
