"""Waves and comets: one transmission, drawn at one moment.

The wave runs out of the sender over the tree, a front of four LEDs weaker with distance; the comet runs along the path
to the addressee, one step brighter, in the shape of its message. Positions are in 256ths of an LED, so that light
moves evenly. Cells go into `over`, where the greatest of an LED stays. Neighbours: `forms` (shapes), `board` (reaches
and paths), `ground` (ranks), `effects`.
"""

from __future__ import annotations

from led_gateway.board import LEAST_L, Path
from led_gateway.forms import FORMS, FRONT, GAP, SUBSTEPS, comet, wave_length
from led_gateway.ground import COMET, TRACE_L, TRAIL, WAVE
from led_gateway.on_air import AFTERGLOW_MS, SWELL_MS
from led_gateway.state import ACKED, LOST, NOBODY, Light, State
from led_gateway.themes import BLUE

STEP_L = 80
"""A wave that goes with a comet is so much under it."""

_FRONT_LIT = FRONT * 256
_SPARK_L = 235
_SUB_BITS = 8 - SUBSTEPS.bit_length() + 1
_SWELL_UP_MS = 600
_SWELL_WAVE = 110

Over = dict[int, int]


def travel(over: Over, state: State, light: Light, t_ms: int, share: int) -> None:
    """Draw a light that moves, with `share`/256 of its L."""
    since = t_ms - light.start_ms
    if since < 0 or t_ms >= light.end_ms:
        return
    path = state.board.path(light.src, light.dst) if light.dst != NOBODY else None
    if since < light.travel_ms:
        _wave(over, state, light, since, share)
        if path is not None:
            _comet(over, light, path, since, share)
    if path is not None:
        _wake(over, state, light, path, since)
        if light.outcome == ACKED:
            _spark(over, light, path, since, share)


def swell(over: Over, state: State, light: Light, t_ms: int, share: int) -> None:
    """Draw a light that does not move: all of its reach and its path swell and fade, brighter towards the addressee."""
    since = t_ms - light.start_ms
    if not 0 <= since < SWELL_MS:
        return
    rising = since * 256 // _SWELL_UP_MS
    falling = (SWELL_MS - since) * 256 // (SWELL_MS - _SWELL_UP_MS)
    share = min(rising, falling) * share >> 8
    form = FORMS[light.form]
    reach = state.board.reach(light.src, state.cuts)
    part = share * _SWELL_WAVE >> 8
    cells, rings, period = reach.cells, reach.rings, FRONT + GAP
    for ring in range(reach.radius + 1):
        if not form.pair or ring % period < FRONT:
            for cell in cells[rings[ring] : rings[ring + 1]]:
                _put(over, cell & 0xFFFF, WAVE | (cell >> 16) * part >> 8 << 8 | form.hue)
    if light.dst == NOBODY:
        return
    leds, brightness = state.board.path(light.src, light.dst)
    shape = form.comet
    lit = len(leds) if light.reached == NOBODY else light.reached
    for place in range(lit):
        if not shape or shape[place % len(shape)]:
            level = brightness[place] * share * (lit + 3 * place) // (1024 * lit)
            _put(over, leds[place], COMET | level << 8 | form.hue)


def _wave(over: Over, state: State, light: Light, since: int, share: int) -> None:
    reach = state.board.reach(light.src, state.cuts)
    form = FORMS[light.form]
    lower = STEP_L if form.comet else 0
    place = (reach.radius + wave_length(light.form) + 1) * 256 * since // light.travel_ms
    for front in (place, place - (FRONT + GAP) * 256) if form.pair else (place,):
        foremost = front >> 8
        for ring in range(max(0, foremost - FRONT), min(reach.radius, foremost) + 1):
            behind = front - ring * 256
            part = min(256, behind, _FRONT_LIT + 256 - behind) * share >> 8
            if part > 0:
                cells = reach.cells[reach.rings[ring] : reach.rings[ring + 1]]
                _ring(over, state, light, cells, part, lower)


def _ring(over: Over, state: State, light: Light, cells: object, part: int, lower: int) -> None:
    """The LEDs at one distance, but for those beyond a stop."""
    rank_and_hue = WAVE | FORMS[light.form].hue
    order = state.board.order
    for cell in cells:  # type: ignore[attr-defined]
        led = cell & 0xFFFF
        for low, high, inside, meeting in light.stops:
            if (low <= order[led] < high) != inside and led != meeting:
                break
        else:
            level = (cell >> 16) - lower
            level = (level if level > LEAST_L else LEAST_L) * part >> 8
            _put(over, led, rank_and_hue | level << 8)


def _put(over: Over, led: int, cell: int) -> None:
    if over.get(led, 0) < cell:
        over[led] = cell


def _comet(over: Over, light: Light, path: Path, since: int, share: int) -> None:
    shapes = comet(light.form, light.attempt)
    if not shapes[0]:
        return
    leds, brightness = path
    end = len(leds)
    place, shown = _head(light, end, len(shapes[0]), since)
    if light.outcome == LOST:
        # it thins out: its last half is dimmer and shorter until nothing is left
        left = min(256, 512 * (light.travel_ms - since) // light.travel_ms)
        share = share * left >> 8
        end, shown = light.reached, 2 + ((shown - 2) * left >> 8)
    head = place >> 8
    shape = shapes[(place & 255) >> _SUB_BITS]
    rank_and_hue = COMET | FORMS[light.form].hue
    for behind in range(max(0, head - end + 1), min(shown, head + 1)):
        at = head - behind
        level = brightness[at] * shape[behind] * share >> 16
        if level:
            _put(over, leds[at], rank_and_hue | level << 8)


def _head(light: Light, leds: int, length: int, since: int) -> tuple[int, int]:
    """Where the head is, in 256ths of an LED from the sender, and how many LEDs of the comet there are."""
    way = light.reached if light.outcome == LOST else leds + length
    return way * 256 * since // light.travel_ms, length


def _wake(over: Over, state: State, light: Light, path: Path, since: int) -> None:
    """The trace that a route reply leaves, or a route error takes away, as far as the comet has come."""
    trail = FORMS[light.form].trail
    if not trail:
        return
    length = len(comet(light.form, light.attempt)[0])
    place, _ = _head(light, len(path.leds), length, min(since, light.travel_ms))
    behind = path.leds[: min(place >> 8, len(path.leds) if light.reached == NOBODY else light.reached)]
    if trail > 0:
        for led in behind:
            _put(over, led, TRAIL | TRACE_L[3] << 8 | BLUE)
    else:
        station_at, traces = state.board.station_at, state.traces
        for led in behind:
            if traces[led] and led not in station_at:
                _put(over, led, TRAIL)


def _spark(over: Over, light: Light, path: Path, since: int, share: int) -> None:
    """The acknowledgement: two LEDs at the receiver, from the comet's arrival on."""
    leds = path.leds
    length = len(comet(light.form, light.attempt)[0])
    begin = light.travel_ms * len(leds) // (len(leds) + length)
    end = light.travel_ms + AFTERGLOW_MS
    if begin <= since < end:
        level = _SPARK_L * (end - since) // (end - begin) * share >> 8
        for led in leds[-3:-1] if light.dst == 0 else leds[-2:]:
            _put(over, led, COMET | level << 8 | BLUE)
