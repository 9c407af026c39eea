"""sequence.svg: the diagram drawn, on a dark ground, in the colours of the light.

Time runs downwards: one row for each step, an arrow falls while its message is on the line, and a band says where
nothing happened for longer than a second. Routing is blue, requests amber, answers pale amber, faults magenta; a
failed try is dashed and ends in a cross. Neighbours: `sequence` (what is drawn), `svg_parts` (how a part looks).
"""

from __future__ import annotations

from emulation.observe import svg_parts as parts
from emulation.observe.facts import RunFacts, station_name
from emulation.observe.kinds import REQUESTS, ROUTING
from emulation.observe.sequence_story import ABORT, ACKNOWLEDGEMENT, FAULT, MESSAGE, ROUTE, VALUE, Diagram, Step
from emulation.observe.svg_parts import AMBER, AZURE, BLUE, DIM, MAGENTA, PALE, TEXT
from g3plc.core import flow
from g3plc.sap import BROADCAST

_LEFT, _RIGHT, _TOP = 132, 172, 150
_GAP = 206
_PAUSE_US = 1_000_000
_MAX_STEPS = 600

_HEIGHTS = {MESSAGE: 34, ACKNOWLEDGEMENT: 23, ROUTE: 18, VALUE: 34, ABORT: 32, FAULT: 40}
_LEGEND = (
    (BLUE, "route request"),
    (AZURE, "route reply, its ACK"),
    (AMBER, "request"),
    (PALE, "response"),
    (MAGENTA, "error, fault"),
)


def svg(diagram: Diagram, facts: RunFacts) -> str:
    """Return the whole drawing as text."""
    return _Drawing(diagram, facts).text()


def colour(step: Step) -> str:
    """Return the colour of a step's family."""
    if step.what in (ABORT, FAULT) or step.kind == flow.RERR:
        return MAGENTA
    if step.what in (ACKNOWLEDGEMENT, VALUE):
        return AZURE if step.what == ACKNOWLEDGEMENT else PALE
    if step.kind in ROUTING:
        return AZURE if step.kind in (flow.RREP, flow.RREP_ACK, flow.PREP, flow.RLCREP) else BLUE
    return AMBER if step.kind in REQUESTS else PALE


class _Drawing:
    """Walks down the steps and collects the parts."""

    def __init__(self, diagram: Diagram, facts: RunFacts) -> None:
        self._diagram = diagram
        self._facts = facts
        self._x = {station: _LEFT + 56 + place * _GAP for place, station in enumerate(diagram.stations)}
        self._right = max(self._x.values())
        self.width = self._right + _RIGHT
        self._y = _TOP + 16
        self._body: list[str] = []
        self._behind: list[str] = []
        self._phase = ""
        self._phase_top = 0
        self._phase_end = 0

    def text(self) -> str:
        """Return the document."""
        steps = self._diagram.steps
        before = steps[0].start if steps else 0
        last = None
        for place, step in enumerate(steps[:_MAX_STEPS]):
            if step.start - before > _PAUSE_US:
                self._pause(step.start - before)
            before = max(before, step.end)
            if step.phase != self._phase and step.phase:
                self._close_phase()
                self._phase, self._phase_top = step.phase, self._y
            shared = step.what == ROUTE and last is not None and last.what == ROUTE and last.start == step.start
            if shared and last is not None and last.src != step.src:
                self._y -= _HEIGHTS[ROUTE]
            self._row(step, place)
            last = step
        self._close_phase()
        if len(steps) > _MAX_STEPS:
            self._body.append(parts.text(_LEFT, self._y + 14, f"and {len(steps) - _MAX_STEPS} steps more", DIM))
            self._y += 24
        return self._document()

    # -- rows

    def _row(self, step: Step, place: int) -> None:
        height = _HEIGHTS[step.what]
        if step.what == MESSAGE:
            self._message(step, height)
        elif step.what == ACKNOWLEDGEMENT:
            x = self._x
            self._body.append(parts.arrow(x[step.src], self._y + 4, x[step.dst], self._y + 8, AZURE, thin=True))
            self._body.append(parts.label(x[step.src], x[step.dst], self._y + 17, step.label(), AZURE, small=True))
        elif step.what == ROUTE:
            self._route(step)
        elif step.what == FAULT:
            self._fault(step)
        else:
            self._mark(step)
        self._y += height
        if step.phase:
            self._phase_end = self._y

    def _message(self, step: Step, height: int) -> None:
        x, y = self._x, self._y
        paint = colour(step)
        self._body.append(parts.stamp(_LEFT - 18, y + 18, step.start))
        words = step.label(self._diagram.letter)
        start, end = y + 16, y + height - 8
        if step.dst == BROADCAST:
            self._broadcast(step, words, paint)
            return
        if step.dst not in x:
            self._body.append(parts.text(x[step.src] + 10, start + 4, f"{words} to {station_name(step.dst)}", paint))
            return
        self._body.append(parts.label(x[step.src], x[step.dst], start - 4, words, paint))
        self._body.append(parts.arrow(x[step.src], start, x[step.dst], end, paint, dashed=step.failed))

    def _broadcast(self, step: Step, words: str, paint: str) -> None:
        x, y = self._x[step.src], self._y + 18
        self._body.append(parts.rings(x, y, paint))
        heard = [station for station in step.hearers if station in self._x]
        for station in heard:
            side = 16 if self._x[station] > x else -16
            self._body.append(parts.arrow(x + side, y, self._x[station], y + 7, paint, dotted=True))
        if heard:
            nearest = min(heard, key=lambda station: (abs(self._x[station] - x), station))
            self._body.append(parts.label(x, self._x[nearest], y - 6, words, paint, inset=16))
            if step.repeats:
                more = f"and {step.repeats} repeats beside the path"
                self._body.append(parts.label(x, self._x[nearest], y + 17, more, paint, small=True, inset=16))
        else:
            to_left = x == self._right and len(self._x) > 1
            anchor = "end" if to_left else "start"
            self._body.append(parts.text(x + (-20 if to_left else 20), y - 5, words, paint, anchor))

    def _route(self, step: Step) -> None:
        letter = self._diagram.letter
        paint = AZURE if step.kind == flow.RREP else BLUE
        x, y = self._x[step.src], self._y + 9
        way = f"{letter(step.originator)} via {letter(step.dst)}"
        if step.dst == step.originator:
            way = f"{letter(step.originator)} direct"
        self._body.append(parts.dot(x, y, paint, filled=step.kind == flow.RREP))
        self._body.append(parts.text(x + 9, y + 3.5, way, paint, size=9.5, faint=True))

    def _fault(self, step: Step) -> None:
        y = self._y + 20
        left, right = min(self._x.values()), self._right
        on_path = [self._x[station] for station in (step.src, step.dst) if station in self._x]
        if len(set(on_path)) == 2:
            left, right = min(on_path), max(on_path)
        elif on_path:
            left, right = on_path[0] - 60, on_path[0] + 60
        self._body.append(parts.stamp(_LEFT - 18, y + 4, step.start))
        self._body.append(parts.band(left, right, y, step.label(self._diagram.letter), step.over))

    def _mark(self, step: Step) -> None:
        y = self._y + 16
        self._body.append(parts.stamp(_LEFT - 18, y + 4, step.start))
        x = self._x[step.src]
        if step.what == ABORT:
            self._body.append(parts.cross(x, y))
            to_left = x == self._right and len(self._x) > 1
            anchor = "end" if to_left else "start"
            self._body.append(parts.text(x + (-14 if to_left else 14), y + 4, step.label(), MAGENTA, anchor, bold=True))
        else:
            self._body.append(parts.pill(x, y, step.label(), PALE))

    def _pause(self, us: int) -> None:
        self._close_phase()
        y = self._y + 16
        self._behind.append(parts.pause(_LEFT, self._right + 40, y, f"{us // 100_000 / 10} s later"))
        self._y += 34

    def _close_phase(self) -> None:
        if self._phase:
            self._behind.append(parts.bracket(self._right + 46, self._phase_top + 6, self._phase_end, self._phase))
        self._phase = ""

    # -- around them

    def _document(self) -> str:
        facts, diagram = self._facts, self._diagram
        bottom = self._y + 14
        height = bottom + 92
        title = f"The coordinator and {station_name(diagram.meter)}"
        if diagram.hops:
            title += f", {diagram.hops} hop{'s' if diagram.hops > 1 else ''} away"
        under = f"scenario {facts.scenario}, seed {facts.seed}, profile {facts.profile}, PAN {facts.pan:04x}"
        head = [
            parts.text(_LEFT - 84, 44, title, TEXT, size=21, bold=True),
            parts.text(_LEFT - 84, 67, under, DIM, size=12.5),
        ]
        lines = [parts.lifeline(x, _TOP, bottom, station == 0) for station, x in self._x.items()]
        heads = [
            parts.head(x, _TOP - 34, diagram.letter(station), station_name(station), station == 0)
            for station, x in self._x.items()
        ]
        legend = parts.legend(_LEFT - 84, bottom + 42, _LEGEND, self.width - 40)
        return parts.document(self.width, height, [*head, *self._behind, *lines, *heads, *self._body, *legend])
