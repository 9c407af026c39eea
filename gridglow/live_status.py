"""Tables of `gridglow status` and `gridglow faults`, drawn from what is retained on the broker.

Pure: topic to payload in, something rich can print out. Neighbours: `live_cli`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emulation.grid import fault
from emulation.live.clock import Pace
from emulation.live.director_status import DirectorStatus
from emulation.live.json_fields import Fields
from emulation.live.records import ClockRecord
from emulation.live.roll import up_and_running
from emulation.live.status_record import StatusRecord
from emulation.live.topics import PayloadError, Topics
from emulation.observe.facts import station_name
from emulation.observe.prose import clock_text

_DIRECTOR = "director"
_OPEN = "it is ended"
_OFF_NS = 1_000_000
"""A millisecond: offsets in microseconds times permille of real time."""


def filters(topics: Topics) -> tuple[str, ...]:
    """What `status_view` and `faults_view` need of the broker."""
    return (topics.run, topics.clock, topics.fault("+"), topics.status("+"))


def online(topics: Topics, found: Mapping[str, bytes]) -> set[str]:
    """The status topics on which somebody is retained as online: each should be heard again within two beats."""
    director = _director(topics, found)
    topics_online = {topics.status(record.station) for record, _ in _statuses(topics, found) if record.online}
    return topics_online | ({topics.status(_DIRECTOR)} if director is not None and director.online else set())


def is_claim(topic: str, payload: bytes) -> bool:
    """Whether a status only says that somebody is about to take a place."""
    try:
        return Fields(topic, payload).flag("claim", False)
    except PayloadError:
        return False


def status_view(
    topics: Topics, found: Mapping[str, bytes], heard: Mapping[str, int], now_ms: int | None = None
) -> RenderableType:
    """The run, its faults, and a line for each station.

    `heard`: topics of status that came in live, and when, by our own wall clock, UNIX milliseconds. Who is retained as
    online and was not heard is not at work.
    """
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    parts: list[RenderableType] = [_head(topics, found, heard, now_ms)]
    if _faults(topics, found):
        parts.append(faults_view(topics, found))
    parts += _clocks(topics, found)
    parts.append(_stations(topics, found, heard))
    return Group(*parts)


def faults_view(topics: Topics, found: Mapping[str, bytes]) -> RenderableType:
    """The faults in force and to come."""
    faults = _faults(topics, found)
    if not faults:
        return Text("no fault is in force", style="green")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("fault", "where", "what", "since", "until", "by"):
        table.add_column(name)
    for fields in faults:
        word, value = fields["word"], fields["value"]
        what = f"{word} {value}" if word in fault.RANGES else word
        until = clock_text(fields["until_us"]) if fields["until_us"] else _OPEN
        power = ", power off beyond" if fields["power"] else ""
        table.add_row(
            str(fields["id"]), f"{fields['kind']} {fields['where']}", f"[red]{what}[/]{power}",
            clock_text(fields["from_us"]), until, fields["owner"].removeprefix("client "),
        )  # fmt: skip
    return table


def _head(topics: Topics, found: Mapping[str, bytes], heard: Mapping[str, int], now_ms: int) -> Text:
    text = Text()
    director = _director(topics, found)
    heard_ms = heard.get(topics.status(_DIRECTOR))
    alive = director is not None and director.online and heard_ms is not None
    if not alive:
        text.append("no director is at work", style="bold red")
        text.append(": the stations go on by themselves, commands are not answered\n")
    if director is not None and director.run:
        text.append(director.title or director.scenario, style="bold")
        text.append(f"   run {director.run:08x}, PAN {topics.pan:04x}, director {director.state}\n", style="dim")
    clock = _clock(topics, found)
    if clock is None:
        return text.append("no run has begun\n")
    if alive and director is not None and heard_ms is not None:
        now_ms += director.beat_ms - heard_ms  # the clock is stamped by the director's wall clock
    emulated = Pace(0, clock.wall_ns, clock.emulated_us, clock.speed_permille).at(now_ms * 1_000_000)
    text.append(f"{clock_text(emulated)} of emulated time, ")
    text.append(_speed(clock.speed_permille, director is not None and director.auto), style="bold")
    if not alive:
        records = [record for record, _ in _statuses(topics, found)]
        on = sum(up_and_running(record) and topics.status(record.station) in heard for record in records)
        text.append(f"   {on} of {len(records)} stations are on")
    elif director is not None:
        text.append(f"   {director.ready} of {director.stations} stations are on")
        jobs = "1 job" if director.jobs == 1 else f"{director.jobs} jobs"
        text.append(f"   {jobs} under way" if director.jobs else "")
        if not director.faithful:
            text.append("   not faithful", style="bold red")
            text.append(f": {director.late} of {director.heard} frames came late; try `gridglow speed auto`")
    return text.append("\n")


def _clocks(topics: Topics, found: Mapping[str, bytes]) -> list[RenderableType]:
    """What is to be said of wall clocks that differ from the director's by more than a millisecond of emulated time."""
    clock = _clock(topics, found)
    permille = max(clock.speed_permille, 1) if clock is not None else 1
    off = [record for record, _ in _statuses(topics, found) if abs(record.offset_us) * permille > _OFF_NS]
    if not off:
        return []
    worst = max((record.offset_us for record in off), key=abs) / 1000
    stations = "1 station" if len(off) == 1 else f"{len(off)} stations"
    return [
        Text(f"the wall clock of {stations} is up to {worst:+.1f} ms off the director's: corrected", style="yellow")
    ]


def _speed(permille: int, auto: bool) -> str:
    if not permille:
        return "paused"
    return f"{permille / 1000:g} times real time{' (auto)' if auto else ''}"


def _stations(topics: Topics, found: Mapping[str, bytes], heard: Mapping[str, int]) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim", collapse_padding=True)
    table.add_column("station", no_wrap=True)
    table.add_column("state")
    for name in ("boot", "heard", "late", "doubt", "lag"):
        table.add_column(name, justify="right")
    table.add_column("to coordinator", no_wrap=True)
    table.add_column("routes", justify="right")
    stations = sorted(_statuses(topics, found), key=lambda item: item[0].station)
    for record, routes in stations:
        table.add_row(*_station(record, routes, topics.status(record.station) in heard))
    if not stations:
        return Text("no station is there", style="red")
    return table


def _station(record: StatusRecord, routes: list[list[int]], heard: bool) -> tuple[Any, ...]:
    there = record.online and heard
    state = record.state if record.online else "offline"
    style = "green" if there and record.state == "on" else "red" if not record.online else "yellow"
    if record.online and not there:
        state = "silent"
    way = ""
    if record.station:
        hops = {route[0]: (route[1], route[2] if len(route) > 2 else 0) for route in routes}
        if 0 in hops:
            next_hop, count = hops[0]
            way = "direct" if next_hop == 0 else f"{station_name(next_hop)}, {count} hops"
    return (
        station_name(record.station), Text(state, style=style), str(record.boot), str(record.heard),
        Text(str(record.late), style="red" if record.late else ""), str(record.sense_doubt),
        f"{record.lag_us / 1000:.1f} ms", way, str(len(routes)),
    )  # fmt: skip


# -- reading what is retained


def _director(topics: Topics, found: Mapping[str, bytes]) -> DirectorStatus | None:
    topic = topics.status(_DIRECTOR)
    try:
        return DirectorStatus.decode(topic, found[topic]) if topic in found else None
    except PayloadError:
        return None


def _clock(topics: Topics, found: Mapping[str, bytes]) -> ClockRecord | None:
    try:
        return ClockRecord.decode(topics.clock, found[topics.clock]) if topics.clock in found else None
    except PayloadError:
        return None


def _statuses(topics: Topics, found: Mapping[str, bytes]) -> list[tuple[StatusRecord, list[list[int]]]]:
    records = []
    for topic, payload in found.items():
        levels = topics.parts(topic)
        if levels[:1] != ["status"] or not levels[1].isdigit():
            continue
        try:
            record = StatusRecord.decode(topic, payload)
        except PayloadError:
            continue
        routes = json.loads(payload).get("routes")
        good = [route for route in routes if _is_route(route)] if type(routes) is list else []
        records.append((record, good))
    return records


def _is_route(route: Any) -> bool:
    return type(route) is list and len(route) >= 2 and all(type(number) is int for number in route)


def _faults(topics: Topics, found: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The fields of the retained faults, by number; records that are no good are left out."""
    faults = []
    for topic, payload in found.items():
        if topics.parts(topic)[:1] != ["fault"]:
            continue
        try:
            fields = Fields(topic, payload)
            faults.append(
                {name: fields.integer(name, 0, 1 << 62, 0) for name in ("id", "value", "from_us", "until_us")}
                | {name: fields.text(name, 120, "") for name in ("kind", "where", "word", "owner")}
                | {"power": fields.flag("power", False)}
            )
        except PayloadError:
            continue
    return sorted(faults, key=lambda fields: fields["id"])
