"""Opens an engine: with a cache, without a cache, or with a learner's model."""

from collections.abc import Callable
from importlib import import_module

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.generation import TokenEngine
from gpt2.engine.precision import Precision
from gpt2.learner.borrowing import Borrowed

UNCACHED = (
    "a Llama runs as it is written, and reads the whole text for every token: its "
    "speed falls as the text grows"
)


def open_engine(
    checkpoint: Checkpoint,
    *,
    mine: Borrowed | None = None,
    compiled: bool = False,
    cache: bool,
    device: str = "cpu",
    precision: Precision = "float32",
    on_compile: Callable[[str], None],
) -> TokenEngine:
    """Opens a checkpoint's model. Importing MAX is slow, so it is imported here.

    Args:
        checkpoint: sizes and weights.
        mine: run the model in ``steps/``, of which some is perhaps borrowed; None runs
            the course's model.
        compiled: compile the model in ``steps/``, too.
        cache: keep keys and values between tokens.
        device: ``"cpu"`` or ``"gpu"``.
        precision: how the course's engine keeps the matrices. Another one than float32
            takes the weights out of the checkpoint.
        on_compile: gets a sentence when compiling will take a while.

    Raises:
        CheckpointError: this kind of model has no other precision or device.
        PrecisionError: the model's sizes do not allow the precision.
        LearnerError: the learner's model does not run.
        NoAcceleratorError: ``device`` is ``"gpu"`` and MAX finds none.
    """
    from gpt2.engine.engines import Engine, RecomputingEngine

    if device == "gpu":
        check_accelerator()
    if precision != "float32":
        check_engine(checkpoint, mine, cache)
    if mine:
        from gpt2.learner.own_model import open_mine

        return open_mine(
            checkpoint,
            mine,
            compiled=compiled,
            cache=cache,
            device=device,
            note=on_compile,
        )
    config, weights = checkpoint.config, checkpoint.weights
    if checkpoint.is_llama:
        return open_llama(checkpoint, device, on_compile)
    if cache:
        return Engine(
            config,
            weights,
            device=device,
            precision=precision,
            on_compile=on_compile,
        )
    model_class = import_module("solutions.solution_13").MaxGPT2LMHeadModel
    return RecomputingEngine(
        config, weights, model_class, device=device, on_compile=on_compile
    )


def open_llama(
    checkpoint: Checkpoint, device: str, note: Callable[[str], None]
) -> TokenEngine:
    """Opens the solution's Llama, which runs without a compile and without a cache.

    Raises:
        CheckpointError: ``device`` is not the CPU.
    """
    from gpt2.learner.eager_engine import EagerEngine
    from solutions.encore_llama import LlamaForCausalLM

    if device != "cpu":
        raise CheckpointError(
            f"{checkpoint.name} is a Llama, which runs on the CPU: leave --device out"
        )
    note(UNCACHED)
    return EagerEngine(checkpoint.config, checkpoint.weights, LlamaForCausalLM)


def check_engine(checkpoint: Checkpoint, mine: Borrowed | None, cache: bool) -> None:
    """Raises ``CheckpointError`` unless the course's engine runs, with a cache."""
    others = {
        "your own model has": mine is not None,
        "a Llama has": checkpoint.is_llama,
        "the model without a cache has": not cache,
    }
    for who, runs in others.items():
        if runs:
            raise CheckpointError(f"{who} float32 weights: leave --weights out")


class NoAcceleratorError(CheckpointError):
    """MAX finds no accelerator on this machine."""


def check_accelerator() -> None:
    """Raises ``NoAcceleratorError`` unless MAX finds an accelerator."""
    from max.driver import accelerator_count

    if accelerator_count() == 0:
        raise NoAcceleratorError(
            "MAX finds no accelerator on this machine; leave --device gpu out to use "
            "the CPU"
        )
