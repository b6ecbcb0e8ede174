"""After a verdict, lets the embedded model write with the learner's part in it.

The course does not import the model, and the learner's code may do anything. So a child
process speaks, ``gpt2/learner/voice/``. It starts once the report is printed: on two
cores, a verdict would come a twentieth later if MAX were imported meanwhile. Here its
events are printed, until it ends or is stopped.
"""

import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from rich.console import Console
from rich.markup import MarkupError

from course.grading import Grading
from course.keys import each_key_at_once, terminal
from course.process import worker_environment
from course.registry import ROOT, Exercise
from course.typewriter import Typewriter
from runtime.child_python import python_command
from runtime.children import ChildGroup
from runtime.ctrl_c import noticed
from runtime.flags import Flag

RUN = "from gpt2.learner.voice.__main__ import main; main()"
SILENCE = 20.0  # seconds without an event, after which the voice is given up
LONGEST = 60.0  # seconds
OFF = ("CI", "COURSE_NO_VOICE")
# What ends a voice: a closed pipe or terminal, and what is no event.
ENDS = (OSError, ValueError, TypeError, KeyError, MarkupError)


def begin_voice(grading: Grading) -> "Voice | None":
    """Starts a voice about a finished grading, if something can come of it.

    A person must be there to listen: at a terminal, and not in CI. The code must be
    written and must not end its process, and all checks must have run.
    """
    first, target = grading.first_failure, grading.target
    listens = terminal() is not None and not any(map(os.environ.get, OFF))
    runs = not (grading.broken or (first and first.state == "to do"))
    if not (listens and runs) or grading.left_out or target.solutions:
        return None
    with suppress(OSError):  # the system starts no more processes
        return Voice(grading.exercise, target.steps_dir, passed=grading.passed)
    return None


class Voice:
    """A process that speaks about one exercise.

    Args:
        exercise: the exercise that was checked.
        steps_dir: the folder with the learner's files.
        passed: whether every check passed.
    """

    def __init__(self, exercise: Exercise, steps_dir: Path, *, passed: bool) -> None:
        self.group = ChildGroup()
        self.process = subprocess.Popen(
            python_command(RUN, exercise.key, str(steps_dir), verdict(passed)),
            cwd=ROOT,
            env=worker_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=self.group.number,
        )
        self._stop = Flag()
        self._thread: threading.Thread | None = None

    def speak(self, console: Console) -> None:
        """Prints what the process says, until it ends or a key or a signal comes.

        Ctrl-C only ends the voice. Other signals act as usual, after it.
        """
        with noticed(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            self._speak(console, signals)
            number = signals.lower()
        if number not in (None, signal.SIGINT):
            os.kill(os.getpid(), number)

    def start(self, console: Console) -> None:
        """Speaks in the background. Keys pressed before its end are lost."""
        self._thread = threading.Thread(
            target=self._speak,
            args=(console, self._stop),
            kwargs={"drop_keys": True},
            daemon=True,
        )
        self._thread.start()

    def _speak(self, console: Console, stop: Flag, *, drop_keys: bool = False) -> None:
        """Prints what the process says until the flag is raised or a key is pressed."""
        stops: list[Flag | int] = [stop]
        with ExitStack() as stack:
            if (screen := terminal()) is not None:
                stack.enter_context(each_key_at_once(screen, drop=drop_keys))
                stops.append(screen)
            writer = Typewriter(console)
            with suppress(*ENDS):
                for event in self._events(stops):
                    show(event, writer)
                writer.finish()

    def _events(self, stops: Sequence[Flag | int]) -> Iterator[dict[str, str]]:
        """Yields the process's events until something stops it."""
        assert self.process.stdout
        source, rest = self.process.stdout.fileno(), b""
        until = time.monotonic() + LONGEST
        while (left := min(SILENCE, until - time.monotonic())) > 0:
            ready, _, _ = select.select([source, *stops], [], [], left)
            block = os.read(source, 65536) if ready == [source] else b""
            if not block:
                return
            *lines, rest = (rest + block).split(b"\n")
            yield from map(json.loads, lines)

    def close(self) -> None:
        """Ends the voice, the process and all that the process started."""
        self._stop.rise()
        if self._thread:
            self._thread.join()
        self.group.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()
        self._stop.close()


def verdict(passed: bool) -> str:
    """Returns the word by which the process knows the result."""
    return "passed" if passed else "failed"


def show(event: dict[str, str], writer: Typewriter) -> None:
    """Prints one event: a piece of a text, or a paragraph."""
    if "say" in event:
        writer.feed(event["say"], event["style"])
        return
    writer.finish()
    writer.console.print(event["line"], highlight=False)
