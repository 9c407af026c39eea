"""A strip of WS2812B LEDs that shows what gridglow's light gateway sends over MQTT."""

VERSION = "1.0.0"
