"""Engines that run a learner's model without compiling it.

The learner's code runs for every token. ``runtime/direct`` computes the operations.

Shapes: B batch, T new tokens, V vocabulary.
"""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from max.experimental.tensor import Tensor

from gpt2.engine.engines import WholeTextEngine, check_ids
from runtime.compiled_graphs import Weights
from runtime.defaults import one_graph
from runtime.direct.operations import direct_operations
from runtime.direct.transposes import Transposes
from solutions.solution_01 import GPT2Config


class EagerEngine(WholeTextEngine):
    """Runs a learner's model on the whole text for every token.

    Args:
        config: the model's sizes.
        weights: float32 arrays by name.
        model_class: ``MaxGPT2LMHeadModel`` of the learner's step 13.
    """

    def __init__(self, config: GPT2Config, weights: Weights, model_class: type):
        super().__init__(config)
        self._model = load_model(model_class, config, weights)
        self._transposes = transposes_of(self._model)

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Returns the model's logits ``[B, T, V]`` for ids ``[B, T]``."""
        with direct_operations(self._transposes):
            logits = self._model(as_tensor(ids))
        return logits.to_numpy()


class CachedEagerEngine:
    """Runs a learner's model with the learner's KV cache.

    Args:
        config: the model's sizes.
        weights: float32 arrays by name.
        module: the encore, with ``CachedGPT2LMHeadModel``.
    """

    def __init__(self, config: GPT2Config, weights: Weights, module: ModuleType):
        self.config, self._length = config, 0
        self._cache: Any = None  # the learner's cache: (key, value) pairs
        self._model = load_model(module.CachedGPT2LMHeadModel, config, weights)
        self._transposes = transposes_of(self._model)

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts with ids ``[B, T]``; returns the next logits ``[B, V]``."""
        return self.continue_from(0, ids, 1)[:, 0]

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token of ids ``[B]`` to every row; returns logits ``[B, V]``."""
        return self.continue_from(self._length, ids[:, None], 1)[:, 0]

    def select(self, rows: Sequence[int]) -> None:
        """Keeps only these rows of the batch, in this order; rows may repeat."""
        self._change(lambda part: part[list(rows)])

    def continue_from(self, length: int, ids: np.ndarray, count: int) -> np.ndarray:
        """Does what ``gpt2.engine.engines.Engine.continue_from`` does."""
        if length == 0:
            self._cache = None
        elif length < self._length:
            self._change(lambda part: part[:, :, :length])
        check_ids(ids, length, self.config)
        self._length = length + ids.shape[1]
        with direct_operations(self._transposes):
            logits, self._cache = self._model(as_tensor(ids), self._cache)
        return logits.to_numpy()[:, -count:]

    def _change(self, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Changes every key and value ``[B, H, P, D]`` of the cache."""

        def changed(part: Tensor) -> Tensor:
            return as_tensor(change(part.to_numpy()))

        self._cache = [(changed(key), changed(value)) for key, value in self._cache]


def load_model(model_class: type, config: GPT2Config, weights: Weights) -> Any:
    """Builds a learner's model and gives it the weights."""
    model = make_model(model_class, config)
    model.load_state_dict(weights)
    return model


def make_model(model_class: type, config: GPT2Config) -> Any:
    """Builds a learner's model; its weights have no values yet."""
    with one_graph():  # otherwise each layer draws random weights
        return model_class(config)


def transposes_of(model: Any) -> Transposes:
    """Returns what keeps the transposes of a model's parameters."""
    return Transposes(tensor for _, tensor in model.parameters)


def as_tensor(array: np.ndarray) -> Tensor:
    """Returns an array as a tensor."""
    return Tensor.from_dlpack(np.ascontiguousarray(array))
