"""Chooses what is said about each exercise, and says it."""

import traceback
from collections.abc import Callable
from pathlib import Path

from rich.markup import escape

from course.registry import short
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech

Speaker = Callable[[Attempt, Speech], None]


def speak(attempt: Attempt, speech: Speech) -> None:
    """Says what fits the exercise, or in one line that the learner's code raises."""
    from gpt2.learner.voice.model import let_model_write

    try:
        speech.line(heading(attempt))
        let_model_write(attempt, speech)
    except (Exception, SystemExit) as error:
        speech.line(f"[dim]{escape(trouble(error, attempt.steps_dir))}[/]")


def heading(attempt: Attempt) -> str:
    """Says whose steps the model is made of."""
    return f"[dim]{escape(attempt.borrowed.sentence())}[/]"


def trouble(error: BaseException, steps_dir: Path) -> str:
    """Says in which line of the learner's the model stops."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).parent == steps_dir]
    place = f", {short(Path(own[-1].filename))}:{own[-1].lineno}" if own else ""
    return f"With it the model stops before it writes: {type(error).__name__}{place}"
