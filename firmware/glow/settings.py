"""Settings out of config.py and secrets.py, checked: what is wrong is said in words, all of it at once."""

from glow.offline import depths

DEFAULTS = {
    "BOARD_ID": "1",
    "PREFIX": "gridglow/1/781d",
    "WIFI_SSID": "",
    "WIFI_PASSWORD": "",
    "BROKER": "",
    "BROKER_PORT": 1883,
    "BROKER_USER": "",
    "BROKER_PASSWORD": "",
    "LED_PIN": 18,
    "LED_COUNT": 0,
    "FIRST_LED": 0,
    "ORDER": "GRB",
    "BRIGHTNESS": 1.0,
    "SUPPLY_MA": 3000,
    "DELAY_MS": 150,
    "BUTTON_PINS": (),
    "SELF_TEST_S": 3,
    "LOOP_FILE": "loop.glow",
    "WATCHDOG_S": 30,
    "BRANCHES": (),
}
RANGES = {
    "BROKER_PORT": (1, 65535),
    "LED_PIN": (0, 48),
    "LED_COUNT": (1, 1440),
    "FIRST_LED": (0, 65534),
    "BRIGHTNESS": (0, 1),
    "SUPPLY_MA": (100, 40000),
    "DELAY_MS": (0, 1000),
    "SELF_TEST_S": (0, 60),
    "WATCHDOG_S": (0, 300),
}
ORDERS = ("GRB", "RGB", "RBG", "GBR", "BRG", "BGR")


class SettingsError(Exception):
    """The settings cannot be used; the message has one line for each thing that is wrong."""


class Settings:
    """The names of DEFAULTS as attributes, and `depths` for the self-test."""

    def __init__(self, *modules):
        """Of several modules the last that has a name wins."""
        wrong = []
        for name, default in DEFAULTS.items():
            value = default
            for module in modules:
                value = getattr(module, name, value)
            if isinstance(default, float) and isinstance(value, int):
                value = float(value)
            if isinstance(default, tuple) and isinstance(value, list):
                value = tuple(value)
            setattr(self, name, value)
            if type(value) is not type(default):
                wrong.append(f"{name} = {value!r}: wanted is something like {default!r}")
            elif name in RANGES and not RANGES[name][0] <= value <= RANGES[name][1]:
                wrong.append("{} = {!r}: allowed is {} to {}".format(name, value, *RANGES[name]))
        for module in modules:
            wrong += _unknown(module)
        if not wrong:
            wrong = self._look_closer()
        if wrong:
            raise SettingsError("\n".join(wrong))
        self.depths = depths(self.BRANCHES, self.FIRST_LED, self.LED_COUNT)

    def _look_closer(self):
        wrong = [f"{name} is empty" for name in ("WIFI_SSID", "BROKER") if not getattr(self, name)]
        if not 0 < len(self.BOARD_ID) <= 64 or not all(c.isalpha() or c.isdigit() or c in "_.-" for c in self.BOARD_ID):
            wrong.append(f"BOARD_ID = {self.BOARD_ID!r}: 1 to 64 letters, digits, _ . -")
        if self.ORDER not in ORDERS:
            wrong.append("ORDER = {!r}: allowed are {}".format(self.ORDER, " ".join(ORDERS)))
        if len(self.BUTTON_PINS) > 3 or not all(isinstance(pin, int) for pin in self.BUTTON_PINS):
            wrong.append(f"BUTTON_PINS = {self.BUTTON_PINS!r}: up to three numbers of pins")
        try:
            for first, last, parent in self.BRANCHES:
                if not -1 <= parent < first <= last < 65535:
                    wrong.append(f"BRANCHES: {first} {last} {parent}: first, last, and an LED before them")
        except (TypeError, ValueError):
            wrong.append("BRANCHES: wanted are (first LED, last LED, LED that it hangs on)")
        return wrong


def _unknown(module):
    """A setting with a typing error would otherwise be ignored without a word."""
    names = [name for name in dir(module) if name.isupper() and name not in DEFAULTS]
    return [f"{name}: no such setting" for name in names]


def read():
    """The settings of this board. SettingsError."""
    modules = []
    for name in ("config", "secrets"):
        try:
            modules.append(__import__(name))
        except ImportError:
            if name == "config":
                raise SettingsError("there is no config.py: see README.md") from None
        except Exception as error:
            raise SettingsError(f"{name}.py cannot be read: {error!r}") from None
    settings = Settings(*modules)
    for module in modules:
        if hasattr(module, "BRANCHES"):
            del module.BRANCHES
    return settings
