"""Finds the line of a key in TOML text, for error messages: the parser of the standard library does not keep it."""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*\[\[?\s*([\w.-]+)\s*\]\]?")
_INDEX = re.compile(r"(\w+)\[(\d+)\]")


def line_of(text: str, table: str, key: str) -> int:
    """Line (from 1) of `key` in `table` ("" for the top, "job[2]" for the third [[job]]); the table's own line if
    the key is not there, 1 if neither is."""
    found = _INDEX.fullmatch(table)
    name, wanted = (found[1], int(found[2])) if found else (table, 0)
    here, seen, table_line = "", -1, 1
    pattern = re.compile(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*[=.]") if key else None
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            here = header[1]
            if here == name:
                seen += 1
                if seen == wanted:
                    table_line = number
            if name == "" and here.split(".")[0] == key:
                return number
        elif here == name and (name == "" or seen == wanted) and pattern is not None and pattern.match(line):
            return number
    return table_line
