"""Bounds of what can be typed."""

from __future__ import annotations

MOST_SEED = 2**63 - 1
"""What every format that carries a seed can hold."""
