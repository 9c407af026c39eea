"""`gridglow light ...`: how the light looks, while it runs. Each command says a word to the gateway on `led/set/...`
and waits until `led/config` shows it or `status/gateway` says why not.

Neighbours: `led_gateway.settings` (what is allowed), `live_client` (the broker), `live_cli` (commands to the network).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gridglow.errors import fail
from gridglow.live_cli import DEFAULT_BROKER, DEFAULT_PAN, BrokerOption, PanOption

if TYPE_CHECKING:
    from gridglow.live_client import LiveClient
    from led_gateway.config_record import LedConfig
    from led_gateway.gateway_status import GatewayStatus

ANSWER_S = 2.0
"""The gateway looks at its configuration four times a second."""

app = typer.Typer(name="light", help="Change how the light looks, while it runs.", no_args_is_help=True)


@app.command()
def theme(
    name: Annotated[str, typer.Argument(metavar="THEME", help="safe, classic, mono, calm")],
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Show everything in another theme."""
    _set(broker, pan, "theme", name)


@app.command()
def follow(
    station: Annotated[str, typer.Argument(help="a number, meter-17, coordinator, or off")],
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Draw only what belongs to one station's transactions."""
    plain = station.removeprefix("meter-")
    _set(broker, pan, "follow", "0" if plain == "coordinator" else plain)


@app.command()
def brightness(
    share: Annotated[str, typer.Argument(metavar="SHARE", help="0 to 1")],
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Make everything brighter or darker."""
    _set(broker, pan, "brightness", share)


@app.command()
def fps(
    number: Annotated[str, typer.Argument(metavar="N", help="5 to 60")],
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Set the frames per second."""
    _set(broker, pan, "fps", number)


@app.command()
def hold(
    seconds: Annotated[str, typer.Argument(help="1 to 3600, or off")],
    broker: BrokerOption = DEFAULT_BROKER,
    pan: PanOption = DEFAULT_PAN,
) -> None:
    """Have the gateway send no pictures for a while, so that somebody else may."""
    _set(broker, pan, "hold", seconds)


def _set(broker: str, pan: str, word: str, value: str) -> None:
    import asyncio

    from emulation.live.command_line import OptionError, pan_of
    from emulation.live.mqtt import BrokerUrl, BrokerUrlError
    from emulation.live.topics import MOST_STATIONS
    from gridglow.live_client import LiveError, connect
    from led_gateway.settings import SettingError, Settings

    async def inside() -> str:
        async with connect(url, number) as client:
            return await change(client, word, value)

    try:
        url, number = BrokerUrl.parse(broker), pan_of(pan)
        # The feeder's size is the gateway's to judge.
        Settings().set(word, value.encode("ascii", "backslashreplace"), MOST_STATIONS, 0.0)
        typer.echo(asyncio.run(inside()))
    except (BrokerUrlError, OptionError, SettingError) as error:
        fail(error, 2)
    except LiveError as error:
        fail(error)


async def change(client: LiveClient, word: str, value: str) -> str:
    """Set one thing and return what it is now, in words. LiveError: refused, or nobody answers."""
    import asyncio

    from gridglow.live_client import LiveError

    topics = client.topics
    retained = await client.retained(topics.led_config, topics.status("gateway"))
    status, config = _status(retained.get(topics.status("gateway"))), _config(retained.get(topics.led_config))
    if status is None or not status.online:
        raise LiveError("no gateway is at work there: is `gridglow up` running, or `python -m led_gateway`?")
    if config is None:
        raise LiveError(f"the gateway has no light yet: {status.problem or 'its configuration cannot be read'}")
    refused = status.refused
    await client.publish(topics.led_set(word), value.encode())
    try:
        async with asyncio.timeout(ANSWER_S):
            async for message in client.messages():
                if message.topic == topics.led_config:
                    config = _config(message.payload) or config
                if _is(word, value, config):
                    return _words(word, config)
                status = _status(message.payload) if message.topic == topics.status("gateway") else None
                if status is not None and status.refused > refused and status.refusal.startswith(f"led/set/{word}"):
                    raise LiveError(status.refusal.removeprefix("led/set/"))
    except TimeoutError:
        pass
    raise LiveError("the gateway does not answer")


def _config(payload: bytes | None) -> LedConfig | None:
    from emulation.live.topics import PayloadError
    from led_gateway.config_record import LedConfig

    try:
        return LedConfig.decode("led/config", payload) if payload else None
    except PayloadError:
        return None


def _status(payload: bytes | None) -> GatewayStatus | None:
    from emulation.live.topics import PayloadError
    from led_gateway.gateway_status import GatewayStatus

    try:
        return GatewayStatus.decode("status/gateway", payload) if payload else None
    except PayloadError:
        return None


def _is(word: str, value: str, config: LedConfig) -> bool:
    """Whether a setting has this value."""
    if word == "theme":
        return config.theme == value
    if word == "follow":
        return config.follow == (None if value == "off" else int(value))
    if word == "brightness":
        return config.brightness_permille == round(float(value) * 1000)
    if word == "fps":
        return config.fps == int(value)
    return config.hold == (0 if value == "off" else int(value))


def _words(word: str, config: LedConfig) -> str:
    """What a setting is, as a line."""
    if word == "theme":
        return f"theme {config.theme}"
    if word == "follow":
        return "everything is drawn" if config.follow is None else f"only station {config.follow} is drawn"
    if word == "brightness":
        return f"brightness {config.brightness_permille / 1000:g}"
    if word == "fps":
        return f"{config.fps} frames per second"
    return f"silent for {config.hold} s" if config.hold else "pictures are sent"
