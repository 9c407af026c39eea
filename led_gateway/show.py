"""The show: what everybody else uses. Inputs go in, frames that are safe to look at come out.

    show = Show(Board(feeder), theme="safe", supply_ma=3000, master=0.5)
    show.take(event, t_ms)
    octets = show.frame(t_ms)       # R, G, B as PWM values, in the order of the LEDs

`t_ms` is display time in whole milliseconds and belongs to the caller: the show never reads a clock. It never goes
back; what comes with an earlier time counts as now. Same inputs and frames at the same times give the same octets on
every machine. Neighbours: `model` (inputs and state), `effects` (pixels), `safety` (limiters, always on), `themes`.
"""

from __future__ import annotations

from g3plc.events import Event
from led_gateway import effects
from led_gateway.board import Board
from led_gateway.model import Input, State, Tick, dark, reduce
from led_gateway.safety import Limiter
from led_gateway.themes import DEFAULT_MASTER, FULL_MASTER, THEMES

DEFAULT_SUPPLY_MA = 3000
_TICK = Tick()


class Show:
    """State, theme and limiters together.

    supply_ma   what the supply of the strip gives; settable
    state       the state of the model, for whoever wants to look
    """

    def __init__(
        self,
        board: Board,
        theme: str = "safe",
        supply_ma: int = DEFAULT_SUPPLY_MA,
        master: float = DEFAULT_MASTER,
    ) -> None:
        self.board = board
        self.supply_ma = supply_ma
        self.theme = theme
        self.master = master
        self._limiter = Limiter(board.leds)
        self._now_ms = 0
        self.state: State = dark(board)

    @property
    def theme(self) -> str:
        """Name of the theme, one of `themes.THEMES`. Setting another name raises ValueError."""
        return self._theme

    @theme.setter
    def theme(self, name: str) -> None:
        if name not in THEMES:
            raise ValueError(f"no theme is called {name!r}; there are {', '.join(THEMES)}")
        self._theme = name

    @property
    def master(self) -> float:
        """Brightness of everything, 0 to 1; what is beyond is taken as the nearer end."""
        return self._master / FULL_MASTER

    @master.setter
    def master(self, share: float) -> None:
        self._master = max(0, min(FULL_MASTER, round(share * FULL_MASTER)))

    @property
    def refused(self) -> int:
        """Inputs of which nothing could be made."""
        return self.state.refused

    @property
    def heat(self) -> bool:
        """Whether there is so much traffic that it is shown as heat."""
        return effects.heat_share(self.state, self._now_ms) > 0

    @property
    def until_ms(self) -> int:
        """Display time at which everything released so far has been shown: how far a single step has to go."""
        return self.state.until_ms

    def take(self, input_: Event | Input, t_ms: int) -> None:
        """Take an event, or an input of `model`. What makes no sense is counted in `refused`; nothing is raised."""
        self._now_ms = max(self._now_ms, t_ms)
        self.state = reduce(self.state, input_, self._now_ms)

    def frame(self, t_ms: int) -> bytes:
        """The picture at `t_ms`: three octets R, G, B for each LED, in LED order, with safety applied."""
        self._now_ms = t_ms = max(self._now_ms, t_ms)
        if t_ms >= self.state.due_ms:
            self.state = reduce(self.state, _TICK, t_ms)
        wanted = effects.render(self.state, t_ms, self._theme, self._master)
        return self._limiter.step(wanted, t_ms, self.supply_ma)

    def busy(self, t_ms: int) -> bool:
        """Whether another frame at `t_ms` may differ from the one before."""
        return t_ms >= self.state.due_ms or not self._limiter.settled or effects.moving(self.state, t_ms)

    def reset(self) -> None:
        """Forget everything, the limiters too: a strip that was dark all along. Theme, supply and master stay."""
        self.state = dark(self.board)
        self._limiter = Limiter(self.board.leds)
        self._now_ms = 0
