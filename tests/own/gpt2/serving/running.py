"""Runs a server in a separate process, for tests."""

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil  # a dependency of MAX

ROOT = Path(__file__).parents[4]
MODEL = "tiny-stories"
BATCH, QUEUE = 4, 4


class Server:
    """``gpt2 serve`` in a separate process."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gpt2", "serve", "--port", "0", *options],
            cwd=ROOT,
            env=os.environ | {"NO_COLOR": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        lines = []
        for line in self.process.stderr or ():
            lines.append(line)
            if found := re.search(r"http://\S+/v1", line):
                self.address = found[0]
                return
        raise AssertionError("the server did not start: " + "".join(lines))

    def family(self) -> dict[int, str]:
        """Returns a name for each process of the server, by process id."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        found = {self.process.pid: "server"}
        for child in children:
            with suppress(psutil.NoSuchProcess):
                found[child.pid] = " ".join(child.cmdline())
        return found

    def replica(self) -> int:
        """Returns the id of the process with the model."""
        (pid,) = [pid for pid, args in self.family().items() if "ServeReplica" in args]
        return pid

    def end(self, signal: int) -> int:
        """Stops the server and returns the exit code."""
        self.process.send_signal(signal)
        return self.process.wait(20)
