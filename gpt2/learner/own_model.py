"""Runs a learner's model as an engine, with or without the learner's KV cache."""

from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from types import ModuleType

import numpy as np

from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.generation import TokenEngine
from gpt2.engine import engines
from gpt2.learner.eager_engine import CachedEagerEngine
from gpt2.learner.encores import finished
from gpt2.learner.step_errors import blame_steps
from runtime.defaults import one_graph, silence_advice
from solutions.solution_01 import GPT2Config

KV_CACHE = (
    "your KV cache runs uncompiled: about one token a second (--no-cache "
    "compiles your model instead, which takes minutes once)"
)


def open_mine(
    checkpoint: Checkpoint, *, cache: bool, device: str, note: Callable[[str], None]
) -> TokenEngine:
    """Gives the checkpoint's weights to the model in ``steps/``.

    Args:
        checkpoint: sizes and weights.
        cache: use the learner's KV cache, if that encore is finished.
        device: ``"cpu"`` or ``"gpu"``.
        note: gets a sentence when the learner has to wait.

    Raises:
        LearnerError: the learner's model does not run.
    """
    silence_advice()
    weights = checkpoint.weights
    with blame_steps():
        config = import_module("steps.step_01").GPT2Config(**asdict(checkpoint.config))
        model_class = import_module("steps.step_13").MaxGPT2LMHeadModel
    if cache and device == "cpu":
        module = finished(
            "steps.encore_kv_cache", lambda module: try_model(module, config)
        )
        if module:
            note(KV_CACHE)
            with blame_steps():
                return CachedEagerEngine(config, weights, module)
    with blame_steps():
        return engines.RecomputingEngine(
            config, weights, model_class, device=device, on_compile=note
        )


def try_model(module: ModuleType, config: GPT2Config) -> None:
    """Calls a model with and without a cache, without computing any values."""
    from max.experimental.tensor import Tensor

    with one_graph():
        model = module.CachedGPT2LMHeadModel(config)
        token = Tensor.from_dlpack(np.zeros([1, 1], dtype=np.int64))
        _, cache = model(token, None)
        model(token, cache)
