"""How long a person waits before anything happens."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench.figure import Figure

REPEATS = 5
_IMPORT = "import time; t = time.perf_counter(); import g3plc.stack; print(time.perf_counter() - t)"
_HELP = "import sys; sys.argv = ['gridglow', '--help']; from gridglow.cli import main; main()"


def figures() -> Iterator[Figure]:
    """Best of five processes each, after one to warm the disk's cache."""
    where = f"best of {REPEATS} processes"
    imports = [float(_run(_IMPORT)) for _ in range(REPEATS + 1)][1:]
    yield Figure("startup", "import of the whole of g3plc", min(imports) * 1000, "ms", where, 100)
    helps = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        _run(_HELP)
        helps.append(time.perf_counter() - start)
    yield Figure("startup", "gridglow --help", min(helps) * 1000, "ms", where, 300)


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
