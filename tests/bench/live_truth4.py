"""Truth with the meters in four processes. Fourteen minutes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure
from tests.bench.live_truth import compared, in_four_processes


def figures(short: bool = False) -> Iterator[Figure]:
    """Ten seeds; the short form is one."""
    yield from compared("truth, four processes", in_four_processes, short)
