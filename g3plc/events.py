"""The closed list of trace events: what the observers see, and all that they see.

Every event is a named tuple whose first two fields are the emulated time in microseconds and the station (0 the
coordinator, 1.. the meters). Fields are integers, octets and ASCII strings only, so that every record has one
canonical form. Light, logs, captures, diagrams and numbers are made from these and nothing else.

`frame` numbers a station's transmissions; `flow` is the tag of `core.flow`, and `kind` its message kind.
"""

from __future__ import annotations

from typing import NamedTuple


class TxStart(NamedTuple):
    """A transmission starts. `dt`: 0 no ACK wanted, 1 ACK wanted, 2 ACK, 3 NACK. `next_hop`: short address, 65535 all.

    `attempt` counts from 0. For ACK and NACK `psdu` is empty and `next_hop` is the station being answered.
    """

    t: int
    node: int
    frame: int
    psdu: bytes
    modulation: int
    tone_map: int
    dt: int
    duration_us: int
    next_hop: int
    attempt: int
    kind: int
    flow: int


class TxEnd(NamedTuple):
    """The transmission is over."""

    t: int
    node: int
    frame: int


class RxOk(NamedTuple):
    """A frame was received by its addressee, or a broadcast by one of its hearers. Level in 1/100 dBuV."""

    t: int
    node: int
    src: int
    frame: int
    level_cb: int
    lqi: int


class RxLost(NamedTuple):
    """The addressee, or a hearer of a broadcast, did not get the frame.

    `stage`: header or payload. `reason`: noise, collision, half duplex, late, fault. A collision names the frame
    that interfered (`by_src`, `by_frame`), else both are -1.
    """

    t: int
    node: int
    src: int
    frame: int
    level_cb: int
    lqi: int
    stage: str
    reason: str
    by_src: int
    by_frame: int


class Ack(NamedTuple):
    """The sender of `frame` learnt its fate: `result` is ack, nack or missed."""

    t: int
    node: int
    peer: int
    frame: int
    result: str


class Defer(NamedTuple):
    """Channel access put off because the channel was busy. `nb` back-offs so far, contention window `cw` in slots."""

    t: int
    node: int
    nb: int
    cw: int


class Segment(NamedTuple):
    """Segment `number` (from 0) of `total` of a long MAC frame is handed to the PHY."""

    t: int
    node: int
    peer: int
    dsn: int
    number: int
    total: int


class Dropped(NamedTuple):
    """Octets refused or a frame given up: by which `layer` (phy, mac, adp, loadng, ip, udp, cosem), and why."""

    t: int
    node: int
    layer: str
    reason: str
    src: int
    octets: int


class NeighbourSet(NamedTuple):
    """The MAC's neighbour table changed: how to modulate towards `neighbour`, and how well it hears us."""

    t: int
    node: int
    neighbour: int
    modulation: int
    tone_map: int
    reverse_lqi: int


class BlacklistSet(NamedTuple):
    """LOADng black-listed a neighbour until `until_us`, or cleared it (`until_us` 0)."""

    t: int
    node: int
    neighbour: int
    until_us: int


class Rreq(NamedTuple):
    """A route request. `action`: sent, received, forwarded, ignored (with `reason`). `peer`: previous or next hop."""

    t: int
    node: int
    action: str
    peer: int
    originator: int
    destination: int
    sequence: int
    cost: int
    hop_count: int
    hop_limit: int
    flags: int
    reason: str


class Rrep(NamedTuple):
    """A route reply; fields as in `Rreq`. `destination` is the station that asked, `originator` the one found."""

    t: int
    node: int
    action: str
    peer: int
    originator: int
    destination: int
    sequence: int
    cost: int
    hop_count: int
    hop_limit: int
    flags: int
    reason: str


class Rerr(NamedTuple):
    """A route error. `code`: 0 no available route, 1 hop limit exceeded."""

    t: int
    node: int
    action: str
    peer: int
    originator: int
    destination: int
    unreachable: int
    code: int
    reason: str


class RrepAck(NamedTuple):
    """Acknowledgement of an RREP (profile draft15). `action`: sent, received, ignored, missed."""

    t: int
    node: int
    action: str
    peer: int
    originator: int
    sequence: int


class Preq(NamedTuple):
    """A path request on its way. `hops`: pairs of address and link cost so far, as octets (2 + 2 each)."""

    t: int
    node: int
    action: str
    peer: int
    originator: int
    destination: int
    hops: bytes


class Prep(NamedTuple):
    """A path reply on its way back; `hops` as in `Preq`."""

    t: int
    node: int
    action: str
    peer: int
    originator: int
    destination: int
    hops: bytes


class RouteSet(NamedTuple):
    """The routing table got or changed an entry. Only bidirectional entries carry data."""

    t: int
    node: int
    destination: int
    next_hop: int
    cost: int
    hop_count: int
    weak_links: int
    bidirectional: int
    valid_until_us: int


class RouteLost(NamedTuple):
    """The routing table lost an entry. `reason`: rerr, no ack, aged, replaced, loop."""

    t: int
    node: int
    destination: int
    next_hop: int
    reason: str


class RepairStart(NamedTuple):
    """A station looks for a new route to `destination` after a link broke towards `next_hop`."""

    t: int
    node: int
    destination: int
    next_hop: int


class RepairEnd(NamedTuple):
    """The search is over; `ok` 1 with a route, 0 without."""

    t: int
    node: int
    destination: int
    ok: int


class Queue(NamedTuple):
    """A datagram waits for a route. `action`: waiting, released, discarded."""

    t: int
    node: int
    action: str
    destination: int
    flow: int


class ApduSent(NamedTuple):
    """An APDU left the application for station `peer`. `session` is the client's number of the association."""

    t: int
    node: int
    peer: int
    src_wport: int
    dst_wport: int
    apdu: bytes
    kind: int
    flow: int
    session: int


class ApduReceived(NamedTuple):
    """An APDU reached the application from station `peer`."""

    t: int
    node: int
    peer: int
    src_wport: int
    dst_wport: int
    apdu: bytes
    kind: int
    flow: int
    session: int


class SessionOpen(NamedTuple):
    """A DLMS association stands."""

    t: int
    node: int
    peer: int
    session: int


class SessionClosed(NamedTuple):
    """A DLMS association was released in order."""

    t: int
    node: int
    peer: int
    session: int


class SessionAborted(NamedTuple):
    """A DLMS association ended without release: what the paper calls ABRT. No octets are invented for it."""

    t: int
    node: int
    peer: int
    session: int
    reason: str


class ReadDone(NamedTuple):
    """The coordinator has a value of `meter`: `value` and `unit` as text, hops and attempts as the client counted."""

    t: int
    node: int
    meter: int
    obis: bytes
    attribute: int
    value: str
    unit: str
    hops: int
    attempts: int
    duration_us: int
    session: int


class ReadFailed(NamedTuple):
    """The coordinator gave up on `meter`. `explained_by`: the last event that explains it, as a short phrase."""

    t: int
    node: int
    meter: int
    obis: bytes
    attribute: int
    reason: str
    explained_by: str
    attempts: int
    session: int


class Collection(NamedTuple):
    """Progress of a collection. `action`: started, progress, finished."""

    t: int
    node: int
    action: str
    meters: int
    read: int
    failed: int


class Job(NamedTuple):
    """A job of the scenario or of an operator. `status`: accepted, done, failed. `detail` in plain ASCII."""

    t: int
    node: int
    job: int
    verb: str
    station: int
    status: str
    detail: str


class Fault(NamedTuple):
    """A fault begins or ends (`state`). `kind`: link, cable, station, noise, voltage; the rest as ordered."""

    t: int
    node: int
    fault: int
    kind: str
    where: str
    word: str
    value: int
    state: str
    until_us: int


class Power(NamedTuple):
    """A station is switched on (1) or off (0); `boot` counts its lives from 1."""

    t: int
    node: int
    on: int
    boot: int


class Clock(NamedTuple):
    """Emulated time changed its pace: `speed_permille` 1000 is real time, 0 a pause."""

    t: int
    node: int
    generation: int
    speed_permille: int


class LateFrame(NamedTuple):
    """A frame came in after its own end, by `late_us` of emulated time, and is lost."""

    t: int
    node: int
    src: int
    frame: int
    late_us: int


Event = (
    TxStart | TxEnd | RxOk | RxLost | Ack | Defer | Segment | Dropped | NeighbourSet | BlacklistSet
    | Rreq | Rrep | Rerr | RrepAck | Preq | Prep | RouteSet | RouteLost | RepairStart | RepairEnd | Queue
    | ApduSent | ApduReceived | SessionOpen | SessionClosed | SessionAborted
    | ReadDone | ReadFailed | Collection | Job | Fault | Power | Clock | LateFrame
)  # fmt: skip

EVENTS: tuple[type[Event], ...] = (
    TxStart, TxEnd, RxOk, RxLost, Ack, Defer, Segment, Dropped, NeighbourSet, BlacklistSet,
    Rreq, Rrep, Rerr, RrepAck, Preq, Prep, RouteSet, RouteLost, RepairStart, RepairEnd, Queue,
    ApduSent, ApduReceived, SessionOpen, SessionClosed, SessionAborted,
    ReadDone, ReadFailed, Collection, Job, Fault, Power, Clock, LateFrame,
)  # fmt: skip
"""In the order of their numbers, from 0: the number is part of the canonical record."""
