"""One transmission on the wire, as the PHY entities and the medium hand it around."""

from __future__ import annotations

from g3plc.sap import RxInfo


class Transmission:
    """Starts at `start`, ends at `end` (microseconds).

    `dt`: delimiter type of the FCH (`sap.DT_*`). `dst`: next hop's short address, 0xFFFF all, or for an ACK or NACK
    the station answered. `fcs`, `ssca`: of ACK and NACK. `key` addresses the receivers' random draws. `rx` is what its
    receivers' MACs are told of it, one after the other.
    """

    __slots__ = (
        "attempt", "dst", "dt", "end", "fcs", "flow", "frame", "key", "modulation", "psdu", "rx", "src",
        "ssca", "start", "tone_map",
    )  # fmt: skip

    def __init__(
        self,
        src: int,
        frame: int,
        start: int,
        end: int,
        psdu: bytes,
        modulation: int,
        tone_map: int,
        dt: int,
        dst: int,
        attempt: int,
        flow: int,
        fcs: int = 0,
        ssca: int = 0,
    ) -> None:
        self.src = src
        self.frame = frame
        self.start = start
        self.end = end
        self.psdu = psdu
        self.modulation = modulation
        self.tone_map = tone_map
        self.dt = dt
        self.dst = dst
        self.attempt = attempt
        self.flow = flow
        self.fcs = fcs
        self.ssca = ssca
        self.key = 0
        self.rx: RxInfo | None = None
