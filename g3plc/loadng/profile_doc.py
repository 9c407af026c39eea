"""docs/routing-profiles.md, rendered from the profiles and from the texts beside the fields of `LoadngConfig`.

Not loaded by the stack. Neighbours: `profiles`, `config`.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields
from itertools import pairwise

from g3plc.loadng import config as config_module
from g3plc.loadng.config import MILLISECOND, MINUTE, SECOND, LoadngConfig
from g3plc.loadng.profiles import PROFILES

_HEAD = """# Routing profiles

A profile is a named set of values for LOADng, the adaptation layer and the MAC (`g3plc/loadng/profiles.py`). Anything
that a profile does not name keeps the default of the standard, which is profile `g3`. A scenario may change single
values on top.

"""

_NOTES = """
## What they do

**g3** starts a discovery at most every 30 s and answers after 4 s, so that a flood through a large PAN has ended before
the best path is chosen. A broken link is repaired by the station that finds it; the source hears of it only when the
repair fails.

**metering** shuns every link under 15 dB: three good hops (12) cost less than one of 10 dB (29). It waits longer, takes
more hops, and widens the MAC's window further.

**demo** is made to be watched. A discovery may start every second and is awaited 4 s from the moment at which its RREQ
has left the MAC, then tried once more; an RREP that comes later is used all the same. The destination answers half a
second after the first RREQ, or at once to one that came by unicast, which no better one can follow. There is no
local repair: the station that finds a link broken sends an RERR, the source tells its application, and the repeated
request starts a new discovery, as in the paper. What cuts the flood of a dense PAN:

* links of 15 dB and more are alike and cost 8, one of 3 dB costs 32, as much as four of them: an RREQ tells nothing of
  the way back, and a margin is the best promise that the RREP gets through;
* a station repeats an RREQ after a random delay that grows with the number of stations it hears, and keeps silent if
  it has heard one repetition at about its own cost meanwhile (cluster trickle, K = 1). Only stations heard with 5 dB or
  more count; from the others a better path than this one has not been heard of;
* a station that has repeated an RREQ repeats a better one of the same search only when it saves a weak link or more
  than the deviation that the trickle allows;
* where the link back to the previous hop is known from a tone-map response, the delay is an eighth: relays that have
  worked before go first, the rest find that they are not needed;
* a station that knows the destination as its neighbour, by no weak link, is never silent, nor is anybody when the same
  search is repeated: what the silence may have missed the first time is found the second;
* a route that an RREP has taken is settled: a better RREQ of the same search, coming late, does not move it to a next
  hop that nobody has proven, is not repeated there and not answered again. If the RREP is lost it may move again;
* a link whose way back is unknown costs 6 more, one under 5 dB is weak, and an RREP that is not acknowledged goes once
  to another neighbour whose copy of the RREQ cost less than our own entry, which cannot make a loop: to one whose link
  is known both ways if there is one, then by weak links and cost;
* RREPs use the high-priority window, and the MAC's contention window ends at 32 slots, so that what waits behind a
  flood waits short.

**draft15** answers each better RREQ at once, asks for an RREP_ACK at every hop and blacklists who owes one, lets an
RREQ make the entry of its previous hop unverified, only broadcasts RREQs, and never repairs. The draft gives no
numbers: the times are chosen for a PAN of some fifty stations, with RFC 5148's jitter as the random delay.

## Rules that hold in all of them

* Only a valid route that is known to work both ways carries data. It is known by the MAC's ACK of an RREP (draft15: by
  an RREP_ACK), and to the station that receives an RREP. A neighbour without a route is searched like anybody else.
* A datagram waits until its discovery ends. That is at most 2 x adpNetTraversalTime after the discovery's last RREQ.
* An RREQ goes by unicast along a route that is known, verified or not, unless a weak link is on it or it is a repair;
  when that fails it is sent to all.
* An RREQ or RREP that betters nothing is not passed on.
* A station whose next hop does not answer deletes the route, and blacklists the neighbour (draft15: only for a missing
  RREP_ACK). Then, with local repair, it looks for another route and sends the datagram once more; without, or when that
  fails, it sends an RERR or, at the source, tells its application.
* The blacklist is emptied when all known neighbours are on it.
"""


def render() -> str:
    """The whole document as Markdown."""
    names = list(PROFILES)
    lines = [_HEAD, *(f"* **{name}**: {PROFILES[name].summary}\n" for name in names), "\n## LOADng\n\n"]
    lines.append("| parameter | " + " | ".join(names) + " | meaning |\n|---|" + "---|" * (len(names) + 1) + "\n")
    meanings = _meanings()
    configs = [PROFILES[name].loadng_config() for name in names]
    for field in fields(LoadngConfig):
        values = [_value(field.name, getattr(config, field.name)) for config in configs]
        shown = [value if value == values[0] or not at else f"**{value}**" for at, value in enumerate(values)]
        lines.append(f"| `{field.name}` | " + " | ".join(shown) + f" | {meanings[field.name]} |\n")
    lines.append("\n## Other layers\n\n| profile | layer | parameter | value |\n|---|---|---|---|\n")
    for name in names:
        for layer, values_of in (("adaptation", PROFILES[name].adp), ("MAC", PROFILES[name].mac)):
            lines += [f"| {name} | {layer} | `{field}` | {value} |\n" for field, value in values_of.items()]
    return "".join(lines) + _NOTES


def _value(name: str, value: int) -> str:
    if not name.endswith("_us"):
        return str(value)
    for unit, scale in (("min", MINUTE), ("s", SECOND), ("ms", MILLISECOND)):
        if value and value % scale == 0:
            return f"{value // scale} {unit}"
    return f"{value} us" if value else "0"


def _meanings() -> dict[str, str]:
    """The text after each field of the configuration class."""
    tree = ast.parse(inspect.getsource(config_module))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef))
    meanings = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            meanings[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return meanings
