"""COSEM objects as tables: attributes and methods by number (IEC 62056-6-2 clause 4).

An interface class is a function that returns a `CosemObject` (`interface_classes`); a `LogicalDevice` holds objects by
class id and logical name. Nothing here knows octets: `service` answers requests from these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from g3plc.core.errors import UsageError
from g3plc.wire.axdr import OCTET_STRING, Data

READ: Final = 1
WRITE: Final = 2
READ_AND_WRITE: Final = 3
"""Access modes of attributes, as in the object list of class 15."""


class Context:
    """The association within which an attribute is read or a method invoked.

    `conformance` is the negotiated block; `max_send_pdu` the most octets that the client takes; `may_write` tells
    whether this client may SET and ACTION.
    """

    __slots__ = ("client_wport", "conformance", "device", "max_send_pdu", "may_write", "server_wport")

    def __init__(
        self,
        device: LogicalDevice,
        client_wport: int,
        server_wport: int,
        conformance: int,
        max_send_pdu: int,
        may_write: bool,
    ) -> None:
        self.device = device
        self.client_wport = client_wport
        self.server_wport = server_wport
        self.conformance = conformance
        self.max_send_pdu = max_send_pdu
        self.may_write = may_write


Reader = Callable[[Context], Data]
Writer = Callable[[Context, Data], int]
"""Returns a data-access-result."""
Runner = Callable[[Context, "Data | None"], "tuple[int, Data | None]"]
"""Returns (action-result, return parameters or None)."""


class Attribute:
    """One attribute: how it is read, and (with the data tags that it takes) how it is written."""

    __slots__ = ("read", "tags", "write")

    def __init__(self, read: Reader | None, write: Writer | None = None, tags: tuple[int, ...] = ()) -> None:
        self.read = read
        self.write = write
        self.tags = tags

    @property
    def access(self) -> int:
        """READ, WRITE, both or 0."""
        return (READ if self.read is not None else 0) | (WRITE if self.write is not None else 0)


class Method:
    """One method, and the data tags that its parameters may have; None among them: they may be left out."""

    __slots__ = ("run", "tags")

    def __init__(self, run: Runner, tags: tuple[int | None, ...]) -> None:
        self.run = run
        self.tags = tags


_NO_METHODS: Final[dict[int, Method]] = {}
_constants: dict[tuple[int, object], Attribute] = {}
_MOST_CONSTANTS: Final = 1024


def constant(data: Data) -> Attribute:
    """An attribute that is read and never changes. Thousands of meters share those with the same simple value."""
    if not isinstance(data.value, int | bytes | str):
        return Attribute(lambda _context: data)
    key = (data.tag, data.value)
    attribute = _constants.get(key)
    if attribute is None:
        attribute = Attribute(lambda _context: data)
        if len(_constants) < _MOST_CONSTANTS:
            _constants[key] = attribute
    return attribute


class CosemObject:
    """An instance of an interface class.

    `attributes` and `methods` by number; attribute 1, the logical name (six octets), is added here.
    """

    __slots__ = ("attributes", "class_id", "logical_name", "methods", "version")

    def __init__(
        self,
        class_id: int,
        version: int,
        logical_name: bytes,
        attributes: dict[int, Attribute],
        methods: dict[int, Method] | None = None,
    ) -> None:
        if len(logical_name) != 6:
            raise UsageError("a logical name has six octets")
        self.class_id = class_id
        self.version = version
        self.logical_name = logical_name
        self.attributes = {1: constant(Data(OCTET_STRING, logical_name)), **attributes}
        self.methods = methods or _NO_METHODS


class LogicalDevice:
    """What answers at one server wrapper port: `name` (at most 16 octets, FLAG id first) and objects."""

    __slots__ = ("_classes", "_objects", "name")

    def __init__(self, name: bytes, objects: Iterable[CosemObject]) -> None:
        if not 4 <= len(name) <= 16:
            raise UsageError("a logical device name has four to sixteen octets")
        self.name = name
        self._objects: dict[tuple[int, bytes], CosemObject] = {}
        self._classes: dict[bytes, int] = {}
        for instance in objects:
            key = (instance.class_id, instance.logical_name)
            if key in self._objects:
                raise UsageError(f"object {key} twice")
            self._objects[key] = instance
            self._classes.setdefault(instance.logical_name, instance.class_id)

    def find(self, class_id: int, logical_name: bytes) -> CosemObject | None:
        """The object, or None."""
        return self._objects.get((class_id, logical_name))

    def knows(self, logical_name: bytes) -> bool:
        """Whether the name belongs to an object of any class."""
        return logical_name in self._classes

    def objects(self) -> list[CosemObject]:
        """All objects, in the order in which they were given."""
        return list(self._objects.values())
