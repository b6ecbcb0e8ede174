"""Runs ``gpt2/learner/inside.py`` in a process of its own, which may do anything.

The process's events stay text here: a trace has megabytes, and goes into a page as it
is. This module imports nothing slow.
"""

import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace

from course.process import worker_environment
from course.registry import ROOT
from gpt2.checkpoint.errors import CheckpointError
from gpt2.learner.inside import NOTHING, Request, script_json
from runtime.child_python import python_command
from runtime.children import ChildGroup

RUN = "from gpt2.learner.inside import main; main()"
FIRST = 600.0  # seconds until the reference is there: a large model is loaded slowly
LONGEST = 60.0  # seconds for the learner's code, without the time in which MAX compiles
ENDED = (
    "Your code ended the Python process. A step only defines things: take out os._exit "
    "and whatever closes files that are not yours."
)
ENDLESS = (
    "Your code did not finish within {seconds:g} s: look for a loop without an end."
)
Note = Callable[[str], None]


class Gone(Exception):
    """The process sends no more events; the message says why."""


class TracerProcess:
    """A process that has traced the reference, and waits to trace the learner's model.

    Args:
        request: what to trace.
        note: gets a sentence when MAX compiles.
    """

    def __init__(self, request: Request, note: Note) -> None:
        self._note, self._rest = note, b""
        self._group = ChildGroup()  # first: the process never runs without its keeper
        self._process = subprocess.Popen(
            python_command(RUN, json.dumps(asdict(request))),
            cwd=ROOT,
            env=worker_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=self._group.number,
        )

    def reference(self) -> str:
        """Returns the reference's trace as text, once it is there.

        Raises:
            CheckpointError: the reference cannot be traced.
        """
        try:
            return self._receive("reference", FIRST)
        except Gone as gone:
            raise CheckpointError(f"the model could not be traced: {gone}") from gone

    def given(self) -> tuple[str, str]:
        """Reads the learner's files now; returns a sentence, and the data as text.

        ``reference`` must have been called.
        """
        assert self._process.stdin is not None
        try:
            with suppress(BrokenPipeError):
                self._process.stdin.write(b"\n")
                self._process.stdin.flush()
            verdict = json.loads(self._receive("verdict", LONGEST))
            return verdict, self._receive("given", LONGEST)
        except Gone as gone:
            return f"{gone}", script_json(NOTHING | {"note": f"{gone}"})

    def _receive(self, kind: str, limit: float) -> str:
        """Returns the next event of a kind; the time of a compile does not count."""
        until: float | None = time.monotonic() + limit
        while True:
            name, text = self._next(until, limit)
            if name == kind:
                return text
            if name == "error":
                raise Gone(json.loads(text))
            if name == "compiling":
                self._note(waiting(*json.loads(text)))
                until = None
            elif name == "compiled":
                until = time.monotonic() + limit

    def _next(self, until: float | None, limit: float) -> tuple[str, str]:
        """Returns the next event: its kind and its text.

        Raises:
            Gone: the process has ended, or there was no event in time.
        """
        assert self._process.stdout is not None
        source, parts = self._process.stdout.fileno(), [self._rest]
        while b"\n" not in parts[-1]:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not select.select([source], [], [], left)[0]:
                raise Gone(ENDLESS.format(seconds=limit))
            parts.append(os.read(source, 2**20))
            if not parts[-1]:
                raise Gone(ENDED)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        name, _, text = line.decode().partition(" ")
        return name, text

    def close(self) -> None:
        """Ends the process and all that it started."""
        self._group.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()


def waiting(what: str, seconds: int | None) -> str:
    """Returns the sentence for a compile."""
    about = f", about {seconds} s to go" if seconds else ""
    return f"first run on this machine: compiling {what}{about}"


class Source:
    """Gives the page's data, with the learner's files as they are at each call.

    A process has the reference ready before it is needed.

    Args:
        request: what to trace.
        note: gets a sentence when MAX compiles.
    """

    def __init__(self, request: Request, note: Note) -> None:
        self._request, self._note = request, note
        self._next = TracerProcess(request, note)
        self._fixed: tuple[str, str] | None = None
        self._closed = False
        try:
            self._reference = self._next.reference()
        except BaseException:
            self.close()
            raise

    def data(self) -> tuple[str, str, str]:
        """Returns a sentence, the reference and the rest of the data, both as text."""
        found = self._fixed or self._ask()
        if not self._request.mine:
            self._fixed = found
        return found[0], self._reference, found[1]

    def _ask(self) -> tuple[str, str]:
        """Uses the process that waits, and starts the one for the next time."""
        tracer = self._next
        try:
            if self._request.again:
                tracer.reference()
            return tracer.given()
        finally:
            tracer.close()
            if self._request.mine and not self._closed:
                self._request = replace(self._request, again=True)
                self._next = TracerProcess(self._request, self._note)

    def close(self) -> None:
        """Ends the process that waits or works."""
        self._closed = True
        self._next.close()
