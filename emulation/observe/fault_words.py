"""A fault in words, as people read it: `link 3-17 down`, `noise at meter-2: +5 dB`, `voltage at meter-31: 198 V`.

Neighbours: `prose` (logs), `sequence_story` (the marks of a diagram); the words of orders are those of `grid.fault`.
"""

from __future__ import annotations

from emulation.observe.facts import station_name
from g3plc import events as ev


def fault_text(e: ev.Fault) -> str:
    """Return what is wrong and where; links by the numbers of their stations."""
    if e.kind == "noise" and e.value:
        return f"noise at {_station(e.where)}: +{e.value} dB"
    if e.kind == "voltage" and e.word == e.kind:
        return f"voltage at {_station(e.where)}: {e.value} V"
    word = link_word(e)
    if word == e.kind:
        return f"{e.kind} {e.where}"
    return f"{e.kind} {e.where} {word}"


def link_word(e: ev.Fault) -> str:
    """Return the word of a fault with its value and unit."""
    unit = {"weak": " dB", "loss": " %"}.get(e.word, "")
    return f"{e.word} {e.value}{unit}" if e.value else e.word


def _station(where: str) -> str:
    return station_name(int(where)) if where.isdecimal() else where
