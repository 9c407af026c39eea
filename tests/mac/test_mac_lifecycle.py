"""Every input in every state of the sending side, driven through the boundaries, against the table."""

from __future__ import annotations

import pytest

from g3plc import sap
from g3plc.mac.lifecycle import (
    ACK_WAIT,
    ACKED,
    BACKOFF,
    CLEAR,
    DATA,
    GAP,
    HELD,
    IDLE,
    INPUT_NAMES,
    LIFE_CYCLE,
    REFUSED,
    REPEAT,
    REQUEST,
    SENDING,
    SENT,
    STATE_NAMES,
    STRANGE,
    TIMER,
)
from g3plc.mac.transmit import Transmitter
from g3plc.wire.mac_frame import MacFrame

LONG = bytes(300)


def until(wire, port, state):
    for _ in range(100_000):
        if port.mac.state == state:
            return
        wire.run(1_390)
    raise AssertionError("state not reached")


def reach(wire, port, state, msdu):
    """Bring `port`, which has two more frames waiting, into `state`."""
    if state == IDLE:
        return
    port.send(2, msdu, handle=1)
    port.send(2, msdu, handle=2)
    if state == HELD:
        wire.run(5_560 + 5 * 1_390)
        wire.ghost(40_000, sap.HEADER_SOF)
    elif state == GAP:
        until(wire, port, ACK_WAIT)
        apply(wire, port, ACKED)
    until(wire, port, state)


def apply(wire, port, what):
    """Feed one input through the boundary."""
    mac = port.mac
    fcs = int.from_bytes(wire.frames(port.short)[-1].psdu[-2:], "little") if wire.frames(port.short) else 0
    if what == REQUEST:
        port.send(2, b"one more", handle=3)
    elif what == TIMER:
        before = mac.state, len(wire.log), len(wire.events)
        for _ in range(40):
            if (mac.state, len(wire.log), len(wire.events)) != before:
                break
            wire.run(1_390)
    elif what == CLEAR:
        if mac.state == HELD:
            wire.clock.run_until(wire.air[0].end)
        else:
            mac.pd_channel_indication(sap.HEADER_SOF)
    elif what == SENT:
        mac.pd_data_confirm()
    elif what == DATA:
        wire.hand(port, MacFrame(1, 9, 0x781D, port.short, 0x781D, 3, b"crossing").encode())
    else:
        positive, ssca, strange = {ACKED: (1, 0, 0), REPEAT: (0, 1, 0), REFUSED: (0, 0, 0), STRANGE: (1, 0, 1)}[what]
        mac.pd_ack_indication(bool(positive), fcs ^ strange, ssca)


CASES = [
    pytest.param(state, what, msdu, id=f"{STATE_NAMES[state]}-{INPUT_NAMES[what]}-{len(msdu)}")
    for state in range(len(STATE_NAMES))
    for what in range(len(INPUT_NAMES))
    for msdu in (b"short", LONG)
    # one segment has no gap, and not every state has a timer
    if (state != GAP or msdu is LONG) and (what != TIMER or LIFE_CYCLE[state][what].action != "ignore")
]


@pytest.mark.parametrize(("state", "what", "msdu"), CASES)
def test_every_input_in_every_state(wire, state, what, msdu):
    cell = LIFE_CYCLE[state][what]
    a = wire.station(1, mac_max_frame_retries=1)
    reach(wire, a, state, msdu)
    sent, confirmed = len(wire.frames(1)), len(a.confirms)
    apply(wire, a, what)
    assert a.mac.state in cell.leads_to
    if cell.action == "ignore":
        assert a.mac.state == state
        assert (len(wire.frames(1)), len(a.confirms)) == (sent, confirmed)


@pytest.mark.parametrize("what", [w for w in range(len(INPUT_NAMES)) if w not in (TIMER, SENT)])
@pytest.mark.parametrize("state", [IDLE, BACKOFF, GAP, HELD, ACK_WAIT])
def test_every_request_ends_with_one_confirm(wire, state, what):
    a = wire.station(1, mac_max_frame_retries=1)
    reach(wire, a, state, LONG)
    apply(wire, a, what)
    wire.run()
    handles = sorted(handle for _, handle, _ in a.confirms)
    assert handles == [*([] if state == IDLE else [1, 2]), *([3] if what == REQUEST else [])]
    assert a.mac.state == IDLE


def test_the_table_is_total_and_names_real_actions():
    assert len(LIFE_CYCLE) == len(STATE_NAMES)
    for row in LIFE_CYCLE:
        assert len(row) == len(INPUT_NAMES)
        for cell in row:
            assert callable(getattr(Transmitter, cell.action))
            assert cell.leads_to <= set(range(len(STATE_NAMES)))
    reached = {IDLE}
    for _ in STATE_NAMES:
        reached |= {state for known in reached for cell in LIFE_CYCLE[known] for state in cell.leads_to}
    assert reached == {IDLE, BACKOFF, SENDING, GAP, HELD, ACK_WAIT}
