"""The program that speaks: ``python -m gpt2.learner.voice KEY STEPS_DIR [SECONDS]``.

``course/voice.py`` starts it while the checks run, so that MAX is loaded when the
verdict is there. It then reads the verdict from standard input, ``passed`` or
``failed``, speaks for at most some seconds, and ends.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

from course.commands import typed
from course.memory import bound_memory
from course.registry import find_exercise
from course.worker_output import WorkerOutput
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.learner.voice.speech import Speech
from runtime.defaults import interpret_operations, on_the_cpu, silence_advice
from runtime.kernels import use_kernels

SECONDS = 6.0


def main() -> NoReturn:
    """Loads the model, waits for the verdict and speaks."""
    interpret_operations()  # before any import of MAX
    from gpt2.learner.voice.parts import Attempt
    from gpt2.learner.voice.speakers import speak
    from gpt2.learner.voice.warmth import warm_up

    bound_memory()
    silence_advice()
    output = WorkerOutput()
    output.is_dropped = True  # the report has shown what the learner's code prints
    speech = Speech(output.pipe)
    exercise, steps_dir = find_exercise(sys.argv[1]), Path(sys.argv[2])
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else SECONDS
    checkpoint = load_checkpoint("tiny-stories")
    use_kernels().announce = partial(needs_setup, speech)
    warm_up(checkpoint)
    verdict = sys.stdin.readline().strip()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the learner's code may read
    sys.dont_write_bytecode = True  # nothing new appears beside the learner's files
    if verdict:
        passed = verdict == "passed"
        with on_the_cpu():
            speak(Attempt(exercise, steps_dir, checkpoint, passed, seconds), speech)
    os._exit(0)  # threads that learner code started may never end


@contextmanager
def needs_setup(speech: Speech, what: str, seconds: int | None) -> Iterator[None]:
    """Ends the program where MAX would compile, which takes longer than any voice."""
    speech.line(
        f"[dim]To let the model write here, MAX first compiles {what}: "
        f"{typed('course setup')}[/]"
    )
    os._exit(0)
    yield


if __name__ == "__main__":
    main()
