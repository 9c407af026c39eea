"""What people type at a live run: faults, readings, the clock, and looking at what happens.

Each command is a typer function that `gridglow.cli` mounts. Those that change something publish a JSON command and
wait for the director's answers; nothing here decides what is allowed. Heavy imports happen inside the commands.
Neighbours: `live_client` (the broker), `live_status`, `live_watch` (what is shown), `live_tasks`.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gridglow.errors import fail

BrokerOption = Annotated[
    str,
    typer.Option(
        "--broker",
        metavar="URL",
        envvar="GRIDGLOW_BROKER",
        help="mqtt://host:port, mqtt://user:password@host:port, or mqtts://...",
    ),
]
PanOption = Annotated[str, typer.Option("--pan", metavar="HEX", envvar="GRIDGLOW_PAN", help="PAN id, 4 hex digits")]
ForOption = Annotated[str, typer.Option("--for", metavar="SECONDS", help="of emulated time, then it is undone")]
MeterArgument = Annotated[int, typer.Argument(metavar="METER", help="the meter's number")]
ClassOption = Annotated[int | None, typer.Option("--class", help="COSEM class (default 3, Register)")]
ObisOption = Annotated[str | None, typer.Option("--obis", help="OBIS code (default 1.0.1.8.0.255, energy)")]
AttributeOption = Annotated[int | None, typer.Option("--attribute", help="default 2, the value")]

DEFAULT_BROKER = "mqtt://127.0.0.1:1883"
DEFAULT_PAN = "781d"
SCENES = ("route", "read", "heal", "night")
"""The scenes of the paper, which a director plays in a loop unless it is told otherwise."""


def director(
    scenes: Annotated[list[str] | None, typer.Argument(metavar="SCENARIO", help="default: the paper's")] = None,
    loop: Annotated[bool | None, typer.Option("--loop/--once", help="default: a loop if there are several")] = None,
    speed: Annotated[str, typer.Option(help="instead of the scenarios' own speeds")] = "",
    play: Annotated[bool, typer.Option("--play/--no-play", help="the scenarios' jobs and faults")] = True,
    new: Annotated[bool, typer.Option("--new", help="begin a new run, whatever the broker remembers")] = False,
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Own the clock, the faults and the commands of a live run, until interrupted."""
    from emulation.live.playbook import Playbook
    from emulation.scenario import ScenarioError, load
    from gridglow import live_tasks

    try:
        loaded = [load(name) for name in scenes or SCENES]
    except ScenarioError as error:
        fail(error, 2)
    if not play:
        for scenario in loaded:
            scenario.jobs, scenario.faults = [], []
    playbook = Playbook(loaded, len(loaded) > 1 if loop is None else loop, _permille(speed))
    live_tasks.run_director(broker, pan, playbook, new)


def break_link(
    where: Annotated[list[str], typer.Argument(metavar="LINK", help="3-17, 3>17 for one way, or route 17")],
    seconds: ForOption = "",
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Break the link between two stations."""
    _command(broker, pan, f"link/{' '.join(where)}", {"word": "down"} | _for(seconds))


def heal(
    where: Annotated[list[str], typer.Argument(metavar="LINK", help="3-17, 3>17 for one way, or route 17")],
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Heal a link."""
    _command(broker, pan, f"link/{' '.join(where)}", {"word": "up"})


def fault(
    kind: Annotated[str, typer.Argument(help="link, cable, station, noise or voltage")],
    where: Annotated[
        str, typer.Argument(help="3-17, 3>17 or 'route 17' for a link, an LED for a cable, else a station")
    ],
    words: Annotated[
        list[str], typer.Argument(help="down, up, weak 20, loss 50, cut, mend, off, on, reboot, 30, clear")
    ],
    seconds: ForOption = "",
    power: Annotated[bool, typer.Option("--power", help="a cut cable also switches off what lies beyond")] = False,
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Begin or end any fault, in the words of scenario files."""
    fields: dict[str, Any] = {"word": " ".join(words)} | _for(seconds)
    _command(broker, pan, f"{kind}/{where}", fields | ({"power": True} if power else {}))


def read(
    meter: MeterArgument,
    class_id: ClassOption = None,
    obis: ObisOption = None,
    attribute: AttributeOption = None,
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Read an attribute of a meter (GET)."""
    _command(broker, pan, f"read/{meter}", _given({"class": class_id, "obis": obis, "attribute": attribute}))


def set_attribute(
    meter: MeterArgument,
    value: Annotated[str, typer.Argument(help="type:value, like date-time:2026-11-23T02:00:00Z")],
    class_id: ClassOption = None,
    obis: ObisOption = None,
    attribute: AttributeOption = None,
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Write an attribute of a meter (SET)."""
    fields = {"class": class_id, "obis": obis, "attribute": attribute, "value": value}
    _command(broker, pan, f"set/{meter}", _given(fields))


def act(
    meter: MeterArgument,
    value: Annotated[str | None, typer.Argument(help="the parameter, type:value, where the method takes one")] = None,
    class_id: ClassOption = None,
    obis: ObisOption = None,
    method: Annotated[int | None, typer.Option("--method", help="default 2")] = None,
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Call a method of a meter (ACTION)."""
    fields = {"class": class_id, "obis": obis, "method": method, "value": value}
    _command(broker, pan, f"action/{meter}", _given(fields))


def discover(meter: MeterArgument, broker: BrokerOption = DEFAULT_BROKER, pan: PanOption = DEFAULT_PAN) -> None:
    """Have the coordinator look for a route to a meter."""
    _command(broker, pan, f"discover/{meter}", {})


def collect(broker: BrokerOption = DEFAULT_BROKER, pan: PanOption = DEFAULT_PAN) -> None:
    """Have the coordinator read all meters; shows each as it comes in."""
    _command(broker, pan, "collect", {}, progress=("Collection", "ReadDone", "ReadFailed"))


def speed(
    value: Annotated[str, typer.Argument(metavar="SPEED", help="0 (pause), 0.05 to 16 times real time, or auto")],
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Set the pace of emulated time."""
    _command(broker, pan, "speed", {"value": value})


def step(
    microseconds: Annotated[int, typer.Argument(help="of emulated time")],
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Let the clock, which stands, go on a little."""
    _command(broker, pan, "step", {"value": microseconds})


def reset(broker: BrokerOption = DEFAULT_BROKER, pan: PanOption = DEFAULT_PAN) -> None:
    """Begin a new run: all stations reboot, time starts again, faults are cleared."""
    _command(broker, pan, "reset", {})


def status(broker: BrokerOption = DEFAULT_BROKER, pan: PanOption = DEFAULT_PAN) -> None:
    """Show the run and all stations."""
    from gridglow import live_tasks

    live_tasks.status(broker, pan)


def faults(broker: BrokerOption = DEFAULT_BROKER, pan: PanOption = DEFAULT_PAN) -> None:
    """Show the faults in force."""
    from gridglow import live_status, live_tasks

    live_tasks.show(broker, pan, live_status.faults_view)


def logs(
    station: Annotated[str, typer.Argument(help="a number, meter-17, coordinator, director, or all")] = "all",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="until interrupted; otherwise for five seconds")
    ] = False,
    level: Annotated[str, typer.Option(help="from now on the station logs debug, info, warning or error")] = "",
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Show what a station logs."""
    from gridglow import live_tasks

    who = _station(station)
    if level:
        if who == "director":
            fail("the director has one level only", 2)
        _command(broker, pan, f"level/{'all' if who == '+' else who}", {"word": level})
        if not follow:
            return
    live_tasks.logs(broker, pan, who, follow)


def watch(
    station: Annotated[
        list[str] | None, typer.Option("--station", help="17, meter-17 or coordinator; repeatable")
    ] = None,
    layer: Annotated[list[str] | None, typer.Option("--layer", help="mac, loadng, cosem, ...; repeatable")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="RREQ, RouteSet, ...; repeatable")] = None,
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Show frames layer by layer and events in prose, until interrupted."""
    from gridglow import live_tasks
    from gridglow.live_watch import LAYERS, TYPES, Filter

    numbers = {int(who) for who in map(_station, station or []) if who.isdigit()}
    wanted = Filter(numbers, _words("--layer", layer, LAYERS), _words("--type", type_, TYPES))
    live_tasks.watch(broker, pan, wanted)


COMMANDS: dict[str, Any] = {
    "break": break_link, "heal": heal, "fault": fault, "faults": faults, "collect": collect, "read": read,
    "set": set_attribute, "act": act, "discover": discover, "speed": speed, "step": step, "reset": reset,
    "status": status, "logs": logs, "watch": watch, "director": director,
}  # fmt: skip
"""Names and functions for `gridglow.cli` to mount."""


def mount(app: typer.Typer, part: str) -> None:
    """Add every command to the command line, in this part of its help."""
    for name, function in COMMANDS.items():
        app.command(name, rich_help_panel=part)(function)


def _command(broker: str, pan: str, rest: str, fields: dict[str, Any], progress: tuple[str, ...] = ()) -> None:
    from gridglow import live_tasks

    if any(sign in rest for sign in "+#\0") or not rest.isascii():
        fail(f"{rest!r} cannot be part of a topic", 2)
    live_tasks.command(broker, pan, rest, fields, progress)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _for(seconds: str) -> dict[str, Any]:
    from decimal import Decimal, InvalidOperation

    if not seconds:
        return {}
    try:
        number = Decimal(seconds)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or not 0 < number < 10**9:
        fail(f"--for {seconds}: expected a number of seconds like 30 or 2.5", 2)
    return {"seconds": int(number) if number == int(number) else float(number)}


def _permille(text: str) -> int | None:
    from emulation.live.clock_command import speed as read_speed
    from emulation.live.command_text import CommandError, Envelope

    if not text:
        return None
    try:
        permille = read_speed(Envelope.read("--speed", text.encode())).permille
    except CommandError as error:
        fail(f"--speed: {error}", 2)
    return permille if permille is not None else fail("--speed auto: only while running, `gridglow speed auto`", 2)


def _station(text: str) -> str:
    """Return the level of a topic for a station as people name it; `+` for all."""
    plain = text.removeprefix("meter-")
    if plain.isascii() and plain.isdigit() and len(plain) <= 5:
        return str(int(plain))
    known = {"coordinator": "0", "director": "director", "all": "+"}
    if text not in known:
        fail(f"no station {text!r}; allowed: a number, meter-17, coordinator, director, all", 2)
    return known[text]


def _words(option: str, given: list[str] | None, allowed: tuple[str, ...]) -> set[str]:
    """Words of an option, in lower case; commas separate as well as repetition."""
    words = {word.strip().lower() for part in given or [] for word in part.split(",") if word.strip()}
    known = {name.lower() for name in allowed}
    for word in words:
        if word not in known:
            fail(f"{option} {word}: unknown; allowed: {', '.join(allowed)}", 2)
    return words
