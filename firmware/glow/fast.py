"""Loops over octets, compiled to machine code: without an object, in microseconds. Callers check every bound first."""

import micropython


@micropython.viper
def copy(target, target_at: int, source, source_at: int, count: int):
    """Copy `count` octets."""
    to = ptr8(target)
    out = ptr8(source)
    i = 0
    while i < count:
        to[target_at + i] = out[source_at + i]
        i += 1


@micropython.viper
def fill(target, at: int, count: int, green: int, red: int, blue: int):
    """Give `count` LEDs from LED `at` on one colour."""
    to = ptr8(target)
    i = 3 * at
    end = i + 3 * count
    while i < end:
        to[i] = green
        to[i + 1] = red
        to[i + 2] = blue
        i += 3


@micropython.viper
def patch(target, message, size: int, total: int, first: int, count: int) -> bool:
    """Lay the runs of a delta over `target`, which is LEDs `first` to `first + count` of `total`.

    False for runs that are not as docs/led-frame.md wants them; with a `count` of 0 nothing is written, only judged.
    """
    to = ptr8(target)
    m = ptr8(message)
    runs = m[14] << 8 | m[15]
    at = 16
    free = 0
    while runs > 0:
        if at + 4 > size:
            return False
        led = m[at] << 8 | m[at + 1]
        leds = m[at + 2] << 8 | m[at + 3]
        at += 4
        if leds == 0 or led < free or led + leds > total or at + 3 * leds > size:
            return False
        free = led + leds
        i = at
        at += 3 * leds
        o = 3 * (led - first)
        while i < at:
            if o >= 0 and o < 3 * count:
                to[o] = m[i]
            i += 1
            o += 1
        runs -= 1
    return at == size


@micropython.viper
def total(source, count: int) -> int:
    """Sum of `count` octets."""
    out = ptr8(source)
    found = 0
    i = 0
    while i < count:
        found += out[i]
        i += 1
    return found


@micropython.viper
def paint(target, source, count: int, scale: int, order: int):
    """Scale `count` G R B octets by `scale` / 2048; `order` has the place of G, R and B in an LED as hex digits."""
    to = ptr8(target)
    out = ptr8(source)
    green = order >> 8 & 15
    red = order >> 4 & 15
    blue = order & 15
    i = 0
    while i < count:
        to[i + green] = out[i] * scale >> 11
        to[i + red] = out[i + 1] * scale >> 11
        to[i + blue] = out[i + 2] * scale >> 11
        i += 3


@micropython.viper
def front(target, depths, count: int, place: int, length: int, channel: int, level: int):
    """Light the LEDs whose depth in the tree is under `place` by less than `length`, in one of G, R, B; others dark."""
    to = ptr8(target)
    deep = ptr16(depths)
    i = 0
    while i < count:
        back = place - deep[i]
        to[3 * i] = 0
        to[3 * i + 1] = 0
        to[3 * i + 2] = 0
        if back >= 0 and back < length:
            to[3 * i + channel] = level
        i += 1
