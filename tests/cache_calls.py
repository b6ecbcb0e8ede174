"""Calls of the code under test for the KV cache's checker; they run in the worker.

MAX is imported inside the functions: the grader's own process never needs it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


def with_past(module: Any, x: Any, key: Any, value: Any) -> Any:
    """Calls attention or a block with one layer's key and value."""
    try:
        return module(x, (key, value))
    except AttributeError:  # the code may want a NamedTuple of its own
        _, own = pair(module(x, None))
        return module(x, like(own, (key, value)))


def with_cache(model: Any, ids: Any, *memories: Any) -> Any:
    """Calls a model with a cache. ``memories`` are key, value, key, value and so on."""
    cache = list(zip(memories[::2], memories[1::2], strict=True))
    try:
        return model(ids, cache)
    except AttributeError:
        _, own = pair(model(ids, None))
        return model(ids, [like(own[0], memory) for memory in cache])


def like(own: Any, memory: tuple[Any, Any]) -> Any:
    """Makes key and value a pair as the module makes it: its NamedTuple, or a tuple."""
    kind = type(own)
    if kind is list or not isinstance(own, tuple | list):
        return memory
    return kind._make(memory) if hasattr(kind, "_make") else kind(memory)


def in_parts(module: Any, *parts: Any) -> tuple[list[Any], Any]:
    """Calls a module for each part of a text, with the cache of the earlier parts.

    Returns:
        The results of all parts, and the cache after the last part.
    """
    results, memory = [], None
    for part in parts:
        result, memory = pair(module(part, memory))
        results.append(result)
    return results, memory


def continued(model: Any, prompt: Any, *continuations: Any) -> list[Any]:
    """Reads a prompt once, then each continuation with the prompt's cache."""
    _, cache = pair(model(prompt, None))
    return [pair(model(ids, cache))[0] for ids in continuations]


def pair(value: Any) -> Any:
    """Requires a pair of the numbers and the memory; returns the pair."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(
            "the result has to be a pair, a tuple of the numbers and the memory, and "
            f"is of type {type(value).__name__}"
        )
    return value


@dataclass
class CachedTableModel:
    """A model with a cache whose logits depend only on the last token.

    Attributes:
        table: ``[V, V]``, the logits after each token.
        seen: for every call, the number of tokens in the cache, and the ids.
    """

    table: np.ndarray
    seen: list[tuple[int, list[list[int]]]] = field(default_factory=list)

    def __call__(self, input_ids: Any, cache: Any = None) -> Any:
        """Returns logits ``[B, T, V]`` and the new cache, for ids ``[B, T]``."""
        from max.experimental.tensor import Tensor

        ids = input_ids.to_numpy()
        earlier = 0 if cache is None else int(cache[0][0].shape[-2])
        self.seen.append((earlier, ids.tolist()))
        memory = np.zeros([len(ids), 1, earlier + ids.shape[1], 1], np.float32)
        after = [(Tensor.from_dlpack(memory), Tensor.from_dlpack(memory.copy()))]
        return Tensor.from_dlpack(self.table[ids]), after
