"""Reports what came of reading a meter: ReadDone and ReadFailed.

Neighbours: `errand` has the outcome, `values` the text, `jobs` and `collector` decide when to report.
"""

from __future__ import annotations

from coordinator.errand import Errand
from coordinator.values import readable
from g3plc import events
from g3plc.cosem.requests import Get
from g3plc.sap import CosemPort


def note_done(port: CosemPort, errand: Errand, earlier_attempts: int = 0) -> str:
    """Note the value that a meter gave, at the moment of its answer; returns value and unit as text.

    Hops are those of the route of this moment, 0 if there is none; `earlier_attempts` were made in earlier sessions.
    """
    request, data = errand.request, errand.data
    if not isinstance(request, Get) or data is None:
        return ""
    value, unit = readable(request.class_id, request.obis, request.attribute, data)
    route = port.route(errand.meter)
    port.env.note(
        events.ReadDone,
        errand.meter,
        request.obis,
        request.attribute,
        value,
        unit,
        route.hop_count if route is not None else 0,
        earlier_attempts + errand.attempts,
        errand.duration_us,
        errand.session,
    )
    return f"{value} {unit}".rstrip()


def note_failed(port: CosemPort, errand: Errand, earlier_attempts: int = 0) -> None:
    """Note that a meter was given up."""
    request = errand.request
    if isinstance(request, Get):
        port.env.note(
            events.ReadFailed,
            errand.meter,
            request.obis,
            request.attribute,
            errand.reason,
            errand.explained_by,
            earlier_attempts + errand.attempts,
            errand.session,
        )
