"""Opening an engine: with a cache, without, or with the model a learner built."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from course.commands import typed
from gpt2.checkpoints import Checkpoint
from gpt2.errors import CheckpointError
from gpt2.generation import TokenEngine


def open_engine(
    checkpoint: Checkpoint,
    *,
    mine: bool,
    cache: bool,
    device: str = "cpu",
    on_compile: Callable[[str], None],
) -> TokenEngine:
    """Compiles the model of a checkpoint; MAX is only imported here, it takes long.

    Args:
        checkpoint: sizes and weights.
        mine: run the model in ``steps/`` instead of the course's own.
        cache: keep keys and values between tokens, but not on an accelerator.
        device: ``"cpu"`` or ``"gpu"``.
        on_compile: gets a sentence when compiling will take a while.

    Raises:
        LearnerError: the learner's model does not run.
        NoAcceleratorError: there is no ``"gpu"``.
    """
    from gpt2.engine import Engine, RecomputingEngine

    if device == "gpu":
        check_accelerator()
    if mine:
        from gpt2.mine import open_mine

        return open_mine(checkpoint, cache=cache, device=device, note=on_compile)
    config, weights = checkpoint.config, checkpoint.weights
    if cache and device == "cpu":
        return Engine(config, weights, on_compile=on_compile)
    model_class = import_module("solutions.solution_13").MaxGPT2LMHeadModel
    return RecomputingEngine(
        config, weights, model_class, device=device, on_compile=on_compile
    )


class NoAcceleratorError(CheckpointError):
    """MAX can use none on this machine."""


def check_accelerator() -> None:
    """Raises ``NoAcceleratorError`` unless MAX finds an accelerator."""
    from max.driver import accelerator_count

    if accelerator_count() == 0:
        raise NoAcceleratorError(
            "MAX finds no accelerator on this machine; leave --device gpu out to use "
            "the CPU"
        )


class LearnerError(CheckpointError):
    """The model in steps/ does not run; the message names the file to look at."""


@contextmanager
def blame_steps() -> Iterator[None]:
    """Turns whatever a learner's code raises into one sentence with its file."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise LearnerError(_explain(error)) from error


def _explain(error: BaseException) -> str:
    """Names the step, and says whether it is unfinished or wrong."""
    step, reason = _step_of(error), str(error).strip().partition("\n")[0]
    if step is None:
        return f"the model in steps/ does not run: {type(error).__name__}: {reason}"
    task = step.removeprefix("encore_").replace("step_", "s").replace("_", "-")
    check = f"check it with: {typed(task)}"
    if isinstance(error, NotImplementedError):
        return f"steps/{step}.py is not finished: {reason} ({check})"
    return f"steps/{step}.py does not run: {type(error).__name__}: {reason} ({check})"


def _step_of(error: BaseException) -> str | None:
    """Returns the step an error comes from, as ``"step_09"``, if it is from one."""
    places = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append(error.filename or "")
    if isinstance(error, ImportError):
        places.append(f"{(error.name or '').replace('.', '/')}.py")
    steps = [Path(place).stem for place in places if Path(place).parent.name == "steps"]
    return steps[-1] if steps else None
