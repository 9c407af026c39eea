"""MAC commands and beacon payload."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import mac_command, mac_frame
from g3plc.wire.mac_command import Beacon, BeaconRequest, ToneMapResponse

OCTET = st.integers(0, 255)
RESPONSES = st.builds(
    ToneMapResponse,
    modulation=st.integers(0, 3),
    tone_map=st.integers(1, 63),
    lqi=OCTET,
    coherent=st.booleans(),
    tx_gain=st.integers(0, 15),
    tx_res=st.booleans(),
    tx_coef=st.binary(min_size=6, max_size=6),
)


def test_tone_map_response_packing() -> None:
    octets = bytes.fromhex("0a ab bd 58 010203040506")
    response = ToneMapResponse(3, 0x3D, 0x58, True, 5, True, bytes(range(1, 7)))
    assert mac_command.decode(octets) == response
    assert response.encode() == octets


def test_beacon_of_the_coordinator_and_of_a_device() -> None:
    assert Beacon(0, pan_coordinator=True).encode() == bytes.fromhex("ffcf 00 00 0000")
    assert Beacon(0x7FFF, association_permit=False).encode() == bytes.fromhex("ff0f 00 00 ff7f")
    psdu = mac_frame.MacFrame(0, 1, None, None, 0x781D, 0, Beacon(0).encode()).encode()
    assert len(psdu) == 18
    assert mac_command.decode_beacon(mac_frame.decode(psdu).payload) == Beacon(0)


def test_beacon_request() -> None:
    assert mac_command.decode(BeaconRequest().encode()) == BeaconRequest()


@given(RESPONSES)
def test_tone_map_response_round_trip_and_truncation(response: ToneMapResponse) -> None:
    octets = response.encode()
    assert mac_command.decode(octets) == response
    for end in range(len(octets)):
        with pytest.raises(WireError):
            mac_command.decode(octets[:end])
    with pytest.raises(WireError):
        mac_command.decode(octets + b"\0")


@given(st.integers(0, 0xFFFF), st.booleans(), st.booleans())
def test_beacon_round_trip_and_truncation(rc_coord: int, coordinator: bool, permit: bool) -> None:
    octets = Beacon(rc_coord, coordinator, permit).encode()
    assert mac_command.decode_beacon(octets) == Beacon(rc_coord, coordinator, permit)
    for end in range(len(octets)):
        with pytest.raises(WireError):
            mac_command.decode_beacon(octets[:end])
    with pytest.raises(WireError):
        mac_command.decode_beacon(octets + b"\0")


@given(st.sampled_from([b"", b"\x07", b"\x0a"]), st.binary(max_size=12))
def test_any_octets_decode_exactly_or_are_refused(head: bytes, tail: bytes) -> None:
    for decode in (mac_command.decode, mac_command.decode_beacon):
        try:
            message = decode(head + tail)
        except WireError:
            continue
        assert message.encode() == head + tail


@pytest.mark.parametrize("octets", ["0a043f00000000000000", "0a030000000000000000", "0a034100000000000000", "08", ""])
def test_reserved_values_are_refused(octets: str) -> None:
    with pytest.raises(WireError):
        mac_command.decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "message",
    [
        ToneMapResponse(4, 1, 0),
        ToneMapResponse(0, 0, 0),
        ToneMapResponse(0, 64, 0),
        ToneMapResponse(0, 1, 256),
        ToneMapResponse(0, 1, 0, tx_gain=16),
        ToneMapResponse(0, 1, 0, tx_coef=b""),
        Beacon(0x10000),
    ],
)
def test_out_of_range_is_a_usage_error(message: ToneMapResponse | Beacon) -> None:
    with pytest.raises(UsageError):
        message.encode()
