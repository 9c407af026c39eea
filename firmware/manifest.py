"""For a firmware image with all of this frozen in: `make -C ports/esp32 FROZEN_MANIFEST=<this file>`."""

include("$(PORT_DIR)/boards/manifest.py")
metadata(version="1.0.0", description="A strip of LEDs that shows gridglow's light")
require("neopixel")
require("umqtt.simple")
package("glow")
module("main.py")
