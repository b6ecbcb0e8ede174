"""After a verdict, lets the embedded model write with the learner's part in it.

The course does not import the model, and the learner's code may do anything. So a child
process speaks, ``gpt2/learner/voice/``. It starts while the checks run, at a low
priority, and loads MAX. Here its events are printed, until it ends or is stopped.
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

from course.grading import Grading, Target
from course.keys import each_key_at_once, terminal
from course.process import worker_environment
from course.registry import ROOT, Exercise
from course.step_files import is_untouched
from course.typewriter import Typewriter
from runtime.child_python import python_command
from runtime.children import ChildGroup
from runtime.ctrl_c import noticed
from runtime.flags import Flag

RUN = "from gpt2.learner.voice.__main__ import main; main()"
POLITE = "import os; os.nice(10)"  # the checks come first
SILENCE = 20.0  # seconds without an event, after which the voice is given up
LONGEST = 60.0  # seconds
OFF = ("CI", "COURSE_NO_VOICE")
# What ends a voice: a closed pipe or terminal, and what is no event.
ENDS = (OSError, ValueError, TypeError, KeyError, MarkupError)


def begin_voice(exercise: Exercise, target: Target) -> "Voice | None":
    """Starts a voice if a person is there to listen and the exercise has begun.

    A person listens at a terminal, and not in CI.
    """
    listens = terminal() is not None and not any(map(os.environ.get, OFF))
    begun = not target.solutions and has_begun(target.path(exercise), exercise)
    if not (listens and begun):
        return None
    try:
        return Voice(exercise, target.steps_dir)
    except OSError:  # the system starts no more processes
        return None


def has_begun(path: Path, exercise: Exercise) -> bool:
    """Says whether a file is there and is no longer the skeleton."""
    try:
        return not is_untouched(path, exercise)
    except OSError:
        return False


def verdict_of(grading: Grading) -> str | None:
    """Returns "passed" or "failed"; None if nothing would come of a voice.

    That is so if the code is not written yet or ends its process, or if some checks
    were left out.
    """
    first = grading.first_failure
    if grading.left_out or grading.broken or (first and first.state == "to do"):
        return None
    return "passed" if grading.passed else "failed"


class Voice:
    """A process that will speak about one exercise.

    Args:
        exercise: the exercise that is being checked.
        steps_dir: the folder with the learner's files.
    """

    def __init__(self, exercise: Exercise, steps_dir: Path) -> None:
        self.group = ChildGroup()
        self.process = subprocess.Popen(
            python_command(f"{POLITE}; {RUN}", exercise.key, str(steps_dir)),
            cwd=ROOT,
            env=worker_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=self.group.number,
        )
        self._stop = Flag()
        self._thread: threading.Thread | None = None

    def speak(self, console: Console, verdict: str) -> None:
        """Prints what the process says, until it ends or a key or a signal comes.

        Ctrl-C only ends the voice. Other signals act as usual, after it.
        """
        with noticed(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            self._speak(console, verdict, signals)
            number = signals.lower()
        if number not in (None, signal.SIGINT):
            os.kill(os.getpid(), number)

    def start(self, console: Console, verdict: str) -> None:
        """Speaks in the background. Keys pressed before its end are lost."""
        self._thread = threading.Thread(
            target=self._speak,
            args=(console, verdict, self._stop),
            kwargs={"drop_keys": True},
            daemon=True,
        )
        self._thread.start()

    def _speak(
        self, console: Console, verdict: str, stop: Flag, *, drop_keys: bool = False
    ) -> None:
        """Prints what the process says until the flag is raised or a key is pressed."""
        stops: list[Flag | int] = [stop]
        with ExitStack() as stack:
            if (screen := terminal()) is not None:
                stack.enter_context(each_key_at_once(screen, drop=drop_keys))
                stops.append(screen)
            writer = Typewriter(console)
            with suppress(*ENDS):
                for event in self._events(verdict, stops):
                    show(event, writer)
                writer.finish()

    def _events(
        self, verdict: str, stops: Sequence[Flag | int]
    ) -> Iterator[dict[str, str]]:
        """Tells the process the verdict; yields its events until something stops it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{verdict}\n".encode())
        self.process.stdin.close()
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
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdout.close()
        with suppress(OSError):  # the process has not read the verdict
            self.process.stdin.close()
        self._stop.close()


def show(event: dict[str, str], writer: Typewriter) -> None:
    """Prints one event: a piece of a text, or a paragraph."""
    if "say" in event:
        writer.feed(event["say"], event["style"])
        return
    writer.finish()
    writer.console.print(event["line"], highlight=False)
