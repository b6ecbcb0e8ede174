"""Errors in a learner's code, as one sentence that names the file."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course.commands import typed
from course.registry import ROOT, Exercise, load_registry, short
from course.state import Progress
from course.step_imports import current_steps
from gpt2.checkpoint.errors import CheckpointError
from gpt2.decoding.errors import NoNumbersError


class LearnerError(CheckpointError):
    """A learner's code does not run; the message names the file.

    Attributes:
        step: the number of the step at fault; None if it is not known.
    """

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message)
        self.step = step


class StepError(Exception):
    """What a step made cannot be used, although its code runs.

    Args:
        step: the step's file, such as ``step_09``.
        message: what is wrong, after the file's name.
    """

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step


@contextmanager
def blame_steps(step: str | None = None) -> Iterator[None]:
    """Turns any error in a learner's code into a ``LearnerError`` with its file.

    Args:
        step: the file to name if the error was raised elsewhere, such as ``step_14``.
    """
    try:
        yield
    except CheckpointError:
        raise
    except NoNumbersError as error:
        advice = f"find the layer with: {typed('gpt2 layers')}"
        text = f"the model in steps/ computes no finite numbers ({advice})"
        raise LearnerError(text) from error
    except (Exception, SystemExit) as error:
        file = _step_of(error) or step
        raise LearnerError(_explain(error, file), _number(file)) from error


def _number(file: str | None) -> int | None:
    """Returns the number of a step's file; None for another file."""
    found = (e for e in load_registry() if e.file == file and e.is_step)
    return next((e.number for e in found), None)


def _explain(error: BaseException, step: str | None) -> str:
    """Returns one sentence: the step's file, what is wrong, and what to do."""
    kind, reason = type(error).__name__, str(error).strip().partition("\n")[0]
    if step is None:
        advice = f"see which step fails: {typed('course progress')}"
        return f"the model in steps/ does not run: {kind}: {reason} ({advice})"
    exercise = next((e for e in load_registry() if e.file == step), None)
    name = exercise.step_path.name if exercise else f"{step}.py"
    file = current_steps().folder / name
    if exercise is None:  # a file of the learner's own has no check
        return f"{short(file)} does not run: {kind}: {reason}"
    elsewhere = "" if file == ROOT / exercise.step_path else f"{file.parent}"
    if not file.exists():
        cure = f" ({typed(f'course reset {exercise.short}')} makes it)"
        return f"there is no file {short(file)}{'' if elsewhere else cure}"
    check = typed(exercise.key) + (elsewhere and f" --steps-dir {elsewhere}")
    if not isinstance(error, StepError):
        reason = f"{_verdict(error, exercise)}: {reason}"
    return f"{short(file)} {reason} (check it with: {check})"


def _verdict(error: BaseException, exercise: Exercise) -> str:
    """Says whether a file is unfinished, or wrong, or was right before."""
    if isinstance(error, NotImplementedError):
        return "is not finished"
    passed = Progress(current_steps().folder).status(exercise) == "passed"
    now = "passed its checks, but does not run here" if passed else "does not run"
    return f"{now}: {type(error).__name__}"


def _step_of(error: BaseException) -> str | None:
    """Returns the step that raised an error, such as ``"step_09"``, or None."""
    places = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append(error.filename or "")
    imports = current_steps()
    steps = [Path(p).stem for p in places if Path(p).parent == imports.folder]
    if isinstance(error, StepError) and f"steps.{error.step}" not in imports.borrowed:
        return error.step
    name = error.name or "" if isinstance(error, ImportError) else ""
    if name.startswith("steps.") and name not in imports.borrowed:
        steps.append(name.removeprefix("steps."))
    return steps[-1] if steps else None
