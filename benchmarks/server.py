"""``gpt2 serve`` in a process of its own, for what measures it and what tests it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from runtime.children import ChildGroup

ROOT = Path(__file__).parents[1]


class Server:
    """A server on a free port of this machine, which answers from now on.

    Args:
        *options: of ``gpt2 serve``.
        environment: variables to add to this process's own.

    Attributes:
        process: the server's own; it starts others.
        address: with ``/v1``, as OpenAI's clients want it.

    Raises:
        RuntimeError: it did not start; the message has what it said.
    """

    def __init__(
        self, *options: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self._group = ChildGroup()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gpt2", "serve", "--port", "0", *options],
            cwd=ROOT,
            env=os.environ | {"NO_COLOR": "1"} | dict(environment or {}),
            stderr=subprocess.PIPE,
            process_group=self._group.number,
            text=True,
        )
        lines = []
        for line in self.process.stderr or ():
            lines.append(line)
            if found := re.search(r"http://\S+/v1", line):
                self.address = found[0]
                return
        raise RuntimeError("the server did not start: " + "".join(lines))

    def end(self, number: int = signal.SIGINT) -> int:
        """Ends it with a signal and returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)
