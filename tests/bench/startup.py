"""How long a person waits before anything happens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from resource import RUSAGE_CHILDREN, getrusage

from tests.bench.figure import Figure

REPEATS = 5
_IMPORT = "import time; t = time.process_time(); import g3plc.stack; print(time.process_time() - t)"
_HELP = "import sys; sys.argv = ['gridglow', '--help']; from gridglow.cli import main; main()"


def figures() -> Iterator[Figure]:
    """Processor time, so that whoever else uses the machine counts less; the disk's cache is warm."""
    where = f"processor time, best of {REPEATS} processes"
    imports = [float(_run(_IMPORT)[0]) for _ in range(REPEATS + 1)][1:]
    yield Figure("startup", "import of the whole of g3plc", min(imports) * 1000, "ms", where, 100)
    helps = [_run(_HELP)[1] for _ in range(REPEATS + 1)][1:]
    yield Figure("startup", "gridglow --help, interpreter included", min(helps) * 1000, "ms", where, 300)


def _run(code: str) -> tuple[str, float]:
    """What a new interpreter prints, and the seconds of processor time of its whole life."""
    before = getrusage(RUSAGE_CHILDREN)
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    after = getrusage(RUSAGE_CHILDREN)
    return printed, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
