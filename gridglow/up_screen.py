"""What a person sees of `gridglow up`: how to reach it, and a live status; lines in between tell what happened.

`status` and `plain` are pure: a `View` in, text out. `Screen` writes in a thread of its own, so that a terminal that
is held up costs no time of the network. Neighbours: `up` makes the views, `one_pan` is what they show.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from shlex import quote
from time import monotonic

from rich.console import Console
from rich.live import Live
from rich.text import Text

from emulation.grid import fault
from emulation.live.mqtt import BrokerUrl
from emulation.live.records import FaultRecord
from emulation.live.topics import DEFAULT_PAN, Topics
from emulation.observe.facts import station_name
from emulation.observe.prose import clock_text, line
from g3plc.events import Event, ReadDone

REFRESH_S = 0.5
PLAIN_EVERY_S = 30.0
BEHIND_US = 250_000
FOR_S = 30
"""The faults that are suggested are undone after so much emulated time."""

_STAMP = len("00:00:00.000")
_DEFAULT_PORT = 1883


@dataclass(slots=True)
class View:
    """A moment of a live run. `late` and `sense_doubt` count over all stations, since the run began.

    `link` is the last link of a route, as `37-48`, or nothing; `target` the meter that it leads to; `busy`: the
    coordinator is at work, so that the routes are in use.
    """

    emulated_us: int = 0
    permille: int = 0
    auto: bool = False
    starting: bool = False
    title: str = ""
    stations: int = 0
    online: int = 0
    ready: int = 0
    meters: int = 0
    read: int = 0
    late: int = 0
    heard: int = 0
    sense_doubt: int = 0
    faithful: bool = True
    lag_us: int = 0
    broker: bool = True
    last: Event | None = None
    faults: list[FaultRecord] = field(default_factory=list)
    link: str = ""
    target: int = 0
    busy: bool = False


class Address:
    """How other programs reach a run: the words of the commands to paste."""

    def __init__(self, url: BrokerUrl, pan: int) -> None:
        self._url = url
        self._pan = pan
        self._prefix = Topics(pan).prefix

    def gridglow(self, words: str) -> str:
        """A `gridglow` command."""
        url = self._url
        elsewhere = (url.host, url.port, url.tls, url.user) != ("127.0.0.1", _DEFAULT_PORT, False, None)
        access = f"{url.user}:{url.password or ''}@" if url.user else ""
        broker = f" --broker {quote(str(url).replace('://', f'://{access}'))}" if elsewhere else ""
        return f"gridglow {words}{broker}{f' --pan {self._pan:04x}' if self._pan != DEFAULT_PAN else ''}"

    def mosquitto_pub(self, rest: str, payload: str) -> str:
        """The same as a publication by mosquitto_pub."""
        url = self._url
        words = ["mosquitto_pub"]
        words += ["-h", url.host] if url.host not in ("127.0.0.1", "localhost", "::1") else []
        words += ["-p", str(url.port)] if url.port != _DEFAULT_PORT else []
        words += ["-u", url.user, "-P", url.password or ""] if url.user else []
        authority = os.environ.get("SSL_CERT_FILE")
        words += ["--cafile", authority] if url.tls and authority else ["--tls-use-os-certs"] if url.tls else []
        return " ".join(map(quote, [*words, "-t", f"{self._prefix}cmd/{rest}", "-m", payload]))


def welcome(address: Address, broker: str, playing: str, stations: int) -> list[str]:
    """The first lines. `broker` says where it is and what it is, `playing` what is played."""
    pair = "3-17" if stations > 17 else "1-2" if stations > 2 else "0-1"
    return [
        f"playing    {playing}",
        f"broker     {broker}",
        "to break a link, from another terminal, either of",
        f"           {address.gridglow(f'break {pair} --for {FOR_S}')}",
        f"           {address.mosquitto_pub(f'link/{pair}', f'down for {FOR_S}')}",
        f"to look    {address.gridglow('leds')}   {address.gridglow('status')}   {address.gridglow('logs -f')}",
    ]


def suggestion(view: View, address: Address) -> str:
    """What breaks a route, and shows it healed; nothing while none is known."""
    if not view.link:
        return ""
    way = f"the way to {station_name(view.target)} ends with the link {view.link}"
    return f"{way}; to break it: {_break(view, address)}"


def by_hops(done: Iterable[ReadDone]) -> str:
    """How many meters were read over how many hops, and the median of their times; nothing of none."""
    times: dict[int, list[int]] = {}
    for one in done:
        times.setdefault(one.hops, []).append(one.duration_us)
    parts = []
    for hops, taken in sorted(times.items()):
        median_ms = sorted(taken)[len(taken) // 2] // 1000
        parts.append(f"{hops}: {len(taken)} in {median_ms / 1000:.1f} s each")
    return f"by hops    {', '.join(parts)}" if parts else ""


def plain(view: View) -> str:
    """The status as one line of text, with what happened last."""
    last = _last(view)
    return summary(view) + (f"; {last}" if last else "")


def summary(view: View) -> str:
    """The status alone, as one line of text."""
    parts = [
        f"{clock_text(view.emulated_us)} at {_speed(view)}",
        f"{view.online} of {view.stations} stations online",
        f"{view.read} of {view.meters} meters read",
        f"late {view.late}, sense_doubt {view.sense_doubt}",
        *_warnings(view),
        *(fault_text(record) for record in view.faults),
    ]
    return "; ".join(parts)


def status(view: View, address: Address) -> Text:
    """The status as a few lines for a terminal; each is cut where the terminal ends."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(clock_text(view.emulated_us), style="bold")
    text.append(f"  {_speed(view)}  ", style="cyan")
    text.append(f"{view.online}/{view.stations} online", style="green" if view.online == view.stations else "yellow")
    text.append(f"  {view.read}/{view.meters} read", style="bold green" if view.read else "")
    text.append(f"  late {view.late}", style="red" if view.late else "dim")
    text.append(f"  doubt {view.sense_doubt}", style="dim")
    for warning in _warnings(view):
        text.append(f"  {warning}", style="bold red")
    text.append(f"  {view.title}\n", style="dim")
    text.append(_last(view) or "nothing has happened yet")
    if view.faults:
        text.append("\n" + ", ".join(map(fault_text, view.faults)), style="red")
    if view.link:
        text.append(f"\nto break the way to {station_name(view.target)}:  {_break(view, address)}", style="dim")
    return text


def fault_text(record: FaultRecord) -> str:
    """A fault in force, in a few words."""
    order = record.order
    what = f"{order.word} {order.value}" if order.word in fault.RANGES and order.word != order.kind else order.word
    what = str(order.value) if order.word == order.kind else what
    until = f" until {clock_text(record.until_us)}" if record.until_us else ""
    return f"fault {record.id}: {order.kind} {order.where} {what}{until}"


def _break(view: View, address: Address) -> str:
    broken = address.gridglow(f"break {view.link} --for {FOR_S}")
    # where nobody sends anything, nobody finds out
    return broken if view.busy else f"{broken}; {address.gridglow(f'read {view.target}')}"


def _speed(view: View) -> str:
    if view.starting:
        return "starting"
    if not view.permille:
        return "paused"
    return f"{view.permille / 1000:g}x{' (auto)' if view.auto else ''}"


def _warnings(view: View) -> list[str]:
    found = []
    if not view.broker:
        found.append("broker gone, waiting for it")
    if not view.faithful:
        found.append(f"not faithful ({view.late} of {view.heard} frames late)")
    if view.lag_us > BEHIND_US:
        found.append(f"this machine is {view.lag_us // 1000} ms behind")
    return found


def _last(view: View) -> str:
    text = line(view.last) if view.last is not None else ""
    return (
        f"{text[:_STAMP]} {station_name(view.last[1])} {text[_STAMP + 1 :]}" if view.last is not None and text else ""
    )


class Screen:
    """The thread that writes. `show` and `say` return at once; `on_broken` is called when nobody reads any more.

    Without a terminal a status goes out every 30 s; with `quiet` only what is said as a warning.
    """

    def __init__(self, address: Address, quiet: bool, on_broken: Callable[[], object]) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._address = address
        self._quiet = quiet
        self._on_broken = on_broken
        self._view: View | None = None
        self._lines: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        self._thread.start()

    @property
    def live(self) -> bool:
        """Whether the status stands on a terminal all the time."""
        return self._console.is_terminal and not self._quiet

    def show(self, view: View) -> None:
        """The present status."""
        self._view = view

    def say(self, text: str, style: str = "") -> None:
        """A line that stays."""
        if not self._quiet:
            self._lines.put((text, style))

    def warn(self, text: str) -> None:
        """A line that stays, even when quiet."""
        self._lines.put((text, "yellow"))

    def close(self) -> None:
        """Write what waits, for half a second at most."""
        self._ended.set()
        self._thread.join(REFRESH_S)

    def _run(self) -> None:
        try:
            if self.live:
                self._draw()
            else:
                self._list()
        except (OSError, ValueError, SystemExit):
            # Nobody reads any more: what is in the buffer must not make the interpreter stumble at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._on_broken()

    def _draw(self) -> None:
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while not self._ended.wait(REFRESH_S):
                self._write(self._taken())
                view = self._view
                if view is not None:
                    live.update(status(view, self._address), refresh=True)
        self._write(self._taken())

    def _list(self) -> None:
        next_at = monotonic() + PLAIN_EVERY_S
        while not self._ended.wait(REFRESH_S / 5):
            self._write(self._taken())
            view = self._view
            if view is not None and not self._quiet and monotonic() >= next_at:
                next_at += PLAIN_EVERY_S
                self._write([(plain(view), "")])
        self._write(self._taken())

    def _taken(self) -> list[tuple[str, str]]:
        found = []
        try:
            while True:
                found.append(self._lines.get_nowait())
        except Empty:
            return found

    def _write(self, lines: Sequence[tuple[str, str]]) -> None:
        for text, style in lines:
            self._console.print(Text(text, style=style))
        if lines:
            self._console.file.flush()
