"""The same network as for LOADng's tests, and a free message store."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parents[1] / "loadng" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("routing_net", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
sys.modules["routing_net"] = _MODULE
_SPEC.loader.exec_module(_MODULE)

make_net = _MODULE.make_net
