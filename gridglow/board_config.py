"""The settings of an LED board, as the `config.py` that is copied to it; firmware/README.md says how.

`firmware/config.example.py` is this text for the shipped feeder. Neighbours: `board_cli` prints it, the firmware's
`glow/settings.py` reads it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from emulation.live.mqtt import BrokerUrl
from emulation.live.topics import Topics

Branches = Sequence[tuple[int, int, int]]
"""(first LED, last LED, LED that it hangs on or -1) of each, in rising order."""

MOST_LEDS = 1440
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")

_TEXT = '''\
"""Settings of this board. Wi-Fi name and passwords are better kept in secrets.py; what stands there wins."""

# Wi-Fi and broker. BROKER is an address or a name that the board can reach: not 127.0.0.1.
WIFI_SSID = {ssid}
WIFI_PASSWORD = {wifi_password}
BROKER = {broker}
BROKER_PORT = {port}
BROKER_USER = {user}
BROKER_PASSWORD = {password}

# Topics: what the network publishes under, and this board's own name in board/<BOARD_ID>/status. Every board needs
# a name of its own.
PREFIX = {prefix}
BOARD_ID = {board_id}

# The strip. FIRST_LED is the first LED of the picture that this strip shows: 0 unless several boards share a picture.
LED_PIN = {pin}
LED_COUNT = {leds}
FIRST_LED = {first_led}

# Order of the colours in the strip: GRB for WS2812B, RGB for WS2811 and some others. If the self-test does not run in
# red, green, blue, this is wrong.
ORDER = {order}

# 1.0 shows the picture as it is sent, 0.5 at half the brightness.
BRIGHTNESS = 1.0

# What the supply may give to the LEDs, in mA. A picture that would take more becomes darker as a whole.
SUPPLY_MA = {supply_ma}

# Every picture is shown so long after its time, in ms: as much jitter of the Wi-Fi does not show.
DELAY_MS = 150

# Pins of up to three buttons to ground, for example (25, 26, 27).
BUTTON_PINS = ()

# The self-test at boot takes so long; 0: none.
SELF_TEST_S = 3

# Played without a network: a file of `gridglow board record` on the board. Without it the strip breathes in white.
LOOP_FILE = "loop.glow"

# The board starts again when it has hung for so long; 0: never, for work at the console.
WATCHDOG_S = 30

# The cable tree for the self-test: first LED, last LED, LED that it hangs on (-1: the root).
BRANCHES = {branches}
'''


class ConfigError(ValueError):
    """A configuration that no board could use; the message says why."""


def config_text(
    broker_url: str,
    pan: int,
    board_id: str,
    leds: int,
    branches: Branches,
    *,
    first_led: int = 0,
    led_pin: int = 18,
    order: str = "GRB",
    supply_ma: int = 3000,
    wifi_ssid: str = "",
    wifi_password: str = "",
) -> str:
    """A complete `config.py`. A broker on this machine's loopback is given this machine's address in its network.

    `leds` is the number of LEDs on the strip, from `first_led` of the picture on. ConfigError, BrokerUrlError.
    """
    url = BrokerUrl.parse(broker_url)
    _check(url, board_id, leds, order)
    return _TEXT.format(
        ssid=_quoted(wifi_ssid),
        wifi_password=_quoted(wifi_password),
        broker=_quoted(reachable(url.host)),
        port=url.port,
        user=_quoted(url.user or ""),
        password=_quoted(url.password or ""),
        prefix=_quoted(Topics(pan).prefix.rstrip("/")),
        board_id=_quoted(board_id),
        pin=led_pin,
        leds=leds,
        first_led=first_led,
        order=_quoted(order),
        supply_ma=supply_ma,
        branches=_tuples(branches),
    )


def _check(url: BrokerUrl, board_id: str, leds: int, order: str) -> None:
    if url.tls:
        raise ConfigError("the board speaks no TLS: it takes 30 to 45 kB of its memory; give it a plain listener")
    if not _ID.fullmatch(board_id):
        raise ConfigError(f"{board_id!r} is no name of a board: 1 to 64 letters, digits, '_', '.', '-'")
    if not 1 <= leds <= MOST_LEDS:
        raise ConfigError(
            f"{leds} LEDs on one board: allowed are 1 to {MOST_LEDS}; of more, --first and --count take a part"
        )
    if sorted(order) != ["B", "G", "R"]:
        raise ConfigError(f"{order!r} is no order of the colours: G, R and B in any order")


def reachable(host: str) -> str:
    """`host` as another machine has to call it; loopback becomes this machine's own address, if it has one."""
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    return (_own_address() or host) if local else host


def _own_address() -> str | None:
    """The address from which this machine would speak to others; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if ip_address(address).is_loopback else address


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in text) + '"'


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}


def _tuples(branches: Branches) -> str:
    """The branches, as many in a line as fit."""
    lines = [""]
    for branch in branches:
        word = f"({branch[0]}, {branch[1]}, {branch[2]}),"
        if len(lines[-1]) + len(word) > 110:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "(\n" + "\n".join(f"    {line}" for line in lines) + "\n)  # fmt: skip" if branches else "()"
