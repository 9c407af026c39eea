"""A Wi-Fi that is there while the test says so."""

from machine import control, tell

STA_IF = 0


class WLAN:
    PM_NONE = 0

    def __init__(self, interface):
        self._asked = False
        self._active = False

    def active(self, on):
        self._active = on

    def config(self, **settings):
        for name, value in settings.items():
            tell("wifi", name, value)

    def connect(self, ssid, password):
        if not self._active:
            raise OSError("Wifi Not Started")
        self._asked = True
        tell("wifi join", ssid, password)

    def disconnect(self):
        tell("wifi leave")

    def isconnected(self):
        return self._asked and control(0) == 1

    def ifconfig(self):
        return ("192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.1")

    def status(self, what):
        if what != "rssi":
            raise ValueError(what)
        return -57
