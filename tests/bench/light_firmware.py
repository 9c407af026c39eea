"""The board's firmware under MicroPython's unix port: 411 LEDs at 40 frames/s, 100 kB of heap, a strip that takes its
12.6 ms for every picture. A real ESP32 is slower, and has about as much heap for half-sized objects.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from led_gateway.frame_writer import FrameWriter, to_grb
from tests.bench.figure import Figure
from tests.firmware.conftest import FakeBoard, MissingError, workbench

LEDS, FPS, SECONDS = 411, 40, 20
HEAP_KB = 102.4
ON_TIME_S = 0.0125
"""Half a frame."""
WAVES, TAIL = 6, 12
RUN = f"{LEDS} LEDs, {FPS} frames/s, {SECONDS} s"


def figures() -> Iterator[Figure]:
    """Share of pictures on time, heap, garbage collection; nothing where MicroPython or mosquitto is missing."""
    try:
        with tempfile.TemporaryDirectory() as folder, workbench(Path(folder)) as bench:
            board = bench.board(LEDS, SUPPLY_MA=3000)
            bench.online()
            sent = _send(bench.desk.publish)
            time.sleep(1)
            on_time = _on_time(board, sent)
            said = [status for _, topic, status in bench.desk.said if topic.endswith("/status") and status["online"]]
    except MissingError as missing:
        print(missing)
        return
    yield Figure("firmware", "pictures shown on time", 100 * on_time, "%", RUN, 99, at_least=True)
    yield Figure("firmware", "heap in use at most", HEAP_KB - min(one["heap_low"] for one in said) / 1000, "kB", RUN)
    yield Figure("firmware", "longest sweep of the heap", max(one["gc_us"] for one in said) / 1000, "ms", RUN)
    yield Figure("firmware", "late by its own count", said[-1]["late"], "pictures", RUN)


def _send(publish: Callable[[str, bytes, bool], None]) -> dict[bytes, float]:
    """Waves over a dark strip, as deltas and key frames of the gateway's own writer. When each was sent."""
    writer, sent = FrameWriter(1, LEDS), {}
    began = time.monotonic()
    for n in range(FPS * SECONDS):
        rgb = _picture(n)
        time.sleep(max(0.0, began + n / FPS - time.monotonic()))
        now_ms = round(1000 * n / FPS)
        for message in writer.write(rgb, now_ms):
            publish("led/frame", message.payload, message.retain)
        sent[to_grb(rgb)] = n / FPS
    return sent


def _picture(n: int) -> bytes:
    rgb = bytearray(3 * LEDS)
    for wave in range(WAVES):
        for back in range(TAIL):
            led = (n + wave * LEDS // WAVES - back) % (LEDS - 1)
            rgb[3 * led : 3 * led + 3] = bytes((90 - 7 * back, 40 - 3 * back, back))
    rgb[-3:] = bytes((n >> 6, n & 63, 1))
    return bytes(rgb)


def _on_time(board: FakeBoard, sent: dict[bytes, float]) -> float:
    """Share of the pictures that the strip was given within half a frame of the middle of all."""
    lags = [drawn.time_s - sent[drawn.octets] for drawn in board.drawn() if drawn.octets in sent]
    middle = median(lags) if lags else 0.0
    return sum(abs(lag - middle) <= ON_TIME_S for lag in lags) / len(sent)
