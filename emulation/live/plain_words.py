"""What went wrong with a connection, in words for a person: without numbers, brackets and addresses.

The MQTT library passes on the text of an OSError and drops the error itself, so texts are read here.
Neighbours: `mqtt`, `broker_mosquitto`, `broker_amqtt`, and the commands that say why no broker answers.
"""

from __future__ import annotations

import os
import re

_NUMBERED = re.compile(r"\[Errno (-?\d{1,6})\] ?")
_BRACKETS = re.compile(r"\A\[[^\]]*\] ?")
_PLACE_IN_SSL = re.compile(r" \(_ssl\.c:\d+\)\Z")
_UNANSWERED = "no answer"


def plain_words(error: BaseException) -> str:
    """One phrase, never empty, like "connection refused" or "no answer"."""
    text = str(error)
    found = _NUMBERED.search(text)
    if found is None:
        text = _PLACE_IN_SSL.sub("", _BRACKETS.sub("", text))
    elif int(found[1]) > 0:
        # asyncio puts words and addresses of its own behind the number
        text = os.strerror(int(found[1]))
    else:
        text = text[found.end() :]
    text = text.strip().rstrip(".")
    if not text or text.lower().endswith("timed out"):
        return _UNANSWERED
    return text if text[1:2].isupper() else text[0].lower() + text[1:]
