"""Addressed randomness: every number is a function of what it is for, never of who asked first.

A station's generators are seeded from (seed, node, boot number, purpose); the channel draws from (seed, source,
destination, frame number, purpose). Another observer, another order or another split over processes cannot change
a run. All arithmetic is on 64-bit integers (the mixing function of splitmix64, Steele, Lea, Flood 2014), so that
every machine and every interpreter agrees.
"""

from __future__ import annotations

from hashlib import sha256

MASK = 0xFFFFFFFFFFFFFFFF
GOLDEN = 0x9E3779B97F4A7C15


def mix64(value: int) -> int:
    """The finaliser of splitmix64: 64 bits to 64 bits, one to one."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31


def mix_on(state: int, part: int) -> int:
    """`mix` of one part more: `mix(a, b) == mix_on(mix(a), b)`."""
    return mix64((state ^ part) + GOLDEN & MASK)


def mix(*parts: int) -> int:
    """64 bits from any number of non-negative integers; the order counts."""
    state = 0
    for part in parts:
        state = mix_on(state, part)
    return state


class Stream:
    """A generator that belongs to one (seed, node, boot number, purpose)."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, node: int, boot: int, purpose: str) -> None:
        word = int.from_bytes(sha256(purpose.encode("ascii")).digest()[:8], "big")
        self._state = mix(seed, node, boot, word)

    def below(self, n: int) -> int:
        """A uniform integer in 0..n-1; the bias is under n / 2^64."""
        self._state = state = self._state + GOLDEN & MASK
        return mix64(state) * n >> 64
