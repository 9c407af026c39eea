"""Rendering: the picture of a state at a moment, before safety. `pixels = render(state, t_ms)` is pure.

Only LEDs that something touches are worked on: the still part of the picture is painted when it changes (`ground`),
waves and comets are cells over it (`waves`), of which the greatest of each LED counts. Painting order: state, trace,
wave, comet, fault, selection; what travels never darkens what stands. The root keeps its own light.
"""

from __future__ import annotations

from led_gateway import ground, heat, waves
from led_gateway.ground import FAULT, WAVE
from led_gateway.on_air import BURST_MS, SWELL_MS, heat_share
from led_gateway.standing import moves
from led_gateway.state import NOBODY, State
from led_gateway.themes import AMBER, DEFAULT_MASTER, FULL_MASTER, MAGENTA, ROOT, THEMES, Theme, inks

__all__ = ["heat_share", "moving", "render"]

_BURST_L = 220

Octets = tuple[tuple[bytes, ...], ...]


def render(state: State, t_ms: int, theme: str = "safe", master: int = round(DEFAULT_MASTER * FULL_MASTER)) -> bytes:
    """Three octets R, G, B of PWM for each LED in LED order; `master` is the brightness in 256ths."""
    still = ground.painted(state, theme, master)
    pixels, levels = bytearray(still.pixels), bytearray(still.levels)
    over: waves.Over = dict(still.cells)
    octets = inks(theme, master).octets
    _leaves(state, t_ms, THEMES[theme], octets, pixels, levels, over)
    share = heat_share(state, t_ms)
    if share:
        _heat(state, t_ms, share, pixels, levels, octets[AMBER])
    if share < 256:
        draw = waves.travel if THEMES[theme].travels else waves.swell
        for light in state.lights.values():
            if light.chosen:
                draw(over, state, light, t_ms, 256 - share)
        _bursts(state, t_ms, 256 - share, over)
    if still.breathing:
        over.update(dict.fromkeys(still.breathing, ground.breath_cell(t_ms)))
    for led, cell in over.items():
        level = cell >> 8 & 255
        if cell >= FAULT or level > levels[led] or cell < WAVE:
            pixels[3 * led : 3 * led + 3] = octets[cell & 255][level]
    pixels[0:3] = octets[ROOT][ground.root_l(state, t_ms)]
    return bytes(pixels)


def moving(state: State, t_ms: int) -> bool:
    """Whether the picture changes with time alone."""
    if t_ms < state.until_ms or state.cuts or heat_share(state, t_ms) > 0:
        return True
    if any(moves(state.leaves[station], t_ms) for station in state.lively):
        return True
    return any(t_ms < light.start_ms + SWELL_MS for light in state.lights.values())


def _leaves(
    state: State, t_ms: int, theme: Theme, octets: Octets, pixels: bytearray, levels: bytearray, over: waves.Over
) -> None:
    """The leaves that move, and losses at leaves."""
    stations, leaves = state.board.stations, state.leaves
    for station in sorted(state.lively):
        led, leaf = stations[station], leaves[station]
        ink, level = ground.leaf_cell(theme, leaf, t_ms)
        if state.follow not in (NOBODY, station):
            level = level * ground.DIMMED >> 8
        pixels[3 * led : 3 * led + 3] = octets[ink][level]
        levels[led] = level
        lost = ground.lost_l(leaf, t_ms)
        if lost > level:
            over[led] = FAULT | lost << 8 | MAGENTA


def _heat(state: State, t_ms: int, share: int, pixels: bytearray, levels: bytearray, amber: tuple[bytes, ...]) -> None:
    """Recent airtime on the cable; leaves stay as they are."""
    stations = state.board.station_at
    for led, warm in enumerate(heat.levels(state.heat, state.heat_ms, t_ms)):
        if warm:
            level = warm * share >> 8
            if level > levels[led] and led not in stations:
                pixels[3 * led : 3 * led + 3] = amber[level]
                levels[led] = level


def _bursts(state: State, t_ms: int, share: int, over: waves.Over) -> None:
    """Collisions: five LEDs that fade."""
    for burst in state.bursts.values():
        since = t_ms - burst.start_ms
        if burst.chosen and 0 <= since < BURST_MS:
            level = _BURST_L * (BURST_MS - since) // BURST_MS * share >> 8
            cell = FAULT | level << 8 | MAGENTA
            for led in burst.leds:
                if over.get(led, 0) < cell:
                    over[led] = cell
