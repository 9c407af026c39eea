"""Wi-Fi and broker: umqtt.simple, with what it lacks: time limits, pings, reconnection, resubscription.

Nothing here waits for long: the strip goes on while Wi-Fi or broker are looked for. Neighbours: `app` owns it.
"""

import errno
import json
import select
import socket
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

import network
from umqtt import simple

from glow.frames import LONGEST
from glow.offline import NO_BROKER, NO_FRAMES, NO_WIFI

WIFI_LOOK_MS = 250
WIFI_AGAIN_MS = 10000
DIAL_MS = 3000
AGAIN_MS = 1000
STALL_MS = 3000
PING_MS = 2000
SILENCE_MS = 5000
KEEPALIVE_S = 10
SHORT = 128
LONGEST_CONFIG = 1024
"""The gateway's has some 300 octets; more than the heap has room for can be packed into a few thousand."""
NO_MESSAGE = b"\0"
"""Stands for one that is not worth reading."""


class Wire:
    """A connected socket for umqtt, which would wait for ever, and read whatever length a message claims to have.

    While octets are missing the strip goes on. A message longer than any of ours is read away.
    """

    def __init__(self, sock, poll, long, idle):
        self._sock = sock
        self._poll = poll
        self._idle = idle
        self._long = long
        self.heard = ticks_ms()

    def read(self, count):
        """Exactly `count` octets, good until the next long message. OSError where they do not come."""
        if count <= SHORT:
            octets = self._sock.read(count) or b""
            while len(octets) < count:
                octets += self._more(self._long[: count - len(octets)])
        else:
            # In one place for all messages: the heap has no room for pieces of this size in all the wrong places.
            octets = self._long[:count]
            left = count
            while left:
                left -= len(self._more(self._long[count - left : count] if count <= LONGEST else self._long[:left]))
                if left:
                    self._idle()
            if count > LONGEST:
                octets = NO_MESSAGE
        self.heard = ticks_ms()
        return octets

    def _more(self, room):
        """Some octets into `room`, as many as come."""
        until = ticks_add(ticks_ms(), STALL_MS)
        while True:
            got = self._sock.readinto(room)
            if got:
                return room[:got]
            if got is not None:
                raise OSError(errno.ECONNRESET)
            self._wait(until)

    def write(self, octets, count=None):
        """All of them, or the first `count`. OSError where they do not go."""
        octets = memoryview(octets)[:count]
        until = ticks_add(ticks_ms(), STALL_MS)
        while len(octets):
            sent = self._sock.write(octets)
            if sent:
                octets = octets[sent:]
            else:
                self._wait(until)

    def _wait(self, until):
        if ticks_diff(until, ticks_ms()) < 0:
            raise OSError(errno.ETIMEDOUT)
        self._idle()
        for _ in self._poll.ipoll(5):
            pass

    def setblocking(self, _blocking):
        """Asked for by umqtt; time limits are ours."""

    settimeout = connect = setblocking


class Link:
    """From nothing to subscribed, and again whenever something breaks.

    `take(message)` gets the messages of `led/frame`, `begin()` is called before each subscription, `idle()` again and
    again while a message is not complete.
    """

    def __init__(self, settings, take, begin, idle):
        self._settings = settings
        self._take = take
        self._begin = begin
        self._idle = idle
        self._wlan = network.WLAN(network.STA_IF)
        self._poll = select.poll()
        self._long = memoryview(bytearray(LONGEST))
        self._sock = self._wire = self._client = None
        self._again = self._looked = self._asked = self._pinged = ticks_ms()
        self._wifi = False
        self._in_parts = self._parts_wanted = False
        # Octets, because umqtt counts characters.
        self._led = (settings.PREFIX + "/led/").encode()
        self._config = self._led + b"config"
        self._board = (settings.PREFIX + "/board/" + settings.BOARD_ID + "/").encode()
        self._reason = ""
        # umqtt makes its own socket, and waits for ever until it is connected: it gets ours instead.
        simple.socket = self

    @property
    def up(self):
        """Whether we are subscribed."""
        return self._client is not None

    def why(self):
        """What is missing, if there is no picture."""
        return NO_FRAMES if self.up else NO_BROKER if self._wifi else NO_WIFI

    def rssi(self):
        """Level of the Wi-Fi in dBm, 0 where it is not known."""
        try:
            return self._wlan.status("rssi")
        except (OSError, ValueError):
            return 0

    def join(self):
        """Ask for the Wi-Fi; the radio does the rest in the background, and joins again by itself."""
        self._asked = ticks_ms()
        try:
            self._wlan.active(True)
            self._wlan.config(pm=self._wlan.PM_NONE)
            self._wlan.connect(self._settings.WIFI_SSID, self._settings.WIFI_PASSWORD)
        except OSError as error:
            print("Wi-Fi:", error)

    def publish(self, topic, payload, retain=False):
        """Say something under the board's own topic; lost where there is no broker."""
        if self._client:
            try:
                self._client.publish(self._board + topic.encode(), payload.encode(), retain)
            except Exception as error:
                self._lose(error)

    def step(self, now):
        """One step further, or a look whether all is well."""
        if ticks_diff(now, self._looked) >= WIFI_LOOK_MS:
            self._looked = now
            self._look(now)
        if not self._wifi:
            return
        try:
            if self._client:
                self._keep(now)
            elif self._sock:
                self._open(now)
            elif ticks_diff(now, self._again) >= 0:
                self._dial(now)
        except Exception as error:
            self._lose(error)

    def listen(self, wait_ms):
        """Wait for a message, and take it."""
        if not self._client:
            sleep_ms(wait_ms)
            return
        try:
            for _ in self._poll.ipoll(wait_ms):
                self._client.wait_msg()
        except Exception as error:
            # Whatever it was (umqtt raises OSError, IndexError, AssertionError), we no longer know where in the
            # stream of octets we are.
            self._lose(error)

    def _look(self, now):
        was, self._wifi = self._wifi, self._wlan.isconnected()
        if self._wifi:
            if not was:
                print("Wi-Fi:", self._wlan.ifconfig()[0])
                self._again = now
        elif was:
            self._asked = now
            self._lose("Wi-Fi is gone")
        elif ticks_diff(now, self._asked) >= WIFI_AGAIN_MS:
            try:
                self._wlan.disconnect()
            except OSError:
                pass
            self.join()

    def _dial(self, now):
        self._again = ticks_add(now, DIAL_MS)
        address = socket.getaddrinfo(self._settings.BROKER, self._settings.BROKER_PORT)[0][-1]
        self._sock = socket.socket()
        self._sock.setblocking(False)
        try:
            self._sock.connect(address)
        except OSError as error:
            if error.args[0] != errno.EINPROGRESS:
                raise
        self._poll.register(self._sock, select.POLLOUT | select.POLLERR | select.POLLHUP)

    def _open(self, now):
        for _, event in self._poll.ipoll(0):
            if event & (select.POLLERR | select.POLLHUP):
                raise OSError(errno.ECONNREFUSED)
            self._poll.modify(self._sock, select.POLLIN | select.POLLERR | select.POLLHUP)
            self._greet()
            self._pinged = now
            return
        if ticks_diff(now, self._again) >= 0:
            raise OSError(errno.ETIMEDOUT)

    def _greet(self):
        settings = self._settings
        self._wire = Wire(self._sock, self._poll, self._long, self._idle)
        client = simple.MQTTClient(
            b"gridglow-board-" + settings.BOARD_ID.encode(),
            settings.BROKER,
            settings.BROKER_PORT,
            settings.BROKER_USER.encode() or None,
            settings.BROKER_PASSWORD.encode(),
            KEEPALIVE_S,
        )
        client.set_callback(self._on_message)
        client.set_last_will(self._board + b"status", b'{"online": false}', True)
        client.connect()
        self._begin()
        client.subscribe(self._led + b"config")
        client.subscribe(self._led + b"frame")
        if self._parts_wanted:
            client.subscribe(self._led + b"frame/+")
        self._in_parts = self._parts_wanted
        self._client = client
        self._reason = ""
        print("broker:", settings.BROKER)

    def _keep(self, now):
        if ticks_diff(now, self._wire.heard) > SILENCE_MS:
            raise OSError(errno.ETIMEDOUT)
        if ticks_diff(now, self._pinged) >= PING_MS:
            self._pinged = now
            self._client.ping()
        if self._parts_wanted and not self._in_parts:
            self._in_parts = True
            self._begin()
            self._client.subscribe(self._led + b"frame/+")

    def _on_message(self, topic, message):
        if not message:
            return  # What was retained has been cleared.
        if topic != self._config:
            self._take(message)
            return
        try:
            if len(message) > LONGEST_CONFIG:
                raise ValueError
            self._parts_wanted = json.loads(bytes(message))["parts"] > 1
        except (ValueError, KeyError, TypeError, MemoryError):
            # It may be retained, and would end this connection and all that follow.
            self._take(NO_MESSAGE)

    def _lose(self, reason):
        if repr(reason) != self._reason:
            self._reason = repr(reason)
            print("broker:", self._reason)
        if self._sock:
            try:
                self._poll.unregister(self._sock)
            except KeyError:
                pass
            self._sock.close()
        self._sock = self._wire = self._client = None
        self._again = ticks_add(ticks_ms(), AGAIN_MS)

    def socket(self):
        """The connected socket, for umqtt."""
        return self._wire

    def getaddrinfo(self, host, port):
        """An address that nobody looks at, for umqtt."""
        return ((0, 0, 0, "", (host, port)),)
