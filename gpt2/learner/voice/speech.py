"""What the voice says, as events that the program which started it prints.

An event is a JSON object in a line of its own. ``course/voice.py`` reads it.
"""

import json
import os
from typing import Any


class Speech:
    """Sends events, one after the other.

    Args:
        descriptor: the file to write them to. No other code writes to it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def line(self, markup: str = "") -> None:
        """Sends a paragraph with Rich's markup."""
        self._send(line=markup)

    def say(self, text: str, style: str = "") -> None:
        """Sends a piece of a text that is still being written."""
        self._send(say=text, style=style)

    def _send(self, **event: Any) -> None:
        rest = json.dumps(event).encode() + b"\n"
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
