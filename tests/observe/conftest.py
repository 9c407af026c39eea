"""A small network told by hand, in valid octets: the coordinator and meters in a row, one session over all of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from emulation.observe.facts import RunFacts
from g3plc.core import flow, ofdm
from g3plc.events import (
    Ack,
    ApduReceived,
    ApduSent,
    Collection,
    Event,
    Fault,
    Queue,
    ReadDone,
    ReadFailed,
    Rerr,
    RouteLost,
    RouteSet,
    Rrep,
    Rreq,
    RxLost,
    RxOk,
    Segment,
    SessionAborted,
    SessionClosed,
    SessionOpen,
    TxEnd,
    TxStart,
)
from g3plc.wire import cosem_wrapper, iphc, ipv6, loadng_msg, lowpan, mac_command, mac_frame, udp
from g3plc.wire.acse import Aare, Aarq, Rlre, Rlrq
from g3plc.wire.xdlms import GetRequestNormal
from g3plc.wire.xdlms_initiate import InitiateRequest, InitiateResponse

PAN = 0x781D
ALL = 0xFFFF
METER = 3
OBIS = bytes.fromhex("0100010800FF")


class Story:
    """Builds the events of a row of stations, one transmission after the other."""

    OBIS = OBIS
    GET = GetRequestNormal(0, 1, OBIS, 2).encode()
    ANSWER_OK = bytes.fromhex("C40100000600003039")
    AARQ_OCTETS = Aarq(InitiateRequest().encode()).encode()
    AARE_OCTETS = Aare(InitiateResponse().encode()).encode()
    RLRQ_OCTETS = Rlrq(0).encode()
    RLRE_OCTETS = Rlre(0).encode()

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.now = 1_000_000
        self.frames: dict[int, int] = {}
        self.dsn: dict[int, int] = {}
        self.tag = 0

    def add(self, event: Event) -> None:
        self.events.append(event)

    def new_flow(self, station: int, kind: int) -> int:
        self.tag += 1
        return flow.flow_tag(station, self.tag, kind)

    def start(self, src: int, dst: int, psdu: bytes, tag: int, attempt: int = 0, modulation: int = 0) -> int:
        frame = self.frames[src] = self.frames.get(src, 0) + 1
        duration = ofdm.airtime_us(len(psdu), modulation, 63)
        dt = 0 if dst == ALL else 1
        kind = flow.flow_kind(tag)
        self.add(TxStart(self.now, src, frame, psdu, modulation, 63, dt, duration, dst, attempt, kind, tag))
        self.now += duration
        self.add(TxEnd(self.now, src, frame))
        return frame

    def psdu(self, src: int, dst: int, msdu: bytes, segment: int = 0, last: bool = True, tmr: bool = False) -> bytes:
        if segment == 0:
            self.dsn[src] = self.dsn.get(src, 0) + 1
        flags = (mac_frame.SC_LSF if last else mac_frame.SC_CC) | (mac_frame.SC_TMR if tmr else 0)
        size = ofdm.padded_octets(len(msdu) + 14, 0, 63)
        return mac_frame.encode_data(PAN, dst, src, self.dsn[src], msdu, dst != ALL, flags, segment, pad_to=size)

    def broadcast(self, src: int, msdu: bytes, tag: int, hearers: list[int], lost: list[int] | None = None) -> None:
        frame = self.start(src, ALL, self.psdu(src, ALL, msdu), tag)
        for hearer in hearers:
            self.add(RxOk(self.now, hearer, src, frame, 8000, 90 - abs(hearer - src)))
        for deaf in lost or []:
            self.add(RxLost(self.now, deaf, src, frame, 6400, 30, "payload", "noise", -1, -1))
        self.now += 20_000

    def ack(self, src: int, dst: int, tag: int, positive: bool = True) -> None:
        frame = self.frames[src] = self.frames.get(src, 0) + 1
        self.now += ofdm.RIFS_US
        kind = flow.ACK if positive else flow.NACK
        dt = 2 if positive else 3
        self.add(TxStart(self.now, src, frame, b"", 0, 63, dt, ofdm.ACK_US, dst, 0, kind, tag))
        self.now += ofdm.ACK_US
        self.add(TxEnd(self.now, src, frame))

    def unicast(self, src: int, dst: int, msdu: bytes, tag: int, outcome: str = "ack", attempt: int = 0) -> None:
        """One try. `outcome`: ack, nack, missed (never heard), ack lost."""
        psdu = self.psdu(src, dst, msdu)
        if attempt:
            self.dsn[src] -= 1
        frame = self.start(src, dst, psdu, tag, attempt)
        if outcome in ("ack", "ack lost"):
            self.add(RxOk(self.now, dst, src, frame, 8200, 88))
            self.ack(dst, src, tag)
        elif outcome == "nack":
            self.add(RxLost(self.now, dst, src, frame, 6400, 30, "payload", "collision", 7, 12))
            self.ack(dst, src, tag, positive=False)
        else:
            self.now += ofdm.ACK_WAIT_US
        self.add(Ack(self.now, src, dst, frame, {"ack lost": "missed"}.get(outcome, outcome)))
        self.now += 20_000

    def segmented(self, src: int, dst: int, parts: list[bytes], tag: int) -> None:
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            self.add(Segment(self.now, src, dst, self.dsn.get(src, 0), number, len(parts)))
            frame = self.start(src, dst, self.psdu(src, dst, part, number, last), tag)
            self.add(RxOk(self.now, dst, src, frame, 8200, 77 + number))
            self.ack(dst, src, tag)
            self.add(Ack(self.now, src, dst, frame, "ack"))
            self.now += ofdm.CIFS_US
        self.now += 20_000

    def tone_map_response(self, src: int, dst: int) -> None:
        payload = mac_command.ToneMapResponse(1, 63, 88).encode()
        frame = mac_frame.MacFrame(mac_frame.FRAME_COMMAND, 77, PAN, dst, PAN, src, payload, True)
        number = self.start(src, dst, frame.encode(), self.new_flow(src, flow.TMR))
        self.add(RxOk(self.now, dst, src, number, 8200, 88))
        self.add(Ack(self.now, src, dst, number, "ack"))
        self.now += 20_000

    # -- messages

    def rreq(self, path: list[int], sequence: int, answered: bool = True) -> None:
        """A route request from the first station to the last, heard along the path as far as it goes."""
        originator, destination = path[0], METER
        tag = self.new_flow(originator, flow.RREQ)
        self.add(Rreq(self.now, originator, "sent", ALL, originator, destination, sequence, 0, 0, 8, 0, ""))
        stations = path[:-1] if answered else path
        for place, station in enumerate(stations):
            message = loadng_msg.Rreq(destination, originator, sequence, 15, 12 * place, 8 - place, place)
            hearers = [n for n in (station - 1, station + 1) if n in path]
            self.broadcast(station, message.encode(), tag, hearers)
            told = (originator, destination, sequence, 12 * place, place, 8 - place, 0)
            for n in hearers:
                if n < station:
                    self.add(Rreq(self.now, n, "ignored", station, *told, "not better"))
                else:
                    self.add(RouteSet(self.now, n, originator, station, 12 * (place + 1), place + 1, 0, 0, 10**10))
                    self.add(Rreq(self.now, n, "received", station, *told, ""))

    def rrep(self, path: list[int], sequence: int) -> None:
        """A route reply from the last station of the path back to the first."""
        found, asker = path[-1], path[0]
        tag = self.new_flow(found, flow.RREP)
        self.add(Rrep(self.now, found, "sent", path[-2], found, asker, sequence, 0, 0, 8, 0, ""))
        for place, station in enumerate(reversed(path[1:])):
            following = path[path.index(station) - 1]
            message = loadng_msg.Rrep(asker, found, sequence, 15, 12 * place, 8 - place, place)
            self.unicast(station, following, message.encode(), tag)
            cost, hops = 12 * (place + 1), place + 1
            self.add(RouteSet(self.now, following, found, station, cost, hops, 0, 1, 10**10))
            told = (found, asker, sequence, 12 * place, place, 8 - place, 0, "")
            self.add(Rrep(self.now, following, "received", station, *told))

    def msdu(self, src: int, dst: int, apdu: bytes, hops: int, direct: bool) -> bytes:
        source, destination = ipv6.link_local(PAN, src), ipv6.link_local(PAN, dst)
        ports = (16, 1) if src == 0 else (1, 16)
        wpdu = cosem_wrapper.Wpdu(*ports, apdu).encode()
        packet = ipv6.pack(source, destination, 17, udp.pack(source, destination, 4059, 4059, wpdu))
        short = iphc.compress(packet, PAN, src, dst)
        return short if direct else lowpan.Mesh(hops, src, dst).encode() + short

    def apdu(self, path: list[int], kind: int, apdu: bytes, session: int, fail_at: int | None = None) -> bool:
        """An APDU along a path. With `fail_at`, the hop from that station fails in two tries."""
        src, dst = path[0], path[-1]
        tag = self.new_flow(src, kind)
        ports = (16, 1) if src == 0 else (1, 16)
        self.add(ApduSent(self.now, src, dst, *ports, apdu, kind, tag, session))
        direct = len(path) == 2
        for place, (a, b) in enumerate(pairwise(path)):
            msdu = self.msdu(src, dst, apdu, 8 - place, direct)
            if a == fail_at:
                for attempt in range(2):
                    self.unicast(a, b, msdu, tag, "missed", attempt)
                self.add(RouteLost(self.now, a, dst, b, "no ack"))
                return False
            self.unicast(a, b, msdu, tag)
        self.add(ApduReceived(self.now, dst, src, *ports, apdu, kind, tag, session))
        return True

    def rerr(self, path: list[int], unreachable: int) -> None:
        teller, source = path[0], path[-1]
        tag = self.new_flow(teller, flow.RERR)
        self.add(Rerr(self.now, teller, "sent", path[1], teller, source, unreachable, 0, ""))
        for a, b in pairwise(path):
            self.unicast(a, b, loadng_msg.Rerr(source, teller, 0, unreachable, 8).encode(), tag)
            self.add(Rerr(self.now, b, "received", a, teller, source, unreachable, 0, ""))


def paper_story() -> Story:
    """The paper's figure 2: discovery, session, break, error, vain discovery, recovery."""
    story = Story()
    path = [0, 1, 2, 3]
    back = path[::-1]
    story.add(Collection(story.now, 0, "started", 3, 0, 0))
    story.add(Queue(story.now, 0, "waiting", METER, flow.flow_tag(0, 99, flow.AARQ)))
    story.rreq(path, 1)
    story.rrep(path, 1)
    story.apdu(path, flow.AARQ, story.AARQ_OCTETS, 1)
    story.apdu(back, flow.AARE, story.AARE_OCTETS, 0)
    story.add(SessionOpen(story.now, 0, METER, 1))
    story.apdu(path, flow.GET_REQUEST, story.GET, 1)
    story.apdu(back, flow.GET_RESPONSE, story.ANSWER_OK, 0)
    story.add(ReadDone(story.now, 0, METER, OBIS, 2, "12345", "Wh", 3, 1, 2_345_678, 1))
    story.apdu(path, flow.RLRQ, story.RLRQ_OCTETS, 1)
    story.apdu(back, flow.RLRE, story.RLRE_OCTETS, 0)
    story.add(SessionClosed(story.now, 0, METER, 1))
    story.now += 3_000_000
    story.add(Fault(story.now, 0, 1, "link", "1-2", "down", 0, "begin", 0))
    story.apdu(path, flow.GET_REQUEST, story.GET, 2, fail_at=1)
    story.rerr([1, 0], METER)
    story.add(RouteLost(story.now, 0, METER, 1, "rerr"))
    story.rreq([0, 1], 2, answered=False)
    story.now += 4_000_000
    story.rreq([0, 1], 3, answered=False)
    story.add(SessionAborted(story.now, 0, METER, 2, "no answer"))
    story.add(ReadFailed(story.now, 0, 2, OBIS, 2, "no route", "RERR from meter-1", 3, 2))
    story.now += 5_000_000
    story.add(Fault(story.now, 0, 1, "link", "1-2", "up", 0, "end", 0))
    story.rreq(path, 4)
    story.rrep(path, 4)
    story.apdu(path, flow.GET_REQUEST, story.GET, 3)
    story.apdu(back, flow.GET_RESPONSE, story.ANSWER_OK, 0)
    story.add(Collection(story.now, 0, "finished", 3, 1, 1))
    return story


@pytest.fixture
def story() -> Story:
    """An empty story to tell."""
    return Story()


@pytest.fixture
def paper() -> list[Event]:
    """The events of the paper's figure 2."""
    return paper_story().events


@pytest.fixture
def facts() -> RunFacts:
    """The facts of a row of four."""
    return RunFacts("row4", 7, "row4", "ab" * 32, 1_736_899_200, "demo", 3, "0.1.0", texts={"scenario": "seed = 7\n"})


@pytest.fixture(scope="session")
def paper_once() -> list[Event]:
    """The same, for tests that only read it."""
    return paper_story().events
