"""Runs a learner's model as an engine, with or without the learner's KV cache."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.generation import TokenEngine
from gpt2.engine import engines
from gpt2.learner.encores import finished
from gpt2.learner.step_errors import blame_steps
from runtime.compiled_graphs import Weights
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
                return EagerEngine(config, weights, module)
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


class EagerEngine:
    """Runs a learner's model with the learner's KV cache, without compiling it.

    A compiled graph would fix the cache's length, because step 02's mask needs a
    number. So every token would need a new graph.

    Args:
        config: the model's sizes.
        weights: float32 arrays by name.
        module: the encore, with ``CachedGPT2LMHeadModel``.
    """

    def __init__(self, config: GPT2Config, weights: Weights, module: ModuleType):
        self.config, self._length = config, 0
        self._cache: Any = None  # the learner's cache: (key, value) pairs
        with one_graph():  # otherwise each layer draws random weights
            self._model = module.CachedGPT2LMHeadModel(config)
        self._model.load_state_dict(weights)

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts with ids ``[B, T]``; returns the next logits ``[B, V]``."""
        self._cache, self._length = None, 0
        return self._extend(ids)

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token of ids ``[B]`` to every row; returns logits ``[B, V]``."""
        return self._extend(ids[:, None])

    def select(self, rows: Sequence[int]) -> None:
        """Keeps only these rows of the batch, in this order; rows may repeat."""
        from max.experimental.tensor import Tensor

        def chosen(part: Tensor) -> Tensor:
            return Tensor.from_dlpack(part.to_numpy()[list(rows)])

        self._cache = [(chosen(key), chosen(value)) for key, value in self._cache]

    def _extend(self, ids: np.ndarray) -> np.ndarray:
        from max.experimental.tensor import Tensor

        engines.check_ids(ids, self._length, self.config)
        self._length += ids.shape[1]
        given = Tensor.from_dlpack(np.ascontiguousarray(ids))
        with one_graph():
            logits, self._cache = self._model(given, self._cache)
        return logits.to_numpy()[:, -1]
