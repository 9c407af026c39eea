"""Settings of this board. Wi-Fi name and passwords are better kept in secrets.py; what stands there wins."""

# Wi-Fi and broker. BROKER is an address or a name that the board can reach: not 127.0.0.1.
WIFI_SSID = ""
WIFI_PASSWORD = ""
BROKER = "192.168.1.10"
BROKER_PORT = 1883
BROKER_USER = ""
BROKER_PASSWORD = ""

# Topics: what the network publishes under, and this board's own name in board/<BOARD_ID>/status. Every board needs
# a name of its own.
PREFIX = "gridglow/1/781d"
BOARD_ID = "1"

# The strip. FIRST_LED is the first LED of the picture that this strip shows: 0 unless several boards share a picture.
LED_PIN = 18
LED_COUNT = 411
FIRST_LED = 0

# Order of the colours in the strip: GRB for WS2812B, RGB for WS2811 and some others. If the self-test does not run in
# red, green, blue, this is wrong.
ORDER = "GRB"

# 1.0 shows the picture as it is sent, 0.5 at half the brightness.
BRIGHTNESS = 1.0

# What the supply may give to the LEDs, in mA. A picture that would take more becomes darker as a whole.
SUPPLY_MA = 3000

# Every picture is shown so long after its time, in ms: as much jitter of the Wi-Fi does not show.
DELAY_MS = 150

# Pins of up to three buttons to ground, for example (25, 26, 27).
BUTTON_PINS = ()

# The self-test at boot takes so long; 0: none.
SELF_TEST_S = 3

# Played without a network: a file of `gridglow board record` on the board. Without it the strip breathes in white.
LOOP_FILE = "loop.glow"

# The board starts again when it has hung for so long; 0: never, for work at the console.
WATCHDOG_S = 30

# The cable tree for the self-test: first LED, last LED, LED that it hangs on (-1: the root).
BRANCHES = (
    (0, 0, -1), (1, 4, 0), (5, 7, 4), (8, 11, 4), (12, 14, 11), (15, 16, 11), (17, 19, 16), (20, 24, 0),
    (25, 27, 24), (28, 33, 24), (34, 38, 33), (39, 41, 38), (42, 44, 38), (45, 47, 44), (48, 52, 33), (53, 55, 52),
    (56, 59, 52), (60, 62, 59), (63, 66, 59), (67, 69, 66), (70, 73, 66), (74, 76, 73), (77, 81, 33), (82, 84, 81),
    (85, 88, 81), (89, 91, 88), (92, 96, 88), (97, 99, 96), (100, 103, 96), (104, 106, 103), (107, 112, 0),
    (113, 117, 112), (118, 120, 117), (121, 124, 117), (125, 127, 124), (128, 131, 124), (132, 134, 131),
    (135, 138, 131), (139, 141, 138), (142, 147, 112), (148, 153, 147), (154, 156, 153), (157, 160, 153),
    (161, 163, 160), (164, 169, 160), (170, 174, 169), (175, 177, 174), (178, 180, 174), (181, 183, 180),
    (184, 188, 169), (189, 191, 188), (192, 196, 188), (197, 199, 196), (200, 202, 196), (203, 205, 202),
    (206, 210, 147), (211, 215, 210), (216, 218, 215), (219, 221, 215), (222, 226, 215), (227, 229, 226),
    (230, 235, 210), (236, 240, 235), (241, 243, 240), (244, 247, 240), (248, 250, 247), (251, 255, 235),
    (256, 260, 255), (261, 263, 260), (264, 267, 260), (268, 270, 267), (271, 276, 267), (277, 281, 276),
    (282, 284, 281), (285, 287, 281), (288, 290, 287), (291, 295, 276), (296, 298, 295), (299, 301, 295),
    (302, 304, 301), (305, 310, 255), (311, 313, 310), (314, 318, 310), (319, 321, 318), (322, 326, 318),
    (327, 329, 326), (330, 334, 310), (335, 339, 334), (340, 342, 339), (343, 347, 339), (348, 350, 347),
    (351, 354, 347), (355, 357, 354), (358, 363, 334), (364, 366, 363), (367, 372, 363), (373, 375, 372),
    (376, 382, 372), (383, 385, 382), (386, 391, 382), (392, 394, 391), (395, 400, 391), (401, 403, 400),
    (404, 407, 400), (408, 410, 407),
)  # fmt: skip
