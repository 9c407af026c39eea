"""Mesh, broadcast, command and fragment headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import frag, lowpan
from g3plc.wire.frag import Frag1, FragN
from g3plc.wire.lowpan import Bc0, Mesh

U16 = st.integers(0, 0xFFFF)
MESHES = st.builds(Mesh, st.integers(0, 255), U16, U16)
RESTS = st.sampled_from([b"\x40\x01\x02", b"\x41", b"\x60\x00", b"\x7f", b"\xc0\x10\x00\x01", b"\xe7"])


def test_mesh_and_broadcast_vectors() -> None:
    msdu = bytes.fromhex("b8 0007 8001 50 2a 7e33")
    assert lowpan.split(msdu) == (Mesh(8, 7, 0x8001), Bc0(0x2A), 7)
    assert Mesh(8, 7, 0x8001).encode() + Bc0(0x2A).encode() == msdu[:7]
    assert lowpan.with_hops_left(msdu, 7) == b"\xb7" + msdu[1:]


def test_deep_hops_left_is_one_octet_longer() -> None:
    assert Mesh(14, 1, 2).encode().hex() == "be00010002"
    assert Mesh(15, 1, 2).encode().hex() == "bf0f00010002"
    msdu = bytes.fromhex("bf 0f 0001 0002 41")
    assert lowpan.split(msdu) == (Mesh(15, 1, 2), None, 6)
    assert lowpan.with_hops_left(msdu, 14).hex() == "be0001000241"
    assert lowpan.with_hops_left(b"\xbe" + msdu[2:], 20).hex() == "bf140001000241"


def test_kinds_of_dispatch() -> None:
    expected = {0x40: lowpan.KIND_ESC, 0x41: lowpan.KIND_IPV6}
    expected |= dict.fromkeys(range(0x60, 0x80), lowpan.KIND_IPHC)
    expected |= dict.fromkeys(range(0xC0, 0xC8), lowpan.KIND_FRAG1)
    expected |= dict.fromkeys(range(0xE0, 0xE8), lowpan.KIND_FRAGN)
    assert [lowpan.KINDS[octet] for octet in range(256)] == [expected.get(octet, 0) for octet in range(256)]


@given(st.none() | MESHES, st.none() | st.builds(Bc0, st.integers(0, 255)), RESTS)
def test_split_finds_what_was_stacked(mesh: Mesh | None, bc0: Bc0 | None, rest: bytes) -> None:
    headers = (mesh.encode() if mesh else b"") + (bc0.encode() if bc0 else b"")
    assert lowpan.split(headers + rest) == (mesh, bc0, len(headers))
    for end in range(len(headers) + 1):
        with pytest.raises(WireError):
            lowpan.split((headers + rest)[:end])


@given(MESHES, st.integers(0, 255), RESTS)
def test_forwarding_changes_only_the_hops(mesh: Mesh, hops_left: int, rest: bytes) -> None:
    changed = lowpan.with_hops_left(mesh.encode() + rest, hops_left)
    found, _, at = lowpan.split(changed)
    assert found == Mesh(hops_left, mesh.originator, mesh.destination)
    assert changed[at:] == rest


@given(st.binary(max_size=24))
def test_any_octets_split_or_are_refused(msdu: bytes) -> None:
    try:
        _, _, at = lowpan.split(msdu)
    except WireError:
        return
    assert lowpan.KINDS[msdu[at]]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("", "no payload"),
        ("00", "dispatch"),
        ("42", "dispatch"),
        ("80000000000000000000000041", "mesh address mode"),
        ("a0000000000000000000000041", "mesh address mode"),
        ("b8000000", "mesh header"),
        ("bf0000000000", "no payload"),
        ("50", "broadcast header"),
        ("b800010002b80001000241", "dispatch"),
        ("5001500241", "dispatch"),
    ],
)
def test_refused_stacks(octets: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        lowpan.split(bytes.fromhex(octets))


def test_command_id() -> None:
    assert lowpan.command_id(b"\x40\x01", 0) == lowpan.COMMAND_LOADNG
    assert lowpan.command_id(b"\xff\x40\x02", 1) == lowpan.COMMAND_LBP
    for octets in (b"", b"\x40", b"\x40\x03", b"\x41\x01"):
        with pytest.raises(WireError):
            lowpan.command_id(octets, 0)


def test_fragment_vectors() -> None:
    assert Frag1(0x3E8, 0x1234).encode().hex() == "c3e81234"
    assert FragN(0x3E8, 0x1234, 0x60).encode().hex() == "e3e812340c"
    assert frag.decode(bytes.fromhex("ff c3e81234 7e"), 1) == (Frag1(0x3E8, 0x1234), 5)
    assert frag.decode(bytes.fromhex("e3e812340c ff"), 0) == (FragN(0x3E8, 0x1234, 0x60), 5)


@given(st.integers(1, 2047), U16, st.integers(0, 255), st.binary(min_size=1, max_size=9))
def test_fragment_round_trip(size: int, tag: int, units: int, payload: bytes) -> None:
    offset = units * 8
    header: Frag1 | FragN = Frag1(size, tag)
    if offset > 0 and offset + len(payload) <= size:
        header = FragN(size, tag, offset)
    octets = header.encode()
    assert frag.decode(octets + payload, 0) == (header, len(octets))
    assert lowpan.KINDS[octets[0]] == (lowpan.KIND_FRAG1 if isinstance(header, Frag1) else lowpan.KIND_FRAGN)
    for end in range(len(octets) + 1):
        with pytest.raises(WireError):
            frag.decode((octets + payload)[:end], 0)


@given(st.sampled_from([0xC0, 0xE0, 0x60]), st.binary(max_size=16))
def test_any_octets_are_a_fragment_or_refused(first: int, tail: bytes) -> None:
    octets = bytes((first,)) + tail
    try:
        header, at = frag.decode(octets, 0)
    except WireError:
        return
    assert header.encode() == octets[:at]


@pytest.mark.parametrize(
    "octets", ["c000123411", "e3e8123400ff", "e010123402ff", "e01012340111ffffffffffffffff", "800012345678"]
)
def test_refused_fragments(octets: str) -> None:
    with pytest.raises(WireError):
        frag.decode(bytes.fromhex(octets), 0)


@pytest.mark.parametrize(
    "header",
    [
        Mesh(256, 0, 0),
        Mesh(-1, 0, 0),
        Mesh(1, 0x10000, 0),
        Bc0(256),
        Frag1(0, 0),
        Frag1(2048, 0),
        Frag1(1, 0x10000),
        FragN(100, 0, 0),
        FragN(100, 0, 4),
        FragN(100, 0, 104),
    ],
)
def test_out_of_range_is_a_usage_error(header: Mesh | Bc0 | Frag1 | FragN) -> None:
    with pytest.raises(UsageError):
        header.encode()


def test_no_mesh_header_to_forward() -> None:
    with pytest.raises(UsageError):
        lowpan.with_hops_left(b"\x41", 3)
