"""Errors in a learner's code, as one sentence that names the file."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course.commands import typed
from gpt2.checkpoint.errors import CheckpointError


class LearnerError(CheckpointError):
    """The model in steps/ does not run; the message names the file."""


@contextmanager
def blame_steps() -> Iterator[None]:
    """Turns any error in a learner's code into a ``LearnerError`` with its file."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise LearnerError(_explain(error)) from error


def _explain(error: BaseException) -> str:
    """Returns one sentence: the step's file, and whether it is unfinished or wrong."""
    step, reason = _step_of(error), str(error).strip().partition("\n")[0]
    if step is None:
        return f"the model in steps/ does not run: {type(error).__name__}: {reason}"
    task = step.removeprefix("encore_").replace("step_", "s").replace("_", "-")
    check = f"check it with: {typed(task)}"
    if isinstance(error, NotImplementedError):
        return f"steps/{step}.py is not finished: {reason} ({check})"
    return f"steps/{step}.py does not run: {type(error).__name__}: {reason} ({check})"


def _step_of(error: BaseException) -> str | None:
    """Returns the step that raised an error, such as ``"step_09"``, or None."""
    places = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append(error.filename or "")
    if isinstance(error, ImportError):
        places.append(f"{(error.name or '').replace('.', '/')}.py")
    steps = [Path(place).stem for place in places if Path(place).parent.name == "steps"]
    return steps[-1] if steps else None
