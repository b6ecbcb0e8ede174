"""Starts and ends the process that runs a learner's code, and talks to it.

This module imports nothing slow, so that a worker can start first of all.
"""

import io
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from course.messages import Compiling, Reply
from course.registry import ROOT
from runtime.child_python import python_command
from runtime.children import ChildGroup
from runtime.defaults import INTERPRETED

RUN_WORKER = "from course.worker import main; main()"
# With these, Python prints pages that would pass for the learner's output, or is slow.
NOISY = {
    "PYTHONDEBUG",
    "PYTHONDUMPREFS",
    "PYTHONINSPECT",
    "PYTHONMALLOCSTATS",
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONTRACEMALLOC",
    "PYTHONVERBOSE",
}
SLOW = 3.0  # seconds that the import of MAX may take without a word
PAGE = 4_000  # characters kept of what a learner's code prints


class Stopped(Exception):
    """The worker can answer no more: it ended, crashed or took too long."""


class Crashed(Stopped):
    """The worker crashed, such as when code in C or Mojo writes anywhere.

    Attributes:
        signal: the number of the signal that ended it.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(
            f"Python itself crashed (signal {signal}). Look for very deep recursion, "
            "or for memory: a shape far larger than you meant."
        )
        self.signal = signal


class WorkerProcess:
    """Starts a worker and exchanges requests and replies with it.

    Args:
        on_compile: called when MAX starts and when it ends compiling.
        on_slow_start: called once, if the import of MAX takes seconds.
    """

    def __init__(
        self,
        on_compile: Callable[[Compiling], None] | None = None,
        on_slow_start: Callable[[], None] | None = None,
    ) -> None:
        ours, theirs = socket.socketpair()
        self.on_compile, self.on_slow_start = on_compile, on_slow_start
        self.output = ""
        self.group = ChildGroup()  # first: a worker never runs without its keeper
        self.process = subprocess.Popen(
            python_command(RUN_WORKER, str(theirs.fileno())),
            cwd=ROOT,
            env=worker_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
            process_group=self.group.number,
        )
        theirs.close()
        self.connection = Connection(ours.detach())
        self.reader = threading.Thread(target=self._read_output, daemon=True)
        self.reader.start()
        self.ready = False

    def ask(self, request: Any, limit: float) -> Reply:
        """Sends a request and waits for the reply, at most ``limit`` seconds.

        The time in which MAX compiles does not count.

        Raises:
            Stopped: there will be no reply; the message says why.
        """
        if not self.ready:
            if self.on_slow_start and not self.connection.poll(SLOW):
                self.on_slow_start()
            self._receive(limit=300)  # the import of MAX does not count
            self.ready = True
        try:
            self.connection.send(request)
        except OSError:
            raise self._how_it_ended() from None
        return self._receive(limit)

    def _receive(self, limit: float) -> Reply:
        deadline = time.monotonic() + limit
        compiling = False
        while True:
            waiting = None if compiling else max(0.0, deadline - time.monotonic())
            try:
                if not self._arrives(waiting):
                    self.close()
                    raise Stopped(
                        f"It did not finish within {limit:g} seconds. Look for a loop "
                        "that never ends (--limit SECONDS allows more time)."
                    )
                message = self.connection.recv()
            except (EOFError, ConnectionError):
                raise self._how_it_ended() from None
            if not isinstance(message, Compiling):
                return message
            compiling = message.seconds is None
            deadline += message.seconds or 0.0
            if self.on_compile:
                self.on_compile(message)

    def _arrives(self, limit: float | None) -> bool:
        """Waits for a message; the time between Ctrl-Z and ``fg`` does not count."""
        while limit is not None and limit > 1:
            if self.connection.poll(1):
                return True
            limit -= 1
        return self.connection.poll(limit)

    def _how_it_ended(self) -> Stopped:
        self.close()
        code = self.process.returncode
        if code is not None and code < 0:
            return Crashed(-code)
        return Stopped(
            "Your code ended the Python process. A step only defines things; take "
            "out os._exit and whatever closes files that are not yours."
        )

    def _read_output(self) -> None:
        """Reads all output and keeps the first page."""
        assert isinstance(self.process.stdout, io.BufferedReader)
        with self.process.stdout as stream:
            while block := stream.read1(65536):
                if len(self.output) <= PAGE:
                    self.output += block.decode(errors="replace")

    def close(self) -> None:
        """Ends the worker and every process that the worker started."""
        self.connection.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.2 if self.process.poll() is None else 0)
        self.group.kill()
        self.process.wait()
        self.reader.join(1.0)


def worker_environment() -> dict[str, str]:
    """Returns the environment variables with which MAX runs as the course needs."""
    kept = {name: text for name, text in os.environ.items() if name not in NOISY}
    output = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
    advice = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # a debugger prints it otherwise
    return kept | INTERPRETED | output | advice
