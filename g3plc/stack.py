"""A station: the whole stack wired together, and its face to the application (`sap.CosemPort`).

The only file that knows all layers. From the bottom: transceiver, MAC, adaptation layer with LOADng beside it,
UDP over IPv6, COSEM wrapper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from g3plc import events, sap
from g3plc.adp.config import AdpConfig
from g3plc.adp.layer import Adp
from g3plc.core.env import Env
from g3plc.core.errors import UsageError, WireError
from g3plc.core.flow import flow_tag
from g3plc.ip.udp_ip import UdpIp
from g3plc.loadng.config import LoadngConfig
from g3plc.loadng.layer import Loadng
from g3plc.loadng.profiles import profile
from g3plc.mac.config import MacConfig
from g3plc.mac.layer import Mac
from g3plc.phy.transceiver import Medium, Transceiver
from g3plc.wire import apdu as apdus
from g3plc.wire import cosem_wrapper

PAN_ID = 0x781D


class StationConfig:
    """What a station is built from: its short address, a parameter profile, and changes to it.

    `mac_changes` and `adp_changes` map attribute names (those of `MacConfig`, `AdpConfig` and `LoadngConfig`) to
    integers. UsageError names an attribute that does not exist.
    """

    __slots__ = ("adp", "loadng", "mac", "pan_id", "short", "tags")

    def __init__(
        self,
        short: int,
        profile_name: str,
        mac_changes: Mapping[str, int],
        adp_changes: Mapping[str, int],
        tags: bool = True,
        pan_id: int = PAN_ID,
    ) -> None:
        chosen = profile(profile_name)
        self.short = short
        self.pan_id = pan_id
        self.tags = tags
        routing = {field.name for field in fields(LoadngConfig)}
        addresses = {"mac_pan_id": pan_id, "mac_short_address": short}
        self.mac = _changed(MacConfig(), "mac", chosen.mac | dict(mac_changes) | addresses)
        self.loadng = _changed(
            LoadngConfig(), "adp", chosen.loadng | {name: adp_changes[name] for name in adp_changes if name in routing}
        )
        others = {name: adp_changes[name] for name in adp_changes if name not in routing}
        self.adp = _changed(AdpConfig(device_type=1 if short == 0 else 0), "adp", chosen.adp | others)


def _changed(config: Any, table: str, changes: Mapping[str, int]) -> Any:
    known = {field.name for field in fields(config)}
    for name in changes:
        if name not in known:
            raise UsageError(f"[{table}] {name}: unknown attribute; allowed: {', '.join(sorted(known))}")
    return replace(config, **changes)


class Station:
    """One life of a station. Set `application` before the first frame.

    `kept` is what `keep` gave at the end of an earlier life.
    """

    __slots__ = ("_adp", "_handle", "_loadng", "_mac", "_max_hops", "_udp", "application", "env", "phy")

    application: sap.CosemUser

    def __init__(
        self,
        env: Env,
        medium: Medium,
        config: StationConfig,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        known = kept or {}
        self.env = env
        self._handle = int(known.get("datagrams", 0))
        self.phy = Transceiver(env, medium, int(known.get("frame", 0)), config.tags)
        self._mac = Mac(env, self.phy, config.mac, known.get("mac"))
        self._adp = Adp(env, self._mac, config.short, config.pan_id, config.adp, known.get("adp"))
        self._loadng = Loadng(env, self._adp, config.short, config.loadng, known.get("loadng"))
        self._udp = UdpIp(env, self._adp, config.short, config.pan_id)
        self._adp.bind(self._loadng, self._udp)
        self._mac.user = self._adp
        self.phy.user = self._mac
        self._udp.bind(self)
        self._max_hops = config.loadng.max_hops

    def keep(self) -> dict[str, Any]:
        """What must outlive a reboot: numbers and counters of every layer."""
        return {
            "frame": self.phy.frame_number,
            "datagrams": self._handle,
            "mac": self._mac.keep(),
            "adp": self._adp.keep(),
            "loadng": self._loadng.keep(),
        }

    # -- sap.CosemPort

    def send(self, peer: int, src_wport: int, dst_wport: int, apdu: bytes, session: int = 0) -> int:
        """Send an APDU to station `peer`; the handle returned comes back in `sent`."""
        self._handle = handle = self._handle + 1
        kind = apdus.kind(apdu)
        flow = flow_tag(self.env.node, handle, kind)
        self.env.note(events.ApduSent, peer, src_wport, dst_wport, apdu, kind, flow, session)
        wpdu = cosem_wrapper.Wpdu(src_wport, dst_wport, apdu).encode()
        self._udp.datagram_request(peer, wpdu, handle, flow)
        return handle

    def discover(self, peer: int) -> None:
        """Look for a route to `peer`."""
        self._adp.adpm_route_discovery_request(peer, self._max_hops)

    def trace_path(self, peer: int) -> None:
        """Path discovery to `peer`."""
        self._adp.adpm_path_discovery_request(peer)

    def route(self, peer: int) -> sap.Route | None:
        """The valid bidirectional route to `peer`, or None."""
        return self._adp.route(peer)

    def routes(self) -> list[sap.Route]:
        """All valid bidirectional routes, by destination."""
        return self._adp.routes()

    def mac_get(self, attribute: int, index: int | None = 0) -> Any:
        """A MAC PIB attribute; of a table one row, or all with None. UsageError: unknown."""
        return self._mac.mlme_get(attribute, index)

    def adp_get(self, attribute: int, index: int = 0) -> Any:
        """An ADP PIB attribute. UsageError: unknown."""
        return self._adp.adpm_get(attribute, index)

    # -- sap.UdpUser

    def datagram_indication(self, peer: int, source_port: int, payload: bytes, lqi: int, flow: int) -> None:
        """A datagram on the COSEM port."""
        try:
            wpdu = cosem_wrapper.decode(payload)
        except WireError as error:
            self.env.note(events.Dropped, "cosem", error.reason, peer, len(payload))
            return
        kind = apdus.kind(wpdu.apdu)
        self.env.note(events.ApduReceived, peer, wpdu.source_wport, wpdu.destination_wport, wpdu.apdu, kind, flow, 0)
        self.application.received(peer, wpdu.source_wport, wpdu.destination_wport, wpdu.apdu, flow)

    def datagram_confirm(self, handle: int, status: int) -> None:
        """The datagram has left, or why not."""
        self.application.sent(handle, status)

    def route_discovery_confirm(self, peer: int, status: int) -> None:
        """Outcome of `discover`."""
        self.application.discovered(peer, status)

    def path_discovery_confirm(self, peer: int, status: int, hops: list[tuple[int, int]]) -> None:
        """Outcome of `trace_path`."""
        self.application.path_traced(peer, status, hops)

    def route_lost_indication(self, peer: int, reason: str) -> None:
        """A route in use broke."""
        self.application.route_lost(peer, reason)
