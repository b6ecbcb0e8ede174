"""The program that speaks: it sends events to ``course/voice.py``.

``python -m gpt2.learner.voice KEY STEPS_DIR VERDICT [SECONDS]`` speaks about a check of
an exercise, which ``passed`` or ``failed``, for at most some seconds.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

from rich.markup import escape

from course.commands import typed
from course.memory import bound_memory
from course.registry import find_exercise
from course.worker_output import WorkerOutput
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from runtime import background
from runtime.defaults import interpret_operations, on_the_cpu, silence_advice
from runtime.kernels import use_kernels

SECONDS = 6.0


def main() -> NoReturn:
    """Speaks, and ends the process."""
    interpret_operations()  # before any import of MAX
    bound_memory()
    silence_advice()
    output = WorkerOutput()
    output.is_dropped = True  # the report has shown what the learner's code prints
    speech = Speech(output.pipe)
    use_kernels().announce = partial(needs_setup, speech)
    attempt = read_attempt(sys.argv[1:])
    begin(attempt, speech)
    from gpt2.learner.voice.speakers import speak  # takes a second

    with on_the_cpu():
        speak(attempt, speech)
    os._exit(0)  # threads that learner code started may never end


def read_attempt(arguments: list[str]) -> Attempt:
    """Returns the attempt that the program's arguments name."""
    key, steps_dir, verdict, *seconds = arguments
    return Attempt(
        find_exercise(key),
        Path(steps_dir),
        load_checkpoint("tiny-stories"),
        passed=verdict == "passed",
        seconds=float(seconds[0]) if seconds else SECONDS,
    )


def begin(attempt: Attempt, speech: Speech) -> None:
    """Says whose steps the model is made of, before the slow imports."""
    exercise, whose = attempt.exercise, escape(attempt.borrowed.sentence())
    if attempt.completes_all:
        speech.line("[bold green]Your GPT-2 is complete.[/] All of this code is yours:")
    else:
        kind = "step" if exercise.is_step else "encore"
        name = f"[bold]The model with your {kind} {exercise.short}[/]"
        speech.line(f"{name} [dim]({whose})[/]")


@contextmanager
def needs_setup(speech: Speech, what: str, seconds: int | None) -> Iterator[None]:
    """Ends the program where MAX would compile, which takes longer than any voice."""
    if background.runs():
        text = f"The model writes here once MAX has compiled {what}."
    else:
        text = f"To let the model write here, MAX first compiles {what}: "
        text += typed("course setup")
    speech.line(f"[dim]{text}[/]")
    os._exit(0)
    yield


if __name__ == "__main__":
    main()
