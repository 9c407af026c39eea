"""A PSDU said layer by layer, for people who watch: octets in, one short line for each layer out.

Every layer is read with the codec of `g3plc.wire` that the stations use. What a layer does not understand is said and
ends the list; nothing is guessed. Neighbours: `live_watch` (prints), `gridglow/wireshark` (the same for captures).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulation.observe.facts import obis_text, station_name
from g3plc.core.errors import WireError
from g3plc.wire import (
    acse,
    apdu,
    cosem_wrapper,
    frag,
    iphc,
    ipv6,
    lbp,
    loadng_msg,
    lowpan,
    mac_command,
    mac_frame,
    udp,
    xdlms,
)
from g3plc.wire.data_text import format_data

Line = tuple[str, str]
"""(layer, what it says)."""

_MOST_TEXT = 160


def dissect(psdu: bytes) -> list[Line]:
    """Return the lines of a PSDU, outermost layer first. Never raises."""
    lines: list[Line] = []
    try:
        _mac(psdu, lines)
    except WireError as error:
        lines.append(("-", f"not understood: {error.reason}"))
    return lines


def _mac(psdu: bytes, lines: list[Line]) -> None:
    frame = mac_frame.decode(psdu)
    flags = [
        text
        for wanted, text in (
            (frame.ack_request, "ACK wanted"),
            (frame.tmr, "tone map wanted"),
            (frame.cap, "high priority"),
            (frame.security_enabled, "secured"),
        )
        if wanted
    ]
    whole = frame.lsf and not frame.segment_number
    if not whole:
        flags.append(f"segment {frame.segment_number + 1}{', the last' if frame.lsf else ''}")
    kind = {0: "beacon", 1: "data", 3: "command"}[frame.frame_type]
    tail = f" ({', '.join(flags)})" if flags else ""
    way = f"{_address(frame.src)} to {_address(frame.dst)}"
    lines.append(("mac", f"{kind} {frame.dsn}, {way}, {len(frame.payload)} octets{tail}"))
    if frame.security_enabled or not whole:
        return
    if frame.frame_type == mac_frame.FRAME_COMMAND:
        lines.append(("mac", _command(mac_command.decode(frame.payload))))
    elif frame.frame_type == mac_frame.FRAME_BEACON:
        lines.append(("mac", f"beacon, route cost {mac_command.decode_beacon(frame.payload).rc_coord}"))
    else:
        _adp(frame, lines)


def _command(command: mac_command.Command) -> str:
    if isinstance(command, mac_command.ToneMapResponse):
        return f"tone map response: modulation {command.modulation}, tone map {command.tone_map:02X}, LQI {command.lqi}"
    return "beacon request"


def _adp(frame: mac_frame.MacFrame, lines: list[Line]) -> None:
    msdu = frame.payload
    mesh, bc0, at = lowpan.split(msdu)
    source, destination = frame.src, frame.dst
    if mesh is not None:
        source, destination = mesh.originator, mesh.destination
        way = f"{station_name(source)} to {station_name(destination)}"
        lines.append(("adp", f"mesh header, {way}, {_hops(mesh.hops_left)} left"))
    if bc0 is not None:
        lines.append(("adp", f"broadcast {bc0.sequence}"))
    kind = lowpan.KINDS[msdu[at]]
    if kind == lowpan.KIND_ESC:
        _escaped(msdu, at, lines)
        return
    size = None
    if kind in (lowpan.KIND_FRAG1, lowpan.KIND_FRAGN):
        header, behind = frag.decode(msdu, at)
        offset = header.offset if isinstance(header, frag.FragN) else 0
        lines.append(("adp", f"fragment of datagram {header.tag}: from octet {offset} of {header.size}"))
        at = behind
        if isinstance(header, frag.FragN) or lowpan.KINDS[msdu[at]] != lowpan.KIND_IPHC:
            return
        size = header.size
    if isinstance(source, int) and isinstance(destination, int) and frame.dst_pan is not None:
        packet = msdu[at + 1 :]
        if lowpan.KINDS[msdu[at]] == lowpan.KIND_IPHC:
            packet = iphc.decompress(msdu[at:], frame.dst_pan, source, destination, datagram_size=size)
        _ip(packet, frame.dst_pan, lines)


def _escaped(msdu: bytes, at: int, lines: list[Line]) -> None:
    if lowpan.command_id(msdu, at) == lowpan.COMMAND_LBP:
        message = lbp.decode(msdu[at:])
        lines.append(("adp", f"LBP code {message.code:X} of device {message.eui64.hex()}"))
    else:
        lines.append(("loadng", _loadng(loadng_msg.decode(msdu[at:]))))


def _loadng(message: loadng_msg.Message) -> str:
    name = _LOADNG[type(message)]
    way = f"{station_name(message.originator)} to {station_name(message.destination)}"
    if isinstance(message, loadng_msg.Rreq | loadng_msg.Rrep):
        flags = ", repair" if message.route_repair else ""
        weak = f", {message.weak_link_count} weak" if message.weak_link_count else ""
        return (
            f"{name} {message.sequence_number}, {way}, cost {message.route_cost} over {_hops(message.hop_count)}"
            f"{weak}, {_hops(message.hop_limit)} left{flags}"
        )
    if isinstance(message, loadng_msg.Rerr):
        return f"{name}, {way}: {station_name(message.unreachable)} cannot be reached (code {message.error_code})"
    if isinstance(message, loadng_msg.Preq | loadng_msg.Prep):
        path = ", ".join(f"{station_name(hop.address)} ({hop.link_cost})" for hop in message.hops)
        return f"{name}, {way}, path: {path or 'empty'}"
    return f"{name}, {way}"


_LOADNG: dict[type, str] = {
    loadng_msg.Rreq: "RREQ",
    loadng_msg.Rrep: "RREP",
    loadng_msg.Rerr: "RERR",
    loadng_msg.RrepAck: "RREP_ACK",
    loadng_msg.Preq: "PREQ",
    loadng_msg.Prep: "PREP",
    loadng_msg.RlcReq: "RLCREQ",
    loadng_msg.RlcRep: "RLCREP",
}


def _ip(packet: bytes, pan: int, lines: list[Line]) -> None:
    if len(packet) < ipv6.HEADER_OCTETS:
        raise WireError("ipv6 header")
    _, length, next_header, hop_limit, source, destination = ipv6.HEADER.unpack_from(packet)
    way = f"{_host(source, pan)} to {_host(destination, pan)}"
    lines.append(("ip", f"IPv6, {way}, hop limit {hop_limit}, {length} octets"))
    datagram = packet[ipv6.HEADER_OCTETS :]
    if next_header != ipv6.NEXT_HEADER_UDP:
        return
    if length > len(datagram):
        lines.append(("ip", "UDP, the rest comes in further fragments"))
        return
    found = udp.parse(source, destination, datagram)
    lines.append(("ip", f"UDP, port {found.source_port} to {found.destination_port}, {len(found.payload)} octets"))
    wpdu = cosem_wrapper.decode(found.payload)
    octets = len(wpdu.apdu)
    lines.append(("cosem", f"wrapper, wPort {wpdu.source_wport} to {wpdu.destination_wport}, {octets} octets"))
    lines.append(("cosem", _apdu(wpdu.apdu)))


def _apdu(octets: bytes) -> str:
    message: Any = apdu.decode(octets)
    name = apdu.KIND_NAMES.get(octets[0], "APDU")
    say = _SAYINGS.get(type(message))
    text = f"{name}{say(message) if say is not None else ''}"
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "..."


def _object(message: Any) -> str:
    member = getattr(message, "attribute_id", None)
    which = f"attribute {member}" if member is not None else f"method {message.method_id}"
    return f" class {message.class_id}, {obis_text(message.instance_id)}, {which}"


def _got(message: xdlms.GetResponseNormal) -> str:
    return f" {format_data(message.data)}" if message.data is not None else f" refused, result {message.result}"


def _result(message: Any) -> str:
    return " success" if message.result == xdlms.SUCCESS else f" refused, result {message.result}"


_SAYINGS: dict[type, Callable[[Any], str]] = {
    xdlms.GetRequestNormal: _object,
    xdlms.SetRequestNormal: lambda message: f"{_object(message)}: {format_data(message.value)}",
    xdlms.ActionRequestNormal: _object,
    xdlms.EventNotification: lambda message: f"{_object(message)}: {format_data(message.value)}",
    xdlms.GetResponseNormal: _got,
    xdlms.SetResponseNormal: _result,
    xdlms.ActionResponseNormal: _result,
    acse.Aare: lambda message: " accepted" if message.result == acse.ACCEPTED else f" refused, result {message.result}",
}


def _address(address: mac_frame.Address) -> str:
    if isinstance(address, int):
        return station_name(address)
    return address.hex() if address is not None else "nobody"


def _host(address: bytes, pan: int) -> str:
    short = ipv6.short_of(address, pan)
    return station_name(short) if short is not None else address.hex()


def _hops(count: int) -> str:
    return f"{count} hop{'' if count == 1 else 's'}"
