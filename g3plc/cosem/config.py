"""What an operator may set of the COSEM application layer (IEC 62056-5-3, -6-2), both sides.

Neighbours: `server` and `client_session` read these; the applications in `nodes` and `coordinator` hand them in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from g3plc.wire.xdlms_initiate import CONFORMANCE_LN_NORMAL

WPORT_MANAGEMENT_CLIENT: Final = 1
WPORT_PUBLIC_CLIENT: Final = 16
WPORT_MANAGEMENT_DEVICE: Final = 1

SECOND_US: Final = 1_000_000
MAX_PDU: Final = 1224
"""Largest APDU in one IPv6 packet of 1280 octets: 40 of IPv6, 8 of UDP and 8 of the wrapper taken off."""


@dataclass(slots=True)
class ServerConfig:
    """A server's settings."""

    clients: tuple[int, ...] = (WPORT_MANAGEMENT_CLIENT, WPORT_PUBLIC_CLIENT)
    """Wrapper ports of the clients that may associate."""
    read_only_clients: tuple[int, ...] = ()
    """Those of them that may neither SET nor ACTION."""
    conformance: int = CONFORMANCE_LN_NORMAL
    """Our conformance block, 24 bits; an association gets what is proposed AND this."""
    max_receive_pdu: int = MAX_PDU
    """server-max-receive-pdu-size, octets; also the most that we send."""
    inactivity_us: int = 180 * SECOND_US
    """An association without any request for this long is aborted (inactivity_time_out of the TCP-UDP setup)."""
    answer_unconfirmed_get: bool = True
    """Answer a GET whose service-class bit says unconfirmed, as the paper's `C0 01 00` does."""
    max_associations: int = 8
    """Associations at a time; a further AARQ is rejected as transient."""


@dataclass(slots=True)
class ClientConfig:
    """A client's settings. All times are microseconds of emulated time."""

    client_wport: int = WPORT_PUBLIC_CLIENT
    server_wport: int = WPORT_MANAGEMENT_DEVICE
    conformance: int = CONFORMANCE_LN_NORMAL
    """Proposed conformance block, 24 bits."""
    max_receive_pdu: int = MAX_PDU
    """client-max-receive-pdu-size, octets."""
    invoke_flags: int = 0xC0
    """Upper bits of invoke-id-and-priority: 0x80 high priority, 0x40 confirmed."""
    fixed_invoke: int | None = None
    """The whole invoke-id-and-priority octet of every request, instead of flags and a fresh id (0x00: the paper's)."""
    tries: int = 4
    """Transmissions of an AARQ or request before the session is aborted."""
    release_tries: int = 2
    """Transmissions of the RLRQ."""
    answer_timeout_us: int = 15 * SECOND_US
    """Wait for the answer from the moment at which the datagram left (`sent` with SUCCESS), first try."""
    retry_pause_us: int = 2 * SECOND_US
    """Pause after a datagram that could not be sent (no route, no ack), first try."""
    backoff_percent: int = 200
    """Both of these times are multiplied by this for every further try."""
    max_wait_us: int = 60 * SECOND_US
    """Neither of them grows beyond this."""
    jitter_us: int = 0
    """A random 0..jitter_us - 1 added to both, if the session was given a generator."""
    confirm_timeout_us: int = 180 * SECOND_US
    """Wait for `sent` itself: queueing, route discovery and the first hop's retries happen in this time."""
    exchange_timeout_us: int = 600 * SECOND_US
    """Bound on one request and its answer, all tries included."""
