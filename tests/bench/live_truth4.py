"""Truth with the meters in four processes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure
from tests.bench.live_truth import compared, in_four_processes


def figures() -> Iterator[Figure]:
    """Ten seeds: about twelve minutes."""
    yield from compared("truth, four processes", in_four_processes)
