"""Commands as people type them: what is understood, what is refused and how, and that nothing breaks the reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.live.clock_command import ResetCommand, SpeedCommand, StepCommand
from emulation.live.command_text import MOST_OCTETS, CommandError, Envelope
from emulation.live.commands import VERBS, Bounds, Command, FaultCommand, LevelCommand, parse
from emulation.live.job_command import JobCommand
from emulation.live.replies import Asker

BOUNDS = Bounds(stations=49, leds=411)


def read(topic: str, payload: bytes | str) -> Command:
    octets = payload.encode() if isinstance(payload, str) else payload
    return parse(topic.split("/"), Envelope.read(f"gridglow/1/781d/cmd/{topic}", octets), BOUNDS)


def refusal(topic: str, payload: bytes | str) -> str:
    with pytest.raises(CommandError) as caught:
        read(topic, payload)
    return str(caught.value)


@pytest.mark.parametrize(
    ("topic", "payload", "where", "word", "value", "for_us"),
    [
        ("link/3-17", "down", "3-17", "down", 0, 0),
        ("link/17-3", "down for 30", "3-17", "down", 0, 30_000_000),
        ("link/3>17", "weak 20", "3>17", "weak", 20, 0),
        ("link/route 17", "down", "route 17", "down", 0, 0),
        ("link/route/17", "down", "route 17", "down", 0, 0),
        ("link/3-17", '{"word":"loss","value":50,"seconds":2.5}', "3-17", "loss", 50, 2_500_000),
        ("link/3-17", ' {"word":"loss 50"} ', "3-17", "loss", 50, 0),
        ("cable/212", "cut", "212", "cut", 0, 0),
        ("station/17", "off", "17", "off", 0, 0),
        ("noise/17", "30", "17", "noise", 30, 0),
        ("noise/17", '{"value":30}', "17", "noise", 30, 0),
        ("noise/17", "clear", "17", "clear", 0, 0),
        ("voltage/17", "198 for 20", "17", "voltage", 198, 20_000_000),
    ],
)
def test_faults(topic: str, payload: str, where: str, word: str, value: int, for_us: int) -> None:
    command = read(topic, payload)
    assert isinstance(command, FaultCommand)
    order = command.order
    assert (order.where, order.word, order.value, order.for_us) == (where, word, value, for_us)


def test_a_cable_may_take_the_power_with_it() -> None:
    command = read("cable/212", '{"word":"cut","power":true}')
    assert isinstance(command, FaultCommand)
    assert command.order.power
    assert "cable" in refusal("link/3-17", '{"word":"down","power":true}')


@pytest.mark.parametrize(
    ("topic", "payload", "verb", "station", "class_id", "obis", "attribute", "value"),
    [
        ("read/17", "", "read", 17, 3, "1.0.1.8.0.255", 2, ""),
        ("read/17", "1.0.32.7.0.255", "read", 17, 3, "1.0.32.7.0.255", 2, ""),
        ("read/17", "class=1 attribute=3", "read", 17, 1, "1.0.1.8.0.255", 3, ""),
        ("read/17", '{"class":1,"obis":"0.0.42.0.0.255"}', "read", 17, 1, "0.0.42.0.0.255", 2, ""),
        ("set/3", "unsigned:5", "set", 3, 3, "1.0.1.8.0.255", 2, "unsigned:5"),
        ("set/3", "class=8 value=visible-string:a b=c", "set", 3, 8, "1.0.1.8.0.255", 2, "visible-string:a b=c"),
        ("action/3", '{"class":70,"method":1,"value":"integer:0"}', "act", 3, 70, "1.0.1.8.0.255", 1, "integer:0"),
        ("discover/48", "", "discover", 48, 3, "1.0.1.8.0.255", 2, ""),
        ("collect", "{}", "collect", 0, 3, "1.0.1.8.0.255", 2, ""),
    ],
)
def test_jobs(
    topic: str, payload: str, verb: str, station: int, class_id: int, obis: str, attribute: int, value: str
) -> None:
    command = read(topic, payload)
    assert isinstance(command, JobCommand)
    order = command.order
    found = (order.verb, order.station, order.class_id, ".".join(map(str, order.obis)), order.attribute, order.value)
    assert found == (verb, station, class_id, obis, attribute, value)


def test_a_job_may_hold_its_association() -> None:
    command = read("read/17", '{"hold":2.5,"invoke_id":0}')
    assert isinstance(command, JobCommand)
    assert (command.order.hold_us, command.order.invoke_id_and_priority) == (2_500_000, 0)


@pytest.mark.parametrize(
    ("topic", "payload", "wanted"),
    [
        ("speed", "0", SpeedCommand(0)),
        ("speed", "0.05", SpeedCommand(50)),
        ("speed", "16", SpeedCommand(16_000)),
        ("speed", '{"value":0.25}', SpeedCommand(250)),
        ("speed", '{"value":"0.25"}', SpeedCommand(250)),
        ("speed", "auto", SpeedCommand(None)),
        ("speed", '{"word":"auto"}', SpeedCommand(None)),
        ("step", "1", StepCommand(1)),
        ("step", '{"value":1000000}', StepCommand(1_000_000)),
        ("reset", "", ResetCommand()),
        ("reset", '{"client":"me","id":1}', ResetCommand()),
        ("level/17", "debug", LevelCommand(17, "debug")),
        ("level/all", '{"word":"warning"}', LevelCommand(None, "warning")),
    ],
)
def test_clock_and_run(topic: str, payload: str, wanted: Command) -> None:
    assert read(topic, payload) == wanted


@pytest.mark.parametrize(
    ("topic", "payload", "wrong", "allowed"),
    [
        ("link/3-99", "down", "unknown station 99", "0 to 48"),
        ("link/3-3", "down", "no link to itself", ""),
        ("link/3-17", "cut", "'cut'", "down, up"),
        ("link/3-17", "weak", "weak", "1 to 100"),
        ("link/3-17", "up for 5", "ends a fault", ""),
        ("link/3-17", "", "a word is missing", "down"),
        ("link", "down", "expected two stations", ""),
        ("cable/0", "cut", "no such LED", "1 to 410"),
        ("voltage/17", "000000000500", "voltage", "0 to 400"),
        ("station/\u0661", "off", "unknown place", ""),
        ("read/0", "", "no meter", "1 to 48"),
        ("read/49", "", "no meter", "1 to 48"),
        ("read/17", "attribute=999", "attribute", "-128 to 127"),
        ("read/17", '{"value":"unsigned:5"}', "unknown key 'value'", "class, obis, attribute"),
        ("read/17", "obis=1.2.3", "obis", "six numbers"),
        ("read/17", "1.0.1.8.0.255 1.0.1.8.0.255", "twice", ""),
        ("set/17", "", "value is missing", "type:value"),
        ("set/17", "unsigned:256", "256", "0 to 255"),
        ("discover/17", "fast", "unknown key", ""),
        ("collect/17", "", "nothing follows", "cmd/collect"),
        ("speed", "17", "17", "0.05 to 16"),
        ("speed", "0.01", "0.01", "0.05 to 16"),
        ("speed", "1.0005", "1.0005", "steps of 0.001"),
        ("speed", "1e1", "1e1", "auto"),
        ("speed", '{"value":true}', "True is no number", ""),
        ("speed/now", "1", "nothing follows", "cmd/speed"),
        ("step", "0", "0", "1 to 3600000000"),
        ("step", "-5", "-5", "microseconds"),
        ("reset", "now", "no words", "empty payload"),
        ("level/17", "loud", "loud", "debug, info"),
        ("level/50", "debug", "no station", "all"),
        ("", "x", "unknown verb", "link"),
        ("explode/17", "x", "unknown verb 'explode'", "speed"),
    ],
)
def test_refusals_say_what_was_wrong_and_what_is_allowed(topic: str, payload: str, wrong: str, allowed: str) -> None:
    text = refusal(topic, payload)
    assert wrong in text
    assert allowed in text
    assert text.isascii()


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xfe", b"a" * (MOST_OCTETS + 1), b"\0" * 1_000_000, b"[" * 4000, b'{"a":' * 700, b"{", b"[]",
        b'{"value":NaN}',
        b'{"value":Infinity}', b'{"value":1e999}', b'{"value":' + b"9" * 4000 + b"}", b'{"word":["down"]}',
        b'{"word":null}', b'{"word":"down","word":"up"}', b'{"word":"\\ud800"}', b"down\x1b[2J", b'{"seconds":"5"}',
        b'{"client":"me"}', b'{"id":4}', b'{"client":"a/b","id":4}', b'{"client":"","id":4}',
        b'{"client":"me","id":[]}',
        b'{"client":"me","id":""}', b'{"client":1,"id":1}', b'{"client":"me","id":-1}', b'{"nonsense":1}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("topic", ["link/3-17", "read/17", "speed", "step", "reset", "collect", "level/17", "set/17"])
def test_garbage_is_refused(topic: str, payload: bytes) -> None:
    assert refusal(topic, payload)


def test_who_asks_is_known_even_where_the_rest_is_wrong() -> None:
    envelope = Envelope.read("cmd", b'{"word":"explode","client":"me","id":"x7"}')
    asker = Asker(envelope)
    assert (asker.client, asker.id) == ("me", "x7")
    reply = asker.refusal(CommandError("what; allowed: this, that"))
    assert (reply.to, reply.state, reply.detail, reply.allowed) == ("me", "refused", "what", "this, that")
    assert Asker(Envelope.read("cmd", b'{"client":"me","id":{}}')).reply("done").to == "all"


def test_long_payloads_are_quoted_in_part() -> None:
    quoted = Asker(Envelope.read("cmd", b"\xff" + b"x" * 1_000_000)).payload
    assert quoted.startswith("\\xff")
    assert len(quoted) < 300


@given(st.sampled_from([*VERBS, "", "x"]), st.lists(st.text(max_size=8), max_size=3), st.binary(max_size=200))
def test_no_octets_break_the_reader(verb: str, place: list[str], payload: bytes) -> None:
    envelope = Envelope.read("cmd", payload)
    try:
        parse([verb, *place], envelope, BOUNDS)
    except CommandError as error:
        json.dumps(str(error))


names = st.one_of(st.sampled_from(["word", "value", "seconds", "class", "obis", "client", "id"]), st.text())
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))


@given(
    st.sampled_from(VERBS),
    st.sampled_from(["17", "3-17", "212", "route 17", ""]),
    st.dictionaries(names, st.one_of(scalars, st.lists(scalars, max_size=2)), max_size=4),
)
def test_no_json_breaks_the_reader(verb: str, place: str, fields: dict[str, object]) -> None:
    try:
        parse([verb, place], Envelope.read("cmd", json.dumps(fields).encode()), BOUNDS)
    except CommandError as error:
        assert str(error)
