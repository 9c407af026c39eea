"""Header compression: vectors both ways, every mode, smallest form, hostile octets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g3plc.core.errors import UsageError, WireError
from g3plc.wire import iphc, ipv6, udp
from g3plc.wire.iphc import Context

PAN = 0x781D
A = ipv6.link_local(PAN, 0)
B = ipv6.link_local(PAN, 7)
EUI = bytes.fromhex("0022334455667788")
ULA = bytes.fromhex("fd00000000000001")
ULA2 = bytes.fromhex("fd00000000000002")
CONTEXTS = {
    0: Context(ULA + bytes(8), 64),
    3: Context(ULA2 + bytes(8), 64),
    5: Context(bytes.fromhex("20010db8") + bytes(12), 32),
    9: Context(ULA + ipv6.interface_id(PAN, 0), 112),
    15: Context(bytes.fromhex("20010db8 0000 0000 0123 4567 89ab cdef"), 128),
}


def packet(source: bytes, destination: bytes, sport: int = 4059, dport: int = 4059, **fields: int) -> bytes:
    datagram = udp.pack(source, destination, sport, dport, b"data")
    return ipv6.pack(source, destination, 17, datagram, **fields)


def inflate(octets: str, **kwargs: object) -> bytes:
    return iphc.decompress(bytes.fromhex(octets), PAN, 0, 7, **kwargs)  # type: ignore[arg-type]


def checked(whole: bytes, source: iphc.LinkAddress = 0, destination: iphc.LinkAddress = 7) -> bytes:
    """Compress, check that it comes back, and return the compressed header."""
    small = iphc.compress(whole, PAN, source, destination, CONTEXTS)
    assert iphc.decompress(small, PAN, source, destination, CONTEXTS) == whole
    head, taken = iphc.compress_header(whole, PAN, source, destination, CONTEXTS)
    assert head + whole[taken:] == small
    return head


def test_link_local_elided_is_nine_octets() -> None:
    whole = packet(A, B)
    checksum = whole[46:48].hex()
    assert checked(whole).hex() == "7e33" + "f0" + "0fdb0fdb" + checksum
    assert len(checked(packet(A, B, 61616, 61617))) == 6


@pytest.mark.parametrize(
    ("sport", "dport", "expected"),
    [
        (4059, 4059, "f00fdb0fdb"),
        (4059, 0xF0AA, "f10fdbaa"),
        (0xF0AA, 4059, "f2aa0fdb"),
        (0xF0B1, 0xF0BF, "f31f"),
        (0xF0B1, 0xF0C0, "f1f0b1c0"),
    ],
)
def test_udp_port_modes(sport: int, dport: int, expected: str) -> None:
    head = checked(packet(A, B, sport, dport))
    assert head[2:-2].hex() == expected


@pytest.mark.parametrize(
    ("traffic_class", "flow_label", "mode", "expected"),
    [
        (0, 0, 3, ""),
        (0b10110001, 0, 2, "6c"),
        (0b00000010, 0xABCDE, 1, "8abcde"),
        (0, 1, 1, "000001"),
        (0b10110001, 0xABCDE, 0, "6c0abcde"),
    ],
)
def test_traffic_class_modes(traffic_class: int, flow_label: int, mode: int, expected: str) -> None:
    head = checked(packet(A, B, traffic_class=traffic_class, flow_label=flow_label))
    assert head[0] >> 3 & 3 == mode
    assert head[2:-7].hex() == expected


@pytest.mark.parametrize(("hop_limit", "mode", "expected"), [(1, 1, ""), (64, 2, ""), (255, 3, ""), (7, 0, "07")])
def test_hop_limit_modes(hop_limit: int, mode: int, expected: str) -> None:
    head = checked(packet(A, B, hop_limit=hop_limit))
    assert head[0] & 3 == mode
    assert head[2:-7].hex() == expected


GLOBAL = bytes.fromhex("2a0012345678000000000000deadbeef")


@pytest.mark.parametrize(
    ("source", "modes", "expected"),
    [
        (A, "33", ""),
        (ipv6.link_local(PAN, 9), "23", "0009"),
        (ipv6.LINK_LOCAL_PREFIX + EUI, "13", EUI.hex()),
        (GLOBAL, "03", GLOBAL.hex()),
        (ipv6.UNSPECIFIED, "43", ""),
        (ULA + A[8:], "73", ""),
        (ULA + ipv6.interface_id(PAN, 9), "63", "0009"),
        (ULA + EUI, "53", EUI.hex()),
        (ULA2 + A[8:], "f330", ""),
        (bytes.fromhex("20010db800000000") + EUI, "d350", EUI.hex()),
        (bytes.fromhex("20010db8000000000123456789abcdef"), "f3f0", ""),
    ],
)
def test_source_modes(source: bytes, modes: str, expected: str) -> None:
    head = checked(packet(source, B))
    assert head[1:-7].hex() == modes + expected


@pytest.mark.parametrize(
    ("destination", "modes", "expected"),
    [
        (ipv6.link_local(PAN, 9), "32", "0009"),
        (ipv6.LINK_LOCAL_PREFIX + EUI, "31", EUI.hex()),
        (GLOBAL, "30", GLOBAL.hex()),
        (ULA + B[8:], "37", ""),
        (ULA2 + ipv6.interface_id(PAN, 9), "b603", "0009"),
        (ULA2 + EUI, "b503", EUI.hex()),
        (ipv6.ALL_NODES, "3b", "01"),
        (bytes.fromhex("ff0500000000000000000000000102fb"), "3a", "050102fb"),
        (bytes.fromhex("ff0500000000000000000001020304fb"), "39", "0501020304fb"),
        (bytes.fromhex("ff0500000000000000000501020304fb"), "38", "ff0500000000000000000501020304fb"),
        (bytes.fromhex("ff350040fd00000000000002deadbeef"), "bc03", "3500deadbeef"),
        (bytes.fromhex("ff35002020010db800000000deadbeef"), "bc05", "3500deadbeef"),
    ],
)
def test_destination_modes(destination: bytes, modes: str, expected: str) -> None:
    head = checked(packet(A, destination))
    assert head[1:-7].hex() == modes + expected


def test_the_pair_of_contexts_is_chosen_together() -> None:
    """One context octet pays for both sides; context 0 costs none, so it wins over a longer context."""
    assert checked(packet(ULA2 + A[8:], ULA2 + B[8:]))[:3].hex() == "7ef733"
    assert checked(packet(ULA + A[8:], ULA2 + B[8:]))[:3].hex() == "7ef703"
    assert checked(packet(ULA + A[8:], ULA + B[8:]))[:2].hex() == "7e77"


def test_extended_link_addresses_flip_the_universal_bit() -> None:
    source = ipv6.LINK_LOCAL_PREFIX + bytes((EUI[0] ^ 2,)) + EUI[1:]
    assert checked(packet(source, B), source=EUI)[1] == 0x33


def test_unknown_link_addresses_send_the_short_address() -> None:
    assert checked(packet(A, B), None, None)[1:6].hex() == "2200000007"
    with pytest.raises(WireError, match="iphc link address"):
        iphc.decompress(bytes.fromhex("7e33f00fdb0fdb0000"), PAN, None, 7)


def test_next_header_other_than_udp_is_inline() -> None:
    assert checked(ipv6.pack(A, B, 58, b"ping")).hex() == "7a333a"
    assert checked(ipv6.pack(A, B, 17, b"short")).hex() == "7a3311"
    lying = packet(A, B)
    lying = lying[:44] + b"\0\0" + lying[46:]
    assert checked(lying).hex() == "7a3311"


def test_first_fragment_takes_its_lengths_from_the_datagram_size() -> None:
    whole = packet(A, B)
    small = iphc.compress(whole, PAN, 0, 7)
    assert iphc.decompress(small[:-2], PAN, 0, 7, None, len(whole)) == whole[:-2]
    assert iphc.decompress(small, PAN, 0, 7, None, len(whole)) == whole
    for wrong in (len(whole) - 1, 0, 39, 65536 + 40):
        with pytest.raises(WireError, match="iphc length"):
            iphc.decompress(small, PAN, 0, 7, None, wrong)
    ping = ipv6.pack(A, B, 58, b"ping")
    assert iphc.decompress(iphc.compress(ping, PAN, 0, 7)[:-1], PAN, 0, 7, None, 44) == ping[:-1]


def test_context_octet_without_use_is_accepted() -> None:
    assert inflate("7ab3003a") == inflate("7a333a") == ipv6.pack(A, B, 58, b"")


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("", "iphc dispatch"),
        ("41", "iphc dispatch"),
        ("8033", "iphc dispatch"),
        ("7e", "iphc header"),
        ("7a343a" + "00" * 16, "iphc reserved"),
        ("7a3d3a" + "00" * 16, "iphc reserved"),
        ("7a3e3a" + "00" * 16, "iphc reserved"),
        ("7a3f3a" + "00" * 16, "iphc reserved"),
        ("7af3103a", "iphc context"),
        ("7ab7013a", "iphc context"),
        ("7abc0f3a" + "00" * 6, "iphc context"),
        ("7e33", "iphc header"),
        ("7e33e0", "iphc next header"),
        ("7e33f8" + "00" * 8, "iphc next header"),
        ("7e33f40fdb0fdb0000", "udp checksum elided"),
        ("7e33f00fdb0fdb00", "iphc header"),
    ],
)
def test_refusals(octets: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        inflate(octets, contexts=CONTEXTS)


def test_no_contexts_at_all() -> None:
    with pytest.raises(WireError, match="iphc context"):
        inflate("7a733a")


ADDRESSES = st.one_of(
    st.sampled_from([A, B, ipv6.UNSPECIFIED, ipv6.ALL_NODES, GLOBAL, CONTEXTS[15].prefix, CONTEXTS[9].prefix]),
    st.builds(
        lambda prefix, iid: prefix + iid,
        st.sampled_from([ipv6.LINK_LOCAL_PREFIX, ULA, ULA2, bytes.fromhex("20010db800000000"), bytes(8)]),
        st.sampled_from([A[8:], B[8:], EUI, ipv6.interface_id(PAN, 9), bytes(8)]) | st.binary(min_size=8, max_size=8),
    ),
    st.builds(
        lambda scope, group: b"\xff" + bytes((scope,)) + group.rjust(14, b"\0"),
        st.sampled_from([0x02, 0x05, 0x35]),
        st.binary(min_size=1, max_size=14),
    ),
    st.builds(
        lambda tail, context: b"\xff\x35\0" + bytes((context.length,)) + context.prefix[:8] + tail,
        st.binary(min_size=4, max_size=4),
        st.sampled_from([CONTEXTS[0], CONTEXTS[3], CONTEXTS[5]]),
    ),
    st.binary(min_size=16, max_size=16),
)
LINKS = st.sampled_from([None, 0, 7, 9, EUI])


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    source, destination = draw(ADDRESSES), draw(ADDRESSES)
    fields = {
        "hop_limit": draw(st.sampled_from([0, 1, 64, 255, 7])),
        "traffic_class": draw(st.sampled_from([0, 1, 4]) | st.integers(0, 255)),
        "flow_label": draw(st.just(0) | st.integers(0, 0xFFFFF)),
    }
    ports = st.sampled_from([4059, 0xF0B0, 0xF0BF, 0xF000, 0xF0FF]) | st.integers(0, 0xFFFF)
    if draw(st.booleans()):
        datagram = udp.pack(source, destination, draw(ports), draw(ports), draw(st.binary(max_size=20)))
        return ipv6.pack(source, destination, 17, datagram, **fields)
    return ipv6.pack(source, destination, draw(st.integers(0, 255)), draw(st.binary(max_size=20)), **fields)


@given(packets(), LINKS, LINKS)
def test_round_trip(whole: bytes, source: iphc.LinkAddress, destination: iphc.LinkAddress) -> None:
    head = checked(whole, source, destination)
    for end in range(len(head)):
        with pytest.raises(WireError):
            iphc.decompress(head[:end], PAN, source, destination, CONTEXTS)


def shortest_addresses(whole: bytes, source: iphc.LinkAddress, destination: iphc.LinkAddress) -> int:
    """Try every second octet, context pair and plausible inline part; return the fewest octets that come back."""
    a, b = whole[8:24], whole[24:40]
    sizes = (16, 8, 2, 0)
    best = 99
    for modes in range(256):
        n_source = 0 if modes & 0x70 == 0x40 else sizes[modes >> 4 & 3]
        n = (6 if modes & 4 else (16, 6, 4, 1)[modes & 3]) if modes & 8 else sizes[modes & 3]
        inlines = {b[16 - n :]}
        if modes & 8 and n > 1:
            inlines |= {b[1:2] + b[17 - n :], b[1:3] + b[18 - n :]}
        cids = [bytes((s << 4 | d,)) for s in CONTEXTS for d in CONTEXTS] if modes & 0x80 else [b""]
        total = n_source + n + len(cids[0])
        if total >= best:
            continue
        for cid in cids:
            for inline in inlines:
                octets = bytes((0x60, modes)) + cid + whole[:4] + whole[6:8] + a[16 - n_source :] + inline
                try:
                    found = iphc.decompress(octets, PAN, source, destination, CONTEXTS)
                except WireError:
                    continue
                if found[8:40] == whole[8:40]:
                    best = min(best, total)
    return best


@settings(max_examples=60, deadline=None)
@given(ADDRESSES, ADDRESSES, LINKS, LINKS)
def test_no_shorter_form_of_the_addresses_exists(
    a: bytes, b: bytes, source: iphc.LinkAddress, destination: iphc.LinkAddress
) -> None:
    whole = ipv6.pack(a, b, 59, b"")
    assert len(checked(whole, source, destination)) == 3 + shortest_addresses(whole, source, destination)


@given(st.integers(0x60, 0x7F), st.binary(max_size=48), LINKS, LINKS)
def test_any_octets_decode_or_are_refused(
    first: int, tail: bytes, source: iphc.LinkAddress, destination: iphc.LinkAddress
) -> None:
    try:
        whole = iphc.decompress(bytes((first,)) + tail, PAN, source, destination, CONTEXTS)
    except WireError:
        return
    ipv6.parse(whole)
    assert len(checked(whole, source, destination)) <= 1 + len(tail)


@pytest.mark.parametrize("octets", [b"", bytes(40), b"\x60" + bytes(40)])
def test_not_a_packet_is_a_usage_error(octets: bytes) -> None:
    with pytest.raises(UsageError):
        iphc.compress(octets, PAN, 0, 7)


def test_bad_context_or_link_address_is_a_usage_error() -> None:
    for prefix, length in ((bytes(15), 64), (bytes(16), 0), (bytes(16), 129)):
        with pytest.raises(UsageError):
            Context(prefix, length)
    with pytest.raises(UsageError):
        iphc.compress(packet(A, B), PAN, b"short", 7)


def test_context_bits_beyond_the_length_count_as_zero() -> None:
    assert Context(b"\xff" * 16, 12).prefix == b"\xff\xf0" + bytes(14)
